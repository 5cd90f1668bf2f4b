//! `pillion plan --what-if`: a Pod in the simulator.

use std::process::ExitCode;

use lifecycle::Time;
use lifecycle::what_if::{self, Outcome, Supposition};
use manifest::Located;
use manifest::core::v1::Pod;
use printers::output::{Format, Printer};
use serde_json::json;

use crate::cli::{PlanArgs, PlanOutput};
use crate::commands::svg_file::SvgFile;
use crate::commands::timeline::look_on_stdout;
use crate::commands::{Failure, bad_input};
use crate::exit;
use crate::term::Term;

pub(super) fn run(
    args: &PlanArgs,
    pods: &[&Located<Pod>],
    term: &Term,
) -> Result<ExitCode, Failure> {
    let all: Vec<Supposition> = args
        .what_if
        .iter()
        .map(|supposed| supposed.supposition.clone())
        .collect();
    let texts: Vec<&str> = args
        .what_if
        .iter()
        .map(|supposed| supposed.text.as_str())
        .collect();
    let [pod] = pods else {
        term.error_text(&format!(
            "--what-if is about one Pod, and there are {} in these manifests",
            pods.len()
        ));
        return Ok(bad_input());
    };
    for (supposition, text) in all.iter().zip(&texts) {
        if let Err(error) = what_if::check(&pod.object.spec, supposition) {
            term.error_text(&format!("--what-if {text}: {error}"));
            return Ok(bad_input());
        }
    }
    for (supposition, text) in all.iter().zip(&texts) {
        if matches!(supposition, Supposition::Delete(at) if *at > args.r#for) {
            term.error_text(&format!(
                "--what-if {text}: that is after the simulated time; raise --for"
            ));
            return Ok(bad_input());
        }
    }
    if let Some((first, second, why)) = what_if::contradiction(&all) {
        let (first, second) = (texts[first], texts[second]);
        term.error_text(&format!(
            "--what-if {second}: not together with --what-if {first}: {why}"
        ));
        return Ok(bad_input());
    }
    let picture = match SvgFile::open(args.timeline_svg.as_deref(), &args.manifests.paths()) {
        Ok(picture) => picture,
        Err(failure) => {
            term.error(&failure);
            return Ok(bad_input());
        }
    };
    let begin = Time::from(jiff::Timestamp::now());
    let outcome = what_if::simulate(&pod.object, &all, begin, args.r#for);
    let text = match args.output {
        PlanOutput::Text => {
            let title = format!("{}, if {}", super::title(&pod.object), texts.join(", "));
            printers::what_if::text(&title, &outcome, look_on_stdout(term))
        }
        PlanOutput::Json => object(&pod.object, &texts, &outcome, Format::Json)?,
        PlanOutput::Yaml => object(&pod.object, &texts, &outcome, Format::Yaml)?,
    };
    term.write(text.as_bytes()).map_err(Failure::output)?;
    picture.write(|| printers::what_if::svg(&texts.join(", "), &outcome))?;
    Ok(exit::SUCCESS.into())
}

fn object(pod: &Pod, texts: &[&str], outcome: &Outcome, format: Format) -> Result<String, Failure> {
    let outcome = serde_json::to_value(outcome)
        .map_err(|error| Failure::new("write the outcome as JSON".into(), error))?;
    let object = json!({
        "apiVersion": "pillion.dev/v1",
        "kind": "PodWhatIf",
        "metadata": {"name": pod.metadata.name, "namespace": pod.metadata.namespace},
        "whatIf": texts,
        "outcome": outcome,
    });
    Printer::new(format, false)
        .print(&object)
        .map_err(Failure::saying)
}
