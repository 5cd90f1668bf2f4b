use std::time::SystemTime;

use super::super::server::{ClientValidation, Server, Source};
use super::super::store::Store;
use super::super::testing::*;
use super::*;

/// A client with the options of the usual one, changed.
fn changed(
    directory: &Directory,
    authority: &Authority,
    change: impl FnOnce(&mut ClientOptions),
) -> Store<Client> {
    let mut options = client_options(&directory.write("believed.pem", &authority.pem()));
    change(&mut options);
    Store::open(options, SystemTime::now()).unwrap()
}

#[tokio::test]
async fn a_server_has_to_be_vouched_for_under_its_name() {
    let (authority, directory) = (Authority::new("root"), Directory::new());
    let good = server(
        &directory,
        &authority,
        &["app.test", "spiffe://td/ns/a/sa/app"],
    );
    let client = client(&directory, &authority);
    let (ours, theirs) = shake(good.current(), client.current()).await;
    let facts = theirs.unwrap().facts().tls.clone().unwrap();
    assert_eq!(facts.version, "TLSv1.3");
    assert_eq!(facts.group, Some("X25519MLKEM768"));
    assert_eq!(facts.peer.as_ref().unwrap().dns, ["app.test"]);
    assert_eq!(
        facts.peer.as_ref().unwrap().spiffe_id(),
        Some("spiffe://td/ns/a/sa/app")
    );
    assert_eq!(
        ours.unwrap()
            .facts()
            .tls
            .as_ref()
            .unwrap()
            .server_name
            .as_deref(),
        Some("app.test")
    );

    let stranger = changed(&directory, &Authority::new("other"), |_| ());
    let (ours, theirs) = shake(good.current(), stranger.current()).await;
    assert_eq!(theirs.unwrap_err().reason(), "peer_certificate");
    assert_eq!(ours.unwrap_err().reason(), "refused");

    let elsewhere = server(&directory, &authority, &["other.test"]);
    let (_, theirs) = shake(elsewhere.current(), client.current()).await;
    let said = theirs.unwrap_err().to_string();
    assert!(
        said.contains("app.test") && said.contains("other.test"),
        "{said}"
    );
}

#[tokio::test]
async fn names_can_be_given_instead_of_the_hosts() {
    let (authority, directory) = (Authority::new("root"), Directory::new());
    let server = server(
        &directory,
        &authority,
        &["other.test", "spiffe://td/ns/a/sa/app"],
    );
    let connect = async |change: &dyn Fn(&mut ClientOptions)| {
        let client = changed(&directory, &authority, change);
        let (ours, theirs) = shake(server.current(), client.current()).await;
        let sni = ours
            .ok()
            .and_then(|ours| ours.facts().tls.as_ref()?.server_name.clone());
        theirs.map(|_| sni)
    };
    let hostname = connect(&|options| options.hostname = Some("other.test".into())).await;
    assert_eq!(hostname.unwrap().as_deref(), Some("other.test"));
    let pattern = |pattern: &str| vec![pattern.parse().unwrap()];
    let fits = connect(&|options| options.subject_alt_names = pattern("spiffe://td/ns/a/*")).await;
    assert_eq!(fits.unwrap().as_deref(), Some("app.test"));
    let other = connect(&|options| options.subject_alt_names = pattern("spiffe://td/ns/b/*")).await;
    assert_eq!(other.unwrap_err().reason(), "peer_certificate");
    let anybody = connect(&|options| options.trust = Trust::Anybody).await;
    anybody.unwrap();
}

#[tokio::test]
async fn addresses_are_hosts_too() {
    let (authority, directory) = (Authority::new("root"), Directory::new());
    let server = server(&directory, &authority, &["127.0.0.1"]);
    let client = client(&directory, &authority);
    for (host, fits) in [
        ("127.0.0.1", true),
        ("127.0.0.2", false),
        ("[::1]", false),
        ("app.test", false),
    ] {
        let (ours, theirs) = pair().await;
        let (_, connected) = tokio::join!(
            server.current().accept(ours),
            client.current().connect(Transport::tcp(theirs), Some(host))
        );
        assert_eq!(connected.is_ok(), fits, "{host}");
    }
    let (_ours, theirs) = pair().await;
    let nonsense = client
        .current()
        .connect(Transport::tcp(theirs), Some("no host"))
        .await;
    assert!(nonsense.unwrap_err().to_string().contains("no host"));
}

#[tokio::test]
async fn a_session_is_resumed_until_the_server_no_longer_lets_one_in() {
    let (authority, directory) = (Authority::new("root"), Directory::new());
    let ca = directory.write("clients.pem", &authority.pem());
    let pair = directory.pair("tls", &authority.issue(&["app.test"]));
    let mut options = server_options(vec![Source::Files(pair)]);
    options.client = Some(ClientValidation {
        required: true,
        authorities: vec![ca],
        subject_alt_names: vec![],
    });
    let mut server = Store::<Server>::open(options, SystemTime::now()).unwrap();
    let own = directory.pair("own", &authority.issue(&["spiffe://td/ns/a/sa/caller"]));
    let client = changed(&directory, &authority, |options| {
        options.certificate = Some(own);
    });

    // Tickets come with the server's first bytes.
    let exchange = async |server: &Server| {
        let (ours, theirs) = shake(server, client.current()).await;
        let (mut ours, mut theirs) = (ours?, theirs?);
        write(&mut ours, &[b"hello"]).await.unwrap();
        assert_eq!(read(&mut theirs, 5).await.unwrap(), b"hello");
        let facts = ours.facts().tls.clone().unwrap();
        assert_eq!(
            facts.peer.as_ref().unwrap().spiffe_id(),
            Some("spiffe://td/ns/a/sa/caller")
        );
        assert_eq!(theirs.facts().tls.as_ref().unwrap().resumed, facts.resumed);
        Ok::<bool, HandshakeError>(facts.resumed)
    };
    assert!(!exchange(server.current()).await.unwrap());
    assert!(exchange(server.current()).await.unwrap());

    // Another certificate of the server's: sessions go on, the connections of the old one are known.
    let (old, _) = shake(server.current(), client.current()).await;
    let old = old.unwrap().facts().tls.clone().unwrap();
    assert!(!server.current().has_retired(&old));
    directory.pair("tls", &authority.issue(&["app.test"]));
    server.reload(SystemTime::now());
    assert!(server.current().has_retired(&old));
    assert!(exchange(server.current()).await.unwrap());

    // Another authority for clients: the old session does not help.
    directory.write("clients.pem", &Authority::new("other").pem());
    server.reload(SystemTime::now());
    assert_eq!(server.status(SystemTime::now()).generation, 3);
    let refused = shake(server.current(), client.current()).await.0;
    assert!(matches!(
        refused.unwrap_err().reason(),
        "peer_certificate" | "no_peer_certificate"
    ));
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    let (authority, directory) = (Authority::new("root"), Directory::new());
    let client = changed(&directory, &authority, |options| {
        options.handshake_timeout = Some(Duration::from_millis(10));
    });
    let (_ours, theirs) = pair().await;
    let ended = client
        .current()
        .connect(Transport::tcp(theirs), Some("app.test"))
        .await;
    assert_eq!(ended.unwrap_err().reason(), "timeout");
}

#[tokio::test]
async fn openssl_as_a_server_is_spoken_to() {
    let (authority, directory) = (Authority::new("root"), Directory::new());
    let issued = directory.pair("tls", &authority.issue(&["app.test"]));
    let own = directory.pair("own", &authority.issue(&["caller.test"]));
    let ca = directory.write("ca.pem", &authority.pem());
    for version in ["-tls1_2", "-tls1_3"] {
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let mut command = tokio::process::Command::new("openssl");
        command.args([
            "s_server",
            "-rev",
            version,
            "-Verify",
            "1",
            "-verify_return_error",
            "-alpn",
            "h2",
            "-accept",
        ]);
        command
            .arg(port.to_string())
            .arg("-cert")
            .arg(&issued.certificate)
            .arg("-key")
            .arg(&issued.key)
            .arg("-CAfile")
            .arg(&ca);
        command
            .kill_on_drop(true)
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null());
        let _server = command.stderr(std::process::Stdio::null()).spawn().unwrap();
        let client = changed(&directory, &authority, |options| {
            options.certificate = Some(own.clone());
            options.alpn = vec!["http/1.1".into(), "h2".into()];
        });
        let socket = loop {
            match tokio::net::TcpStream::connect(port).await {
                Ok(socket) => break socket,
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        };
        let mut transport = client
            .current()
            .connect(Transport::tcp(socket), Some("app.test"))
            .await
            .unwrap();
        let facts = transport.facts().tls.clone().unwrap();
        assert_eq!(facts.alpn.as_deref(), Some("h2"), "{version}");
        write(&mut transport, &[b"turn ", b"around\n"])
            .await
            .unwrap();
        assert_eq!(
            read(&mut transport, 12).await.unwrap(),
            b"dnuora nrut\n",
            "{version}"
        );
    }
}

#[tokio::test]
async fn without_tickets_nothing_is_resumed() {
    let (authority, directory) = (Authority::new("root"), Directory::new());
    let pair = directory.pair("tls", &authority.issue(&["app.test"]));
    let mut options = server_options(vec![Source::Files(pair)]);
    options.session_tickets = false;
    let server = Store::<Server>::open(options, SystemTime::now()).unwrap();
    for versions in [Versions::From12, Versions::Only13] {
        let client = changed(&directory, &authority, |options| {
            options.versions = versions;
        });
        for _ in 0..3 {
            let (ours, theirs) = shake(server.current(), client.current()).await;
            let (mut ours, mut theirs) = (ours.unwrap(), theirs.unwrap());
            write(&mut ours, &[b"x"]).await.unwrap();
            read(&mut theirs, 1).await.unwrap();
            assert!(!ours.facts().tls.as_ref().unwrap().resumed);
        }
    }
}

#[tokio::test]
async fn without_a_host_a_certificate_has_to_fit_the_given_names() {
    let (authority, directory) = (Authority::new("root"), Directory::new());
    let server = server(
        &directory,
        &authority,
        &["app.test", "spiffe://td/ns/a/sa/app"],
    );
    for (names, fits) in [
        (vec!["spiffe://td/ns/a/sa/app"], true),
        (vec!["spiffe://td/other"], false),
        (vec![], false),
    ] {
        let client = changed(&directory, &authority, |options| {
            options.subject_alt_names = names.iter().map(|name| name.parse().unwrap()).collect();
        });
        let (ours, theirs) = pair().await;
        let (accepted, connected) = tokio::join!(
            server.current().accept(ours),
            client.current().connect(Transport::tcp(theirs), None)
        );
        assert_eq!(connected.is_ok(), fits, "{names:?}");
        assert_eq!(accepted.is_ok(), fits, "{names:?}");
        if let Ok(accepted) = accepted {
            assert_eq!(accepted.facts().tls.as_ref().unwrap().server_name, None);
        }
    }
}

#[tokio::test]
async fn certificates_longer_than_a_record_are_taken() {
    let (authority, directory) = (Authority::new("root"), Directory::new());
    let names: Vec<String> = (0..1000)
        .map(|number| format!("name-{number}.long.app.test"))
        .collect();
    let names: Vec<&str> = ["app.test"]
        .into_iter()
        .chain(names.iter().map(String::as_str))
        .collect();
    let ca = directory.write("clients.pem", &authority.pem());
    let pair = directory.pair("tls", &authority.issue(&names));
    let mut options = server_options(vec![Source::Files(pair.clone())]);
    options.client = Some(ClientValidation {
        required: true,
        authorities: vec![ca],
        subject_alt_names: vec![],
    });
    let server = Store::<Server>::open(options, SystemTime::now()).unwrap();
    let client = changed(&directory, &authority, |options| {
        options.certificate = Some(pair);
    });
    for _ in 0..2 {
        let (ours, theirs) = shake(server.current(), client.current()).await;
        let (mut ours, mut theirs) = (ours.unwrap(), theirs.unwrap());
        write(&mut ours, &[b"x"]).await.unwrap();
        assert_eq!(read(&mut theirs, 1).await.unwrap(), b"x");
        assert_eq!(
            ours.facts()
                .tls
                .as_ref()
                .unwrap()
                .peer
                .as_ref()
                .unwrap()
                .dns
                .len(),
            1001
        );
    }
}
