//! Reading scenario files. What is not known is an error, with its place.

use std::collections::BTreeMap;
use std::path::Path;

use manifest::SourceText;
use manifest::yaml::{self, Node, Span, Value};
use regex::Regex;

use super::assertion::{Assertion, Check, Field, LogCheck, PerContainer, Selector};
use super::compare::Compare;
use super::{Case, Step, Until};

/// Seconds of the wait that stands for steps that are not given.
const DEFAULT_WAIT_S: f64 = 60.0;

/// Where and what.
type Fault = (Span, String);
type Decoded<T> = Result<T, Fault>;

/// Reads a scenario.
///
/// # Errors
/// What is wrong with it, as `file:line:column: message`.
pub(crate) fn load(file: &Path, text: String) -> Result<Case, String> {
    let shown = file.display().to_string();
    let source = SourceText::new(shown.clone(), text);
    let place = |span: Span, message: &str| {
        let (line, column) = source.position(span.start);
        format!("{shown}:{line}:{column}: {message}")
    };
    let (documents, errors) = yaml::parse(source.text());
    if let Some(error) = errors.first() {
        return Err(place(error.span, &error.message));
    }
    let [document] = documents.as_slice() else {
        return Err(format!("{shown}:1:1: a scenario is one document"));
    };
    let decoder = Decoder {
        line: &|span: Span| source.position(span.start).0,
    };
    let mut case = decoder
        .case(&document.root)
        .map_err(|(span, message)| place(span, &message))?;
    case.file = file.to_owned();
    Ok(case)
}

struct Decoder<'a> {
    line: &'a dyn Fn(Span) -> usize,
}

/// The entries of a map, which may only be these.
struct Fields<'a> {
    node: &'a Node,
}

impl<'a> Fields<'a> {
    fn of(node: &'a Node, known: &[&str]) -> Decoded<Self> {
        let Value::Map(entries) = &node.value else {
            return Err((node.span, "must be a map".to_owned()));
        };
        match entries
            .iter()
            .find(|entry| !known.contains(&entry.key.as_str()))
        {
            Some(entry) => {
                let message = format!(
                    "unknown key {:?}; known are {}",
                    entry.key,
                    known.join(", ")
                );
                Err((entry.key_span, message))
            }
            None => Ok(Self { node }),
        }
    }

    fn get(&self, key: &str) -> Option<&'a Node> {
        self.node.get(key)
    }

    fn need(&self, key: &str) -> Decoded<&'a Node> {
        let missing = || (self.node.span, format!("{key:?} is missing"));
        self.get(key).ok_or_else(missing)
    }

    fn text(&self, key: &str) -> Decoded<Option<String>> {
        self.get(key).map(text).transpose()
    }

    fn number(&self, key: &str) -> Decoded<Option<f64>> {
        self.get(key).map(number).transpose()
    }

    fn compare(&self, key: &str) -> Option<Compare> {
        self.get(key).map(compare)
    }
}

fn compare(node: &Node) -> Compare {
    Compare::from_json(&node.to_json())
}

fn text(node: &Node) -> Decoded<String> {
    match &node.value {
        Value::String(text) => Ok(text.clone()),
        _ => Err((node.span, "must be text".to_owned())),
    }
}

fn number(node: &Node) -> Decoded<f64> {
    let number = node.to_json().as_f64();
    number.ok_or_else(|| (node.span, "must be a number".to_owned()))
}

fn boolean(node: &Node) -> Decoded<bool> {
    match node.value {
        Value::Bool(value) => Ok(value),
        _ => Err((node.span, "must be true or false".to_owned())),
    }
}

fn list(node: &Node) -> Decoded<&[Node]> {
    match &node.value {
        Value::List(items) => Ok(items),
        _ => Err((node.span, "must be a list".to_owned())),
    }
}

fn texts(node: &Node) -> Decoded<Vec<String>> {
    list(node)?.iter().map(text).collect()
}

fn regex(node: &Node) -> Decoded<Regex> {
    let pattern = text(node)?;
    Regex::new(&pattern).map_err(|error| {
        let error = error.to_string().replace('\n', " ");
        (node.span, format!("no regular expression: {error}"))
    })
}

fn selector(node: &Node) -> Decoded<Selector> {
    let written = text(node)?;
    let wrong = || {
        let message = format!(
            "no event: {written:?}; write actor.event, actor.event#2, actor.event#last or @mark"
        );
        (node.span, message)
    };
    Selector::parse(&written).ok_or_else(wrong)
}

fn selectors(node: &Node) -> Decoded<Vec<Selector>> {
    list(node)?.iter().map(selector).collect()
}

fn two(node: &Node) -> Decoded<(String, String)> {
    match texts(node)?.as_slice() {
        [one, other] => Ok((one.clone(), other.clone())),
        _ => Err((node.span, "must be a list of two".to_owned())),
    }
}

fn entries(node: &Node) -> Decoded<&[yaml::Entry]> {
    match &node.value {
        Value::Map(entries) => Ok(entries),
        _ => Err((node.span, "must be a map".to_owned())),
    }
}

fn quantities(node: Option<&Node>) -> Decoded<BTreeMap<String, manifest::Quantity>> {
    let Some(node) = node else {
        return Ok(BTreeMap::new());
    };
    let all = entries(node)?.iter().map(|entry| {
        let quantity = serde_json::from_value(entry.value.to_json());
        let quantity = quantity.map_err(|error| (entry.value.span, error.to_string()))?;
        Ok((entry.key.clone(), quantity))
    });
    all.collect()
}

/// A map by container; what is compared with may be narrowed.
fn per_container(node: &Node) -> Decoded<PerContainer> {
    let all = entries(node)?.iter();
    Ok(all
        .map(|entry| (entry.key.clone(), compare(&entry.value)))
        .collect())
}

/// Assertions about a field of the status of containers, by key.
const FIELDS: [(&str, Field); 13] = [
    ("restarts", Field::Restarts),
    ("state", Field::State),
    ("state_reason", Field::StateReason),
    ("state_message_contains", Field::StateMessageContains),
    ("exit", Field::Exit),
    ("last_exit", Field::LastExit),
    ("last_reason", Field::LastReason),
    ("last_state_reason", Field::LastStateReason),
    ("ready", Field::Ready),
    ("started", Field::Started),
    ("termination_message", Field::TerminationMessage),
    (
        "termination_message_length",
        Field::TerminationMessageLength,
    ),
    (
        "termination_message_matches",
        Field::TerminationMessageMatches,
    ),
];

const OTHERS: &str = "before, overlap, never, never_started, count, gap, together, phase, reason, message, \
    has_last_state, condition, column, k8s_event, log, file, file_same, file_formula, any, rejected, accepted, \
    computed, spec_command, same_pod_ip";

impl Decoder<'_> {
    fn case(&self, root: &Node) -> Decoded<Case> {
        let known = [
            "name", "note", "source", "rule", "verified", "basis", "slow", "gates", "objects",
            "steps", "expect", "pod",
        ];
        let fields = Fields::of(root, &known)?;
        if let Some(source) = fields.get("source") {
            Fields::of(source, &["path", "test"])?;
        }
        let steps = match fields.get("steps") {
            Some(steps) => {
                let steps = list(steps)?.iter().map(|step| self.step(step));
                steps.collect::<Decoded<_>>()?
            }
            None => vec![Step::Wait {
                until: vec![Until::Terminal],
                within_s: DEFAULT_WAIT_S,
                line: 1,
            }],
        };
        let objects = fields.get("objects").map(list).transpose()?;
        Ok(Case {
            name: text(fields.need("name")?)?,
            file: std::path::PathBuf::new(),
            slow: fields.get("slow").map(boolean).transpose()? == Some(true),
            objects: objects
                .unwrap_or_default()
                .iter()
                .map(Node::to_json)
                .collect(),
            steps,
            expect: self.assertions(fields.need("expect")?)?,
            pod: fields.need("pod")?.to_json(),
        })
    }

    fn step(&self, node: &Node) -> Decoded<Step> {
        let known = [
            "wait",
            "check",
            "hold",
            "sleep_s",
            "delete",
            "touch",
            "apply",
            "mark",
            "restart_runner",
            "set_image",
        ];
        Fields::of(node, &known)?;
        let [entry] = entries(node)? else {
            return Err((node.span, "a step is a map of one key".to_owned()));
        };
        let value = &entry.value;
        Ok(match entry.key.as_str() {
            "wait" => self.wait(value)?,
            "check" => Step::Check(self.assertions(value)?),
            "hold" => {
                let (mut what, mut for_s) = (Vec::new(), None);
                for entry in entries(value)? {
                    match entry.key.as_str() {
                        "for_s" => for_s = Some(number(&entry.value)?),
                        _ => what.push(self.assertion(entry)?),
                    }
                }
                let for_s = for_s.ok_or((value.span, "\"for_s\" is missing".to_owned()))?;
                Step::Hold { what, for_s }
            }
            "sleep_s" => Step::Sleep(number(value)?),
            "delete" => {
                let fields = Fields::of(value, &["grace_s", "wait"])?;
                Step::Delete {
                    grace_s: fields.number("grace_s")?.map(|seconds| seconds as i64),
                    wait: fields.get("wait").map(boolean).transpose()?.unwrap_or(true),
                }
            }
            "touch" => Step::Touch(text(value)?),
            "apply" => Step::Apply(value.to_json()),
            "mark" => Step::Mark(text(value)?),
            "restart_runner" => {
                let fields = Fields::of(value, &["kill_sandbox"])?;
                let kill_sandbox = fields.get("kill_sandbox").map(boolean).transpose()?;
                Step::RestartRunner {
                    kill_sandbox: kill_sandbox == Some(true),
                }
            }
            _ => {
                let fields = Fields::of(value, &["container", "image"])?;
                Step::SetImage {
                    container: text(fields.need("container")?)?,
                    image: text(fields.need("image")?)?,
                }
            }
        })
    }

    fn wait(&self, node: &Node) -> Decoded<Step> {
        let (mut until, mut within_s) = (Vec::new(), None);
        for entry in entries(node)? {
            let value = &entry.value;
            until.push(match entry.key.as_str() {
                "within_s" => {
                    within_s = Some(number(value)?);
                    continue;
                }
                "event" => Until::Event(selector(value)?),
                "terminal" | "gone" => {
                    if !boolean(value)? {
                        return Err((value.span, "can only be true".to_owned()));
                    }
                    if entry.key == "gone" {
                        Until::Gone
                    } else {
                        Until::Terminal
                    }
                }
                _ => Until::Holds(Box::new(self.assertion(entry)?)),
            });
        }
        Ok(Step::Wait {
            until,
            within_s: within_s.ok_or((node.span, "\"within_s\" is missing".to_owned()))?,
            line: (self.line)(node.span),
        })
    }

    /// A list of maps of assertions.
    fn assertions(&self, node: &Node) -> Decoded<Vec<Assertion>> {
        let mut all = Vec::new();
        for item in list(node)? {
            for entry in entries(item)? {
                all.push(self.assertion(entry)?);
            }
        }
        Ok(all)
    }

    fn assertion(&self, entry: &yaml::Entry) -> Decoded<Assertion> {
        let line = (self.line)(entry.key_span);
        let node = &entry.value;
        let field = FIELDS.iter().find(|(key, _)| *key == entry.key);
        if let Some((_, field)) = field {
            let expected = per_container(node)?;
            if *field == Field::TerminationMessageMatches {
                for entry in entries(node)? {
                    regex(&entry.value)?;
                }
            }
            let check = Check::Container(*field, expected);
            return Ok(Assertion { line, check });
        }
        let check = match entry.key.as_str() {
            "before" => Check::Before(selectors(node)?),
            "overlap" => {
                let (one, other) = two(node)?;
                Check::Overlap(one, other)
            }
            "never" => Check::Never(selectors(node)?),
            "never_started" => Check::NeverStarted(texts(node)?),
            "count" => {
                let counts = entries(node)?.iter().map(|entry| {
                    let wrong = || (entry.key_span, format!("no event: {:?}", entry.key));
                    let selector = Selector::parse(&entry.key).ok_or_else(wrong)?;
                    Ok((selector, compare(&entry.value)))
                });
                Check::Count(counts.collect::<Decoded<_>>()?)
            }
            "gap" => {
                let fields = Fields::of(node, &["from", "to", "min_s", "max_s"])?;
                Check::Gap {
                    from: selector(fields.need("from")?)?,
                    to: selector(fields.need("to")?)?,
                    min_s: fields.number("min_s")?,
                    max_s: fields.number("max_s")?,
                }
            }
            "together" => {
                let fields = Fields::of(node, &["events", "within_s"])?;
                Check::Together {
                    events: selectors(fields.need("events")?)?,
                    within_s: number(fields.need("within_s")?)?,
                }
            }
            "phase" => Check::Phase(compare(node)),
            "reason" => Check::Reason(compare(node)),
            "message" => Check::Message(compare(node)),
            "has_last_state" => Check::HasLastState(texts(node)?),
            "condition" => {
                let fields = Fields::of(node, &["type", "status", "reason", "message"])?;
                Check::Condition {
                    kind: text(fields.need("type")?)?,
                    status: fields.compare("status"),
                    reason: fields.compare("reason"),
                    message: fields.compare("message"),
                }
            }
            "column" => {
                let known = ["status", "ready", "restarts", "restarts_matches"];
                let fields = Fields::of(node, &known)?;
                Check::Column {
                    status: fields.compare("status"),
                    ready: fields.compare("ready"),
                    restarts: fields.compare("restarts"),
                    restarts_matches: fields.get("restarts_matches").map(regex).transpose()?,
                }
            }
            "k8s_event" => {
                let fields = Fields::of(node, &["reason", "contains", "container"])?;
                Check::K8sEvent {
                    reason: compare(fields.need("reason")?),
                    contains: fields.text("contains")?,
                    container: fields.text("container")?,
                }
            }
            "log" => return self.logs(line, node),
            "file" => {
                let fields = Fields::of(node, &["path", "matches"])?;
                Check::File {
                    path: text(fields.need("path")?)?,
                    matches: regex(fields.need("matches")?)?,
                }
            }
            "file_same" => {
                let (one, other) = two(node)?;
                Check::FileSame(one, other)
            }
            "file_formula" => {
                let fields = Fields::of(node, &["path", "equals"])?;
                let formula = text(fields.need("equals")?)?;
                if let Err(why) = super::formula::formula(&formula, 1 << 30) {
                    return Err((node.span, why));
                }
                Check::FileFormula {
                    path: text(fields.need("path")?)?,
                    formula,
                }
            }
            "any" => Check::Any(self.assertions(node)?),
            "rejected" => {
                let fields = Fields::of(node, &["field", "contains"])?;
                Check::Rejected {
                    field: text(fields.need("field")?)?,
                    contains: fields.text("contains")?,
                }
            }
            "accepted" => Check::Accepted(boolean(node)?),
            "computed" => {
                let fields = Fields::of(node, &["requests", "limits", "qos"])?;
                Check::Computed {
                    requests: quantities(fields.get("requests"))?,
                    limits: quantities(fields.get("limits"))?,
                    qos: fields.text("qos")?,
                }
            }
            "spec_command" => {
                let all = entries(node)?.iter();
                let all = all.map(|entry| Ok((entry.key.clone(), texts(&entry.value)?)));
                Check::SpecCommand(all.collect::<Decoded<_>>()?)
            }
            "same_pod_ip" => Check::SamePodIp(boolean(node)?),
            unknown => {
                let fields: Vec<&str> = FIELDS.iter().map(|(key, _)| *key).collect();
                let message = format!(
                    "unknown assertion {unknown:?}; known are {OTHERS}, {}",
                    fields.join(", ")
                );
                return Err((entry.key_span, message));
            }
        };
        Ok(Assertion { line, check })
    }

    /// `log` may name several containers.
    fn logs(&self, line: usize, node: &Node) -> Decoded<Assertion> {
        let mut checks = Vec::new();
        for entry in entries(node)? {
            let fields = Fields::of(&entry.value, &["lines", "contains", "matches"])?;
            let one_or_more = |key: &str| -> Decoded<&[Node]> {
                match fields.get(key) {
                    None => Ok(&[]),
                    Some(node) => match &node.value {
                        Value::List(items) => Ok(items.as_slice()),
                        _ => Ok(std::slice::from_ref(node)),
                    },
                }
            };
            let log = LogCheck {
                lines: fields.get("lines").map(texts).transpose()?,
                contains: one_or_more("contains")?
                    .iter()
                    .map(text)
                    .collect::<Decoded<_>>()?,
                matches: one_or_more("matches")?
                    .iter()
                    .map(regex)
                    .collect::<Decoded<_>>()?,
            };
            checks.push((entry.key.clone(), log));
        }
        Ok(Assertion {
            line,
            check: Check::Logs(checks),
        })
    }
}
