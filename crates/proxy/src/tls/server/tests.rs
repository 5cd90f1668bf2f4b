use std::process::Stdio;
use std::time::SystemTime;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::super::store::{Reload, Store};
use super::super::testing::*;
use super::*;

/// Accepts one connection, says what it learned, and answers `length` bytes with themselves.
async fn echo(
    server: &Server,
    listener: &tokio::net::TcpListener,
    length: usize,
) -> Result<Arc<Facts>, HandshakeError> {
    let (socket, _) = listener.accept().await.unwrap();
    let mut transport = server.accept(Transport::tcp(socket)).await?;
    let bytes = read(&mut transport, length).await.unwrap();
    write(&mut transport, &[&bytes]).await.unwrap();
    finish(&mut transport).await;
    Ok(transport.facts().tls.clone().unwrap())
}

/// What `openssl s_client` says when it is answered once, and what the server learned.
async fn s_client(
    server: &Server,
    arguments: &[&str],
) -> (String, Result<Arc<Facts>, HandshakeError>) {
    let (listener, address) = listen().await;
    let mut all = vec!["s_client", "-connect", &address, "-ign_eof"];
    all.extend(arguments);
    let (output, facts) =
        tokio::join!(run("openssl", &all, b"hello\n"), echo(server, &listener, 6));
    (text(&output), facts)
}

fn with_clients(
    directory: &Directory,
    authority: &Authority,
    required: bool,
    names: &[&str],
) -> Store<Server> {
    let pair = directory.pair("tls", &authority.issue(&["app.test"]));
    let mut options = server_options(vec![Source::Files(pair)]);
    options.client = Some(ClientValidation {
        required,
        authorities: vec![directory.write("clients.pem", &authority.pem())],
        subject_alt_names: names.iter().map(|name| name.parse().unwrap()).collect(),
    });
    Store::open(options, SystemTime::now()).unwrap()
}

#[tokio::test]
async fn openssl_is_answered_by_both_versions() {
    let (authority, directory) = (Authority::new("root"), Directory::new());
    let server = server(&directory, &authority, &["app.test"]);
    let ca = directory.write("ca.pem", &authority.pem());
    let ca = ca.to_str().unwrap();
    for (flag, version) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
        let arguments = [
            flag,
            "-CAfile",
            ca,
            "-servername",
            "App.Test",
            "-alpn",
            "h2,http/1.1",
            "-verify_hostname",
            "app.test",
        ];
        let (said, facts) = s_client(server.current(), &arguments).await;
        assert!(
            said.contains("Verify return code: 0 (ok)") && said.contains("\nhello\n"),
            "{said}"
        );
        assert!(said.contains("ALPN protocol: h2"), "{said}");
        let facts = facts.unwrap();
        assert_eq!(
            (facts.version, facts.alpn.as_deref(), facts.resumed),
            (version, Some("h2"), false)
        );
        assert_eq!(facts.server_name.as_deref(), Some("app.test"));
        assert!(
            facts.cipher_suite.starts_with("TLS_"),
            "{}",
            facts.cipher_suite
        );
        assert_eq!(facts.certificate.as_ref().unwrap().names, ["app.test"]);
        assert!(facts.peer.is_none());
    }
    let (said, facts) =
        s_client(server.current(), &["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]).await;
    assert!(said.contains("alert"), "{said}");
    assert_eq!(facts.unwrap_err().reason(), "incompatible");
    let (said, facts) = s_client(server.current(), &["-alpn", "spdy/3"]).await;
    assert!(said.contains("alert no application protocol"), "{said}");
    assert_eq!(facts.unwrap_err().reason(), "incompatible");
    let (_, facts) = s_client(server.current(), &[]).await;
    assert_eq!(facts.unwrap().alpn, None);
}

#[tokio::test]
async fn openssl_resumes_and_updates_its_keys() {
    let (authority, directory) = (Authority::new("root"), Directory::new());
    let server = server(&directory, &authority, &["app.test"]);
    let session = directory.path("session");
    let session = session.to_str().unwrap();
    for flag in ["-tls1_2", "-tls1_3"] {
        let (said, facts) = s_client(server.current(), &[flag, "-sess_out", session]).await;
        assert!(!facts.unwrap().resumed, "{said}");
        let (said, facts) = s_client(server.current(), &[flag, "-sess_in", session]).await;
        assert!(said.contains("Reused, TLSv1."), "{said}");
        assert!(facts.unwrap().resumed);
    }
    // `K` asks for new keys in both directions, `k` changes only the client's; each is a command if it is read alone.
    let (listener, address) = listen().await;
    let mut command = tokio::process::Command::new("openssl");
    command
        .args(["s_client", "-connect", &address])
        .kill_on_drop(true);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let client = async {
        let mut child = command.spawn().unwrap();
        let (mut stdin, mut stderr) = (child.stdin.take().unwrap(), child.stderr.take().unwrap());
        for command in [&b"K\n"[..], b"k\n"] {
            stdin.write_all(command).await.unwrap();
            let mut said = Vec::new();
            while !said.ends_with(b"KEYUPDATE\n") {
                said.push(stderr.read_u8().await.unwrap());
            }
        }
        stdin.write_all(b"hello\n").await.unwrap();
        let mut said = String::new();
        child
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .await
            .unwrap();
        said
    };
    let (said, facts) = tokio::join!(client, echo(server.current(), &listener, 6));
    facts.unwrap();
    assert!(said.contains("\nhello\n"), "{said}");
}

#[tokio::test]
async fn the_certificate_follows_the_server_name_and_the_clients_signatures() {
    let (authority, directory) = (Authority::new("root"), Directory::new());
    let (begin, end) = (SystemTime::now() - DAY, SystemTime::now() + DAY);
    let rsa = authority.issue_with(&["one.test"], &rcgen::PKCS_RSA_SHA256, begin, end);
    let server = Store::<Server>::open(
        server_options(vec![
            Source::Files(directory.pair("one", &authority.issue(&["one.test"]))),
            Source::Files(directory.pair("one-rsa", &rsa)),
            Source::Files(directory.pair("wild", &authority.issue(&["*.wild.test"]))),
            Source::Files(directory.pair("exact", &authority.issue(&["exact.wild.test"]))),
            Source::SelfSigned(vec!["dev.test".into()]),
        ]),
        SystemTime::now(),
    )
    .unwrap();
    for (name, source) in [
        ("one.test", "one.crt"),
        ("ONE.test", "one.crt"),
        ("a.wild.test", "wild.crt"),
        ("exact.wild.test", "exact.crt"),
        ("a.b.wild.test", "one.crt"),
        ("wild.test", "one.crt"),
        ("unknown.test", "one.crt"),
        ("dev.test", "self-signed"),
    ] {
        let facts = s_client(server.current(), &["-servername", name])
            .await
            .1
            .unwrap();
        let shown = &facts.certificate.as_ref().unwrap().source;
        assert!(shown.ends_with(source), "{name}: {shown}");
    }
    for arguments in [
        &["-servername", "one.test", "-sigalgs", "RSA-PSS+SHA256"][..],
        &["-noservername", "-sigalgs", "RSA-PSS+SHA256"],
    ] {
        let facts = s_client(server.current(), arguments).await.1.unwrap();
        assert!(
            facts
                .certificate
                .as_ref()
                .unwrap()
                .source
                .ends_with("one-rsa.crt")
        );
    }
}

#[tokio::test]
async fn clients_are_asked_for_certificates_as_configured() {
    let (authority, directory) = (Authority::new("root"), Directory::new());
    let good = directory.pair("good", &authority.issue(&["spiffe://td/ns/a/sa/app"]));
    let other = directory.pair("other", &authority.issue(&["spiffe://td/ns/b/sa/app"]));
    let forged = directory.pair(
        "forged",
        &Authority::new("root").issue(&["spiffe://td/ns/a/sa/app"]),
    );
    let arguments = |pair: &Pair| {
        [
            pair.certificate.display().to_string(),
            pair.key.display().to_string(),
        ]
    };
    let required = with_clients(&directory, &authority, true, &["spiffe://td/ns/a/*"]);
    let optional = with_clients(&directory, &authority, false, &["spiffe://td/ns/a/*"]);
    for flag in ["-tls1_2", "-tls1_3"] {
        for store in [&required, &optional] {
            let [certificate, key] = arguments(&good);
            let (said, facts) = s_client(
                store.current(),
                &[flag, "-cert", &certificate, "-key", &key],
            )
            .await;
            let facts = facts.unwrap_or_else(|error| panic!("{error} {said}"));
            assert_eq!(
                facts.peer.as_ref().unwrap().spiffe_id(),
                Some("spiffe://td/ns/a/sa/app")
            );

            let [certificate, key] = arguments(&other);
            let (said, facts) = s_client(
                store.current(),
                &[flag, "-cert", &certificate, "-key", &key],
            )
            .await;
            assert_eq!(facts.unwrap_err().reason(), "peer_certificate");
            assert!(said.contains("alert access denied"), "{said}");

            let [certificate, key] = arguments(&forged);
            let (said, facts) = s_client(
                store.current(),
                &[flag, "-cert", &certificate, "-key", &key],
            )
            .await;
            assert_eq!(facts.unwrap_err().reason(), "peer_certificate");
            assert!(said.contains("alert"), "{said}");
        }
        let (said, facts) = s_client(required.current(), &[flag]).await;
        assert_eq!(facts.unwrap_err().reason(), "no_peer_certificate");
        assert!(said.contains("alert"), "{said}");
        let (_, facts) = s_client(optional.current(), &[flag]).await;
        assert!(facts.unwrap().peer.is_none());
    }
}

#[tokio::test]
async fn connections_live_on_when_certificates_change() {
    let (authority, directory) = (Authority::new("root"), Directory::new());
    let mut server = server(&directory, &authority, &["app.test"]);
    let client = client(&directory, &authority);
    let (ours, theirs) = shake(server.current(), client.current()).await;
    let (mut ours, mut theirs) = (ours.unwrap(), theirs.unwrap());
    directory.pair("tls", &authority.issue(&["app.test"]));
    assert!(matches!(server.reload(SystemTime::now()), Reload::Swapped));
    write(&mut ours, &[b"still here"]).await.unwrap();
    assert_eq!(read(&mut theirs, 10).await.unwrap(), b"still here");
    let old = ours.facts().tls.clone().unwrap();
    assert!(server.current().has_retired(&old));
    let (new, _) = shake(server.current(), client.current()).await;
    let new = new.unwrap().facts().tls.clone().unwrap();
    assert!(!server.current().has_retired(&new));
    assert_eq!(new.certificate.as_ref().unwrap().generation, 2);
}

#[tokio::test]
async fn curl_is_told_in_http_that_the_port_speaks_tls() {
    let (authority, directory) = (Authority::new("root"), Directory::new());
    let server = server(&directory, &authority, &["app.test"]);
    let (listener, address) = listen().await;
    let url = format!("http://{address}/");
    let arguments = ["-sS", "-i", &url];
    let (output, facts) = tokio::join!(
        run("curl", &arguments, b""),
        echo(server.current(), &listener, 1)
    );
    assert_eq!(facts.unwrap_err().reason(), "plain_http");
    let said = text(&output);
    assert!(
        said.starts_with("HTTP/1.1 400 Bad Request") && said.contains("begins with https"),
        "{said}"
    );
}

#[tokio::test]
async fn curl_gets_an_answer_over_tls() {
    let (authority, directory) = (Authority::new("root"), Directory::new());
    let server = server(&directory, &authority, &["app.test"]);
    let ca = directory.write("ca.pem", &authority.pem());
    let (listener, address) = listen().await;
    let port = address.rsplit_once(':').unwrap().1;
    let (url, resolve) = (
        format!("https://app.test:{port}/"),
        format!("app.test:{port}:127.0.0.1"),
    );
    let arguments = [
        "-sS",
        "--http1.1",
        "--cacert",
        ca.to_str().unwrap(),
        "--resolve",
        &resolve,
        &url,
    ];
    let answer = async {
        let (socket, _) = listener.accept().await.unwrap();
        let mut transport = server
            .current()
            .accept(Transport::tcp(socket))
            .await
            .unwrap();
        let head = read(&mut transport, 16).await.unwrap();
        assert!(head.starts_with(b"GET / HTTP/1.1\r\n"));
        let body = vec![b'x'; 200_000];
        write(
            &mut transport,
            &[b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n", &body],
        )
        .await
        .unwrap();
        finish(&mut transport).await;
    };
    let (output, ()) = tokio::join!(run("curl", &arguments, b""), answer);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(output.stdout.len(), 200_000);
}

#[tokio::test]
async fn hostile_beginnings_end_soon_and_with_an_alert() {
    let (authority, directory) = (Authority::new("root"), Directory::new());
    let server = server(&directory, &authority, &["app.test"]);
    let garbage = [0x80; 100_000];
    let hello_of_16_mib = [&b"\x16\x03\x01\x40\x00\x01\xff\xff\xff"[..], &[0; 16_380]].concat();
    let hello_of_60_kib = {
        let message = [&b"\x01\x00\xea\x60"[..], &[0; 60_000]].concat();
        message
            .chunks(16_384)
            .flat_map(|part| [&[22, 3, 1], &(part.len() as u16).to_be_bytes()[..], part].concat())
            .collect::<Vec<_>>()
    };
    let in_bytes = b"\x16\x03\x01\x00\x01\x01".repeat(30_000);
    for bytes in [
        &garbage[..],
        b"\x16\x03\x01\xff\xff",
        &hello_of_16_mib,
        &hello_of_60_kib,
        &in_bytes,
        b"SSH-2.0-x\r\n\r\n",
    ] {
        let (ours, mut theirs) = pair().await;
        let peer = async {
            // It may stop listening while we speak.
            let _ = theirs.write_all(bytes).await;
            let mut said = Vec::new();
            let _ = theirs.read_to_end(&mut said).await;
            said
        };
        let (ended, said) = tokio::join!(server.current().accept(ours), peer);
        let begin = &bytes[..9.min(bytes.len())];
        assert_eq!(
            ended.unwrap_err().reason(),
            "protocol",
            "{}",
            begin.escape_ascii()
        );
        assert_eq!(
            said.get(..5),
            Some(&b"\x15\x03\x03\x00\x02"[..]),
            "{}",
            begin.escape_ascii()
        );
    }
}

#[tokio::test]
async fn a_client_that_is_slow_or_leaves_does_not_stay() {
    let (authority, directory) = (Authority::new("root"), Directory::new());
    let pair_of_files = directory.pair("tls", &authority.issue(&["app.test"]));
    let mut options = server_options(vec![Source::Files(pair_of_files)]);
    options.handshake_timeout = Some(Duration::from_millis(20));
    let server = Store::<Server>::open(options, SystemTime::now()).unwrap();
    for bytes in [&b""[..], b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"] {
        let (ours, mut theirs) = pair().await;
        theirs.write_all(bytes).await.unwrap();
        assert_eq!(
            server.current().accept(ours).await.unwrap_err().reason(),
            "timeout"
        );
        let mut said = Vec::new();
        let _ = theirs.read_to_end(&mut said).await;
    }
    let (ours, mut theirs) = pair().await;
    theirs
        .write_all(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        .await
        .unwrap();
    drop(theirs);
    assert!(matches!(
        server.current().accept(ours).await.unwrap_err().reason(),
        "closed" | "io" | "timeout"
    ));
}
