//! Any request line takes a rule or none, by the table as by explanation; and no spelling reaches the backend of the root with a
//! path that is another rule's.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use manifest::Source;
use proxy::config::{self, Config};
use proxy::filter::{self, Decision, Peer, forwarded};
use proxy::message::{RequestHead, Version};
use proxy::path;
use proxy::route::{Request, Table};

const TEXT: &str = "
apiVersion: pillion/v1
listeners: [{name: http, port: 80}]
backends: [{name: root, endpoints: ['localhost:1']}, {name: admin, endpoints: ['localhost:2']}]
routes:
- rules:
  - {name: root, backendRefs: [{name: root}]}
  - name: admin
    matches: [{path: {value: /admin/}}]
    filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}}]
    backendRefs: [{name: admin}]
";

static CONFIG: LazyLock<(Config, Table)> = LazyLock::new(|| {
    let source = Source {
        name: "proxy.yaml".to_owned(),
        bytes: TEXT.as_bytes().to_vec(),
    };
    let config = config::load(&[source]).expect("it is right").config;
    let table = Table::new(&config);
    (config, table)
});

fuzz_target!(|bytes: &[u8]| {
    let mut parts = bytes.splitn(3, |byte| *byte == b'\n');
    let (method, target) = (parts.next().unwrap_or(b""), parts.next().unwrap_or(b""));
    let Ok(mut head) = RequestHead::new(method, target, Version::Http11) else {
        return;
    };
    let forwarded_for = parts.next().unwrap_or(b"");
    let _ = head.headers_mut().append("Host", b"own.com");
    let _ = head.headers_mut().append("X-Forwarded-For", forwarded_for);
    let _ = head.headers_mut().append("Forwarded", forwarded_for);
    let (config, table) = &*CONFIG;
    let Ok(request) = Request::new(&head) else {
        return;
    };
    let Ok(found) = table.find(0, None, &request) else {
        return;
    };
    let rule = &config.routes[found.route].rules[found.rule];
    let settings = config::Forwarded {
        trusted_hops: forwarded_for.len() % 3,
        headers: config::ForwardedHeaders::Both,
    };
    let peer = Peer::new(None, false);
    let client = forwarded::learn(&head, settings, peer);
    let Decision::Proceed(plan) = filter::decide(rule, found.alternative, &request, &client, None)
    else {
        return;
    };
    plan.apply(rule, &client, &mut head);
    let sent = head.path().to_vec();
    if rule.name == "root" && sent.first() == Some(&b'/') {
        // What a backend may make of it: every escape read, slashes merged.
        let normal = path::normalize(&sent).expect("what is sent is normal");
        assert!(!normal.is_changed());
        for form in [Some(normal.matching()), normal.second_reading()] {
            let form = form.unwrap_or("/");
            assert!(form != "/admin" && !form.starts_with("/admin/"), "{form}");
        }
    }
});
