//! Every wait says for what it is, since when, and what comes when.

use lifecycle::sim::{Hook, OnTerm, Probe, Run, Script};
use lifecycle::{ProbeOutcome, StartFailure, Wait, WaitKind};
use manifest::core::v1::RestartPolicy::Always;

use crate::support::*;

/// Of each wait: who, kind, since, and what comes at which second.
fn waits(sim: &Sim) -> Vec<(String, WaitKind, i64, String)> {
    let waits = sim.machine().waits(sim.now());
    let told = waits.iter().map(|wait| {
        let next = wait.next.iter().map(|next| {
            let bound = match next.at_least {
                None => "",
                Some(true) => ">=",
                Some(false) => "<=",
            };
            format!("{} {bound}{}", next.what, (next.at.0 - at(0).0) / 1000)
        });
        (
            wait.container.clone().unwrap_or_default(),
            wait.kind,
            (wait.since.0 - at(0).0) / 1000,
            next.collect::<Vec<_>>().join(", "),
        )
    });
    told.collect()
}

fn of(name: &str, kind: WaitKind, since: i64, next: &str) -> (String, WaitKind, i64, String) {
    (name.to_owned(), kind, since, next.to_owned())
}

fn text(sim: &Sim, container: &str) -> String {
    let waits = sim.machine().waits(sim.now());
    let found = |wait: &&Wait| wait.container.as_deref() == Some(container);
    waits
        .iter()
        .find(found)
        .map(|wait| wait.text.clone())
        .unwrap_or_default()
}

#[test]
fn a_start_waits_for_what_comes_before_it() {
    let proxy = Script {
        startup: Probe::succeeds_after(secs(9)),
        ..forever()
    };
    let web = Script {
        post_start: Hook::takes(secs(3)),
        readiness: Probe::always(ProbeOutcome::Failure),
        ..forever()
    };
    let mut sim = pod(Always)
        .init("migrate", exits(secs(4), 0))
        .sidecar("proxy", proxy)
        .with(|c| c.startup_probe = probe(2, 6))
        .app("web", web)
        .with(post_start(exec()))
        .with(|c| c.readiness_probe = probe(5, 3))
        .sim();
    sim.run_until(at(1));
    assert_eq!(
        waits(&sim),
        [
            of("migrate", WaitKind::Exit, 0, ""),
            of("proxy", WaitKind::Predecessor, 0, ""),
            of("web", WaitKind::Predecessor, 0, ""),
        ]
    );
    assert_eq!(
        text(&sim, "proxy"),
        "init container migrate to exit with code 0"
    );
    sim.run_until(at(7));
    // Two runs failed, the next is the third of six.
    assert_eq!(
        waits(&sim),
        [
            of(
                "proxy",
                WaitKind::StartupProbe,
                4,
                "next run 8, restart >=14"
            ),
            of("web", WaitKind::Predecessor, 0, ""),
        ]
    );
    assert!(
        text(&sim, "proxy").starts_with("its startup probe to succeed; it failed 2 of 6 times")
    );
    assert_eq!(
        text(&sim, "web"),
        "the startup probe of sidecar proxy to succeed"
    );
    sim.run_until(at(15));
    let started = (sim.started("web", 0).unwrap().0 - at(0).0) / 1000;
    assert_eq!(waits(&sim), [of("web", WaitKind::PostStart, started, "")]);
    sim.run_until(at(started + 4));
    let waits = waits(&sim);
    assert_eq!((waits.len(), waits[0].1), (1, WaitKind::ReadinessProbe));
    assert!(text(&sim, "web").starts_with("its readiness probe to succeed; it failed once"));
}

#[test]
fn a_liveness_probe_that_fails_says_when_it_counts() {
    let web = Script {
        liveness: Probe::always(ProbeOutcome::Failure),
        ..forever()
    };
    let mut sim = pod(Always)
        .app("web", web)
        .with(|c| c.liveness_probe = probe(5, 3))
        .sim();
    sim.run_until(at(7));
    let expected = of(
        "web",
        WaitKind::LivenessProbe,
        0,
        "next run 10, restart >=10",
    );
    assert_eq!(waits(&sim), [expected]);
    assert!(text(&sim, "web").contains("it failed 2 of 3 times"));
}

#[test]
fn a_start_that_fails_again_has_been_waited_for_since_the_first() {
    let image = Some((StartFailure::ErrImagePull, "no such image".to_owned()));
    let config = Some((StartFailure::CreateContainerConfigError, "no".to_owned()));
    let fails = |failure: Option<_>| Script {
        start_fails: vec![failure; 20],
        ..forever()
    };
    let mut sim = pod(Always)
        .app("image", fails(image))
        .app("config", fails(config))
        .sim();
    sim.run_until(at(61));
    let since = waits(&sim)
        .into_iter()
        .map(|(name, kind, since, _)| (name, kind, since));
    assert_eq!(
        since.collect::<Vec<_>>(),
        [
            ("image".to_owned(), WaitKind::ImageBackOff, 0),
            ("config".to_owned(), WaitKind::StartRetry, 0),
        ]
    );
}

#[test]
fn failed_starts_say_when_they_are_tried_again() {
    let image = Some((StartFailure::ErrImagePull, "no such image".to_owned()));
    let config = Some((
        StartFailure::CreateContainerConfigError,
        "configmap \"settings\" not found".to_owned(),
    ));
    let fails = |failure| Script {
        start_fails: vec![failure],
        ..forever()
    };
    let mut sim = pod(Always)
        .app("image", fails(image))
        .app("config", fails(config))
        .app("crash", exits(secs(0), 7))
        .sim();
    sim.run_until(at(1));
    assert_eq!(
        waits(&sim),
        [
            of("image", WaitKind::ImageBackOff, 0, "next attempt 10"),
            of("config", WaitKind::StartRetry, 0, "next attempt 10"),
            of("crash", WaitKind::RestartBackOff, 0, "next attempt 10"),
        ]
    );
    assert_eq!(
        text(&sim, "image"),
        "its image: ErrImagePull: no such image"
    );
    assert_eq!(
        text(&sim, "config"),
        "its start: CreateContainerConfigError: configmap \"settings\" not found"
    );
    assert_eq!(
        text(&sim, "crash"),
        "restart 2 after its exit with code 7: CrashLoopBackOff"
    );
}

#[test]
fn a_stop_says_when_sigkill_comes_and_that_a_shorter_grace_is_too_late() {
    let run = Run::default().on_term(OnTerm::Ignore);
    let web = Script {
        pre_stop: Hook::takes(secs(4)),
        ..runs([run])
    };
    let mut sim = pod(Always)
        .sidecar("proxy", forever())
        .app("web", web)
        .with(pre_stop(exec()))
        .sim();
    sim.run_until(at(1));
    delete(&mut sim, Some(10));
    sim.run_until(at(2));
    assert_eq!(
        waits(&sim),
        [
            of(
                "proxy",
                WaitKind::StopTurn,
                1,
                "stop signal <=11, SIGKILL <=13"
            ),
            of(
                "web",
                WaitKind::PreStop,
                1,
                "stop signal <=11, SIGKILL <=13"
            ),
        ]
    );
    assert_eq!(text(&sim, "proxy"), "web to stop first, as sidecars do");
    delete(&mut sim, Some(3));
    assert!(text(&sim, "web").contains("3 s of grace were asked for too late"));
    sim.run_until(at(6));
    // R8.1: the grace with which it began, less what the hook took.
    assert_eq!(
        waits(&sim)[1],
        of("web", WaitKind::Termination, 5, "SIGKILL 11")
    );
    sim.run_until(at(12));
    assert_eq!(sim.started("web", 1), None);
    assert!(sim.run_to_rest(at(60)) && sim.machine().waits(sim.now()).is_empty());
}

#[test]
fn a_deadline_is_a_wait_of_the_pod() {
    let mut pod = pod(Always).app("a", forever());
    pod.spec.active_deadline_seconds = Some(90);
    let mut sim = pod.sim();
    sim.run_until(at(5));
    assert_eq!(
        waits(&sim),
        [of("", WaitKind::Deadline, 0, "DeadlineExceeded 90")]
    );
}
