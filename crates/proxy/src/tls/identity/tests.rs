use super::*;

fn uri(uri: &str) -> Identity {
    Identity {
        uris: vec![uri.to_owned()],
        ..Identity::default()
    }
}

fn matches(pattern: &str, identity: &Identity) -> bool {
    pattern.parse::<SanPattern>().unwrap().matches(identity)
}

#[test]
fn uris_match_by_segment_and_by_a_final_star() {
    for (pattern, name, expected) in [
        ("spiffe://td/ns/*", "spiffe://td/ns/a/sa/b", true),
        ("spiffe://td/ns/*", "spiffe://td/ns/a", true),
        ("spiffe://td/ns/*", "spiffe://td/ns", false),
        ("spiffe://td/ns/*", "spiffe://td/ns/", false),
        ("spiffe://td/ns/*", "spiffe://td/nsx/a", false),
        ("spiffe://td/ns/*", "spiffe://other/ns/a", false),
        ("spiffe://td/ns/*", "spiffe://td.evil/ns/a", false),
        ("spiffe://td/ns/a/*", "spiffe://td/ns/a/../b/sa/x", false),
        ("spiffe://td/ns/a/*", "spiffe://td/ns/a/%2e%2e/b", false),
        ("spiffe://td/ns/a/*", "spiffe://td/ns/a//b", false),
        ("spiffe://td/ns/*/sa/app", "spiffe://td/ns/a/sa/app", true),
        (
            "spiffe://td/ns/*/sa/app",
            "spiffe://td/ns/a/b/sa/app",
            false,
        ),
        (
            "spiffe://td/ns/*/sa/app",
            "spiffe://td/ns/a/sa/app/more",
            false,
        ),
        ("spiffe://td/ns/team-*", "spiffe://td/ns/team-a/sa/b", true),
        ("spiffe://td/ns/a", "spiffe://td/ns/a", true),
        ("spiffe://td/ns/a", "spiffe://td/ns/A", false),
        ("spiffe://TD/ns/a", "SPIFFE://td/ns/a", true),
        ("spiffe://td", "spiffe://td", true),
        ("spiffe://td", "spiffe://td/ns/a", false),
        ("spiffe://td/*", "spiffe://td/ns/a", true),
    ] {
        assert_eq!(matches(pattern, &uri(name)), expected, "{pattern} {name}");
    }
}

#[test]
fn a_pattern_of_one_kind_matches_no_name_of_another() {
    let identity = Identity {
        subject: "CN=app.example.com".into(),
        dns: vec![
            "spiffe://td/ns/a".into(),
            "10.0.0.1".into(),
            "app.example.com".into(),
        ],
        addresses: vec!["10.0.0.2".parse().unwrap()],
        ..Identity::default()
    };
    assert!(!matches("spiffe://td/ns/a", &identity));
    assert!(!matches("10.0.0.1", &identity));
    assert!(matches("10.0.0.2", &identity));
    assert!(matches("*.example.com", &identity));
    assert!(!matches("*.com", &identity));
    assert!(!matches("example.com", &identity));
    assert!(!matches("app.example.com@example.com", &identity));
}

#[test]
fn patterns_that_say_too_much_are_refused() {
    for pattern in [
        "",
        "*",
        "*.",
        "a.*.com",
        "spiffe://*/ns/a",
        "*://td/a",
        "spiffe://td/a*b/c",
        "a b",
        "*@example.com",
        "a..b",
        "host/path",
    ] {
        assert!(pattern.parse::<SanPattern>().is_err(), "{pattern}");
    }
}

#[test]
fn a_spiffe_id_is_the_only_uri() {
    assert_eq!(
        uri("spiffe://td/ns/a").spiffe_id(),
        Some("spiffe://td/ns/a")
    );
    let mut two = uri("spiffe://td/ns/a");
    two.uris.push("spiffe://td/ns/b".into());
    assert_eq!(two.spiffe_id(), None);
    assert_eq!(uri("https://td/ns/a").spiffe_id(), None);
}
