use super::*;

fn uri(uri: &str) -> Identity {
    Identity {
        uris: vec![uri.to_owned()],
        ..Identity::default()
    }
}

fn fits(pattern: &str, identity: &Identity) -> bool {
    identity.fits(&SanPattern::parse(pattern).unwrap())
}

#[test]
fn uris_that_could_be_taken_for_others_fit_nothing() {
    for (name, expected) in [
        ("spiffe://td/ns/a/sa/b", true),
        ("spiffe://td/ns/a/../b/sa/x", false),
        ("spiffe://td/ns/a/./x", false),
        ("spiffe://td/ns/a/%2e%2e/b", false),
        ("spiffe://td/ns/a//b", false),
        ("spiffe://td/ns/a/", false),
        ("spiffe://td/ns/a/b?c", false),
        ("spiffe://td/ns/b/sa/b", false),
        ("spiffe:td/ns/a/b", false),
    ] {
        assert_eq!(fits("spiffe://td/ns/a/**", &uri(name)), expected, "{name}");
    }
}

#[test]
fn a_pattern_of_one_kind_fits_no_name_of_another() {
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
    assert!(!fits("spiffe://td/ns/a", &identity));
    assert!(!fits("10.0.0.1", &identity));
    assert!(fits("10.0.0.2", &identity));
    assert!(fits("*.example.com", &identity));
    assert!(!fits("example.com", &identity));
    assert!(
        !fits(
            "app.example.com",
            &Identity {
                dns: Vec::new(),
                ..identity
            }
        ),
        "the subject is no name"
    );
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
