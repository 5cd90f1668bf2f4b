//! Output policy: results on stdout, everything else on stderr, colours only for people.

use std::error::Error;
use std::io::{IsTerminal, Write};

use anstyle::{AnsiColor, Style};

/// How to talk to whoever started the program.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Term {
    /// Colours on stdout.
    pub(crate) color_out: bool,
    /// Colours on stderr.
    pub(crate) color_err: bool,
}

impl Term {
    /// Colours are for terminals, unless `--no-color`, `NO_COLOR` or `TERM=dumb` say otherwise.
    pub(crate) fn new(no_color: bool) -> Self {
        let unwanted = no_color
            || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self {
            color_out: !unwanted && std::io::stdout().is_terminal(),
            color_err: !unwanted && std::io::stderr().is_terminal(),
        }
    }

    /// Writes a result. A reader that is gone is no error.
    pub(crate) fn result(&self, text: &str) {
        let _ = std::io::stdout().lock().write_all(text.as_bytes());
    }

    /// Writes a part of a result that may be long, or never end; whoever writes it ends when nobody reads it any more.
    pub(crate) fn write(&self, bytes: &[u8]) -> std::io::Result<()> {
        let mut out = std::io::stdout().lock();
        out.write_all(bytes)?;
        out.flush()
    }

    /// Writes a remark.
    pub(crate) fn remark(&self, text: &str) {
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    }

    /// Writes `warning: TEXT`.
    pub(crate) fn warning(&self, text: &str) {
        self.label("warning", AnsiColor::Yellow, text);
    }

    /// Writes `error: TEXT`, with its causes.
    pub(crate) fn error(&self, error: &(dyn Error + 'static)) {
        self.label("error", AnsiColor::Red, &causes(error));
    }

    /// Writes `error: TEXT`.
    pub(crate) fn error_text(&self, text: &str) {
        self.label("error", AnsiColor::Red, text);
    }

    fn label(&self, label: &str, color: AnsiColor, text: &str) {
        let style = Style::new().bold().fg_color(Some(color.into()));
        if self.color_err {
            self.remark(&format!("{style}{label}:{style:#} {text}\n"));
        } else {
            self.remark(&format!("{label}: {text}\n"));
        }
    }
}

/// An error and what caused it, in one line.
pub(crate) fn causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
