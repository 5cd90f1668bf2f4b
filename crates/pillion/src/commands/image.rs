//! `pillion image`: the images of this machine.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::process::ExitCode;

use image::{ImportOptions, Reference, Selector, Store};
use node::paths::Paths;

use super::Failure;
use crate::cli::{Global, ImageCommand, ImportArgs, Output};
use crate::exit;
use crate::term::{Term, causes};

pub(crate) fn run(
    command: ImageCommand,
    global: &Global,
    term: &Term,
) -> Result<ExitCode, Failure> {
    let paths = Paths::new(global.root.as_deref());
    let store = Store::open(&paths.images()).map_err(|error| {
        let root = if rustix::process::geteuid().is_root() {
            ""
        } else {
            " (hint: run it with sudo)"
        };
        Failure::text(format!("open the image store: {}{root}", failed(&error)))
    })?;
    let code = match command {
        ImageCommand::Import(args) => import(&store, &args, term)?,
        ImageCommand::Load { file } => load(&store, &file, term)?,
        ImageCommand::Ls { output } => list(&store, output, term)?,
        ImageCommand::Inspect { images } => inspect(&store, &images, term),
        ImageCommand::Rm { images } => remove(&store, &images, term),
        ImageCommand::Prune => {
            let freed = store
                .prune()
                .map_err(|error| Failure::new("prune images".into(), error))?;
            term.result(&format!("freed {}\n", size(freed.bytes)));
            exit::SUCCESS
        }
    };
    Ok(code.into())
}

fn open(file: &str) -> Result<Box<dyn Read>, Failure> {
    if file == "-" {
        return Ok(Box::new(io::stdin().lock()));
    }
    File::open(file)
        .map(|file| Box::new(file) as Box<dyn Read>)
        .map_err(|error| Failure::new(format!("open {}", Path::new(file).display()), error))
}

fn import(store: &Store, args: &ImportArgs, term: &Term) -> Result<exit::Exit, Failure> {
    let tag = match Reference::parse(&args.tag) {
        Ok(tag) => tag,
        Err(error) => {
            term.error(&error);
            return Ok(exit::BAD_INPUT);
        }
    };
    if let Some(entry) = args.env.iter().find(|entry| !entry.contains('=')) {
        term.error_text(&format!("--env {entry}: write it as NAME=VALUE"));
        return Ok(exit::BAD_INPUT);
    }
    let options = ImportOptions {
        tag,
        entrypoint: args
            .entrypoint
            .clone()
            .map(|list| list.0)
            .unwrap_or_default(),
        cmd: args.cmd.clone().map(|list| list.0).unwrap_or_default(),
        env: args.env.clone(),
        user: args.user.clone(),
        working_dir: args.workdir.clone(),
        stop_signal: args.stop_signal.clone(),
    };
    let image = store
        .import(open(&args.file)?, options)
        .map_err(|error| Failure::text(format!("import {}: {}", args.file, failed(&error))))?;
    image
        .warnings
        .iter()
        .for_each(|warning| term.warning(warning));
    term.result(&format!("{}\n", image.id));
    Ok(exit::SUCCESS)
}

fn load(store: &Store, file: &str, term: &Term) -> Result<exit::Exit, Failure> {
    let loaded = store
        .load(open(file)?)
        .map_err(|error| Failure::text(format!("load {file}: {}", failed(&error))))?;
    for image in loaded {
        image
            .warnings
            .iter()
            .for_each(|warning| term.warning(warning));
        term.result(&match image.reference {
            Some(reference) => format!("Loaded image: {}\n", reference.familiar()),
            None => format!("Loaded image ID: {}\n", image.id),
        });
    }
    Ok(exit::SUCCESS)
}

fn list(store: &Store, output: Output, term: &Term) -> Result<exit::Exit, Failure> {
    let images = store
        .list()
        .map_err(|error| Failure::new("list images".into(), error))?;
    if output == Output::Json {
        for image in images {
            let line = serde_json::json!({
                "reference": image.reference.map(|reference| reference.to_string()),
                "id": image.id.to_string(),
                "created": image.created.map(|time| time.to_string()),
                "bytes": image.size,
                "layers": image.layers,
            });
            term.result(&format!("{line}\n"));
        }
        return Ok(exit::SUCCESS);
    }
    let mut rows: Vec<[String; 4]> = images
        .iter()
        .map(|image| {
            let id = image.id.to_string();
            let id = id.trim_start_matches("sha256:").chars().take(12).collect();
            let (repository, tag) = name_columns(image.reference.as_ref());
            [repository, tag, id, size(image.size)]
        })
        .collect();
    rows.sort();
    term.result(&table(["REPOSITORY", "TAG", "IMAGE ID", "SIZE"], &rows));
    Ok(exit::SUCCESS)
}

/// `nginx` and `latest`, as docker prints them.
fn name_columns(reference: Option<&Reference>) -> (String, String) {
    let none = || ("<none>".to_owned(), "<none>".to_owned());
    reference.map_or_else(none, |reference| {
        let name = reference.familiar();
        let repository = match (name.split_once('@'), reference.tag()) {
            (Some((repository, _)), _) => repository.to_owned(),
            (None, Some(tag)) => name.trim_end_matches(&format!(":{tag}")).to_owned(),
            (None, None) => name,
        };
        (repository, reference.tag().unwrap_or("<none>").to_owned())
    })
}

/// Columns as wide as their widest cell, three spaces between them.
fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
    let mut widths = head.map(str::len);
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: [&str; N]| {
        let cells = cells
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("   ").trim_end())
    };
    let mut text = line(head);
    for row in rows {
        text.push_str(&line(std::array::from_fn(|at| row[at].as_str())));
    }
    text
}

/// Bytes as docker and podman print them: decimal units, three digits.
#[allow(clippy::cast_precision_loss)]
fn size(bytes: u64) -> String {
    let mut value = bytes as f64;
    let mut units = ["B", "kB", "MB", "GB", "TB"].into_iter();
    let mut unit = units.next().unwrap_or("B");
    while value >= 1000.0 {
        let Some(next) = units.next() else { break };
        value /= 1000.0;
        unit = next;
    }
    match value {
        _ if unit == "B" => format!("{bytes}B"),
        10.0.. if value >= 100.0 => format!("{value:.0}{unit}"),
        10.0.. => format!("{value:.1}{unit}"),
        _ => format!("{value:.2}{unit}"),
    }
}

fn inspect(store: &Store, images: &[String], term: &Term) -> exit::Exit {
    let mut found = Vec::new();
    let code = each(images, term, |name| {
        found.push(
            store
                .inspect(Selector::parse(name))
                .map_err(|error| failed(&error))?,
        );
        Ok(())
    });
    let text = serde_json::to_string_pretty(&found).unwrap_or_default();
    term.result(&format!("{text}\n"));
    code
}

fn remove(store: &Store, images: &[String], term: &Term) -> exit::Exit {
    each(images, term, |name| {
        let removed = store
            .remove(Selector::parse(name))
            .map_err(|error| failed(&error))?;
        for reference in removed.untagged {
            term.result(&format!("Untagged: {}\n", reference.familiar()));
        }
        if let Some(id) = removed.deleted {
            term.result(&format!("Deleted: {id}\n"));
        }
        Ok(())
    })
}

/// An error of the store with what to do about it.
fn failed(error: &image::Error) -> String {
    match error.hint() {
        Some(hint) => format!("{} (hint: {hint})", causes(error)),
        None => causes(error),
    }
}

/// Does something for each name, goes on after a failure, and fails at the end.
fn each(
    images: &[String],
    term: &Term,
    mut action: impl FnMut(&str) -> Result<(), String>,
) -> exit::Exit {
    let mut code = exit::SUCCESS;
    for name in images {
        if let Err(message) = action(name) {
            term.error_text(&message);
            code = exit::FAILURE;
        }
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_three_digits() {
        for (bytes, text) in [
            (0, "0B"),
            (999, "999B"),
            (1500, "1.50kB"),
            (12_345_678, "12.3MB"),
            (987_654_321, "988MB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["abcdef".to_owned(), "x".to_owned()]];
        assert_eq!(table(["A", "B"], &rows), "A        B\nabcdef   x\n");
    }
}
