//! A timeline for a terminal.

use std::collections::HashSet;
use std::fmt::Display;

use anstyle::{AnsiColor, Style};
use lifecycle::timeline::PodTimeline;

use super::axis;
use super::chart::{Chart, Row, Shade, Sign};
use super::happenings::{self, Mood};
use crate::escape;

/// What the terminal can show.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Columns; fewer than 50 are taken as 50.
    pub width: usize,
    /// Colours, as escape sequences.
    pub color: bool,
    /// Characters beyond ASCII.
    pub unicode: bool,
}

/// The least width that leaves room for bars.
const LEAST: usize = 50;
/// Columns between two ticks, their labels included.
const TICK: usize = 9;
/// The longest name that is written out before a bar.
const LONGEST_NAME: usize = 24;

/// The history of a Pod as text.
#[must_use]
pub fn text(timeline: &PodTimeline, look: Look) -> String {
    text_of_all(std::slice::from_ref(timeline), look)
}

/// The histories of several Pods as text, on one axis.
#[must_use]
pub fn text_of_all(timelines: &[PodTimeline], look: Look) -> String {
    let look = Look {
        width: look.width.max(LEAST),
        ..look
    };
    let chart = Chart::new(timelines);
    let mut out = header(&chart, look);
    out.push('\n');
    draw(&mut out, &chart, look);
    out.push('\n');
    list(&mut out, timelines, look);
    out
}

/// The bars of a Pod and what their characters mean, without a list of what happened.
pub(crate) fn bars(timeline: &PodTimeline, look: Look) -> String {
    let mut out = String::new();
    let chart = Chart::new(std::slice::from_ref(timeline));
    draw(&mut out, &chart, look);
    out
}

fn draw(out: &mut String, chart: &Chart, look: Look) {
    let roles = chart
        .rows
        .iter()
        .map(|row| row.role.len())
        .max()
        .unwrap_or(0);
    let names = chart
        .rows
        .iter()
        .map(|row| short(&row.name, look).chars().count());
    let gutter = roles + 1 + names.max().unwrap_or(0) + 1;
    let mut plot = Plot {
        look,
        length: chart.length,
        gutter,
        cells: look.width.saturating_sub(gutter).max(10),
        shown: HashSet::new(),
    };
    plot.axis(out);
    for row in &chart.rows {
        let label = format!("{:roles$} {}", row.role, short(&row.name, look));
        plot.row(out, &label, row);
    }
    out.push('\n');
    legend(out, &plot.shown, look);
}

fn header(chart: &Chart, look: Look) -> String {
    let dot = if look.unicode { "·" } else { "-" };
    let from = chart.from.0.strftime("%Y-%m-%d %H:%M:%S UTC");
    let length = axis::duration(chart.length);
    let widest = chart
        .pods
        .iter()
        .map(|pod| one_line(&pod.name).chars().count());
    let widest = widest.max().unwrap_or(0);
    let mut out = String::new();
    for (position, pod) in chart.pods.iter().enumerate() {
        let name = one_line(&pod.name);
        let padding = " ".repeat(widest - name.chars().count());
        let name = look.paint(Style::new().bold(), name);
        out.push_str(&format!("{name}{padding} {dot} {}", one_line(&pod.state)));
        if position == 0 {
            out.push_str(&format!(" {dot} {length} from {from}"));
        }
        out.push('\n');
    }
    out
}

/// A name as far as it is written out before a bar.
fn short(name: &str, look: Look) -> String {
    let name = one_line(name);
    if name.chars().count() <= LONGEST_NAME {
        return name;
    }
    let more = if look.unicode { "…" } else { "~" };
    name.chars().take(LONGEST_NAME - 1).collect::<String>() + more
}

/// Text of strangers without anything that moves the cursor.
fn one_line(text: &str) -> String {
    escape::cell(text).replace('\t', " ")
}

impl Look {
    pub(crate) fn paint(self, style: Style, text: impl Display) -> String {
        if self.color && style != Style::new() {
            format!("{style}{text}{style:#}")
        } else {
            text.to_string()
        }
    }

    fn shade(self, shade: Shade) -> (char, Style) {
        let color = |color: AnsiColor| Style::new().fg_color(Some(color.into()));
        let (character, ascii, style) = match shade {
            Shade::Unknown => ('?', '?', Style::new().dimmed()),
            Shade::Waiting => ('░', '.', Style::new().dimmed()),
            Shade::BackOff => ('╌', '~', color(AnsiColor::Yellow)),
            Shade::Running => ('▒', '-', color(AnsiColor::Blue)),
            Shade::Started => ('▓', '=', color(AnsiColor::Yellow)),
            Shade::Ready => ('█', '#', color(AnsiColor::Green)),
            Shade::Succeeded => ('✔', 'v', color(AnsiColor::Green)),
            Shade::Stopped => ('■', 'o', Style::new().dimmed()),
            Shade::Failed => ('✘', 'x', color(AnsiColor::Red).bold()),
            Shade::Hook => ('◇', 'h', color(AnsiColor::Cyan)),
        };
        (if self.unicode { character } else { ascii }, style)
    }

    fn sign(self, sign: Sign) -> (char, Style) {
        let color = |color: AnsiColor| Style::new().fg_color(Some(color.into()));
        let (character, ascii, style) = match sign {
            Sign::BackOff => ('‥', 'b', color(AnsiColor::Yellow)),
            Sign::Healthy => ('✓', '+', color(AnsiColor::Green)),
            Sign::Unhealthy => ('!', '!', color(AnsiColor::Yellow).bold()),
            Sign::Restart => ('↻', 'r', color(AnsiColor::Blue)),
            Sign::Warning => ('▲', 'w', color(AnsiColor::Red)),
            Sign::Stopping => ('▪', 's', Style::new().dimmed()),
            Sign::Killing => ('×', 'k', color(AnsiColor::Red)),
        };
        (if self.unicode { character } else { ascii }, style)
    }
}

/// Where the bars stand.
struct Plot {
    look: Look,
    length: i64,
    gutter: usize,
    cells: usize,
    /// The characters that are seen in the rows.
    shown: HashSet<char>,
}

impl Plot {
    /// The cell in which a time falls.
    fn cell(&self, at: i64) -> usize {
        let cells = i128::try_from(self.cells).unwrap_or(0);
        let cell = i128::from(at) * cells / i128::from(self.length);
        usize::try_from(cell).unwrap_or(0).min(self.cells - 1)
    }

    fn axis(&self, out: &mut String) {
        let (line, tick) = if self.look.unicode {
            ('─', '┬')
        } else {
            ('-', '+')
        };
        let mut labels = vec![' '; self.cells];
        let mut ruler = vec![line; self.cells];
        let most = i64::try_from(self.cells / TICK).unwrap_or(1);
        for (at, label) in axis::ticks(self.length, most) {
            let cell = self.cell(at);
            ruler[cell] = tick;
            if cell + label.len() <= self.cells {
                for (offset, character) in label.chars().enumerate() {
                    labels[cell + offset] = character;
                }
            }
        }
        let blank = " ".repeat(self.gutter);
        let labels = labels.into_iter().collect::<String>();
        let ruler = ruler.into_iter().collect::<String>();
        let dim = Style::new().dimmed();
        out.push_str(&format!(
            "{blank}{}\n",
            self.look.paint(dim, labels.trim_end())
        ));
        out.push_str(&format!("{blank}{}\n", self.look.paint(dim, ruler)));
    }

    /// The bars, and the marks below them when there are any.
    fn row(&mut self, out: &mut String, label: &str, row: &Row) {
        out.push_str(label);
        out.extend(std::iter::repeat_n(
            ' ',
            self.gutter - label.chars().count(),
        ));
        let bars = self.bars(row);
        self.line(out, &bars);
        let mut signs: Vec<Option<Sign>> = vec![None; self.cells];
        for point in &row.points {
            let cell = &mut signs[self.cell(point.at)];
            *cell = (*cell).max(Some(point.sign));
        }
        let mut hooks = vec![false; self.cells];
        for hook in &row.hooks {
            let (first, last) = (
                self.cell(hook.from),
                self.cell((hook.to - 1).max(hook.from)),
            );
            hooks[first..=last].fill(true);
        }
        let signs = signs.into_iter().zip(hooks).map(|sign| match sign {
            (Some(sign), _) => self.look.sign(sign),
            (None, true) => self.look.shade(Shade::Hook),
            (None, false) => (' ', Style::new()),
        });
        let signs = signs.collect::<Vec<_>>();
        if signs.iter().any(|(character, _)| *character != ' ') {
            out.push_str(&" ".repeat(self.gutter));
            self.line(out, &signs);
        }
        if row.dropped > 0 {
            let note = format!("{} entries left out", row.dropped);
            let note = self.look.paint(Style::new().dimmed(), note);
            out.push_str(&format!("{}{note}\n", " ".repeat(self.gutter)));
        }
    }

    /// What is seen in each cell: an end that falls in it before what ran in it, that before what waited. Where
    /// one end follows the other, what took most of the time is seen in between.
    fn bars(&self, row: &Row) -> Vec<(char, Style)> {
        let mut cells = vec![Cell::default(); self.cells];
        for bar in &row.bars {
            let (first, last) = (self.cell(bar.from), self.cell((bar.to - 1).max(bar.from)));
            for (position, cell) in cells.iter_mut().enumerate().take(last + 1).skip(first) {
                let time = self.overlap(position, bar.from, bar.to);
                let weight = match bar.shade {
                    shade if shade.is_end() && position == first => 3,
                    shade if shade.is_end() => 0,
                    Shade::Unknown | Shade::Waiting | Shade::BackOff => 1,
                    _ => 2,
                };
                cell.gravest = cell.gravest.max(Some((weight, time, bar.shade)));
                if !bar.shade.is_end() {
                    cell.longest = cell.longest.max(Some((time, bar.shade)));
                }
            }
        }
        let after_end = if self.look.unicode { '·' } else { ' ' };
        let mut ended_before = false;
        let draw = |cell: Cell| {
            let ends = matches!(cell.gravest, Some((3, ..)));
            let crowded = std::mem::replace(&mut ended_before, ends) && ends;
            match (cell.gravest, cell.longest) {
                (Some(_), Some((_, shade))) if crowded => {
                    ended_before = false;
                    self.look.shade(shade)
                }
                (Some((0, ..)), _) => (after_end, Style::new().dimmed()),
                (Some((.., shade)), _) => self.look.shade(shade),
                (None, _) => (' ', Style::new()),
            }
        };
        cells.into_iter().map(draw).collect()
    }

    /// How much of a cell a bar takes, in parts that all cells have as many of.
    fn overlap(&self, cell: usize, from: i64, to: i64) -> i64 {
        let cells = i64::try_from(self.cells).unwrap_or(1);
        let cell = i64::try_from(cell).unwrap_or(0);
        let scaled = |at: i64| at.saturating_mul(cells);
        let (start, end) = (
            cell.saturating_mul(self.length),
            (cell + 1).saturating_mul(self.length),
        );
        scaled(to)
            .min(end)
            .saturating_sub(scaled(from).max(start))
            .max(0)
    }

    /// Characters with their styles, runs of one style together, without blanks at the end.
    fn line(&mut self, out: &mut String, cells: &[(char, Style)]) {
        self.shown
            .extend(cells.iter().map(|(character, _)| character));
        let end = cells.iter().rposition(|(character, _)| *character != ' ');
        let cells = &cells[..end.map_or(0, |end| end + 1)];
        for run in cells.chunk_by(|(_, left), (_, right)| left == right) {
            let characters = run.iter().map(|(character, _)| character);
            out.push_str(&self.look.paint(run[0].1, characters.collect::<String>()));
        }
        out.push('\n');
    }
}

/// What falls in one cell.
#[derive(Clone, Copy, Default)]
struct Cell {
    /// The gravest, with its weight and its time.
    gravest: Option<(u8, i64, Shade)>,
    /// What took the most time, ends apart.
    longest: Option<(i64, Shade)>,
}

/// What the characters mean, as far as they are seen.
fn legend(out: &mut String, shown: &HashSet<char>, look: Look) {
    let shades = Shade::ALL.map(|shade| (look.shade(shade), shade.name()));
    let signs = Sign::ALL.map(|sign| (look.sign(sign), sign.name()));
    let all = shades.into_iter().chain(signs);
    let mut column = 0;
    for ((character, style), name) in all.filter(|((character, _), _)| shown.contains(character)) {
        let width = name.chars().count() + 2;
        if column > 0 && column + 3 + width > look.width {
            out.push('\n');
            column = 0;
        } else if column > 0 {
            out.push_str("   ");
            column += 3;
        }
        out.push_str(&format!("{} {name}", look.paint(style, character)));
        column += width;
    }
    out.push('\n');
}

/// All that happened, a line each; long messages go on below their beginning.
fn list(out: &mut String, timelines: &[PodTimeline], look: Look) {
    let happenings = happenings::all(timelines);
    let rows = happenings.iter().map(|happening| {
        let offset = format!("+{}", axis::duration(happening.at));
        (
            offset,
            short(&happening.who, look),
            one_line(&happening.what),
            happening,
        )
    });
    let rows = rows.collect::<Vec<_>>();
    let widest = |width: fn(&(String, String, String, _)) -> usize| {
        rows.iter().map(width).max().unwrap_or(0)
    };
    let offsets = widest(|row| row.0.len());
    let names = widest(|row| row.1.chars().count());
    let reasons = widest(|row| row.2.chars().count()).min(20);
    let indent = offsets + 2 + names + 2 + reasons + 2;
    for (offset, who, what, happening) in &rows {
        let color = |color: AnsiColor| Style::new().fg_color(Some(color.into()));
        let style = match happening.mood {
            Mood::Normal => Style::new(),
            Mood::Neutral => Style::new().dimmed(),
            Mood::Good => color(AnsiColor::Green),
            Mood::Warning => color(AnsiColor::Yellow),
            Mood::Bad => color(AnsiColor::Red),
        };
        let message = wrap(
            &one_line(&happening.message),
            look.width.saturating_sub(indent).max(30),
        );
        let message = message.join(&format!("\n{}", " ".repeat(indent)));
        let offset = look.paint(Style::new().dimmed(), format!("{offset:>offsets$}"));
        let padding = " ".repeat(reasons.saturating_sub(what.chars().count()));
        let what = look.paint(style, what);
        let line = format!("{offset}  {who:names$}  {what}{padding}  {message}");
        out.push_str(line.trim_end());
        out.push('\n');
    }
}

/// Lines of at most so many characters, broken at blanks where there are any.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut column = 0;
    for word in text.split(' ') {
        let mut word = word.chars().collect::<Vec<_>>();
        if column > 0 && column + 1 + word.len() > width {
            lines.push(String::new());
            column = 0;
        }
        while let Some(line) = lines.last_mut() {
            if column > 0 {
                line.push(' ');
                column += 1;
            }
            let rest = word.split_off(word.len().min(width.saturating_sub(column).max(1)));
            column += word.len();
            line.extend(word);
            if rest.is_empty() {
                break;
            }
            word = rest;
            lines.push(String::new());
            column = 0;
        }
    }
    lines
}
