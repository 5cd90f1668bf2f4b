//! Expansion of words: parameters, command substitution, splitting, file names.

use super::arith;
use super::ast::{Change, Parameter, Part, Word};
use super::exec::{Buffer, Fd, Shell, Stop};
use super::glob::Pattern;
use crate::sim::kernel::Pid;
use std::pin::Pin;
use std::rc::Rc;

/// Fields in the making.
#[derive(Default)]
struct Fields {
    done: Vec<Field>,
    current: Option<Field>,
}

#[derive(Default)]
struct Field {
    text: String,
    pattern: Pattern,
}

impl Fields {
    /// Text that is taken as it stands.
    fn quoted(&mut self, text: &str) {
        let field = self.current.get_or_insert_with(Field::default);
        field.text.push_str(text);
        field.pattern.push_quoted(text);
    }

    fn literal(&mut self, text: &str) {
        let field = self.current.get_or_insert_with(Field::default);
        field.text.push_str(text);
        field.pattern.push(text);
    }

    /// Text of an expansion without quotes.
    fn split(&mut self, text: &str, separators: &str) {
        let mut words = text.split(|c: char| separators.contains(c)).peekable();
        while let Some(word) = words.next() {
            if !word.is_empty() {
                self.literal(word);
            }
            if words.peek().is_some() {
                self.end();
            }
        }
    }

    fn end(&mut self) {
        self.done.extend(self.current.take());
    }
}

type Expansion<'a, T> = Pin<Box<dyn Future<Output = Result<T, Stop>> + 'a>>;

impl Shell {
    /// The arguments that words become.
    pub(super) async fn expand_words(&mut self, words: &[Word]) -> Result<Vec<String>, Stop> {
        let mut all = Vec::new();
        for word in words {
            let mut fields = Fields::default();
            self.parts(&word.0, false, &mut fields).await?;
            fields.end();
            for field in fields.done {
                match self.file_names(&field.pattern) {
                    Some(names) => all.extend(names),
                    None => all.push(field.text),
                }
            }
        }
        Ok(all)
    }

    /// A word as one text, not split.
    pub(super) async fn expand_text(&mut self, word: &Word) -> Result<String, Stop> {
        let mut fields = Fields::default();
        self.parts(&word.0, true, &mut fields).await?;
        fields.end();
        let texts: Vec<String> = fields.done.into_iter().map(|field| field.text).collect();
        Ok(texts.join(" "))
    }

    pub(super) async fn expand_pattern(&mut self, word: &Word) -> Result<Pattern, Stop> {
        let mut pattern = Pattern::default();
        for part in &word.0 {
            if let Part::Literal(text) = part {
                pattern.push(text);
                continue;
            }
            let text = self.expand_text(&Word(vec![part.clone()])).await?;
            match part {
                Part::Quoted(_) | Part::Double(_) => pattern.push_quoted(&text),
                _ => pattern.push(&text),
            }
        }
        Ok(pattern)
    }

    fn parts<'a>(
        &'a mut self,
        parts: &'a [Part],
        whole: bool,
        fields: &'a mut Fields,
    ) -> Expansion<'a, ()> {
        Box::pin(async move {
            for part in parts {
                match part {
                    Part::Literal(text) => fields.literal(text),
                    Part::Quoted(text) => fields.quoted(text),
                    Part::Double(parts) => self.double(parts, fields).await?,
                    Part::Parameter(parameter)
                        if !whole && matches!(parameter.name.as_str(), "@" | "*") =>
                    {
                        for argument in self.arguments.clone() {
                            fields.split(&argument, " \t\n");
                            fields.end();
                        }
                    }
                    part => {
                        let text = self.value(part).await?;
                        if whole {
                            fields.quoted(&text);
                        } else {
                            let separators = self.variables.get("IFS");
                            let separators = separators.map_or(" \t\n", String::as_str).to_owned();
                            fields.split(&text, &separators);
                        }
                    }
                }
            }
            Ok(())
        })
    }

    /// What stands between double quotes: one field, but for `"$@"`.
    async fn double(&mut self, parts: &[Part], fields: &mut Fields) -> Result<(), Stop> {
        let list =
            |part: &Part| matches!(part, Part::Parameter(p) if p.name == "@" && p.change.is_none());
        if parts.iter().any(list) && self.arguments.is_empty() {
            let rest: Vec<Part> = parts.iter().filter(|part| !list(part)).cloned().collect();
            let text = self.joined(&rest).await?;
            if !text.is_empty() {
                fields.quoted(&text);
            }
            return Ok(());
        }
        fields.quoted("");
        for part in parts {
            if list(part) {
                for (position, argument) in self.arguments.clone().iter().enumerate() {
                    if position > 0 {
                        fields.end();
                    }
                    fields.quoted(argument);
                }
            } else {
                let text = self.value(part).await?;
                fields.quoted(&text);
            }
        }
        Ok(())
    }

    async fn joined(&mut self, parts: &[Part]) -> Result<String, Stop> {
        let mut text = String::new();
        for part in parts {
            text.push_str(&self.value(part).await?);
        }
        Ok(text)
    }

    /// A part as text.
    fn value<'a>(&'a mut self, part: &'a Part) -> Expansion<'a, String> {
        Box::pin(async move {
            match part {
                Part::Literal(text) | Part::Quoted(text) => Ok(text.clone()),
                Part::Double(parts) => self.joined(parts).await,
                Part::Parameter(parameter) => self.parameter(parameter).await,
                Part::Arithmetic(word) => {
                    let text = self.expand_text(word).await?;
                    let number = |name: &str| {
                        let value = self.variables.get(name);
                        value
                            .and_then(|value| value.trim().parse().ok())
                            .unwrap_or(0)
                    };
                    match arith::evaluate(&text, &number) {
                        Some(value) => Ok(value.to_string()),
                        None => {
                            self.lacks(format!("sh: $(({text}))"));
                            Ok(String::new())
                        }
                    }
                }
                Part::Command(script) => {
                    let mut shell = self.subshell();
                    let output = Buffer::default();
                    shell.fds[1] = Fd::Pipe(Rc::clone(&output));
                    let _ = shell.run(script).await;
                    self.status = shell.status;
                    let text = String::from_utf8_lossy(&output.borrow()).into_owned();
                    Ok(text.trim_end_matches('\n').to_owned())
                }
            }
        })
    }

    /// The process's number for itself: the first of a container is number 1.
    fn own_number(&self) -> Pid {
        let first = self.image.cell.as_ref();
        let first = first.and_then(|cell| self.kernel.borrow().first_of(cell));
        if first == Some(self.pid) { 1 } else { self.pid }
    }

    /// A parameter's value; none when it is unset.
    fn lookup(&self, name: &str) -> Option<String> {
        match name {
            "?" => Some(self.status.to_string()),
            "!" => self.background.map(|pid| pid.to_string()),
            "$" => Some(self.own_number().to_string()),
            "#" => Some(self.arguments.len().to_string()),
            "-" => Some(String::new()),
            "@" | "*" => Some(self.arguments.join(" ")),
            "0" => Some(self.name.clone()),
            _ => match name.parse::<usize>() {
                Ok(number) => self.arguments.get(number.checked_sub(1)?).cloned(),
                Err(_) => self.variables.get(name).cloned(),
            },
        }
    }

    async fn parameter(&mut self, parameter: &Parameter) -> Result<String, Stop> {
        let value = self.lookup(&parameter.name);
        match &parameter.change {
            None => Ok(value.unwrap_or_default()),
            Some(Change::Length) => Ok(value.unwrap_or_default().chars().count().to_string()),
            Some(Change::Cut {
                end,
                longest,
                pattern,
            }) => {
                let pattern = self.expand_pattern(pattern).await?;
                Ok(pattern.cut(&value.unwrap_or_default(), *end, *longest))
            }
            Some(Change::Unset {
                operator,
                colon,
                word,
            }) => {
                let set = value.filter(|value| !(*colon && value.is_empty()));
                match (operator, set) {
                    ('+', Some(_)) => self.expand_text(word).await,
                    ('+', None) => Ok(String::new()),
                    (_, Some(value)) => Ok(value),
                    ('-', None) => self.expand_text(word).await,
                    ('=', None) => {
                        let value = self.expand_text(word).await?;
                        self.variables.insert(parameter.name.clone(), value.clone());
                        Ok(value)
                    }
                    (_, None) => {
                        let message = self.expand_text(word).await?;
                        self.complain(&format!("sh: {}: {message}", parameter.name));
                        self.status = 2;
                        Err(Stop::Exit)
                    }
                }
            }
        }
    }

    /// The files that a pattern names; none when it is no pattern or names none.
    fn file_names(&self, pattern: &Pattern) -> Option<Vec<String>> {
        use super::glob::Piece;
        if !pattern.is_magic() {
            return None;
        }
        let mut found = vec![String::new()];
        let parts = pattern.0.split(|piece| *piece == Piece::Exactly('/'));
        for (position, part) in parts.enumerate() {
            let part = Pattern(part.to_vec());
            let mut next = Vec::new();
            for base in found {
                let base = if position == 0 {
                    base
                } else {
                    format!("{base}/")
                };
                if part.is_magic() {
                    let directory = if base.is_empty() { "." } else { &base };
                    let hidden = part.0.first() == Some(&Piece::Exactly('.'));
                    let names = self.image.mounts.list(&self.path(directory));
                    let fits =
                        |name: &String| part.matches(name) && (hidden || !name.starts_with('.'));
                    next.extend(names.into_iter().filter(fits).map(|n| format!("{base}{n}")));
                } else {
                    let exactly = part.0.iter().filter_map(|piece| match piece {
                        Piece::Exactly(c) => Some(*c),
                        _ => None,
                    });
                    next.push(format!("{base}{}", exactly.collect::<String>()));
                }
            }
            found = next;
        }
        found.retain(|path| self.image.mounts.get(&self.path(path)).is_some());
        (!found.is_empty()).then_some(found)
    }
}
