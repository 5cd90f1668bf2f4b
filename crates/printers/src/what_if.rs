//! What would follow from something supposed, for a terminal.

use std::time::Duration;

use anstyle::{AnsiColor, Style};
use lifecycle::what_if::{Moment, Outcome, Row};

use crate::escape;
use crate::timeline::{Look, bars, wrap};

#[cfg(test)]
mod tests;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const RED: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red)));
/// The least width that leaves room for sentences.
const LEAST: usize = 60;
/// Most columns of what happens; why begins after them.
const WHAT: usize = 30;
/// Lines of `kubectl get pod` at most: the first and the last.
const ROWS: (usize, usize) = (8, 3);

/// The outcome as text. `title` says of which Pod, and what was supposed.
#[must_use]
pub fn text(title: &str, outcome: &Outcome, look: Look) -> String {
    let look = Look {
        width: look.width.max(LEAST),
        ..look
    };
    let mut out = String::new();
    paragraph(&mut out, "", title, BOLD, look);
    let names = outcome
        .assumptions
        .iter()
        .map(|assumption| assumption.container.chars().count());
    let names = names.max().unwrap_or(0);
    if !outcome.assumptions.is_empty() {
        out.push_str(&look.paint(DIM, "Assumed otherwise:"));
        out.push('\n');
    }
    for assumption in &outcome.assumptions {
        let label = format!("  {:names$}  ", assumption.container);
        paragraph(&mut out, &label, &assumption.text, DIM, look);
    }
    out.push('\n');
    out.push_str(&bars(&outcome.timeline, look));
    if let Some(cut) = cut(outcome) {
        out.push('\n');
        paragraph(&mut out, "", &cut, DIM, look);
    }
    heading(&mut out, "What happens", look);
    story(&mut out, &outcome.story, look);
    heading(&mut out, "What kubectl get pod shows", look);
    rows(&mut out, &outcome.columns, look);
    heading(&mut out, "In short", look);
    for sentence in &outcome.summary {
        paragraph(&mut out, "  ", sentence, Style::new(), look);
    }
    out
}

/// The outcome as a picture like that of a run, which says that it was none. `supposed` is what was supposed.
#[must_use]
pub fn svg(supposed: &str, outcome: &Outcome) -> String {
    let mut remarks = vec![format!(
        "Simulated, not run: what would follow from {supposed}"
    )];
    remarks.extend(cut(outcome));
    crate::timeline::svg_with_remarks(&outcome.timeline, &remarks)
}

/// That the bars end before the simulation does.
fn cut(outcome: &Outcome) -> Option<String> {
    let at = time(outcome.timeline_cut_ms?);
    Some(format!(
        "The bars end at {at}: from there to the end of the simulation nothing changes."
    ))
}

fn heading(out: &mut String, title: &str, look: Look) {
    out.push('\n');
    out.push_str(&look.paint(BOLD, title));
    out.push('\n');
}

/// A label and a text that goes on below its own beginning.
fn paragraph(out: &mut String, label: &str, text: &str, style: Style, look: Look) {
    let column = label.chars().count();
    let text = escape::cell(text);
    for (position, line) in wrap(&text, look.width.saturating_sub(column).max(30))
        .into_iter()
        .enumerate()
    {
        let blank = " ".repeat(column);
        let before = if position == 0 { label } else { &blank };
        out.push_str(&format!("{before}{}\n", look.paint(style, line)));
    }
}

fn story(out: &mut String, story: &[Moment], look: Look) {
    let widest = |width: &dyn Fn(&Moment) -> usize| story.iter().map(width).max().unwrap_or(0);
    let times = widest(&|moment| time(moment.at_ms).len());
    let names = widest(&|moment| moment.who.chars().count()).min(24);
    let whats = widest(&|moment| moment.what.chars().count()).min(WHAT);
    let column = 2 + times + 2 + names + 2 + whats + 2;
    let mut last = None;
    for moment in story {
        let at = if last.replace(moment.at_ms) == Some(moment.at_ms) {
            String::new()
        } else {
            time(moment.at_ms)
        };
        let at = look.paint(DIM, format!("{at:>times$}"));
        let what = escape::cell(&moment.what);
        let padding = " ".repeat(whats.saturating_sub(what.chars().count()));
        let what = look.paint(if moment.bad { RED } else { Style::new() }, what);
        let why = escape::cell(&moment.why);
        let lines = wrap(&why, look.width.saturating_sub(column).max(24));
        let blank = format!("\n{}", " ".repeat(column));
        let lines = lines
            .iter()
            .map(|line| look.paint(DIM, line))
            .collect::<Vec<_>>();
        let line = format!(
            "  {at}  {:names$}  {what}{padding}  {}",
            moment.who,
            lines.join(&blank)
        );
        out.push_str(line.trim_end());
        out.push('\n');
    }
}

fn rows(out: &mut String, rows: &[Row], look: Look) {
    let (first, last) = ROWS;
    let left_out = rows.len().saturating_sub(first + last);
    let shown: Vec<&Row> = if left_out > 1 {
        rows.iter()
            .take(first)
            .chain(rows.iter().skip(first + left_out))
            .collect()
    } else {
        rows.iter().collect()
    };
    let widest = |width: &dyn Fn(&Row) -> usize, head: &str| {
        shown
            .iter()
            .map(|row| width(row))
            .max()
            .unwrap_or(0)
            .max(head.len())
    };
    let times = widest(&|row| time(row.at_ms).len(), "from");
    let readies = widest(&|row| row.ready.len(), "READY");
    let states = widest(&|row| row.status.len(), "STATUS");
    let head = format!(
        "{:>times$}  {:readies$}  {:states$}  RESTARTS",
        "from", "READY", "STATUS"
    );
    out.push_str(&format!("  {}\n", look.paint(DIM, head)));
    for (position, row) in shown.iter().enumerate() {
        if position == first && left_out > 1 {
            let note = format!("{:>times$}  {left_out} more changes like these", "");
            out.push_str(&format!("  {}\n", look.paint(DIM, note)));
        }
        let Row {
            ready,
            status,
            restarts,
            ..
        } = row;
        let at = time(row.at_ms);
        out.push_str(&format!(
            "  {at:>times$}  {ready:readies$}  {status:states$}  {restarts}\n"
        ));
    }
}

/// A time from the beginning: `0s`, `1.5s`, `2m05s`.
fn time(millis: i64) -> String {
    let duration = Duration::from_millis(u64::try_from(millis).unwrap_or(0));
    let (seconds, rest) = (duration.as_secs(), duration.subsec_millis());
    match (seconds / 60, rest) {
        (0, 0) => format!("{seconds}s"),
        (0, rest) => format!("{}s", format!("{seconds}.{rest:03}").trim_end_matches('0')),
        (minutes, _) => format!("{minutes}m{:02}s", seconds % 60),
    }
}
