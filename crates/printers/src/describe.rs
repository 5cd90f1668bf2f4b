//! `kubectl describe pod`, in upstream's layout, order and words.
//!
//! Texts are shown as they are but for control characters; a message of several lines stays one, as there.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use lifecycle::Time;
use manifest::core::v1::{Event, Pod, PodPhase, PodStatus, Toleration, TopologySpreadConstraint};
use manifest::meta::v1::{LabelSelector, Time as Moment};

use crate::duration::age;
use crate::escape;
use crate::tabwriter::{Layout, TabWriter};

mod container;
mod env;
mod events;
mod probe;
mod volumes;

/// What does not come from the objects.
#[derive(Clone, Debug)]
pub struct Context {
    /// The time from which ages are counted.
    pub now: Time,
    /// The time zone in which moments are written; kubectl uses that of the machine it runs on.
    pub zone: TimeZone,
}

/// A Pod and its events, by when they happened last; none of them with `--show-events=false`, which is not the
/// same as an empty list.
#[must_use]
pub fn pod(pod: &Pod, events: Option<Vec<Event>>, context: &Context) -> String {
    let page = &mut Page::new(context);
    let (spec, status) = (&pod.spec, pod.status.clone().unwrap_or_default());
    about(page, pod, &status);
    if let Some(resources) = &spec.resources {
        page.line(0, "Resources:");
        container::resources(page, 1, resources);
    }
    if !spec.init_containers.is_empty() {
        let statuses = &status.init_container_statuses;
        container::all(
            page,
            "Init Containers",
            pod,
            &spec.init_containers,
            statuses,
        );
    }
    let statuses = &status.container_statuses;
    container::all(page, "Containers", pod, &spec.containers, statuses);
    if !spec.ephemeral_containers.is_empty() {
        let debuggers = spec
            .ephemeral_containers
            .iter()
            .map(container::of_ephemeral);
        let debuggers = debuggers.collect::<Vec<_>>();
        let statuses = &status.ephemeral_container_statuses;
        container::all(page, "Ephemeral Containers", pod, &debuggers, statuses);
    }
    conditions(page, pod, &status);
    volumes::all(page, &spec.volumes);
    let qos = status.qos_class;
    let qos = qos.unwrap_or_else(|| manifest::resources::qos_class(spec));
    page.line(0, &format!("QoS Class:\t{qos}"));
    page.pairs(0, "Node-Selectors", &spec.node_selector);
    tolerations(page, &spec.tolerations);
    spread(page, &spec.topology_spread_constraints);
    if let Some(group) = &spec.scheduling_group {
        let name = group.pod_group_name.as_deref().unwrap_or_default();
        page.line(0, "SchedulingGroup:");
        page.line(1, &format!("PodGroupName:\t{name}"));
    }
    if events.as_ref().is_some_and(Vec::is_empty) {
        page.line(0, "Events:\t<none>");
    }
    // The table of events has columns of its own.
    page.align() + &events::table(events.unwrap_or_default(), context)
}

/// What is written, with tabs between the columns.
struct Page<'a> {
    context: &'a Context,
    text: String,
}

impl<'a> Page<'a> {
    const fn new(context: &'a Context) -> Self {
        Self {
            context,
            text: String::new(),
        }
    }

    /// A line, two blanks deeper for each level.
    fn line(&mut self, level: usize, text: &str) {
        self.text.extend(std::iter::repeat_n("  ", level));
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// `Title:  a=b`, one pair a line, or `<none>`.
    fn pairs(&mut self, level: usize, title: &str, pairs: &BTreeMap<String, String>) {
        let pairs = pairs.iter().map(|(key, value)| format!("{key}={value}"));
        self.list(level, title, pairs.collect());
    }

    /// `Title:  first` and the others below it, or `<none>`.
    fn list(&mut self, level: usize, title: &str, mut items: Vec<String>) {
        if items.is_empty() {
            items.push("<none>".to_owned());
        }
        for (position, item) in items.iter().enumerate() {
            let title = match position {
                0 => format!("{title}:"),
                _ => String::new(),
            };
            self.line(level, &format!("{title}\t{item}"));
        }
    }

    /// A moment as `Mon, 02 Jan 2006 15:04:05 +0000`.
    fn moment(&self, moment: Option<Moment>) -> String {
        match moment {
            Some(moment) => {
                let zoned = moment.0.to_zoned(self.context.zone.clone());
                zoned.strftime("%a, %d %b %Y %H:%M:%S %z").to_string()
            }
            // The zero time of Go: kubectl shows it for containers that never started.
            None => "Mon, 01 Jan 0001 00:00:00 +0000".to_owned(),
        }
    }

    fn align(&self) -> String {
        TabWriter::new(Layout::DESCRIBE).align(&escape::terminal(&self.text))
    }
}

/// From the name to what controls the Pod.
fn about(page: &mut Page<'_>, pod: &Pod, status: &PodStatus) {
    let (metadata, spec) = (&pod.metadata, &pod.spec);
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let mut lines = vec![
        ("Name", text(&metadata.name)),
        ("Namespace", text(&metadata.namespace)),
    ];
    let mut optional = |title, value: Option<String>| {
        lines.extend(
            value
                .filter(|value| !value.is_empty())
                .map(|value| (title, value)),
        );
    };
    optional(
        "Priority",
        spec.priority.map(|priority| priority.to_string()),
    );
    optional("Priority Class Name", spec.priority_class_name.clone());
    optional("Runtime Class Name", spec.runtime_class_name.clone());
    optional("Service Account", spec.service_account_name.clone());
    let node = spec.node_name.clone().filter(|node| !node.is_empty());
    let host = text(&status.host_ip);
    optional(
        "Node",
        Some(node.map_or_else(none, |node| format!("{node}/{host}"))),
    );
    optional(
        "Start Time",
        status.start_time.map(|start| page.moment(Some(start))),
    );
    for (title, value) in lines {
        page.line(0, &format!("{title}:\t{value}"));
    }
    page.pairs(0, "Labels", &metadata.labels);
    annotations(page, &metadata.annotations);

    let ended = matches!(status.phase, Some(PodPhase::Succeeded | PodPhase::Failed));
    match metadata.deletion_timestamp.filter(|_| !ended) {
        Some(deletion) => {
            let lasts = age(Some(deletion), page.context.now);
            let grace = metadata.deletion_grace_period_seconds.unwrap_or(0);
            page.line(0, &format!("Status:\tTerminating (lasts {lasts})"));
            page.line(0, &format!("Termination Grace Period:\t{grace}s"));
        }
        None => {
            let phase = status.phase.map_or("", |phase| phase.as_str());
            page.line(0, &format!("Status:\t{phase}"));
        }
    }
    for (title, value) in [("Reason", &status.reason), ("Message", &status.message)] {
        if let Some(value) = value.as_deref().filter(|value| !value.is_empty()) {
            page.line(0, &format!("{title}:\t{value}"));
        }
    }
    let security = spec.security_context.as_ref();
    container::seccomp(
        page,
        0,
        security.and_then(|security| security.seccomp_profile.as_ref()),
    );
    page.line(0, &format!("IP:\t{}", text(&status.pod_ip)));
    page.line(
        0,
        if status.pod_ips.is_empty() {
            "IPs:\t<none>"
        } else {
            "IPs:"
        },
    );
    for ip in &status.pod_ips {
        page.line(1, &format!("IP:\t{}", ip.ip));
    }
    let mut owners = metadata.owner_references.iter();
    if let Some(owner) = owners.find(|owner| owner.controller == Some(true)) {
        page.line(0, &format!("Controlled By:\t{}/{}", owner.kind, owner.name));
    }
    if let Some(node) = status
        .nominated_node_name
        .as_deref()
        .filter(|node| !node.is_empty())
    {
        page.line(0, &format!("NominatedNodeName:\t{node}"));
    }
}

/// Long values stand below their key, cut at the width that upstream gives them.
fn annotations(page: &mut Page<'_>, annotations: &BTreeMap<String, String>) {
    const LONGEST: usize = 140;
    const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
    let mut items = Vec::new();
    for (key, value) in annotations.iter().filter(|(key, _)| *key != LAST_APPLIED) {
        let value = value.strip_suffix('\n').unwrap_or(value);
        if value.len() + key.len() + 2 <= LONGEST && !value.contains('\n') {
            items.push(format!("{key}: {value}"));
            continue;
        }
        items.push(format!("{key}:"));
        items.extend(value.split('\n').map(|line| {
            let end = line.floor_char_boundary(LONGEST - 2);
            let more = if end < line.len() { "..." } else { "" };
            format!("  {}{more}", &line[..end])
        }));
    }
    page.list(0, "Annotations", items);
}

fn conditions(page: &mut Page<'_>, pod: &Pod, status: &PodStatus) {
    let gates = &pod.spec.readiness_gates;
    if !gates.is_empty() {
        page.line(0, "Readiness Gates:");
        page.line(1, "Type\tStatus");
    }
    for gate in gates {
        let kind = &gate.condition_type;
        let condition = status.conditions.iter().find(|c| c.type_ == *kind);
        let holds = condition.map_or_else(none, |condition| condition.status.to_string());
        page.line(1, &format!("{kind} \t{holds} "));
    }
    if !status.conditions.is_empty() {
        page.line(0, "Conditions:");
        page.line(1, "Type\tStatus");
    }
    for condition in &status.conditions {
        page.line(1, &format!("{} \t{} ", condition.type_, condition.status));
    }
}

fn tolerations(page: &mut Page<'_>, tolerations: &[Toleration]) {
    let mut sorted = tolerations.iter().collect::<Vec<_>>();
    sorted.sort_by(|a, b| a.key.cmp(&b.key));
    let items = sorted.into_iter().map(|toleration| {
        let part = |before: &str, part: &Option<String>| match part.as_deref() {
            None | Some("") => String::new(),
            Some(part) => format!("{before}{part}"),
        };
        let mut item = part("", &toleration.key);
        item.push_str(&part("=", &toleration.value));
        item.push_str(&part(":", &toleration.effect));
        let any_value = toleration.value.as_deref().is_none_or(str::is_empty);
        if toleration.operator.as_deref() == Some("Exists") && any_value {
            item.push_str(if item.is_empty() {
                "op=Exists"
            } else {
                " op=Exists"
            });
        }
        if let Some(seconds) = toleration.toleration_seconds {
            item.push_str(&format!(" for {seconds}s"));
        }
        item
    });
    page.list(0, "Tolerations", items.collect());
}

fn spread(page: &mut Page<'_>, constraints: &[TopologySpreadConstraint]) {
    if constraints.is_empty() {
        return;
    }
    let mut sorted = constraints.iter().collect::<Vec<_>>();
    sorted.sort_by(|a, b| a.topology_key.cmp(&b.topology_key));
    let items = sorted.into_iter().map(|constraint| {
        let selector = constraint.label_selector.as_ref();
        let selector =
            selector.map(|selector| format!(" for selector {}", selector_text(selector)));
        format!(
            "{}:{} when max skew {} is exceeded{}",
            constraint.topology_key,
            constraint.when_unsatisfiable,
            constraint.max_skew,
            selector.unwrap_or_default()
        )
    });
    page.list(0, "Topology Spread Constraints", items.collect());
}

/// `app=web,tier in (a,b),!old`, or `<none>`.
fn selector_text(selector: &LabelSelector) -> String {
    let labels = selector.match_labels.iter();
    let mut parts = labels
        .map(|(key, value)| (key.clone(), format!("{key}={value}")))
        .collect::<Vec<_>>();
    for expression in &selector.match_expressions {
        let key = &expression.key;
        let mut values = expression.values.clone();
        values.sort();
        let values = values.join(",");
        let text = match expression.operator.as_str() {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "Exists" => key.clone(),
            "DoesNotExist" => format!("!{key}"),
            _ => "<error>".to_owned(),
        };
        parts.push((key.clone(), text));
    }
    if parts.is_empty() {
        return none();
    }
    parts.sort_by(|a, b| a.0.cmp(&b.0));
    let parts = parts.into_iter().map(|(_, text)| text);
    parts.collect::<Vec<_>>().join(",")
}

fn none() -> String {
    "<none>".to_owned()
}
