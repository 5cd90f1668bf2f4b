use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, LocalSet};

use super::*;
use crate::backend::{Endpoint, Options};
use crate::proxy_protocol::Version;

struct Ends {
    client: TcpStream,
    backend: TcpStream,
    piped: JoinHandle<Piped>,
}

async fn ends(idle: Option<Duration>, version: Option<Version>) -> Ends {
    let front = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let app = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut options = Options::new(Endpoint::Address(app.local_addr().unwrap()));
    options.proxy_protocol = version;
    let backend = Backend::new(options);
    let client = TcpStream::connect(front.local_addr().unwrap())
        .await
        .unwrap();
    let transport = Transport::tcp(front.accept().await.unwrap().0);
    let piped = tokio::task::spawn_local(async move { serve(transport, &backend, idle).await });
    Ends {
        client,
        backend: app.accept().await.unwrap().0,
        piped,
    }
}

#[tokio::test]
async fn each_direction_ends_alone() {
    let test = async {
        let Ends {
            mut client,
            mut backend,
            piped,
        } = ends(None, None).await;
        let mut text = String::new();
        // The server speaks first, as SMTP does.
        backend.write_all(b"220 hello").await.unwrap();
        let mut greeting = [0; 9];
        client.read_exact(&mut greeting).await.unwrap();
        client.write_all(b"question").await.unwrap();
        client.shutdown().await.unwrap();
        backend.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "question");
        let answer = vec![b'x'; 3_000_000];
        let (written, read) = tokio::join!(
            async {
                backend.write_all(&answer).await.unwrap();
                backend.shutdown().await.unwrap();
            },
            async {
                let mut all = Vec::new();
                client.read_to_end(&mut all).await.unwrap();
                all
            }
        );
        let () = written;
        assert!(read == answer);
        let piped = piped.await.unwrap();
        assert_eq!(
            piped,
            Piped {
                received: 8,
                sent: 3_000_009,
                failure: None
            }
        );
    };
    LocalSet::new().run_until(test).await;
}

#[tokio::test]
async fn a_reset_is_passed_on() {
    let test = async {
        let Ends {
            client,
            mut backend,
            piped,
        } = ends(None, None).await;
        client.set_zero_linger().unwrap();
        drop(client);
        let error = backend.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        assert_eq!(
            piped.await.unwrap().failure.unwrap().reason,
            Reason::ClientClosed
        );
    };
    LocalSet::new().run_until(test).await;
}

#[tokio::test(start_paused = true)]
async fn silence_ends_it() {
    let test = async {
        let started = tokio::time::Instant::now();
        let Ends {
            mut client,
            mut backend,
            piped,
        } = ends(Some(Duration::from_secs(60)), None).await;
        tokio::time::sleep(Duration::from_secs(50)).await;
        client.write_all(b"still here").await.unwrap();
        let mut text = [0; 10];
        backend.read_exact(&mut text).await.unwrap();
        assert_eq!(
            piped.await.unwrap().failure.unwrap().reason,
            Reason::IdleTimeout
        );
        assert_eq!(started.elapsed().as_secs(), 110);
    };
    LocalSet::new().run_until(test).await;
}

#[tokio::test]
async fn the_backend_is_told_the_clients_address_first() {
    let test = async {
        for version in [Version::V1, Version::V2] {
            let Ends {
                mut client,
                mut backend,
                ..
            } = ends(None, Some(version)).await;
            client.write_all(b"hi").await.unwrap();
            client.shutdown().await.unwrap();
            let mut all = Vec::new();
            backend.read_to_end(&mut all).await.unwrap();
            let (own, peer) = (client.local_addr().ok(), client.peer_addr().ok());
            let mut expected = crate::proxy_protocol::encode(version, own, peer);
            expected.extend_from_slice(b"hi");
            assert_eq!(all, expected);
        }
    };
    LocalSet::new().run_until(test).await;
}
