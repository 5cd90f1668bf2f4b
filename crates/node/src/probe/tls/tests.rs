//! A server with a certificate that nobody should trust: it has expired, is signed by itself and is another host's.

use std::time::Duration;

use lifecycle::ProbeOutcome;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::probe::http::{HttpRequest, probe};

const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\n\
MIIBqzCCAVGgAwIBAgIUUd63l+8Xto5MI+dsCWWULlsLstAwCgYIKoZIzj0EAwIw\n\
HDEaMBgGA1UEAwwRZWxzZXdoZXJlLmludmFsaWQwHhcNMjYxMTIwMjAxNjI1WhcN\n\
MjYxMTIxMjAxNjI1WjAcMRowGAYDVQQDDBFlbHNld2hlcmUuaW52YWxpZDBZMBMG\n\
ByqGSM49AgEGCCqGSM49AwEHA0IABBC40Bk7lUQFEN55Z8HsoXeXdkSBorwUA3Cp\n\
XhKj6EWiq4N8GLGT1y9Xe4bL6cdpsWfn0m7QZ2I/6i0D17Jj9lujcTBvMB0GA1Ud\n\
DgQWBBQc2OfThIE6BdqLQJRbHvUxceEzlTAfBgNVHSMEGDAWgBQc2OfThIE6BdqL\n\
QJRbHvUxceEzlTAPBgNVHRMBAf8EBTADAQH/MBwGA1UdEQQVMBOCEWVsc2V3aGVy\n\
ZS5pbnZhbGlkMAoGCCqGSM49BAMCA0gAMEUCID1R1fPUPyebdvrYwoG/jJ2xKKYZ\n\
w0tFkXYbPsnA/H91AiEA2mayzGGoXOmqqB5wjyWzSZfNXXEPMZcKP5p0Un+c7EE=\n\
-----END CERTIFICATE-----\n";
const KEY: &str = "-----BEGIN PRIVATE KEY-----\n\
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgRkU1r68rGyNsAqBT\n\
plWIbfJgBYLB2Do5Zoo/p11LepqhRANCAAQQuNAZO5VEBRDeeWfB7KF3l3ZEgaK8\n\
FANwqV4So+hFoquDfBixk9cvV3uGy+nHabFn59Ju0GdiP+otA9eyY/Zb\n\
-----END PRIVATE KEY-----\n";

/// A port behind which one request is answered over TLS.
async fn server(reply: &'static str) -> u16 {
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).expect("certificate");
    let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).expect("key");
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("certificate and key");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let port = listener.local_addr().expect("address").port();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("accept");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let mut stream = acceptor.accept(stream).await.expect("handshake");
        let _ = stream.read(&mut [0; 4096]).await.expect("a request");
        stream.write_all(reply.as_bytes()).await.expect("an answer");
        let _ = stream.shutdown().await;
    });
    port
}

async fn outcome(reply: &'static str) -> ProbeOutcome {
    let request = HttpRequest {
        https: true,
        host: "127.0.0.1".into(),
        port: server(reply).await,
        path: "/".into(),
        headers: Vec::new(),
        agent: "kube-probe",
    };
    probe(&request, Duration::from_secs(10)).await.outcome
}

#[tokio::test]
async fn r6_7_no_certificate_is_verified() {
    let good = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(outcome(good).await, ProbeOutcome::Success);
    let bad = "HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(outcome(bad).await, ProbeOutcome::Failure);
}
