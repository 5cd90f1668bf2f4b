//! A Pod's plan for a terminal.

use anstyle::{AnsiColor, Style};
use lifecycle::Role;
use lifecycle::plan::{Plan, Total, Warning};

use crate::escape;
use crate::timeline::{Look, wrap};

#[cfg(test)]
mod tests;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const YELLOW: Style = Style::new()
    .bold()
    .fg_color(Some(anstyle::Color::Ansi(AnsiColor::Yellow)));
const CYAN: Style = Style::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Cyan)));
/// The least width that leaves room for sentences.
const LEAST: usize = 60;
/// The longest name that has a column to itself.
const LONGEST_NAME: usize = 24;
/// Columns of a role and the blanks after it.
const ROLE: usize = 11;

/// The plan as text. `title` is what the Pod is, as `Pod web, restartPolicy Always`.
#[must_use]
pub fn text(title: &str, plan: &Plan, look: Look) -> String {
    let names = plan
        .starts
        .iter()
        .map(|start| start.container.chars().count());
    let mut page = Page {
        out: String::new(),
        look: Look {
            width: look.width.max(LEAST),
            ..look
        },
        names: names.max().unwrap_or(0).min(LONGEST_NAME),
    };
    page.line(0, BOLD, title);
    starts(plan, &mut page);
    probes(plan, &mut page);
    restarts(plan, &mut page);
    resources(plan, &mut page);
    stops(plan, &mut page);
    if !plan.notes.is_empty() {
        page.heading("Good to know", "");
        for note in &plan.notes {
            page.item(2, &format!("{:6}", note.rule), DIM, &note.text);
        }
    }
    if !plan.warnings.is_empty() {
        page.heading("Warnings", "");
        for (position, warning) in plan.warnings.iter().enumerate() {
            if position > 0 {
                page.out.push('\n');
            }
            page.warning(warning);
        }
    }
    page.out
}

/// Text in the making.
struct Page {
    out: String,
    look: Look,
    names: usize,
}

impl Page {
    fn heading(&mut self, title: &str, remark: &str) {
        let title = self.look.paint(BOLD, title);
        self.out.push('\n');
        if remark.is_empty() {
            self.out.push_str(&format!("{title}\n"));
        } else {
            let width = self.look.width.saturating_sub(2);
            let first = format!("{title}: ");
            let lines = wrap(remark, width.saturating_sub(12));
            self.out
                .push_str(&format!("{first}{}\n", lines.join("\n  ")));
        }
    }

    fn line(&mut self, indent: usize, style: Style, text: &str) {
        let text = escape::cell(text);
        let blank = " ".repeat(indent);
        for line in wrap(&text, self.look.width.saturating_sub(indent)) {
            let line = self.look.paint(style, line);
            self.out.push_str(&format!("{blank}{line}\n"));
        }
    }

    /// A label, and a text that goes on below its own beginning.
    fn item(&mut self, indent: usize, label: &str, style: Style, text: &str) {
        let text = escape::cell(text);
        let column = indent + label.chars().count() + 1;
        let lines = wrap(&text, self.look.width.saturating_sub(column).max(30));
        let label = self.look.paint(style, label);
        let lines = lines.join(&format!("\n{}", " ".repeat(column)));
        let line = format!("{}{label} {lines}", " ".repeat(indent));
        self.out.push_str(line.trim_end());
        self.out.push('\n');
    }

    /// `  1. web   container  text`
    fn row(&mut self, number: &str, name: &str, role: &str, text: &str) {
        let names = self.names;
        let label = format!("{number:>2} {name:names$}  {role:width$}", width = ROLE - 2);
        self.item(1, &label, Style::new(), text);
    }

    fn warning(&mut self, warning: &Warning) {
        let label = self
            .look
            .paint(YELLOW, format!("warning[{}]", warning.code));
        self.out.push_str(&format!("  {label}"));
        let place = match warning.field.line {
            Some(line) => format!("{} (line {line})", warning.field.path),
            None => warning.field.path.to_string(),
        };
        let place = self.look.paint(DIM, place);
        self.out.push_str(&format!(" {place}\n"));
        self.line(4, Style::new(), &warning.message);
        self.item(4, "why:    ", DIM, &warning.why);
        self.item(4, "instead:", CYAN, &warning.instead);
    }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Init => "init",
        Role::Sidecar => "sidecar",
        Role::App => "container",
    }
}

fn starts(plan: &Plan, page: &mut Page) {
    page.heading("Starts", "");
    let differs = plan
        .starts
        .iter()
        .any(|start| start.latest != start.earliest);
    let column = 4 + page.names + 2 + ROLE - 2;
    let widest = plan
        .starts
        .iter()
        .map(|start| start.earliest.to_string().chars().count());
    let widest = widest
        .max()
        .unwrap_or(0)
        .clamp("earliest".len(), LONGEST_NAME);
    let head = if differs {
        format!("{:widest$}  latest", "earliest")
    } else {
        "earliest".to_owned()
    };
    // On the line of the heading.
    page.out.pop();
    let pad = (column + 1).saturating_sub("Starts".len());
    let head = page.look.paint(DIM, head);
    page.out.push_str(&format!("{}{head}\n", " ".repeat(pad)));
    for (position, start) in plan.starts.iter().enumerate() {
        let times = if differs {
            format!("{:widest$}  {}", start.earliest, start.latest)
        } else {
            start.earliest.to_string()
        };
        let number = (position + 1).to_string();
        let names = page.names;
        let label = format!(
            "{number:>3} {:names$}  {:width$}",
            start.container,
            role(start.role),
            width = ROLE - 2
        );
        page.out.push_str(&format!("{label} {times}\n"));
        for gate in &start.after {
            let line = gate
                .field
                .line
                .map(|line| format!(", line {line}"))
                .unwrap_or_default();
            let place = format!("({}{line})", gate.field.path);
            let sentence = format!("after {gate}");
            if 6 + sentence.len() + 1 + place.len() <= page.look.width {
                let place = page.look.paint(DIM, place);
                page.out.push_str(&format!("      {sentence} {place}\n"));
            } else {
                page.out.push_str(&format!("      {sentence}\n"));
                let place = page.look.paint(DIM, place);
                page.out.push_str(&format!("        {place}\n"));
            }
        }
    }
    let ready = format!(
        "{:names$}  {:width$}",
        "",
        "Pod ready",
        names = page.names,
        width = ROLE - 2
    );
    page.out.push_str(&format!("    {ready} {}\n", plan.ready));
    if let Some(init) = plan.starts.iter().find(|start| start.role == Role::Init) {
        let remark = format!(
            "`{}` in a time stands for as long as it takes; images are there.",
            init.container
        );
        page.line(2, DIM, &remark);
    }
}

fn probes(plan: &Plan, page: &mut Page) {
    if plan.probes.is_empty() {
        return;
    }
    page.heading("Probes", "");
    let mut last = "";
    for probe in &plan.probes {
        let name = if probe.container == last {
            ""
        } else {
            probe.container.as_str()
        };
        last = &probe.container;
        let kind = probe.field.trim_end_matches("Probe");
        page.row("", name, kind, &format!("{}, {}", probe.asks, probe.text));
    }
}

fn restarts(plan: &Plan, page: &mut Page) {
    let ladder = if plan.restarts.iter().any(|restart| restart.restarts) {
        "after 0s, 10s, 20s, 40s, 80s, 160s, 5m ...; anew after a run of 10m"
    } else {
        ""
    };
    page.heading("Restarts", ladder);
    for (restart, start) in plan.restarts.iter().zip(&plan.starts) {
        page.row("", &restart.container, role(start.role), &restart.text);
    }
}

fn resources(plan: &Plan, page: &mut Page) {
    page.heading("Resources", "");
    for (what, totals) in [("requests", &plan.requests), ("limits", &plan.limits)] {
        if totals.is_empty() {
            page.item(2, &format!("{what:9}"), DIM, "none");
        }
        for (position, total) in totals.iter().enumerate() {
            let label = if position == 0 { what } else { "" };
            page.item(
                2,
                &format!("{label:9}"),
                DIM,
                &amount(total, what == "limits"),
            );
        }
    }
    let qos = &plan.qos;
    let because = if qos.because.is_empty() {
        ": all containers have cpu and memory limits equal to their requests".to_owned()
    } else {
        format!(": {}", qos.because.join("; "))
    };
    page.item(2, "QoS class", DIM, &format!("{}{because}", qos.class));
}

fn amount(total: &Total, is_limit: bool) -> String {
    let sum = |parts: &[(String, manifest::Quantity)]| {
        let parts = parts
            .iter()
            .map(|(name, amount)| format!("{name} {amount}"));
        parts.collect::<Vec<_>>().join(" + ")
    };
    let mut text = format!("{} {}", total.resource, total.amount);
    if is_limit && !total.silent.is_empty() {
        text.push_str(&format!(
            " for some; {} without limit, so nothing bounds the Pod",
            names(&total.silent)
        ));
        return text;
    }
    let Some(first) = total.terms.first() else {
        return text;
    };
    let during = first
        .during
        .as_ref()
        .map(|init| format!(" while {init} runs"))
        .unwrap_or_default();
    let others: Vec<_> = total.terms[1..]
        .iter()
        .filter(|term| !term.parts.is_empty())
        .collect();
    if first.parts.len() > 1 || !others.is_empty() || total.overhead.is_some() {
        text.push_str(&format!(" = {}{during}", sum(&first.parts)));
    } else {
        text.push_str(&format!(
            " ({})",
            first
                .parts
                .iter()
                .map(|(name, _)| name.as_str())
                .collect::<String>()
        ));
    }
    if let Some(overhead) = total.overhead {
        text.push_str(&format!(" + overhead {overhead}"));
    }
    if let Some(other) = others.first() {
        let when = match &other.during {
            Some(init) => format!("while {init} runs"),
            None => "for sidecars and containers together".to_owned(),
        };
        text.push_str(&format!("; more than {} {when}", other.sum));
        if other.sum == first.sum {
            text = text.replace("; more than", "; as much as");
        }
    }
    text
}

fn names(names: &[String]) -> String {
    match names {
        [one] => format!("{one} is"),
        [first @ .., last] => format!("{} and {last} are", first.join(", ")),
        [] => String::new(),
    }
}

fn stops(plan: &Plan, page: &mut Page) {
    let stops = &plan.stops;
    let remark = format!(
        "grace {}s, counted from the beginning; all down by {}s",
        stops.grace_seconds, stops.down_by_seconds
    );
    page.heading("Stops", &remark);
    for stop in &stops.order {
        let number = (stop.rank + 1).to_string();
        let hook = stop
            .pre_stop
            .as_ref()
            .map(|hook| format!("{hook}; "))
            .unwrap_or_default();
        page.row(
            &number,
            &stop.container,
            role(stop.role),
            &format!("{hook}{}", stop.text),
        );
    }
}
