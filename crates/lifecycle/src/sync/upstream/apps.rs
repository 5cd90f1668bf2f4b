//! Pods without init entries.

use super::*;

/// `TestComputePodActions`
#[test]
fn apps_only() {
    check(
        Role::App,
        vec![
            (
                "all run",
                Always,
                true,
                [No, No, No, Up, Up, Up],
                Deed::Nothing,
            ),
            (
                "new Pod",
                Always,
                false,
                [No, No, No, No, No, No],
                Deed::NewSandbox(vec![3, 4, 5]),
            ),
            (
                "what exited",
                Always,
                true,
                [No, No, No, Ended(0), Ended(111), Up],
                starts(&[3, 4]),
            ),
            (
                "what failed",
                OnFailure,
                true,
                [No, No, No, Ended(0), Ended(111), Up],
                starts(&[4]),
            ),
            (
                "nothing",
                Never,
                true,
                [No, No, No, Ended(0), Ended(111), Up],
                Deed::Nothing,
            ),
            (
                "sandbox died",
                Always,
                false,
                [No, No, No, Up, Up, Up],
                Deed::NewSandbox(vec![3, 4, 5]),
            ),
            (
                "sandbox died, what succeeded stays so",
                OnFailure,
                false,
                [No, No, No, Up, Ended(0), Up],
                Deed::NewSandbox(vec![3, 5]),
            ),
            (
                "another image",
                Always,
                true,
                [No, No, No, Up, Changed, Up],
                Deed::Do(vec![4], vec![4]),
            ),
            (
                "liveness failed",
                Always,
                true,
                [No, No, No, Up, Failing(Liveness), Up],
                Deed::Do(vec![4], vec![4]),
            ),
            (
                "startup failed",
                Always,
                true,
                [No, No, No, Up, Failing(Startup), Up],
                Deed::Do(vec![4], vec![4]),
            ),
            (
                "sandbox died, never again",
                Never,
                false,
                [No, No, No, Ended(0), Ended(0), Ended(0)],
                Deed::Nothing,
            ),
            (
                "sandbox died, all succeeded",
                OnFailure,
                false,
                [No, No, No, Ended(0), Ended(0), Ended(0)],
                Deed::Nothing,
            ),
            (
                "sandbox died before anything ran",
                Never,
                false,
                [No, No, No, No, No, No],
                Deed::NewSandbox(vec![3, 4, 5]),
            ),
        ],
    );
}

/// `TestComputePodActionsWithContainerRestartRules`
#[test]
fn with_policies_of_containers() {
    let both = |policy| [Some(policy), Some(policy), None];
    check_own(
        Role::App,
        vec![
            (
                (
                    "what exited",
                    Never,
                    true,
                    [No, No, No, Ended(0), Ended(111), Up],
                    starts(&[3, 4]),
                ),
                both(Always),
            ),
            (
                (
                    "what failed",
                    Never,
                    true,
                    [No, No, No, Ended(0), Ended(111), Up],
                    starts(&[4]),
                ),
                both(OnFailure),
            ),
            (
                (
                    "nothing",
                    Always,
                    true,
                    [No, No, No, Ended(0), Ended(111), Up],
                    Deed::Nothing,
                ),
                both(Never),
            ),
            (
                (
                    "sandbox died",
                    Always,
                    false,
                    [No, No, No, Up, Ended(0), Up],
                    Deed::NewSandbox(vec![3, 5]),
                ),
                [None, Some(OnFailure), None],
            ),
        ],
    );
}

/// `TestShouldContainerBeRestarted` (`pkg/kubelet/container/helpers_test.go`), without a container that nobody knows the state
/// of. What it says of a deleted Pod holds in `begin_pass`, which plans nothing more then (R8.10).
#[test]
fn should_container_be_restarted() {
    let facts = [
        ("no history", No, [true, true, true]),
        ("alive", Up, [false, false, false]),
        ("succeeded", Ended(0), [false, false, true]),
        ("failed", Ended(3), [false, true, true]),
    ];
    for (name, state, expected) in facts {
        for (policy, starts) in [Never, OnFailure, Always].into_iter().zip(expected) {
            let states = [No, No, No, Up, state, Up];
            let machine = machine(policy, Role::App, true, states, [None; 3]);
            let started = matches!(deed(&machine), Deed::Do(_, started) if started == [4]);
            assert_eq!(started, starts, "{name} under {policy}");
        }
    }
}
