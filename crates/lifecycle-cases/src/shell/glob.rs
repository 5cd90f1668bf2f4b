//! Patterns: `*`, `?` and `[...]`.

/// A character of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Any,
    One,
    Set {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
    Exactly(char),
}

/// A pattern in the making: some of it quoted, and taken as it stands.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pattern(pub(crate) Vec<Piece>);

impl Pattern {
    pub(crate) fn push_quoted(&mut self, text: &str) {
        self.0.extend(text.chars().map(Piece::Exactly));
    }

    pub(crate) fn push(&mut self, text: &str) {
        let chars: Vec<char> = text.chars().collect();
        let mut at = 0;
        while let Some(&c) = chars.get(at) {
            at += 1;
            self.0.push(match c {
                '*' => Piece::Any,
                '?' => Piece::One,
                '[' => match set(&chars[at..]) {
                    Some((piece, length)) => {
                        at += length;
                        piece
                    }
                    None => Piece::Exactly('['),
                },
                c => Piece::Exactly(c),
            });
        }
    }

    /// Whether it can match more than one text.
    pub(crate) fn is_magic(&self) -> bool {
        self.0
            .iter()
            .any(|piece| !matches!(piece, Piece::Exactly(_)))
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        matches(&self.0, &text)
    }

    /// The part of a text without the beginning or end that matches.
    pub(crate) fn cut(&self, text: &str, end: bool, longest: bool) -> String {
        let chars: Vec<char> = text.chars().collect();
        let mut lengths: Vec<usize> = (0..=chars.len()).collect();
        if longest {
            lengths.reverse();
        }
        for length in lengths {
            let split = if end { chars.len() - length } else { length };
            let (head, tail) = chars.split_at(split);
            let (cut, kept) = if end { (tail, head) } else { (head, tail) };
            if matches(&self.0, cut) {
                return kept.iter().collect();
            }
        }
        text.to_owned()
    }
}

/// What is in brackets, and how long that is with the bracket that closes it.
fn set(rest: &[char]) -> Option<(Piece, usize)> {
    let negated = matches!(rest.first(), Some('!' | '^'));
    let start = usize::from(negated);
    let end = (start + 1..rest.len()).find(|&i| rest[i] == ']')?;
    let (mut ranges, mut i) = (Vec::new(), start);
    while i < end {
        if i + 2 < end && rest[i + 1] == '-' {
            ranges.push((rest[i], rest[i + 2]));
            i += 3;
        } else {
            ranges.push((rest[i], rest[i]));
            i += 1;
        }
    }
    Some((Piece::Set { negated, ranges }, end + 1))
}

fn matches(pattern: &[Piece], text: &[char]) -> bool {
    let Some((piece, rest)) = pattern.split_first() else {
        return text.is_empty();
    };
    if *piece == Piece::Any {
        return (0..=text.len()).any(|skip| matches(rest, &text[skip..]));
    }
    let Some((c, text)) = text.split_first() else {
        return false;
    };
    let fits = match piece {
        Piece::Exactly(exactly) => exactly == c,
        Piece::Set { negated, ranges } => {
            ranges.iter().any(|(from, to)| (from..=to).contains(&c)) != *negated
        }
        Piece::One | Piece::Any => true,
    };
    fits && matches(rest, text)
}
