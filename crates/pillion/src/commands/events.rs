//! `pillion events`: what happened, in order.

use std::process::ExitCode;

use client::{Change, Client, Query, Resource};
use jiff::Timestamp;
use manifest::core::v1::Event;
use printers::events::{EventPrinter, sort};
use printers::output;
use serde_json::json;

use super::get::format;
use super::kube::targets::{self, Kind, Target};
use super::{Failure, kube};
use crate::cli::{EventsArgs, Global};
use crate::term::Term;

pub(crate) fn run(args: &EventsArgs, global: &Global, term: &Term) -> Result<ExitCode, Failure> {
    let known =
        |kind: &String| kind.eq_ignore_ascii_case("Normal") || kind.eq_ignore_ascii_case("Warning");
    if !args.types.iter().all(known) {
        return Err(Failure::text("valid --types are Normal or Warning".into()));
    }
    let printer = match format::parse(args.output.as_deref())? {
        Some(format) => Printer::Objects(output::Printer::new(format, args.no_headers)),
        None => Printer::Lines(EventPrinter::new(
            args.no_headers,
            args.scope.all_namespaces,
        )),
    };
    let query = query(args)?;
    let events = Events {
        args,
        term,
        client: kube::client(global),
        printer,
    };
    if args.watch {
        kube::stream(events.watch(&query))
    } else {
        kube::block_on(events.list(&query))
    }
}

fn query(args: &EventsArgs) -> Result<Query, Failure> {
    let query = kube::query(Resource::Events, &args.scope, None, None);
    let Some(object) = &args.object else {
        return Ok(query);
    };
    if !object.contains('/') {
        return Err(Failure::text("--for must be in resource/name form".into()));
    }
    match targets::parse(std::slice::from_ref(object))?.as_slice() {
        [Target::One(kind, name)] => {
            let kind = match kind {
                Kind::Pods => "Pod",
                Kind::Events => "Event",
            };
            Ok(query.fields(format!(
                "involvedObject.kind={kind},involvedObject.name={name}"
            )))
        }
        _ => Ok(query),
    }
}

/// What `events` is to do.
struct Events<'a> {
    args: &'a EventsArgs,
    term: &'a Term,
    client: Client,
    printer: Printer,
}

enum Printer {
    Lines(EventPrinter),
    Objects(output::Printer),
}

impl Events<'_> {
    async fn list(mut self, query: &Query) -> Result<ExitCode, Failure> {
        let listed = self.client.list::<Event>(query).await?;
        let failed = kube::report(listed.failures, self.term);
        let mut events = self.wanted(listed.found);
        if events.is_empty() {
            self.term.remark(&match self.args.scope.one() {
                Some(namespace) => format!("No events found in {namespace} namespace.\n"),
                None => "No events found.\n".to_owned(),
            });
        } else {
            sort(&mut events);
            let text = match &mut self.printer {
                Printer::Lines(printer) => printer.print(&events, Timestamp::now().into()),
                Printer::Objects(printer) => {
                    let list = json!({
                        "apiVersion": "v1",
                        "kind": "EventList",
                        "metadata": {},
                        "items": events,
                    });
                    printer.print(&list).map_err(Failure::saying)?
                }
            };
            self.term.result(&text);
        }
        Ok(kube::exit_code(failed))
    }

    /// Never ends by itself.
    async fn watch(mut self, query: &Query) -> Result<ExitCode, Failure> {
        let (listed, mut watch) = self.client.watch::<Event>(query).await?;
        kube::report(listed.failures, self.term);
        let mut events = listed.found;
        sort(&mut events);
        loop {
            for event in self.wanted(events) {
                self.print(&event)?;
            }
            events = match watch.next().await {
                // It was forgotten, not undone.
                Ok(event) if event.change == Change::Deleted => Vec::new(),
                Ok(event) => vec![event.object],
                Err(error) => {
                    Failure::from(error).report(self.term);
                    Vec::new()
                }
            };
        }
    }

    fn wanted(&self, mut events: Vec<Event>) -> Vec<Event> {
        let types = &self.args.types;
        events.retain(|event| {
            let own = event.type_.as_deref().unwrap_or_default();
            types.is_empty() || types.iter().any(|one| one.eq_ignore_ascii_case(own))
        });
        events
    }

    fn print(&mut self, event: &Event) -> Result<(), Failure> {
        let text = match &mut self.printer {
            Printer::Lines(printer) => printer.print([event], Timestamp::now().into()),
            Printer::Objects(printer) => printer.print(&json!(event)).map_err(Failure::saying)?,
        };
        self.term.write(text.as_bytes()).map_err(Failure::output)
    }
}
