//! From text to [`Script`]s.

use std::cell::OnceCell;
use std::rc::Rc;

use super::ast::{Command, Connector, Item, Kind, Pipeline, Redirect, Script, Target, Word};

/// Reads scripts. Words are read in `word.rs`.
pub(super) struct Parser {
    pub(super) text: Vec<char>,
    pub(super) at: usize,
    pending: Vec<Pending>,
}

/// A here-document that was named and not read yet.
struct Pending {
    body: Rc<OnceCell<Word>>,
    delimiter: String,
    literal: bool,
    strip_tabs: bool,
}

/// Why a text is no script, or none of the subset.
pub(crate) type Fault = String;

const RESERVED: [&str; 14] = [
    "if", "then", "else", "elif", "fi", "while", "until", "do", "done", "for", "case", "esac", "}",
    "in",
];

/// Reads a whole script.
pub(crate) fn parse(text: &str) -> Result<Script, Fault> {
    let mut parser = Parser::new(text);
    let script = parser.list(&[])?;
    match parser.peek() {
        None => Ok(script),
        Some(found) => Err(format!("syntax error: unexpected {found:?}")),
    }
}

impl Parser {
    pub(super) fn new(text: &str) -> Self {
        Self {
            text: text.chars().collect(),
            at: 0,
            pending: Vec::new(),
        }
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    pub(super) fn starts(&self, with: &str) -> bool {
        let rest = &self.text[self.at.min(self.text.len())..];
        with.chars().count() <= rest.len() && with.chars().zip(rest).all(|(a, b)| a == *b)
    }

    pub(super) fn eat(&mut self, text: &str) -> bool {
        let found = self.starts(text);
        if found {
            self.at += text.chars().count();
        }
        found
    }

    fn expect(&mut self, text: &str) -> Result<(), Fault> {
        if self.eat(text) {
            Ok(())
        } else {
            Err(format!("syntax error: expected {text:?}"))
        }
    }

    fn blanks(&mut self) {
        loop {
            match self.peek() {
                Some(' ' | '\t' | '\r') => self.at += 1,
                Some('\\') if self.starts("\\\n") => self.at += 2,
                Some('#') => {
                    while self.peek().is_some_and(|c| c != '\n') {
                        self.at += 1;
                    }
                }
                _ => return,
            }
        }
    }

    /// Blanks and line ends; the bodies of here-documents come after a line end.
    fn lines(&mut self) {
        loop {
            self.blanks();
            if self.peek() != Some('\n') {
                return;
            }
            self.line_end();
        }
    }

    fn line_end(&mut self) {
        self.at += 1;
        for pending in std::mem::take(&mut self.pending) {
            let mut body = String::new();
            while self.at < self.text.len() {
                let line: String = self.text[self.at..]
                    .iter()
                    .take_while(|c| **c != '\n')
                    .collect();
                self.at = (self.at + line.chars().count() + 1).min(self.text.len());
                let line = if pending.strip_tabs {
                    line.trim_start_matches('\t')
                } else {
                    &line
                };
                if line == pending.delimiter {
                    break;
                }
                body.push_str(line);
                body.push('\n');
            }
            let word = if pending.literal {
                Ok(Word(vec![super::ast::Part::Quoted(body)]))
            } else {
                Parser::new(&body).here_document()
            };
            // A body is set once, and what cannot be read in one is found when it is expanded.
            let _ = pending.body.set(word.unwrap_or_default());
        }
    }

    /// The word that stands here if it is one of these reserved words.
    fn at_reserved(&mut self, words: &[&str]) -> Option<usize> {
        self.blanks();
        words.iter().position(|word| {
            let end = self.at + word.chars().count();
            let bounded = self
                .text
                .get(end)
                .is_none_or(|c| c.is_whitespace() || ";&|()<>".contains(*c));
            self.starts(word) && bounded
        })
    }

    fn reserved(&mut self, word: &str) -> Result<(), Fault> {
        self.lines();
        match self.at_reserved(&[word]) {
            Some(_) => self.expect(word),
            None => Err(format!("syntax error: expected {word:?}")),
        }
    }

    /// Commands up to one of these reserved words, `)`, `;;` or the end.
    pub(super) fn list(&mut self, ends: &[&str]) -> Result<Script, Fault> {
        let mut items = Vec::new();
        loop {
            self.lines();
            let over = self.peek().is_none_or(|c| c == ')') || self.starts(";;");
            if over || self.at_reserved(ends).is_some() {
                return Ok(Script { items });
            }
            let first = self.pipeline()?;
            let mut rest = Vec::new();
            loop {
                self.blanks();
                let connector = if self.eat("&&") {
                    Connector::And
                } else if self.eat("||") {
                    Connector::Or
                } else {
                    break;
                };
                self.lines();
                rest.push((connector, self.pipeline()?));
            }
            self.blanks();
            let background = self.eat("&");
            if !background && !self.starts(";;") {
                self.eat(";");
            }
            items.push(Item {
                first,
                rest,
                background,
            });
        }
    }

    fn pipeline(&mut self) -> Result<Pipeline, Fault> {
        let mut negated = false;
        while self.at_reserved(&["!"]).is_some() {
            self.at += 1;
            negated = !negated;
        }
        let mut commands = vec![self.command()?];
        loop {
            self.blanks();
            if self.starts("||") || !self.eat("|") {
                return Ok(Pipeline { negated, commands });
            }
            self.lines();
            commands.push(self.command()?);
        }
    }

    fn command(&mut self) -> Result<Command, Fault> {
        self.blanks();
        let compound = ["if", "while", "until", "for", "case", "{"];
        let kind = if self.eat("(") {
            let body = self.list(&[])?;
            self.expect(")")?;
            Kind::Subshell(body)
        } else {
            match self.at_reserved(&compound) {
                Some(which) => {
                    self.expect(compound[which])?;
                    self.compound(which)?
                }
                None => return self.simple(),
            }
        };
        let mut redirects = Vec::new();
        while self.redirect(&mut redirects)? {}
        Ok(Command { kind, redirects })
    }

    fn compound(&mut self, which: usize) -> Result<Kind, Fault> {
        match which {
            0 => self.if_branches(),
            1 | 2 => {
                let condition = self.list(&["do"])?;
                let body = self.do_body()?;
                Ok(Kind::Loop {
                    until: which == 2,
                    condition,
                    body,
                })
            }
            3 => self.for_loop(),
            4 => self.case_arms(),
            _ => {
                let body = self.list(&["}"])?;
                self.reserved("}")?;
                Ok(Kind::Group(body))
            }
        }
    }

    fn do_body(&mut self) -> Result<Script, Fault> {
        self.reserved("do")?;
        let body = self.list(&["done"])?;
        self.reserved("done")?;
        Ok(body)
    }

    fn if_branches(&mut self) -> Result<Kind, Fault> {
        let mut branches = Vec::new();
        let mut otherwise = Script::default();
        loop {
            let condition = self.list(&["then"])?;
            self.reserved("then")?;
            branches.push((condition, self.list(&["elif", "else", "fi"])?));
            if self.at_reserved(&["elif"]).is_some() {
                self.expect("elif")?;
                continue;
            }
            if self.at_reserved(&["else"]).is_some() {
                self.expect("else")?;
                otherwise = self.list(&["fi"])?;
            }
            self.reserved("fi")?;
            return Ok(Kind::If {
                branches,
                otherwise,
            });
        }
    }

    fn for_loop(&mut self) -> Result<Kind, Fault> {
        let variable = self.needed_word("a name")?;
        let variable = variable.plain().unwrap_or_default().to_owned();
        self.lines();
        let mut words = None;
        if self.at_reserved(&["in"]).is_some() {
            self.expect("in")?;
            let list = words.insert(Vec::new());
            loop {
                self.blanks();
                match self.word()? {
                    Some(word) => list.push(word),
                    None => break,
                }
            }
        }
        self.blanks();
        self.eat(";");
        Ok(Kind::For {
            variable,
            words,
            body: self.do_body()?,
        })
    }

    fn case_arms(&mut self) -> Result<Kind, Fault> {
        let word = self.needed_word("a word")?;
        self.reserved("in")?;
        let mut arms = Vec::new();
        loop {
            self.lines();
            if self.at_reserved(&["esac"]).is_some() {
                self.expect("esac")?;
                return Ok(Kind::Case { word, arms });
            }
            self.eat("(");
            let mut patterns = vec![self.needed_word("a pattern")?];
            self.blanks();
            while self.eat("|") {
                patterns.push(self.needed_word("a pattern")?);
                self.blanks();
            }
            self.expect(")")?;
            let body = self.list(&["esac"])?;
            self.lines();
            self.eat(";;");
            arms.push((patterns, body));
        }
    }

    fn needed_word(&mut self, what: &str) -> Result<Word, Fault> {
        self.blanks();
        self.word()?
            .ok_or_else(|| format!("syntax error: expected {what}"))
    }

    fn simple(&mut self) -> Result<Command, Fault> {
        let (mut assignments, mut words, mut redirects) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            self.blanks();
            if self.redirect(&mut redirects)? {
                continue;
            }
            if words.is_empty()
                && let Some(name) = self.assigned()
            {
                assignments.push((name, self.word()?.unwrap_or_default()));
                continue;
            }
            let Some(word) = self.word()? else { break };
            if words.is_empty()
                && let Some(name) = word.plain()
            {
                if RESERVED.contains(&name) {
                    return Err(format!("syntax error: unexpected {name:?}"));
                }
                self.blanks();
                if self.starts("()") {
                    self.at += 2;
                    self.lines();
                    let body = Rc::new(self.command()?);
                    let name = name.to_owned();
                    return Ok(Command {
                        kind: Kind::Function { name, body },
                        redirects,
                    });
                }
            }
            words.push(word);
        }
        if assignments.is_empty() && words.is_empty() && redirects.is_empty() {
            let found = self
                .peek()
                .map_or("the end".to_owned(), |c| format!("{c:?}"));
            return Err(format!("syntax error: unexpected {found}"));
        }
        Ok(Command {
            kind: Kind::Simple { assignments, words },
            redirects,
        })
    }

    /// The name in `name=`, which is read over.
    fn assigned(&mut self) -> Option<String> {
        let rest = &self.text[self.at..];
        let name: String = rest
            .iter()
            .take_while(|c| c.is_ascii_alphanumeric() || **c == '_')
            .collect();
        let named = name.chars().next().is_some_and(|c| !c.is_ascii_digit());
        if !named || rest.get(name.len()) != Some(&'=') {
            return None;
        }
        self.at += name.len() + 1;
        Some(name)
    }

    /// Reads a redirection if one stands here.
    fn redirect(&mut self, into: &mut Vec<Redirect>) -> Result<bool, Fault> {
        self.blanks();
        let start = self.at;
        let digits: String = self.text[start..]
            .iter()
            .take_while(|c| c.is_ascii_digit())
            .collect();
        self.at += digits.len();
        if !matches!(self.peek(), Some('<' | '>')) {
            self.at = start;
            return Ok(false);
        }
        let given = digits.parse::<usize>().ok();
        let input = self.peek() == Some('<');
        let fd = given.unwrap_or(usize::from(!input));
        if fd > 2 {
            return Err(format!("file descriptor {fd} in a redirection"));
        }
        let to = if self.eat("<<") {
            let strip_tabs = self.eat("-");
            let delimiter = self.needed_word("a delimiter")?;
            let literal = delimiter.plain().is_none();
            let body = Rc::new(OnceCell::new());
            self.pending.push(Pending {
                body: Rc::clone(&body),
                delimiter: delimiter.text(),
                literal,
                strip_tabs,
            });
            Target::Here(body)
        } else if self.eat(">>") {
            Target::Append(self.needed_word("a file")?)
        } else if self.eat(">&") || self.eat("<&") {
            Target::Duplicate(self.needed_word("a file descriptor")?)
        } else if self.eat(">|") || self.eat(">") {
            Target::Write(self.needed_word("a file")?)
        } else {
            self.expect("<")?;
            Target::Read(self.needed_word("a file")?)
        };
        into.push(Redirect { fd, to });
        Ok(true)
    }
}
