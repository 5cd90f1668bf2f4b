//! What a timeline looks like before it is known on what it is drawn: rows, bars and marks, with times in
//! microseconds from the start.

use lifecycle::timeline::{
    ContainerStage, ContainerState, ContainerTimeline, HookState, Mark, PROBE_SUCCEEDED,
    PhaseState, PodTimeline, ReadyState, Span,
};
use lifecycle::{EventKind, Role};
use manifest::core::v1::{ConditionStatus, PodPhase};
use manifest::meta::v1::MicroTime;

use super::axis;

/// What a container ends with that SIGTERM ended: 128 + 15.
const SIGTERM_CODE: i32 = 143;

/// A whole picture.
pub(super) struct Chart {
    /// The Pods, in the order of their rows.
    pub(super) pods: Vec<Head>,
    /// When it begins.
    pub(super) from: MicroTime,
    /// How long it is, at least 1.
    pub(super) length: i64,
    /// Each Pod, then its containers.
    pub(super) rows: Vec<Row>,
}

/// What is said of a Pod above the picture.
pub(super) struct Head {
    /// `namespace/name`.
    pub(super) name: String,
    /// The Pod's phase, and whether it is ready.
    pub(super) state: String,
}

/// One row.
pub(super) struct Row {
    /// `pod`, `init`, `sidecar` or `app`.
    pub(super) role: &'static str,
    /// The container; the Pod where there are several, else empty for it.
    pub(super) name: String,
    /// In the order of time.
    pub(super) bars: Vec<Bar>,
    /// In the order of time.
    pub(super) points: Vec<Point>,
    /// When its hooks ran, in the order of time.
    pub(super) hooks: Vec<Bar>,
    /// How much of it was left out.
    pub(super) dropped: u64,
}

/// A time during which something held.
pub(super) struct Bar {
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) shade: Shade,
    /// What held, and how long.
    pub(super) title: String,
}

/// What held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shade {
    /// Nobody watched, or it was left out.
    Unknown,
    /// It waited to be started.
    Waiting,
    /// It waited since it had failed before.
    BackOff,
    /// It ran.
    Running,
    /// It was started and not ready.
    Started,
    /// It was ready.
    Ready,
    /// It had ended well.
    Succeeded,
    /// A sidecar was told to stop, and did.
    Stopped,
    /// It had ended otherwise.
    Failed,
    /// A hook of it ran.
    Hook,
}

/// Something that happened at a moment.
pub(super) struct Point {
    pub(super) at: i64,
    pub(super) sign: Sign,
    /// What happened.
    pub(super) title: String,
}

/// What happened; when several fall on one place, the last of these is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sign {
    /// It is held back.
    BackOff,
    /// A probe succeeded, the first time or again.
    Healthy,
    /// A probe failed.
    Unhealthy,
    /// It runs again.
    Restart,
    /// It is stopped since it is not needed any more.
    Stopping,
    /// Something else is wrong.
    Warning,
    /// It is stopped since it does not do well.
    Killing,
}

impl Shade {
    /// All of them, in the order of a life.
    pub(super) const ALL: [Shade; 10] = [
        Self::Waiting,
        Self::BackOff,
        Self::Running,
        Self::Started,
        Self::Ready,
        Self::Succeeded,
        Self::Stopped,
        Self::Failed,
        Self::Hook,
        Self::Unknown,
    ];

    /// What the legend calls it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "not recorded",
            Self::Waiting => "waiting",
            Self::BackOff => "back-off",
            Self::Running => "running",
            Self::Started => "not ready",
            Self::Ready => "ready",
            Self::Succeeded => "ended",
            Self::Stopped => "ended as told",
            Self::Failed => "failed",
            Self::Hook => "hook",
        }
    }

    /// Whether it had come to an end.
    pub(super) const fn is_end(self) -> bool {
        matches!(self, Self::Succeeded | Self::Stopped | Self::Failed)
    }
}

impl Sign {
    /// All of them, the gravest last.
    pub(super) const ALL: [Sign; 7] = [
        Self::Healthy,
        Self::Unhealthy,
        Self::Killing,
        Self::Stopping,
        Self::BackOff,
        Self::Restart,
        Self::Warning,
    ];

    /// What the legend calls it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::BackOff => "held back",
            Self::Healthy => "probe succeeded",
            Self::Unhealthy => "probe failed",
            Self::Restart => "restarted",
            Self::Warning => "warning",
            Self::Stopping => "stopped",
            Self::Killing => "killed",
        }
    }

    /// Of an event; ordinary ones have none.
    fn of(mark: &Mark) -> Option<Self> {
        match (mark.reason.as_str(), mark.kind) {
            ("Unhealthy" | "ProbeWarning", _) => Some(Self::Unhealthy),
            (PROBE_SUCCEEDED, _) => Some(Self::Healthy),
            ("Killing", _) if is_ordinary_stop(mark) => Some(Self::Stopping),
            ("Killing", _) => Some(Self::Killing),
            ("BackOff", _) => Some(Self::BackOff),
            (_, EventKind::Warning) => Some(Self::Warning),
            (_, EventKind::Normal) => None,
        }
    }
}

impl Chart {
    pub(super) fn new(timelines: &[PodTimeline]) -> Self {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let clock = Clock::new(timelines);
        let mut chart = Self {
            pods: Vec::new(),
            from: timelines.iter().map(|t| t.from).min().unwrap_or_default(),
            length: clock.length,
            rows: Vec::new(),
        };
        for timeline in timelines {
            let metadata = &timeline.metadata;
            chart.pods.push(Head {
                name: format!("{}/{}", text(&metadata.namespace), text(&metadata.name)),
                state: state(timeline),
            });
            let mut pod = pod_row(timeline, clock);
            if timelines.len() > 1 {
                pod.name = text(&metadata.name);
            }
            chart.rows.push(pod);
            let containers = timeline.containers.iter();
            chart
                .rows
                .extend(containers.map(|container| row(container, clock)));
        }
        chart
    }
}

/// Turns moments into distances from the start.
#[derive(Clone, Copy)]
pub(super) struct Clock {
    from: i64,
    /// From the first to the last moment, at least 1.
    pub(super) length: i64,
}

impl Clock {
    pub(super) fn new(timelines: &[PodTimeline]) -> Self {
        let micros = |moment: MicroTime| moment.0.as_microsecond();
        let from = timelines.iter().map(|t| micros(t.from)).min().unwrap_or(0);
        let to = timelines.iter().map(|t| micros(t.to)).max().unwrap_or(0);
        let length = to.saturating_sub(from).max(1);
        Self { from, length }
    }

    pub(super) fn at(self, moment: MicroTime) -> i64 {
        let at = moment.0.as_microsecond().saturating_sub(self.from);
        at.clamp(0, self.length)
    }

    /// Begin and end of a span; one that still holds goes on to the end.
    pub(super) fn span<S>(self, span: &Span<S>) -> (i64, i64) {
        let from = self.at(span.from);
        let to = span.to.map_or(self.length, |to| self.at(to));
        (from, to.max(from))
    }
}

/// `Running, ready`, `Failed (DeadlineExceeded)`.
fn state(timeline: &PodTimeline) -> String {
    let Some(phase) = timeline.phases.last().map(|span| &span.state) else {
        return "Unknown".to_owned();
    };
    let reason = phase.reason.as_deref().map(|reason| format!(" ({reason})"));
    let ready = timeline.ready.last().map(|span| span.state.status);
    let ready = match (phase.phase, ready) {
        (PodPhase::Running, Some(ConditionStatus::True)) => ", ready",
        (PodPhase::Running, Some(_)) => ", not ready",
        _ => "",
    };
    format!("{}{}{ready}", phase.phase, reason.unwrap_or_default())
}

/// Phases as bars; while Running, as far as readiness is known.
fn pod_row(timeline: &PodTimeline, clock: Clock) -> Row {
    let mut bars = Vec::new();
    for phase in &timeline.phases {
        let (from, to) = clock.span(phase);
        if phase.state.phase != PodPhase::Running {
            bars.push(phase_bar(&phase.state, from, to));
            continue;
        }
        let mut at = from;
        for ready in &timeline.ready {
            let (ready_from, ready_to) = clock.span(ready);
            let (ready_from, ready_to) = (ready_from.max(at), ready_to.min(to));
            if ready_from < ready_to {
                if at < ready_from {
                    bars.push(phase_bar(&phase.state, at, ready_from));
                }
                bars.push(ready_bar(&ready.state, ready_from, ready_to));
                at = ready_to;
            }
        }
        if at < to || from == to {
            bars.push(phase_bar(&phase.state, at, to));
        }
    }
    Row {
        role: "pod",
        name: String::new(),
        bars: with_gaps(bars),
        points: points(&timeline.marks, clock),
        hooks: Vec::new(),
        dropped: timeline.dropped,
    }
}

fn phase_bar(state: &PhaseState, from: i64, to: i64) -> Bar {
    let shade = match state.phase {
        PodPhase::Pending => Shade::Waiting,
        PodPhase::Running => Shade::Running,
        PodPhase::Succeeded => Shade::Succeeded,
        PodPhase::Failed => Shade::Failed,
        PodPhase::Unknown => Shade::Unknown,
    };
    let reason = state.reason.as_deref().map(|reason| format!(" ({reason})"));
    bar(
        from,
        to,
        shade,
        &format!("{}{}", state.phase, reason.unwrap_or_default()),
    )
}

fn ready_bar(state: &ReadyState, from: i64, to: i64) -> Bar {
    if state.status == ConditionStatus::True {
        return bar(from, to, Shade::Ready, "Running, ready");
    }
    let reason = state.reason.as_deref().map(|reason| format!(" ({reason})"));
    let title = format!("Running, not ready{}", reason.unwrap_or_default());
    bar(from, to, Shade::Started, &title)
}

fn row(container: &ContainerTimeline, clock: Clock) -> Row {
    let bars = container.spans.iter().map(|span| {
        let (from, to) = clock.span(span);
        bar(
            from,
            to,
            container_shade(container, span),
            &container_title(&span.state),
        )
    });
    let mut points = points(&container.marks, clock);
    for pair in container.spans.windows(2) {
        let (before, after) = (&pair[0].state, &pair[1].state);
        if after.restart > before.restart && after.state.is_up() {
            points.push(Point {
                at: clock.at(pair[1].from),
                sign: Sign::Restart,
                title: format!("restarted, {} in all", after.restart),
            });
        }
    }
    points.sort_by_key(|point| point.at);
    let hook = |span: &Span<HookState>| {
        let (from, to) = clock.span(span);
        bar(from, to, Shade::Hook, &format!("{} hook", span.state.hook))
    };
    let role = match container.role {
        Role::Init => "init",
        Role::Sidecar => "sidecar",
        Role::App => "app",
    };
    Row {
        role,
        name: container.name.clone(),
        bars: with_gaps(bars.collect()),
        points,
        hooks: container.hooks.iter().map(hook).collect(),
        dropped: container.dropped,
    }
}

/// Whether a container is stopped for no fault of its own, as at the end of its Pod.
fn is_ordinary_stop(mark: &Mark) -> bool {
    mark.reason == "Killing" && mark.message.starts_with("Stopping container")
}

/// What is seen of a container in a span. A sidecar that SIGTERM ended when it was told to stop has not failed: how
/// sidecars end does not count for the Pod either.
pub(super) fn container_shade(container: &ContainerTimeline, span: &Span<ContainerState>) -> Shade {
    let shade = shade(&span.state);
    let was_told = |mark: &Mark| is_ordinary_stop(mark) && mark.time <= span.from;
    if shade == Shade::Failed
        && container.role == Role::Sidecar
        && span.state.exit_code == Some(SIGTERM_CODE)
        && container.marks.iter().any(was_told)
    {
        return Shade::Stopped;
    }
    shade
}

fn shade(state: &ContainerState) -> Shade {
    let backs_off = |reason: &String| reason.ends_with("BackOff");
    match state.state {
        ContainerStage::Waiting if state.reason.as_ref().is_some_and(backs_off) => Shade::BackOff,
        ContainerStage::Waiting => Shade::Waiting,
        ContainerStage::Running => Shade::Running,
        ContainerStage::Started => Shade::Started,
        ContainerStage::Ready => Shade::Ready,
        ContainerStage::Terminated if state.exit_code == Some(0) => Shade::Succeeded,
        ContainerStage::Terminated => Shade::Failed,
    }
}

fn container_title(state: &ContainerState) -> String {
    let what = match state.state {
        ContainerStage::Waiting => "waiting",
        ContainerStage::Running => "running",
        ContainerStage::Started => "running, not ready",
        ContainerStage::Ready => "running, ready",
        ContainerStage::Terminated => "ended",
    };
    let reason = state.reason.as_deref().map(|reason| format!(": {reason}"));
    let code = state.exit_code.map(|code| format!(", exit code {code}"));
    format!(
        "{what}{}{}",
        reason.unwrap_or_default(),
        code.unwrap_or_default()
    )
}

fn bar(from: i64, to: i64, shade: Shade, what: &str) -> Bar {
    let lasted = if shade.is_end() {
        String::new()
    } else {
        format!(" for {}", axis::duration(to - from))
    };
    let title = format!("{what}{lasted}, from +{}", axis::duration(from));
    Bar {
        from,
        to,
        shade,
        title,
    }
}

/// Fills the times between bars that nothing is known of.
fn with_gaps(bars: Vec<Bar>) -> Vec<Bar> {
    let mut all: Vec<Bar> = Vec::with_capacity(bars.len());
    for next in bars {
        if let Some(last) = all.last()
            && last.to < next.from
        {
            all.push(bar(
                last.to,
                next.from,
                Shade::Unknown,
                Shade::Unknown.name(),
            ));
        }
        all.push(next);
    }
    all
}

fn points(marks: &[Mark], clock: Clock) -> Vec<Point> {
    let mut points = Vec::new();
    for mark in marks {
        let Some(sign) = Sign::of(mark) else { continue };
        for moment in std::iter::once(mark.time).chain(mark.last) {
            let at = clock.at(moment);
            let title = format!("+{} {}: {}", axis::duration(at), mark.reason, mark.message);
            points.push(Point { at, sign, title });
        }
    }
    points
}
