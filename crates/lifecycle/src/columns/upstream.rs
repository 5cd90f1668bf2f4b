//! Facts of upstream's `TestPrintPod` and `TestPrintPodWithRestartableInitContainer`
//! (`pkg/printers/internalversion/printers_test.go`, version of 2026): READY, STATUS and RESTARTS by the statuses.
//!
//! Phases that do not exist there (`podPhase`) are `Unknown` here.

use manifest::core::v1::PodPhase::{self, Failed, Pending, Running, Succeeded, Unknown};

use super::tests::*;
use super::*;

const NOW: i64 = 100 * 24 * 3600;

fn ago(seconds: i64) -> Time {
    Time::from_secs(NOW - seconds)
}

fn none(name: &str, ready: bool) -> ContainerStatus {
    ContainerStatus {
        state: None,
        ..running(name, ready)
    }
}

fn counted(mut status: ContainerStatus, count: i32) -> ContainerStatus {
    status.restart_count = count;
    status
}

fn starting(name: &str) -> ContainerStatus {
    ContainerStatus {
        started: Some(false),
        ..running(name, false)
    }
}

type Row = (
    PodPhase,
    Vec<ContainerStatus>,
    Vec<ContainerStatus>,
    &'static [&'static str],
    [&'static str; 3],
);

fn check_all(rows: Vec<Row>) {
    for (i, (phase, inits, apps, conditions, expected)) in rows.into_iter().enumerate() {
        let status = status(phase, &inits, &apps, conditions);
        let columns = columns(&spec(&inits, &apps), &status, false, Time::from_secs(NOW));
        let found = [&*columns.ready, &columns.status, &columns.restarts];
        assert_eq!(found, expected, "#{i}");
    }
}

#[test]
fn print_pod() {
    const DAY: i64 = 24 * 3600;
    let up = |name, count| counted(running(name, true), count);
    let waits = |reason| counted(waiting("b", reason), 3);
    let again = |status, count, age| restarted(status, count, ago(age));
    check_all(vec![
        (
            Unknown,
            vec![],
            vec![up("a", 3), counted(none("b", false), 3)],
            &[],
            ["1/2", "Unknown", "6"],
        ),
        (
            Unknown,
            vec![],
            vec![up("a", 3), waits("ContainerWaitingReason")],
            &[],
            ["1/2", "ContainerWaitingReason", "6"],
        ),
        (
            Unknown,
            vec![],
            vec![
                waits("ContainerWaitingReason"),
                counted(ended("c", 0, "ContainerTerminatedReason"), 3),
            ],
            &[],
            ["0/2", "ContainerWaitingReason", "6"],
        ),
        (
            Unknown,
            vec![],
            vec![up("a", 3), counted(none("b", true), 3)],
            &[],
            ["1/2", "Unknown", "6"],
        ),
        (
            Running,
            vec![],
            vec![counted(ended("a", 0, "Completed"), 3), up("b", 3)],
            &[],
            ["1/2", "NotReady", "6"],
        ),
        (
            Running,
            vec![],
            vec![counted(ended("a", 0, "Completed"), 3), up("b", 3)],
            &["Ready"],
            ["1/2", "Running", "6"],
        ),
        (
            Unknown,
            vec![again(running("i", false), 3, 10)],
            vec![waiting("a", "")],
            &[],
            ["0/1", "Init:0/1", "3 (10s ago)"],
        ),
        (
            Unknown,
            vec![again(running("i", false), 3, 10), waiting("j", "")],
            vec![waiting("a", "")],
            &[],
            ["0/1", "Init:0/2", "3 (10s ago)"],
        ),
        (
            Unknown,
            vec![ended("i", 0, ""), again(running("j", false), 3, 10)],
            vec![waiting("a", "")],
            &[],
            ["0/1", "Init:1/2", "3 (10s ago)"],
        ),
        (
            Unknown,
            vec![
                again(ended("i", 0, ""), 2, 120),
                again(running("j", false), 3, 10),
            ],
            vec![waiting("a", "")],
            &[],
            ["0/1", "Init:1/2", "5 (10s ago)"],
        ),
        (
            Running,
            vec![again(ended("i", 0, ""), 2, 120)],
            vec![again(running("a", false), 4, 20)],
            &[],
            ["0/1", "Running", "4 (20s ago)"],
        ),
        (
            Running,
            vec![],
            vec![again(running("a", true), 3, 5 * DAY)],
            &[],
            ["1/1", "Running", "3 (5d ago)"],
        ),
        (
            Running,
            vec![],
            vec![running("a", true), again(running("b", true), 3, 10 * DAY)],
            &[],
            ["2/2", "Running", "3 (10d ago)"],
        ),
        (
            Running,
            vec![],
            vec![
                again(running("a", true), 6, 5 * DAY),
                again(running("b", true), 3, 20 * DAY),
            ],
            &[],
            ["2/2", "Running", "9 (5d ago)"],
        ),
        (
            Succeeded,
            vec![],
            vec![ended("a", 0, "Completed")],
            &[],
            ["0/1", "Completed", "0"],
        ),
        (
            Failed,
            vec![],
            vec![ended("a", 1, "Error")],
            &[],
            ["0/1", "Error", "0"],
        ),
    ]);
}

/// Names that begin with `s` are sidecars.
#[test]
fn print_pod_with_restartable_init_container() {
    let again = |status, count, age| restarted(status, count, ago(age));
    check_all(vec![
        (
            Pending,
            vec![again(starting("s1"), 3, 10), waiting("s2", "")],
            vec![waiting("a", "")],
            &[],
            ["0/3", "Init:0/2", "3 (10s ago)"],
        ),
        (
            Pending,
            vec![again(running("s1", false), 3, 10), starting("s2")],
            vec![waiting("a", "")],
            &[],
            ["0/3", "Init:1/2", "3 (10s ago)"],
        ),
        (
            Running,
            vec![again(running("s1", false), 3, 10), running("s2", false)],
            vec![again(running("a", true), 4, 20)],
            &["Initialized"],
            ["1/3", "Running", "7 (10s ago)"],
        ),
        (
            Succeeded,
            vec![
                again(ended("s1", 137, "Error"), 3, 10),
                ended("s2", 137, "Error"),
            ],
            vec![again(ended("a", 0, "Completed"), 4, 20)],
            &["Initialized"],
            ["0/3", "Completed", "7 (10s ago)"],
        ),
    ]);
}

/// `test18` to `test20`: a deletion shows unless the Pod has ended.
#[test]
fn print_pod_that_is_deleted() {
    for (phase, apps, expected) in [
        (Succeeded, vec![ended("a", 0, "Completed")], "Completed"),
        (Running, vec![running("a", false)], "Terminating"),
        (Pending, vec![], "Terminating"),
    ] {
        let status = status(phase, &[], &apps, &[]);
        let spec = spec(&[], &[running("a", false)]);
        let columns = columns(&spec, &status, true, Time::from_secs(NOW));
        assert_eq!((&*columns.ready, &*columns.status), ("0/1", expected));
    }
}
