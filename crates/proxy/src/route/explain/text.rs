//! An explanation for people.

use std::fmt;

use super::{Explanation, Outcome};

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.request)?;
        if let Some(path) = &self.compared_path {
            writeln!(f, "  path compared as {path}")?;
        }
        let taken = self.rules.iter().find(|rule| rule.taken);
        if let Some(listener) = self.listeners.iter().find(|listener| listener.taken) {
            let (name, address) = (&listener.name, &listener.address);
            writeln!(f, "  listener {name} ({address}): {}", listener.reason)?;
        }
        if let Some(rule) = taken {
            let reasons = rule.reasons.join("; ");
            writeln!(f, "  route {}, rule {}: {reasons}", rule.route, rule.rule)?;
        }
        match &self.outcome {
            Outcome::Backend {
                name,
                address,
                edits,
            } => {
                writeln!(f, "  to backend {name} at {address}")?;
                list(f, edits)?;
            }
            Outcome::Files { root, path, edits } => {
                writeln!(f, "  to files below {root}, for {path}")?;
                list(f, edits)?;
            }
            Outcome::Redirect { status, location } => {
                writeln!(f, "  answered {status} with Location {location}")?;
            }
            Outcome::Refused {
                status,
                reason,
                detail,
            } => writeln!(f, "  answered {status} ({reason}): {detail}")?,
        }
        let others: Vec<String> = self
            .listeners
            .iter()
            .filter(|listener| !listener.taken)
            .map(|listener| {
                format!(
                    "listener {} ({}): {}",
                    listener.name, listener.address, listener.reason
                )
            })
            .chain(self.rules.iter().filter(|rule| !rule.taken).map(|rule| {
                format!(
                    "route {}, rule {}: {}",
                    rule.route,
                    rule.rule,
                    rule.reasons.join("; ")
                )
            }))
            .collect();
        if !others.is_empty() {
            writeln!(f, "not taken")?;
            for other in others {
                writeln!(f, "  {other}")?;
            }
        }
        Ok(())
    }
}

fn list(f: &mut fmt::Formatter<'_>, edits: &[String]) -> fmt::Result {
    edits.iter().try_for_each(|edit| writeln!(f, "    {edit}"))
}
