//! Programs about text.

use regex::Regex;

use super::exec::Shell;
use super::files::inputs;

/// Runs one of these programs; nothing when there is none of this name.
pub(super) fn run(shell: &Shell, name: &str, arguments: &[String]) -> Option<i32> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    Some(match name {
        "echo" => echo(shell, &words),
        "printf" => printf(shell, &words),
        "grep" => grep(shell, &words),
        "wc" => count(shell, &words),
        "head" | "tail" => ends(shell, name, &words),
        "tr" => translate(shell, &words),
        "sed" => edit(shell, &words),
        "cut" => cut(shell, &words),
        "sort" | "uniq" => {
            let flags = words.iter().any(|word| word.starts_with('-'));
            if flags {
                shell.lacks(format!("{name} with options"));
            }
            let Some(text) = input_text(shell, &words) else {
                return Some(1);
            };
            let mut lines: Vec<&str> = text.lines().collect();
            if name == "sort" {
                lines.sort_unstable();
            } else {
                lines.dedup();
            }
            lines
                .iter()
                .for_each(|line| shell.print(&format!("{line}\n")));
            0
        }
        "seq" => sequence(shell, &words),
        "expr" => expression(shell, &words),
        "basename" | "dirname" => {
            let path = words.first().unwrap_or(&"").trim_end_matches('/');
            let (directory, base) = path.rsplit_once('/').unwrap_or((".", path));
            let shown = if name == "basename" {
                base.strip_suffix(words.get(1).unwrap_or(&""))
                    .unwrap_or(base)
            } else {
                directory
            };
            shell.print(&format!("{shown}\n"));
            0
        }
        "date" => {
            if words != ["+%s"] {
                shell.lacks("date");
            }
            shell.print(&format!("{}\n", shell.kernel.borrow().now() / 1000));
            0
        }
        _ => return None,
    })
}

fn input_text(shell: &Shell, paths: &[&str]) -> Option<String> {
    let bytes = inputs(shell, paths)?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn echo(shell: &Shell, words: &[&str]) -> i32 {
    let mut words = words;
    let (mut newline, mut escapes) = (true, false);
    while let [first, rest @ ..] = words {
        let flags = first.strip_prefix('-').unwrap_or_default();
        if flags.is_empty() || !flags.chars().all(|c| "neE".contains(c)) {
            break;
        }
        newline &= !flags.contains('n');
        escapes |= flags.contains('e');
        words = rest;
    }
    let mut text = words.join(" ");
    if escapes {
        text = unescape(&text);
    }
    if newline {
        text.push('\n');
    }
    shell.print(&text);
    0
}

/// `\n`, `\t` and their kin.
fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('a') => out.push('\u{7}'),
            Some('b') => out.push('\u{8}'),
            Some('\\') | None => out.push('\\'),
            Some(digit @ '0'..='7') => {
                let mut value = digit.to_digit(8).unwrap_or(0);
                for _ in 0..2 {
                    let Some(next) = chars.peek().and_then(|c| c.to_digit(8)) else {
                        break;
                    };
                    value = value * 8 + next;
                    chars.next();
                }
                out.extend(char::from_u32(value));
            }
            Some(other) => out.extend(['\\', other]),
        }
    }
    out
}

fn printf(shell: &Shell, words: &[&str]) -> i32 {
    let Some((format, arguments)) = words.split_first() else {
        return 1;
    };
    let mut left = arguments.iter();
    loop {
        let before = left.len();
        let mut out = String::new();
        let mut rest = *format;
        while let Some(at) = rest.find('%') {
            out.push_str(&unescape(&rest[..at]));
            rest = &rest[at + 1..];
            let end = rest.find(|c: char| c.is_ascii_alphabetic() || c == '%');
            let Some(end) = end else { break };
            let (flags, conversion) = (&rest[..end], &rest[end..=end]);
            rest = &rest[end + 1..];
            if conversion == "%" {
                out.push('%');
                continue;
            }
            let argument = left.next().copied().unwrap_or_default();
            let number = || argument.trim().parse::<i64>().unwrap_or(0);
            let shown = match conversion {
                "s" => argument.to_owned(),
                "b" => unescape(argument),
                "d" | "i" | "u" => number().to_string(),
                "x" => format!("{:x}", number()),
                "o" => format!("{:o}", number()),
                other => {
                    shell.lacks(format!("printf %{other}"));
                    String::new()
                }
            };
            let width: usize = flags.trim_start_matches(['-', '0']).parse().unwrap_or(0);
            out.push_str(&if flags.starts_with('-') {
                format!("{shown:<width$}")
            } else if flags.starts_with('0') {
                format!("{shown:0>width$}")
            } else {
                format!("{shown:>width$}")
            });
        }
        out.push_str(&unescape(rest));
        shell.print(&out);
        // The format is used again as long as it takes arguments.
        if left.len() == 0 || left.len() == before {
            return 0;
        }
    }
}

/// A basic regular expression in the notation of the library.
fn expression_of(shell: &Shell, pattern: &str, extended: bool) -> Option<Regex> {
    let mut text = String::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(c @ ('(' | ')' | '{' | '}' | '|' | '+' | '?')) if !extended => text.push(c),
                Some(c) => text.extend(['\\', c]),
                None => text.push_str("\\\\"),
            },
            '(' | ')' | '{' | '}' | '|' | '+' | '?' if !extended => text.extend(['\\', c]),
            c => text.push(c),
        }
    }
    let compiled = Regex::new(&text).ok();
    if compiled.is_none() {
        shell.lacks(format!("the regular expression {pattern:?}"));
    }
    compiled
}

fn grep(shell: &Shell, words: &[&str]) -> i32 {
    let flags: String = words
        .iter()
        .take_while(|w| w.starts_with('-') && w.len() > 1)
        .map(|w| &w[1..])
        .collect();
    let skipped = words
        .iter()
        .take_while(|w| w.starts_with('-') && w.len() > 1)
        .count();
    if flags.chars().any(|c| !"qvcsEFixoehHwn".contains(c)) {
        shell.lacks(format!("grep -{flags}"));
    }
    let Some((pattern, paths)) = words.get(skipped..).and_then(<[&str]>::split_first) else {
        return 2;
    };
    let pattern = if flags.contains('F') {
        regex::escape(pattern)
    } else {
        (*pattern).to_owned()
    };
    let extended = flags.contains(['E', 'F']);
    let Some(mut regex) = expression_of(shell, &pattern, extended) else {
        return 2;
    };
    let anchored = match () {
        () if flags.contains('x') => format!("^(?:{regex})$"),
        () if flags.contains('w') => format!(r"\b(?:{regex})\b"),
        () => regex.to_string(),
    };
    let case = if flags.contains('i') { "(?i)" } else { "" };
    if let Ok(changed) = Regex::new(&format!("{case}{anchored}")) {
        regex = changed;
    }
    let Some(text) = input_text(shell, paths) else {
        if !flags.contains('s') {
            shell.complain(&format!(
                "grep: {}: No such file or directory",
                paths.join(" ")
            ));
        }
        return 2;
    };
    let inverted = flags.contains('v');
    let found: Vec<&str> = text
        .lines()
        .filter(|line| regex.is_match(line) != inverted)
        .collect();
    if flags.contains('c') {
        shell.print(&format!("{}\n", found.len()));
    } else if flags.contains('o') {
        let parts = found.iter().flat_map(|line| regex.find_iter(line));
        parts.for_each(|part| shell.print(&format!("{}\n", part.as_str())));
    } else if !flags.contains('q') {
        found
            .iter()
            .for_each(|line| shell.print(&format!("{line}\n")));
    }
    i32::from(found.is_empty())
}

fn count(shell: &Shell, words: &[&str]) -> i32 {
    let flags: String = words.iter().filter_map(|w| w.strip_prefix('-')).collect();
    let paths: Vec<&str> = words
        .iter()
        .copied()
        .filter(|w| !w.starts_with('-'))
        .collect();
    let Some(text) = input_text(shell, &paths) else {
        return 1;
    };
    let counts = [
        ('l', text.matches('\n').count()),
        ('w', text.split_whitespace().count()),
        ('c', text.len()),
    ];
    let wanted = |(flag, count): (char, usize)| {
        (flags.is_empty() || flags.contains(flag)).then(|| count.to_string())
    };
    let mut shown: Vec<String> = counts.into_iter().filter_map(wanted).collect();
    shown.extend(paths.iter().map(|path| (*path).to_owned()));
    shell.print(&format!("{}\n", shown.join(" ")));
    0
}

fn ends(shell: &Shell, name: &str, words: &[&str]) -> i32 {
    let mut lines = 10;
    let mut paths = Vec::new();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        match word.strip_prefix('-') {
            Some("n") => lines = rest.next().and_then(|n| n.parse().ok()).unwrap_or(10),
            Some(flag) => match flag.trim_start_matches('n').parse() {
                Ok(number) => lines = number,
                Err(_) => shell.lacks(format!("{name} -{flag}")),
            },
            None => paths.push(*word),
        }
    }
    if paths.contains(&"/dev/zero") {
        shell.lacks("memory runs out");
        return 1;
    }
    let Some(text) = input_text(shell, &paths) else {
        return 1;
    };
    let all: Vec<&str> = text.split_inclusive('\n').collect();
    let shown = if name == "head" {
        &all[..lines.min(all.len())]
    } else {
        &all[all.len().saturating_sub(lines)..]
    };
    shell.print(&shown.concat());
    0
}

/// The characters of a set, as `a-z\n`.
fn characters(set: &str) -> Vec<char> {
    let chars: Vec<char> = unescape(set).chars().collect();
    let (mut all, mut at) = (Vec::new(), 0);
    while at < chars.len() {
        if at + 2 < chars.len() && chars[at + 1] == '-' {
            all.extend(chars[at]..=chars[at + 2]);
            at += 3;
        } else {
            all.push(chars[at]);
            at += 1;
        }
    }
    all
}

fn translate(shell: &Shell, words: &[&str]) -> i32 {
    let text = input_text(shell, &[]).unwrap_or_default();
    let shown: String = match words {
        ["-d", set] => {
            let set = characters(set);
            text.chars().filter(|c| !set.contains(c)).collect()
        }
        ["-s", set] => {
            let set = characters(set);
            let mut last = None;
            let keeps = |c: &char| {
                let doubled = last == Some(*c) && set.contains(c);
                last = Some(*c);
                !doubled
            };
            text.chars().filter(keeps).collect()
        }
        [from, to] if !from.starts_with('-') || from.len() == 1 => {
            let (from, to) = (characters(from), characters(to));
            let change = |c: char| match from.iter().position(|f| *f == c) {
                Some(at) => to.get(at).or(to.last()).copied().unwrap_or(c),
                None => c,
            };
            text.chars().map(change).collect()
        }
        _ => {
            shell.lacks("tr with these options");
            return 1;
        }
    };
    shell.print(&shown);
    0
}

/// `sed` with one `s` command.
fn edit(shell: &Shell, words: &[&str]) -> i32 {
    let (script, paths) = match words {
        ["-e", script, paths @ ..] | [script, paths @ ..] if !script.starts_with("-n") => {
            (script, paths)
        }
        _ => {
            shell.lacks("sed with these options");
            return 1;
        }
    };
    let substitution = script.strip_prefix('s').and_then(|rest| {
        let by = rest.chars().next()?;
        let mut parts = rest[by.len_utf8()..].split(by);
        Some((parts.next()?, parts.next()?, parts.next()?))
    });
    let Some((pattern, replacement, flags)) = substitution else {
        shell.lacks(format!("sed {script:?}"));
        return 1;
    };
    let Some((regex, text)) = expression_of(shell, pattern, false).zip(input_text(shell, paths))
    else {
        return 1;
    };
    let replacement = replacement.replace('$', "$$").replace('&', "$0");
    for line in text.lines() {
        let line = if flags.contains('g') {
            regex.replace_all(line, replacement.as_str())
        } else {
            regex.replace(line, replacement.as_str())
        };
        shell.print(&format!("{line}\n"));
    }
    0
}

fn cut(shell: &Shell, words: &[&str]) -> i32 {
    let (mut by, mut field, mut paths) = ("\t", None, Vec::new());
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        if let Some(value) = word.strip_prefix("-d") {
            by = if value.is_empty() {
                rest.next().unwrap_or(&"\t")
            } else {
                value
            };
        } else if let Some(value) = word.strip_prefix("-f") {
            let value = if value.is_empty() {
                rest.next().unwrap_or(&"")
            } else {
                value
            };
            field = value.parse::<usize>().ok();
        } else {
            paths.push(*word);
        }
    }
    let Some((field, text)) = field.zip(input_text(shell, &paths)) else {
        shell.lacks("cut with these options");
        return 1;
    };
    for line in text.lines() {
        let mut fields = line.split(by);
        let shown = fields.nth(field.saturating_sub(1)).unwrap_or_default();
        shell.print(&format!("{shown}\n"));
    }
    0
}

fn sequence(shell: &Shell, words: &[&str]) -> i32 {
    let numbers: Option<Vec<i64>> = words.iter().map(|word| word.parse().ok()).collect();
    let (from, step, to) = match numbers.as_deref() {
        Some([to]) => (1, 1, *to),
        Some([from, to]) => (*from, 1, *to),
        Some([from, step, to]) if *step != 0 => (*from, *step, *to),
        _ => {
            shell.lacks("seq with these arguments");
            return 1;
        }
    };
    let mut at = from;
    while (step > 0 && at <= to) || (step < 0 && at >= to) {
        shell.print(&format!("{at}\n"));
        at += step;
    }
    0
}

fn expression(shell: &Shell, words: &[&str]) -> i32 {
    let value = super::arith::evaluate(&words.join(" "), &|_| 0);
    match value {
        Some(value) => {
            shell.print(&format!("{value}\n"));
            i32::from(value == 0)
        }
        None => {
            shell.lacks(format!("expr {}", words.join(" ")));
            2
        }
    }
}
