//! That a wrong expectation fails: every assertion of every scenario is turned into wrong ones.

use std::path::Path;

use serde_json::{Value, json};

use super::*;
use crate::case::{Assertion, Check, Compare, Operator, Selector};

fn public() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/lifecycle-cases");
    crate::load(&[folder]).expect("the scenarios can be read")
}

/// What a value that fits does not fit.
fn opposite(compare: &Compare) -> Compare {
    use Operator::{Above, AtLeast, AtMost, Below, Equal, Unequal};
    match compare {
        Compare::OneOf(_) => Compare::OneOf(Vec::new()),
        Compare::Number(operator, number) => {
            let operator = match operator {
                AtLeast => Below,
                Below => AtLeast,
                AtMost => Above,
                Above => AtMost,
                Equal => Unequal,
                Unequal => Equal,
            };
            Compare::Number(operator, *number)
        }
        Compare::Equal(Value::Bool(value)) => Compare::Equal(json!(!value)),
        Compare::Equal(Value::Number(number)) => {
            Compare::Equal(json!(number.as_f64().unwrap_or_default() + 1.0))
        }
        Compare::Equal(value) => Compare::Equal(json!(format!("{value} not"))),
    }
}

/// Wrong versions of an assertion that holds; `started` is an actor that did start.
fn wrong(check: &Check, started: Option<&str>) -> Vec<Check> {
    let selector = |text: &str| Selector::parse(text).expect("a selector");
    let regex = |text: &str| regex::Regex::new(text).expect("a regular expression");
    let nobody = || "nobody".to_owned();
    match check.clone() {
        Check::Before(mut selectors) => {
            let mut longer = selectors.clone();
            longer.push(selector("nobody.started"));
            selectors.insert(0, selector("nobody.started"));
            vec![Check::Before(longer), Check::Before(selectors)]
        }
        Check::Overlap(one, other) => {
            vec![
                Check::Overlap(nobody(), other),
                Check::Overlap(one, nobody()),
            ]
        }
        Check::Never(_) => vec![Check::Never(vec![selector("@create")])],
        Check::NeverStarted(_) => {
            let started = started.map(|actor| Check::NeverStarted(vec![actor.to_owned()]));
            started.into_iter().collect()
        }
        Check::Count(counts) => {
            let each = counts
                .iter()
                .map(|(event, count)| Check::Count(vec![(event.clone(), opposite(count))]));
            each.collect()
        }
        Check::Gap { from, to, .. } => [(Some(1e6), None), (None, Some(-1e6))]
            .map(|(min_s, max_s)| Check::Gap {
                from: from.clone(),
                to: to.clone(),
                min_s,
                max_s,
            })
            .into(),
        Check::Together { events, .. } => vec![Check::Together {
            events,
            within_s: -1.0,
        }],
        Check::Phase(phase) => vec![Check::Phase(opposite(&phase))],
        Check::Reason(reason) => vec![Check::Reason(opposite(&reason))],
        Check::Message(message) => vec![Check::Message(opposite(&message))],
        Check::Container(field, expected) => {
            let each = expected.iter().map(|(name, expected)| {
                let expected = match expected {
                    // A pattern that matches nothing.
                    Compare::Equal(Value::String(_))
                        if format!("{field:?}").ends_with("Matches") =>
                    {
                        Compare::Equal(json!("^\\x00$"))
                    }
                    expected => opposite(expected),
                };
                Check::Container(field, vec![(name.clone(), expected)])
            });
            each.collect()
        }
        Check::HasLastState(_) => vec![Check::HasLastState(vec![nobody()])],
        Check::Condition {
            kind,
            status,
            reason,
            message,
        } => {
            let with =
                |status: Option<&Compare>, reason: Option<&Compare>, message: Option<&Compare>| {
                    Check::Condition {
                        kind: kind.clone(),
                        status: status.map(opposite),
                        reason: reason.map(opposite),
                        message: message.map(opposite),
                    }
                };
            let mut all = Vec::new();
            all.extend(status.as_ref().map(|status| with(Some(status), None, None)));
            all.extend(reason.as_ref().map(|reason| with(None, Some(reason), None)));
            all.extend(
                message
                    .as_ref()
                    .map(|message| with(None, None, Some(message))),
            );
            all
        }
        Check::Column {
            status,
            ready,
            restarts,
            restarts_matches,
        } => {
            let none = Check::Column {
                status: None,
                ready: None,
                restarts: None,
                restarts_matches: None,
            };
            let mut all = Vec::new();
            for (given, which) in [(status, 0), (ready, 1), (restarts, 2)] {
                let Some(given) = given else { continue };
                let mut check = none.clone();
                if let Check::Column {
                    status,
                    ready,
                    restarts,
                    ..
                } = &mut check
                {
                    *[status, ready, restarts][which] = Some(opposite(&given));
                }
                all.push(check);
            }
            if restarts_matches.is_some() {
                let mut check = none;
                if let Check::Column {
                    restarts_matches, ..
                } = &mut check
                {
                    *restarts_matches = Some(regex("^x$"));
                }
                all.push(check);
            }
            all
        }
        Check::K8sEvent {
            reason, contains, ..
        } => vec![
            Check::K8sEvent {
                reason: Compare::Equal(json!("NoSuchReason")),
                contains,
                container: None,
            },
            Check::K8sEvent {
                reason,
                contains: Some("nothing says so".to_owned()),
                container: None,
            },
        ],
        Check::Logs(logs) => {
            let each = logs.into_iter().map(|(name, mut log)| {
                log.contains.push("nothing says so".to_owned());
                Check::Logs(vec![(name, log)])
            });
            each.collect()
        }
        Check::File { path, .. } => vec![
            Check::File {
                path,
                matches: regex("^\\x00$"),
            },
            Check::File {
                path: nobody(),
                matches: regex(""),
            },
        ],
        Check::FileSame(one, _) => vec![Check::FileSame(one, nobody())],
        Check::FileFormula { path, .. } => vec![Check::FileFormula {
            path,
            formula: "0 - 1".to_owned(),
        }],
        Check::Any(assertions) => vec![Check::Any(
            assertions
                .iter()
                .flat_map(|a| {
                    let line = a.line;
                    let wrong = wrong(&a.check, started);
                    wrong
                        .into_iter()
                        .map(move |check| Assertion { line, check })
                })
                .collect(),
        )],
        Check::Rejected { field, .. } => vec![
            Check::Rejected {
                field: "spec.elsewhere".to_owned(),
                contains: None,
            },
            Check::Rejected {
                field,
                contains: Some("nothing says so".to_owned()),
            },
        ],
        Check::Accepted(accepted) => vec![Check::Accepted(!accepted)],
        Check::Computed { requests, .. } => {
            let requests = requests.into_keys().map(|resource| {
                let wrong = manifest::Quantity::from_millis(1);
                Check::Computed {
                    requests: [(resource, wrong)].into(),
                    limits: [].into(),
                    qos: None,
                }
            });
            let qos = Check::Computed {
                requests: [].into(),
                limits: [].into(),
                qos: Some("Nothing".to_owned()),
            };
            requests.chain([qos]).collect()
        }
        Check::SpecCommand(_) => Vec::new(),
        Check::SamePodIp(same) => vec![Check::SamePodIp(!same)],
    }
}

#[test]
fn a_wrong_expectation_fails() {
    let mut judged = 0;
    for case in public() {
        let Ok(mut run) = begin(&case) else {
            // What is refused must be refused for the right reason.
            for assertion in &case.expect {
                for check in wrong(&assertion.check, None) {
                    let mut case = case.clone();
                    case.expect = vec![Assertion { line: 0, check }];
                    assert!(
                        matches!(simulate(&case), Outcome::Failed(_)),
                        "{}",
                        case.name
                    );
                    judged += 1;
                }
            }
            continue;
        };
        if run.outcome(&case) != Outcome::Passed {
            continue;
        }
        let events = run.events();
        let actors = ["init-1", "side-1", "app", "app-1", "app-2"];
        let started = actors
            .into_iter()
            .find(|actor| !events.all(&format!("{actor}.started")).is_empty());
        for assertion in &case.expect {
            for check in wrong(&assertion.check, started) {
                let wrong = Assertion {
                    line: assertion.line,
                    check,
                };
                assert!(
                    wrong.judge(&run).is_err(),
                    "{} passes with {:?} as well as with {:?}",
                    case.name,
                    wrong.check,
                    assertion.check
                );
                judged += 1;
            }
        }
    }
    assert!(judged > 1000, "{judged}");
}

#[test]
fn a_wrong_expectation_fails_the_scenario() {
    for case in public() {
        if simulate(&case) != Outcome::Passed {
            continue;
        }
        let mut wrong = case.clone();
        wrong.expect.push(Assertion {
            line: 0,
            check: Check::Never(vec![Selector::parse("@create").expect("a selector")]),
        });
        assert!(
            matches!(simulate(&wrong), Outcome::Failed(_)),
            "{}",
            case.name
        );
    }
}

#[test]
fn orders_turned_round_fail() {
    for case in public() {
        let Ok(mut run) = begin(&case) else { continue };
        if run.outcome(&case) != Outcome::Passed {
            continue;
        }
        let events = run.events();
        for assertion in &case.expect {
            let Check::Before(selectors) = &assertion.check else {
                continue;
            };
            let mut turned = selectors.clone();
            turned.reverse();
            let times = [selectors.first(), selectors.last()];
            let times = times.map(|s| s.and_then(|selector| events.find(selector)));
            let holds = Assertion {
                line: 0,
                check: Check::Before(turned),
            };
            // Equal times hold either way round.
            assert!(
                times[0] == times[1] || holds.judge(&run).is_err(),
                "{}",
                case.name
            );
        }
    }
}

#[test]
fn a_wait_in_vain_fails() {
    let text = "name: x
expect: []
steps: [{wait: {event: nobody.started, within_s: 5}}]
pod:
  apiVersion: v1
  kind: Pod
  metadata: {name: x}
  spec: {containers: [{name: app, image: busybox, command: [sleep, '100']}]}
";
    let case = crate::parse(Path::new("x.yaml"), text).expect("a scenario");
    let why = "line 3: not within 5 s: nobody.started did not occur".to_owned();
    assert_eq!(simulate(&case), Outcome::Failed(why));
}
