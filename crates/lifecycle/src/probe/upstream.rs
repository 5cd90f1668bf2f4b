//! Facts of upstream's tests of probe workers (`pkg/kubelet/prober/worker_test.go`, Kubernetes 1.36.2).

use ProbeKind::{Liveness, Readiness, Startup};
use ProbeOutcome::{Failure, Success};

use super::*;

fn worker(kind: ProbeKind, success: i32, failure: i32) -> Worker {
    let probe = Probe {
        success_threshold: Some(success),
        failure_threshold: Some(failure),
        ..Probe::default()
    };
    let mut worker = Worker::new(kind, &probe);
    worker.attach(0);
    worker
}

/// One run, if the worker makes one; the published result after it.
fn run(worker: &mut Worker, instance: Instance, outcome: ProbeOutcome) -> Option<bool> {
    let started = worker.kind != Startup;
    worker.arm(started, Time(0), Time(0));
    if worker.due(started).is_some() {
        worker.begin(Time(0));
        worker.answer(instance, outcome, started, Time(0));
    }
    worker.result
}

fn in_a_row(worker: &Worker) -> u32 {
    worker.streak().map_or(0, |(_, count)| count)
}

/// `TestInitialDelay`: before the first run.
#[test]
fn initial_results() {
    let results = [Liveness, Readiness, Startup].map(|kind| worker(kind, 1, 1).result);
    assert_eq!(results, [Some(true), Some(false), None]);
}

/// `TestFailureThreshold`, `TestSuccessThreshold`
#[test]
fn thresholds() {
    let mut failures = worker(Readiness, 1, 3);
    let mut successes = worker(Readiness, 3, 1);
    for _ in 0..2 {
        let results = [
            Success, Success, Success, Failure, Failure, Failure, Failure, Failure,
        ]
        .map(|outcome| run(&mut failures, 0, outcome) == Some(true));
        assert_eq!(results, [true, true, true, true, true, false, false, false]);
        let results = [Success, Success, Success, Success, Success, Failure]
            .map(|outcome| run(&mut successes, 0, outcome) == Some(true));
        assert_eq!(results, [false, false, true, true, true, false]);
    }
}

/// `TestStartupProbeSuccessThreshold`, `TestStartupProbeFailureThreshold`, `TestResultRunOnLivenessCheckFailure`,
/// `TestResultRunOnStartupCheckFailure`: the published result and the results in a row after each run.
#[test]
fn counts_in_a_row() {
    type Fact = (ProbeKind, &'static [(ProbeOutcome, Option<bool>, u32)]);
    let facts: [Fact; 3] = [
        (
            Startup,
            &[(Success, Some(true), 0), (Success, Some(true), 0)],
        ),
        (
            Startup,
            &[
                (Failure, None, 1),
                (Failure, None, 2),
                (Failure, Some(false), 0),
                (Failure, Some(false), 0),
            ],
        ),
        (
            Liveness,
            &[
                (Success, Some(true), 1),
                (Failure, Some(true), 1),
                (Failure, Some(true), 2),
                (Failure, Some(false), 0),
            ],
        ),
    ];
    for (kind, runs) in facts {
        let mut worker = worker(kind, 1, 3);
        for (outcome, result, count) in runs {
            let found = run(&mut worker, 0, *outcome);
            assert_eq!(
                (found, in_a_row(&worker)),
                (*result, *count),
                "{kind}: {runs:?}"
            );
        }
    }
}

/// `TestOnHoldOnLivenessOrStartupCheckFailure`
#[test]
fn on_hold_until_the_next_instance() {
    for kind in [Liveness, Startup] {
        let mut worker = worker(kind, 1, 1);
        assert_eq!(run(&mut worker, 0, Failure), Some(false));
        assert_eq!(run(&mut worker, 0, Success), Some(false), "{kind} ran");
        worker.attach(1);
        assert_eq!(run(&mut worker, 1, Success), Some(true));
        let goes_on = worker.due(kind != Startup).is_some();
        assert_eq!(goes_on, kind == Liveness);
    }
}
