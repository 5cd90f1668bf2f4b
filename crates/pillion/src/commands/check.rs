//! `pillion check`: all that `run` does before it runs anything.

use std::process::ExitCode;

use manifest::{Diagnostic, Object, Severity};

use super::{bad_input, show};
use crate::cli::{CheckArgs, Output};
use crate::term::Term;
use crate::{exit, sources};

pub(crate) fn run(args: &CheckArgs, term: &Term) -> ExitCode {
    let sources = match sources::read(&args.manifests.paths()) {
        Ok(sources) => sources,
        Err(error) => {
            term.error(&error);
            return bad_input();
        }
    };
    let (findings, objects) = match manifest::load(&sources) {
        Ok(loaded) if loaded.objects.is_empty() => {
            term.error_text(&format!(
                "no object in {}",
                args.manifests.paths().join(", ")
            ));
            return bad_input();
        }
        Ok(loaded) => {
            let lifecycle = loaded.objects.iter().flat_map(hardly_as_meant);
            let findings = loaded.warnings.iter().cloned().chain(lifecycle);
            (findings.collect(), Some(loaded.objects.len()))
        }
        Err(findings) => (findings, None),
    };
    if args.output == Output::Json {
        for finding in &findings {
            term.result(&format!("{}\n", json(finding)));
        }
    } else {
        show(&findings, term);
        let errors = findings
            .iter()
            .filter(|f| f.severity == Severity::Error)
            .count();
        let warnings = findings.len() - errors;
        term.result(&match objects {
            Some(objects) => format!("{} valid{}\n", count(objects, "object"), also(warnings)),
            None => format!("{}{}\n", count(errors, "error"), also(warnings)),
        });
    }
    if objects.is_some() {
        exit::SUCCESS.into()
    } else {
        bad_input()
    }
}

/// What `plan` warns of.
fn hardly_as_meant(object: &Object) -> Vec<Diagnostic> {
    let Object::Pod(pod) = object else {
        return Vec::new();
    };
    let warnings = lifecycle::plan::warnings(&pod.object.spec);
    let warnings = warnings
        .iter()
        .map(|warning| pod.origin.diagnostic(Severity::Warning, &warning.finding()));
    warnings.collect()
}

fn also(warnings: usize) -> String {
    if warnings == 0 {
        String::new()
    } else {
        format!(", {}", count(warnings, "warning"))
    }
}

fn count(number: usize, what: &str) -> String {
    if number == 1 {
        format!("1 {what}")
    } else {
        format!("{number} {what}s")
    }
}

fn json(finding: &Diagnostic) -> serde_json::Value {
    serde_json::json!({
        "severity": match finding.severity { Severity::Error => "error", Severity::Warning => "warning" },
        "file": finding.file,
        "line": finding.line,
        "column": finding.column,
        "message": finding.message,
        "hint": finding.hint,
    })
}
