//! Any bytes as a SPDY connection, plain or in a WebSocket: no panic, nothing but the end of it, and no more held than
//! is bounded.

#![no_main]

use libfuzzer_sys::fuzz_target;
use streaming::spdy::{Connection, Decoder, Transport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fuzz_target!(|bytes: &[u8]| {
    let Some((&first, bytes)) = bytes.split_first() else { return };
    decode(bytes, usize::from(first >> 1).max(1));
    let transport = if first & 1 == 0 { Transport::Plain } else { Transport::WebSocket };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(serve(bytes.to_vec(), transport));
});

fn decode(bytes: &[u8], part: usize) {
    let mut decoder = Decoder::default();
    for part in bytes.chunks(part) {
        decoder.buffer().extend_from_slice(part);
        loop {
            match decoder.event() {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(_) => return,
            }
        }
        assert!(decoder.buffer().len() <= (16 << 10) + 8 + part.len());
    }
}

/// Takes all streams, echoes the first bytes of each, and drops it.
async fn serve(bytes: Vec<u8>, transport: Transport) {
    let (mut client, server) = tokio::io::duplex(1 << 10);
    let mut connection = Connection::serve(server, transport);
    let send = async move {
        let (mut reader, mut writer) = tokio::io::split(&mut client);
        let mut sink = tokio::io::sink();
        let discard = tokio::io::copy(&mut reader, &mut sink);
        tokio::select! {
            _ = discard => {}
            // The server may have had enough.
            _ = writer.write_all(&bytes) => {}
        }
    };
    let receive = async move {
        while let Some(mut stream) = connection.accept().await {
            tokio::spawn(async move {
                let mut buffer = [0; 16];
                if let Ok(length) = stream.reader.read(&mut buffer).await {
                    let _ = stream.writer.write_all(&buffer[..length]).await;
                }
            });
        }
    };
    tokio::join!(send, receive);
}
