//! Cases that upstream's tables leave out.

use super::*;

/// Cases that upstream's tables leave out, read in `computePodActions` and `computeInitContainerActions`.
#[test]
fn beside_upstreams_tables() {
    check(
        Role::App,
        vec![
            (
                "all done",
                Never,
                true,
                [No, No, No, Ended(0), Ended(0), Ended(0)],
                Deed::StopPod,
            ),
            (
                "all failed",
                Never,
                true,
                [No, No, No, Ended(1), Ended(1), Ended(1)],
                Deed::StopPod,
            ),
            (
                "another image, even if it is never restarted",
                Never,
                true,
                [No, No, No, Up, Changed, Up],
                Deed::Do(vec![4], vec![4]),
            ),
            (
                "liveness failed, never again",
                Never,
                true,
                [No, No, No, Up, Failing(Liveness), Up],
                Deed::Do(vec![4], vec![]),
            ),
            (
                "the last that ran fails its liveness, never again",
                Never,
                true,
                [No, No, No, Ended(0), Failing(Liveness), Ended(0)],
                Deed::StopPod,
            ),
            (
                "sandbox died, what failed starts again",
                OnFailure,
                false,
                [No, No, No, Ended(0), Ended(1), Up],
                Deed::NewSandbox(vec![4, 5]),
            ),
        ],
    );
    let own = |policy| [Some(policy), None, None];
    check_own(
        Role::App,
        vec![
            (
                (
                    "what is never restarted is not in a new sandbox either; upstream starts it where there are no entries (R21.2)",
                    Always,
                    false,
                    [No, No, No, Ended(1), Ended(0), Up],
                    Deed::NewSandbox(vec![4, 5]),
                ),
                own(Never),
            ),
            (
                (
                    "all succeeded, but one is always restarted",
                    OnFailure,
                    false,
                    [No, No, No, Ended(0), Ended(0), Ended(0)],
                    Deed::NewSandbox(vec![3]),
                ),
                own(Always),
            ),
        ],
    );
    check(
        Role::Init,
        vec![
            (
                "the next",
                Always,
                true,
                [Ended(0), No, No, No, No, No],
                starts(&[1]),
            ),
            (
                "records of earlier ones are gone",
                Always,
                true,
                [No, No, Ended(0), No, No, No],
                starts(&[3, 4, 5]),
            ),
            (
                "apps run, whatever the records",
                Always,
                true,
                [No, No, No, Up, Up, Up],
                Deed::Nothing,
            ),
            (
                "an app is down",
                Always,
                true,
                [No, No, Ended(0), Up, Ended(1), Up],
                starts(&[4]),
            ),
            (
                "all apps are down",
                Always,
                true,
                [Ended(0), Ended(0), Ended(0), Ended(0), Ended(1), Ended(1)],
                starts(&[3, 4, 5]),
            ),
            (
                "all done",
                Never,
                true,
                [Ended(0), Ended(0), Ended(0), Ended(0), Ended(0), Ended(0)],
                Deed::StopPod,
            ),
            (
                "sandbox died",
                Always,
                false,
                [Ended(0), Ended(0), Ended(0), Up, Up, Up],
                Deed::NewSandbox(vec![0]),
            ),
            (
                "sandbox died, all apps succeeded",
                OnFailure,
                false,
                [Ended(0), Ended(0), Ended(0), Ended(0), Ended(0), Ended(0)],
                Deed::Nothing,
            ),
            (
                "sandbox died after a failure, never again",
                Never,
                false,
                [Ended(0), Ended(0), Ended(137), No, No, No],
                Deed::Nothing,
            ),
        ],
    );
    check(
        Role::Sidecar,
        vec![
            (
                "all apps are down, and the last entry too (R1.14)",
                Always,
                true,
                [Up, Up, Ended(1), Ended(0), Ended(1), Ended(1)],
                starts(&[2]),
            ),
            (
                "all apps are down, and the last entry has not started (R1.14)",
                Always,
                true,
                [Up, Up, Unproven, Ended(0), Ended(1), Ended(1)],
                Deed::Nothing,
            ),
            (
                "all apps are down, and another entry (R1.14)",
                Always,
                true,
                [Up, Ended(1), Up, Ended(0), Ended(1), Ended(1)],
                starts(&[1, 3, 4, 5]),
            ),
            (
                "one that never ran and several that did (R1.5)",
                Always,
                true,
                [Ended(1), Up, No, No, No, No],
                starts(&[0, 2]),
            ),
            (
                "nothing that never ran after one that is down (R1.5)",
                Always,
                true,
                [Ended(1), Ended(1), No, No, No, No],
                starts(&[0, 1]),
            ),
        ],
    );
}
