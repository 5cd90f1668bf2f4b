//! The scenarios of the repository, whole, in the simulator.

use std::path::Path;

use pillion_lifecycle_cases::{Mode, Outcome, load, parse, run};

/// Scenarios that need a real container, and what of it.
const NOT_SIMULATED: [(&str, &str); 15] = [
    ("oomkilled", "memory runs out"),
    ("oom-score-besteffort", "reads /proc/self/oom_score_adj"),
    (
        "oom-score-burstable-sidecar-takes-app-value",
        "reads /proc/self/oom_score_adj",
    ),
    ("cgroup-v2-values", "reads /sys/fs/cgroup/cpu.max"),
    (
        "command-and-args-expansion",
        "the command line that the runtime gets",
    ),
    ("hosts-file-and-aliases", "reads /etc/hosts"),
    ("hostname-long-name-is-cut", "the host name"),
    ("fqdn-from-subdomain", "reads /etc/hosts"),
    ("dns-policy-none", "reads /etc/resolv.conf"),
    ("emptydir-shared-and-survives-restart", "the program stat"),
    ("emptydir-memory-size-limit", "reads /proc/mounts"),
    (
        "configmap-volume-update-symlink-swap",
        "the files of a volume made from objects",
    ),
    (
        "configmap-items-and-modes",
        "the files of a volume made from objects",
    ),
    (
        "downward-api-env",
        "the field metadata.labels['tier'] of a real Pod",
    ),
    (
        "filekeyref-env-from-init",
        "the environment of a real container",
    ),
];

#[test]
fn all_scenarios_hold_in_the_simulator() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/lifecycle-cases");
    let cases = load(&[folder]).unwrap_or_else(|errors| panic!("{}", errors.join("\n")));
    let mut wrong = Vec::new();
    let mut simulated = 0;
    for case in &cases {
        let reason = NOT_SIMULATED.iter().find(|(name, _)| *name == case.name);
        let expected = match reason {
            Some((_, what)) => Outcome::Skipped(format!("needs a real container: {what}")),
            None => Outcome::Passed,
        };
        let outcome = run(case, &Mode::Simulate);
        simulated += usize::from(outcome == Outcome::Passed);
        if outcome != expected {
            wrong.push(format!("{}: {outcome}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        simulated >= 110,
        "only {simulated} scenarios were simulated"
    );
}

#[test]
fn what_is_not_known_is_an_error_with_its_place() {
    let scenario = "name: x\nexpect: [{phase: Running}]\npod: {}\n";
    assert!(parse(Path::new("x.yaml"), scenario).is_ok());
    for (text, error) in [
        ("nme: y\n", "x.yaml:4:1: unknown key \"nme\""),
        (
            "steps: [{snooze_s: 1}]\n",
            "x.yaml:4:10: unknown key \"snooze_s\"",
        ),
        (
            "steps: [{wait: {phase: Running, within: 1}}]\n",
            "x.yaml:4:33: unknown assertion \"within\"",
        ),
        (
            "steps: [{check: [{gap: {from: a.b, to: a.c, least_s: 1}}]}]\n",
            "x.yaml:4:45: unknown key \"least_s\"",
        ),
        (
            "steps: [{check: [{before: [started]}]}]\n",
            "x.yaml:4:28: no event: \"started\"",
        ),
        (
            "steps: [{check: [{file: {path: a, matches: '('}}]}]\n",
            "x.yaml:4:44: no regular expression",
        ),
    ] {
        let found = parse(Path::new("x.yaml"), &format!("{scenario}{text}"));
        let found = found.err().unwrap_or_default();
        assert!(found.starts_with(error), "{found}");
    }
}

#[test]
fn scenarios_of_our_own_hold_in_the_simulator() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/lifecycle-cases-own");
    let cases = load(&[folder]).unwrap_or_else(|errors| panic!("{}", errors.join("\n")));
    assert!(!cases.is_empty());
    for case in &cases {
        let outcome = run(case, &Mode::Simulate);
        assert_eq!(outcome, Outcome::Passed, "{}", case.name);
    }
}
