//! Prefix stripping as nginx users expect it.

use super::*;

fn express() -> Config {
    with_rules(&[
        "{matches: [{path: {value: /express/}}], backendRefs: [{name: app}], filters: [{type: URLRewrite, \
urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}}]}",
        "{matches: [{path: {value: /api}}], backendRefs: [{name: app}], filters: [{type: URLRewrite, \
urlRewrite: {hostname: api.internal, path: {type: ReplacePrefixMatch, replacePrefixMatch: /v1/}}}]}",
    ])
}

#[test]
fn the_bare_prefix_gets_its_slash() {
    let config = express();
    for (target, expected) in [
        ("/express", "/express/"),
        ("/express?a=b", "/express/?a=b"),
        ("//express", "/express/"),
        ("/x/../express", "/express/"),
    ] {
        let found = location(&config, target, "own.com", false);
        assert_eq!(found, (301, expected.to_owned()), "{target}");
    }
    let mut post = RequestHead::new(b"POST", b"/express", Version::Http11).unwrap();
    post.headers_mut().append("Host", b"own.com").unwrap();
    let (_, _, decision) = decided(&config, &post, false);
    assert!(
        matches!(decision, Decision::Redirect(Redirect { status: 308, .. })),
        "{decision:?}"
    );
    // A prefix that is written without a slash is none.
    assert_eq!(
        sent(&config, head("/api", &[("Host", "h")])).path(),
        b"/v1/"
    );
}

#[test]
fn an_http_route_does_what_the_gateway_api_says_and_no_more() {
    let config = config_of(
        "
apiVersion: pillion/v1
listeners: [{name: http, port: 80}]
backends: [{name: app, endpoints: ['localhost:3000']}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: strip}
spec:
  rules:
  - matches: [{path: {value: /express/}}]
    filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}}]
    backendRefs: [{name: app, port: 3000}]
",
    );
    let sent = sent(&config, head("/express", &[("Host", "h")]));
    assert_eq!(sent.path(), b"/");
    assert_eq!(values(sent.headers(), "X-Forwarded-Prefix"), "");
}

#[test]
fn the_backend_is_told_the_prefix() {
    let config = express();
    let sent = sent(
        &config,
        head(
            "/express/a",
            &[("Host", "h"), ("X-Forwarded-Prefix", "/evil")],
        ),
    );
    assert_eq!(sent.path(), b"/a");
    assert_eq!(values(sent.headers(), "X-Forwarded-Prefix"), "/express");
}

/// The field of a response to `https://own.com{target}`, as the client gets it.
fn returned(target: &str, name: &str, value: &str) -> String {
    let config = express();
    let (rule, _, decision) = decided(&config, &head(target, &[("Host", "own.com")]), true);
    let Decision::Proceed(plan) = decision else {
        panic!("{decision:?}");
    };
    let mut response = ResponseHead::new(302);
    response
        .headers_mut()
        .append(name, value.as_bytes())
        .unwrap();
    respond(&rule, plan.back.as_ref(), &mut response);
    values(response.headers(), name)
}

#[test]
fn locations_get_the_prefix_back() {
    for (value, expected) in [
        ("/login", "/express/login"),
        ("/", "/express/"),
        ("/?a=/b#c", "/express/?a=/b#c"),
        ("login", "login"),
        ("../up", "../up"),
        ("?q", "?q"),
        ("", ""),
        ("http://own.com/login", "https://own.com/express/login"),
        ("https://OWN.com/login", "https://own.com/express/login"),
        ("http://own.com", "https://own.com/express/"),
        ("http://own.com?q", "https://own.com/express/?q"),
        (
            "http://localhost:3000/login",
            "https://own.com/express/login",
        ),
        ("//own.com/login", "//own.com/express/login"),
        ("https://other.com/login", "https://other.com/login"),
        ("//other.com/login", "//other.com/login"),
        ("http://own.com.evil.com/", "http://own.com.evil.com/"),
        ("http://own.com@evil.com/", "http://own.com@evil.com/"),
        ("/express/login", "/express/login"),
        ("/expressx", "/express/expressx"),
        ("mailto:a@b", "mailto:a@b"),
    ] {
        assert_eq!(
            returned("/express/x", "Location", value),
            expected,
            "{value}"
        );
        assert_eq!(
            returned("/express/x", "content-location", value),
            expected,
            "{value}"
        );
    }
    for (value, expected) in [
        ("/v1/login", "/api/login"),
        ("/v1", "/api"),
        ("/v10", "/v10"),
        ("/login", "/login"),
        ("http://api.internal/v1/x", "https://own.com/api/x"),
        ("http://api.internal/other", "https://own.com/other"),
        ("http://own.com/v1/x", "http://own.com/v1/x"),
    ] {
        assert_eq!(returned("/api/x", "Location", value), expected, "{value}");
    }
}

#[test]
fn refreshes_get_it_too() {
    for (value, expected) in [
        ("5; url=/next", "5; url=/express/next"),
        ("0;URL='/next' ", "0;URL='/express/next'"),
        (
            "0; url=\"http://own.com/a\"; x",
            "0; url=\"https://own.com/express/a\"; x",
        ),
        ("5", "5"),
        ("5; url=https://other.com/", "5; url=https://other.com/"),
        ("5; url=", "5; url="),
        ("5; url=\"", "5; url=\""),
    ] {
        assert_eq!(
            returned("/express/x", "Refresh", value.trim()),
            expected,
            "{value}"
        );
    }
}

#[test]
fn paths_of_cookies_get_it_too() {
    for (value, expected) in [
        ("a=b; Path=/", "a=b; Path=/express"),
        ("a=b; path=/x; HttpOnly", "a=b; path=/express/x; HttpOnly"),
        ("a=b", "a=b"),
        ("path=/x", "path=/x"),
        ("a=b; Path=/express", "a=b; Path=/express"),
        ("__Host-a=b; Path=/; Secure", "__Host-a=b; Path=/; Secure"),
    ] {
        assert_eq!(
            returned("/express/x", "Set-Cookie", value),
            expected,
            "{value}"
        );
    }
}
