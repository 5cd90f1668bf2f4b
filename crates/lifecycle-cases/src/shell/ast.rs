//! What a script is made of.

use std::cell::OnceCell;
use std::rc::Rc;

/// Commands, one after the other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Script {
    pub(crate) items: Vec<Item>,
}

/// Pipelines joined by `&&` and `||`, in the background or not.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) first: Pipeline,
    pub(crate) rest: Vec<(Connector, Pipeline)>,
    pub(crate) background: bool,
}

/// What decides whether the next pipeline runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Connector {
    And,
    Or,
}

/// Commands whose output is the next one's input.
#[derive(Clone, Debug)]
pub(crate) struct Pipeline {
    pub(crate) negated: bool,
    pub(crate) commands: Vec<Command>,
}

/// A command with what it reads and writes.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    pub(crate) kind: Kind,
    pub(crate) redirects: Vec<Redirect>,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Simple {
        assignments: Vec<(String, Word)>,
        words: Vec<Word>,
    },
    Group(Script),
    Subshell(Script),
    If {
        branches: Vec<(Script, Script)>,
        otherwise: Script,
    },
    Loop {
        until: bool,
        condition: Script,
        body: Script,
    },
    For {
        variable: String,
        /// The arguments of the shell when absent.
        words: Option<Vec<Word>>,
        body: Script,
    },
    Case {
        word: Word,
        arms: Vec<(Vec<Word>, Script)>,
    },
    Function {
        name: String,
        body: Rc<Command>,
    },
}

/// Where a file descriptor leads.
#[derive(Clone, Debug)]
pub(crate) struct Redirect {
    pub(crate) fd: usize,
    pub(crate) to: Target,
}

#[derive(Clone, Debug)]
pub(crate) enum Target {
    Read(Word),
    Write(Word),
    Append(Word),
    Duplicate(Word),
    /// A here-document; its body is read after the line that names it.
    Here(Rc<OnceCell<Word>>),
}

/// A word before expansion.
#[derive(Clone, Debug, Default)]
pub(crate) struct Word(pub(crate) Vec<Part>);

#[derive(Clone, Debug)]
pub(crate) enum Part {
    /// As it stands, not quoted: a pattern where patterns are meant.
    Literal(String),
    /// As it stands, quoted.
    Quoted(String),
    /// What is expanded between double quotes.
    Double(Vec<Part>),
    Parameter(Parameter),
    Command(Rc<Script>),
    Arithmetic(Word),
}

/// `$name`, `${name...}`.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) change: Option<Change>,
}

#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// `${#name}`
    Length,
    /// `${name:-word}` and its kin: `-`, `=`, `+` or `?`; with a colon an empty value counts as unset.
    Unset {
        operator: char,
        colon: bool,
        word: Word,
    },
    /// `${name#pattern}`, `${name%%pattern}`
    Cut {
        end: bool,
        longest: bool,
        pattern: Word,
    },
}

impl Word {
    /// The text when it is a single part without quotes and expansions: what can be a reserved word.
    pub(crate) fn plain(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }
}
