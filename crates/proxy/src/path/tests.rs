use proptest::prelude::*;

use super::*;

fn forms(path: &str) -> Result<(String, String, Option<String>), PathFault> {
    normalize(path.as_bytes()).map(|normal| {
        (
            normal.forward().to_owned(),
            normal.matching().to_owned(),
            normal.second_reading().map(str::to_owned),
        )
    })
}

#[test]
fn forwards_one_form() {
    for (path, expected) in [
        ("/", "/"),
        ("/a/b", "/a/b"),
        ("/a/b/", "/a/b/"),
        ("//", "/"),
        ("/a//b///c//", "/a/b/c/"),
        ("/a/./b", "/a/b"),
        ("/a/.", "/a/"),
        ("/.", "/"),
        ("/a/../b", "/b"),
        ("/a/b/..", "/a/"),
        ("/a/b/../", "/a/"),
        ("/a/..", "/"),
        ("/a//../b", "/b"),
        ("/...", "/..."),
        ("/.well-known/x", "/.well-known/x"),
        ("/a/%2e%2E/b", "/b"),
        ("/%2e/a", "/a"),
        ("/%61%7e%2D", "/a~-"),
        ("/a%2fb", "/a%2Fb"),
        ("/a%20b%3f", "/a%20b%3F"),
        ("/a%21!", "/a%21!"),
        ("/a|b\"{}", "/a%7Cb%22%7B%7D"),
        ("/a\\b", "/a%5Cb"),
        ("/caf\u{e9}", "/caf%C3%A9"),
        ("/%252e%252e/", "/%252e%252e/"),
        ("/a;b=1/c", "/a;b=1/c"),
        ("/%0d%0a", "/%0D%0A"),
    ] {
        assert_eq!(
            forms(path).map(|forms| forms.0).as_deref(),
            Ok(expected),
            "{path}"
        );
    }
}

#[test]
fn refuses_what_is_read_in_several_ways() {
    for (path, fault) in [
        ("", PathFault::Relative),
        ("a", PathFault::Relative),
        ("*", PathFault::Relative),
        ("/..", PathFault::AboveRoot),
        ("/a/../..", PathFault::AboveRoot),
        ("/a/../../b", PathFault::AboveRoot),
        ("/%2e%2e/b", PathFault::AboveRoot),
        ("/%", PathFault::Escape),
        ("/%2", PathFault::Escape),
        ("/%zz", PathFault::Escape),
        ("/%+1", PathFault::Escape),
        ("/a%00", PathFault::Nul),
        ("/a/..;x/b", PathFault::Disguised),
        ("/a/.;/b", PathFault::Disguised),
        ("/a/%2e.;/b", PathFault::Disguised),
        ("/a%2f..%2fb", PathFault::Disguised),
        ("/a/..%2fb", PathFault::Disguised),
        ("/a%5c..%5cb", PathFault::Disguised),
        ("/a\\..\\b", PathFault::Disguised),
        ("/a%2f%2e", PathFault::Disguised),
    ] {
        assert_eq!(forms(path).map(|_| ()), Err(fault), "{path}");
    }
}

#[test]
fn compares_what_escapes_stand_for() {
    for (path, matching, second) in [
        ("/a%20b", "/a b", None),
        ("/a%21", "/a!", None),
        ("/caf%c3%a9", "/caf\u{e9}", None),
        ("/caf\u{e9}", "/caf\u{e9}", None),
        ("/%ff", "/%FF", None),
        ("/%25FF", "/%25FF", None),
        ("/a%2Fb", "/a%2Fb", Some("/a/b")),
        ("/a%2F%2fb%2f", "/a%2F%2Fb%2F", Some("/a/b/")),
        ("/a%5Cb", "/a%5Cb", Some("/a/b")),
    ] {
        let expected = (matching.to_owned(), second.map(str::to_owned));
        let found = forms(path).map(|forms| (forms.1, forms.2));
        assert_eq!(found, Ok(expected), "{path}");
    }
}

#[test]
fn cuts_by_element() {
    let normal = normalize(b"/a%2Fx/b/c").unwrap();
    assert_eq!(normal.behind(0), "/a%2Fx/b/c");
    assert_eq!(normal.behind(1), "/b/c");
    assert_eq!(normal.behind(3), "");
    assert_eq!(normalize(b"/a/").unwrap().behind(1), "/");
}

proptest! {
    #[test]
    fn normal_forms_are_fixed_points(path in "/([a.%/;\\\\2eEfF5cC ~|\u{e9}]{0,24})") {
        if let Ok(normal) = normalize(path.as_bytes()) {
            let again = normalize(normal.forward().as_bytes()).unwrap();
            prop_assert_eq!(again.forward(), normal.forward());
            prop_assert_eq!(again.matching(), normal.matching());
            prop_assert_eq!(again.second_reading(), normal.second_reading());
            prop_assert!(!again.is_changed());
            prop_assert!(is_valid(normal.forward()));
            for form in [Some(normal.matching()), normal.second_reading()].into_iter().flatten() {
                prop_assert!(form.starts_with('/') && !form.contains("//"), "{}", form);
                prop_assert!(!form.split('/').any(|element| element == "." || element == ".."));
            }
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(path in proptest::collection::vec(any::<u8>(), 0..64)) {
        let _ = normalize(&path);
    }
}
