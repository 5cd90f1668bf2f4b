use manifest::core::v1::RestartPolicy;
use manifest::core::v1::{Container, PodSpec};

use super::*;
use crate::protocol::{Action, Exit, Input};
use crate::{Machine, Options};

/// A machine and the timeline that is told all it says, in a world of ready answers.
struct Watched {
    machine: Machine,
    timeline: PodTimeline,
}

fn pod() -> Pod {
    let container = |name: &str| Container {
        name: name.to_owned(),
        image: Some("x".to_owned()),
        ..Container::default()
    };
    let sidecar = Container {
        restart_policy: Some(RestartPolicy::Always),
        ..container("side")
    };
    let mut pod = Pod {
        spec: PodSpec {
            init_containers: vec![container("init"), sidecar],
            containers: vec![container("app")],
            ..PodSpec::default()
        },
        ..Pod::default()
    };
    pod.metadata.name = Some("pod".to_owned());
    pod
}

/// The same, of which the app has a postStart hook.
fn hooked() -> Pod {
    let mut pod = pod();
    let hook = serde_json::json!({"postStart": {"exec": {"command": ["x"]}}});
    pod.spec.containers[0].lifecycle = Some(serde_json::from_value(hook).expect("a hook"));
    pod
}

impl Watched {
    fn new() -> Self {
        Self::of(pod())
    }

    fn of(pod: Pod) -> Self {
        let timeline = PodTimeline::new(&pod, Time(0));
        let machine = Machine::new(pod.into(), Options::default(), Time(0));
        let mut watched = Self { machine, timeline };
        watched.step(Input::Wake, 0);
        watched
    }

    /// Steps, and answers every start and sandbox at once.
    fn step(&mut self, input: Input, ms: i64) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            for action in self.machine.step(input, Time(ms)) {
                match action {
                    Action::CreateSandbox => inputs.push(Input::SandboxReady { ips: Vec::new() }),
                    Action::StopSandbox => inputs.push(Input::SandboxStopped),
                    Action::Start {
                        container,
                        instance,
                    } => inputs.push(Input::Started {
                        container,
                        instance,
                        container_id: String::new(),
                        image_id: String::new(),
                        image: String::new(),
                    }),
                    Action::Emit(event) => self.timeline.event(&event, Time(ms)),
                    _ => {}
                }
            }
            let mut pod = Pod::clone(self.machine.pod());
            pod.status = Some(self.machine.status(Time(ms)));
            self.timeline.observe(&pod, Time(ms));
            self.timeline.observe_machine(&self.machine, Time(ms));
        }
    }

    fn exit(&mut self, container: &str, instance: u32, code: i32, ms: i64) {
        let exit = Exit {
            code,
            ..Exit::default()
        };
        let container = container.to_owned();
        let message = None;
        let input = Input::Exited {
            container,
            instance,
            exit,
            message,
        };
        self.step(input, ms);
    }

    /// A container's spans as `from-to state reason code #restart`, in ms.
    fn spans(&self, name: &str) -> Vec<String> {
        let container = self.timeline.containers.iter().find(|c| c.name == name);
        let spans = container.expect("a container").spans.iter();
        spans
            .map(|span| {
                let state = &span.state;
                let to = span.to.map(ms).map(|ms| ms.to_string()).unwrap_or_default();
                let code = state.exit_code.map(|code| format!(" {code}"));
                format!(
                    "{}-{to} {:?} {}{} #{}",
                    ms(span.from),
                    state.state,
                    state.reason.as_deref().unwrap_or("-"),
                    code.unwrap_or_default(),
                    state.restart
                )
            })
            .collect()
    }
}

fn ms(time: MicroTime) -> i64 {
    time.0.as_millisecond()
}

fn again(timeline: &PodTimeline) -> PodTimeline {
    let text = serde_json::to_string(timeline).expect("it can be written");
    serde_json::from_str(&text).expect("and read")
}

#[test]
fn the_life_of_a_pod() {
    let mut watched = Watched::new();
    watched.exit("init", 0, 0, 1500);
    watched.exit("app", 0, 3, 4000);
    assert_eq!(
        watched.spans("init"),
        [
            "0-0 Waiting PodInitializing #0",
            "0-1500 Running - #0",
            "1500- Terminated Completed 0 #0"
        ]
    );
    assert_eq!(
        watched.spans("side"),
        ["0-1500 Waiting PodInitializing #0", "1500- Ready - #0"]
    );
    assert_eq!(
        watched.spans("app"),
        [
            "0-1500 Waiting PodInitializing #0",
            "1500-4000 Ready - #0",
            "4000-4000 Terminated Error 3 #0",
            "4000- Ready - #1"
        ]
    );
    let timeline = &watched.timeline;
    let phases: Vec<_> = timeline.phases.iter().map(|s| s.state.phase).collect();
    assert_eq!(phases, [PodPhase::Pending, PodPhase::Running]);
    let ready = timeline.ready.iter().map(|s| (ms(s.from), s.state.status));
    assert_eq!(
        ready.collect::<Vec<_>>(),
        [
            (0, ConditionStatus::False),
            (1500, ConditionStatus::True),
            (4000, ConditionStatus::False),
            (4000, ConditionStatus::True)
        ]
    );
    let roles: Vec<_> = timeline.containers.iter().map(|c| c.role).collect();
    assert_eq!(roles, [Role::Init, Role::Sidecar, Role::App]);
    let marks = &timeline.containers[2].marks;
    assert_eq!((ms(marks[0].time), &*marks[0].reason), (1500, "Started"));
    assert_eq!((marks[0].count, marks[0].last.map(ms)), (2, Some(4000)));
}

#[test]
fn a_process_runs_while_its_post_start_hook_does() {
    for (result, after) in [
        (
            Ok(()),
            ["1000-4500 Running - #0", "4500- Ready - #0"].as_slice(),
        ),
        (
            Err("no".to_owned()),
            &[
                "1000-4600 Running - #0",
                "4600-4600 Terminated Error 137 #0",
                "4600-4600 Waiting PostStartHookError #0",
                "4600- Running - #1",
            ],
        ),
    ] {
        let failed = result.is_err();
        let mut watched = Watched::of(hooked());
        watched.exit("init", 0, 0, 1000);
        // Another container's news does not end it.
        watched.exit("side", 0, 1, 3000);
        let (container, hook) = ("app".to_owned(), HookKind::PostStart);
        let instance = 0;
        watched.step(
            Input::HookDone {
                container,
                instance,
                hook,
                result,
            },
            4500,
        );
        if failed {
            watched.exit("app", 0, 137, 4600);
        }
        assert_eq!(watched.spans("app")[1..], *after);
    }
}

#[test]
fn it_reads_as_kubernetes_objects_do() {
    let mut watched = Watched::new();
    watched.exit("init", 0, 0, 1500);
    let command = ["sh".to_owned(), "-c".to_owned()];
    watched.timeline.command("init", &command);
    let value = serde_json::to_value(&watched.timeline).expect("it can be written");
    assert_eq!(value["apiVersion"], "pillion.dev/v1");
    assert_eq!(value["kind"], "PodTimeline");
    assert_eq!(value["metadata"], serde_json::json!({ "name": "pod" }));
    assert_eq!(value["from"], "1970-01-01T00:00:00.000000Z");
    assert_eq!(
        value["containers"][0]["spans"][2],
        serde_json::json!({
            "from": "1970-01-01T00:00:01.500000Z",
            "state": "terminated",
            "reason": "Completed",
            "exitCode": 0,
            "restart": 0
        })
    );
    let command = |i: usize| &value["containers"][i]["command"];
    assert_eq!(*command(0), serde_json::json!(["sh", "-c"]));
    assert!(command(1).is_null(), "it was not started yet");
    let role = |i: usize| &value["containers"][i]["role"];
    assert_eq!((role(0), role(1)), (&"init".into(), &"sidecar".into()));
    assert_eq!(role(2), "container");
    assert_eq!(
        value["containers"][2]["marks"][0],
        serde_json::json!({
            "time": "1970-01-01T00:00:01.500000Z",
            "type": "Normal",
            "reason": "Started",
            "message": "Started container app"
        })
    );
}

#[test]
fn it_goes_on_where_it_was_written_down() {
    let (mut whole, mut halved) = (Watched::new(), Watched::new());
    for watched in [&mut whole, &mut halved] {
        watched.exit("init", 0, 0, 1500);
    }
    halved.timeline = again(&halved.timeline);
    for watched in [&mut whole, &mut halved] {
        watched.exit("app", 0, 1, 2500);
        watched.exit("app", 1, 1, 3500);
    }
    assert_eq!(whole.timeline, halved.timeline);
    assert_eq!(whole.timeline, again(&whole.timeline));
}

#[test]
fn what_nobody_watched_is_left_open() {
    let mut watched = Watched::new();
    watched.exit("init", 0, 0, 1500);
    watched.timeline.interrupt(Time(9000));
    watched.timeline = again(&watched.timeline);
    watched.step(Input::Wake, 20_000);
    assert_eq!(
        watched.spans("app")[1..],
        ["1500-9000 Ready - #0", "20000- Ready - #0"]
    );
}

#[test]
fn a_crash_loop_of_days_stays_small() {
    let mut watched = Watched::new();
    watched.exit("init", 0, 0, 0);
    let mut now = 0;
    for instance in 0..2000 {
        now += 700_000;
        watched.exit("app", instance, 1, now);
    }
    let timeline = &watched.timeline;
    let app = &timeline.containers[2];
    assert_eq!((app.spans.len(), app.marks.len()), (MOST, 1));
    assert_eq!(app.marks[0].count, 2001);
    assert_eq!(app.spans.len() as u64 + app.dropped, 2 + 2 * 2000);
    assert_eq!((app.spans[0].state.restart, ms(app.spans[0].from)), (0, 0));
    let last = app.spans.last().expect("spans");
    assert_eq!((last.state.restart, ms(last.from)), (2000, now));
    // The Pod's own lists are bounded as well.
    assert_eq!(timeline.ready.len(), MOST);
    assert_eq!(timeline.ready.len() as u64 + timeline.dropped, 2 + 2 * 2000);
    let size = serde_json::to_string(timeline).expect("written").len();
    assert!(size < 64 << 10, "{size} bytes");
}

#[test]
fn marks_are_cut_and_bounded() {
    let mut timeline = PodTimeline::new(&pod(), Time(0));
    for n in 0..1000 {
        let text = format!("{n} {}", "ä".repeat(9000));
        let event = PodEvent::new(EventKind::Warning, "Unhealthy", text, None);
        timeline.event(&event, Time(n));
    }
    assert_eq!((timeline.marks.len(), timeline.dropped), (MOST, 872));
    assert!(
        timeline
            .marks
            .iter()
            .all(|m| m.message.len() <= MESSAGE_BYTES)
    );
    assert!(timeline.marks[FIRST - 1].message.starts_with("31 "));
    assert!(timeline.marks[FIRST].message.starts_with("904 "));
}

#[test]
fn it_ends_with_the_pod_and_not_before() {
    let mut watched = Watched::new();
    watched.exit("init", 0, 0, 1000);
    assert_eq!(ms(watched.timeline.up_to(Time(5000)).to), 5000);
    assert_eq!(ms(watched.timeline.to), 1000);
    let mut pod = pod();
    pod.status = Some(PodStatus {
        phase: Some(PodPhase::Failed),
        ..PodStatus::default()
    });
    pod.metadata.deletion_timestamp = Some(Time(6000).to_meta());
    watched.timeline.observe(&pod, Time(6000));
    assert!(watched.timeline.has_ended());
    assert_eq!(ms(watched.timeline.up_to(Time(90_000)).to), 6000);
    assert!(watched.timeline.metadata.deletion_timestamp.is_some());
    // A clock that went back.
    watched.timeline.observe(&pod, Time(10));
    assert_eq!(ms(watched.timeline.to), 6000);
}

#[test]
fn every_crash_of_a_loop_has_its_end() {
    let mut watched = Watched::new();
    watched.exit("init", 0, 0, 0);
    watched.exit("app", 0, 3, 1000);
    // From the second crash on it is held back: it waits, and its end is the last state.
    watched.exit("app", 1, 4, 2000);
    watched.step(Input::Wake, 12_000);
    watched.exit("app", 2, 5, 13_000);
    watched.step(Input::Wake, 14_000);
    assert_eq!(
        watched.spans("app")[1..],
        [
            "0-1000 Ready - #0",
            "1000-1000 Terminated Error 3 #0",
            "1000-2000 Ready - #1",
            "2000-2000 Terminated Error 4 #1",
            "2000-12000 Waiting CrashLoopBackOff #1",
            "12000-13000 Ready - #2",
            "13000-13000 Terminated Error 5 #2",
            "13000- Waiting CrashLoopBackOff #2"
        ]
    );
}

#[test]
fn an_end_may_come_with_the_next_run() {
    let told = |restart: i32, last: serde_json::Value| {
        let mut pod = pod();
        let status = serde_json::json!({"phase": "Running", "containerStatuses": [{
            "name": "app", "image": "x", "imageID": "", "ready": true, "started": true,
            "restartCount": restart, "state": {"running": {}}, "lastState": last
        }]});
        pod.status = Some(serde_json::from_value(status).expect("a status"));
        pod
    };
    let mut watched = Watched::new();
    watched.timeline = PodTimeline::new(&told(0, serde_json::json!({})), Time(0));
    let last = serde_json::json!({"terminated": {"exitCode": 7, "reason": "Error"}});
    for now in [500, 600] {
        watched.timeline.observe(&told(1, last.clone()), Time(now));
    }
    assert_eq!(
        watched.spans("app"),
        [
            "0-500 Ready - #0",
            "500-500 Terminated Error 7 #0",
            "500- Ready - #1"
        ]
    );
}

#[test]
fn what_has_ended_is_not_interrupted() {
    let mut watched = Watched::new();
    watched.exit("init", 0, 0, 1000);
    // A container that has ended stays so, whoever watches.
    watched.timeline.interrupt(Time(2000));
    watched.step(Input::Wake, 5000);
    assert_eq!(
        watched.spans("init")[2..],
        ["1000- Terminated Completed 0 #0"]
    );
    let mut pod = pod();
    pod.status = Some(PodStatus {
        phase: Some(PodPhase::Succeeded),
        ..PodStatus::default()
    });
    watched.timeline.observe(&pod, Time(6000));
    let ended = watched.timeline.clone();
    watched.timeline.interrupt(Time(7000));
    watched.timeline.observe(&pod, Time(8000));
    assert_eq!(watched.timeline, ended);
}
