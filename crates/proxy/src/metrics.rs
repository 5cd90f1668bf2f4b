//! What is counted. Names and labels are documented in `docs/proxy.md`; a test holds both equal.
//!
//! Labels have only values that the configuration or a closed list has, and status codes: nobody outside can make more.

use std::sync::atomic::AtomicU64;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sidecar_kit::metrics::client::metrics::counter::Counter;
use sidecar_kit::metrics::client::metrics::family::Family;
use sidecar_kit::metrics::client::metrics::gauge::Gauge;
use sidecar_kit::metrics::{self, Durations, Registry};

use crate::snapshot::Told;

#[cfg(test)]
mod tests;

/// Upper bounds of times, in seconds.
const BOUNDS: &[f64] = &[
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
    60.0,
];

/// Names and values.
type Labels = Vec<(&'static str, String)>;
type Counters = Family<Labels, Counter>;
type Seconds = Gauge<f64, AtomicU64>;

/// All metrics of the process; shared by its threads.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Counters,
    durations: Family<Labels, Durations, fn() -> Durations>,
    received: Counters,
    sent: Counters,
    failures: Counters,
    /// Requests that were sent to a backend a second time.
    pub replays: Counter,
    accepted: Counters,
    open: Family<Labels, Gauge>,
    /// Connections that were closed because there were too many.
    pub turned_away: Counter,
    /// Failures of accepting connections, as for want of descriptors.
    pub accept_failures: Counter,
    handshakes: Counters,
    expiry: Family<Labels, Seconds>,
    certificate_age: Family<Labels, Seconds>,
    certificate_failures: Family<Labels, Gauge>,
    reloads: Counters,
    reload_succeeded: Gauge,
    reload_time: Seconds,
    log_dropped: Gauge,
    memory: Gauge,
    memory_ceiling: Gauge,
}

impl Metrics {
    /// All metrics, at zero. `workers` is how many threads carry traffic; `ceiling` the bytes of memory at which requests
    /// are refused.
    #[must_use]
    pub fn new(workers: usize, ceiling: Option<u64>) -> Self {
        let mut all = Self {
            registry: Registry::with_prefix("pillion_proxy"),
            requests: Family::default(),
            durations: Family::new_with_constructor(|| Durations::new(BOUNDS)),
            received: Family::default(),
            sent: Family::default(),
            failures: Family::default(),
            replays: Counter::default(),
            accepted: Family::default(),
            open: Family::default(),
            turned_away: Counter::default(),
            accept_failures: Counter::default(),
            handshakes: Family::default(),
            expiry: Family::default(),
            certificate_age: Family::default(),
            certificate_failures: Family::default(),
            reloads: Family::default(),
            reload_succeeded: Gauge::default(),
            reload_time: Gauge::default(),
            log_dropped: Gauge::default(),
            memory: Gauge::default(),
            memory_ceiling: Gauge::default(),
        };
        all.register();
        let threads: Gauge = Gauge::default();
        threads.set(i64::try_from(workers).unwrap_or(i64::MAX));
        all.registry
            .register("workers", "Threads that carry traffic", threads);
        if let Some(ceiling) = ceiling {
            all.memory_ceiling
                .set(i64::try_from(ceiling).unwrap_or(i64::MAX));
        }
        all
    }

    fn register(&mut self) {
        let to = &mut self.registry;
        macro_rules! register {
            ($($field:ident, $name:literal, $help:literal;)*) => {
                $(to.register($name, $help, self.$field.clone());)*
            };
        }
        register! {
            requests, "requests", "Requests that were answered, by listener, route, backend and status code";
            durations, "request_duration_seconds", "Time from a request's head to the end of its response, by listener, route and backend";
            received, "request_body_bytes", "Bytes of request bodies, by listener, route and backend";
            sent, "response_body_bytes", "Bytes of response bodies, by listener, route and backend";
            failures, "failures", "Exchanges and connections that did not go as asked, by listener and reason";
            replays, "replays", "Requests that were sent to a backend a second time";
            accepted, "connections", "Connections that were accepted, by listening address";
            open, "open_connections", "Connections of clients that are open, by listening address";
            turned_away, "connections_turned_away", "Connections that were closed because there were too many";
            accept_failures, "accept_failures", "Failures of accepting connections, as for want of descriptors";
            handshakes, "tls_handshakes", "TLS handshakes with clients, by listener and result";
            expiry, "certificate_expiry_timestamp_seconds", "When a certificate in use, or one of its chain, ends";
            certificate_age, "certificate_loaded_timestamp_seconds", "Since when the certificates in use are";
            certificate_failures, "certificate_reload_failures", "How often changed certificate files could not be used";
            reloads, "config_reloads", "Configurations that were read again, by result";
            reload_succeeded, "config_last_reload_successful", "1 if the configuration in the files is the one in use";
            reload_time, "config_loaded_timestamp_seconds", "Since when the configuration in use is";
            log_dropped, "access_log_dropped_lines", "Lines of the access log that were dropped because nobody took them";
            memory, "memory_bytes", "Memory in use, when it was last looked";
            memory_ceiling, "memory_ceiling_bytes", "Memory at which requests are refused; 0 for none";
        }
    }

    /// All of them, as Prometheus reads them.
    #[must_use]
    pub fn text(&self) -> String {
        metrics::text(&self.registry)
    }

    /// The counters of exchanges of this kind. `code` is 0 if there was no answer.
    #[must_use]
    pub fn exchange(&self, listener: &str, route: &str, backend: &str, code: u16) -> Exchange {
        let labels = vec![
            ("listener", listener.to_owned()),
            ("route", route.to_owned()),
            ("backend", backend.to_owned()),
        ];
        let mut with_code = labels.clone();
        with_code.push(("code", code.to_string()));
        Exchange {
            requests: self.requests.get_or_create_owned(&with_code),
            durations: self.durations.get_or_create_owned(&labels),
            received: self.received.get_or_create_owned(&labels),
            sent: self.sent.get_or_create_owned(&labels),
        }
    }

    /// Something did not go as asked.
    pub fn failed(&self, listener: &str, reason: &'static str) {
        let labels = vec![
            ("listener", listener.to_owned()),
            ("reason", reason.to_owned()),
        ];
        self.failures.get_or_create(&labels).inc();
    }

    /// A handshake ended; `result` is `ok` or a word of [`HandshakeError::reason`](crate::tls::HandshakeError::reason).
    pub fn shaken(&self, listener: &str, result: &'static str) {
        let labels = vec![
            ("listener", listener.to_owned()),
            ("result", result.to_owned()),
        ];
        self.handshakes.get_or_create(&labels).inc();
    }

    /// The counters of connections to an address.
    #[must_use]
    pub fn connections(&self, address: &str) -> (Counter, Gauge) {
        let labels = vec![("address", address.to_owned())];
        (
            self.accepted.get_or_create_owned(&labels),
            self.open.get_or_create_owned(&labels),
        )
    }

    /// The configuration was read again.
    pub fn reloaded(&self, success: bool) {
        let result = if success { "success" } else { "failure" };
        let labels = vec![("result", result.to_owned())];
        self.reloads.get_or_create(&labels).inc();
        self.reload_succeeded.set(success.into());
    }

    /// Another configuration is in use.
    pub fn in_use(&self, now: SystemTime) {
        self.reload_succeeded.set(1);
        self.reload_time.set(seconds(now));
    }

    /// How the certificates are.
    pub fn certificates(&self, all: &[Told], now: SystemTime) {
        self.expiry.clear();
        self.certificate_age.clear();
        self.certificate_failures.clear();
        for Told { of, name, status } in all {
            let labels = vec![("of", (*of).to_owned()), ("name", name.clone())];
            for certificate in &status.certificates {
                let mut labels = labels.clone();
                labels.push(("source", certificate.source.clone()));
                let expiry = self.expiry.get_or_create_owned(&labels);
                expiry.set(seconds(certificate.not_after));
            }
            let loaded = now.checked_sub(status.age).unwrap_or(now);
            let age = self.certificate_age.get_or_create_owned(&labels);
            age.set(seconds(loaded));
            let failures = i64::try_from(status.failures).unwrap_or(i64::MAX);
            let gauge = self.certificate_failures.get_or_create_owned(&labels);
            gauge.set(failures);
        }
    }

    /// What was looked at just now.
    pub fn process(&self, memory: u64, log_dropped: u64) {
        self.memory.set(i64::try_from(memory).unwrap_or(i64::MAX));
        let dropped = i64::try_from(log_dropped).unwrap_or(i64::MAX);
        self.log_dropped.set(dropped);
    }
}

fn seconds(time: SystemTime) -> f64 {
    let since = time.duration_since(UNIX_EPOCH);
    since.unwrap_or(Duration::ZERO).as_secs_f64()
}

/// The counters of one kind of exchange, looked up once.
#[derive(Clone, Debug)]
pub struct Exchange {
    requests: Counter,
    durations: Durations,
    received: Counter,
    sent: Counter,
}

impl Exchange {
    /// An exchange is over.
    pub fn finished(&self, took: Duration, received: u64, sent: u64) {
        self.requests.inc();
        self.durations.observe(took);
        if received > 0 {
            self.received.inc_by(received);
        }
        if sent > 0 {
            self.sent.inc_by(sent);
        }
    }
}
