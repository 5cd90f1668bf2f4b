use super::*;
use crate::config::{Action, Bind, SocketKind, Target, Trust};

fn flags(line: &str) -> Flags {
    let mut flags = Flags::default();
    let mut words = line.split_whitespace().map(str::to_owned);
    while let Some(flag) = words.next() {
        let mut value = || words.next().unwrap();
        match flag.as_str() {
            "--listen" => flags.listen.push(value()),
            "--cert" => flags.cert.push(value()),
            "--key" => flags.key.push(value()),
            "--client-ca" => flags.client_ca.push(value()),
            "--to" => flags.to = Some(value()),
            "--to-ca" => flags.to_ca.push(value()),
            "--static" => flags.static_dir = Some(value()),
            "--strip-prefix" => flags.strip_prefix = Some(value()),
            "--self-signed" => flags.self_signed = true,
            "--proxy-protocol" => flags.proxy_protocol = true,
            _ => panic!("{flag}"),
        }
    }
    flags
}

fn config(line: &str) -> Config {
    flags(line)
        .config()
        .unwrap_or_else(|error| panic!("{line}: {error}"))
        .0
}

#[test]
fn the_ghostunnel_case() {
    let config = config("--listen :8443 --cert c --key k --client-ca ca --to localhost:80");
    let listener = &config.listeners[0];
    assert_eq!(listener.protocol, ListenerProtocol::Https);
    let tls = listener.tls.as_ref().unwrap();
    assert_eq!(tls.certificates.len(), 1);
    assert!(tls.client_validation.as_ref().unwrap().required);
    assert_eq!(config.sockets[0].bind.to_string(), "[::]:8443");
    let Target::Endpoint(endpoint) = &config.backends[0].target else {
        panic!("no endpoint");
    };
    assert_eq!(endpoint.to_string(), "localhost:80");
    assert_eq!(config.routes[0].rules[0].action, Action::Forward(0));
}

#[test]
fn several_listeners_and_kinds() {
    let config = config(
        "--listen http://127.0.0.1:8080 --listen [::1]:8443 --listen unix:/run/x.sock --self-signed --proxy-protocol --to tls://api.example.com",
    );
    let protocols: Vec<&str> = config
        .listeners
        .iter()
        .map(|it| it.protocol.as_str())
        .collect();
    assert_eq!(protocols, ["HTTP", "HTTPS", "HTTPS"]);
    assert_eq!(config.sockets[2].bind, Bind::Unix("/run/x.sock".into()));
    assert!(config.sockets.iter().all(|socket| socket.proxy_protocol));
    assert_eq!(
        config.backends[0].tls.as_ref().unwrap().trust,
        Trust::System
    );
    assert_eq!(config.routes[0].listeners, [0, 1, 2]);
}

#[test]
fn bytes() {
    let config = config("--listen :5432 --to tcp://localhost:15432");
    assert_eq!(config.sockets[0].kind, SocketKind::Tcp);
    let config = self::config("--listen :5432 --self-signed --to tcp://localhost:15432");
    assert_eq!(config.listeners[0].protocol, ListenerProtocol::Tls);
}

#[test]
fn files_and_an_app_below_a_prefix() {
    let config = config("--listen :80 --static /srv --strip-prefix /express --to localhost:3000");
    let rules = &config.routes[0].rules;
    let Some(crate::config::Filter::Rewrite(rewrite)) = rules[0].filters.first() else {
        panic!("{:?}", rules[0]);
    };
    assert!(rewrite.rewrite_location && rewrite.redirect_to_slash);
    assert!(matches!(&rules[1].action, Action::Files(files) if files.root == *"/srv"));
}

#[test]
fn says_what_is_wrong() {
    for (line, expected) in [
        ("--to localhost:80", "--listen: say where"),
        ("--listen :80", "--to: say whereto"),
        (
            "--listen 80 --to localhost:80",
            "--listen 80: must be :PORT",
        ),
        (
            "--listen ftp://:80 --to localhost:80",
            "none of http, https, tls and tcp",
        ),
        (
            "--listen :80 --to localhost",
            "--to localhost: must be of the form",
        ),
        ("--listen :80 --to ftp://localhost:80", "none of http, h2c"),
        (
            "--listen :80 --cert c --to localhost:80",
            "each certificate has its key",
        ),
        (
            "--listen :80 --client-ca c --to localhost:80",
            "--client-ca: needs",
        ),
        ("--listen :80 --to-ca c --to localhost:80", "--to-ca: needs"),
        (
            "--listen :80 --static /srv --to localhost:80",
            "--strip-prefix says",
        ),
        (
            "--listen :80 --static /srv --strip-prefix /a",
            "--strip-prefix: needs --to",
        ),
        (
            "--listen :80 --static /srv --to tcp://localhost:80",
            "not for bytes",
        ),
        (
            "--listen :80 --listen tcp://:80 --to localhost:80",
            "told apart otherwise",
        ),
        (
            "--listen https://:80 --to localhost:80",
            "listeners[0].tls.certificates: Required value",
        ),
        (
            "--listen :80 --strip-prefix a --to localhost:80",
            "must be an absolute path",
        ),
    ] {
        let error = flags(line).config().unwrap_err().to_string();
        assert!(error.contains(expected), "{line}: {error}");
    }
}
