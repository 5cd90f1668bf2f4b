//! `CONTAINER=exit:1@5s` and the like: what somebody wants to suppose.

use std::fmt;
use std::time::Duration;

use manifest::core::v1::PodSpec;

use crate::plan::entries;
use crate::protocol::ProbeKind;

/// One thing to be supposed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Supposition {
    /// The Pod is deleted so long after its beginning.
    Delete(Duration),
    /// A container does something.
    Container {
        /// Its name.
        container: String,
        /// What it does.
        behaviour: Behaviour,
    },
}

/// What a container is supposed to do. The first three and `Run` each say how one run ends: of several for one container
/// each stands for one run, the last for all that follow. The others hold for all runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// It ends by itself, so long after its start.
    Exit(i32, Duration),
    /// The kernel kills it for want of memory.
    Oom(Duration),
    /// From then on it does nothing: probes get no answer, SIGTERM is ignored.
    Hang(Duration),
    /// It runs until it is stopped.
    Run,
    /// From then on its probes, or one of them, fail.
    ProbeFail(Option<ProbeKind>, Duration),
    /// Its probes succeed only so long after its start.
    SlowStart(Duration),
    /// SIGTERM is ignored.
    IgnoreTerm,
    /// It takes so long from SIGTERM to its end.
    SlowStop(Duration),
    /// Its image cannot be had.
    NoImage,
}

/// Why something cannot be supposed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuppositionError(String);

impl fmt::Display for SuppositionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SuppositionError {}

/// When a process ends where nobody says when.
const SOON: Duration = Duration::from_secs(1);

/// What can be written, for messages and help.
const ALLOWED: &str = "\
exit:CODE[@T], oom[@T], hang[@T], run, probe-fail[:startup|:liveness|:readiness][@T], slow-start:T, ignore-term, \
slow-stop:T, no-image";

/// Reads one supposition.
///
/// # Errors
/// When it is none; the message says what can be written.
pub fn parse(text: &str) -> Result<Supposition, SuppositionError> {
    let wrong = |what: String| {
        SuppositionError(format!(
            "{what}; write CONTAINER=BEHAVIOUR with one of {ALLOWED}, or delete@T for the Pod"
        ))
    };
    let Some((container, behaviour)) = text.split_once('=') else {
        return match text.split_once('@') {
            Some(("delete", at)) => Ok(Supposition::Delete(time(at).map_err(wrong)?)),
            None if text == "delete" => Err(wrong("delete needs a time, as delete@20s".to_owned())),
            _ => Err(wrong(format!("{text:?} names no container"))),
        };
    };
    let (what, at) = match behaviour.split_once('@') {
        Some((what, at)) => (what, Some(time(at).map_err(wrong)?)),
        None => (behaviour, None),
    };
    let (word, argument) = match what.split_once(':') {
        Some((word, argument)) => (word, Some(argument)),
        None => (what, None),
    };
    let needs_time = |argument: Option<&str>| {
        let argument =
            argument.ok_or_else(|| wrong(format!("{word} needs a time, as {word}:30s")))?;
        time(argument).map_err(wrong)
    };
    let behaviour = match (word, argument, at) {
        ("exit", Some(code), at) => {
            let code: u8 = code
                .parse()
                .map_err(|_| wrong(format!("{code:?} is no exit code (0 to 255)")))?;
            Behaviour::Exit(i32::from(code), at.unwrap_or(SOON))
        }
        ("exit", None, _) => return Err(wrong("exit needs a code, as exit:1@5s".to_owned())),
        ("oom", None, at) => Behaviour::Oom(at.unwrap_or(SOON)),
        ("hang", None, at) => Behaviour::Hang(at.unwrap_or_default()),
        ("run", None, None) => Behaviour::Run,
        ("probe-fail", kind, at) => {
            let kind = match kind {
                None => None,
                Some("startup") => Some(ProbeKind::Startup),
                Some("liveness") => Some(ProbeKind::Liveness),
                Some("readiness") => Some(ProbeKind::Readiness),
                Some(other) => return Err(wrong(format!("there is no {other:?} probe"))),
            };
            Behaviour::ProbeFail(kind, at.unwrap_or_default())
        }
        ("slow-start" | "ready-after", argument, None) => {
            Behaviour::SlowStart(needs_time(argument)?)
        }
        ("slow-stop", argument, None) => Behaviour::SlowStop(needs_time(argument)?),
        ("ignore-term", None, None) => Behaviour::IgnoreTerm,
        ("no-image", None, None) => Behaviour::NoImage,
        _ => return Err(wrong(format!("{behaviour:?} cannot be supposed"))),
    };
    Ok(Supposition::Container {
        container: container.to_owned(),
        behaviour,
    })
}

/// A time as people write it; seconds without unit.
fn time(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no time (write it as 30s, 500ms or 2m)");
    if let Ok(seconds) = text.parse::<u32>() {
        return Ok(Duration::from_secs(seconds.into()));
    }
    let signed: jiff::SignedDuration = text.parse().map_err(|_| wrong())?;
    Duration::try_from(signed).map_err(|_| wrong())
}

/// Two suppositions that cannot both be true, by their places, and why.
#[must_use]
pub fn contradiction(all: &[Supposition]) -> Option<(usize, usize, &'static str)> {
    for (second, other) in all.iter().enumerate() {
        for (first, one) in all[..second].iter().enumerate() {
            if let Some(why) = excludes(one, other) {
                return Some((first, second, why));
            }
        }
    }
    None
}

fn excludes(one: &Supposition, other: &Supposition) -> Option<&'static str> {
    use Behaviour::{IgnoreTerm, NoImage, ProbeFail, SlowStart, SlowStop};
    let (one, other) = match (one, other) {
        (Supposition::Delete(_), Supposition::Delete(_)) => {
            return Some("a Pod is deleted once");
        }
        (
            Supposition::Container {
                container,
                behaviour: one,
            },
            Supposition::Container {
                container: same,
                behaviour: other,
            },
        ) if container == same => (one, other),
        _ => return None,
    };
    match (one, other) {
        (NoImage, NoImage) => None,
        (NoImage, _) | (_, NoImage) => {
            Some("a container without image never starts, so nothing else can happen to it")
        }
        (IgnoreTerm, SlowStop(_)) | (SlowStop(_), IgnoreTerm) => {
            Some("a container that ignores SIGTERM does not end after it")
        }
        (SlowStop(one), SlowStop(other)) | (SlowStart(one), SlowStart(other)) if one != other => {
            Some("it holds for all runs, so there can be one such time")
        }
        (ProbeFail(one, at), ProbeFail(other, then))
            if at != then && (one == other || one.is_none() || other.is_none()) =>
        {
            Some("the same probe begins to fail once")
        }
        _ => None,
    }
}

/// Whether a Pod has what is supposed of it.
///
/// # Errors
/// When it has no such container or probe.
pub fn check(spec: &PodSpec, supposition: &Supposition) -> Result<(), SuppositionError> {
    let Supposition::Container {
        container,
        behaviour,
    } = supposition
    else {
        return Ok(());
    };
    let Some(entry) = entries(spec).find(|entry| entry.name() == container) else {
        let names: Vec<&str> = entries(spec)
            .map(|entry| entry.container.name.as_str())
            .collect();
        let near = manifest::nearest(container, names.iter().copied());
        let hint = near
            .map(|near| format!("; did you mean {near}?"))
            .unwrap_or_default();
        return Err(SuppositionError(format!(
            "there is no container {container:?}, only {}{hint}",
            crate::plan::list(&names)
        )));
    };
    let kinds = match behaviour {
        Behaviour::ProbeFail(Some(kind), _) => vec![*kind],
        Behaviour::ProbeFail(None, _) | Behaviour::SlowStart(_) => ProbeKind::ALL.to_vec(),
        _ => return Ok(()),
    };
    let has = |kind: &ProbeKind| crate::container::probe_of(entry.container, *kind).is_some();
    if kinds.iter().any(has) {
        return Ok(());
    }
    let what = match behaviour {
        Behaviour::ProbeFail(Some(kind), _) => format!("{} probe", kind.to_string().to_lowercase()),
        _ => "probe".to_owned(),
    };
    Err(SuppositionError(format!(
        "container {container} has no {what}, so nothing would be different"
    )))
}
