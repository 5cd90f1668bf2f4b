//! Requests and where they go, by the Gateway API's conformance suite (`conformance/tests/httproute-*`).

use super::*;

/// A listener on port 80, three backends, and the rules of one HTTPRoute: `[match]... -> vN` a rule.
fn with_rules(rules: &[(&[&str], u8)]) -> Config {
    config_of(&format!("{HEAD}---\n{}", route("only", &[], rules)))
}

const HEAD: &str = "
apiVersion: pillion/v1
listeners: [{name: http, port: 80}]
backends:
- {name: v1, endpoints: ['localhost:8081']}
- {name: v2, endpoints: ['localhost:8082']}
- {name: v3, endpoints: ['localhost:8083']}
";

fn route(name: &str, hosts: &[&str], rules: &[(&[&str], u8)]) -> String {
    let hosts = hosts.join(", ");
    let mut text = format!(
        "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{name: {name}}}\n\
spec:\n  parentRefs: [{{name: same-namespace}}]\n  hostnames: [{hosts}]\n  rules:\n"
    );
    for (matches, version) in rules {
        let matches = matches.join(", ");
        text.push_str(&format!(
            "  - {{matches: [{matches}], backendRefs: [{{name: v{version}, port: 8080}}]}}\n"
        ));
    }
    text
}

/// `METHOD host/path?query header=value...` and the backend, 0 for a 404.
fn check(test: &str, config: &Config, cases: &[(&str, u8)]) {
    for (request, expected) in cases {
        let mut words = request.split(' ');
        let (method, url) = (words.next().unwrap(), words.next().unwrap());
        let (host, target) = url.split_at(url.find('/').unwrap());
        let headers: Vec<(&str, &str)> = words.map(|word| word.split_once('=').unwrap()).collect();
        let host = if host.is_empty() { "localhost" } else { host };
        let found = backend(config, &head(method, host, target, &headers));
        let expected = match expected {
            0 => Err(found.clone().err().unwrap_or(NoMatch::Rule)),
            version => Ok(format!("v{version}")),
        };
        assert_eq!(found, expected, "{test}: {request}");
    }
}

#[test]
fn http_route_matching() {
    let config = with_rules(&[
        (
            &[
                "{path: {value: /}}",
                "{headers: [{name: version, value: one}]}",
            ],
            1,
        ),
        (
            &[
                "{path: {value: /v2}}",
                "{headers: [{name: version, value: two}]}",
            ],
            2,
        ),
    ]);
    check(
        "HTTPRouteMatching",
        &config,
        &[
            ("GET /", 1),
            ("GET /example", 1),
            ("GET / Version=one", 1),
            ("GET /v2", 2),
            ("GET /v2/example", 2),
            ("GET / Version=two", 2),
            ("GET /v2/", 2),
            ("GET /v2example", 1),
            ("GET /foo/v2/example", 1),
        ],
    );
}

#[test]
fn http_route_matching_across_routes() {
    let first = route(
        "part1",
        &["example.com", "example.net"],
        &[(
            &[
                "{path: {value: /}}",
                "{headers: [{name: version, value: one}]}",
            ],
            1,
        )],
    );
    let second = route(
        "part2",
        &["example.com"],
        &[(
            &[
                "{path: {value: /v2}}",
                "{headers: [{name: version, value: two}]}",
            ],
            2,
        )],
    );
    let config = config_of(&format!("{HEAD}---\n{first}---\n{second}"));
    check(
        "HTTPRouteMatchingAcrossRoutes",
        &config,
        &[
            ("GET example.com/", 1),
            ("GET example.com/example", 1),
            ("GET example.net/example", 1),
            ("GET example.com/example Version=one", 1),
            ("GET example.com/v2", 2),
            ("GET example.net/v2", 1),
            ("GET example.com/v2/example", 2),
            ("GET example.com/ Version=two", 2),
        ],
    );
}

#[test]
fn http_exact_path_matching() {
    let config = with_rules(&[
        (&["{path: {type: Exact, value: /one}}"], 1),
        (&["{path: {type: Exact, value: /two}}"], 2),
    ]);
    check(
        "HTTPExactPathMatching",
        &config,
        &[
            ("GET /one", 1),
            ("GET /two", 2),
            ("GET /", 0),
            ("GET /one/example", 0),
            ("GET /two/", 0),
            ("GET /Two", 0),
        ],
    );
}

#[test]
fn http_route_path_match_order() {
    let config = with_rules(&[
        (&["{path: {type: Exact, value: /match}}"], 1),
        (&["{path: {type: Exact, value: /match/exact}}"], 2),
        (&["{path: {type: Exact, value: /match/exact/one}}"], 3),
        (&["{path: {type: PathPrefix, value: /match/}}"], 3),
        (&["{path: {type: PathPrefix, value: /match/prefix/}}"], 1),
        (&["{path: {type: PathPrefix, value: /match/prefix/one}}"], 2),
    ]);
    check(
        "HTTPRoutePathMatchOrder",
        &config,
        &[
            ("GET /match/exact/one", 3),
            ("GET /match/exact", 2),
            ("GET /match", 1),
            ("GET /match/prefix/one/any", 2),
            ("GET /match/prefix/any", 1),
            ("GET /match/any", 3),
        ],
    );
}

#[test]
fn http_route_header_matching() {
    let config = with_rules(&[
        (&["{headers: [{name: version, value: one}]}"], 1),
        (&["{headers: [{name: version, value: two}]}"], 2),
        (
            &["{headers: [{name: version, value: two}, {name: color, value: orange}]}"],
            1,
        ),
        (
            &[
                "{headers: [{name: color, value: blue}]}",
                "{headers: [{name: color, value: green}]}",
            ],
            1,
        ),
        (
            &[
                "{headers: [{name: color, value: red}]}",
                "{headers: [{name: color, value: yellow}]}",
            ],
            2,
        ),
    ]);
    check(
        "HTTPRouteHeaderMatching",
        &config,
        &[
            ("GET / Version=one", 1),
            ("GET / Version=two", 2),
            ("GET / Version=two Color=orange", 1),
            ("GET / Version=two Color=blue", 2),
            ("GET / Color=orange", 0),
            ("GET / Some-Other-Header=one", 0),
            ("GET / Color=blue", 1),
            ("GET / Color=green", 1),
            ("GET / Color=red", 2),
            ("GET / Color=yellow", 2),
            ("GET / Color=purple", 0),
        ],
    );
}

#[test]
fn http_route_query_param_matching() {
    let config = with_rules(&[
        (&["{queryParams: [{name: animal, value: whale}]}"], 1),
        (&["{queryParams: [{name: animal, value: dolphin}]}"], 2),
        (
            &[
                "{queryParams: [{name: animal, value: dolphin}, {name: color, value: blue}]}",
                "{queryParams: [{name: ANIMAL, value: Whale}]}",
            ],
            3,
        ),
        (
            &["{path: {value: /path1}, queryParams: [{name: animal, value: whale}]}"],
            1,
        ),
        (
            &[
                "{headers: [{name: version, value: one}], queryParams: [{name: animal, value: whale}]}",
            ],
            2,
        ),
        (
            &[
                "{path: {value: /path2}, headers: [{name: version, value: two}], queryParams: [{name: animal, value: whale}]}",
            ],
            3,
        ),
        (
            &[
                "{path: {value: /path3}, queryParams: [{name: animal, value: shark}]}",
                "{path: {value: /path4}, headers: [{name: version, value: three}], queryParams: [{name: animal, value: kraken}]}",
            ],
            1,
        ),
        (&["{path: {value: /path5}}"], 1),
        (&["{queryParams: [{name: animal, value: hydra}]}"], 2),
        (&["{headers: [{name: version, value: four}]}"], 3),
    ]);
    check(
        "HTTPRouteQueryParamMatching",
        &config,
        &[
            ("GET /?animal=whale", 1),
            ("GET /?animal=dolphin", 2),
            ("GET /?animal=dolphin&color=blue", 3),
            ("GET /?ANIMAL=Whale", 3),
            ("GET /?animal=whale&otherparam=irrelevant", 1),
            ("GET /?animal=dolphin&color=yellow", 2),
            ("GET /?color=blue", 0),
            ("GET /?animal=dog", 0),
            ("GET /?animal=whaledolphin", 0),
            ("GET /", 0),
            ("GET /path1?animal=whale", 1),
            ("GET /?animal=whale version=one", 2),
            ("GET /path2?animal=whale version=two", 3),
            ("GET /path3?animal=shark", 1),
            ("GET /path4?animal=kraken version=three", 1),
            ("GET /?animal=shark", 0),
            ("GET /path4?animal=kraken", 0),
            ("GET /path5?animal=hydra", 1),
            ("GET /?animal=hydra version=four", 3),
        ],
    );
}

#[test]
fn http_route_method_matching() {
    let config = with_rules(&[
        (&["{method: POST}"], 1),
        (&["{method: GET}"], 2),
        (&["{path: {value: /path1}, method: GET}"], 1),
        (
            &["{headers: [{name: version, value: one}], method: PUT}"],
            2,
        ),
        (
            &["{path: {value: /path2}, headers: [{name: version, value: two}], method: POST}"],
            3,
        ),
        (
            &[
                "{path: {value: /path3}, method: PATCH}",
                "{path: {value: /path4}, headers: [{name: version, value: three}], method: DELETE}",
            ],
            1,
        ),
        (&["{path: {value: /path5}}"], 1),
        (&["{method: PATCH}"], 2),
        (&["{headers: [{name: version, value: four}]}"], 3),
    ]);
    check(
        "HTTPRouteMethodMatching",
        &config,
        &[
            ("POST /", 1),
            ("GET /", 2),
            ("HEAD /", 0),
            ("GET /path1", 1),
            ("PUT / version=one", 2),
            ("POST /path2 version=two", 3),
            ("PATCH /path3", 1),
            ("DELETE /path4 version=three", 1),
            ("PUT /", 0),
            ("DELETE /path4", 0),
            ("PATCH /path5", 1),
            ("PATCH / version=four", 2),
        ],
    );
}
