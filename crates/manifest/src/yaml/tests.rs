use super::*;

fn one(text: &str) -> Node {
    let (mut documents, errors) = parse(text);
    assert_eq!(errors, [], "{text}");
    assert_eq!(documents.len(), 1, "{text}");
    documents.remove(0).root
}

fn errors(text: &str) -> Vec<SyntaxError> {
    parse(text).1
}

fn at(text: &str, span: Span) -> &str {
    &text[span.start..span.end]
}

#[test]
fn values_and_keys_know_where_they_stand() {
    let text = "\u{feff}# é\r\nspec:\r\n  a: 'x y'\r\n  list:\r\n  - 1\r\n  - {b: two}\r\n";
    let root = one(text);
    let spec = root.get("spec").unwrap();
    assert_eq!(at(text, spec.entry("list").unwrap().key_span), "list");
    assert_eq!(at(text, spec.get("a").unwrap().span), "'x y'");
    let Value::List(items) = &spec.get("list").unwrap().value else {
        panic!("a list")
    };
    assert_eq!(at(text, items[0].span), "1");
    assert_eq!(at(text, items[1].get("b").unwrap().span), "two");
    assert_eq!(at(text, items[1].span), "{b: two}");
}

#[test]
fn json_knows_positions_too() {
    let text = "{\"a\": [1, \"\\u00e9\\/\"]}\n\t{\"b\": null}";
    let (documents, errors) = parse(text);
    assert_eq!(errors, []);
    assert_eq!(documents.len(), 2);
    let Value::List(items) = &documents[0].root.get("a").unwrap().value else {
        panic!("a list")
    };
    assert_eq!(items[1].as_str(), Some("é/"));
    assert_eq!(at(text, items[1].span), "\"\\u00e9\\/\"");
    assert_eq!(
        at(text, documents[1].root.entry("b").unwrap().key_span),
        "\"b\""
    );
}

#[test]
fn text_that_only_looks_like_json_is_yaml() {
    assert_eq!(
        one("{a: yes, b: 0644}").to_json(),
        serde_json::json!({"a": true, "b": 420})
    );
}

#[test]
fn a_duplicate_key_names_both_places() {
    for text in ["a: 1\nb: 2\na: 3\n", "{\"a\": 1, \"b\": 2, \"a\": 3}"] {
        let errors = errors(text);
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert_eq!(errors[0].message, "duplicate key \"a\"");
        let (first, _) = errors[0].related.clone().unwrap();
        assert!(first.start < errors[0].span.start);
        assert_eq!(at(text, first), at(text, errors[0].span));
    }
}

#[test]
fn an_error_in_one_document_does_not_hide_the_next() {
    let (documents, errors) = parse("a: [1\n---\nb: 2\n---\nc: }\n---\nd: 4\n");
    assert_eq!(errors.len(), 2, "{errors:?}");
    let keys: Vec<_> = documents
        .iter()
        .map(|document| document.root.to_json())
        .collect();
    assert_eq!(
        keys,
        [serde_json::json!({"b": 2}), serde_json::json!({"d": 4})]
    );
}

#[test]
fn messages_point_at_the_fault() {
    for (text, message, place) in [
        ("a:\n\tb: c\n", "tab", "\t"),
        ("a: b\n\n  \tc: d\n", "tab", "\t"),
        ("a: @b\n", "character", "@"),
        ("a: *b\n", "anchor", "*"),
        ("a: b: c\n", "mapping values are not allowed", ":"),
        ("a: &x [*x]\n", "contains itself", "*x"),
        ("a: .inf\n", ".inf is not a number", ".inf"),
        ("? [a]\n: b\n", "must be a scalar", "["),
        ("a: x\0y\n", "U+0000", "\0"),
        ("{\"a\": 1,,}", "double quotes", ","),
        ("{\"a\": \"x\\qy\"}", "escape", "\"x"),
        ("{\"a\": [1, {\"b\"\n", "`:` is expected", ""),
    ] {
        let errors = errors(text);
        let error = errors
            .first()
            .unwrap_or_else(|| panic!("{text:?} was read"));
        assert!(error.message.contains(message), "{text:?}: {error:?}");
        assert!(
            at(text, error.span).starts_with(place),
            "{text:?}: {error:?}"
        );
    }
}

#[test]
fn hostile_text_is_refused_with_one_short_error() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..30 {
        let below = level - 1;
        bomb += &format!(
            "a{level}: &a{level} [{}]\n",
            vec![format!("*a{below}"); 10].join(", ")
        );
    }
    let anchors: String = (0..190).map(|level| format!("&a{level} [")).collect();
    let cases = [
        ("brackets", "[".repeat(200_000), "nested deeper"),
        ("braces", "{\"a\":".repeat(200_000), "nested deeper"),
        ("flow maps", "{a: ".repeat(200_000), "nested deeper"),
        ("dashes", "- ".repeat(200_000), "nested deeper"),
        ("question marks", "? ".repeat(200_000), "nested deeper"),
        ("alias bomb", bomb, "excessive aliasing"),
        (
            "anchors around a long text",
            format!("{anchors}{}{}", "x".repeat(100_000), "]".repeat(190)),
            "excessive aliasing",
        ),
        ("NUL bytes", "\0".repeat(1 << 20), "control characters"),
    ];
    for (name, text, message) in cases {
        let errors = errors(&text);
        assert!(
            errors[0].message.contains(message),
            "{name}: {:?}",
            errors[0]
        );
        assert!(
            errors[0].message.len() < 200,
            "{name}: {} bytes",
            errors[0].message.len()
        );
        assert_eq!(errors.len(), 1, "{name}");
    }
}

#[test]
fn of_very_many_errors_only_the_first_are_listed() {
    for text in [
        "a: 1\n".repeat(5000),
        format!("{{{}\"a\": 1}}", "\"a\": 1, ".repeat(5000)),
        "---\n[\n".repeat(5000),
    ] {
        let errors = errors(&text);
        assert_eq!(errors.len(), 51);
        assert_eq!(errors[50].message, "from here on there are more errors");
    }
}
