//! Tries a property with many Pods, on all processors, and tells the smallest Pod that breaks it.

use std::fmt::Debug;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::thread;

use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestError, TestRunner};

/// Pods that are tried in each property unless `PROPTEST_CASES` says otherwise.
const PODS: u32 = 65_000;
/// Attempts at making a Pod that breaks a property smaller.
const SHRINKS: u32 = 20_000;

/// How many Pods each property is tried with.
pub(super) fn pods() -> u32 {
    let asked = std::env::var("PROPTEST_CASES").ok();
    asked.and_then(|n| n.parse().ok()).unwrap_or(PODS)
}

/// Whether `law` holds for so many values. The error is what `tell` says about the smallest that breaks it.
pub(super) fn hold<S: Strategy>(
    values: impl Fn() -> S + Sync,
    count: u32,
    law: impl Fn(&S::Value) -> Result<(), String> + Sync,
    tell: impl Fn(&S::Value) -> String + Sync,
) -> Result<(), String>
where
    S::Value: Debug,
{
    let threads = thread::available_parallelism().map_or(1, |n| n.get() as u32);
    let seed = match ProptestConfig::default().rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => RandomState::new().build_hasher().finish(),
    };
    let search = |n: u32| {
        let seed = seed.wrapping_add(u64::from(n));
        let mut runner = TestRunner::new(ProptestConfig {
            cases: count.div_ceil(threads),
            failure_persistence: None,
            max_shrink_iters: SHRINKS,
            rng_seed: RngSeed::Fixed(seed),
            ..ProptestConfig::default()
        });
        let broken = runner.run(&values(), |value| law(&value).map_err(TestCaseError::fail));
        broken.map_err(|error| match error {
            TestError::Fail(why, value) => format!(
                "{why}\n(PROPTEST_RNG_SEED={seed} tries it again)\n\n{}\n{value:#?}",
                tell(&value)
            ),
            TestError::Abort(why) => format!("gave up: {why}"),
        })
    };
    let found = thread::scope(|scope| {
        let search = &search;
        let running: Vec<_> = (0..threads)
            .map(|n| scope.spawn(move || search(n)))
            .collect();
        let ends = running.into_iter().map(|thread| thread.join());
        ends.collect::<Vec<_>>()
    });
    for end in found {
        end.map_err(|_| "a thread panicked".to_owned())??;
    }
    Ok(())
}
