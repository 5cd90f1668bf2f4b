use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;
use crate::route::tests::{config_of, head};

const CONFIG: &str = "
apiVersion: pillion/v1
listeners:
- {name: https, port: 8443, protocol: HTTPS, hostname: '*.example.com', tls: {selfSigned: {}}}
- {name: http, port: 8080}
backends:
- {name: app, endpoints: ['localhost:80']}
- {name: express, endpoints: ['localhost:3000']}
routes:
- name: main
  listeners: [https]
  rules:
  - name: express
    matches: [{path: {value: /express/}}]
    filters:
    - {type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}}
    - {type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: X-A, value: b}]}}
    backendRefs: [{name: express}]
  - name: beta
    matches: [{path: {value: /express}, headers: [{name: x-beta, value: '1'}], method: POST}]
    backendRefs: [{name: app}]
  - {name: files, staticFiles: {root: /srv/www}}
- name: upgrade
  listeners: [http]
  rules: [{name: to-https, filters: [{type: RequestRedirect, requestRedirect: {scheme: https}}]}]
";

fn question(method: &str, url: &str, headers: &[&str]) -> Question {
    Question {
        method: method.to_owned(),
        url: url.to_owned(),
        headers: headers.iter().map(|field| (*field).to_owned()).collect(),
        listener: None,
    }
}

#[test]
fn says_what_is_taken_and_why_the_others_are_not() {
    let config = config_of(CONFIG);
    let text = explain(
        &config,
        &question("GET", "https://www.example.com/express//a", &[]),
    );
    assert_eq!(
        text.unwrap().to_string(),
        "\
GET https://www.example.com/express//a
  path compared as /express/a
  listener https ([::]:8443): *.example.com takes the host
  route main, rule express: the path begins with \"/express/\"
  to backend express at localhost:3000
    path becomes /a
    responses get the prefix \"/express\" back
    request header X-A is set to b
not taken
  listener http ([::]:8080): listens elsewhere
  route main, rule beta: the method GET is not POST
  route main, rule files: matches, but main/express has a longer prefix
  route upgrade, rule to-https: the route is for the listeners http
"
    );
}

#[test]
fn outcomes() {
    let config = config_of(CONFIG);
    let outcome = |method: &str, url: &str, headers: &[&str]| {
        explain(&config, &question(method, url, headers))
            .unwrap()
            .outcome
    };
    let redirect = Outcome::Redirect {
        status: 302,
        location: "https://www.example.com/x?y".to_owned(),
    };
    assert_eq!(
        outcome("GET", "http://www.example.com/x?y#z", &[]),
        redirect
    );
    let slash = outcome("GET", "https://a.example.com/express", &[]);
    assert!(
        matches!(slash, Outcome::Redirect { status: 301, .. }),
        "{slash:?}"
    );
    let files = outcome("GET", "https://a.example.com/%61", &[]);
    assert!(
        matches!(&files, Outcome::Files { path, .. } if path == "/a"),
        "{files:?}"
    );
    let beta = outcome("POST", "https://a.example.com/express/b", &["X-Beta: 1"]);
    assert!(
        matches!(&beta, Outcome::Backend { name, .. } if name == "app"),
        "{beta:?}"
    );
    for (url, status) in [
        ("https://example.com/", 404),
        ("https://a.example.com/../x", 400),
        ("https://a.example.com/express%2fx", 400),
    ] {
        let found = outcome("GET", url, &[]);
        assert!(
            matches!(found, Outcome::Refused { status: own, .. } if own == status),
            "{url} {found:?}"
        );
    }
}

#[test]
fn is_json_too() {
    let config = config_of(CONFIG);
    let explanation = explain(&config, &question("GET", "http://a/", &[])).unwrap();
    let json = serde_json::to_value(&explanation).unwrap();
    assert_eq!(json["outcome"]["kind"], "redirect");
    assert_eq!(json["listeners"][1]["taken"], true);
    assert_eq!(json["rules"][3]["reasons"][0], "the path begins with \"/\"");
}

#[test]
fn refuses_what_is_no_question() {
    let config = config_of(CONFIG);
    for (method, url, field) in [
        ("GET", "ftp://a/", ""),
        ("GET", "/path", ""),
        ("GET", "http://", ""),
        ("G T", "http://a/", ""),
        ("GET", "http://a/", "nothing"),
        ("GET", "http://a/ b", ""),
    ] {
        let fields: &[&str] = if field.is_empty() { &[] } else { &[field] };
        assert!(
            explain(&config, &question(method, url, fields)).is_err(),
            "{method} {url} {field}"
        );
    }
    let mut named = question("GET", "http://a/", &[]);
    named.listener = Some("htps".to_owned());
    let error = explain(&config, &named).unwrap_err().to_string();
    assert_eq!(
        error,
        "there is no listener \"htps\"; there are https, http"
    );
}

/// One alternative of a rule, in flow style.
fn alternative() -> impl Strategy<Value = String> {
    let path = prop_oneof![
        Just(String::new()),
        select(vec!["/", "/a", "/a/", "/a/b", "/a/b/c", "/ab"])
            .prop_map(|path| format!("path: {{value: {path}}}")),
        select(vec!["/", "/a", "/a/", "/a/b"])
            .prop_map(|path| format!("path: {{type: Exact, value: {path}}}")),
        select(vec!["/a.*", "/[ab]+", ".*c"])
            .prop_map(|path| format!("path: {{type: RegularExpression, value: '{path}'}}")),
    ];
    let headers = subsequence(
        vec![
            "{name: x, value: '1'}",
            "{name: w, value: '2'}",
            "{name: z, type: RegularExpression, value: '[0-9]'}",
        ],
        0..=2,
    );
    let parameters = subsequence(
        vec!["{name: p, value: '1'}", "{name: q, value: '2'}"],
        0..=2,
    );
    let method = select(vec!["", "method: GET", "method: POST"]);
    (path, headers, parameters, method).prop_map(|(path, headers, parameters, method)| {
        let mut parts = vec![
            format!("headers: [{}]", headers.join(", ")),
            format!("queryParams: [{}]", parameters.join(", ")),
        ];
        parts.extend(
            [path, method.to_owned()]
                .into_iter()
                .filter(|part| !part.is_empty()),
        );
        format!("{{{}}}", parts.join(", "))
    })
}

fn route() -> impl Strategy<Value = String> {
    let rule = proptest::collection::vec(alternative(), 0..3).prop_map(|alternatives| {
        format!(
            "{{matches: [{}], backendRefs: [{{name: app}}]}}",
            alternatives.join(", ")
        )
    });
    let hosts = subsequence(vec!["h.a.com", "'*.a.com'", "'*.com'", "b.com"], 0..=3);
    let listeners = subsequence(vec!["any", "a", "exact"], 0..=3);
    (hosts, listeners, proptest::collection::vec(rule, 1..4)).prop_map(
        |(hosts, listeners, rules)| {
            format!(
                "- {{hostnames: [{}], listeners: [{}], rules: [{}]}}\n",
                hosts.join(", "),
                listeners.join(", "),
                rules.join(", ")
            )
        },
    )
}

fn request() -> impl Strategy<Value = (String, String, String, Vec<(&'static str, &'static str)>)> {
    let headers = subsequence(vec![("X", "1"), ("W", "2"), ("z", "7"), ("x", "3")], 0..=4);
    let target = "(/[abc]?){0,4}".prop_map(|path| format!("/{path}"));
    let query = select(vec!["", "?p=1", "?q=2&p=1", "?p=2&p=1", "?x"]);
    (
        select(vec!["GET", "POST", "PUT"]).prop_map(str::to_owned),
        select(vec![
            "h.a.com",
            "x.a.com",
            "a.com",
            "b.com",
            "c.org",
            "H.A.com:80",
        ])
        .prop_map(str::to_owned),
        (target, query).prop_map(|(path, query)| format!("{path}{query}")),
        headers,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Precedence is total: whatever the rules are, comparing them one by one finds the rule that the table finds, and a rule
    /// is taken by exactly one verdict.
    #[test]
    fn explains_what_the_table_finds(routes in proptest::collection::vec(route(), 0..5), requests in proptest::collection::vec(request(), 1..12)) {
        let routes = if routes.is_empty() { "[]".to_owned() } else { format!("\n{}", routes.concat()) };
        let config = config_of(&format!(
            "apiVersion: pillion/v1\nlisteners:\n- {{name: any, port: 80}}\n- {{name: a, port: 80, hostname: '*.a.com'}}\n\
- {{name: exact, port: 80, hostname: h.a.com}}\nbackends: [{{name: app, endpoints: ['localhost:1']}}]\nroutes: {routes}"
        ));
        let table = Table::new(&config);
        for (method, host, target, headers) in requests {
            let head = head(&method, &host, &target, &headers);
            let request = Request::new(&head).unwrap();
            let found = table.find(0, None, &request);
            let listener = table.listener(0, Some(request.host())).unwrap();
            let (explained, verdicts) = rules(&config, listener, &request);
            prop_assert_eq!(found.ok(), explained);
            let taken = verdicts.iter().filter(|verdict| verdict.taken).count();
            prop_assert_eq!(taken, usize::from(explained.is_some()));
            prop_assert!(verdicts.iter().all(|verdict| !verdict.reasons.is_empty()));
        }
    }
}
