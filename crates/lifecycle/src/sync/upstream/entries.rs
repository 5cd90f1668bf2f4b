//! Pods with init containers, or with sidecars.

use super::*;

/// `TestComputePodActionsWithInitContainers`
#[test]
fn with_init_containers() {
    check(
        Role::Init,
        vec![
            (
                "initialized",
                Always,
                true,
                [Ended(0), Ended(0), Ended(0), No, No, No],
                starts(&[3, 4, 5]),
            ),
            (
                "the first",
                Always,
                true,
                [No, No, No, No, No, No],
                starts(&[0]),
            ),
            (
                "one runs",
                Always,
                true,
                [Ended(0), Ended(0), Up, No, No, No],
                Deed::Nothing,
            ),
            (
                "sandbox died",
                Always,
                false,
                [Ended(0), Ended(0), Ended(0), No, No, No],
                Deed::NewSandbox(vec![0]),
            ),
            (
                "one failed",
                Always,
                true,
                [Ended(0), Ended(0), Ended(137), No, No, No],
                starts(&[2]),
            ),
            (
                "one failed",
                OnFailure,
                true,
                [Ended(0), Ended(0), Ended(137), No, No, No],
                starts(&[2]),
            ),
            (
                "one failed",
                Never,
                true,
                [Ended(0), Ended(0), Ended(137), No, No, No],
                Deed::StopPod,
            ),
            (
                "sandbox died, never again",
                Never,
                false,
                [Ended(0), Ended(0), Ended(0), No, No, No],
                Deed::Nothing,
            ),
            (
                "sandbox died before anything ran",
                Never,
                false,
                [No, No, No, No, No, No],
                Deed::NewSandbox(vec![0]),
            ),
            (
                "sandbox died after a failure",
                OnFailure,
                false,
                [Ended(0), Ended(0), Ended(137), No, No, No],
                Deed::NewSandbox(vec![0]),
            ),
            (
                "records of earlier ones are gone",
                Always,
                true,
                [No, No, Up, No, No, No],
                Deed::Nothing,
            ),
        ],
    );
}

/// `TestComputePodActionsWithRestartableInitContainers`
#[test]
fn with_sidecars() {
    check(
        Role::Sidecar,
        vec![
            (
                "initialized",
                Always,
                true,
                [Up, Up, Up, No, No, No],
                starts(&[3, 4, 5]),
            ),
            (
                "the first",
                Always,
                true,
                [No, No, No, No, No, No],
                starts(&[0]),
            ),
            (
                "the next",
                Always,
                true,
                [Up, No, No, No, No, No],
                starts(&[1]),
            ),
            (
                "liveness was not asked yet, or passed",
                Always,
                true,
                [Up, Up, No, No, No, No],
                starts(&[2]),
            ),
            (
                "liveness failed: what follows starts all the same",
                Always,
                true,
                [Up, Up, Failing(Liveness), No, No, No],
                Deed::Do(vec![2], vec![2, 3, 4, 5]),
            ),
            (
                "startup was not answered",
                Always,
                true,
                [Up, Unproven, No, No, No, No],
                Deed::Nothing,
            ),
            (
                "startup failed",
                Always,
                true,
                [Up, Up, Failing(Startup), No, No, No],
                Deed::Do(vec![2], vec![2]),
            ),
            (
                "another image",
                Always,
                true,
                [Up, Up, Changed, No, No, No],
                Deed::Do(vec![2], vec![2, 3, 4, 5]),
            ),
            (
                "two ended, the last too",
                Always,
                true,
                [Ended(0), Up, Ended(0), No, No, No],
                starts(&[0, 2]),
            ),
            (
                "the first ended",
                Always,
                true,
                [Ended(0), Up, Up, No, No, No],
                starts(&[0, 3, 4, 5]),
            ),
            (
                "sandbox died, never again",
                Never,
                false,
                [Up, Up, Ended(137), No, No, No],
                Deed::Nothing,
            ),
            (
                "sandbox died before anything ran",
                Never,
                false,
                [No, No, No, No, No, No],
                Deed::NewSandbox(vec![0]),
            ),
            (
                "sandbox died",
                OnFailure,
                false,
                [Up, Up, Ended(137), No, No, No],
                Deed::NewSandbox(vec![0]),
            ),
            (
                "sandbox died",
                Always,
                false,
                [Up, Up, Ended(137), No, No, No],
                Deed::NewSandbox(vec![0]),
            ),
            (
                "the last failed",
                Never,
                true,
                [Up, Up, Ended(137), No, No, No],
                starts(&[2]),
            ),
            (
                "the last failed beside apps",
                Never,
                true,
                [Up, Up, Ended(137), Up, Up, Up],
                starts(&[2]),
            ),
            (
                "all apps done",
                Never,
                true,
                [Up, Up, Up, Ended(0), Ended(0), Ended(0)],
                Deed::StopPod,
            ),
            (
                "records of earlier ones are gone",
                Always,
                true,
                [No, No, Up, No, No, No],
                starts(&[0, 1, 3, 4, 5]),
            ),
        ],
    );
}
