//! `pillion get --watch`: what there is, and then each change.

use std::process::ExitCode;

use client::{Change, Listed, Watch};
use printers::output::{self, Format};
use printers::table::Table;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Get;
use crate::commands::kube::targets::{Kind, Target};
use crate::commands::{Failure, kube};
use crate::exit;

/// Never ends by itself.
pub(super) async fn run(get: &Get<'_>) -> Result<ExitCode, Failure> {
    if get.args.sort_by.is_some() {
        get.term.remark(if get.args.watch_only {
            "warning: --watch-only requested, --sort-by will be ignored\n"
        } else {
            "warning: --watch requested, --sort-by will be ignored for watch events received\n"
        });
    }
    let target = match get.targets.as_slice() {
        [target] => target,
        [first, rest @ ..] if rest.iter().any(|one| one.kind() != first.kind()) => {
            return Err(Failure::text(
                "you may only specify a single resource type".into(),
            ));
        }
        _ => {
            return Err(Failure::text(
                "you may only watch a single resource or type of resource at a time".into(),
            ));
        }
    };
    if let Target::One(Kind::Pods, name) = target {
        let pod = get.pod(name);
        match get.client.get::<Value>(Kind::Pods.resource(), &pod).await {
            Err(error) if error.is_not_found() && get.args.ignore_not_found => {
                return Ok(exit::SUCCESS.into());
            }
            other => other?,
        };
    }
    let query = get.query(target);
    match get.format.clone() {
        None | Some(Format::Wide) => {
            let (mut listed, watch) = get.client.watch_table::<Table>(&query, true).await?;
            if let Some(path) = get.args.sort_by.as_ref().filter(|_| !get.args.watch_only) {
                printers::jsonpath::sort_by(&mut listed.found.rows, path, |row| {
                    row.object.as_ref()
                })
                .map_err(Failure::saying)?;
            }
            let mut printer = get.printer(target.kind());
            follow(get, listed, watch, |table, change| {
                Ok(printer.print(table, change))
            })
            .await
        }
        Some(format) => {
            let (listed, watch) = get.client.watch::<Value>(&query).await?;
            let mut printer = output::Printer::new(format, get.args.no_headers);
            let mut print = move |object: &Value, change: Option<&str>| {
                let event = change.map(|change| json!({ "type": change, "object": object }));
                printer
                    .print(event.as_ref().unwrap_or(object))
                    .map_err(Failure::saying)
            };
            // One by one, as the changes that follow.
            let listed = Listed {
                found: Value::Array(listed.found),
                failures: listed.failures,
            };
            follow(get, listed, watch, move |object, change| match object {
                Value::Array(objects) => objects.iter().map(|one| print(one, change)).collect(),
                object => print(object, change),
            })
            .await
        }
    }
}

async fn follow<T: DeserializeOwned>(
    get: &Get<'_>,
    listed: Listed<T>,
    mut watch: Watch<T>,
    mut print: impl FnMut(&T, Option<&str>) -> Result<String, Failure>,
) -> Result<ExitCode, Failure> {
    let shown = |change| get.args.output_watch_events.then_some(change);
    let write = |text: String| get.term.write(text.as_bytes()).map_err(Failure::output);
    kube::report(listed.failures, get.term);
    if !get.args.watch_only {
        write(print(&listed.found, shown("ADDED"))?)?;
    }
    loop {
        match watch.next().await {
            Ok(event) => {
                let change = match event.change {
                    Change::Added => "ADDED",
                    Change::Modified => "MODIFIED",
                    Change::Deleted => "DELETED",
                };
                write(print(&event.object, shown(change))?)?;
            }
            // The others go on.
            Err(error) => {
                Failure::from(error).report(get.term);
            }
        }
    }
}
