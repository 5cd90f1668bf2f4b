//! Single commands: simple ones, groups, conditions, loops, functions.

use super::ast::{Command, Kind, Script, Word};
use super::exec::{Fd, Shell, Step, Stop};
use super::{builtins, programs};

impl Shell {
    /// Runs a command with its redirections.
    pub(super) fn command<'a>(&'a mut self, command: &'a Command) -> Step<'a> {
        Box::pin(async move {
            if let Kind::Simple { assignments, words } = &command.kind {
                return self.simple(command, assignments, words).await;
            }
            let before = self.fds.clone();
            if !self.redirect(&command.redirects).await? {
                self.fds = before;
                self.status = 1;
                return Ok(());
            }
            let result = self.compound(&command.kind).await;
            self.fds = before;
            result
        })
    }

    async fn compound(&mut self, kind: &Kind) -> Result<(), Stop> {
        match kind {
            Kind::Simple { .. } => Ok(()),
            Kind::Group(body) => self.run(body).await,
            Kind::Subshell(body) => {
                let mut shell = self.subshell();
                let _ = shell.run(body).await;
                self.status = shell.status;
                Ok(())
            }
            Kind::If {
                branches,
                otherwise,
            } => {
                for (condition, body) in branches {
                    if self.run_condition(condition).await? {
                        self.status = 0;
                        return self.run(body).await;
                    }
                }
                self.status = 0;
                self.run(otherwise).await
            }
            Kind::Loop {
                until,
                condition,
                body,
            } => {
                let mut status = 0;
                loop {
                    match self.run_condition(condition).await {
                        Ok(holds) if holds == *until => break,
                        Ok(_) => {}
                        Err(stop) => {
                            if !left(stop)? {
                                break;
                            }
                            continue;
                        }
                    }
                    let done = self.run(body).await;
                    status = self.status;
                    if let Err(stop) = done
                        && !left(stop)?
                    {
                        break;
                    }
                }
                self.status = status;
                Ok(())
            }
            Kind::For {
                variable,
                words,
                body,
            } => self.for_each(variable, words.as_deref(), body).await,
            Kind::Case { word, arms } => {
                let text = self.expand_text(word).await?;
                self.status = 0;
                for (patterns, body) in arms {
                    for pattern in patterns {
                        if self.expand_pattern(pattern).await?.matches(&text) {
                            return self.run(body).await;
                        }
                    }
                }
                Ok(())
            }
            Kind::Function { name, body } => {
                self.functions.insert(name.clone(), body.clone());
                self.status = 0;
                Ok(())
            }
        }
    }

    async fn for_each(
        &mut self,
        variable: &str,
        words: Option<&[Word]>,
        body: &Script,
    ) -> Result<(), Stop> {
        let values = match words {
            Some(words) => self.expand_words(words).await?,
            None => self.arguments.clone(),
        };
        self.status = 0;
        for value in values {
            self.variables.insert(variable.to_owned(), value);
            if let Err(stop) = self.run(body).await
                && !left(stop)?
            {
                break;
            }
        }
        Ok(())
    }

    async fn simple(
        &mut self,
        command: &Command,
        assignments: &[(String, Word)],
        words: &[Word],
    ) -> Result<(), Stop> {
        let status = self.status;
        self.status = 0;
        let words = {
            let before = std::mem::replace(&mut self.status, status);
            let words = self.expand_words(words).await?;
            if words.is_empty() {
                // What a command substitution left stands.
                self.status = if self.status == status {
                    before
                } else {
                    self.status
                };
            }
            words
        };
        let before = self.fds.clone();
        let permanent = words.first().is_some_and(|word| word == "exec");
        if !self.redirect(&command.redirects).await? {
            self.fds = before;
            self.status = 1;
            return Ok(());
        }
        let mut replaced = Vec::new();
        for (name, word) in assignments {
            let value = self.expand_text(word).await?;
            let old = self.variables.insert(name.clone(), value);
            if !words.is_empty() {
                replaced.push((name.clone(), old, self.exported.insert(name.clone())));
            }
        }
        let result = if words.is_empty() {
            Ok(())
        } else {
            self.call(&words).await
        };
        for (name, old, exported) in replaced {
            if exported {
                self.exported.remove(&name);
            }
            match old {
                Some(old) => self.variables.insert(name, old),
                None => self.variables.remove(&name),
            };
        }
        if !(permanent && words.len() == 1) {
            self.fds = before;
        }
        result
    }

    /// Runs a function, a builtin or a program.
    pub(super) fn call<'a>(&'a mut self, words: &'a [String]) -> Step<'a> {
        Box::pin(async move {
            let Some((name, arguments)) = words.split_first() else {
                return Ok(());
            };
            if let Some(body) = self.functions.get(name).cloned() {
                let before = std::mem::replace(&mut self.arguments, arguments.to_vec());
                let result = self.command(&body).await;
                self.arguments = before;
                return match result {
                    Err(Stop::Return) => Ok(()),
                    result => result,
                };
            }
            if let Some(result) = builtins::run(self, name, arguments).await {
                return result;
            }
            programs::run(self, words).await;
            Ok(())
        })
    }
}

impl Fd {
    pub(super) fn input(text: Vec<u8>) -> Self {
        Self::Input(std::rc::Rc::new(std::cell::RefCell::new(text.into())))
    }
}

/// Whether a loop goes on after its body was left so; an error where it is not the loop that is left.
fn left(stop: Stop) -> Result<bool, Stop> {
    match stop {
        Stop::Break(levels) if levels > 1 => Err(Stop::Break(levels - 1)),
        Stop::Break(_) => Ok(false),
        Stop::Continue(levels) if levels > 1 => Err(Stop::Continue(levels - 1)),
        Stop::Continue(_) => Ok(true),
        stop => Err(stop),
    }
}
