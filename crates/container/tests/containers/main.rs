//! Real containers from a root file system made of busybox. Needs root, and `busybox-static` from the distribution.
//!
//! Without the standard harness: this program is also the helper (`helper_main` comes first), and whoever starts a container
//! must not be a thread that ends before it. Arguments filter by name.

#![allow(missing_docs, reason = "a test")]
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test"
)]

extern crate pillion_container as container;

mod basics;
mod cgroups;
mod exec;
mod fixture;
mod left_behind;
mod mounts;
mod security;
mod users;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(code) = container::helper_main(std::env::args_os().next().as_deref()) {
        return code;
    }
    // A mount table of our own: what others mount meanwhile is not in it, and what a failed test leaves goes with us.
    sys::namespace::unshare(sys::namespace::Unshare {
        mount: true,
        ..Default::default()
    })
    .expect("these tests must be run by root");
    let private = rustix::mount::MountPropagationFlags::PRIVATE;
    rustix::mount::mount_change("/", private | rustix::mount::MountPropagationFlags::REC)
        .expect("make mounts private");
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments
        .first()
        .is_some_and(|first| first == left_behind::RUNNER_ARGUMENT)
    {
        return left_behind::be_a_runner(&arguments[1]);
    }
    let filters: Vec<&String> = arguments
        .iter()
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    let list = arguments.iter().any(|arg| arg == "--list");
    let mut failed = Vec::new();
    let groups = [
        basics::TESTS,
        cgroups::TESTS,
        exec::TESTS,
        left_behind::TESTS,
        mounts::TESTS,
        security::TESTS,
        users::TESTS,
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
