use jiff::Timestamp;
use lifecycle::timeline::{
    ContainerStage, ContainerState, ContainerTimeline, HookState, Mark, PROBE_SUCCEEDED,
    PodTimeline, Span,
};
use lifecycle::{EventKind, Role};
use manifest::meta::v1::MicroTime;
use proptest::prelude::*;
use serde_json::json;

use super::*;

/// A Pod with an init container, a sidecar, and an app whose probe fails until it is killed, twice.
fn crashing() -> PodTimeline {
    let time = |ms: i64| {
        lifecycle::Time(1_700_000_000_000 + ms)
            .to_timestamp()
            .strftime("%Y-%m-%dT%H:%M:%S.%6fZ")
            .to_string()
    };
    let span = |from: i64, to: Option<i64>, state: serde_json::Value| {
        let mut span = state;
        span["from"] = time(from).into();
        if let Some(to) = to {
            span["to"] = time(to).into();
        }
        span
    };
    let mark = |at: i64, kind: &str, reason: &str, message: &str| json!({"time": time(at), "type": kind, "reason": reason, "message": message});
    let unhealthy = |at: i64, last: i64| {
        let mut mark = mark(
            at,
            "Warning",
            "Unhealthy",
            "Liveness probe failed: HTTP probe failed with statuscode: 500",
        );
        mark["count"] = 3.into();
        mark["last"] = time(last).into();
        mark
    };
    serde_json::from_value(json!({
        "apiVersion": "pillion.dev/v1", "kind": "PodTimeline",
        "metadata": {"name": "web", "namespace": "default"},
        "from": time(0), "to": time(72_000),
        "phases": [span(0, Some(812), json!({"phase": "Pending"})), span(812, None, json!({"phase": "Running"}))],
        "ready": [
            span(0, Some(5_000), json!({"status": "False", "reason": "ContainersNotReady"})), span(5_000, Some(30_000), json!({"status": "True"})),
            span(30_000, Some(45_000), json!({"status": "False", "reason": "ContainersNotReady"})), span(45_000, None, json!({"status": "True"})),
        ],
        "marks": [],
        "containers": [
            {"name": "setup", "role": "init", "spans": [
                span(0, Some(10), json!({"state": "waiting", "reason": "PodInitializing", "restart": 0})), span(10, Some(800), json!({"state": "running", "restart": 0})),
                span(800, None, json!({"state": "terminated", "reason": "Completed", "exitCode": 0, "restart": 0})),
            ], "marks": [mark(10, "Normal", "Started", "Started container setup")]},
            {"name": "proxy", "role": "sidecar", "spans": [
                span(0, Some(805), json!({"state": "waiting", "reason": "PodInitializing", "restart": 0})), span(805, Some(3_000), json!({"state": "running", "restart": 0})),
                span(3_000, None, json!({"state": "ready", "restart": 0})),
            ], "marks": [mark(805, "Normal", "Started", "Started container proxy")]},
            {"name": "web", "role": "container", "spans": [
                span(0, Some(3_000), json!({"state": "waiting", "reason": "PodInitializing", "restart": 0})), span(3_000, Some(5_000), json!({"state": "started", "restart": 0})),
                span(5_000, Some(30_000), json!({"state": "ready", "restart": 0})), span(30_000, Some(30_001), json!({"state": "terminated", "reason": "Error", "exitCode": 137, "restart": 0})),
                span(30_001, Some(42_000), json!({"state": "waiting", "reason": "CrashLoopBackOff", "restart": 0})), span(42_000, Some(45_000), json!({"state": "started", "restart": 1})),
                span(45_000, None, json!({"state": "ready", "restart": 1})),
            ], "marks": [
                mark(3_000, "Normal", "Started", "Started container web"), unhealthy(22_000, 28_000),
                mark(28_000, "Normal", "Killing", "Container web failed liveness probe, will be restarted"),
                mark(30_500, "Warning", "BackOff", "Back-off restarting failed container web in pod web"), mark(42_000, "Normal", "Started", "Started container web"),
                mark(60_000, "Warning", "Odd", "<b>&\"quoted\"\u{1b}[31m\u{fffe}\nsecond line"),
            ]},
        ],
    }))
    .unwrap()
}

const PLAIN: Look = Look {
    width: 80,
    color: false,
    unicode: false,
};

#[test]
fn as_plain_text() {
    let expected = "\
default/web - Running, ready - 1m12s from 2023-11-14 22:13:20 UTC

              0            15s           30s           45s           1m
              +------------+-------------+-------------+-------------+----------
pod           =====#######################=============#########################
init    setup v
sidecar proxy ---###############################################################
app     web   ..===######################x~~~~~~~~~~===#########################
                                  !    k b          r                w

. waiting   ~ back-off   - running   = not ready   # ready   v ended   x failed
! probe failed   k killed   b held back   r restarted   w warning

  +0ms  pod    Pending
 +10ms  setup  Started    Started container setup
+800ms  setup  ended      Completed, exit code 0, ran 790ms
+805ms  proxy  Started    Started container proxy
+812ms  pod    Running
   +3s  proxy  ready
   +3s  web    Started    Started container web
   +5s  pod    ready
   +5s  web    ready
  +22s  web    Unhealthy  Liveness probe failed: HTTP probe failed with
                          statuscode: 500 (x3 until +28s)
  +28s  web    Killing    Container web failed liveness probe, will be restarted
  +30s  pod    not ready  ContainersNotReady
  +30s  web    ended      Error, exit code 137, ran 27s
+30.5s  web    BackOff    Back-off restarting failed container web in pod web
  +42s  web    Started    Started container web
  +45s  pod    ready
  +45s  web    ready
+1m00s  web    Odd        <b>&\"quoted\"^[[31m\u{fffe}...
";
    assert_eq!(text(&crashing(), PLAIN), expected);
}

#[test]
fn colours_change_nothing_else() {
    let unicode = Look {
        unicode: true,
        ..PLAIN
    };
    let colored = Look {
        color: true,
        ..unicode
    };
    let colored = text(&crashing(), colored);
    let mut bare = String::new();
    for (position, part) in colored.split('\u{1b}').enumerate() {
        let part = if position == 0 {
            part
        } else {
            part.split_once('m').unwrap().1
        };
        bare.push_str(part);
    }
    assert_eq!(bare, text(&crashing(), unicode));
    let web = "app     web   ░░▓▓▓██████████████████████✘╌╌╌╌╌╌╌╌╌╌▓▓▓█████████████████████████\n";
    assert!(bare.contains(web), "{bare}");
}

#[test]
fn a_crash_loop_shows_ends_and_what_is_between() {
    let mut timeline = crashing();
    let web = &mut timeline.containers[2];
    let [ready, ended, held] = [2, 3, 4].map(|at| web.spans[at].clone());
    let at = |seconds: i64| MicroTime(Timestamp::from_second(1_700_000_000 + seconds).unwrap());
    web.spans.clear();
    web.marks.clear();
    web.dropped = 7;
    for round in 0..20 {
        let start = i64::from(round) * 3600;
        for (span, from, to) in [(&ready, 0, 60), (&ended, 60, 61), (&held, 61, 3600)] {
            let mut span = span.clone();
            (span.from, span.to) = (at(start + from), Some(at(start + to)));
            span.state.restart = round;
            web.spans.push(span);
        }
    }
    // Half of it nobody saw.
    web.spans.drain(20..50);
    timeline.to = at(20 * 3600);
    let text = text(&timeline, PLAIN);
    let row = text.lines().find(|line| line.starts_with("app")).unwrap();
    assert_eq!(
        row,
        "app     web   x~~x~~x~~x~~~x~~x~~x?????????????????????????????????~~~x~~x~~x~~~"
    );
    assert!(text.contains("7 entries left out"), "{text}");
}

#[test]
fn as_svg() {
    let svg = svg(&crashing());
    let document = roxmltree::Document::parse(&svg).unwrap();
    let named = |name: &'static str| {
        document
            .descendants()
            .filter(move |node| node.has_tag_name(name))
    };
    assert_eq!(
        named("script").count() + named("image").count() + named("foreignObject").count(),
        0
    );
    let texts = named("text")
        .filter_map(|node| node.text())
        .collect::<Vec<_>>();
    for expected in [
        "default/web",
        "setup",
        "30s",
        "+22s",
        "back-off",
        "<b>&\"quoted\"^[[31m\u{fffd}...",
    ] {
        assert!(texts.contains(&expected), "{expected} in {texts:?}");
    }
    let titles = named("title")
        .filter_map(|node| node.text())
        .collect::<Vec<_>>();
    for expected in [
        "ended: Error, exit code 137, from +30s",
        "waiting: CrashLoopBackOff for 11.9s, from +30s",
        "restarted, 1 in all",
        "+22s Unhealthy: Liveness probe failed: HTTP probe failed with statuscode: 500",
    ] {
        assert!(titles.contains(&expected), "{expected} in {titles:?}");
    }
    // What is referred to is there.
    for node in named("use") {
        let target = node.attribute("href").unwrap().trim_start_matches('#');
        assert!(
            document
                .descendants()
                .any(|node| node.attribute("id") == Some(target)),
            "{target}"
        );
    }
}

/// A Pod whose app has run and whose sidecar was stopped then.
fn completed(code: i32) -> PodTimeline {
    let mut timeline = crashing();
    let at = |ms: i64| MicroTime(Timestamp::from_millisecond(1_700_000_000_000 + ms).unwrap());
    let [mut app, mut proxy] = [2, 1].map(|i| timeline.containers[i].clone());
    for (container, end, code) in [(&mut app, 71_000, 0), (&mut proxy, 72_000, code)] {
        let mut ended = container.spans[1].clone();
        container.spans.truncate(2);
        container.marks.truncate(1);
        container.spans[1].to = Some(at(end));
        (ended.from, ended.to) = (at(end), None);
        ended.state.state = ContainerStage::Terminated;
        ended.state.reason = Some("Error".to_owned());
        ended.state.exit_code = Some(code);
        container.spans.push(ended);
    }
    let mut stop = proxy.marks[0].clone();
    stop.time = at(72_000);
    "Killing".clone_into(&mut stop.reason);
    "Stopping container proxy".clone_into(&mut stop.message);
    proxy.marks.push(stop);
    timeline.containers = vec![proxy, app];
    timeline
}

/// What the SVG refers to and draws, by class, and where it stands.
fn shapes(svg: &str) -> Vec<(String, f64)> {
    let document = roxmltree::Document::parse(svg).unwrap();
    let shapes = document.descendants().filter_map(|node| {
        let x = node.attribute("x")?.parse().ok()?;
        Some((node.attribute("class")?.to_owned(), x))
    });
    shapes.collect()
}

#[test]
fn a_sidecar_that_was_told_to_stop_has_not_failed() {
    for (code, expected) in [(0, "succeeded"), (143, "stopped"), (1, "failed")] {
        let timeline = completed(code);
        let svg = svg(&timeline);
        let shapes = shapes(&svg);
        let has = |class: &str| shapes.iter().any(|(of, _)| of == class);
        assert!(has(expected) && has("stopping"), "{code}: {svg}");
        assert!(!has("killing"), "{code}: {svg}");
        assert_eq!(has("failed"), code == 1, "{code}: {svg}");
        // The mark of the end keeps within the axis.
        for (class, reach) in [(expected, 8.0), ("stopping", 5.0)] {
            let of_class = shapes.iter().filter(|(of, _)| of == class);
            let last = of_class.map(|(_, x)| *x).fold(0.0, f64::max);
            assert!(last > 900.0 && last + reach <= 1016.0, "{class} at {last}");
        }
        let text = text(&timeline, PLAIN);
        assert_eq!(text.contains("x failed"), code == 1, "{text}");
        assert!(!text.contains("killed"), "{text}");
    }
}

#[test]
fn the_legend_tells_of_what_is_seen() {
    let mut timeline = crashing();
    // A wait too short to be seen, and a mark that a graver one covers.
    let web = &mut timeline.containers[2];
    web.spans[4].to = Some(web.spans[4].from);
    web.spans[5].from = web.spans[4].from;
    web.marks[3].time = web.marks[2].time;
    let text = text(&timeline, PLAIN);
    for hidden in ["~ back-off", "b held back"] {
        assert!(!text.contains(hidden), "{text}");
    }
    let svg = svg(&timeline);
    for hidden in [">back-off<", ">held back<"] {
        assert!(!svg.contains(hidden), "{svg}");
    }
    assert!(svg.contains(">killed<"), "{svg}");
}

#[test]
fn a_long_name_is_cut_visibly_in_the_list() {
    let mut timeline = crashing();
    timeline.containers[2].name = "n".repeat(40);
    let svg = svg(&timeline);
    let cut = format!(">{}…<", "n".repeat(27));
    // In its row, and in each of its lines.
    assert!(svg.matches(&cut).count() > 5, "{svg}");
    assert!(!svg.contains(&format!(">{}<", "n".repeat(28))), "{svg}");
}

#[test]
fn a_container_is_started_before_it_is_ready() {
    let mut timeline = crashing();
    let web = &mut timeline.containers[2];
    let started = web.marks[0].time;
    let earlier = Timestamp::from_microsecond(started.0.as_microsecond() - 3000).unwrap();
    web.spans[1].from = MicroTime(earlier);
    web.spans[1].state.state = ContainerStage::Ready;
    let text = text(&timeline, PLAIN);
    let list = text
        .lines()
        .filter(|line| line.trim_start().starts_with('+'));
    let of_web = list.filter(|line| line.contains("  web  "));
    let first = of_web.take(2).map(str::trim).collect::<Vec<_>>();
    assert!(
        first[0].contains("Started") && first[1].ends_with("ready"),
        "{text}"
    );
}

/// Any moment within some years, most of them close to each other.
#[test]
fn several_pods_stand_on_one_axis() {
    let mut job = completed(1);
    job.metadata.name = Some("job".to_owned());
    let text = text_of_all(&[crashing(), job], PLAIN);
    let heads: Vec<_> = text.lines().take(2).collect();
    assert!(heads[0].starts_with("default/web - Running, ready - 1m12s from 2023-11-14"));
    assert!(heads[1].starts_with("default/job - "), "{text}");
    assert_eq!(text.lines().filter(|line| line.contains("+---")).count(), 1);
    let labels: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with("pod "))
        .collect();
    assert!(labels[0].starts_with("pod     web ") && labels[1].starts_with("pod     job "));
    assert!(
        text.contains("  web/proxy  ready") && text.contains("  job  "),
        "{text}"
    );
}

#[test]
fn hooks_and_probes_are_marked() {
    let mut timeline = crashing();
    let web = &mut timeline.containers[2];
    let at = |ms: i64| MicroTime(lifecycle::Time(1_700_000_000_000 + ms).to_timestamp());
    web.hooks.push(Span {
        from: at(45_000),
        to: Some(at(52_000)),
        state: HookState {
            hook: "preStop".to_owned(),
        },
    });
    web.marks.insert(
        0,
        Mark {
            reason: PROBE_SUCCEEDED.to_owned(),
            message: "Readiness probe succeeded".to_owned(),
            time: at(5_000),
            kind: EventKind::Normal,
            ..web.marks[0].clone()
        },
    );
    let text = text(&timeline, PLAIN);
    let marks = "                  +               !    k b          r  hhhhhhh       w";
    assert!(text.contains(marks), "{text}");
    assert!(
        text.contains("  web    preStop         took 7s\n"),
        "{text}"
    );
    let svg = svg(&timeline);
    assert!(svg.contains(r#"<rect class="hook""#) && svg.contains("preStop hook for 7s"));
    assert!(svg.contains(r##"<use href="#healthy""##));
}

#[test]
fn what_comes_again_and_again_is_folded() {
    let mut timeline = crashing();
    let at = |ms: i64| MicroTime(lifecycle::Time(1_700_000_000_000 + ms).to_timestamp());
    let marks = &mut timeline.containers[1].marks;
    let odd = marks[0].clone();
    marks.extend((0..500).map(|n| Mark {
        time: at(4_000 + n),
        reason: "Pulled".to_owned(),
        message: format!("try {n}"),
        ..odd.clone()
    }));
    let text = text(&timeline, PLAIN);
    let tries: Vec<_> = text
        .lines()
        .filter_map(|line| line.split_once("try "))
        .map(|(_, n)| n)
        .collect();
    assert_eq!(tries, ["0", "1", "498", "499"]);
    assert!(text.contains("more of these were left out here"), "{text}");
    assert!(text.contains("Unhealthy"), "what came once is told");
}

fn moment() -> impl Strategy<Value = MicroTime> {
    let micros = prop_oneof![0..1000i64, 0..100_000_000i64, 0..100_000_000_000_000i64];
    micros.prop_map(|micros| MicroTime(Timestamp::from_microsecond(micros).unwrap()))
}

fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,12}",
        "[<>&\"'\\x00-\\x20\\x7f\u{85}\u{9b}\u{202e}\u{fffe}\u{ffff}é日]{0,20}",
        ".{0,60}"
    ]
}

fn container() -> impl Strategy<Value = ContainerTimeline> {
    let stage = prop_oneof![
        Just(ContainerStage::Waiting),
        Just(ContainerStage::Running),
        Just(ContainerStage::Started),
        Just(ContainerStage::Ready),
        Just(ContainerStage::Terminated)
    ];
    let state = (
        stage,
        proptest::option::of(hostile()),
        proptest::option::of(any::<i32>()),
        any::<i32>(),
    );
    let state = state.prop_map(|(state, reason, exit_code, restart)| ContainerState {
        state,
        reason,
        exit_code,
        restart,
    });
    let span = (moment(), proptest::option::of(moment()), state);
    let span = span.prop_map(|(from, to, state)| Span { from, to, state });
    let mark = (
        moment(),
        proptest::option::of(moment()),
        any::<u32>(),
        any::<bool>(),
        hostile(),
        hostile(),
    );
    let mark = mark.prop_map(|(time, last, count, normal, reason, message)| Mark {
        time,
        last,
        count,
        kind: if normal {
            EventKind::Normal
        } else {
            EventKind::Warning
        },
        reason,
        message,
    });
    let hook = (moment(), proptest::option::of(moment()), hostile());
    let hook = hook.prop_map(|(from, to, hook)| Span {
        from,
        to,
        state: HookState { hook },
    });
    let lists = (
        proptest::collection::vec(span, 0..12),
        proptest::collection::vec(mark, 0..6),
        proptest::collection::vec(hook, 0..4),
    );
    let all = (hostile(), lists, any::<u64>());
    all.prop_map(|(name, (spans, marks, hooks), dropped)| ContainerTimeline {
        name,
        role: Role::Sidecar,
        command: Vec::new(),
        spans,
        marks,
        hooks,
        dropped,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Nothing that a timeline holds breaks the picture, however little sense it makes.
    #[test]
    fn hostile_timelines_are_drawn(
        (from, to) in (moment(), moment()), containers in proptest::collection::vec(container(), 0..4), name in hostile(), width in 0..200usize,
    ) {
        let mut timeline = crashing();
        timeline.metadata.name = Some(name);
        (timeline.from, timeline.to, timeline.containers) = (from, to, containers);
        let svg = svg(&timeline);
        prop_assert!(roxmltree::Document::parse(&svg).is_ok(), "{svg}");
        let text = text(&timeline, Look { width, color: false, unicode: true });
        prop_assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
        // Rows, axis and legend keep to the width.
        let both = [timeline, crashing()];
        prop_assert!(roxmltree::Document::parse(&svg_of_all(&both)).is_ok());
        let all = text_of_all(&both, Look { width, color: false, unicode: false });
        prop_assert!(!all.contains('\u{1b}'), "{all:?}");
        let chart = text.lines().skip(1).take_while(|line| !line.trim_start().starts_with('+'));
        for line in chart.filter(|line| !line.ends_with("left out")) {
            prop_assert!(line.chars().count() <= width.max(80), "{line}");
        }
    }
}
