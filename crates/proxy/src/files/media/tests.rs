use super::*;

#[test]
fn the_table_is_in_order() {
    assert!(TYPES.is_sorted_by(|one, other| one.0 < other.0));
    for (extension, value) in TYPES {
        assert_eq!(*extension, extension.to_ascii_lowercase());
        assert!(value.split_once('/').is_some(), "{extension}");
    }
}

#[test]
fn the_end_of_the_name_says_the_type() {
    let given = [
        ("foo".to_owned(), "application/x-foo".to_owned()),
        ("bar.foo".to_owned(), "application/x-bar".to_owned()),
        (
            "txt".to_owned(),
            "text/plain; charset=iso-8859-1".to_owned(),
        ),
    ];
    for (name, expected) in [
        ("a.html", "text/html; charset=utf-8"),
        ("dir.d/A.HTML", "text/html; charset=utf-8"),
        ("a.min.js", "text/javascript; charset=utf-8"),
        ("a.js.map", "application/json"),
        ("a.svg", "image/svg+xml"),
        ("a.wasm", "application/wasm"),
        ("a.txt", "text/plain; charset=iso-8859-1"),
        ("a.foo", "application/x-foo"),
        ("a.bar.foo", "application/x-bar"),
        ("a.Bar.Foo", "application/x-bar"),
        ("xbar.foo", "application/x-foo"),
        ("a.css/b", "fall/back"),
        ("css", "fall/back"),
        (".css", "fall/back"),
        (".foo", "fall/back"),
        ("a.", "fall/back"),
        ("", "fall/back"),
    ] {
        let media = of(name.as_bytes(), &given, "fall/back");
        assert_eq!(media.value, expected, "{name}");
    }
}

#[test]
fn what_gets_smaller_is_known() {
    for (name, compresses, dense) in [
        ("a.css", true, false),
        ("a.json", true, false),
        ("a.svg", true, false),
        ("a.wasm", true, false),
        ("a.ttf", true, false),
        ("a.png", false, true),
        ("a.woff2", false, true),
        ("a.gz", false, true),
        ("a.pdf", false, false),
        ("a", false, false),
    ] {
        let media = of(name.as_bytes(), &[], "application/octet-stream");
        let got = (media.compresses, media.dense);
        assert_eq!(got, (compresses, dense), "{name}");
    }
}
