//! Whether an assertion holds.

use lifecycle::Time;
use manifest::core::v1::{ContainerState, ContainerStateTerminated, ContainerStatus, PodStatus};
use manifest::resources::{effective_limits, effective_requests, qos_class};
use regex::Regex;
use serde_json::{Value, json};

use super::assertion::{
    Assertion, Check, Events, Field, LogCheck, PerContainer, Selector, Subject,
};
use super::compare::Compare;

type Verdict = Result<(), String>;

impl Assertion {
    /// Whether it holds; otherwise what is the case instead.
    pub(crate) fn judge(&self, subject: &dyn Subject) -> Verdict {
        self.check
            .judge(subject)
            .map_err(|why| format!("line {}: {why}", self.line))
    }
}

impl Check {
    fn judge(&self, subject: &dyn Subject) -> Verdict {
        match self {
            Check::Before(selectors) => before(&subject.events(), selectors),
            Check::Overlap(one, other) => overlap(&subject.events(), one, other),
            Check::Never(selectors) => {
                let events = subject.events();
                let came = selectors.iter().find(|s| events.find(s).is_some());
                came.map_or(Ok(()), |selector| Err(format!("{selector} occurred")))
            }
            Check::NeverStarted(actors) => {
                let events = subject.events();
                let started = actors
                    .iter()
                    .find(|actor| !events.all(&format!("{actor}.started")).is_empty());
                started.map_or(Ok(()), |actor| Err(format!("{actor} started")))
            }
            Check::Count(counts) => {
                let events = subject.events();
                counts.iter().try_for_each(|(selector, expected)| {
                    let found = json!(events.all(&selector.event).len());
                    compare(&format!("count of {selector}"), expected, &found)
                })
            }
            Check::Gap {
                from,
                to,
                min_s,
                max_s,
            } => gap(&subject.events(), from, to, *min_s, *max_s),
            Check::Together { events, within_s } => together(&subject.events(), events, *within_s),
            Check::Phase(expected) => {
                let phase = subject.status().phase.unwrap_or_default();
                compare("phase", expected, &json!(phase.as_str()))
            }
            Check::Reason(expected) => compare(
                "reason",
                expected,
                &json!(subject.status().reason.unwrap_or_default()),
            ),
            Check::Message(expected) => {
                let message = subject.status().message.unwrap_or_default();
                compare("message", expected, &json!(message))
            }
            Check::Container(field, expected) => containers(*field, expected, &subject.status()),
            Check::HasLastState(names) => {
                let status = subject.status();
                names.iter().try_for_each(|name| {
                    let container = container(&status, name)?;
                    match last(container) {
                        Some(_) => Ok(()),
                        None => Err(format!("{name} has no lastState.terminated")),
                    }
                })
            }
            Check::Condition {
                kind,
                status,
                reason,
                message,
            } => {
                let all = subject.status().conditions;
                let Some(found) = all.into_iter().find(|c| c.type_ == *kind) else {
                    return Err(format!("no condition {kind}"));
                };
                let text = |text: Option<String>| json!(text.unwrap_or_default());
                optional(
                    "status",
                    kind,
                    status.as_ref(),
                    &json!(found.status.to_string()),
                )?;
                optional("reason", kind, reason.as_ref(), &text(found.reason))?;
                optional("message", kind, message.as_ref(), &text(found.message))
            }
            Check::Column {
                status,
                ready,
                restarts,
                restarts_matches,
            } => {
                let columns = subject.columns();
                let of = "column";
                optional("STATUS", of, status.as_ref(), &json!(columns.status))?;
                optional("READY", of, ready.as_ref(), &json!(columns.ready))?;
                optional("RESTARTS", of, restarts.as_ref(), &json!(columns.restarts))?;
                match restarts_matches {
                    Some(regex) => matches("column RESTARTS", regex, &columns.restarts),
                    None => Ok(()),
                }
            }
            Check::K8sEvent {
                reason,
                contains,
                container,
            } => {
                let all = subject.pod_events();
                let found = all.iter().any(|event| {
                    reason.fits(&json!(event.reason))
                        && contains
                            .as_ref()
                            .is_none_or(|text| event.message.contains(text))
                        && (container.is_none() || event.container == *container)
                });
                if found {
                    return Ok(());
                }
                let same = all.iter().filter(|event| reason.fits(&json!(event.reason)));
                let same: Vec<&str> = same.map(|event| event.message.as_str()).collect();
                Err(format!(
                    "no such event {reason}; of that reason there are {same:?}"
                ))
            }
            Check::Logs(all) => {
                all.iter()
                    .try_for_each(|(name, expected)| match subject.log(name) {
                        Some(log) => judge_log(name, expected, &log),
                        None => Err(format!("{name} has no log")),
                    })
            }
            Check::File {
                path,
                matches: regex,
            } => {
                let text = file(subject, path)?;
                if text.is_empty() {
                    return Err(format!("{path} is empty"));
                }
                text.lines().try_for_each(|line| matches(path, regex, line))
            }
            Check::FileSame(one, other) => {
                let (a, b) = (file(subject, one)?, file(subject, other)?);
                let same = a == b;
                same.then_some(())
                    .ok_or(format!("{one} holds {a:?}, {other} {b:?}"))
            }
            Check::FileFormula { path, formula } => {
                let text = file(subject, path)?;
                let expected = super::formula::formula(formula, subject.node_memory()?)?;
                let found = text.trim().parse::<i64>().ok();
                let equal = found == Some(expected);
                equal
                    .then_some(())
                    .ok_or(format!("{path} holds {text:?}, expected {expected}"))
            }
            Check::Any(assertions) => {
                let mut failures = Vec::new();
                for assertion in assertions {
                    match assertion.judge(subject) {
                        Ok(()) => return Ok(()),
                        Err(why) => failures.push(why),
                    }
                }
                Err(format!("none of these holds: {}", failures.join("; ")))
            }
            Check::Rejected { .. } => Err("the Pod was accepted".to_owned()),
            Check::Accepted(expected) => {
                let message = "the Pod was accepted".to_owned();
                if *expected { Ok(()) } else { Err(message) }
            }
            Check::Computed {
                requests,
                limits,
                qos,
            } => {
                let spec = &subject.pod().spec;
                for (what, expected, found) in [
                    ("request", requests, effective_requests(spec)),
                    ("limit", limits, effective_limits(spec)),
                ] {
                    for (resource, quantity) in expected {
                        let found = found.get(resource.as_str()).copied();
                        if found.is_none_or(|found| found != *quantity) {
                            let found = found.map_or("none".to_owned(), |q| q.to_string());
                            return Err(format!(
                                "{what} of {resource}: {found}, expected {quantity}"
                            ));
                        }
                    }
                }
                let found = qos_class(spec).to_string();
                match qos {
                    Some(expected) if *expected != found => {
                        Err(format!("QoS class {found}, expected {expected}"))
                    }
                    _ => Ok(()),
                }
            }
            Check::SpecCommand(commands) => commands.iter().try_for_each(|(name, expected)| {
                let found = subject.arguments(name)?;
                let same = found == *expected;
                same.then_some(()).ok_or(format!(
                    "command line of {name}: {found:?}, expected {expected:?}"
                ))
            }),
            Check::SamePodIp(expected) => {
                let kept = subject.kept_ip();
                let fits = kept == *expected;
                fits.then_some(())
                    .ok_or(format!("address and UID stayed the same: {kept}"))
            }
        }
    }
}

fn file(subject: &dyn Subject, path: &str) -> Result<String, String> {
    subject
        .file(path)
        .ok_or_else(|| format!("there is no file {path}"))
}

fn compare(what: &str, expected: &Compare, found: &Value) -> Verdict {
    if expected.fits(found) {
        return Ok(());
    }
    Err(format!("{what}: {found}, expected {expected}"))
}

fn optional(what: &str, of: &str, expected: Option<&Compare>, found: &Value) -> Verdict {
    match expected {
        Some(expected) => compare(&format!("{of} {what}"), expected, found),
        None => Ok(()),
    }
}

fn matches(what: &str, regex: &Regex, text: &str) -> Verdict {
    if regex.is_match(text) {
        return Ok(());
    }
    Err(format!("{what}: {text:?} does not match {regex}"))
}

fn needed(events: &Events, selector: &Selector) -> Result<f64, String> {
    events
        .find(selector)
        .ok_or_else(|| format!("{selector} did not occur"))
}

fn before(events: &Events, selectors: &[Selector]) -> Verdict {
    for selector in selectors {
        needed(events, selector)?;
    }
    for pair in selectors.windows(2) {
        let (first, second) = (needed(events, &pair[0])?, needed(events, &pair[1])?);
        let plain = !pair[0].is_virtual() && !pair[1].is_virtual();
        if first > second || first == second && !plain {
            return Err(format!(
                "{} at {first:.2} is not before {} at {second:.2}",
                pair[0], pair[1]
            ));
        }
    }
    Ok(())
}

fn overlap(events: &Events, one: &str, other: &str) -> Verdict {
    let run = |actor: &str| {
        let started = events.all(&format!("{actor}.started")).first().copied();
        let exiting = events.all(&format!("{actor}.exiting")).first().copied();
        match started {
            Some(started) => Ok((started, exiting.unwrap_or(f64::INFINITY))),
            None => Err(format!("{actor} did not start")),
        }
    };
    let (a, b) = (run(one)?, run(other)?);
    if a.0 < b.1 && b.0 < a.1 {
        return Ok(());
    }
    Err(format!(
        "{one} ({:.2} to {:.2}) and {other} ({:.2} to {:.2}) do not overlap",
        a.0, a.1, b.0, b.1
    ))
}

fn gap(
    events: &Events,
    from: &Selector,
    to: &Selector,
    min_s: Option<f64>,
    max_s: Option<f64>,
) -> Verdict {
    let gap = needed(events, to)? - needed(events, from)?;
    // Marks and the log have hundredths of a second.
    let fits =
        min_s.is_none_or(|min| gap >= min - 1e-6) && max_s.is_none_or(|max| gap <= max + 1e-6);
    if fits {
        return Ok(());
    }
    let bound = |bound: Option<f64>| bound.map_or("..".to_owned(), |b| b.to_string());
    Err(format!(
        "from {from} to {to} it took {gap:.2} s, expected {} to {}",
        bound(min_s),
        bound(max_s)
    ))
}

fn together(events: &Events, selectors: &[Selector], within_s: f64) -> Verdict {
    let times: Result<Vec<f64>, String> = selectors.iter().map(|s| needed(events, s)).collect();
    let times = times?;
    let first = times.iter().copied().fold(f64::INFINITY, f64::min);
    let last = times.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if last - first <= within_s + 1e-6 {
        return Ok(());
    }
    Err(format!(
        "the events lie {:.2} s apart, expected {within_s}",
        last - first
    ))
}

fn container<'a>(status: &'a PodStatus, name: &str) -> Result<&'a ContainerStatus, String> {
    let mut all = status
        .init_container_statuses
        .iter()
        .chain(&status.container_statuses);
    all.find(|container| container.name == name)
        .ok_or_else(|| format!("{name} has no status"))
}

fn terminated(state: Option<&ContainerState>) -> Option<&ContainerStateTerminated> {
    state?.terminated.as_ref()
}

fn current(container: &ContainerStatus) -> Option<&ContainerStateTerminated> {
    terminated(container.state.as_ref())
}

fn last(container: &ContainerStatus) -> Option<&ContainerStateTerminated> {
    terminated(container.last_state.as_ref())
}

fn newest(container: &ContainerStatus) -> Option<&ContainerStateTerminated> {
    current(container).or_else(|| last(container))
}

/// `state_message_contains` and `termination_message_matches` are no comparisons.
fn containers(field: Field, expected: &PerContainer, status: &PodStatus) -> Verdict {
    expected.iter().try_for_each(|(name, expected)| {
        let container = container(status, name)?;
        let found = value(field, container);
        let what = format!("{field:?} of {name}");
        let found_text = || found.as_str().unwrap_or_default().to_owned();
        match (field, expected) {
            (Field::StateMessageContains, Compare::Equal(Value::String(part))) => {
                let contained = found_text().contains(part);
                contained
                    .then_some(())
                    .ok_or(format!("{what}: {found}, expected to contain {part:?}"))
            }
            (Field::TerminationMessageMatches, Compare::Equal(Value::String(pattern))) => {
                let regex = Regex::new(pattern).map_err(|error| error.to_string())?;
                matches(&what, &regex, &found_text())
            }
            _ => compare(&what, expected, &found),
        }
    })
}

fn value(field: Field, container: &ContainerStatus) -> Value {
    let state = container.state.as_ref();
    let waiting = state.and_then(|state| state.waiting.as_ref());
    let code = |end: Option<&ContainerStateTerminated>| json!(end.map(|end| end.exit_code));
    let reason = |end: Option<&ContainerStateTerminated>| {
        json!(end.and_then(|end| end.reason.clone()).unwrap_or_default())
    };
    let message = || {
        newest(container)
            .and_then(|end| end.message.clone())
            .unwrap_or_default()
    };
    match field {
        Field::Restarts => json!(container.restart_count),
        Field::State => json!(match state {
            Some(state) if state.running.is_some() => "running",
            Some(state) if state.terminated.is_some() => "terminated",
            _ => "waiting",
        }),
        Field::StateReason => {
            let waits = waiting.and_then(|waiting| waiting.reason.clone());
            waits.map_or_else(|| reason(current(container)), |waits| json!(waits))
        }
        Field::StateMessageContains => {
            let waits = waiting.and_then(|waiting| waiting.message.clone());
            let ended = current(container).and_then(|end| end.message.clone());
            json!(waits.or(ended).unwrap_or_default())
        }
        Field::Exit => code(newest(container)),
        Field::LastExit => code(last(container)),
        Field::LastReason => reason(last(container)),
        Field::LastStateReason => reason(newest(container)),
        Field::Ready => json!(container.ready),
        Field::Started => json!(container.started == Some(true)),
        Field::TerminationMessage | Field::TerminationMessageMatches => json!(message()),
        Field::TerminationMessageLength => json!(message().len()),
    }
}

fn judge_log(name: &str, expected: &LogCheck, log: &str) -> Verdict {
    let what = format!("log of {name}");
    if let Some(lines) = &expected.lines {
        let found: Vec<&str> = log.lines().collect();
        if found != *lines {
            return Err(format!("{what}: lines {found:?}, expected {lines:?}"));
        }
    }
    if let Some(missing) = expected.contains.iter().find(|text| !log.contains(*text)) {
        return Err(format!("{what}: {log:?} does not contain {missing:?}"));
    }
    let all = expected.matches.iter();
    all.into_iter()
        .try_for_each(|regex| matches(&what, regex, log))
}

/// A time as the clock of the scripts shows it, in seconds.
pub(crate) fn seconds(time: Time) -> f64 {
    (time.0 / 10) as f64 / 100.0
}
