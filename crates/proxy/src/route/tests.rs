//! Facts from the conformance tests of the Gateway API, each named after its test there, and what holds for any table.

mod conformance;
mod listeners;
mod precedence;

use super::*;
use crate::config;
use crate::message::{RequestHead, Version};

/// A configuration from a text.
pub(super) fn config_of(text: &str) -> Config {
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

/// A request with a host and `name: value` header fields.
pub(super) fn head(
    method: &str,
    host: &str,
    target: &str,
    headers: &[(&str, &str)],
) -> RequestHead {
    let mut head = RequestHead::new(method.as_bytes(), target.as_bytes(), Version::Http11).unwrap();
    head.headers_mut().append("Host", host.as_bytes()).unwrap();
    for (name, value) in headers {
        head.headers_mut().append(name, value.as_bytes()).unwrap();
    }
    head
}

/// The backend that a request to the first socket goes to, or why none.
fn backend(config: &Config, head: &RequestHead) -> Result<String, NoMatch> {
    let table = Table::new(config);
    let request = Request::new(head)?;
    let found = table.find(0, None, &request)?;
    let rule = &config.routes[found.route].rules[found.rule];
    match &rule.action {
        config::Action::Forward(backend) => Ok(config.backends[*backend].name.clone()),
        other => panic!("{other:?}"),
    }
}
