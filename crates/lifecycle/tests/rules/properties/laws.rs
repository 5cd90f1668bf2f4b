//! The laws about single actions: starts, stops, kills, probes and hooks.

use std::time::Duration;

use lifecycle::{HookKind, ProbeKind, Role, Time};

use super::monitor::Monitor;
use crate::support::*;

impl Monitor {
    pub(super) fn start(&mut self, i: usize, instance: u32, at: Time) {
        let name = self.tracks[i].name().to_owned();
        let idle = self.outstanding.is_none();
        self.must(idle, || "R1.6: two starts at once".to_owned());
        self.must(self.sandbox, || format!("{name} starts without a sandbox"));
        let ending = self.terminating || self.over;
        self.must(!ending, || {
            format!("R8.10: {name} starts after the end began")
        });
        self.must(self.tracks[i].live.is_none(), || {
            format!("{name} runs already")
        });
        let stays = self.tracks[i].stays;
        self.must(!stays, || format!("R21.2: {name} had ended for good"));
        self.start_number(i, instance);
        if self.deleted {
            // The pass under way at the deletion goes on, and no other begins (R8.10).
            self.tracks[i].starts_after_delete += 1;
            let once = self.tracks[i].starts_after_delete == 1;
            self.must(once, || {
                format!("R8.10: {name} starts again in a deleted Pod")
            });
        }
        for k in 0..i {
            let before = &self.tracks[k];
            let ready = match before.role {
                Role::Init => before.done,
                Role::Sidecar => before.up,
                Role::App => true,
            };
            let other = before.name().to_owned();
            self.must(ready, || {
                format!("R1.1: {name} starts before {other} is initialized")
            });
        }
        self.restart(i, at);
        self.outstanding = Some((i, instance));
    }

    /// R3.9.
    fn start_number(&mut self, i: usize, instance: u32) {
        let track = &mut self.tracks[i];
        let expected = if track.unsure {
            track.began.map_or(0, |n| n + 1)..=u32::MAX
        } else {
            track.next..=track.next
        };
        (track.unsure, track.next) = (false, instance);
        let name = track.name().to_owned();
        self.must(expected.contains(&instance), || {
            format!("R3.9: run {instance} of {name}, expected {expected:?}")
        });
    }

    /// What is started again is due for it, and not before its time.
    fn restart(&mut self, i: usize, at: Time) {
        if self.restarts_all {
            return;
        }
        let track = &mut self.tracks[i];
        let name = track.name().to_owned();
        let Some(end) = &track.end else { return };
        let due = end.replaced || track.restarts_after(end.exit);
        let least = track.ladder.delay(end.at);
        let held = if end.stopped { Duration::ZERO } else { least };
        let waited = at.since(end.at);
        if !end.stopped {
            track.ladder.climb(at);
        }
        self.must(due, || format!("R3.1: {name} is not to be started again"));
        self.must(waited >= held, || {
            format!("R3.2: {name} starts after {waited:?}, due after {held:?}")
        });
    }

    /// R8.6, R8.9: a sidecar's signal comes after its preStop hook, the end of all apps and that of the sidecar after
    /// it, or after the end of the grace.
    pub(super) fn stop(&mut self, i: usize, at: Time) {
        let name = self.tracks[i].name().to_owned();
        let Some(live) = self.tracks[i].live.as_mut() else {
            return;
        };
        let twice = live.signalled.replace(at).is_some();
        let told = live.killing.is_some();
        let since = live.stopping();
        let hook = live.hooks.contains(&HookKind::PreStop);
        self.must(!twice, || format!("{name} is signalled twice"));
        self.must(told, || format!("{name} is signalled without a word"));
        let Some(since) = since.filter(|_| !self.restarts_all) else {
            return;
        };
        let over = at.since(since) >= self.graces.least;
        self.must(over || !hook, || {
            format!("R8.9: {name} is signalled in its preStop hook")
        });
        if over || self.tracks[i].role != Role::Sidecar {
            return;
        }
        let after = &self.tracks[i + 1..];
        let next = after.iter().find(|t| t.role == Role::Sidecar);
        let apps = after.iter().filter(|t| t.role == Role::App);
        let other = apps.chain(next).find(|t| t.live.is_some());
        let other = other.map(|t| t.name().to_owned());
        self.must(other.is_none(), || {
            format!("R8.6: {name} is stopped before {other:?}")
        });
    }

    /// R8.3, R8.8: at least 2 s after the signal; after the grace and these 2 s at the latest, but for the fractions of a
    /// second that hook and turn took.
    pub(super) fn kill(&mut self, i: usize, at: Time) {
        let name = self.tracks[i].name().to_owned();
        let now = self.killed;
        let Some(live) = self.tracks[i].live.as_mut() else {
            return;
        };
        let twice = std::mem::replace(&mut live.killed, true);
        let early = live.signalled.is_none_or(|t| at.since(t) < secs(2));
        let told = live.killing.as_ref().map(|(_, since)| at.since(*since));
        let most = self.graces.most + secs(2 + 2);
        self.must(!twice, || format!("{name} is killed twice"));
        self.must(now || !early, || {
            format!("R8.3: {name} is killed within 2 s of its signal")
        });
        let late = told.is_some_and(|told| told > most);
        self.must(now || !late, || {
            format!("R8.8: {name} is killed after {told:?}")
        });
    }

    pub(super) fn probe(&mut self, i: usize, kind: ProbeKind, at: Time) {
        let (deleted, terminating) = (self.deleted, self.terminating);
        let track = &mut self.tracks[i];
        let name = track.name().to_owned();
        let spec = match kind {
            ProbeKind::Startup => &track.spec.startup_probe,
            ProbeKind::Liveness => &track.spec.liveness_probe,
            ProbeKind::Readiness => &track.spec.readiness_probe,
        };
        let Some((spec, live)) = spec.as_ref().zip(track.live.as_mut()) else {
            return;
        };
        let delay = secs(
            spec.initial_delay_seconds
                .unwrap_or(0)
                .unsigned_abs()
                .into(),
        );
        let early = at.since(live.since) < delay;
        let twice = !live.probing.insert(kind);
        let turn = live.started != (kind == ProbeKind::Startup);
        let most = spec.failure_threshold.unwrap_or(3);
        let failed = kind == ProbeKind::Liveness && live.liveness_failures >= most;
        self.must(!early, || {
            format!("R5.4: {kind} probe of {name} before its delay")
        });
        self.must(!twice, || format!("two {kind} probes of {name} at once"));
        self.must(turn, || format!("R5.7: {kind} probe of {name} out of turn"));
        self.must(!failed, || {
            format!("R5.8: {name} is probed after it failed")
        });
        let over = (deleted || terminating) && kind != ProbeKind::Readiness;
        self.must(!over, || {
            format!("R5.16: {kind} probe of {name} in its Pod's end")
        });
    }

    pub(super) fn hook(&mut self, i: usize, hook: HookKind) {
        let name = self.tracks[i].name().to_owned();
        let Some(live) = self.tracks[i].live.as_mut() else {
            return;
        };
        live.hooks.insert(hook);
        let again = !live.hooks_run.insert(hook);
        let told = hook == HookKind::PostStart || live.killing.is_some();
        self.must(!again, || format!("{hook:?} of {name} runs again"));
        self.must(told, || format!("R7.5: {hook:?} of {name} runs unasked"));
    }
}
