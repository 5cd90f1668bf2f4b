//! What is wrong with a template, or with what it is applied to. All in kubectl's words.

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SyntaxError {
    /// A brace is not closed in its line.
    #[error("unclosed action")]
    UnclosedAction,
    /// A character that begins nothing.
    #[error("unrecognized character in action: {}", code_point(*.0))]
    UnrecognizedCharacter(char),
    /// `..` after `..`.
    #[error("invalid multiple recursive descent")]
    RepeatedRecursion,
    /// A number that is none.
    #[error("cannot parse number {0}")]
    Number(String),
    /// A bracket is not closed.
    #[error("unterminated array")]
    UnterminatedArray,
    /// What stands in brackets is no index, no slice and no quoted key.
    #[error("invalid array index {0}")]
    ArrayIndex(String),
    /// An index has no digits, or too many.
    #[error("array index {0} is not a number")]
    IndexNumber(String),
    /// `?(` is not closed.
    #[error("unterminated filter")]
    UnterminatedFilter,
    /// `]` is missing after a filter.
    #[error("unclosed array expect ]")]
    UnclosedArray,
    /// A quote is not closed.
    #[error("unterminated quoted string")]
    UnterminatedQuote,
    /// An escape that does not exist.
    #[error("unquote string {0} error invalid syntax")]
    Escape(String),
    /// No relaxed path.
    #[error(
        "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{{name1.name2}}' or '{{.name1.name2}}'"
    )]
    UnexpectedPath,
}

/// Why a template cannot be applied to an object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    /// A field is not there, and must be.
    #[error("{0} is not found")]
    NotFound(String),
    /// A word that is neither `range` nor `end`.
    #[error("unrecognized identifier {0}")]
    UnrecognizedIdentifier(String),
    /// `end` without `range`.
    #[error("not in range, nothing to end")]
    NotInRange,
    /// An index into something else; says of which type it is.
    #[error("{0} is not array or slice")]
    NotAList(&'static str),
    /// A filter of something else; says what.
    #[error("{0} is not array or slice and cannot be filtered")]
    NotFilterable(String),
    /// An index beyond the ends.
    #[error("array index out of bounds: index {index}, length {length}")]
    OutOfBounds {
        /// The index, counted from the start.
        index: i64,
        /// How many elements there are.
        length: i64,
    },
    /// A slice that runs backwards.
    #[error("starting index {start} is greater than ending index {end}")]
    Backwards {
        /// First index.
        start: i64,
        /// Index after the last.
        end: i64,
    },
    /// A step of 0 or less.
    #[error("step must be > 0")]
    Step,
    /// A side of a comparison yields several values.
    #[error("can only compare one element at a time")]
    SeveralElements,
    /// Signs that compare nothing.
    #[error("unrecognized filter operator {0}")]
    UnrecognizedOperator(String),
    /// Lists, objects, `null`; and truth values where order is asked for.
    #[error("invalid type for comparison")]
    InvalidType,
    /// A number with a text, for example.
    #[error("incompatible types for comparison")]
    IncompatibleTypes,
    /// Far more work than a template of sense needs.
    #[error("the template takes too many steps")]
    TooManySteps,
}

/// As Go writes characters: `U+0026 '&'`.
fn code_point(character: char) -> String {
    let code = format!("U+{:04X}", u32::from(character));
    if character.is_control() {
        code
    } else {
        format!("{code} '{character}'")
    }
}
