//! What a second terminal does with real Pods, of an image made of busybox. Needs root, and `busybox-static` from the
//! distribution.
//!
//! Without the standard harness: this program is also the helper (`helper_main` comes first), and containers must be started
//! from a thread that outlives them. Arguments filter by name.

#![allow(missing_docs, reason = "a test")]
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test"
)]

extern crate pillion_node as node;

mod archive;
mod attach;
mod change;
mod dial;
mod exec;
mod fixture;
mod left_behind;
mod stats;
mod thousand;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use sys::namespace::{Unshare, unshare};

#[global_allocator]
static ALLOCATOR: &stats_alloc::StatsAlloc<std::alloc::System> = &stats_alloc::INSTRUMENTED_SYSTEM;

fn main() -> ExitCode {
    if let Some(code) = container::helper_main(std::env::args_os().next().as_deref()) {
        return code;
    }
    // Mounts and a network of our own: what others do meanwhile is not in them, and what a failed test leaves goes with us.
    unshare(Unshare {
        mount: true,
        network: true,
        ..Default::default()
    })
    .expect("these tests must be run by root");
    let private = rustix::mount::MountPropagationFlags::PRIVATE;
    rustix::mount::mount_change("/", private | rustix::mount::MountPropagationFlags::REC)
        .expect("make mounts private");
    sys::link::set_loopback_up().expect("loopback");

    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let filters: Vec<&String> = arguments
        .iter()
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    let list = arguments.iter().any(|arg| arg == "--list");
    let mut failed = Vec::new();
    let groups = [
        archive::TESTS,
        attach::TESTS,
        change::TESTS,
        dial::TESTS,
        exec::TESTS,
        left_behind::TESTS,
        thousand::TESTS,
        stats::TESTS,
    ];
    for (name, test) in groups.into_iter().flatten() {
        if !filters.is_empty() && !filters.iter().any(|filter| name.contains(filter.as_str())) {
            continue;
        }
        if list {
            println!("{name}: test");
            continue;
        }
        let outcome = catch_unwind(AssertUnwindSafe(test));
        println!(
            "test {name} ... {}",
            if outcome.is_ok() { "ok" } else { "FAILED" }
        );
        if outcome.is_err() {
            failed.push(*name);
        }
    }
    if failed.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("failed: {}", failed.join(", "));
    ExitCode::FAILURE
}

/// A test and its name.
type Test = (&'static str, fn());

/// Tests by the names of their functions.
#[macro_export]
macro_rules! tests {
    ($($name:ident),* $(,)?) => {
        pub(crate) const TESTS: &[$crate::Test] =
            &[$((stringify!($name), || $crate::fixture::block_on($name()))),*];
    };
}
