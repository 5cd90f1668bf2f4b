//! The columns as tables. Facts of upstream's `TestPrintPod` family are cited where they stand.

use manifest::core::v1::{
    Container, ContainerStateRunning, ContainerStateWaiting, PodCondition, PodPhase, RestartPolicy,
};

use super::*;

pub(super) fn running(name: &str, ready: bool) -> ContainerStatus {
    state(name, ready, |s| {
        s.running = Some(ContainerStateRunning::default());
    })
}

pub(super) fn waiting(name: &str, reason: &str) -> ContainerStatus {
    let reason = Some(reason.to_owned()).filter(|reason| !reason.is_empty());
    let waiting = ContainerStateWaiting {
        reason,
        message: None,
    };
    state(name, false, |s| s.waiting = Some(waiting))
}

pub(super) fn ended(name: &str, exit_code: i32, reason: &str) -> ContainerStatus {
    let reason = Some(reason.to_owned()).filter(|reason| !reason.is_empty());
    let end = ContainerStateTerminated {
        exit_code,
        reason,
        ..Default::default()
    };
    state(name, false, |s| s.terminated = Some(end))
}

fn state(name: &str, ready: bool, set: impl FnOnce(&mut ContainerState)) -> ContainerStatus {
    let mut state = ContainerState::default();
    set(&mut state);
    let (name, started) = (name.to_owned(), Some(state.running.is_some()));
    ContainerStatus {
        name,
        ready,
        started,
        state: Some(state),
        ..ContainerStatus::default()
    }
}

pub(super) fn restarted(
    mut status: ContainerStatus,
    count: i32,
    last_end: Time,
) -> ContainerStatus {
    status.restart_count = count;
    let finished_at = Some(last_end.to_meta());
    let terminated = ContainerStateTerminated {
        finished_at,
        ..Default::default()
    };
    let terminated = Some(terminated);
    status.last_state = Some(ContainerState {
        terminated,
        ..ContainerState::default()
    });
    status
}

/// Names beginning with `s` are sidecars.
pub(super) fn spec(inits: &[ContainerStatus], apps: &[ContainerStatus]) -> PodSpec {
    let container = |status: &ContainerStatus| {
        let always = status
            .name
            .starts_with('s')
            .then_some(RestartPolicy::Always);
        Container {
            name: status.name.clone(),
            restart_policy: always,
            ..Container::default()
        }
    };
    PodSpec {
        init_containers: inits.iter().map(container).collect(),
        containers: apps.iter().map(container).collect(),
        ..PodSpec::default()
    }
}

pub(super) fn status(
    phase: PodPhase,
    inits: &[ContainerStatus],
    apps: &[ContainerStatus],
    conditions: &[&str],
) -> PodStatus {
    let conditions = conditions.iter().map(|kind| PodCondition {
        type_: (*kind).to_owned(),
        status: ConditionStatus::True,
        ..PodCondition::default()
    });
    PodStatus {
        phase: Some(phase),
        init_container_statuses: inits.to_vec(),
        container_statuses: apps.to_vec(),
        conditions: conditions.collect(),
        ..PodStatus::default()
    }
}

#[track_caller]
fn check(
    phase: PodPhase,
    inits: &[ContainerStatus],
    apps: &[ContainerStatus],
    conditions: &[&str],
    expected: [&str; 3],
) {
    let status = status(phase, inits, apps, conditions);
    let Columns {
        ready,
        status,
        restarts,
    } = columns(&spec(inits, apps), &status, false, Time::from_secs(100));
    assert_eq!([ready.as_str(), &status, &restarts], expected);
}

#[test]
fn r12_1_status_reason_wins_over_the_phase() {
    let mut status = status(PodPhase::Failed, &[], &[], &[]);
    status.reason = Some("DeadlineExceeded".to_owned());
    let columns = columns(&PodSpec::default(), &status, false, Time(0));
    assert_eq!(columns.status, "DeadlineExceeded");
}

#[test]
fn r12_2_the_first_unfinished_init_entry_decides() {
    use PodPhase::{Failed, Pending};
    let apps = [waiting("a", "PodInitializing")];
    for (inits, expected) in [
        (vec![waiting("i", "PodInitializing")], "Init:0/1"),
        (
            vec![ended("i", 0, "Completed"), running("j", false)],
            "Init:1/2",
        ),
        (
            vec![ended("i", 1, "Error"), running("j", false)],
            "Init:Error",
        ),
        (vec![ended("i", 7, "")], "Init:ExitCode:7"),
        (
            vec![waiting("i", "CrashLoopBackOff")],
            "Init:CrashLoopBackOff",
        ),
        (vec![waiting("i", "")], "Init:0/1"),
    ] {
        let phase = if expected == "Init:Error" {
            Failed
        } else {
            Pending
        };
        check(phase, &inits, &apps, &[], ["0/1", expected, "0"]);
    }
    let signal = ContainerStateTerminated {
        signal: Some(9),
        exit_code: 137,
        ..Default::default()
    };
    let killed = state("i", false, |s| s.terminated = Some(signal));
    check(
        Pending,
        &[killed],
        &apps,
        &[],
        ["0/1", "Init:Signal:9", "0"],
    );
}

#[test]
fn r12_9_sidecars_count_in_both_numbers() {
    let inits = [
        ended("i", 0, "Completed"),
        running("s", true),
        running("j", false),
    ];
    let apps = [waiting("a", "PodInitializing")];
    check(
        PodPhase::Pending,
        &inits,
        &apps,
        &[],
        ["1/2", "Init:2/3", "0"],
    );
}

#[test]
fn r12_3_the_first_listed_app_wins() {
    let apps = [ended("a", 1, "Error"), ended("b", 0, "Completed")];
    check(PodPhase::Failed, &[], &apps, &[], ["0/2", "Error", "0"]);
    let apps = [running("a", true), waiting("b", "CrashLoopBackOff")];
    check(
        PodPhase::Running,
        &[],
        &apps,
        &[],
        ["1/2", "CrashLoopBackOff", "0"],
    );
}

#[test]
fn r12_4_completed_beside_a_running_app() {
    let apps = [ended("a", 0, "Completed"), running("b", true)];
    check(PodPhase::Running, &[], &apps, &[], ["1/2", "NotReady", "0"]);
    check(
        PodPhase::Running,
        &[],
        &apps,
        &["Ready"],
        ["1/2", "Running", "0"],
    );
    check(
        PodPhase::Succeeded,
        &[],
        &apps[..1],
        &[],
        ["0/1", "Completed", "0"],
    );
}

#[test]
fn r12_5_terminating_unless_terminal() {
    let apps = [running("a", true)];
    let status_of = |phase| {
        let status = status(phase, &[], &apps, &[]);
        columns(&spec(&[], &apps), &status, true, Time(0)).status
    };
    assert_eq!(status_of(PodPhase::Running), "Terminating");
    assert_eq!(status_of(PodPhase::Failed), "Failed");
}

#[test]
fn r12_6_sidecars_after_the_stopping_entry_are_not_counted() {
    let inits = [waiting("s", "CrashLoopBackOff"), running("s2", true)];
    let apps = [running("a", true)];
    let expected = ["1/3", "Init:CrashLoopBackOff", "0"];
    check(PodPhase::Running, &inits, &apps, &["Initialized"], expected);
}

#[test]
fn r12_7_restarts_of_inits_then_of_sidecars_and_apps() {
    let inits = [
        restarted(ended("i", 0, "Completed"), 3, Time::from_secs(90)),
        restarted(running("s", true), 2, Time::from_secs(95)),
    ];
    let apps = [restarted(running("a", true), 1, Time::from_secs(80))];
    let expected = ["2/2", "Running", "3 (5s ago)"];
    check(PodPhase::Running, &inits, &apps, &["Initialized"], expected);
    let inits = [restarted(running("i", false), 3, Time::from_secs(90))];
    let apps = [waiting("a", "PodInitializing")];
    check(
        PodPhase::Pending,
        &inits,
        &apps,
        &[],
        ["0/1", "Init:0/1", "3 (10s ago)"],
    );
}

#[test]
fn ages_read_as_in_kubectl() {
    for (seconds, text) in [
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (200, "3m20s"),
        (600, "10m"),
        (3 * 3600, "3h"),
        (3 * 3600 + 60, "3h1m"),
        (8 * 3600 + 60, "8h"),
        (49 * 3600, "2d1h"),
        (9 * 86400, "9d"),
        (800 * 86400, "2y70d"),
        (3000 * 86400, "8y"),
    ] {
        assert_eq!(human_duration(Duration::from_secs(seconds)), text);
    }
}

/// A sidecar that is down decides like any entry that is not done, until an app's own state overwrites it.
#[test]
fn r12_8_a_sidecar_in_a_crash_loop() {
    let loops = || vec![waiting("s", "CrashLoopBackOff")];
    let apps = vec![running("a", true)];
    let expected = ["1/2", "Init:CrashLoopBackOff", "0"];
    check(
        PodPhase::Running,
        &loops(),
        &apps,
        &["Initialized"],
        expected,
    );
    let apps = vec![ended("a", 1, "Error")];
    let expected = ["0/2", "Error", "0"];
    check(
        PodPhase::Running,
        &loops(),
        &apps,
        &["Initialized"],
        expected,
    );
}

#[test]
fn r20_14_all_containers_restart() {
    let inits = vec![ended("i", 0, "Completed")];
    let apps = vec![waiting("a", "RestartingAllContainers")];
    let expected = ["0/1", "RestartingAllContainers", "0"];
    check(PodPhase::Running, &inits, &apps, &["Initialized"], expected);
    let inits = vec![waiting("i", "RestartingAllContainers")];
    let expected = ["0/1", "Init:RestartingAllContainers", "0"];
    check(PodPhase::Pending, &inits, &apps, &[], expected);
}
