//! Scenario files: what they say, and where.

mod assertion;
mod compare;
mod decode;
mod formula;
mod judge;

#[cfg(test)]
pub(crate) use assertion::Selector;
pub(crate) use assertion::{Assertion, Check, Events, Subject};
pub(crate) use compare::Compare;
#[cfg(test)]
pub(crate) use compare::Operator;
pub(crate) use decode::load;
pub(crate) use judge::seconds;

use std::path::PathBuf;

use serde_json::Value;

/// A scenario.
#[derive(Clone, Debug)]
pub struct Case {
    /// Unique among the scenarios.
    pub name: String,
    /// The file it stands in.
    pub file: PathBuf,
    /// Whether back-off makes it slow in real time.
    pub slow: bool,
    pub(crate) objects: Vec<Value>,
    pub(crate) steps: Vec<Step>,
    pub(crate) expect: Vec<Assertion>,
    pub(crate) pod: Value,
}

/// What the harness does after creating the Pod.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Poll until all hold.
    Wait {
        until: Vec<Until>,
        within_s: f64,
        line: usize,
    },
    /// All hold now.
    Check(Vec<Assertion>),
    /// All hold for so long.
    Hold {
        what: Vec<Assertion>,
        for_s: f64,
    },
    Sleep(f64),
    Delete {
        grace_s: Option<i64>,
        wait: bool,
    },
    Touch(String),
    Apply(Value),
    Mark(String),
    RestartRunner {
        kill_sandbox: bool,
    },
    SetImage {
        container: String,
        image: String,
    },
}

/// What a wait waits for.
#[derive(Clone, Debug)]
pub(crate) enum Until {
    Holds(Box<Assertion>),
    Event(assertion::Selector),
    Terminal,
    Gone,
}

impl Case {
    /// Whether it is about what only cgroup v2 does: it reads files that are named as those of v2, or one process without
    /// memory is the end of all of its container (`memory.oom.group`, R13.9).
    pub(crate) fn needs_cgroup_v2(&self) -> bool {
        let oom = Compare::Equal("OOMKilled".into());
        let dies = |assertion: &Assertion| match &assertion.check {
            Check::Container(_, expected) => expected.iter().any(|(_, value)| *value == oom),
            _ => false,
        };
        let reads = self.pod.to_string().contains("/sys/fs/cgroup/");
        reads || self.expect.iter().any(dies)
    }

    /// Whether it only asks if the Pod is valid and what is computed for it: that need not run then.
    pub(crate) fn runs_nothing(&self) -> bool {
        let pure = |assertion: &Assertion| {
            matches!(assertion.check, Check::Computed { .. } | Check::Accepted(_))
        };
        !self.expect.is_empty() && self.expect.iter().all(pure)
    }
}
