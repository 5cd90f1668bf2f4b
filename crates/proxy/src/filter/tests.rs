//! What rules do to heads. Tables named after conformance tests of the Gateway API are its facts.

mod back;
mod client;

use super::*;
use crate::config::{self, Config, Forwarded, ForwardedHeaders};
use crate::message::Version;
use crate::route::Table;

fn config_of(text: &str) -> Config {
    let source = manifest::Source {
        name: "proxy.yaml".to_owned(),
        bytes: text.as_bytes().to_vec(),
    };
    let loaded = config::load(&[source]);
    loaded
        .unwrap_or_else(|messages| {
            let lines: Vec<String> = messages.iter().map(|it| it.one_line()).collect();
            panic!("{}\n{text}", lines.join("\n"))
        })
        .config
}

/// A configuration with these rules, each in flow style, for one backend `app`.
fn with_rules(rules: &[&str]) -> Config {
    let rules: String = rules.iter().map(|rule| format!("  - {rule}\n")).collect();
    config_of(&format!(
        "apiVersion: pillion/v1\nlisteners: [{{name: http, port: 80}}]\n\
backends: [{{name: app, endpoints: ['localhost:3000']}}]\nroutes:\n- rules:\n{rules}"
    ))
}

fn head(target: &str, headers: &[(&str, &str)]) -> RequestHead {
    let mut head = RequestHead::new(b"GET", target.as_bytes(), Version::Http11).unwrap();
    for (name, value) in headers {
        head.headers_mut().append(name, value.as_bytes()).unwrap();
    }
    head
}

const FORWARDED: Forwarded = Forwarded {
    trusted_hops: 0,
    headers: ForwardedHeaders::XForwarded,
};

fn peer(encrypted: bool) -> Peer {
    Peer::new(Some("192.0.2.1".parse().unwrap()), encrypted)
}

/// Finds the rule and decides.
fn decided(config: &Config, head: &RequestHead, encrypted: bool) -> (Rule, Client, Decision) {
    let client = forwarded::learn(head, FORWARDED, peer(encrypted));
    let table = Table::new(config);
    let request = Request::new(head).unwrap();
    let found = table.find(0, None, &request).unwrap();
    let rule = &config.routes[found.route].rules[found.rule];
    let decision = decide(
        rule,
        found.alternative,
        &request,
        &client,
        Some("localhost:3000"),
    );
    (rule.clone(), client, decision)
}

/// The head that the backend gets.
fn sent(config: &Config, mut head: RequestHead) -> RequestHead {
    let (rule, client, decision) = decided(config, &head, false);
    let Decision::Proceed(plan) = decision else {
        panic!("{decision:?}");
    };
    plan.apply(&rule, &client, &mut head);
    head
}

fn values(headers: &crate::message::Headers, name: &str) -> String {
    let values = headers.get_all(name).map(String::from_utf8_lossy);
    values.collect::<Vec<_>>().join(",")
}

fn location(config: &Config, target: &str, host: &str, encrypted: bool) -> (u16, String) {
    let (_, _, decision) = decided(config, &head(target, &[("Host", host)]), encrypted);
    match decision {
        Decision::Redirect(redirect) => (redirect.status, redirect.location),
        Decision::Proceed(plan) => panic!("{plan:?}"),
    }
}

#[test]
fn http_route_rewrite_path() {
    let rule = |prefix: &str, kind: &str, field: &str, value: &str, more: &str| {
        format!(
            "{{matches: [{{path: {{value: {prefix}}}}}], backendRefs: [{{name: app}}], filters: [\
{{type: URLRewrite, urlRewrite: {{path: {{type: {kind}, {field}: {value}}}}}}}{more}]}}"
        )
    };
    let headers = ", {type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: X-Header-Set, value: set-overwrites-values}], \
add: [{name: X-Header-Add, value: header-val-1}, {name: X-Header-Add-Append, value: header-val-2}], remove: [X-Header-Remove]}}";
    let (prefix, full) = ("ReplacePrefixMatch", "ReplaceFullPath");
    let config = with_rules(&[
        &rule("/prefix/one", prefix, "replacePrefixMatch", "/one", ""),
        &rule("/strip-prefix", prefix, "replacePrefixMatch", "/", ""),
        &rule("/full/one", full, "replaceFullPath", "/one", ""),
        &rule(
            "/full/and-headers",
            full,
            "replaceFullPath",
            "/test",
            headers,
        ),
        &rule(
            "/prefix/and-headers",
            prefix,
            "replacePrefixMatch",
            "/prefix",
            headers,
        ),
    ]);
    for (path, expected) in [
        ("/prefix/one/two", "/one/two"),
        ("/strip-prefix/three", "/three"),
        ("/strip-prefix", "/"),
        ("/full/one/two", "/one"),
        ("/full/and-headers/test", "/test"),
        ("/prefix/and-headers/one", "/prefix/one"),
    ] {
        let received = [
            ("X-Header-Remove", "remove-val"),
            ("x-header-add-append", "append-val-1"),
            ("X-Header-Set", "set-val"),
        ];
        let sent = sent(&config, head(path, &received));
        assert_eq!(String::from_utf8_lossy(sent.path()), expected, "{path}");
        if path.contains("and-headers") {
            let value = |name: &str| values(sent.headers(), name);
            assert_eq!(value("X-Header-Add"), "header-val-1");
            assert_eq!(value("X-Header-Add-Append"), "append-val-1,header-val-2");
            assert_eq!(value("X-Header-Set"), "set-overwrites-values");
            assert_eq!(value("X-Header-Remove"), "");
        }
    }
}

/// The table in the documentation of `HTTPPathModifier`.
#[test]
fn replaces_prefixes_by_element() {
    for (path, prefix, replacement, expected) in [
        ("/foo/bar", "/foo", "/xyz", "/xyz/bar"),
        ("/foo/bar", "/foo", "/xyz/", "/xyz/bar"),
        ("/foo/bar", "/foo/", "/xyz", "/xyz/bar"),
        ("/foo/bar", "/foo/", "/xyz/", "/xyz/bar"),
        ("/foo", "/foo", "/xyz", "/xyz"),
        ("/foo/", "/foo", "/xyz", "/xyz/"),
        ("/foo/bar", "/foo", "", "/bar"),
        ("/foo/", "/foo", "", "/"),
        ("/foo", "/foo", "", "/"),
        ("/foo/", "/foo", "/", "/"),
        ("/foo", "/foo", "/", "/"),
        ("/bar", "/", "/xyz", "/xyz/bar"),
        ("/%66oo//a%2Fb/../c?x", "/foo", "/xyz", "/xyz/c"),
    ] {
        let config = with_rules(&[&format!(
            "{{matches: [{{path: {{value: {prefix}}}}}], backendRefs: [{{name: app}}], filters: [{{type: URLRewrite, \
urlRewrite: {{path: {{type: ReplacePrefixMatch, replacePrefixMatch: '{replacement}'}}, redirectToSlash: false}}}}]}}"
        )]);
        let sent = sent(&config, head(path, &[]));
        assert_eq!(
            String::from_utf8_lossy(sent.path()),
            expected,
            "{path} {prefix} {replacement}"
        );
    }
}

#[test]
fn http_route_rewrite_host() {
    let config = with_rules(&[
        "{matches: [{path: {value: /one}}], backendRefs: [{name: app}], filters: [{type: URLRewrite, urlRewrite: {hostname: one.example.org}}]}",
        "{backendRefs: [{name: app}], filters: [{type: URLRewrite, urlRewrite: {hostname: example.org}}]}",
    ]);
    for (path, expected) in [("/one", "one.example.org"), ("/two", "example.org")] {
        let sent = sent(&config, head(path, &[("Host", "rewrite.example")]));
        assert_eq!(sent.authority(), Some(expected.as_bytes()));
        assert_eq!(values(sent.headers(), "Host"), expected);
        assert_eq!(
            values(sent.headers(), "X-Forwarded-Host"),
            "rewrite.example"
        );
        assert_eq!(sent.path(), path.as_bytes());
    }
}

#[test]
fn http_route_response_header_modifier() {
    let config = with_rules(&[
        "{backendRefs: [{name: app}], filters: [{type: ResponseHeaderModifier, responseHeaderModifier: {\
set: [{name: X-Set-1, value: set-1}, {name: X-Set-2, value: set-2}], add: [{name: X-Add-1, value: add-1}, {name: X-Add-2, value: add-2}], \
remove: [X-Remove-1, X-Remove-2]}}]}",
    ]);
    let rule = &config.routes[0].rules[0];
    let mut response = ResponseHead::new(200);
    for (name, value) in [
        ("x-set-2", "old"),
        ("x-add-2", "old"),
        ("x-remove-2", "old"),
        ("Another-Header", "val"),
    ] {
        response
            .headers_mut()
            .append(name, value.as_bytes())
            .unwrap();
    }
    respond(rule, None, &mut response);
    let value = |name: &str| values(response.headers(), name);
    assert_eq!(value("X-Set-1"), "set-1");
    assert_eq!(value("X-Set-2"), "set-2");
    assert_eq!(value("X-Add-1"), "add-1");
    assert_eq!(value("X-Add-2"), "old,add-2");
    assert_eq!(value("X-Remove-2"), "");
    assert_eq!(value("Another-Header"), "val");
}

#[test]
fn http_route_redirect_path_host_and_status() {
    let rule = |prefix: &str, redirect: &str| {
        format!(
            "{{matches: [{{path: {{value: {prefix}}}}}], filters: [{{type: RequestRedirect, requestRedirect: {{{redirect}}}}}]}}"
        )
    };
    let prefix = "path: {type: ReplacePrefixMatch, replacePrefixMatch: /replacement-prefix}";
    let full = "path: {type: ReplaceFullPath, replaceFullPath: /replacement-full}";
    let config = with_rules(&[
        &rule("/original-prefix", prefix),
        &rule(
            "/full",
            "path: {type: ReplaceFullPath, replaceFullPath: /full-path-replacement}",
        ),
        &rule(
            "/path-and-host",
            &format!("hostname: example.org, {prefix}"),
        ),
        &rule("/path-and-status", &format!("statusCode: 301, {prefix}")),
        &rule(
            "/full-path-and-host",
            &format!("hostname: example.org, {full}"),
        ),
        &rule("/full-path-and-status", &format!("statusCode: 301, {full}")),
        &rule("/hostname-redirect", "hostname: example.org"),
        &rule("/host-and-status", "hostname: example.org, statusCode: 301"),
    ]);
    for (path, status, expected) in [
        (
            "/original-prefix/lemon",
            302,
            "http://own.com/replacement-prefix/lemon",
        ),
        (
            "/full/path/original",
            302,
            "http://own.com/full-path-replacement",
        ),
        (
            "/path-and-host",
            302,
            "http://example.org/replacement-prefix",
        ),
        ("/path-and-status", 301, "http://own.com/replacement-prefix"),
        (
            "/full-path-and-host",
            302,
            "http://example.org/replacement-full",
        ),
        (
            "/full-path-and-status",
            301,
            "http://own.com/replacement-full",
        ),
        (
            "/hostname-redirect",
            302,
            "http://example.org/hostname-redirect",
        ),
        (
            "/host-and-status?a=b",
            301,
            "http://example.org/host-and-status?a=b",
        ),
    ] {
        let found = location(&config, path, "own.com", false);
        assert_eq!(found, (status, expected.to_owned()), "{path}");
    }
}

#[test]
fn http_route_redirect_port_and_scheme() {
    for (encrypted, host, redirect, expected) in [
        (false, "h", "", "http://example.org/"),
        (false, "h", "port: 80", "http://example.org/"),
        (false, "h", "port: 8080", "http://example.org:8080/"),
        (false, "h", "scheme: https", "https://example.org/"),
        (
            false,
            "h",
            "scheme: https, port: 443",
            "https://example.org/",
        ),
        (
            false,
            "h",
            "scheme: https, port: 8443",
            "https://example.org:8443/",
        ),
        (false, "h:8080", "", "http://example.org:8080/"),
        (false, "h:8080", "port: 80", "http://example.org/"),
        (false, "h:8080", "scheme: https", "https://example.org/"),
        (true, "h", "", "https://example.org/"),
        (true, "h", "port: 443", "https://example.org/"),
        (true, "h", "port: 8443", "https://example.org:8443/"),
        (true, "h", "scheme: http", "http://example.org/"),
        (true, "h", "scheme: http, port: 80", "http://example.org/"),
        (
            true,
            "h",
            "scheme: http, port: 8080",
            "http://example.org:8080/",
        ),
    ] {
        let config = with_rules(&[&format!(
            "{{filters: [{{type: RequestRedirect, requestRedirect: {{hostname: example.org, {redirect}}}}}]}}"
        )]);
        let found = location(&config, "/", host, encrypted);
        assert_eq!(
            found,
            (302, expected.to_owned()),
            "{encrypted} {host} {redirect}"
        );
    }
}

#[test]
fn redirections_lead_nowhere_else() {
    let config =
        with_rules(&["{filters: [{type: RequestRedirect, requestRedirect: {scheme: https}}]}"]);
    for (target, host, expected) in [
        ("//evil.com/x", "own.com", "https://own.com/evil.com/x"),
        ("/\u{e9}", "[::1]:8080", "https://[::1]/%C3%A9"),
        ("/x?\u{e9}", "own.com.", "https://own.com/x?%C3%A9"),
    ] {
        assert_eq!(
            location(&config, target, host, false),
            (302, expected.to_owned())
        );
    }
    let hostless = head("/a", &[]);
    let (_, _, decision) = decided(&config, &hostless, false);
    let expected = Redirect {
        status: 302,
        location: "/a".to_owned(),
    };
    assert_eq!(decision, Decision::Redirect(expected));
}
