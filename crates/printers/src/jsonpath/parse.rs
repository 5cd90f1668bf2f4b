//! From text to steps.

use super::error::SyntaxError;
use super::{Filter, Node, Slice};

/// Reads text with paths in braces.
pub(super) fn template(text: &str) -> Result<Vec<Node>, SyntaxError> {
    let mut nodes = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (literal, action) = rest.split_at(rest.find('{').unwrap_or(rest.len()));
        if !literal.is_empty() {
            nodes.push(Node::Text(literal.to_owned()));
        }
        let Some(action) = action.strip_prefix('{') else {
            break;
        };
        let mut reader = Reader { rest: action };
        nodes.push(Node::List(reader.action()?));
        rest = reader.rest;
    }
    Ok(nodes)
}

/// Reads one path, given without braces. One that closes its brace itself ends there.
fn action(text: &str) -> Result<Vec<Node>, SyntaxError> {
    let closed = format!("{text}}}");
    Reader { rest: &closed }.action()
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.rest = &self.rest[next.len_utf8()..];
        Some(next)
    }

    fn eat(&mut self, prefix: &str) -> bool {
        match self.rest.strip_prefix(prefix) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Everything up to a character of which `ends` is true, or up to the end.
    fn take_until(&mut self, ends: impl Fn(char) -> bool) -> &'a str {
        let (taken, rest) = self
            .rest
            .split_at(self.rest.find(ends).unwrap_or(self.rest.len()));
        self.rest = rest;
        taken
    }

    /// The steps up to the closing brace.
    fn action(&mut self) -> Result<Vec<Node>, SyntaxError> {
        let mut nodes = Vec::new();
        loop {
            if self.eat("}") {
                return Ok(nodes);
            }
            if self.eat("[?(") {
                nodes.push(self.filter()?);
                continue;
            }
            if self.eat("..") {
                if nodes.last() == Some(&Node::Recursive) {
                    return Err(SyntaxError::RepeatedRecursion);
                }
                nodes.push(Node::Recursive);
                if self.peek().is_some_and(is_alphanumeric) {
                    nodes.push(self.field());
                }
                continue;
            }
            match self.peek() {
                None | Some('\r' | '\n') => return Err(SyntaxError::UnclosedAction),
                // The object at hand, which every path begins with anyway.
                Some(' ' | '@' | '$') => {
                    self.next();
                }
                Some('[') => {
                    self.next();
                    self.brackets(&mut nodes)?;
                }
                Some(quote @ ('"' | '\'')) => nodes.push(Node::Text(self.quoted(quote)?)),
                Some('.') => {
                    self.next();
                    nodes.push(self.field());
                }
                Some(c) if matches!(c, '+' | '-') || is_digit(c) => nodes.push(self.number()?),
                Some(c) if is_alphanumeric(c) => {
                    nodes.push(match self.take_until(is_terminator) {
                        "true" => Node::Bool(true),
                        "false" => Node::Bool(false),
                        word => Node::Word(word.to_owned()),
                    });
                }
                Some(c) => return Err(SyntaxError::UnrecognizedCharacter(c)),
            }
        }
    }

    /// A name up to a terminator that no backslash stands before.
    fn field(&mut self) -> Node {
        let mut name = String::new();
        while let Some(next) = self.peek().filter(|c| !is_terminator(*c)) {
            self.next();
            if next == '\\' {
                // A second backslash is dropped like the first.
                name.extend(self.next().filter(|c| *c != '\\'));
            } else {
                name.push(next);
            }
        }
        if name == "*" {
            Node::Wildcard
        } else {
            Node::Field(name)
        }
    }

    fn number(&mut self) -> Result<Node, SyntaxError> {
        let start = self.rest;
        if matches!(self.peek(), Some('+' | '-')) {
            self.next();
        }
        self.take_until(|c| c != '.' && !is_digit(c));
        let text = &start[..start.len() - self.rest.len()];
        if let Ok(number) = text.parse() {
            return Ok(Node::Int(number));
        }
        let float = text.parse().ok().filter(|float: &f64| float.is_finite());
        float
            .map(Node::Float)
            .ok_or_else(|| SyntaxError::Number(text.to_owned()))
    }

    /// Text in quotes, with the escapes of Go.
    fn quoted(&mut self, quote: char) -> Result<String, SyntaxError> {
        let start = self.rest;
        self.next();
        let mut before = quote;
        loop {
            match self.next() {
                None | Some('\n') => return Err(SyntaxError::UnterminatedQuote),
                // Only the character before counts: `\\"` does not close either.
                Some(c) if c == quote && before != '\\' => break,
                Some(c) => before = c,
            }
        }
        let text = &start[..start.len() - self.rest.len()];
        unquote(&text[1..text.len() - 1], quote).ok_or_else(|| SyntaxError::Escape(text.to_owned()))
    }

    /// What stands in brackets: an index, a slice, a quoted key, or several of them.
    fn brackets(&mut self, nodes: &mut Vec<Node>) -> Result<(), SyntaxError> {
        let text = self.take_until(|c| matches!(c, ']' | '\n'));
        if !self.eat("]") {
            return Err(SyntaxError::UnterminatedArray);
        }
        let text = if text == "*" { ":" } else { text };
        if text.contains(',') {
            let parts = text
                .split(',')
                .map(|part| action(&format!("[{}]", part.trim_matches(' '))));
            nodes.push(Node::Union(parts.collect::<Result<_, _>>()?));
            return Ok(());
        }
        let key = text
            .strip_prefix('\'')
            .and_then(|text| text.strip_suffix('\''));
        match key.filter(|key| !key.contains('\'')) {
            Some(key) => nodes.extend(action(&format!(".{key}"))?),
            None => nodes.push(Node::Slice(slice(text)?)),
        }
        Ok(())
    }

    fn filter(&mut self) -> Result<Node, SyntaxError> {
        let start = self.rest;
        // The first quote is remembered and its like looked for; brackets inside do not close.
        let (mut quote, mut closed) = (None, false);
        let mut before = '(';
        loop {
            let next = self.next();
            match next {
                None | Some('\n') => return Err(SyntaxError::UnterminatedFilter),
                Some(c @ ('"' | '\'')) => match quote {
                    None => quote = Some(c),
                    Some(open) => closed |= c == open && before != '\\',
                },
                Some(')') if quote.is_some() == closed => break,
                Some(_) => {}
            }
            before = next.unwrap_or(before);
        }
        let text = &start[..start.len() - self.rest.len() - 1];
        if self.next() != Some(']') {
            return Err(SyntaxError::UnclosedArray);
        }
        let (left, comparison) = match comparison(text) {
            Some((left, operator, right)) => (left, Some((operator.to_owned(), action(right)?))),
            None => (text, None),
        };
        Ok(Node::Filter(Filter {
            left: action(left)?,
            comparison,
        }))
    }
}

/// Splits at the first run of comparison signs; nothing when a side is empty.
fn comparison(text: &str) -> Option<(&str, &str, &str)> {
    let is_sign = |c| matches!(c, '!' | '<' | '>' | '=');
    let (left, rest) = text.split_at(text.find(is_sign)?);
    let mut signs = rest.find(|c| !is_sign(c)).unwrap_or(rest.len());
    if signs == rest.len() {
        // Something must remain to compare with, be it the last sign.
        signs -= 1;
    }
    let (operator, right) = rest.split_at(signs);
    (!left.is_empty() && !operator.is_empty()).then_some((left, operator, right))
}

fn slice(text: &str) -> Result<Slice, SyntaxError> {
    let parts = text.split(':').collect::<Vec<_>>();
    let digits = |part: &&str| {
        let digits = part.strip_prefix('-').unwrap_or(part);
        digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    if parts.len() > 3 || !parts.iter().all(digits) {
        return Err(SyntaxError::ArrayIndex(text.to_owned()));
    }
    let number = |part: usize| match parts.get(part) {
        None | Some(&"") => Ok(None),
        Some(text) => match text.parse::<i64>() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(SyntaxError::IndexNumber((*text).to_owned())),
        },
    };
    let start = number(0)?.unwrap_or(0);
    let single = parts.len() == 1;
    let end = if single {
        Some(start.saturating_add(1))
    } else {
        number(1)?
    };
    Ok(Slice {
        start,
        end,
        single,
        step: number(2)?,
    })
}

/// The text that Go's escapes stand for; nothing when one does not exist.
fn unquote(text: &str, quote: char) -> Option<String> {
    if !text.contains(['\\', quote]) {
        return Some(text.to_owned());
    }
    // Bytes, since `\xff` is one.
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = Reader { rest: text };
    while let Some(next) = rest.next() {
        let character = match next {
            '\\' => match rest.next()? {
                'a' => '\x07',
                'b' => '\x08',
                'f' => '\x0c',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'v' => '\x0b',
                '\\' => '\\',
                c if c == quote => quote,
                'x' => {
                    bytes.push(u8::try_from(rest.digits(2, 16)?).ok()?);
                    continue;
                }
                c @ '0'..='7' => {
                    let octal = rest.digits(2, 8)? + 64 * c.to_digit(8)?;
                    bytes.push(u8::try_from(octal).ok()?);
                    continue;
                }
                'u' => char::from_u32(rest.digits(4, 16)?)?,
                'U' => char::from_u32(rest.digits(8, 16)?)?,
                _ => return None,
            },
            c if c == quote => return None,
            c => c,
        };
        bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

impl Reader<'_> {
    fn digits(&mut self, count: usize, radix: u32) -> Option<u32> {
        let mut number = 0u32;
        for _ in 0..count {
            number = number
                .checked_mul(radix)?
                .checked_add(self.next()?.to_digit(radix)?)?;
        }
        Some(number)
    }
}

fn is_terminator(c: char) -> bool {
    matches!(
        c,
        ' ' | '\t' | '\r' | '\n' | '.' | ',' | '[' | ']' | '$' | '@' | '{' | '}'
    )
}

fn is_digit(c: char) -> bool {
    c.is_numeric()
}

fn is_alphanumeric(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}
