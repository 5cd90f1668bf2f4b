//! Assertions, and what they are made about.

use std::collections::BTreeMap;

use lifecycle::PodEvent;
use lifecycle::columns::Columns;
use manifest::core::v1::{Pod, PodStatus};
use regex::Regex;

use super::compare::Compare;

/// An assertion and the line it stands on.
#[derive(Clone, Debug)]
pub(crate) struct Assertion {
    pub(crate) line: usize,
    pub(crate) check: Check,
}

/// An occurrence of an event: `app.started#2`, `@delete`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Selector {
    /// `actor.event`, or `@mark`.
    pub(crate) event: String,
    pub(crate) which: Which,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// From 1.
    Number(usize),
    Last,
}

impl Selector {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (event, which) = match text.split_once('#') {
            None => (text, Which::Number(1)),
            Some((event, "last")) => (event, Which::Last),
            Some((event, number)) => {
                let number = number.parse().ok().filter(|n| *n > 0)?;
                (event, Which::Number(number))
            }
        };
        let known = event.starts_with('@') && event.len() > 1 || event.contains('.');
        known.then(|| Self {
            event: event.to_owned(),
            which,
        })
    }

    /// Whether the harness records it, rather than a container.
    pub(crate) fn is_virtual(&self) -> bool {
        self.event.starts_with('@')
    }
}

impl std::fmt::Display for Selector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.event)?;
        match self.which {
            Which::Number(1) => Ok(()),
            Which::Number(number) => write!(f, "#{number}"),
            Which::Last => f.write_str("#last"),
        }
    }
}

/// What is said of containers, by name.
pub(crate) type PerContainer = Vec<(String, Compare)>;

/// What is asserted; see the README of the scenarios.
#[derive(Clone, Debug)]
pub(crate) enum Check {
    Before(Vec<Selector>),
    Overlap(String, String),
    Never(Vec<Selector>),
    NeverStarted(Vec<String>),
    Count(Vec<(Selector, Compare)>),
    Gap {
        from: Selector,
        to: Selector,
        min_s: Option<f64>,
        max_s: Option<f64>,
    },
    Together {
        events: Vec<Selector>,
        within_s: f64,
    },
    Phase(Compare),
    Reason(Compare),
    Message(Compare),
    Container(Field, PerContainer),
    HasLastState(Vec<String>),
    Condition {
        kind: String,
        status: Option<Compare>,
        reason: Option<Compare>,
        message: Option<Compare>,
    },
    Column {
        status: Option<Compare>,
        ready: Option<Compare>,
        restarts: Option<Compare>,
        restarts_matches: Option<Regex>,
    },
    K8sEvent {
        reason: Compare,
        contains: Option<String>,
        container: Option<String>,
    },
    Logs(Vec<(String, LogCheck)>),
    File {
        path: String,
        matches: Regex,
    },
    FileSame(String, String),
    FileFormula {
        path: String,
        formula: String,
    },
    Any(Vec<Assertion>),
    Rejected {
        field: String,
        contains: Option<String>,
    },
    Accepted(bool),
    Computed {
        requests: BTreeMap<String, manifest::Quantity>,
        limits: BTreeMap<String, manifest::Quantity>,
        qos: Option<String>,
    },
    SpecCommand(Vec<(String, Vec<String>)>),
    SamePodIp(bool),
}

/// What of a container's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Restarts,
    State,
    StateReason,
    StateMessageContains,
    Exit,
    LastExit,
    LastReason,
    LastStateReason,
    Ready,
    Started,
    TerminationMessage,
    TerminationMessageLength,
    TerminationMessageMatches,
}

/// What is said of a log.
#[derive(Clone, Debug, Default)]
pub(crate) struct LogCheck {
    pub(crate) lines: Option<Vec<String>>,
    pub(crate) contains: Vec<String>,
    pub(crate) matches: Vec<Regex>,
}

/// Events of the log of a scenario and marks of its harness, in seconds of one clock.
#[derive(Clone, Debug, Default)]
pub(crate) struct Events {
    /// By actor and event, in the order of the log.
    times: BTreeMap<String, Vec<f64>>,
}

impl Events {
    /// Reads the log: `<seconds> <actor> <event>` a line. What is none is left out: a line may be half written.
    pub(crate) fn parse(log: &str) -> Self {
        let mut events = Self::default();
        for line in log.lines() {
            let mut words = line.split_whitespace();
            let seconds = words.next().and_then(|word| word.parse::<f64>().ok());
            if let (Some(seconds), Some(actor), Some(event)) = (seconds, words.next(), words.next())
            {
                events.push(&format!("{actor}.{event}"), seconds);
            }
        }
        events
    }

    pub(crate) fn push(&mut self, event: &str, seconds: f64) {
        self.times
            .entry(event.to_owned())
            .or_default()
            .push(seconds);
    }

    /// The same with others.
    pub(crate) fn with(&self, others: &Events) -> Self {
        let mut all = self.clone();
        all.times.extend(others.times.clone());
        all
    }

    pub(crate) fn all(&self, event: &str) -> &[f64] {
        self.times.get(event).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn find(&self, selector: &Selector) -> Option<f64> {
        let all = self.all(&selector.event);
        match selector.which {
            Which::Number(number) => all.get(number - 1).copied(),
            Which::Last => all.last().copied(),
        }
    }
}

/// What a scenario's assertions are made about.
pub(crate) trait Subject {
    /// What happened, marks included.
    fn events(&self) -> Events;
    /// The last status that was seen.
    fn status(&self) -> PodStatus;
    /// The Pod with its defaults.
    fn pod(&self) -> &Pod;
    /// What `kubectl get pod` prints.
    fn columns(&self) -> Columns;
    /// Events of the Pod.
    fn pod_events(&self) -> Vec<PodEvent>;
    /// Standard output of a container's newest run.
    fn log(&self, container: &str) -> Option<String>;
    /// A file of the events directory.
    fn file(&self, path: &str) -> Option<String>;
    /// The command line that the runtime was handed.
    fn arguments(&self, container: &str) -> Result<Vec<String>, String>;
    /// Whether address and UID stayed the same.
    fn kept_ip(&self) -> bool;
    /// Memory of the machine in bytes.
    fn node_memory(&self) -> Result<u64, String>;
}
