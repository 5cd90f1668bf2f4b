//! The merged output of a run: one thread that writes whatever the node tells, in order.
//!
//! It is a thread of its own because a terminal that is paused blocks whoever writes to it, and that must
//! not be the thread that runs probes and grace periods. Memory stays flat: log chunks hold their share
//! of a bounded budget until they are written (see [`node::output`]).

mod lines;
mod tails;

use std::collections::{HashMap, HashSet};
use std::io::{self, BufWriter};
use std::sync::Arc;
use std::thread::JoinHandle;

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;
use manifest::core::v1::{Event, Pod};
use node::output::{LogChunk, Message, Stream};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::mpsc::error::TryRecvError;

use self::lines::LineWriter;
pub(crate) use self::tails::Tails;
use crate::progress::{Line, Mark, Progress};
use crate::term::Term;

/// What the printer needs to know before the first line.
#[derive(Debug)]
pub(crate) struct Config {
    /// One JSON object a line on stdout; logs go to stderr.
    pub(crate) json: bool,
    /// Names before log lines.
    pub(crate) prefix: bool,
    /// Every container of every Pod, in the order of the manifests.
    pub(crate) sources: Vec<(String, String)>,
    pub(crate) term: Term,
}

const COLORS: [AnsiColor; 6] = [
    AnsiColor::Cyan,
    AnsiColor::Green,
    AnsiColor::Magenta,
    AnsiColor::Blue,
    AnsiColor::BrightYellow,
    AnsiColor::BrightCyan,
];

/// The running thread.
#[derive(Debug)]
pub(crate) struct Printer(JoinHandle<Tails>);

impl Printer {
    /// Starts to print. `closed` is told when nobody reads our stdout any more.
    pub(crate) fn start(
        config: Config,
        messages: UnboundedReceiver<Message>,
        closed: tokio::sync::mpsc::UnboundedSender<()>,
    ) -> io::Result<Self> {
        let state = State::new(config, closed);
        std::thread::Builder::new()
            .name("printer".into())
            .spawn(move || state.run(messages))
            .map(Self)
    }

    /// Waits until all is written; gives the last lines of each container.
    pub(crate) fn finish(self) -> Tails {
        self.0.join().unwrap_or_default()
    }
}

struct Source {
    /// The prefix, padded, with and without colour.
    plain: String,
    colored: String,
}

struct State {
    config: Config,
    sources: HashMap<(String, String), Source>,
    width: usize,
    out: LineWriter<BufWriter<io::Stdout>>,
    err: LineWriter<BufWriter<io::Stderr>>,
    progress: HashMap<String, Progress>,
    tails: Tails,
    notes: HashSet<String>,
    closed: tokio::sync::mpsc::UnboundedSender<()>,
}

impl State {
    fn new(config: Config, closed: tokio::sync::mpsc::UnboundedSender<()>) -> Self {
        let several = config
            .sources
            .iter()
            .any(|(pod, _)| *pod != config.sources[0].0);
        let name = |pod: &str, container: &str| {
            if several {
                format!("{pod}/{container}")
            } else {
                container.to_owned()
            }
        };
        let width = config
            .sources
            .iter()
            .map(|(pod, container)| name(pod, container).chars().count())
            .max()
            .unwrap_or(0);
        let sources = config
            .sources
            .iter()
            .enumerate()
            .map(|(at, (pod, container))| {
                let plain = format!("{:width$} | ", name(pod, container));
                let style = Style::new().fg_color(Some(COLORS[at % COLORS.len()].into()));
                let colored = format!("{style}{plain}{style:#}");
                ((pod.clone(), container.clone()), Source { plain, colored })
            })
            .collect();
        Self {
            sources,
            width,
            out: LineWriter::new(BufWriter::with_capacity(64 << 10, io::stdout())),
            err: LineWriter::new(BufWriter::with_capacity(16 << 10, io::stderr())),
            progress: HashMap::new(),
            tails: Tails::default(),
            notes: HashSet::new(),
            closed,
            config,
        }
    }

    fn run(mut self, mut messages: UnboundedReceiver<Message>) -> Tails {
        loop {
            let message = match messages.try_recv() {
                Ok(message) => message,
                Err(TryRecvError::Disconnected) => break,
                Err(TryRecvError::Empty) => {
                    // Nothing more to come at once: what is buffered is due.
                    self.flush();
                    match messages.blocking_recv() {
                        Some(message) => message,
                        None => break,
                    }
                }
            };
            if self.print(message).is_err() {
                let _ = self.closed.send(());
            }
        }
        // A line that was never ended would put the shell's prompt behind it. Without prefixes the output
        // may be data, to which nothing is added.
        if self.config.prefix {
            let _ = self.out.end_line();
        }
        let _ = self.err.end_line();
        self.flush();
        self.tails
    }

    fn flush(&mut self) {
        if self.out.flush().is_err() {
            let _ = self.closed.send(());
        }
        let _ = self.err.flush();
    }

    fn print(&mut self, message: Message) -> io::Result<()> {
        match message {
            Message::Log(chunk) => self.log(&chunk),
            Message::Wait(..) if self.config.json => Ok(()),
            Message::Wait(pod, container, text) => {
                let line = Line::waiting(container, text);
                self.status_lines(&pod, &[line])
            }
            Message::Event(event) if self.config.json => self.json(&event_line(&event)),
            Message::Note(note) => self.note(note),
            Message::Status(pod) if self.config.json => self.json(&object_line(&pod)),
            Message::Event(event) => {
                let lines = self.progress_of(&event_pod(&event)).event(&event);
                self.status_lines(&event_pod(&event), &lines)
            }
            Message::Status(pod) => {
                let name = pod.metadata.name.clone().unwrap_or_default();
                let lines = self.progress_of(&name).status(&pod);
                self.status_lines(&name, &lines)
            }
        }
    }

    fn progress_of(&mut self, pod: &str) -> &mut Progress {
        self.progress.entry(pod.to_owned()).or_default()
    }

    fn log(&mut self, chunk: &LogChunk) -> io::Result<()> {
        let key = (chunk.pod.to_string(), chunk.container.to_string());
        self.tails.push(&key, chunk.instance, &chunk.bytes);
        let to_stdout = chunk.stream == Stream::Stdout && !self.config.json;
        // On a terminal both streams are one: a line that is open in one must not go on in the other.
        if !to_stdout {
            self.end_stdout_line()?;
        } else if self.config.prefix {
            self.err.end_line()?;
            self.err.flush()?;
        }
        let colored = if to_stdout {
            self.config.term.color_out
        } else {
            self.config.term.color_err
        };
        let prefix = match self.sources.get(&key) {
            Some(source) if self.config.prefix && colored => source.colored.as_str(),
            Some(source) if self.config.prefix => source.plain.as_str(),
            _ => "",
        };
        if to_stdout {
            self.out.write(&key, prefix, &chunk.bytes)
        } else {
            self.err.write(&key, prefix, &chunk.bytes)
        }
    }

    /// Ends what a container has begun on stdout, so that what follows on stderr begins a line. Without prefixes
    /// stdout may be data, to which nothing is added.
    fn end_stdout_line(&mut self) -> io::Result<()> {
        if self.config.prefix && !self.config.json {
            self.out.end_line()?;
        }
        self.out.flush()
    }

    /// Once each: many Pods may meet the same limit of the machine.
    fn note(&mut self, note: String) -> io::Result<()> {
        if self.notes.insert(note.clone()) {
            self.err.whole_line(format!("note: {note}").as_bytes())?;
        }
        Ok(())
    }

    fn json(&mut self, value: &serde_json::Value) -> io::Result<()> {
        self.out.whole_line(value.to_string().as_bytes())
    }

    fn status_lines(&mut self, pod: &str, lines: &[Line]) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        // What the containers wrote before comes before.
        self.end_stdout_line()?;
        let several = self.config.sources.iter().any(|(other, _)| other != pod);
        for line in lines {
            if let (Some(container), true) = (&line.container, line.is_wait) {
                self.tails.waits(pod, container, &line.text);
            }
            let name = match (&line.container, several) {
                (Some(container), true) => format!("{pod}/{container}"),
                (Some(container), false) => container.clone(),
                (None, _) => pod.to_owned(),
            };
            let (mark, color) = match line.mark {
                Mark::Note => ('*', AnsiColor::BrightBlack),
                Mark::Good => ('*', AnsiColor::Green),
                Mark::Bad => ('!', AnsiColor::Red),
            };
            let text = format!("{name:width$} {mark} {}", line.text, width = self.width);
            let style = Style::new().fg_color(Some(color.into()));
            if self.config.term.color_err {
                self.err
                    .whole_line(format!("{style}{text}{style:#}").as_bytes())?;
            } else {
                self.err.whole_line(text.as_bytes())?;
            }
        }
        self.err.flush()
    }
}

fn event_pod(event: &Event) -> String {
    event.involved_object.name.clone().unwrap_or_default()
}

/// `{"time","pod","container"?,"type","reason","message"}`.
fn event_line(event: &Event) -> serde_json::Value {
    let mut line = serde_json::json!({
        "time": Timestamp::now().to_string(),
        "pod": event_pod(event),
    });
    if let (Some(container), Some(map)) = (container_of(event), line.as_object_mut()) {
        map.insert("container".into(), container.into());
    }
    if let Some(map) = line.as_object_mut() {
        map.insert(
            "type".into(),
            event.type_.clone().unwrap_or_default().into(),
        );
        map.insert(
            "reason".into(),
            event.reason.clone().unwrap_or_default().into(),
        );
        map.insert(
            "message".into(),
            event.message.clone().unwrap_or_default().into(),
        );
    }
    line
}

/// The container that an event is about, from its field path `spec.containers{app}`.
pub(crate) fn container_of(event: &Event) -> Option<&str> {
    event
        .involved_object
        .field_path
        .as_deref()?
        .split_once('{')?
        .1
        .strip_suffix('}')
}

/// `{"time","object"}`.
fn object_line(pod: &Arc<Pod>) -> serde_json::Value {
    serde_json::json!({ "time": Timestamp::now().to_string(), "object": &**pod })
}
