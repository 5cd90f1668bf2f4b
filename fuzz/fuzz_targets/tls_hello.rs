//! Any first bytes of a client: what is seen of a ClientHello does not change with what follows it, and a handshake that begins with
//! them ends in an error, in bounded time and memory, and never in a panic.

#![no_main]

use std::cell::OnceCell;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use libfuzzer_sys::fuzz_target;
use proxy::tls::Versions;
use proxy::tls::hello;
use proxy::tls::server::{Server, ServerOptions, Source};
use proxy::tls::store::Store;
use proxy::transport::Transport;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::runtime::{Builder, Runtime};

thread_local! {
    static SERVER: OnceCell<(Runtime, Arc<Server>)> = const { OnceCell::new() };
}

fn make() -> (Runtime, Arc<Server>) {
    let options = ServerOptions {
        certificates: vec![Source::SelfSigned(Vec::new())],
        client: None,
        alpn: vec!["h2".into()],
        versions: Versions::From12,
        session_tickets: true,
        handshake_timeout: Some(Duration::from_secs(5)),
    };
    let store = Store::<Server>::open(options, SystemTime::now()).expect("options of the target");
    (Builder::new_current_thread().enable_all().build().expect("a runtime"), store.current().clone())
}

fuzz_target!(|input: (&[u8], u16)| {
    let (bytes, cut) = input;
    let part = &bytes[..usize::from(cut).min(bytes.len())];
    match hello::parse(part) {
        Ok(Some(seen)) => assert_eq!(hello::parse(bytes).ok().flatten(), Some(seen)),
        Ok(None) => {}
        // More bytes can only make another thing wrong, except that HTTP is known by more of its first bytes.
        Err(_) => assert!(hello::parse(bytes).is_err()),
    }
    SERVER.with(|server| {
        let (runtime, server) = server.get_or_init(make);
        runtime.block_on(async {
            let (ours, mut theirs) = UnixStream::pair().expect("a pair of sockets");
            let client = async {
                let _ = theirs.write_all(bytes).await;
                let _ = theirs.shutdown().await;
            };
            let (accepted, ()) = tokio::join!(server.accept(Transport::unix(ours)), client);
            assert!(accepted.is_err());
        });
    });
});
