//! Hooks: postStart and preStop (section 7).

use std::time::Duration;

use manifest::core::v1::LifecycleHandler;

use crate::machine::Machine;
use crate::protocol::{Action, HookKind, Instance};
use crate::terminate::StopStage;
use crate::{Time, events};

/// How a hook began.
pub(crate) enum HookStart {
    /// The node runs it.
    Runs,
    /// It is a sleep until this time.
    Sleeps(Time),
    /// It cannot be run.
    Failed(String),
}

impl Machine {
    /// Begins a hook of the live run.
    pub(crate) fn begin_hook(
        &mut self,
        i: usize,
        hook: HookKind,
        handler: &LifecycleHandler,
    ) -> HookStart {
        let now = self.now;
        if let Some(sleep) = &handler.sleep {
            let seconds = u64::try_from(sleep.seconds).unwrap_or(0);
            return HookStart::Sleeps(now + Duration::from_secs(seconds));
        }
        if handler.exec.is_none() && handler.http_get.is_none() {
            // R7.1: tcpSocket passes validation and has never worked.
            return HookStart::Failed(
                "invalid handler: only exec, httpGet and sleep run".to_owned(),
            );
        }
        let Some(run) = self.containers[i].live_mut() else {
            return HookStart::Failed("container has ended".to_owned());
        };
        run.hook = Some(hook);
        let instance = run.instance;
        let container = self.containers[i].spec.name.clone();
        self.act(Action::RunHook {
            container,
            instance,
            hook,
            timeout: None,
        });
        HookStart::Runs
    }

    /// A hook has ended.
    pub(crate) fn hook_done(
        &mut self,
        i: usize,
        instance: Instance,
        hook: HookKind,
        result: Result<(), String>,
    ) {
        let Some(run) = self.containers[i]
            .run_mut(instance)
            .filter(|run| run.hook == Some(hook))
        else {
            return;
        };
        run.hook = None;
        match hook {
            HookKind::PostStart => self.post_start_done(i, result),
            HookKind::PreStop => self.pre_stop_done(i, &result),
        }
    }

    /// R7.6: a failed preStop is told, and otherwise as good as any.
    pub(crate) fn pre_stop_done(&mut self, i: usize, result: &Result<(), String>) {
        if result.is_err() {
            self.emit(events::pre_stop_failed(
                &self.containers[i].spec.name.clone(),
            ));
        }
        let stage = self.containers[i].stop.as_mut().map(|stop| &mut stop.stage);
        if let Some(StopStage::PreStop { finished, .. }) = stage {
            *finished = true;
        }
    }

    /// The process ended: an exec hook ends with it, whatever else its container holds.
    pub(crate) fn hook_loses_process(&mut self, i: usize, instance: Instance) {
        let Some(hook) = self.containers[i]
            .run_mut(instance)
            .and_then(|run| run.hook)
        else {
            return;
        };
        let lifecycle = self.containers[i].spec.lifecycle.as_ref();
        let handler = lifecycle.and_then(|lifecycle| match hook {
            HookKind::PostStart => lifecycle.post_start.as_ref(),
            HookKind::PreStop => lifecycle.pre_stop.as_ref(),
        });
        if handler.is_some_and(|handler| handler.exec.is_some()) {
            self.hook_done(
                i,
                instance,
                hook,
                Err("container ended while the hook ran".to_owned()),
            );
        }
    }

    /// Nobody waits for the hook any more (R8.4).
    pub(crate) fn cancel_hook(&mut self, i: usize) {
        let container = &mut self.containers[i];
        let starting = container
            .starting
            .as_mut()
            .map(|starting| &mut starting.run);
        let runs: Vec<_> = starting.into_iter().chain(container.run.as_mut()).collect();
        let mut cancelled = Vec::new();
        for run in runs {
            if let Some(hook) = run.hook.take() {
                cancelled.push((run.instance, hook));
            }
        }
        for (instance, hook) in cancelled {
            let container = self.containers[i].spec.name.clone();
            self.act(Action::CancelHook {
                container,
                instance,
                hook,
            });
        }
    }
}
