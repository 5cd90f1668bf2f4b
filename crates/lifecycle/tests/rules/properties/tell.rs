//! What is printed of a story that breaks a law: its Pod as YAML, its timeline, and all that went in and out.

use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use lifecycle::timeline::PodTimeline;
use printers::output::{Format, Printer};
use printers::timeline::{Look, text};

use super::play::{Crash, Fault, Play};
use crate::story::Story;

/// The story, told once more.
pub(super) fn tell(story: &Story, crashes: &[Crash], fault: Option<Fault>) -> String {
    let mut play = Play::new(story, crashes, fault);
    let (pod, now) = (play.sim.record(), play.sim.now());
    play.timeline = Some((PodTimeline::new(&pod, now), 0));
    // The machine itself may be what fails.
    let _ = catch_unwind(AssertUnwindSafe(|| play.run(story, crashes)));
    let mut out = yaml(story);
    let look = Look {
        width: 110,
        color: false,
        unicode: true,
    };
    if let Some((timeline, _)) = &play.timeline {
        let _ = writeln!(out, "\n{}", text(&timeline.up_to(play.sim.now()), look));
    }
    for (at, event) in play.sim.trace() {
        let _ = writeln!(out, "{:>8.3} {event:?}", at.0 as f64 / 1000.0);
    }
    out
}

fn yaml(story: &Story) -> String {
    let pod = serde_json::to_value(story.builder().build());
    let printed = pod.map(|pod| Printer::new(Format::Yaml, false).print(&pod));
    match printed {
        Ok(Ok(text)) => text,
        other => format!("{other:?}\n"),
    }
}
