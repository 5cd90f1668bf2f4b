//! `pillion plan`: what would happen and why, without running anything.

use std::process::ExitCode;

use lifecycle::plan::{self, Plan};
use manifest::core::v1::{Pod, PodSpec};
use manifest::{Located, Object, Path};
use printers::output::{Format, Printer};
use serde_json::{Value, json};

use super::timeline::look_on_stdout;
use super::{Failure, bad_input, load};
use crate::cli::{PlanArgs, PlanOutput};
use crate::exit;
use crate::term::Term;

mod what_if;

pub(crate) fn run(args: &PlanArgs, term: &Term) -> Result<ExitCode, Failure> {
    let Some(loaded) = load(&args.manifests.paths(), term) else {
        return Ok(bad_input());
    };
    let pods = loaded.objects.iter().filter_map(|object| match object {
        Object::Pod(pod) => Some(pod),
        _ => None,
    });
    let pods = pods.collect::<Vec<_>>();
    if pods.is_empty() {
        term.error_text(&format!("no Pod in {}", args.manifests.paths().join(", ")));
        return Ok(bad_input());
    }
    if !args.what_if.is_empty() {
        return what_if::run(args, &pods, term);
    }
    let text = match args.output {
        PlanOutput::Text => {
            let texts = pods.iter().map(|pod| {
                printers::plan::text(&title(&pod.object), &located(pod), look_on_stdout(term))
            });
            texts.collect::<Vec<_>>().join("\n")
        }
        PlanOutput::Json => print(&pods, Format::Json)?,
        PlanOutput::Yaml => print(&pods, Format::Yaml)?,
    };
    term.write(text.as_bytes()).map_err(Failure::output)?;
    Ok(exit::SUCCESS.into())
}

/// The plan with the lines of its fields.
fn located(pod: &Located<Pod>) -> Plan {
    let mut plan = plan::plan(&pod.object.spec);
    let origin = &pod.origin;
    let line = |path: &Path| origin.source.position(path.locate(&origin.tree).start).0;
    plan.locate(|path| Some(line(path)));
    plan
}

fn title(pod: &Pod) -> String {
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let policy = pod.spec.restart_policy.unwrap_or_default();
    let deadline = pod.spec.active_deadline_seconds;
    let deadline = deadline
        .map(|seconds| format!(", activeDeadlineSeconds {seconds}"))
        .unwrap_or_default();
    format!(
        "Pod {name}: {}, restartPolicy {policy}{deadline}",
        counts(&pod.spec)
    )
}

/// `1 init container, 2 sidecars, 1 container`.
fn counts(spec: &PodSpec) -> String {
    let sidecars = spec
        .init_containers
        .iter()
        .filter(|entry| manifest::resources::is_sidecar(entry))
        .count();
    let kinds = [
        (spec.init_containers.len() - sidecars, "init container"),
        (sidecars, "sidecar"),
        (spec.containers.len(), "container"),
    ];
    let kinds = kinds.into_iter().filter(|(number, _)| *number > 0);
    let kinds = kinds
        .map(|(number, what)| format!("{number} {what}{}", if number == 1 { "" } else { "s" }));
    kinds.collect::<Vec<_>>().join(", ")
}

fn print(pods: &[&Located<Pod>], format: Format) -> Result<String, Failure> {
    let mut printer = Printer::new(format, false);
    let mut text = String::new();
    for pod in pods {
        text.push_str(&printer.print(&object(pod)?).map_err(Failure::saying)?);
    }
    Ok(text)
}

fn object(pod: &Located<Pod>) -> Result<Value, Failure> {
    let plan = serde_json::to_value(located(pod))
        .map_err(|error| Failure::new("write the plan as JSON".into(), error))?;
    let metadata = &pod.object.metadata;
    Ok(json!({
        "apiVersion": "pillion.dev/v1",
        "kind": "PodPlan",
        "metadata": {"name": metadata.name, "namespace": metadata.namespace},
        "plan": plan,
    }))
}
