//! A line for each request, written by a thread of its own ([`sidecar_kit::log`]).
//!
//! A line is JSON with the fields of [`Field`], or made by a template. What clients and backends wrote is escaped: nobody outside
//! can begin a line of their own.

mod field;
pub mod template;

use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use sidecar_kit::log::Log;

use crate::config::{self, AccessLogFormat, StatusSet};
use crate::exchange::run::Record;

pub use field::Field;
use field::Value;
use template::Template;

#[cfg(test)]
mod tests;

/// What is known of an exchange besides its record.
#[derive(Clone, Debug, Default)]
pub struct Line<'a> {
    /// When it was over.
    pub time: jiff::Timestamp,
    /// What the exchange was, if a request could be read or a connection was one of bytes.
    pub record: Option<&'a Record<'a>>,
    /// `http` or `https`.
    pub scheme: &'a str,
    /// The host asked for, as it came.
    pub host: &'a [u8],
    /// The path, as it came.
    pub path: &'a [u8],
    /// The query, as it came.
    pub query: Option<&'a [u8]>,
    /// Name of the listener.
    pub listener: &'a str,
    /// Name of the route.
    pub route: Option<&'a str>,
    /// Name of the rule.
    pub rule: Option<&'a str>,
    /// Name of the backend.
    pub backend: Option<&'a str>,
}

/// Makes lines, by one configuration.
#[derive(Debug)]
pub struct AccessLog {
    log: Log,
    form: Form,
    statuses: Vec<StatusSet>,
}

#[derive(Debug)]
enum Form {
    Off,
    Json(Vec<(String, Template)>),
    Template(Template),
}

impl AccessLog {
    /// Lines as configured, to `log`. Templates that are none are left out: they are refused at start.
    #[must_use]
    pub fn new(log: Log, config: &config::AccessLog) -> Self {
        let parse = |text: &str| Template::parse(text).unwrap_or_default();
        let form = match config.format {
            AccessLogFormat::None => Form::Off,
            AccessLogFormat::Template => Form::Template(parse(&config.template)),
            AccessLogFormat::Json => {
                let fields = config.fields.iter();
                let fields = fields.map(|(name, text)| (name.clone(), parse(text)));
                Form::Json(fields.collect())
            }
        };
        let statuses = config.statuses.clone();
        Self {
            log,
            form,
            statuses,
        }
    }

    /// Whether lines are made at all: else nothing has to be remembered for them.
    #[must_use]
    pub fn is_on(&self) -> bool {
        !matches!(self.form, Form::Off)
    }

    /// Makes the line of an exchange, with `space` as memory for it.
    pub fn write(&self, line: &Line<'_>, space: &mut Vec<u8>) {
        let status = line.record.map_or(0, |record| record.status);
        if !self.statuses.is_empty() && !self.statuses.iter().any(|set| set.contains(status)) {
            return;
        }
        space.clear();
        match &self.form {
            Form::Off => return,
            Form::Json(more) => json(line, more, space),
            Form::Template(template) => template.write(line, space),
        }
        space.push(b'\n');
        // What is dropped is counted by the log itself.
        self.log.line(space);
    }
}

fn json(line: &Line<'_>, more: &[(String, Template)], out: &mut Vec<u8>) {
    out.push(b'{');
    let mut first = true;
    let mut key = |out: &mut Vec<u8>, name: &str| {
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        string(name, out);
        out.push(b':');
    };
    for (name, field) in Field::ALL {
        // Writing into memory does not fail.
        let _ = match field.of(line) {
            Value::Absent => continue,
            Value::Text(bytes) => {
                key(out, name);
                string(&String::from_utf8_lossy(&bytes), out);
                Ok(())
            }
            Value::Number(number) => {
                key(out, name);
                write!(out, "{number}")
            }
            Value::Milliseconds(time) => {
                key(out, name);
                milliseconds(time, out);
                Ok(())
            }
            Value::Flag => {
                key(out, name);
                out.write_all(b"true")
            }
        };
    }
    let mut text = Vec::new();
    for (name, template) in more {
        key(out, name);
        text.clear();
        template.write_plain(line, &mut text);
        string(&String::from_utf8_lossy(&text), out);
    }
    out.push(b'}');
}

fn string(text: &str, out: &mut Vec<u8>) {
    // Strings are always JSON, and memory takes them.
    let _ = serde_json::to_writer(out, text);
}

/// Milliseconds with three decimals.
fn milliseconds(time: Duration, out: &mut Vec<u8>) {
    let _ = write!(
        out,
        "{}.{:03}",
        time.as_millis(),
        time.subsec_micros() % 1000
    );
}

fn address(address: Option<SocketAddr>) -> Option<String> {
    address.map(|address| address.ip().to_canonical().to_string())
}
