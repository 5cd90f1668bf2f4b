//! Random Pods and what happens to them, for the properties.

use std::time::Duration;

use lifecycle::sim::{Hook, OnTerm, Probe, Run, Script};
use lifecycle::{Exit, ProbeOutcome, StartFailure};
use manifest::core::v1::{
    ContainerRestartRule, ContainerRestartRuleAction as RuleAction,
    ContainerRestartRuleOnExitCodes, ContainerRestartRuleOnExitCodesOperator as Operator,
    RestartPolicy,
};
use proptest::prelude::*;

use crate::support::*;

/// A Pod and what happens to it.
#[derive(Clone, Debug)]
pub(crate) struct Story {
    pub(crate) policy: RestartPolicy,
    pub(crate) grace: i64,
    pub(crate) deadline: Option<i64>,
    pub(crate) entries: Vec<Member>,
    pub(crate) apps: Vec<Member>,
    /// When it is deleted, with which grace.
    pub(crate) delete: (u64, Option<i64>),
    /// When it is killed, after the deletion.
    pub(crate) kill: Option<u64>,
    /// When its objects change, and which container's image does.
    pub(crate) changes: Vec<(u64, usize)>,
}

/// Period, failure threshold and initial delay of a probe.
type Settings = (i32, i32, i32);

/// A container of it.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    sidecar: bool,
    policy: Option<RestartPolicy>,
    rule: Option<(RuleAction, i32)>,
    startup: Option<Settings>,
    liveness: Option<Settings>,
    readiness: Option<Settings>,
    post_start: Option<i64>,
    pre_stop: Option<i64>,
    script: Script,
}

fn millis(max: u64) -> impl Strategy<Value = Duration> {
    prop_oneof![Just(0), 1..max, (0..max / 500).prop_map(|n| n * 500)].prop_map(ms)
}

fn code() -> impl Strategy<Value = i32> {
    prop_oneof![4 => Just(0), 3 => Just(1), 1 => Just(42), 1 => Just(137)]
}

fn a_run() -> impl Strategy<Value = Run> {
    let exit = (code(), prop::bool::weighted(0.05)).prop_map(|(code, oom_killed)| Exit {
        code,
        signal: None,
        oom_killed,
    });
    let on_term = prop_oneof![
        3 => (millis(6000), code()).prop_map(|(after, code)| OnTerm::Exit(after, code)),
        1 => Just(OnTerm::Ignore),
    ];
    // Some live for longer than it takes a back-off to begin anew (R3.4).
    let life = prop_oneof![30 => millis(30_000), 1 => millis(700_000)];
    let exits = prop::option::weighted(0.6, (life, exit));
    (exits, on_term).prop_map(|(exits, on_term)| Run {
        exits,
        on_term,
        message: None,
        hangs: None,
    })
}

fn a_probe() -> impl Strategy<Value = Probe> {
    use ProbeOutcome::{Error, Failure, Success, Warning};
    let outcome =
        prop_oneof![6 => Just(Success), 4 => Just(Failure), 1 => Just(Warning), 1 => Just(Error)];
    let answers = prop::collection::vec((millis(20_000), outcome), 1..4);
    (answers, millis(1500)).prop_map(|(mut answers, takes)| {
        answers.sort_by_key(|(from, _)| *from);
        answers[0].0 = Duration::ZERO;
        Probe { answers, takes }
    })
}

fn a_hook() -> impl Strategy<Value = Hook> {
    (millis(8000), prop::bool::weighted(0.2)).prop_map(|(takes, fails)| {
        if fails {
            Hook::fails(takes)
        } else {
            Hook::takes(takes)
        }
    })
}

fn a_script() -> impl Strategy<Value = Script> {
    let failure = prop_oneof![
        Just(StartFailure::ErrImagePull),
        Just(StartFailure::CreateContainerConfigError),
        Just(StartFailure::RunContainerError),
    ];
    let fails = prop_oneof![
        6 => Just(Vec::new()),
        1 => prop::collection::vec(prop::option::of(failure.prop_map(|f| (f, "x".to_owned()))), 0..5),
    ];
    (
        prop::collection::vec(a_run(), 1..4),
        prop_oneof![3 => Just(Duration::ZERO), 1 => millis(3000)],
        fails,
        [a_probe(), a_probe(), a_probe()],
        [a_hook(), a_hook()],
    )
        .prop_map(|(runs, start_takes, start_fails, probes, hooks)| {
            let [startup, liveness, readiness] = probes;
            let [post_start, pre_stop] = hooks;
            Script {
                runs,
                start_takes,
                start_fails,
                startup,
                liveness,
                readiness,
                post_start,
                pre_stop,
            }
        })
}

fn a_policy() -> impl Strategy<Value = RestartPolicy> {
    use RestartPolicy::{Always, Never, OnFailure};
    prop_oneof![Just(Always), Just(OnFailure), Just(Never)]
}

fn a_member() -> impl Strategy<Value = Member> {
    let delay = || prop_oneof![4 => Just(0), 1 => 1..5i32];
    let settings = || prop::option::weighted(0.3, (1..4i32, 1..4i32, delay()));
    let action =
        prop_oneof![3 => Just(RuleAction::Restart), 1 => Just(RuleAction::RestartAllContainers)];
    let hook = || prop::option::weighted(0.25, -1..6i64);
    (
        any::<bool>(),
        prop::option::weighted(0.15, a_policy()),
        prop::option::weighted(0.1, (action, code())),
        [settings(), settings(), settings()],
        [hook(), hook()],
        a_script(),
    )
        .prop_map(|(sidecar, policy, rule, probes, hooks, script)| {
            let [startup, liveness, readiness] = probes;
            let [post_start, pre_stop] = hooks;
            Member {
                sidecar,
                policy,
                rule,
                startup,
                liveness,
                readiness,
                post_start,
                pre_stop,
                script,
            }
        })
}

/// Milliseconds until the deletion: seconds, or as long as several steps of a back-off.
fn a_life() -> impl Strategy<Value = u64> {
    prop_oneof![200 => 0..90_000u64, 1 => 90_000..1_500_000u64]
}

pub(crate) fn a_story() -> impl Strategy<Value = Story> {
    (
        (a_policy(), 0..12i64, prop::option::weighted(0.1, 1..60i64)),
        prop::collection::vec(a_member(), 0..4),
        prop::collection::vec(a_member(), 1..4),
        (a_life(), prop::option::of(0..12i64)),
        prop::option::weighted(0.2, 0..6_000u64),
        prop::collection::vec((0..90_000u64, 0..7usize), 0..3),
    )
        .prop_map(
            |((policy, grace, deadline), entries, apps, delete, kill, mut changes)| {
                changes.sort_unstable();
                Story {
                    policy,
                    grace,
                    deadline,
                    entries,
                    apps,
                    delete,
                    kill,
                    changes,
                }
            },
        )
}

impl Story {
    pub(crate) fn builder(&self) -> Builder {
        let mut builder = pod(self.policy).grace(self.grace);
        builder.spec.active_deadline_seconds = self.deadline;
        for (i, member) in self.entries.iter().enumerate() {
            let (name, script) = (format!("i{i}"), member.script.clone());
            builder = match member.sidecar {
                true => builder.sidecar(&name, script),
                false => builder.init(&name, script),
            };
            builder = member.dress(builder, member.sidecar);
        }
        for (i, member) in self.apps.iter().enumerate() {
            builder = builder.app(&format!("a{i}"), member.script.clone());
            builder = member.dress(builder, true);
        }
        builder
    }

    pub(crate) fn restarts_all(&self) -> bool {
        let mut members = self.entries.iter().chain(&self.apps);
        members.any(|m| {
            m.rule
                .is_some_and(|(action, _)| action == RuleAction::RestartAllContainers)
        })
    }
}

impl Member {
    /// Gives the container added last what this member has; only what may be probed has probes and
    /// hooks (R14.1).
    fn dress(&self, builder: Builder, probed: bool) -> Builder {
        let handler = |seconds: i64| if seconds < 0 { exec() } else { sleep(seconds) };
        builder.with(|container| {
            if container.restart_policy.is_none() {
                container.restart_policy = self.policy.filter(|policy| {
                    container.name.starts_with('a') || *policy != RestartPolicy::Always
                });
            }
            if let Some((action, code)) = self.rule {
                let operator = Some(Operator::In);
                let codes = ContainerRestartRuleOnExitCodes {
                    operator,
                    values: vec![code],
                };
                container.restart_policy_rules = vec![ContainerRestartRule {
                    action: Some(action),
                    exit_codes: Some(codes),
                }];
            }
            if probed {
                let settings = |settings: Option<Settings>| {
                    let (period, failures, delay) = settings?;
                    let mut probe = probe(period, failures)?;
                    probe.initial_delay_seconds = Some(delay);
                    Some(probe)
                };
                container.startup_probe = settings(self.startup);
                container.liveness_probe = settings(self.liveness);
                container.readiness_probe = settings(self.readiness);
                if let Some(seconds) = self.post_start {
                    post_start(handler(seconds))(container);
                }
                if let Some(seconds) = self.pre_stop {
                    pre_stop(handler(seconds))(container);
                }
            }
        })
    }
}
