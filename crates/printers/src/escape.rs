//! Text by strangers, made harmless for a terminal.
//!
//! kubectl replaces the escape character and carriage returns. The same is done here, and the other control
//! characters are made visible, too, since terminals obey some of them (backspace, the eight-bit forms of
//! escape sequences, changes of the direction of writing).

use std::borrow::Cow;

/// Control characters made visible: ESC as `^[`, a carriage return as `\r`, other control characters in
/// caret notation or as `\u0085`. Tabs and line breaks stay.
#[must_use]
pub fn terminal(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '\r' => safe.push_str("\\r"),
            '\x7f' => safe.push_str("^?"),
            // Caret notation: the character 64 places further on.
            '\0'..'\x20' if is_unsafe(character) => {
                safe.push('^');
                safe.push(char::from(character as u8 + 64));
            }
            _ if is_unsafe(character) => {
                safe.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            _ => safe.push(character),
        }
    }
    Cow::Owned(safe)
}

/// The same for one line: what follows the first line break is cut off and `...` put there, as in a table.
#[must_use]
pub fn cell(text: &str) -> Cow<'_, str> {
    match text.find(['\x0c', '\n', '\r']) {
        Some(end) => Cow::Owned(format!("{}...", terminal(&text[..end]))),
        None => terminal(text),
    }
}

/// Control characters, and those that reorder the text around them.
fn is_unsafe(character: char) -> bool {
    character.is_control() && !matches!(character, '\t' | '\n')
        || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_become_visible() {
        for (text, expected) in [
            ("plain é 日本", "plain é 日本"),
            ("a\x1b[31mred", "a^[[31mred"),
            ("a\rb", "a\\rb"),
            ("a\tb\nc", "a\tb\nc"),
            ("\x07\x08\x7f\0", "^G^H^?^@"),
            ("\u{9b}31m", "\\u009b31m"),
            ("a\u{202e}b", "a\\u202eb"),
        ] {
            assert_eq!(terminal(text), expected);
        }
    }

    #[test]
    fn cells_end_at_a_line_break() {
        assert_eq!(cell("one\ntwo"), "one...");
        assert_eq!(cell("one\x1b\r\ntwo"), "one^[...");
        assert_eq!(cell("one\x0ctwo"), "one...");
        assert_eq!(cell("one"), "one");
    }
}
