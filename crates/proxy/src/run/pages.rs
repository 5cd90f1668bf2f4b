//! What is answered on the plain ports.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::SystemTime;

use sidecar_kit::admin::{Answer, Pages};
use sidecar_kit::health::Health;
use sidecar_kit::{memory, metrics};
use tokio::sync::watch;

use crate::route::explain::{Question, explain};
use crate::snapshot::{Materials, Snapshot};
use crate::worker::Shared;

pub(super) struct ProxyPages {
    pub(super) health: Rc<Health>,
    pub(super) shared: Arc<Shared>,
    pub(super) materials: Rc<RefCell<Materials>>,
    pub(super) snapshots: watch::Receiver<Arc<Snapshot>>,
    /// For people on the machine: the configuration too.
    pub(super) full: bool,
}

impl Pages for ProxyPages {
    async fn answer(&self, target: &str) -> Answer {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        match path {
            "/healthz" | "/livez" => Answer::text(200, "ok\n"),
            "/readyz" => self.ready(),
            "/metrics" => self.metrics(),
            "/config" if self.full => {
                let config = &self.snapshots.borrow().rules;
                json(&config.config.effective())
            }
            "/explain" if self.full => self.explain(query),
            _ => Answer::not_found(),
        }
    }
}

impl ProxyPages {
    fn ready(&self) -> Answer {
        let now = SystemTime::now();
        let told = self.materials.borrow().status(now);
        let mut certificates = told.iter().flat_map(|told| &told.status.certificates);
        let expired = certificates.find(|it| it.not_after < now);
        match expired {
            Some(expired) => {
                let reason = format!("{} ({}) has expired", expired.source, expired.subject);
                self.health.fails("certificates", reason);
            }
            None => self.health.holds("certificates"),
        }
        let status = if self.health.is_ready() { 200 } else { 503 };
        Answer::text(status, self.health.report())
    }

    fn metrics(&self) -> Answer {
        let now = SystemTime::now();
        let metrics = &self.shared.metrics;
        metrics.certificates(&self.materials.borrow().status(now), now);
        let in_use = memory::in_use().unwrap_or_default();
        metrics.process(in_use, self.shared.log.dropped());
        Answer {
            status: 200,
            content_type: metrics::CONTENT_TYPE,
            body: metrics.text().into_bytes(),
        }
    }

    /// `?url=https://host/path&method=GET&header=name:%20value&listener=name`
    fn explain(&self, query: &str) -> Answer {
        let mut question = Question {
            method: "GET".to_owned(),
            ..Question::default()
        };
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = decoded(value);
            match name {
                "url" => question.url = value,
                "method" => question.method = value,
                "header" => question.headers.push(value),
                "listener" => question.listener = Some(value),
                _ => {}
            }
        }
        let rules = Arc::clone(&self.snapshots.borrow().rules);
        match explain(&rules.config, &question) {
            Ok(explanation) => json(&explanation),
            Err(fault) => Answer::text(
                400,
                format!(
                    "{fault}\nask as /explain?url=https://host/path&method=GET&header=name:%20value\n"
                ),
            ),
        }
    }
}

fn json(value: &impl serde::Serialize) -> Answer {
    match serde_json::to_vec_pretty(value) {
        Ok(mut body) => {
            body.push(b'\n');
            Answer {
                status: 200,
                content_type: "application/json",
                body,
            }
        }
        Err(fault) => Answer::text(500, format!("{fault}\n")),
    }
}

/// A value of a query, without escapes.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let escaped = (*byte == b'%')
            .then(|| crate::path::escape(&bytes[at + 1..]))
            .flatten();
        decoded.push(match (escaped, byte) {
            (Some(byte), _) => {
                at += 2;
                byte
            }
            (None, b'+') => b' ',
            (None, byte) => *byte,
        });
        at += 1;
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
