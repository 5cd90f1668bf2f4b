//! Reading words: quotes and expansions.

use std::rc::Rc;

use super::ast::{Change, Parameter, Part, Word};
use super::parse::{Fault, Parser, parse};

impl Word {
    /// The text of a word whose parts are all fixed; expansions count for nothing.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Literal(fixed) | Part::Quoted(fixed) => text.push_str(fixed),
                Part::Double(parts) => text.push_str(&Word(parts.clone()).text()),
                _ => {}
            }
        }
        text
    }
}

/// What ends a word that is not quoted.
fn ends_word(c: char) -> bool {
    c.is_whitespace() || ";&|()<>".contains(c)
}

impl Parser {
    /// The word that stands here; none where an operator or the end does.
    pub(super) fn word(&mut self) -> Result<Option<Word>, Fault> {
        let parts = self.parts(ends_word)?;
        Ok((!parts.is_empty()).then_some(Word(parts)))
    }

    /// The body of a here-document that is expanded.
    pub(super) fn here_document(&mut self) -> Result<Word, Fault> {
        let parts = self.double(|_| false)?;
        Ok(Word(vec![Part::Double(parts)]))
    }

    fn parts(&mut self, ends: fn(char) -> bool) -> Result<Vec<Part>, Fault> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        while let Some(c) = self.peek().filter(|c| !ends(*c)) {
            let part = match c {
                '\'' => {
                    self.at += 1;
                    Part::Quoted(self.until('\'')?)
                }
                '"' => {
                    self.at += 1;
                    let inner = self.double(|c| c == '"')?;
                    self.close('"')?;
                    Part::Double(inner)
                }
                '\\' => {
                    self.at += 1;
                    let escaped = self.peek();
                    self.at += 1;
                    match escaped {
                        Some('\n') => continue,
                        Some(escaped) => Part::Quoted(escaped.to_string()),
                        None => Part::Quoted("\\".to_owned()),
                    }
                }
                '$' | '`' => match self.expansion()? {
                    Some(part) => part,
                    None => {
                        plain.push('$');
                        continue;
                    }
                },
                c => {
                    self.at += 1;
                    plain.push(c);
                    continue;
                }
            };
            if !plain.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut plain)));
            }
            parts.push(part);
        }
        if !plain.is_empty() {
            parts.push(Part::Literal(plain));
        }
        Ok(parts)
    }

    /// What stands between double quotes.
    fn double(&mut self, ends: fn(char) -> bool) -> Result<Vec<Part>, Fault> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        while let Some(c) = self.peek().filter(|c| !ends(*c)) {
            match c {
                '\\' => {
                    self.at += 1;
                    match self.peek() {
                        Some(c @ ('$' | '`' | '"' | '\\')) => plain.push(c),
                        Some('\n') => {}
                        Some(c) => plain.extend(['\\', c]),
                        None => plain.push('\\'),
                    }
                    self.at += 1;
                }
                '$' | '`' => match self.expansion()? {
                    Some(part) => {
                        parts.push(Part::Quoted(std::mem::take(&mut plain)));
                        parts.push(part);
                    }
                    None => plain.push('$'),
                },
                c => {
                    self.at += 1;
                    plain.push(c);
                }
            }
        }
        parts.push(Part::Quoted(plain));
        Ok(parts)
    }

    fn until(&mut self, end: char) -> Result<String, Fault> {
        let mut text = String::new();
        while let Some(c) = self.peek().filter(|c| *c != end) {
            text.push(c);
            self.at += 1;
        }
        self.close(end)?;
        Ok(text)
    }

    fn close(&mut self, end: char) -> Result<(), Fault> {
        if self.peek() == Some(end) {
            self.at += 1;
            return Ok(());
        }
        Err(format!("syntax error: no closing {end:?}"))
    }

    /// `$...` or backquotes; nothing, and the `$` read over, where it is a mere dollar sign.
    fn expansion(&mut self) -> Result<Option<Part>, Fault> {
        if self.eat("`") {
            return self.backquotes().map(Some);
        }
        self.at += 1;
        if self.eat("((") {
            return self.arithmetic().map(Some);
        }
        if self.eat("(") {
            let script = self.list(&[])?;
            self.close(')')?;
            return Ok(Some(Part::Command(Rc::new(script))));
        }
        if self.eat("{") {
            return self.braces().map(Some);
        }
        let name: String = match self.peek() {
            Some(c) if c.is_ascii_alphabetic() || c == '_' => self.text[self.at..]
                .iter()
                .take_while(|c| c.is_ascii_alphanumeric() || **c == '_')
                .collect(),
            Some(c) if c.is_ascii_digit() || "@*#?$!-".contains(c) => c.to_string(),
            _ => return Ok(None),
        };
        self.at += name.chars().count();
        Ok(Some(Part::Parameter(Parameter { name, change: None })))
    }

    fn backquotes(&mut self) -> Result<Part, Fault> {
        let mut inner = String::new();
        while let Some(c) = self.peek().filter(|c| *c != '`') {
            self.at += 1;
            if c == '\\' && self.peek().is_some_and(|c| "`\\$".contains(c)) {
                inner.extend(self.peek());
                self.at += 1;
            } else {
                inner.push(c);
            }
        }
        self.close('`')?;
        Ok(Part::Command(Rc::new(parse(&inner)?)))
    }

    /// `$((...))`, up to the parentheses that close it.
    fn arithmetic(&mut self) -> Result<Part, Fault> {
        let start = self.at;
        let mut depth = 0;
        while let Some(c) = self.peek() {
            match c {
                '(' => depth += 1,
                ')' if depth == 0 => break,
                ')' => depth -= 1,
                _ => {}
            }
            self.at += 1;
        }
        let inner: String = self.text[start..self.at].iter().collect();
        if !self.eat("))") {
            return Err("syntax error: no closing \"))\"".to_owned());
        }
        Ok(Part::Arithmetic(Parser::new(&inner).here_document()?))
    }

    /// `${...}` after the brace.
    fn braces(&mut self) -> Result<Part, Fault> {
        let length = self.starts("#") && !self.starts("#}") && self.eat("#");
        let name: String = match self.peek() {
            Some(c) if "@*#?$!-".contains(c) => c.to_string(),
            _ => self.text[self.at..]
                .iter()
                .take_while(|c| c.is_ascii_alphanumeric() || **c == '_')
                .collect(),
        };
        if name.is_empty() {
            return Err("syntax error: bad substitution".to_owned());
        }
        self.at += name.chars().count();
        let change = if length {
            Some(Change::Length)
        } else {
            self.change()?
        };
        self.close('}')?;
        Ok(Part::Parameter(Parameter { name, change }))
    }

    fn change(&mut self) -> Result<Option<Change>, Fault> {
        let rest =
            |parser: &mut Self| -> Result<Word, Fault> { Ok(Word(parser.parts(|c| c == '}')?)) };
        let end = match self.peek() {
            Some('}') | None => return Ok(None),
            Some('#') => false,
            Some('%') => true,
            _ => {
                let colon = self.eat(":");
                let operator = self.peek().filter(|c| "-=+?".contains(*c));
                let Some(operator) = operator else {
                    return Err("bad substitution".to_owned());
                };
                self.at += 1;
                let word = rest(self)?;
                return Ok(Some(Change::Unset {
                    operator,
                    colon,
                    word,
                }));
            }
        };
        let sign = self.peek();
        self.at += 1;
        let longest = self.peek() == sign;
        self.at += usize::from(longest);
        let pattern = rest(self)?;
        Ok(Some(Change::Cut {
            end,
            longest,
            pattern,
        }))
    }
}
