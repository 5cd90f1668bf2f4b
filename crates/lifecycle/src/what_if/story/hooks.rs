//! Hooks in a story: those that sleep are the machine's own business and leave no trace in actions, so that they are
//! seen by looking at the machine.

use std::collections::{BTreeMap, BTreeSet};

use super::{Sim, Story};
use crate::Time;
use crate::plan;
use crate::protocol::{HookKind, Input};
use crate::sim::TraceEvent;
use crate::what_if::distance;

type Running = BTreeMap<String, HookKind>;

/// What is known of hooks.
#[derive(Default)]
pub(super) struct Hooks {
    /// Those that run, with their begins.
    running: BTreeMap<String, (HookKind, Time)>,
    /// Containers whose preStop hook was waited for in their newest run.
    over: BTreeSet<String>,
}

impl Hooks {
    /// Whether the container's preStop hook has ended, or is not waited for any more.
    pub(super) fn is_over(&self, container: &str) -> bool {
        self.over.contains(container)
    }
}

impl Story {
    /// Tells of hooks that have ended, before what follows from that; says which run now.
    pub(super) fn hooks_ended(&mut self, news: &[(Time, TraceEvent)], sim: &Sim) -> Running {
        let machine = sim.machine();
        let entries = plan::entries(&self.pod.spec).enumerate();
        let running: Running = entries
            .filter_map(|(i, entry)| Some((entry.name().to_owned(), machine.running_hook(i)?)))
            .collect();
        let now = sim.now();
        let ended: Vec<(String, HookKind, Time)> = self
            .hooks
            .running
            .iter()
            .filter(|(name, (hook, _))| running.get(*name) != Some(hook))
            .map(|(name, (hook, since))| (name.clone(), *hook, *since))
            .collect();
        for (container, hook, since) in ended {
            self.hooks.running.remove(&container);
            if hook == HookKind::PreStop {
                self.hooks.over.insert(container.clone());
            }
            let is_told = news.iter().any(|(_, event)| match event {
                // It failed, which is told; or there is nobody left to wait for it.
                TraceEvent::Input(Input::HookDone {
                    container: of,
                    result: Err(_),
                    ..
                })
                | TraceEvent::Input(Input::Exited { container: of, .. }) => *of == container,
                _ => false,
            });
            if is_told {
                continue;
            }
            let took = distance(now - since);
            let (what, why) = match hook {
                HookKind::PostStart => ("postStart ends", format!("after {took} (R1.4)")),
                HookKind::PreStop if self.is_done(news, &container) => (
                    "preStop ends",
                    format!("it took {took} of the grace (R8.3)"),
                ),
                HookKind::PreStop => (
                    "preStop overruns",
                    "nobody waits for it beyond the grace (R8.4)".to_owned(),
                ),
            };
            self.tell(now, &container, what, why, what == "preStop overruns");
        }
        running
    }

    /// Whether a hook that is not waited for any more came to its own end: a sleep always does.
    fn is_done(&self, news: &[(Time, TraceEvent)], container: &str) -> bool {
        let sleeps = plan::entries(&self.pod.spec).any(|entry| {
            let lifecycle = entry.container.lifecycle.as_ref();
            let hook = lifecycle.and_then(|lifecycle| lifecycle.pre_stop.as_ref());
            entry.name() == container && hook.is_some_and(|hook| hook.sleep.is_some())
        });
        sleeps
            || news.iter().any(|(_, event)| {
                matches!(event, TraceEvent::Input(Input::HookDone { container: of, .. }) if of == container)
            })
    }

    /// Tells of hooks that have begun, after what they follow from.
    pub(super) fn hooks_begun(&mut self, now: Time, running: Running) {
        for (container, hook) in running {
            if self.hooks.running.contains_key(&container) {
                continue;
            }
            let why = match hook {
                HookKind::PostStart => "no later start before its end (R1.4)",
                HookKind::PreStop if self.ends_with_the_pod(&container) => {
                    "all preStop hooks begin together, in the grace (R7.12)"
                }
                HookKind::PreStop => "it runs before SIGTERM, in the grace (R7.5)",
            };
            self.hooks.over.remove(&container);
            let what = format!("{} begins", name(hook));
            self.tell(now, &container, what, why, false);
            self.hooks.running.insert(container, (hook, now));
        }
    }
}

pub(super) fn name(hook: HookKind) -> &'static str {
    match hook {
        HookKind::PostStart => "postStart",
        HookKind::PreStop => "preStop",
    }
}
