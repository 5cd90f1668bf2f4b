//! Which listener takes a request, by the conformance suite's tests of hosts, ports and misdirected requests.

use super::*;

fn found(
    config: &Config,
    socket: usize,
    sni: Option<&str>,
    host: &str,
    path: &str,
) -> Result<String, u16> {
    let table = Table::new(config);
    let connection = sni.map(|sni| table.listener(socket, Some(sni)).unwrap());
    let head = head("GET", host, path, &[]);
    let request = Request::new(&head).unwrap();
    match table.find(socket, connection, &request) {
        Ok(found) => Ok(config.routes[found.route].name.clone()),
        Err(fault) => Err(fault.reason().status()),
    }
}

#[test]
fn http_route_listener_hostname_matching() {
    let config = config_of(
        "
apiVersion: pillion/v1
listeners:
- {name: listener-1, port: 80, hostname: bar.com}
- {name: listener-2, port: 80, hostname: foo.bar.com}
- {name: listener-3, port: 80, hostname: '*.bar.com'}
- {name: listener-4, port: 80, hostname: '*.foo.com'}
backends: [{name: app, endpoints: ['localhost:8080']}]
routes:
- {name: v1, listeners: [listener-1], rules: [{backendRefs: [{name: app}]}]}
- {name: v2, listeners: [listener-2], rules: [{backendRefs: [{name: app}]}]}
- {name: v3, listeners: [listener-3, listener-4], rules: [{backendRefs: [{name: app}]}]}
",
    );
    assert_eq!(config.sockets.len(), 1);
    for (host, expected) in [
        ("bar.com", Ok("v1")),
        ("BAR.com.", Ok("v1")),
        ("bar.com:8080", Ok("v1")),
        ("foo.bar.com", Ok("v2")),
        ("baz.bar.com", Ok("v3")),
        ("multiple.prefixes.bar.com", Ok("v3")),
        ("multiple.prefixes.foo.com", Ok("v3")),
        ("foo.com", Err(404)),
        ("no.matching.host", Err(404)),
    ] {
        let expected = expected.map(str::to_owned);
        assert_eq!(found(&config, 0, None, host, "/"), expected, "{host}");
    }
}

#[test]
fn http_route_hostname_intersection() {
    let config = config_of(
        "
apiVersion: pillion/v1
listeners:
- {name: listener-1, port: 80, hostname: very.specific.com}
- {name: listener-2, port: 80, hostname: '*.wildcard.io'}
- {name: listener-3, port: 80, hostname: '*.anotherwildcard.io'}
backends: [{name: app, endpoints: ['localhost:8080']}]
routes:
- name: specific-specific
  hostnames: [non.matching.com, '*.nonmatchingwildcard.io', very.specific.com]
  rules: [{matches: [{path: {value: /s1}}], backendRefs: [{name: app}]}]
- name: specific-wildcard
  hostnames: [non.matching.com, wildcard.io, foo.wildcard.io, bar.wildcard.io, foo.bar.wildcard.io]
  rules: [{matches: [{path: {value: /s2}}], backendRefs: [{name: app}]}]
- name: wildcard-specific
  hostnames: [non.matching.com, '*.specific.com']
  rules: [{matches: [{path: {value: /s3}}], backendRefs: [{name: app}]}]
- name: wildcard-wildcard
  hostnames: ['*.anotherwildcard.io']
  rules: [{matches: [{path: {value: /s4}}], backendRefs: [{name: app}]}]
- name: none
  hostnames: [specific.but.wrong.com, wildcard.io]
  rules: [{matches: [{path: {value: /s5}}], backendRefs: [{name: app}]}]
",
    );
    for (host, path, expected) in [
        ("very.specific.com", "/s1", Ok("specific-specific")),
        ("non.matching.com", "/s1", Err(404)),
        ("foo.nonmatchingwildcard.io", "/s1", Err(404)),
        ("foo.wildcard.io", "/s1", Err(404)),
        ("very.specific.com", "/non-matching-prefix", Err(404)),
        ("foo.wildcard.io", "/s2", Ok("specific-wildcard")),
        ("foo.bar.wildcard.io", "/s2", Ok("specific-wildcard")),
        ("wildcard.io", "/s2", Err(404)),
        ("very.specific.com", "/s2", Err(404)),
        ("very.specific.com", "/s3", Ok("wildcard-specific")),
        ("foo.specific.com", "/s3", Err(404)),
        ("foo.anotherwildcard.io", "/s4", Ok("wildcard-wildcard")),
        ("foo.bar.anotherwildcard.io", "/s4", Ok("wildcard-wildcard")),
        ("anotherwildcard.io", "/s4", Err(404)),
        ("specific.but.wrong.com", "/s5", Err(404)),
        ("wildcard.io", "/s5", Err(404)),
    ] {
        let expected = expected.map(str::to_owned);
        assert_eq!(
            found(&config, 0, None, host, path),
            expected,
            "{host}{path}"
        );
    }
}

#[test]
fn http_route_listener_port_matching() {
    let config = config_of(
        "
apiVersion: pillion/v1
listeners:
- {name: a, port: 80, hostname: foo.com}
- {name: b, port: 8080, hostname: foo.com}
- {name: c, port: 8080, hostname: bar.com}
backends: [{name: app, endpoints: ['localhost:9000']}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: on-8080}
spec:
  parentRefs: [{name: gateway, port: 8080}]
  rules: [{backendRefs: [{name: app, port: 9000}]}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: on-a}
spec:
  parentRefs: [{name: gateway, sectionName: a}]
  rules: [{backendRefs: [{name: app, port: 9000}]}]
",
    );
    assert_eq!(
        found(&config, 0, None, "foo.com", "/"),
        Ok("on-a".to_owned())
    );
    assert_eq!(
        found(&config, 1, None, "foo.com", "/"),
        Ok("on-8080".to_owned())
    );
    assert_eq!(
        found(&config, 1, None, "bar.com", "/"),
        Ok("on-8080".to_owned())
    );
    assert_eq!(found(&config, 0, None, "bar.com", "/"), Err(404));
}

#[test]
fn http_route_https_listener_detect_misdirected_requests() {
    let config = config_of(
        "
apiVersion: pillion/v1
listeners:
- {name: https, port: 443, protocol: HTTPS, tls: {selfSigned: {}}}
- {name: second, port: 443, protocol: HTTPS, hostname: second-example.org, tls: {selfSigned: {}}}
- {name: wildcard, port: 443, protocol: HTTPS, hostname: '*.wildcard.org', tls: {selfSigned: {}}}
- {name: fourth, port: 443, protocol: HTTPS, hostname: fourth-example.wildcard.org, tls: {selfSigned: {}}}
backends: [{name: app, endpoints: ['localhost:8080']}]
routes:
- {name: r1, listeners: [https], hostnames: [example.org], rules: [{backendRefs: [{name: app}]}]}
- {name: r2, listeners: [second], rules: [{backendRefs: [{name: app}]}]}
- {name: r3, listeners: [wildcard], rules: [{backendRefs: [{name: app}]}]}
- {name: r4, listeners: [fourth], rules: [{backendRefs: [{name: app}]}]}
",
    );
    for (sni, host, expected) in [
        ("example.org", "example.org", Ok("r1")),
        ("example.org", "second-example.org", Err(421)),
        ("example.org", "unknown-example.org", Err(404)),
        ("second-example.org", "second-example.org", Ok("r2")),
        ("second-example.org", "example.org", Err(421)),
        ("second-example.org", "unknown-example.org", Err(421)),
        (
            "third-example.wildcard.org",
            "third-example.wildcard.org",
            Ok("r3"),
        ),
        (
            "third-example.wildcard.org",
            "fith-example.wildcard.org",
            Ok("r3"),
        ),
        (
            "third-example.wildcard.org",
            "fourth-example.wildcard.org",
            Err(421),
        ),
        ("third-example.wildcard.org", "second-example.org", Err(421)),
        (
            "third-example.wildcard.org",
            "unknown-example.org",
            Err(421),
        ),
        (
            "fourth-example.wildcard.org",
            "fourth-example.wildcard.org",
            Ok("r4"),
        ),
        (
            "fourth-example.wildcard.org",
            "fith-example.wildcard.org",
            Err(421),
        ),
        ("unknown-example.org", "example.org", Ok("r1")),
        ("unknown-example.org", "unknown-example.org", Err(404)),
    ] {
        let expected = expected.map(str::to_owned);
        let found = found(&config, 0, Some(sni), host, "/detect-misdirected-requests");
        assert_eq!(found, expected, "{sni} {host}");
    }
}

#[test]
fn bytes_go_by_the_name_in_the_client_hello() {
    let config = config_of(
        "
apiVersion: pillion/v1
listeners:
- {name: sni, port: 443, protocol: TLS, tls: {mode: Passthrough}}
- {name: db, port: 5432, protocol: TCP}
backends: [{name: app, endpoints: ['localhost:8080']}]
routes:
- {name: one, listeners: [sni], hostnames: [a.com, '*.b.com'], rules: [{backendRefs: [{name: app}]}]}
- {name: two, listeners: [sni], hostnames: ['x.b.com'], rules: [{backendRefs: [{name: app}]}]}
- {name: three, listeners: [db], rules: [{backendRefs: [{name: app}]}]}
",
    );
    let table = Table::new(&config);
    let name = |listener, sni| {
        let found = table.stream(listener, sni);
        found.map(|found| config.routes[found.route].name.as_str())
    };
    assert_eq!(name(0, Some("a.com")), Some("one"));
    assert_eq!(name(0, Some("y.b.com")), Some("one"));
    assert_eq!(name(0, Some("x.b.com")), Some("two"));
    assert_eq!(name(0, Some("c.com")), None);
    assert_eq!(name(0, None), None);
    assert_eq!(name(1, None), Some("three"));
}
