use std::future::poll_fn;
use std::io::IoSlice;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UnixStream};

use super::*;

async fn pair() -> (Transport, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap())
        .await
        .unwrap();
    (Transport::tcp(listener.accept().await.unwrap().0), client)
}

async fn read(transport: &mut Transport, into: &mut Buffer) -> usize {
    poll_fn(|cx| transport.poll_read(cx, into, Size::Small))
        .await
        .unwrap()
}

#[tokio::test]
async fn bytes_that_were_looked_at_come_first() {
    let (mut transport, mut client) = pair().await;
    client.write_all(b"PRI * HTTP/2.0").await.unwrap();
    let mut buffer = Buffer::new();
    read(&mut transport, &mut buffer).await;
    transport.unread(buffer);
    let mut again = Buffer::copy_of(b">");
    assert_eq!(read(&mut transport, &mut again).await, 14);
    assert_eq!(again.bytes(), b">PRI * HTTP/2.0");
}

#[tokio::test]
async fn a_read_that_waits_holds_no_storage() {
    let (mut transport, mut client) = pair().await;
    let mut buffer = Buffer::new();
    poll_fn(|cx| {
        assert!(
            transport
                .poll_read(cx, &mut buffer, Size::Small)
                .is_pending()
        );
        Poll::Ready(())
    })
    .await;
    assert!(buffer.spare().is_empty());
    client.shutdown().await.unwrap();
    assert_eq!(read(&mut transport, &mut buffer).await, 0);
    assert!(buffer.spare().is_empty());
}

#[tokio::test]
async fn either_direction_is_closed_alone() {
    let (stream, mut client) = UnixStream::pair().unwrap();
    let mut transport = Transport::unix(stream);
    poll_fn(|cx| {
        transport.poll_write_vectored(cx, &[IoSlice::new(b"to "), IoSlice::new(b"the end")])
    })
    .await
    .unwrap();
    poll_fn(|cx| transport.poll_shutdown(cx)).await.unwrap();
    let mut all = String::new();
    client.read_to_string(&mut all).await.unwrap();
    assert_eq!(all, "to the end");
    client.write_all(b"still here").await.unwrap();
    let mut buffer = Buffer::new();
    assert_eq!(read(&mut transport, &mut buffer).await, 10);
}

#[tokio::test]
async fn an_idle_connection_tells_when_the_other_side_closes() {
    let (mut transport, client) = pair().await;
    poll_fn(|cx| {
        assert!(transport.poll_idle(cx).is_pending());
        Poll::Ready(())
    })
    .await;
    drop(client);
    poll_fn(|cx| transport.poll_idle(cx)).await;
}
