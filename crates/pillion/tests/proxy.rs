//! The whole program as a sidecar, in front of a real nginx, asked by curl and openssl.

#[path = "proxy/support.rs"]
mod support;

use std::fs;
use std::io::Read;
use std::process::Stdio;

use support::{App, Proxy, certificate, curl, free_port, run, until};

#[test]
fn tls_in_front_of_nginx_without_a_file() {
    let app = App::start();
    let mut proxy = Proxy::start(&["--self-signed", "--to", &app.at()]);
    assert_eq!(curl(&[&proxy.url("/")]), "hello\n");
    let head = curl(&["-I", "-H", "X-Forwarded-For: 6.6.6.6", &proxy.url("/told")]);
    assert!(head.contains("X-Told: https 127.0.0.1"), "{head}");
    let missing = run(
        "curl",
        &[
            "-sk",
            "-o",
            "/dev/null",
            "-w",
            "%{http_code}",
            &proxy.url("/none"),
        ],
    );
    assert_eq!(missing, "404");
    assert_eq!(
        curl(&[&proxy.page("/readyz")]),
        "[+]certificates ok\n[+]listeners ok\n[+]serving ok\n"
    );
    let metrics = curl(&[&proxy.page("/metrics")]);
    for line in [
        "pillion_proxy_requests_total{listener=\"https-1\",route=\"route-1\",backend=\"app\",code=\"200\"} 2\n",
        "pillion_proxy_requests_total{listener=\"https-1\",route=\"route-1\",backend=\"app\",code=\"404\"} 1\n",
        "pillion_proxy_tls_handshakes_total{listener=\"https-1\",result=\"ok\"} 3\n",
    ] {
        assert!(metrics.contains(line), "{line}{metrics}");
    }
    let (code, out, err) = proxy.end();
    assert_eq!(code, Some(0), "{err}");
    let lines: Vec<serde_json::Value> = out
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect();
    let seen: Vec<_> = lines
        .iter()
        .map(|line| (line["path"].as_str(), line["status"].as_u64()))
        .collect();
    assert_eq!(
        seen,
        [
            (Some("/"), Some(200)),
            (Some("/told"), Some(200)),
            (Some("/none"), Some(404))
        ]
    );
    assert_eq!(lines[0]["tlsVersion"], "TLSv1.3");
}

#[test]
fn a_request_in_flight_is_completed_after_sigterm() {
    let app = App::start();
    let mut proxy = Proxy::start(&["--self-signed", "--to", &app.at()]);
    let mut slow = std::process::Command::new("curl")
        .args(["-skN", &proxy.url("/slow/large")])
        .stdout(Stdio::piped())
        .spawn()
        .expect("curl");
    let mut out = slow.stdout.take().expect("its output");
    let mut body = vec![0; 1];
    out.read_exact(&mut body).expect("the first byte");
    proxy.terminate();
    until("new connections are refused", || {
        let refused = std::process::Command::new("curl")
            .args(["-sk", "-o", "/dev/null", &proxy.url("/")])
            .status();
        refused.expect("curl").code() == Some(7)
    });
    out.read_to_end(&mut body).expect("the rest");
    assert!(slow.wait().expect("curl").success());
    assert_eq!(body.len(), support::LARGE);
    let (code, _, err) = proxy.wait();
    assert_eq!(code, Some(0), "{err}");
    assert!(err.contains("no connection was cut off"), "{err}");
}

#[test]
fn a_second_signal_ends_at_once() {
    let app = App::start();
    let mut proxy = Proxy::start(&["--self-signed", "--to", &app.at()]);
    let mut slow = std::process::Command::new("curl")
        .args(["-skN", &proxy.url("/stuck/large")])
        .stdout(Stdio::piped())
        .spawn()
        .expect("curl");
    let mut out = slow.stdout.take().expect("its output");
    out.read_exact(&mut [0]).expect("the first byte");
    proxy.terminate();
    proxy.until_said("ending: within");
    proxy.terminate();
    let (code, _, err) = proxy.wait();
    assert_eq!(code, Some(0), "{err}");
    assert!(err.contains("connections cut off: 1"), "{err}");
    let _ = out.read_to_end(&mut Vec::new());
    assert!(!slow.wait().expect("curl").success());
}

#[test]
fn certificates_and_configuration_change_under_load() {
    let app = App::start();
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    // As a kubelet mounts a Secret: the files are links into `..data`, itself a link that is replaced.
    certificate(&folder.path().join("v1"), "one");
    std::os::unix::fs::symlink("v1", path("..data")).expect("a link");
    for name in ["tls.crt", "tls.key"] {
        std::os::unix::fs::symlink(format!("..data/{name}"), path(name)).expect("a link");
    }
    let (port, plain) = (free_port(), free_port());
    let config = |title: &str| {
        let text = format!(
            "apiVersion: pillion/v1
listeners:
- {{name: web, port: {port}, protocol: HTTPS, tls: {{certificates: [{{cert: {}, key: {}}}]}}}}
backends:
- {{name: app, endpoints: [\"{}\"]}}
routes:
- rules:
  - filters: [{{type: ResponseHeaderModifier, responseHeaderModifier: {{set: [{{name: X-Title, value: {title}}}]}}}}]
    backendRefs: [{{name: app}}]
telemetry: {{admin: None, metrics: \"127.0.0.1:{plain}\"}}
",
            path("tls.crt"),
            path("tls.key"),
            app.at()
        );
        fs::write(path("new.yaml"), text).expect("a file");
        fs::rename(path("new.yaml"), path("proxy.yaml")).expect("renamed");
    };
    config("first");
    let mut proxy = Proxy::start_at(port, plain, &["--config", &path("proxy.yaml")]);
    let load = |arguments: &[&str]| {
        std::process::Command::new("curl")
            .args(["-sk", "--fail", "--limit-rate", "200k"])
            .args(arguments)
            .arg(proxy.url("/?[1-400]"))
            .stdout(Stdio::null())
            .spawn()
            .expect("curl")
    };
    let connections = [load(&[]), load(&["-H", "Connection: close"])];

    certificate(&folder.path().join("v2"), "two");
    std::os::unix::fs::symlink("v2", path("..new")).expect("a link");
    fs::rename(path("..new"), path("..data")).expect("renamed");
    until("the new certificate is shown", || {
        let shown = run(
            "sh",
            &[
                "-c",
                &format!(
                    "openssl s_client -connect 127.0.0.1:{port} </dev/null 2>/dev/null | openssl x509 -noout -subject"
                ),
            ],
        );
        shown.contains("two")
    });
    config("second");
    until("the new configuration is in use", || {
        curl(&["-I", &proxy.url("/")]).contains("X-Title: second")
    });
    // What is no good changes nothing.
    fs::write(path("v2/tls.key"), "no key").expect("a file");
    proxy.until_said("the last good files stay in use");
    fs::write(
        path("proxy.yaml"),
        "apiVersion: pillion/v1\nlisteners: {}\n",
    )
    .expect("a file");
    proxy.until_said("the last good one stays in use");
    assert!(curl(&["-I", &proxy.url("/")]).contains("X-Title: second"));
    let metrics = curl(&[&proxy.page("/metrics")]);
    assert!(
        metrics.contains("pillion_proxy_config_last_reload_successful 0\n"),
        "{metrics}"
    );
    assert!(
        metrics.contains(
            "pillion_proxy_certificate_reload_failures{of=\"listener\",name=\"web\"} 1\n"
        ),
        "{metrics}"
    );
    for mut connection in connections {
        assert!(
            connection.wait().expect("curl").success(),
            "a request failed"
        );
    }
    let (code, out, err) = proxy.end();
    assert_eq!(code, Some(0), "{err}");
    for line in out.lines() {
        assert!(line.contains("\"status\":200"), "{line}");
    }
    assert!(out.lines().count() >= 800, "{}", out.lines().count());
}

#[test]
fn an_address_that_is_no_longer_configured_is_closed_and_a_new_one_opened() {
    let app = App::start();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("proxy.yaml");
    let (first, second, plain) = (free_port(), free_port(), free_port());
    let config = |port: u16| {
        let text = format!(
            "apiVersion: pillion/v1\nlisteners: [{{name: web, port: {port}, protocol: HTTP}}]\n\
             backends: [{{name: app, endpoints: [\"{}\"]}}]\nroutes: [{{rules: [{{backendRefs: [{{name: app}}]}}]}}]\n\
             telemetry: {{admin: None, metrics: \"127.0.0.1:{plain}\"}}\n",
            app.at()
        );
        fs::write(&file, text).expect("a file");
    };
    config(first);
    let mut proxy = Proxy::start_at(first, plain, &["--config", &file.display().to_string()]);
    let at = |port: u16| format!("http://127.0.0.1:{port}/");
    assert_eq!(curl(&[&at(first)]), "hello\n");
    config(second);
    proxy.hang_up();
    proxy.until_said("the new configuration is in use");
    assert_eq!(curl(&[&at(second)]), "hello\n");
    until("the old address is closed", || {
        let asked = std::process::Command::new("curl")
            .args(["-s", &at(first)])
            .output();
        asked.expect("curl").status.code() == Some(7)
    });
    assert_eq!(proxy.end().0, Some(0));
}

#[test]
fn what_is_not_carried_out_is_refused_and_so_is_a_port_in_use() {
    let refused = |arguments: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_pillion"))
            .arg("proxy")
            .args(arguments)
            .args(["--metrics", "None", "--admin", "None"])
            .output()
            .expect("the program");
        let err = String::from_utf8(output.stderr).expect("text");
        (output.status.code(), err)
    };
    let (code, err) = refused(&[
        "--listen",
        ":8443",
        "--self-signed",
        "--to",
        "h2c://localhost:80",
    ]);
    assert_eq!(code, Some(2), "{err}");
    assert!(err.contains("HTTP/2 to backends"), "{err}");
    let held = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = held.local_addr().expect("an address").to_string();
    let (code, err) = refused(&["--listen", &taken, "--to", "localhost:80"]);
    assert_eq!(code, Some(1), "{err}");
    assert!(err.contains(&format!("listen on {taken}")), "{err}");
    drop(held);
}
