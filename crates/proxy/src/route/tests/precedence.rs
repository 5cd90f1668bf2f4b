//! What the Gateway API leaves open, and spellings that try to get around a rule.

use super::*;

const CONFIG: &str = "
apiVersion: pillion/v1
listeners: [{name: http, port: 80}]
backends:
- {name: root, endpoints: ['localhost:1']}
- {name: admin, endpoints: ['localhost:2']}
- {name: expression, endpoints: ['localhost:3']}
- {name: cafe, endpoints: ['localhost:4']}
- {name: specific, endpoints: ['localhost:5']}
routes:
- rules:
  - {backendRefs: [{name: root}]}
  - {matches: [{path: {value: /admin}}], backendRefs: [{name: admin}]}
  - {matches: [{path: {type: RegularExpression, value: '/x/[0-9]+'}}], backendRefs: [{name: expression}]}
  - {matches: [{path: {value: /x}}], backendRefs: [{name: admin}]}
  - {matches: [{path: {type: Exact, value: /caf%C3%A9}}], backendRefs: [{name: cafe}]}
- hostnames: ['*.example.com']
  rules:
  - {matches: [{path: {value: /specific}}], backendRefs: [{name: specific}]}
";

#[test]
fn expressions_stand_between_exact_paths_and_prefixes() {
    let config = config_of(CONFIG);
    for (target, expected) in [
        ("/x/12", "expression"),
        ("/x/1a", "admin"),
        ("/x", "admin"),
        ("/y", "root"),
    ] {
        let found = backend(&config, &head("GET", "localhost", target, &[]));
        assert_eq!(found.as_deref(), Ok(expected), "{target}");
    }
}

#[test]
fn a_more_specific_host_hides_nothing_that_it_does_not_match() {
    let config = config_of(CONFIG);
    for (host, target, expected) in [
        ("a.example.com", "/specific", "specific"),
        ("a.example.com", "/admin", "admin"),
        ("b.com", "/specific", "root"),
    ] {
        let found = backend(&config, &head("GET", host, target, &[]));
        assert_eq!(found.as_deref(), Ok(expected), "{host}{target}");
    }
}

#[test]
fn no_spelling_gets_around_a_rule() {
    let config = config_of(CONFIG);
    for target in [
        "/admin",
        "/admin/",
        "//admin",
        "/./admin",
        "/a/../admin",
        "/%61dmin",
        "/a/%2e%2e/admin",
        "/admin//x",
        "/%2e/admin/x",
        "/a/.././/admin",
        "http://localhost//admin/x?y",
    ] {
        let found = backend(&config, &head("GET", "localhost", target, &[]));
        assert_eq!(found.as_deref(), Ok("admin"), "{target}");
    }
    for target in [
        "/admin%2Fx",
        "/%2fadmin",
        "/admin%5cx",
        "/a%2f..%2fadmin",
        "/..;/admin",
        "/../admin",
    ] {
        let found = backend(&config, &head("GET", "localhost", target, &[]));
        let reason = found.err().map(NoMatch::reason);
        assert_eq!(reason, Some(Reason::AmbiguousPath), "{target}");
    }
    for (target, expected) in [
        ("/@scope%2fpackage", "root"),
        ("/adminx", "root"),
        ("/admin/a%2Fb", "admin"),
        ("/caf%c3%a9", "cafe"),
        ("/caf\u{e9}", "cafe"),
    ] {
        let found = backend(&config, &head("GET", "localhost", target, &[]));
        assert_eq!(found.as_deref(), Ok(expected), "{target}");
    }
}

#[test]
fn requests_without_a_path_are_for_the_root() {
    let config = config_of(CONFIG);
    let mut connect = RequestHead::new(b"CONNECT", b"a.com:443", Version::Http11).unwrap();
    connect.headers_mut().append("Host", b"a.com:443").unwrap();
    assert_eq!(backend(&config, &connect).as_deref(), Ok("root"));
    let options = head("OPTIONS", "localhost", "*", &[]);
    assert_eq!(backend(&config, &options).as_deref(), Ok("root"));
}

#[test]
fn repeated_fields_are_joined_and_the_first_parameter_counts() {
    let config = config_of(
        "
apiVersion: pillion/v1
listeners: [{name: http, port: 80}]
backends: [{name: a, endpoints: ['localhost:1']}, {name: b, endpoints: ['localhost:2']}]
routes:
- rules:
  - {matches: [{headers: [{name: x, value: 'one,two'}]}], backendRefs: [{name: a}]}
  - {matches: [{queryParams: [{name: 'q r', value: 'x y&'}]}], backendRefs: [{name: b}]}
",
    );
    let joined = head("GET", "h", "/", &[("X", "one"), ("x", "two")]);
    assert_eq!(backend(&config, &joined).as_deref(), Ok("a"));
    for (target, expected) in [
        ("/?q+r=x%20y%26&q%20r=z", Ok("b")),
        ("/?q%20r=z&q+r=x+y%26", Err(NoMatch::Rule)),
        ("/?q%20r=x+y%", Err(NoMatch::Rule)),
    ] {
        let found = backend(&config, &head("GET", "h", target, &[]));
        assert_eq!(
            found.as_deref().map_err(|fault| *fault),
            expected,
            "{target}"
        );
    }
}

#[test]
fn hosts_of_authorities() {
    for (authority, host) in [
        ("A.com", "a.com"),
        ("a.com:80", "a.com"),
        ("a.com.:80", "a.com"),
        ("[::1]:80", "[::1]"),
        ("[::1]", "[::1]"),
        ("", ""),
    ] {
        assert_eq!(host_of(authority.as_bytes()), host, "{authority}");
    }
}
