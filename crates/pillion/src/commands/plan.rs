//! `pillion plan`: what would happen and why, without running anything.

use std::fmt::Write;
use std::process::ExitCode;

use lifecycle::Role;
use lifecycle::plan::Plan;
use manifest::Object;
use manifest::core::v1::ResourceList;

use super::{bad_input, load};
use crate::cli::PlanArgs;
use crate::exit;
use crate::term::Term;

pub(crate) fn run(args: &PlanArgs, term: &Term) -> ExitCode {
    let Some(loaded) = load(&args.manifests.paths(), term) else {
        return bad_input();
    };
    let mut texts = Vec::new();
    for object in &loaded.objects {
        if let Object::Pod(pod) = object {
            let name = pod.object.metadata.name.as_deref().unwrap_or_default();
            texts.push(text(name, &lifecycle::plan::plan(&pod.object.spec)));
        }
    }
    term.result(&texts.join("\n"));
    exit::SUCCESS.into()
}

fn text(name: &str, plan: &Plan) -> String {
    let mut text = format!("Pod {name}\n");
    // Writing to a String does not fail.
    let _ = writeln!(text, "  Starts:");
    for (at, start) in plan.starts.iter().enumerate() {
        let _ = writeln!(
            text,
            "    {}. {} ({})",
            at + 1,
            start.container,
            role(start.role)
        );
        for gate in &start.after {
            let _ = writeln!(text, "         after: {gate}");
        }
    }
    let _ = writeln!(text, "  Requests: {}", amounts(&plan.requests));
    let _ = writeln!(text, "  Limits:   {}", amounts(&plan.limits));
    let _ = writeln!(text, "  QoS class: {}", plan.qos);
    let _ = writeln!(text, "  Stops, within {} s:", plan.grace_seconds);
    for stop in &plan.stops {
        let hook = if stop.pre_stop {
            ", its preStop hook first"
        } else {
            ""
        };
        let _ = writeln!(
            text,
            "    {}. {} ({}){hook}",
            stop.rank + 1,
            stop.container,
            role(stop.role)
        );
        if !stop.after.is_empty() {
            let _ = writeln!(text, "         after: {}", stop.after.join(", "));
        }
    }
    text
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Init => "init container",
        Role::Sidecar => "sidecar",
        Role::App => "app",
    }
}

fn amounts(list: &ResourceList) -> String {
    if list.is_empty() {
        return "none".into();
    }
    list.iter()
        .map(|(name, amount)| format!("{name} {amount}"))
        .collect::<Vec<_>>()
        .join(", ")
}
