//! `pillion get`: Pods and events as tables, or as objects in one of the forms of `-o`.

pub(super) mod format;
mod watch;

use std::process::ExitCode;

use client::{Client, Error, Listed, PodName, Query};
use printers::jsonpath::sort_by;
use printers::output::{self, Format};
use printers::table::{self, Table, TablePrinter};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::kube::targets::{self, Kind, Target};
use super::{Failure, kube};
use crate::cli::{GetArgs, Global};
use crate::term::Term;

pub(crate) fn run(args: &GetArgs, global: &Global, term: &Term) -> Result<ExitCode, Failure> {
    let get = Get {
        args,
        term,
        format: format::parse(args.output.as_deref())?,
        targets: targets::parse(&args.resources)?,
        client: kube::client(global),
    };
    get.validate()?;
    if args.watch || args.watch_only {
        return kube::stream(watch::run(&get));
    }
    kube::block_on(async {
        match &get.format {
            None | Some(Format::Wide) => get.tables().await,
            Some(format) => get.objects(format.clone()).await,
        }
    })
}

/// What `get` is to do.
struct Get<'a> {
    args: &'a GetArgs,
    term: &'a Term,
    /// `None` is the table.
    format: Option<Format>,
    targets: Vec<Target>,
    client: Client,
}

/// What was found, and what went wrong.
struct Found<T> {
    /// With the kind of each.
    parts: Vec<(Kind, T)>,
    errors: Vec<Error>,
}

impl Get<'_> {
    fn validate(&self) -> Result<(), Failure> {
        let args = self.args;
        let named = self
            .targets
            .iter()
            .any(|target| matches!(target, Target::One(..)));
        let selected = args.selector.is_some() || args.field_selector.is_some();
        let other = match &self.format {
            None | Some(Format::Wide) => None,
            Some(_) => args.output.as_deref(),
        };
        let wrong = if named && selected {
            "name cannot be provided when a selector is specified".to_owned()
        } else if named && args.scope.all_namespaces {
            "a resource cannot be retrieved by name across all namespaces".to_owned()
        } else if let (true, Some(format)) = (args.show_labels, other) {
            format!("--show-labels option cannot be used with {format} printer")
        } else if args.output_watch_events && !(args.watch || args.watch_only) {
            "--output-watch-events option can only be used with --watch or --watch-only".to_owned()
        } else {
            return Ok(());
        };
        Err(Failure::text(wrong))
    }

    async fn tables(&self) -> Result<ExitCode, Failure> {
        let whole = self.args.sort_by.is_some();
        let mut found = Found {
            parts: Vec::<(Kind, Table)>::new(),
            errors: Vec::new(),
        };
        for target in &self.targets {
            let kind = target.kind();
            let table = match target {
                Target::One(Kind::Pods, name) => self
                    .client
                    .get_table(&self.pod(name), whole)
                    .await
                    .map(|found| Listed {
                        found,
                        failures: Vec::new(),
                    }),
                Target::One(Kind::Events, name) => {
                    let listed = self.client.table(&self.query(target), whole).await;
                    there(listed, kind, name, |table: &Table| !table.rows.is_empty())
                }
                Target::All(_) => self.client.table(&self.query(target), whole).await,
            };
            if let Some(table) = found.take(table, self.args.ignore_not_found) {
                found.add(kind, table);
            }
        }
        if let Some(path) = &self.args.sort_by {
            for (_, table) in &mut found.parts {
                sort_by(&mut table.rows, path, |row| row.object.as_ref())
                    .map_err(Failure::saying)?;
            }
        }
        let mut text = String::new();
        for (kind, table) in &found.parts {
            let next = self.printer(*kind).print(table, None);
            if !text.is_empty() && !next.is_empty() && !self.args.no_headers {
                text.push('\n');
            }
            text.push_str(&next);
        }
        self.term.result(&text);
        if text.is_empty() && found.errors.is_empty() && !self.args.ignore_not_found {
            kube::nothing_found(&self.args.scope, self.term);
        }
        Ok(kube::exit_code(kube::report(found.errors, self.term)))
    }

    async fn objects(&self, format: Format) -> Result<ExitCode, Failure> {
        let mut found = Found {
            parts: Vec::<(Kind, Vec<Value>)>::new(),
            errors: Vec::new(),
        };
        for target in &self.targets {
            let objects = self.objects_of(target).await;
            if let Some(objects) = found.take(objects, self.args.ignore_not_found) {
                found.parts.push((target.kind(), objects));
            }
        }
        let mut objects: Vec<Value> = found.parts.into_iter().flat_map(|(_, some)| some).collect();
        let single = matches!(self.targets.as_slice(), [Target::One(..)]);
        if objects.is_empty() && (single || self.args.ignore_not_found) {
            return Ok(kube::exit_code(kube::report(found.errors, self.term)));
        }
        if let Some(path) = &self.args.sort_by {
            sort_by(&mut objects, path, |object| Some(object)).map_err(Failure::saying)?;
        }
        let object = match objects.pop() {
            Some(object) if single && objects.is_empty() => object,
            last => {
                objects.extend(last);
                output::list(objects)
            }
        };
        let text = output::Printer::new(format, self.args.no_headers)
            .print(&object)
            .map_err(Failure::saying)?;
        self.term.result(&text);
        Ok(kube::exit_code(kube::report(found.errors, self.term)))
    }

    async fn objects_of(&self, target: &Target) -> Result<Listed<Vec<Value>>, Error> {
        match target {
            Target::One(Kind::Pods, name) => {
                let pod = self
                    .client
                    .get(Kind::Pods.resource(), &self.pod(name))
                    .await;
                pod.map(|pod| Listed {
                    found: vec![pod],
                    failures: Vec::new(),
                })
            }
            Target::One(kind, name) => {
                let listed = self.client.list(&self.query(target)).await;
                there(listed, *kind, name, |objects: &Vec<Value>| {
                    !objects.is_empty()
                })
            }
            Target::All(_) => self.client.list(&self.query(target)).await,
        }
    }

    fn pod(&self, name: &str) -> PodName {
        PodName::new(self.args.scope.namespace.name(), name)
    }

    fn query(&self, target: &Target) -> Query {
        let name = match target {
            Target::One(Kind::Pods, name) => return Query::pod(&self.pod(name)),
            Target::One(_, name) => Some(format!("metadata.name={name}")),
            Target::All(_) => None,
        };
        let args = self.args;
        let fields = name.as_deref().or(args.field_selector.as_deref());
        let labels = args.selector.as_deref();
        kube::query(target.kind().resource(), &args.scope, labels, fields)
    }

    fn printer(&self, kind: Kind) -> TablePrinter {
        let several = self.targets.iter().any(|target| target.kind() != kind);
        TablePrinter::new(table::Options {
            wide: matches!(self.format, Some(Format::Wide)),
            no_headers: self.args.no_headers,
            with_namespace: self.args.scope.all_namespaces,
            show_labels: self.args.show_labels,
            label_columns: self.args.label_columns.clone(),
            kind: (several || self.args.show_kind).then(|| kind.singular().to_owned()),
        })
    }
}

impl<T> Found<T> {
    /// What an answer brings; its errors are kept for later.
    fn take(&mut self, answer: Result<Listed<T>, Error>, ignore_not_found: bool) -> Option<T> {
        match answer {
            Ok(listed) => {
                self.errors.extend(listed.failures);
                Some(listed.found)
            }
            Err(error) if ignore_not_found && error.is_not_found() => None,
            Err(error) => {
                self.errors.push(error);
                None
            }
        }
    }
}

impl Found<Table> {
    /// Tables of one kind in a row are one table.
    fn add(&mut self, kind: Kind, table: Table) {
        match self.parts.last_mut() {
            Some((last, before)) if *last == kind => before.rows.extend(table.rows),
            _ => self.parts.push((kind, table)),
        }
    }
}

/// A list that was to hold one object, which may not exist.
fn there<T: DeserializeOwned>(
    listed: Result<Listed<T>, Error>,
    kind: Kind,
    name: &str,
    is: impl Fn(&T) -> bool,
) -> Result<Listed<T>, Error> {
    match listed {
        Ok(listed) if !is(&listed.found) && listed.failures.is_empty() => {
            Err(Error::not_found(kind.plural(), name))
        }
        other => other,
    }
}
