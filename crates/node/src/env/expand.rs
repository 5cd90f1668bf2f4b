//! `$(NAME)` references in environment values, commands, arguments and `subPathExpr` (R18.2, R18.3).

/// Replaces `$(NAME)` by what `lookup` knows; what it does not know stays as it stands. `$$` is one `$`.
/// The result is not expanded again.
pub fn expand(input: &str, lookup: impl Fn(&str) -> Option<String>) -> String {
    match try_expand(input, |name| {
        Some(lookup(name).unwrap_or_else(|| format!("$({name})")))
    }) {
        Ok(text) => text,
        // The closure above always answers.
        Err(name) => name,
    }
}

/// As [`expand`], but a name that is not defined is an error that carries the name (R18.4).
pub fn try_expand(input: &str, lookup: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut out = String::with_capacity(input.len());
    let mut rest = input;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((name, after)) =
            rest.strip_prefix('(').and_then(|open| open.split_once(')'))
        {
            out.push_str(&lookup(name).ok_or_else(|| name.to_owned())?);
            rest = after;
        } else {
            out.push('$');
        }
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(name: &str) -> Option<String> {
        match name {
            "A" => Some("a".into()),
            "REF" => Some("$(A)".into()),
            "two words" => Some("2".into()),
            _ => None,
        }
    }

    #[test]
    fn r18_2_and_r18_3_references() {
        for (input, expected) in [
            ("", ""),
            ("plain", "plain"),
            ("$(A)", "a"),
            ("x$(A)y$(A)z", "xayaz"),
            ("$(NOPE)", "$(NOPE)"),
            ("$$(A)", "$(A)"),
            ("$$$(A)", "$a"),
            ("$$$$(A)", "$$(A)"),
            ("$A", "$A"),
            ("end$", "end$"),
            ("$(A", "$(A"),
            ("$(REF)", "$(A)"),
            ("$(two words)", "2"),
            ("$()", "$()"),
            ("ä$(A)ß", "äaß"),
        ] {
            assert_eq!(expand(input, known), expected, "{input}");
        }
    }

    #[test]
    fn r18_4_an_undefined_name_is_an_error_where_asked() {
        assert_eq!(try_expand("$(A)/$(B)", known), Err("B".into()));
        assert_eq!(try_expand("$$(B)", known), Ok("$(B)".into()));
    }
}
