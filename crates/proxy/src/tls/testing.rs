//! Authorities, certificates, files and peers for the tests.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, SanType, SignatureAlgorithm,
};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;

use super::client::{Client, ClientOptions, Trust};
use super::server::{Server, ServerOptions, Source};
use super::store::Store;
use super::{HandshakeError, Pair, Versions};
use crate::buffer::{Buffer, Size};
use crate::transport::Transport;

pub(super) const DAY: Duration = Duration::from_secs(86_400);
pub(super) const LONG: Duration = Duration::from_secs(20);

/// Someone who signs certificates.
pub(super) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate that was issued, as PEM.
pub(super) struct Issued {
    pub(super) certificate: String,
    pub(super) key: String,
}

impl Authority {
    pub(super) fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(ca(name), key).unwrap())
    }

    /// An authority below this one.
    pub(super) fn below(&self, name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::signed_by(ca(name), key, &self.0).unwrap())
    }

    pub(super) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for now, with a key of its own.
    pub(super) fn issue(&self, names: &[&str]) -> Issued {
        self.issue_with(
            names,
            &rcgen::PKCS_ECDSA_P256_SHA256,
            SystemTime::now() - DAY,
            SystemTime::now() + 30 * DAY,
        )
    }

    pub(super) fn issue_with(
        &self,
        names: &[&str],
        algorithm: &'static SignatureAlgorithm,
        begin: SystemTime,
        end: SystemTime,
    ) -> Issued {
        let mut params = CertificateParams::default();
        params.subject_alt_names = names.iter().map(|name| san(name)).collect();
        params.distinguished_name.push(DnType::CommonName, names[0]);
        params.not_before = begin.into();
        params.not_after = end.into();
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        let key = KeyPair::generate_for(algorithm).unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Issued {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        }
    }
}

fn ca(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn san(name: &str) -> SanType {
    if name.contains("://") {
        SanType::URI(name.try_into().unwrap())
    } else if let Ok(address) = name.parse() {
        SanType::IpAddress(address)
    } else {
        SanType::DnsName(name.try_into().unwrap())
    }
}

/// A directory with files, gone at the end of the test.
pub(super) struct Directory(tempfile::TempDir);

impl Directory {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(super) fn write(&self, name: &str, contents: &str) -> PathBuf {
        std::fs::write(self.path(name), contents).unwrap();
        self.path(name)
    }

    /// Writes `NAME.crt` and `NAME.key`.
    pub(super) fn pair(&self, name: &str, issued: &Issued) -> Pair {
        Pair {
            certificate: self.write(&format!("{name}.crt"), &issued.certificate),
            key: self.write(&format!("{name}.key"), &issued.key),
        }
    }
}

pub(super) fn server_options(certificates: Vec<Source>) -> ServerOptions {
    ServerOptions {
        certificates,
        client: None,
        alpn: vec!["h2".into(), "http/1.1".into()],
        session_tickets: true,
        versions: Versions::From12,
        handshake_timeout: Some(LONG),
    }
}

pub(super) fn client_options(authorities: &Path) -> ClientOptions {
    ClientOptions {
        trust: Trust::Authorities(vec![authorities.to_owned()]),
        hostname: None,
        subject_alt_names: Vec::new(),
        certificate: None,
        alpn: Vec::new(),
        versions: Versions::From12,
        handshake_timeout: Some(LONG),
    }
}

/// A listening socket and its address.
pub(super) async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

/// Two ends of a connection.
pub(super) async fn pair() -> (Transport, TcpStream) {
    let (listener, address) = listen().await;
    let client = TcpStream::connect(address).await.unwrap();
    (Transport::tcp(listener.accept().await.unwrap().0), client)
}

/// Runs a program to its end, with `input`.
pub(super) async fn run(program: &str, arguments: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new(program);
    command.args(arguments).kill_on_drop(true);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A peer that ends before it has read everything is no failure of the test's.
    let _ = stdin.write_all(input).await;
    drop(stdin);
    tokio::time::timeout(LONG, child.wait_with_output())
        .await
        .expect("the program ends")
        .unwrap()
}

/// Both outputs of a program as text.
pub(super) fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Writes all of `slices`, as one call of the protocols does.
pub(super) async fn write(transport: &mut Transport, slices: &[&[u8]]) -> io::Result<()> {
    let mut slices: Vec<_> = slices.iter().map(|slice| IoSlice::new(slice)).collect();
    let mut rest = &mut slices[..];
    while rest.iter().any(|slice| !slice.is_empty()) {
        let count = poll_fn(|cx| transport.poll_write_vectored(cx, rest)).await?;
        assert!(count > 0, "a write of nothing");
        IoSlice::advance_slices(&mut rest, count);
    }
    poll_fn(|cx| transport.poll_flush(cx)).await
}

/// Reads `length` bytes, or all there are before the end.
pub(super) async fn read(transport: &mut Transport, length: usize) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    while all.len() < length {
        let mut buffer = Buffer::new();
        match poll_fn(|cx| transport.poll_read(cx, &mut buffer, Size::Large)).await? {
            0 => break,
            _ => all.extend_from_slice(buffer.bytes()),
        }
    }
    Ok(all)
}

/// Says that nothing more will come.
pub(super) async fn finish(transport: &mut Transport) {
    poll_fn(|cx| transport.poll_shutdown(cx)).await.unwrap();
}

/// A store of a server with one certificate for `names` of `authority`.
pub(super) fn server(
    directory: &Directory,
    authority: &Authority,
    names: &[&str],
) -> Store<Server> {
    let pair = directory.pair("tls", &authority.issue(names));
    Store::open(server_options(vec![Source::Files(pair)]), SystemTime::now()).unwrap()
}

/// A store of a client that believes `authority`.
pub(super) fn client(directory: &Directory, authority: &Authority) -> Store<Client> {
    let path = directory.write("believed.pem", &authority.pem());
    Store::open(client_options(&path), SystemTime::now()).unwrap()
}

/// Both ends of a connection to the host `app.test`, or what went wrong at the server and at the client.
pub(super) async fn shake(
    server: &Server,
    client: &Client,
) -> (
    Result<Transport, HandshakeError>,
    Result<Transport, HandshakeError>,
) {
    let (ours, theirs) = pair().await;
    tokio::join!(
        server.accept(ours),
        client.connect(Transport::tcp(theirs), Some("app.test"))
    )
}
