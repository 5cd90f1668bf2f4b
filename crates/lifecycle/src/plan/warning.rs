//! What will hardly work as meant, and what to write instead.
//!
//! A sane Pod gets no warning: each of these has a test with a Pod that gets it and the nearest Pod that does not.

use std::fmt;

use manifest::core::v1::PodSpec;
use manifest::{Finding, Path};
use serde::Serialize;

use super::start::Start;
use super::{Entry, Field, entries};

mod probes;
mod resources;
mod rules;
pub(crate) mod start;
pub(crate) mod stop;
#[cfg(test)]
mod tests;

/// One warning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// Which one.
    pub code: Code,
    /// The container it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// Where to change something.
    pub field: Field,
    /// What will happen.
    pub message: String,
    /// Why, by the rules of Kubernetes.
    pub why: String,
    /// What to write instead.
    pub instead: String,
}

impl Warning {
    fn new(code: Code, entry: &Entry<'_>, path: Path, message: String) -> Self {
        Self {
            container: Some(entry.name().to_owned()),
            ..Self::of_pod(code, path, message)
        }
    }

    fn of_pod(code: Code, path: Path, message: String) -> Self {
        Self {
            code,
            container: None,
            field: Field::new(path),
            message,
            why: String::new(),
            instead: String::new(),
        }
    }

    fn why(mut self, why: impl Into<String>) -> Self {
        self.why = why.into();
        self
    }

    fn instead(mut self, instead: impl Into<String>) -> Self {
        self.instead = instead.into();
        self
    }

    /// The same as validation says such things.
    #[must_use]
    pub fn finding(&self) -> Finding {
        let path = &self.field.path;
        Finding::at(path, format_args!("{} [{}]", self.message, self.code)).hint(&self.instead)
    }
}

macro_rules! codes {
    ($($variant:ident = $name:literal, $rules:literal, $when:literal, $instead:literal;)*) => {
        /// Names a warning; the names stay the same.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $when] $variant,)*
        }

        impl Code {
            /// All of them, as documented.
            pub const ALL: &'static [Code] = &[$(Self::$variant),*];

            /// As `helper-outlives-job`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// The rules of the lifecycle that it rests on.
            #[must_use]
            pub const fn rules(self) -> &'static str {
                match self { $(Self::$variant => $rules),* }
            }

            const fn row(self) -> [&'static str; 2] {
                match self { $(Self::$variant => [$when, $instead]),* }
            }
        }
    };
}

codes! {
    HelperOutlivesJob = "helper-outlives-job", "R9.3, R9.7",
        "A container that runs for ever stands in `containers` of a Pod that is to complete: it never will",
        "make it a native sidecar: an entry of `initContainers` with `restartPolicy: Always`";
    InitNeverEnds = "init-never-ends", "R1.1, R1.2",
        "An init container runs a server or an endless loop: nothing after it ever starts",
        "add `restartPolicy: Always`, which makes it a sidecar, or let it end";
    SidecarNotAwaited = "sidecar-not-awaited", "R1.3",
        "A sidecar serves something and has no startup probe: what follows starts before it answers",
        "add a `startupProbe`; a readiness probe does not hold others back";
    DeadlineBeforeStart = "deadline-before-start", "R16.1",
        "`activeDeadlineSeconds` ends the Pod before its last container can start",
        "raise it, or shorten the delays";
    HookNeverWorks = "hook-never-works", "R7.1, R7.3",
        "A lifecycle hook is a `tcpSocket`, which always fails; a failed postStart kills the container",
        "use `exec`, `httpGet` or `sleep`";
    LivenessBeforeStartup = "liveness-before-startup", "R5.7, R5.14",
        "A liveness probe can kill a container that has had no time to start",
        "add a `startupProbe`, or raise the liveness probe's `initialDelaySeconds`";
    LivenessAsReadiness = "liveness-as-readiness", "R5.14, R5.15",
        "Liveness and readiness ask the same, and liveness gives up no later: a restart instead of a pause",
        "raise `livenessProbe.failureThreshold` above the readiness probe's, or ask for something else";
    StartupTooShort = "startup-too-short", "R5.14",
        "A startup probe gives up before the container can be expected to be up",
        "raise `failureThreshold` (times `periodSeconds` is the time it has)";
    SamePort = "same-port", "R14.10",
        "Two containers that run at the same time declare the same port; they share one network",
        "let one of them listen elsewhere";
    SigtermIgnored = "sigterm-ignored", "R8.15",
        "The first process is a shell, `sleep` or `tail` without a handler for SIGTERM, or a shell whose `trap` waits for a program in the foreground: each stop takes the whole grace",
        "`exec` the program, or begin the script with a `trap` and `wait` for the program";
    PreStopOverGrace = "prestop-over-grace", "R8.3, R8.4",
        "A preStop hook takes all of the grace: 2 s are left between SIGTERM and SIGKILL",
        "raise `terminationGracePeriodSeconds`, or shorten the hook";
    PostStartOverGrace = "poststart-over-grace", "R7.4",
        "A postStart hook takes longer than the grace, and a deletion waits for it first",
        "do the work in the container's own program or in an init container";
    StopsOverGrace = "stops-over-grace", "R8.6, R8.8",
        "Apps and sidecars stop one after the other, and together take longer than the grace",
        "raise `terminationGracePeriodSeconds`";
    SidecarWithoutLimits = "sidecar-without-limits", "R13.3, R13.8",
        "All apps have limits and a sidecar has none: the Pod is unbounded and no longer Guaranteed",
        "give it limits (and equal requests, for Guaranteed)";
    RuleNeverMatches = "rule-never-matches", "R20.1, R20.2",
        "A restart rule can never match: earlier ones took its exit codes, or it has none",
        "remove it, or put it first";
    RuleChangesNothing = "rule-changes-nothing", "R20.1",
        "A restart rule asks for what `restartPolicy: Always` does anyway",
        "give the container `restartPolicy: Never` or `OnFailure`, or remove the rule";
    RestartsWithoutPause = "restarts-without-pause", "R20.12",
        "`RestartAllContainers` for every failure: such restarts know no back-off",
        "name the exit codes that call for it";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// The table of all warnings, in Markdown.
#[must_use]
pub fn catalogue() -> String {
    let mut table =
        "| warning | when, and what happens | instead | rules |\n| --- | --- | --- | --- |\n"
            .to_owned();
    for code in Code::ALL {
        let [when, instead] = code.row();
        table.push_str(&format!(
            "| `{code}` | {when} | {instead} | {} |\n",
            code.rules()
        ));
    }
    table
}

/// All warnings of a Pod, in the order of its containers.
pub(super) fn warnings(spec: &PodSpec, starts: &[Start]) -> Vec<Warning> {
    let mut found = Vec::new();
    start::warn(spec, starts, &mut found);
    probes::warn(spec, &mut found);
    stop::warn(spec, &mut found);
    resources::warn(spec, &mut found);
    rules::warn(spec, &mut found);
    let place = |warning: &Warning| {
        let position =
            entries(spec).position(|entry| Some(entry.name()) == warning.container.as_deref());
        (position.unwrap_or(usize::MAX), warning.code)
    };
    found.sort_by_key(place);
    found
}
