//! A timeline as an SVG file that stands on its own: no scripts, no fonts or images from elsewhere, light and
//! dark as the reader's system is. What a bar or a mark means is told when it is pointed at.

use std::collections::HashSet;

use lifecycle::timeline::PodTimeline;

use super::axis;
use super::chart::{Bar, Chart, Point, Row, Shade, Sign};
use super::happenings::{self, Happening, Mood};
use super::text::wrap;
use crate::escape;

mod style;

/// The whole width, in pixels as all below.
const WIDTH: f64 = 1040.0;
const MARGIN: f64 = 24.0;
/// Where the bars end.
const RIGHT: f64 = WIDTH - MARGIN;
/// Width of a character of the monospaced font at its size.
const CHARACTER: f64 = 7.25;
const ROW: f64 = 38.0;
const BAR: f64 = 16.0;
/// The width of the narrowest bar.
const NARROWEST: f64 = 1.5;
/// What is narrower than this is not seen next to something wide.
const SLIVER: f64 = 0.3;
/// How far marks reach to each side.
const MARK: f64 = 5.0;
/// Distance between the lines of the list.
const LINE: f64 = 18.0;
/// The longest name that is written out before a bar.
const LONGEST_NAME: usize = 28;

/// The history of a Pod as an SVG document.
#[must_use]
pub fn svg(timeline: &PodTimeline) -> String {
    svg_of_all(std::slice::from_ref(timeline))
}

/// The histories of several Pods as one SVG document, on one axis.
#[must_use]
pub fn svg_of_all(timelines: &[PodTimeline]) -> String {
    document(timelines, &[])
}

/// The history of a Pod with remarks below its name, a line each.
pub(crate) fn svg_with_remarks(timeline: &PodTimeline, remarks: &[String]) -> String {
    document(std::slice::from_ref(timeline), remarks)
}

fn document(timelines: &[PodTimeline], remarks: &[String]) -> String {
    let chart = Chart::new(timelines);
    let names = chart.rows.iter().map(|row| label(row).chars().count());
    let gutter = MARGIN + (names.max().unwrap_or(0) as f64) * CHARACTER + 74.0;
    let mut picture = Picture {
        body: String::new(),
        left: gutter,
        length: chart.length as f64,
        shown: HashSet::new(),
    };
    let mut y = picture.header(&chart, remarks);
    let top = y;
    y += 26.0;
    let bottom = y + ROW * chart.rows.len() as f64;
    picture.grid(chart.length, top, bottom);
    for row in &chart.rows {
        picture.row(row, y);
        y += ROW;
    }
    y = picture.legend(y + 18.0);
    y = picture.list(&happenings::all(timelines), y + 22.0);
    let height = y + MARGIN / 2.0;
    let names = chart.pods.iter().map(|pod| pod.name.as_str());
    let names = names.collect::<Vec<_>>().join(", ");
    let title = text(&format!("Timeline of Pod {names}"));
    let size = format!(r#"width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}""#);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" {size} role=\"img\">\n<title>{title}</title>\n<style>{}</style>\n{}\
         <rect class=\"page\" width=\"{WIDTH}\" height=\"{height}\" rx=\"8\"/>\n{}</svg>\n",
        style::SHEET,
        style::DEFINITIONS,
        picture.body
    )
}

/// Text as XML holds it, with control characters made visible.
fn text(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in escape::cell(text).chars() {
        match character {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '"' => safe.push_str("&quot;"),
            // Not allowed in XML in any form.
            '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            '\t' => safe.push(' '),
            _ => safe.push(character),
        }
    }
    safe
}

fn label(row: &Row) -> String {
    let name = if row.name.is_empty() {
        row.role
    } else {
        &row.name
    };
    short(name)
}

/// A name as far as it is written out.
fn short(name: &str) -> String {
    if name.chars().count() <= LONGEST_NAME {
        return name.to_owned();
    }
    name.chars().take(LONGEST_NAME - 1).collect::<String>() + "…"
}

struct Picture {
    body: String,
    /// Where the bars begin.
    left: f64,
    /// The time that they span, in microseconds.
    length: f64,
    /// The classes of what is seen in the rows.
    shown: HashSet<&'static str>,
}

impl Picture {
    /// Where a shape stands that reaches so far to both sides, so that it keeps within the axis.
    fn inside(&self, at: i64, reach: f64) -> f64 {
        self.x(at).clamp(self.left + reach, RIGHT - reach)
    }

    fn x(&self, at: i64) -> f64 {
        let x = self.left + (RIGHT - self.left) * (at as f64) / self.length;
        (x * 100.0).round() / 100.0
    }

    fn push(&mut self, element: &str) {
        self.body.push_str(element);
        self.body.push('\n');
    }

    fn text(&mut self, x: f64, y: f64, class: &str, content: &str) {
        let content = text(content);
        self.push(&format!(
            "<text x=\"{x}\" y=\"{y}\" class=\"{class}\">{content}</text>"
        ));
    }

    /// Name, state, time and remarks; says where it ends.
    fn header(&mut self, chart: &Chart, remarks: &[String]) -> f64 {
        let from = chart.from.0.strftime("%Y-%m-%d %H:%M:%S UTC");
        let length = axis::duration(chart.length);
        let mut y = 36.0;
        for (position, pod) in chart.pods.iter().enumerate() {
            self.text(MARGIN, y, "head", &pod.name);
            let about = match position {
                0 => format!("{} · {length} from {from}", pod.state),
                _ => pod.state.clone(),
            };
            self.text(MARGIN, y + 21.0, "muted", &about);
            y += 50.0;
        }
        let columns = ((WIDTH - 2.0 * MARGIN) / CHARACTER) as usize;
        for remark in remarks {
            for line in wrap(&escape::cell(remark), columns) {
                self.text(MARGIN, y - 8.0, "muted", &line);
                y += LINE;
            }
        }
        y - 14.0
    }

    /// Ticks with their labels, and lines down through the rows.
    fn grid(&mut self, length: i64, top: f64, bottom: f64) {
        for (at, label) in axis::ticks(length, 8) {
            let x = self.x(at);
            let (line, label_y) = (top + 16.0, top + 11.0);
            self.push(&format!(
                "<path class=\"grid\" d=\"M{x} {line}V{bottom}\"/>"
            ));
            let anchor = match at {
                0 => "tick",
                _ if x > WIDTH - MARGIN - 24.0 => "tick end",
                _ => "tick middle",
            };
            self.text(x, label_y, anchor, &label);
        }
    }

    fn row(&mut self, row: &Row, y: f64) {
        let middle = y + BAR - 3.5;
        if !row.name.is_empty() {
            self.text(MARGIN, middle, "role", row.role);
        }
        self.text(MARGIN + 58.0, middle, "name", &label(row));
        for (position, bar) in row.bars.iter().enumerate() {
            self.bar(bar, y);
            // A sliver lies under the bar that follows.
            let is_last = position + 1 == row.bars.len();
            if bar.shade.is_end() || is_last || self.x(bar.to) - self.x(bar.from) >= SLIVER {
                self.shown.insert(class(bar.shade));
            }
        }
        for hook in &row.hooks {
            let (from, to) = (self.x(hook.from).min(RIGHT - MARK), self.x(hook.to));
            let width = ((to - from).max(MARK) * 100.0).round() / 100.0;
            let (top, title) = (y + BAR + 5.5, text(&hook.title));
            self.shown.insert(class(hook.shade));
            self.push(&format!(
                "<rect class=\"hook\" x=\"{from}\" y=\"{top}\" width=\"{width}\" height=\"{MARK}\" rx=\"2\"><title>{title}</title></rect>"
            ));
        }
        // Ends above what comes after them.
        let ends = row.bars.iter().filter(|bar| bar.shade.is_end());
        let ends = ends.collect::<Vec<_>>();
        for (position, end) in ends.iter().enumerate() {
            let near = |other: Option<&&Bar>| {
                other.is_some_and(|other| (self.x(other.from) - self.x(end.from)).abs() < 18.0)
            };
            let crowded =
                near(ends.get(position + 1)) || position > 0 && near(ends.get(position - 1));
            self.end(end, crowded, y);
        }
        for point in self.seen(&row.points) {
            self.point(point, y + BAR + 8.0);
        }
        if row.dropped > 0 {
            let note = format!("{} entries left out", row.dropped);
            self.text(WIDTH - MARGIN, y + BAR + 14.0, "tick end", &note);
        }
    }

    fn bar(&mut self, bar: &Bar, y: f64) {
        let (from, to) = (self.x(bar.from).min(RIGHT - NARROWEST), self.x(bar.to));
        let width = ((to - from).max(NARROWEST) * 100.0).round() / 100.0;
        let class = class(bar.shade);
        let title = text(&bar.title);
        let shape = if bar.shade.is_end() {
            let middle = y + BAR / 2.0;
            format!("<path class=\"after\" d=\"M{from} {middle}H{to}\">")
        } else {
            let rounding = (width / 2.0).min(3.0);
            format!(
                "<rect class=\"{class}\" x=\"{from}\" y=\"{y}\" width=\"{width}\" height=\"{BAR}\" rx=\"{rounding}\">"
            )
        };
        let close = if bar.shade.is_end() { "path" } else { "rect" };
        self.push(&format!("{shape}<title>{title}</title></{close}>"));
    }

    /// How something ended; as a mere line where the next one is near.
    fn end(&mut self, bar: &Bar, crowded: bool, y: f64) {
        let middle = y + BAR / 2.0;
        let (title, class) = (text(&bar.title), class(bar.shade));
        if crowded {
            let x = self.inside(bar.from, 1.0);
            return self.push(&format!(
                "<path class=\"{class}\" d=\"M{x} {y}v{BAR}\" stroke=\"currentColor\" stroke-width=\"2\"><title>{title}</title></path>"
            ));
        }
        let x = self.inside(bar.from, BAR / 2.0);
        self.push(&format!(
            "<use href=\"#{class}\" class=\"{class}\" x=\"{x}\" y=\"{middle}\"><title>{title}</title></use>"
        ));
    }

    /// Of marks that would lie on each other, the gravest.
    fn seen<'a>(&self, points: &'a [Point]) -> Vec<&'a Point> {
        let mut seen: Vec<&Point> = Vec::new();
        for point in points {
            match seen.last_mut() {
                Some(last) if self.x(point.at) - self.x(last.at) < 9.0 => {
                    if point.sign > last.sign {
                        *last = point;
                    }
                }
                _ => seen.push(point),
            }
        }
        seen
    }

    fn point(&mut self, point: &Point, y: f64) {
        let x = self.inside(point.at, MARK);
        let (title, class) = (text(&point.title), sign(point.sign));
        self.shown.insert(class);
        self.push(&format!(
            "<use href=\"#{class}\" class=\"{class}\" x=\"{x}\" y=\"{y}\"><title>{title}</title></use>"
        ));
    }

    /// What colours and signs mean, as far as they are seen; says where it ends.
    fn legend(&mut self, y: f64) -> f64 {
        let shades = Shade::ALL.map(|shade| (class(shade), shade.name(), !shade.is_end()));
        let signs = Sign::ALL.map(|point| (sign(point), point.name(), false));
        let (mut x, mut y) = (MARGIN, y);
        for (class, name, is_bar) in shades.into_iter().chain(signs) {
            if !self.shown.contains(class) {
                continue;
            }
            let width = 24.0 + name.chars().count() as f64 * CHARACTER;
            if x > MARGIN && x + width > WIDTH - MARGIN {
                (x, y) = (MARGIN, y + 22.0);
            }
            if is_bar {
                let top = y - 9.0;
                self.push(&format!(
                    "<rect class=\"{class}\" x=\"{x}\" y=\"{top}\" width=\"18\" height=\"10\" rx=\"2.5\"/>"
                ));
                x += 24.0;
            } else {
                let (at, middle) = (x + 7.0, y - 4.0);
                self.push(&format!(
                    "<use href=\"#{class}\" class=\"{class}\" x=\"{at}\" y=\"{middle}\"/>"
                ));
                x += 18.0;
            }
            self.text(x, y, "muted", name);
            x += name.chars().count() as f64 * CHARACTER + 20.0;
        }
        y
    }

    /// All that happened; says where it ends.
    fn list(&mut self, happenings: &[Happening], y: f64) -> f64 {
        let longest =
            |width: fn(&Happening) -> usize| happenings.iter().map(width).max().unwrap_or(0) as f64;
        let offset_end = MARGIN + longest(|h| axis::duration(h.at).len() + 1) * CHARACTER;
        let who_at = offset_end + 16.0;
        let what_at =
            who_at + longest(|h| h.who.chars().count().min(LONGEST_NAME)) * CHARACTER + 16.0;
        let message_at = what_at + longest(|h| h.what.chars().count().min(24)) * CHARACTER + 16.0;
        let columns = ((WIDTH - MARGIN - message_at) / CHARACTER) as usize;
        self.push(&format!(
            "<path class=\"grid\" d=\"M{MARGIN} {y}H{}\"/>",
            WIDTH - MARGIN
        ));
        let mut y = y + 6.0;
        for happening in happenings {
            y += LINE;
            let who = short(&happening.who);
            self.text(
                offset_end,
                y,
                "tick end",
                &format!("+{}", axis::duration(happening.at)),
            );
            self.text(who_at, y, "name", &who);
            self.text(what_at, y, mood(happening.mood), &happening.what);
            let message = escape::cell(&happening.message);
            for (line, part) in wrap(&message, columns.max(30)).iter().enumerate() {
                y += if line > 0 { LINE } else { 0.0 };
                self.text(message_at, y, "message", part);
            }
        }
        y + 6.0
    }
}

const fn class(shade: Shade) -> &'static str {
    match shade {
        Shade::Unknown => "unknown",
        Shade::Waiting => "waiting",
        Shade::BackOff => "backoff",
        Shade::Running => "running",
        Shade::Started => "started",
        Shade::Ready => "ready",
        Shade::Succeeded => "succeeded",
        Shade::Stopped => "stopped",
        Shade::Failed => "failed",
        Shade::Hook => "hook",
    }
}

const fn sign(sign: Sign) -> &'static str {
    match sign {
        Sign::BackOff => "held",
        Sign::Healthy => "healthy",
        Sign::Unhealthy => "unhealthy",
        Sign::Restart => "restart",
        Sign::Warning => "warning",
        Sign::Stopping => "stopping",
        Sign::Killing => "killing",
    }
}

const fn mood(mood: Mood) -> &'static str {
    match mood {
        Mood::Normal => "message",
        Mood::Neutral => "muted",
        Mood::Good => "good",
        Mood::Warning => "warn",
        Mood::Bad => "bad",
    }
}
