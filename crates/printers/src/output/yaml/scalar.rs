//! One text in YAML: which quotes it needs, and how it is written in them.

/// Lines are folded at the first blank behind this column.
const WIDTH: usize = 80;

/// How a text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    /// In single quotes, where nothing but the quote itself is special.
    Single,
    /// In double quotes, with escapes.
    Double,
    /// As lines behind a `|`.
    Literal,
}

impl Style {
    /// The style of kubectl: quotes only where something else would be read, double ones where that is a
    /// number, a boolean, nothing or a time, or where there is something to escape.
    pub(super) fn of(text: &str) -> Self {
        let seen = Seen::in_text(text);
        let means_itself =
            manifest::yaml::reads_as_text(text) && !is_base_60(text) && !is_time(text);
        if text.contains('\n') {
            return if seen.special || seen.blank_before_break || text.ends_with(' ') {
                Self::Double
            } else {
                Self::Literal
            };
        }
        match () {
            () if seen.special || !means_itself => Self::Double,
            () if text.starts_with(' ') || text.ends_with(' ') || has_indicators(text) => {
                Self::Single
            }
            () => Self::Plain,
        }
    }

    /// The same for a key that stands before its colon.
    pub(super) fn for_key(self) -> Self {
        match self {
            Self::Literal => Self::Double,
            style => style,
        }
    }
}

/// What matters about a text's characters.
struct Seen {
    /// Something that only double quotes can hold.
    special: bool,
    /// A blank at the end of a line.
    blank_before_break: bool,
}

impl Seen {
    fn in_text(text: &str) -> Self {
        Self {
            special: text.chars().any(|c| c != '\n' && needs_escape(c)) || text == "<<",
            blank_before_break: text.contains(" \n"),
        }
    }
}

/// Characters that are written as escapes, besides the quote and the backslash: control characters, what lies
/// beyond 16 bits, and the line breaks of Unicode.
fn needs_escape(c: char) -> bool {
    !matches!(c, ' '..='~' | '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

/// Characters that mean something in YAML where they stand.
fn has_indicators(text: &str) -> bool {
    let mut characters = text.chars();
    let first = characters.next().unwrap_or(' ');
    let second = characters.next();
    let blank_follows = second.is_none_or(|c| c == ' ');
    text.starts_with("---")
        || text.starts_with("...")
        || "#,[]{}&*!|>'\"%@`".contains(first)
        || "?:-".contains(first) && blank_follows
        || text.contains(": ")
        || text.ends_with(':')
        || text.contains(" #")
}

/// `12:30:45`, a number in YAML 1.1.
fn is_base_60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (parts, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'_')
    };
    let mut parts = parts.split(':');
    let first = parts.next().unwrap_or_default();
    let rest = parts.collect::<Vec<_>>();
    let is_sixtieth = |part: &&str| {
        let number = part.parse::<u8>();
        part.len() <= 2 && part.bytes().all(|b| b.is_ascii_digit()) && number.is_ok_and(|n| n < 60)
    };
    first.starts_with(|c: char| c.is_ascii_digit())
        && digits(first)
        && digits(fraction)
        && !rest.is_empty()
        && rest.iter().all(is_sixtieth)
}

/// `2001-12-14`, or with a time: RFC 3339, or without a zone behind a blank.
fn is_time(text: &str) -> bool {
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (&text[..at], Some(&text[at..])),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let year = parts.next().filter(|year| year.len() == 4);
    let (month, day) = (parts.next(), parts.next());
    let number = |text: Option<&str>| {
        let text = text.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        text.filter(|text| text.len() <= 4)?.parse::<i16>().ok()
    };
    let small = |text: Option<&str>| number(text).and_then(|number| i8::try_from(number).ok());
    let (Some(year), Some(month), Some(day)) = (number(year), small(month), small(day)) else {
        return false;
    };
    let short = |text: Option<&str>| text.is_none_or(|text| text.len() <= 2);
    parts.next().is_none()
        && short(date.split('-').nth(1))
        && short(date.split('-').nth(2))
        && jiff::civil::Date::new(year, month, day).is_ok()
        && time.is_none_or(is_time_of_day)
}

/// The time behind a date, with the character that separates them.
fn is_time_of_day(text: &str) -> bool {
    let (separator, text) = text.split_at(1);
    let (time, zone) = match text.find(['Z', '+', '-']) {
        Some(at) => (&text[..at], Some(&text[at..])),
        None => (text, None),
    };
    let zone_fits = match zone {
        None => separator == " ",
        Some("Z") => separator != " ",
        Some(offset) => separator != " " && fits(&offset[1..], &[(2, 24), (2, 60)]),
    };
    let (clock, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let is_fraction = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    zone_fits && is_fraction && fits(clock, &[(1, 23), (1, 59), (1, 59)])
}

/// Numbers between colons, each of so many digits at least and two at most, up to a limit.
fn fits(text: &str, limits: &[(usize, u8)]) -> bool {
    let parts = text.split(':').collect::<Vec<_>>();
    let fits = |(part, (digits, limit)): (&&str, &(usize, u8))| {
        (*digits..=2).contains(&part.len())
            && part.bytes().all(|byte| byte.is_ascii_digit())
            && part.parse::<u8>().is_ok_and(|number| number <= *limit)
    };
    parts.len() == limits.len() && parts.iter().zip(limits).all(fits)
}

/// Writes a text in a style. Lines that follow are indented by so many blanks; without a number, there are
/// none.
pub(super) fn write(out: &mut String, text: &str, style: Style, indent: Option<usize>) {
    match style {
        Style::Literal => literal(out, text, indent.unwrap_or(0)),
        Style::Plain => folded(out, text, style, indent),
        Style::Single => {
            out.push('\'');
            folded(out, text, style, indent);
            out.push('\'');
        }
        Style::Double => {
            out.push('"');
            folded(out, text, style, indent);
            out.push('"');
        }
    }
}

fn literal(out: &mut String, text: &str, indent: usize) {
    out.push('|');
    if text.starts_with([' ', '\n']) {
        out.push('2');
    }
    match text.strip_suffix('\n') {
        None => out.push('-'),
        Some(rest) if rest.is_empty() || rest.ends_with('\n') => out.push('+'),
        Some(_) => {}
    }
    for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
        out.push('\n');
        if !line.is_empty() {
            out.extend(std::iter::repeat_n(' ', indent));
            out.push_str(line);
        }
    }
}

fn folded(out: &mut String, text: &str, style: Style, indent: Option<usize>) {
    let line_start = out.rfind('\n').map_or(0, |at| at + 1);
    let mut column = out[line_start..].chars().count();
    let last = text.chars().count().saturating_sub(1);
    let mut after_blank = false;
    let mut characters = text.chars().enumerate().peekable();
    while let Some((position, character)) = characters.next() {
        let blank_follows = characters.peek().is_some_and(|(_, next)| *next == ' ');
        let inside = match style {
            Style::Plain => !blank_follows,
            Style::Single => position > 0 && position < last && !blank_follows,
            _ => position > 0 && position < last,
        };
        if let Some(indent) = indent
            && character == ' '
            && !after_blank
            && column > WIDTH
            && inside
        {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent));
            column = indent;
            if blank_follows {
                // Blanks at the start of a line would be lost.
                out.push('\\');
                column += 1;
            }
        } else {
            let before = out.len();
            push(out, character, style);
            column += out[before..].chars().count();
        }
        after_blank = character == ' ';
    }
}

fn push(out: &mut String, character: char, style: Style) {
    match (style, character) {
        (Style::Single, '\'') => out.push_str("''"),
        (Style::Double, '"' | '\\') => {
            out.push('\\');
            out.push(character);
        }
        (Style::Double, c) if needs_escape(c) => escape(out, c),
        _ => out.push(character),
    }
}

fn escape(out: &mut String, character: char) {
    let code = u32::from(character);
    let short = match character {
        '\0' => '0',
        '\x07' => 'a',
        '\x08' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\x0b' => 'v',
        '\x0c' => 'f',
        '\r' => 'r',
        '\x1b' => 'e',
        '\u{85}' => 'N',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        _ => {
            return out.push_str(&match code {
                0..=0xff => format!("\\x{code:02X}"),
                0x100..=0xffff => format!("\\u{code:04X}"),
                _ => format!("\\U{code:08X}"),
            });
        }
    };
    out.push('\\');
    out.push(short);
}
