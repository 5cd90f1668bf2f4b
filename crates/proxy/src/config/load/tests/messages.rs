//! What is wrong, where, in which words.

use super::*;

/// A configuration around some parts; each begins on a line of its own.
fn check(cases: &[(&str, &[&str])]) {
    for (text, expected) in cases {
        let found = messages(text);
        let fits = found.len() == expected.len()
            && found
                .iter()
                .zip(*expected)
                .all(|(found, expected)| found.starts_with(expected));
        assert!(
            fits,
            "{text}\n  found: {found:#?}\n  expected: {expected:#?}"
        );
    }
}

const APP: &str = "
apiVersion: pillion/v1
backends: [{name: app, endpoints: ['localhost:80']}]
";

/// Listeners that are judged, with a route for all of them.
fn listeners(lines: &str) -> String {
    format!("{APP}routes: [{{rules: [{{backendRefs: [{{name: app}}]}}]}}]\nlisteners:\n{lines}")
}

/// Rules that are judged; the first stands on line 7.
fn rules(lines: &str) -> String {
    format!("{APP}listeners: [{{name: web, port: 80}}]\nroutes:\n- rules:\n{lines}")
}

#[test]
fn documents() {
    check(&[
        (
            "",
            &["1:1: error: there is no configuration (a document that begins with"],
        ),
        ("- a", &["1:1: error: this is no configuration"]),
        (
            "listeners: []",
            &["1:1: error: apiVersion: Required value (add `apiVersion: pillion/v1`"],
        ),
        (
            "apiVersion: pillion/v2\nkind: Proxy",
            &[
                "1:13: error: no matches for kind \"Proxy\" in version \"pillion/v2\" (write `apiVersion: pillion/v1`)",
            ],
        ),
        (
            "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway",
            &["2:7: error: no matches for kind \"Gateway\""],
        ),
        (
            &format!("{MINIMAL}---{MINIMAL}"),
            &["7:1: error: there is a second configuration"],
        ),
        (
            &format!("{MINIMAL}listener: []\negress: {{hosts: []}}\n"),
            &[
                "6:1: error: unknown field \"listener\" (did you mean `listeners`?)",
                "7:1: error: egress: not supported yet (a listener on 127.0.0.1",
            ],
        ),
        (
            "apiVersion: pillion/v1",
            &["1:1: error: listeners: Required value: a proxy listens somewhere"],
        ),
    ]);
}

#[test]
fn listeners_and_sockets() {
    check(&[
        (
            &listeners(
                "- {port: 80}\n- {name: A_b, port: 81}\n- {name: a, port: 82}\n- {name: a, port: 83}",
            ),
            &[
                "6:4: error: listeners[0].name: Required value",
                "7:10: error: listeners[1].name: Invalid value: \"A_b\": a lowercase RFC 1123 subdomain",
                "9:10: error: listeners[3].name: Duplicate value: \"a\"",
            ],
        ),
        (
            &listeners(
                "- {name: a, address: localhost, port: 0}\n- {name: b, unixSocket: x}\n- {name: c}",
            ),
            &[
                "6:22: error: listeners[0].address: Invalid value: \"localhost\": must be a valid IP address",
                "6:39: error: listeners[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
                "7:25: error: listeners[1].unixSocket: Invalid value: \"x\": must be an absolute path",
                "8:4: error: listeners[2].port: Required value: or `unixSocket`",
            ],
        ),
        (
            &listeners(
                "- {name: a, port: 443, protocol: HTTPS}\n- {name: b, port: 444, protocol: HTTPS, tls: {}}\n- {name: c, port: 80, tls: {selfSigned: {}}}",
            ),
            &[
                "6:4: error: listeners[0].tls: Required value: protocol HTTPS needs it",
                "7:41: error: listeners[1].tls.certificates: Required value: a `cert` and a `key`, or `selfSigned: {}` for development",
                "8:23: error: listeners[2].tls: Forbidden: protocol HTTP is in the clear; `protocol: HTTPS` is encrypted",
            ],
        ),
        (
            &listeners(
                "- {name: a, port: 80}\n- {name: b, port: 80, protocol: HTTPS, tls: {selfSigned: {}}}\n- {name: c, port: 80}\n- {name: d, port: 80, hostname: a.com, proxyProtocol: Require}\n- {name: e, port: 80, address: 0.0.0.0}",
            ),
            &[
                "7:19: error: listeners[1].port: Invalid value: \"[::]:80\": listener \"a\" has it with protocol HTTP, which is told apart otherwise than HTTPS",
                "8:4: error: listeners[2].hostname: Invalid value: \"\": listener \"a\" has the same port and hostname",
                "9:55: error: listeners[3].proxyProtocol: Invalid value: \"Require\": must be the same as that of listener \"a\"",
                "10:19: error: listeners[4].port: Invalid value: \"0.0.0.0:80\": [::]:80 takes both address families already",
            ],
        ),
        (
            &listeners(
                "- name: a\n  port: 443\n  protocol: HTTPS\n  tls:\n    mode: Passthrough\n    certificates: [{cert: c, key: k}]\n- name: b\n  port: 444\n  protocol: HTTPS\n  tls:\n    selfSigned: {}\n    alpnProtocols: [h3]\n    clientValidation: {subjectAltNames: ['spiffe://*/x']}",
            ),
            &[
                "10:11: error: listeners[0].tls.mode: Forbidden: HTTPS is decrypted here",
                "11:5: error: listeners[0].tls.certificates: Forbidden: with mode Passthrough",
                "17:21: error: listeners[1].tls.alpnProtocols[0]: Unsupported value: \"h3\": supported values: \"h2\", \"http/1.1\", \"http/1.0\" (did you mean `h2`?)",
                "18:5: error: listeners[1].tls.clientValidation.caCertificates: Required value",
                "18:42: error: listeners[1].tls.clientValidation.subjectAltNames[0]: Invalid value",
            ],
        ),
        (
            &listeners(
                "- {name: a, port: 80, timeouts: {idle: 10}, forwarded: {trustedHops: -1}, protocol: htp}",
            ),
            &[
                "6:40: error: listeners[0].timeouts.idle: cannot unmarshal number into Go struct field ListenerTimeouts.listeners.timeouts.idle of type string (give the unit: 500ms",
                "6:70: error: listeners[0].forwarded.trustedHops: Invalid value: -1: must be between 0 and 100, inclusive",
                "6:85: error: listeners[0].protocol: Unsupported value: \"htp\": supported values: \"HTTP\", \"HTTPS\", \"TLS\", \"TCP\" (did you mean `HTTP`?)",
            ],
        ),
        (
            &format!("{MINIMAL}telemetry: {{metrics: ':80', admin: 'localhost:1'}}"),
            &[
                "6:22: error: telemetry.metrics: Duplicate value: \":80\"",
                "6:36: error: telemetry.admin: Invalid value: \"localhost:1\": must be an IP address and a port",
            ],
        ),
    ]);
}

#[test]
fn backends() {
    let backends = |lines: &str| {
        MINIMAL.replace(
            "backends: [{name: app, endpoints: ['localhost:8080']}]\n",
            &format!("backends:\n- {{name: app, endpoints: ['localhost:1']}}\n{lines}\n"),
        )
    };
    check(&[
        (
            &backends(
                "- {name: a}\n- {name: b, endpoints: [localhost]}\n- {name: c, endpoints: ['a:1', 'b:1']}\n- {name: d, endpoints: ['a:1'], originalDestination: true}",
            ),
            &[
                "6:4: error: backends[1].endpoints: Required value: one, as `localhost:80`",
                "7:25: error: backends[2].endpoints[0]: Invalid value: \"localhost\": must be of the form `host:port`",
                "8:13: error: backends[3].endpoints: Too many: 2: must have at most 1 items (balancing over endpoints comes later",
                "9:13: error: backends[4].endpoints: Forbidden: may not be given together with `originalDestination`",
            ],
        ),
        (
            &backends(
                "- {name: a, endpoints: ['a:1'], tls: {}}\n- {name: b, originalDestination: true, tls: {validation: {wellKnownCACertificates: System}}}\n- {name: c, endpoints: ['a:1'], tls: {validation: {caCertificates: [x], insecureSkipVerify: true}}, circuitBreaker: {}}\n- {name: d, endpoints: ['a:1'], circuitBreaker: {maxRequests: 1}}",
            ),
            &[
                "6:33: error: backends[1].tls.validation.caCertificates: Required value: or `wellKnownCACertificates: System`",
                "7:46: error: backends[2].tls.validation.hostname: Required value: the endpoint has no host",
                "8:39: error: backends[3].tls.validation: Forbidden: may specify only one of",
                "9:33: error: backends[4].circuitBreaker: not supported yet",
            ],
        ),
    ]);
}

#[test]
fn routes_and_rules() {
    check(&[
        (
            &rules(
                "  - backendRefs: [{name: ap}]\n  - {}\n  - backendRefs: [{name: app}, {name: app}]",
            ),
            &[
                "7:26: error: routes[0].rules[0].backendRefs[0].name: Not found: \"ap\" (did you mean `app`?)",
                "8:5: error: routes[0].rules[1].backendRefs: Required value: or `staticFiles`, or a RequestRedirect filter",
                "9:5: error: routes[0].rules[2].backendRefs: Too many: 2: must have at most 1 items (weights come later)",
            ],
        ),
        (
            &rules(
                "  - backendRefs: [{name: app}]\n    staticFiles: {root: /srv}\n  - backendRefs: [{name: app}]\n    filters: [{type: RequestRedirect, requestRedirect: {}}]",
            ),
            &[
                "8:5: error: routes[0].rules[0].staticFiles: Forbidden: may not be given together with",
                "9:5: error: routes[0].rules[1].backendRefs: Forbidden: RequestRedirect filter must not be used together with backendRefs",
            ],
        ),
        (
            &rules(
                "  - backendRefs: [{name: app}]\n    matches:\n    - path: {value: a}\n    - path: {value: //}\n    - path: {type: Exact, value: '/a b'}\n    - path: {type: RegularExpression, value: '('}\n    - headers: [{name: 'a b', value: x}, {name: c, value: ''}]\n    - queryParams: [{name: a, value: b}, {name: a, value: c}]\n    - path: {value: /%2e%2e/a}",
            ),
            &[
                "9:21: error: routes[0].rules[0].matches[0].path.value: Invalid value: \"a\": must be an absolute path and start with '/' when type one of ['Exact', 'PathPrefix']",
                "10:21: error: routes[0].rules[0].matches[1].path.value: Invalid value: \"//\": must not contain '//'",
                "11:34: error: routes[0].rules[0].matches[2].path.value: Invalid value: \"/a b\": must only contain valid characters",
                "12:46: error: routes[0].rules[0].matches[3].path.value: Invalid value: \"(\": must be a regular expression: unclosed group",
                "13:24: error: routes[0].rules[0].matches[4].headers[0].name: Invalid value: \"a b\": must be the name of a header field",
                "13:59: error: routes[0].rules[0].matches[4].headers[1].value: Required value",
                "14:49: error: routes[0].rules[0].matches[5].queryParams[1].name: Duplicate value: \"a\"",
                "15:21: error: routes[0].rules[0].matches[6].path.value: Invalid value: \"/%2e%2e/a\": must not contain encoded dot segments",
            ],
        ),
        (
            &rules(
                "  - backendRefs: [{name: app}]\n    filters:\n    - {type: URLRewrite}\n    - {type: URLRewrite, urlRewrite: {}, requestRedirect: {}}\n    - {type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: Host, value: a}], add: [{name: a, value: b}], remove: [A, te]}}\n    - {requestHeaderModifier: {}}\n    - {type: RequestMirror}",
            ),
            &[
                "9:8: error: routes[0].rules[0].filters[0].urlRewrite: Required value: filter.urlRewrite must be specified for URLRewrite filter.type",
                "10:14: error: routes[0].rules[0].filters[1].type: Invalid value: \"URLRewrite\": URLRewrite filter cannot be repeated",
                "10:42: error: routes[0].rules[0].filters[1].requestRedirect: Forbidden: filter.requestRedirect must be nil if the filter.type is not RequestRedirect",
                "11:74: error: routes[0].rules[0].filters[2].requestHeaderModifier.set[0].name: Invalid value: \"Host\": is set by the filter URLRewrite",
                "11:129: error: routes[0].rules[0].filters[2].requestHeaderModifier.remove[0]: Duplicate value: \"A\"",
                "11:132: error: routes[0].rules[0].filters[2].requestHeaderModifier.remove[1]: Invalid value: \"te\": belongs to the connection",
                "12:8: error: routes[0].rules[0].filters[3].type: Required value",
                "13:14: error: routes[0].rules[0].filters[4].type: Unsupported value: \"RequestMirror\"",
            ],
        ),
        (
            &rules(
                "  - backendRefs: [{name: app}]\n    matches: [{path: {type: Exact, value: /a}}]\n    filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}}]\n    timeouts: {request: 1s, backendRequest: 2s}\n    upgrades: [h2c, 'a b']\n    errorPages: [{statuses: [200, 6xx], file: ''}]\n    retry: {attempts: 3}",
            ),
            &[
                "9:60: error: routes[0].rules[0].filters[0].urlRewrite.path.type: Invalid value: \"ReplacePrefixMatch\": all matches of the rule must be of type PathPrefix",
                "10:45: error: routes[0].rules[0].timeouts.backendRequest: Invalid value: \"2s\": backendRequest timeout cannot be longer than request timeout",
                "11:16: error: routes[0].rules[0].upgrades[0]: Invalid value: \"h2c\"",
                "11:21: error: routes[0].rules[0].upgrades[1]: Invalid value: \"a b\"",
                "12:30: error: routes[0].rules[0].errorPages[0].statuses[0]: Invalid value: \"200\": must be a status from 400 to 599",
                "12:35: error: routes[0].rules[0].errorPages[0].statuses[1]: Invalid value: \"6xx\"",
                "12:47: error: routes[0].rules[0].errorPages[0].file: Required value",
                "13:5: error: routes[0].rules[0].retry: not supported yet",
            ],
        ),
        (
            &rules(
                "  - staticFiles:\n      root: ''\n      index: [a/b]\n      tryFiles: [=404, ../x, $host]\n      compression: {dynamic: [br]}\n      mimeTypes: {a/b: x}",
            ),
            &[
                "8:13: error: routes[0].rules[0].staticFiles.root: Required value",
                "9:15: error: routes[0].rules[0].staticFiles.index[0]: Invalid value: \"a/b\"",
                "10:18: error: routes[0].rules[0].staticFiles.tryFiles[0]: Invalid value: \"=404\": must be the last one",
                "10:24: error: routes[0].rules[0].staticFiles.tryFiles[1]: Invalid value: \"../x\": must begin with `$uri` or `/`",
                "10:30: error: routes[0].rules[0].staticFiles.tryFiles[2]: Invalid value: \"$host\"",
                "11:31: error: routes[0].rules[0].staticFiles.compression.dynamic[0]: Invalid value: \"br\"",
                "12:24: error: routes[0].rules[0].staticFiles.mimeTypes[a/b]: Invalid value: \"x\": must be a media type",
                "12:24: error: routes[0].rules[0].staticFiles.mimeTypes[a/b]: Invalid value: \"a/b\"",
            ],
        ),
        (
            &format!(
                "{APP}listeners: [{{name: web, port: 80, hostname: a.com}}, {{name: db, port: 5432, protocol: TCP}}, {{name: idle, port: 81}}]\nroutes:\n- {{listeners: [wen], rules: []}}\n- {{listeners: [web], hostnames: [b.com, 'c d'], rules: [{{backendRefs: [{{name: app}}]}}]}}\n- {{listeners: [db], hostnames: [b.com], rules: [{{matches: [{{method: GET}}], backendRefs: [{{name: app}}]}}]}}\n- {{listeners: [db, web], rules: [{{backendRefs: [{{name: app}}]}}]}}"
            ),
            &[
                "4:93: warning: listeners[2]: no route is for this listener: it answers 404 to every request",
                "6:16: error: routes[0].listeners[0]: Not found: \"wen\" (did you mean `web`?)",
                "6:22: error: routes[0].rules: Required value",
                "7:34: warning: routes[1].hostnames[0]: no listener of the route takes requests for b.com",
                "7:41: error: routes[1].hostnames[1]: Invalid value: \"c d\"",
                "8:21: error: routes[2].hostnames: Forbidden: listener \"db\" is TCP, whose bytes name no host",
                "8:50: error: routes[2].rules[0].matches: Forbidden: only for routes of HTTP and HTTPS listeners",
                "9:4: error: routes[3].listeners: Forbidden: may not have listeners of HTTP or HTTPS beside those of TCP or TLS",
            ],
        ),
    ]);
}

#[test]
fn http_routes_are_judged_in_their_own_lines() {
    let with = |spec: &str| {
        format!(
            "apiVersion: pillion/v1
listeners: [{{name: web, port: 80}}]
backends: [{{name: app, endpoints: ['localhost:80']}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: store, labels: {{a: b}}}}
spec:
{spec}
status: {{parents: []}}
"
        )
    };
    check(&[
        (
            &with(
                "  rules: [{backendRefs: [{name: app, port: 80, weight: 1, group: '', kind: Service, namespace: x}]}]",
            ),
            &[],
        ),
        (
            &with(
                "  parentRefs: [{name: g, sectionName: wbe}, {name: g, port: 81}]\n  hostnames: ['*']\n  rules:\n  - backendRefs: [{name: ap, port: 80}]\n  - filters: [{type: CORS, cors: {}}]\n    backendRefs: [{name: app, kind: Bucket, weight: 0}, {name: app}]\n  - retry: {attempts: 1}\n    backendRefs: [{name: app, filters: [{type: URLRewrite}]}]",
            ),
            &[
                "9:39: error: spec.parentRefs[0].sectionName: Not found: \"wbe\" (did you mean `web`?)",
                "9:61: error: spec.parentRefs[1].port: Not found: no listener of HTTP or HTTPS has this port",
                "10:15: error: spec.hostnames[0]: Invalid value: \"*\"",
                "12:26: error: spec.rules[0].backendRefs[0].name: Not found: \"ap\" (did you mean `app`?)",
                "13:22: error: spec.rules[1].filters[0].type: filter CORS is not supported yet (a ResponseHeaderModifier can set",
                "14:5: error: spec.rules[1].backendRefs: Too many: 2: must have at most 1 items",
                "14:37: error: spec.rules[1].backendRefs[0].kind: Unsupported value: \"Bucket\"",
                "14:53: error: spec.rules[1].backendRefs[0].weight: Invalid value: 0",
                "15:5: error: spec.rules[2].retry: not supported yet",
                "16:31: error: spec.rules[2].backendRefs[0].filters: Forbidden: filters of one backend are not supported yet",
            ],
        ),
        (
            &with("  rules: [{staticFiles: {root: /x}}]"),
            &[
                "9:12: error: unknown field \"spec.rules[0].staticFiles\"",
                "9:12: error: spec.rules[0].backendRefs: Required value",
            ],
        ),
    ]);
}
