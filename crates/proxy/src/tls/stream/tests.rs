use std::future::poll_fn;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::super::testing::*;
use super::*;
use crate::transport::Transport;

/// The two ends of a TLS connection.
async fn both() -> (Transport, Transport) {
    let (authority, directory) = (Authority::new("root"), Directory::new());
    let server = server(&directory, &authority, &["app.test"]);
    let client = client(&directory, &authority);
    let (ours, theirs) = shake(server.current(), client.current()).await;
    (ours.unwrap(), theirs.unwrap())
}

/// The server's end of a TLS connection whose client's bytes pass through the test. Returns it, the client's end, and the two
/// sockets in between: the one towards the server and the one towards the client.
async fn spliced() -> (Transport, Transport, TcpStream, TcpStream) {
    let (authority, directory) = (Authority::new("root"), Directory::new());
    let server = server(&directory, &authority, &["app.test"]);
    let client = client(&directory, &authority);
    let (ours, mut to_server) = pair().await;
    let (theirs, mut to_client) = pair().await;
    let shaken = {
        let ends = async {
            tokio::join!(
                server.current().accept(ours),
                client.current().connect(theirs, Some("app.test"))
            )
        };
        let copy = tokio::io::copy_bidirectional(&mut to_server, &mut to_client);
        tokio::select! {
            ends = ends => ends,
            _ = copy => panic!("an end closed"),
        }
    };
    (shaken.0.unwrap(), shaken.1.unwrap(), to_server, to_client)
}

fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index * 31 % 251) as u8).collect()
}

#[tokio::test]
async fn bytes_of_all_sizes_arrive_in_order_in_both_directions() {
    let (mut ours, mut theirs) = both().await;
    for length in [
        1, 2, 100, 16_383, 16_384, 16_385, 32_768, 65_536, 65_537, 100_000, 1_000_003,
    ] {
        let sent = bytes(length);
        let slices = [&sent[..]];
        let (written, got) = tokio::join!(write(&mut ours, &slices), read(&mut theirs, length));
        written.unwrap();
        assert!(got.unwrap() == sent, "{length} to the client");
        let (written, got) = tokio::join!(write(&mut theirs, &slices), read(&mut ours, length));
        written.unwrap();
        assert!(got.unwrap() == sent, "{length} to the server");
    }
}

#[tokio::test]
async fn slices_of_all_sizes_keep_their_order() {
    let (mut ours, mut theirs) = both().await;
    let all = bytes(300_000);
    for cuts in [
        vec![10],
        vec![100, 16_484],
        vec![100, 16_384],
        vec![0, 1, 1, 2],
        vec![16_384, 32_768, 50_000],
        vec![20_000, 20_001, 70_000],
        vec![5, 66_000, 66_003],
    ] {
        let mut slices = Vec::new();
        let mut from = 0;
        for cut in cuts.iter().chain([&all.len()]) {
            slices.push(&all[from..*cut]);
            from = *cut;
        }
        let (written, got) = tokio::join!(write(&mut ours, &slices), read(&mut theirs, all.len()));
        written.unwrap();
        assert!(got.unwrap() == all, "{cuts:?}");
    }
}

#[tokio::test]
async fn a_head_and_its_body_are_one_record() {
    let (mut ours, _theirs, mut to_server, _to_client) = spliced().await;
    write(&mut ours, &[b"HTTP/1.1 200 OK\r\n\r\n", &[b'x'; 1000]])
        .await
        .unwrap();
    // Records of tickets come first, with the first write.
    let mut lengths = Vec::new();
    while lengths.last() != Some(&(19 + 1000 + 1 + 16)) {
        let mut header = [0; 5];
        to_server.read_exact(&mut header).await.unwrap();
        assert_eq!(header[..3], [23, 3, 3]);
        let length = usize::from(u16::from_be_bytes([header[3], header[4]]));
        let mut record = vec![0; length];
        to_server.read_exact(&mut record).await.unwrap();
        lengths.push(length);
        assert!(lengths.len() < 5, "{lengths:?}");
    }
}

#[tokio::test]
async fn an_idle_connection_holds_no_bytes() {
    let (mut ours, mut theirs) = both().await;
    write(&mut ours, &[&bytes(70_000)]).await.unwrap();
    read(&mut theirs, 70_000).await.unwrap();
    write(&mut theirs, &[&bytes(10)]).await.unwrap();
    read(&mut ours, 10).await.unwrap();
    let mut buffer = Buffer::new();
    poll_fn(|cx| {
        assert!(ours.poll_read(cx, &mut buffer, Size::Small).is_pending());
        Poll::Ready(())
    })
    .await;
    assert!(buffer.spare().is_empty());
    let Some(stream) = ours.tls_for_tests() else {
        panic!("it is TLS")
    };
    assert_eq!(stream.partial.capacity(), 0);
    assert_eq!(stream.plain.capacity(), 0);
    assert!(stream.out.spare().is_empty());
}

#[tokio::test]
async fn a_reader_with_little_room_loses_nothing() {
    let (mut ours, mut theirs) = both().await;
    let sent = bytes(50_000);
    write(&mut ours, &[&sent]).await.unwrap();
    let mut got = Vec::new();
    while got.len() < sent.len() {
        // 16 KiB of which all but 100 bytes are taken.
        let mut buffer = Buffer::with_size(Size::Small);
        buffer.put(&[0; 16 * 1024 - 100]);
        poll_fn(|cx| theirs.poll_read(cx, &mut buffer, Size::Small))
            .await
            .unwrap();
        got.extend_from_slice(&buffer.bytes()[16 * 1024 - 100..]);
    }
    assert!(got == sent);
}

#[tokio::test]
async fn either_side_closes_its_direction_alone() {
    let (mut ours, mut theirs) = both().await;
    write(&mut theirs, &[b"request"]).await.unwrap();
    finish(&mut theirs).await;
    assert_eq!(read(&mut ours, 100).await.unwrap(), b"request");
    write(&mut ours, &[b"answer"]).await.unwrap();
    finish(&mut ours).await;
    assert_eq!(read(&mut theirs, 100).await.unwrap(), b"answer");
    let late = poll_fn(|cx| ours.poll_write_vectored(cx, &[IoSlice::new(b"late")])).await;
    assert_eq!(late.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
}

#[tokio::test]
async fn an_end_without_close_notify_is_not_an_end() {
    let (mut ours, mut theirs) = both().await;
    // With unread tickets, the socket would end with a reset.
    write(&mut ours, &[b"x"]).await.unwrap();
    read(&mut theirs, 1).await.unwrap();
    drop(theirs);
    assert_eq!(
        read(&mut ours, 1).await.unwrap_err().kind(),
        io::ErrorKind::UnexpectedEof
    );
}

#[tokio::test]
async fn a_record_cut_off_by_the_end_is_no_data() {
    let (mut ours, mut theirs, mut to_server, mut to_client) = spliced().await;
    write(&mut theirs, &[&bytes(1000)]).await.unwrap();
    let mut record = vec![0; 1000];
    to_client.read_exact(&mut record).await.unwrap();
    to_server.write_all(&record).await.unwrap();
    to_server.shutdown().await.unwrap();
    assert_eq!(
        read(&mut ours, 1).await.unwrap_err().kind(),
        io::ErrorKind::UnexpectedEof
    );
}

#[tokio::test]
async fn changed_and_senseless_records_end_the_connection_with_an_alert() {
    let senseless: [&[u8]; 5] = [
        b"\x17\x03\x03\x00\x20aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x17\x03\x03\xff\xff",
        b"\x16\x03\x03\x00\x00",
        b"\x17\x03\x03\x00\x00",
    ];
    for record in senseless {
        let (mut ours, _theirs, mut to_server, _to_client) = spliced().await;
        to_server.write_all(record).await.unwrap();
        let ended = read(&mut ours, 1).await.unwrap_err();
        assert_eq!(ended.kind(), io::ErrorKind::InvalidData, "{ended}");
        let again = read(&mut ours, 1).await.unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::InvalidData, "{again}");
        let write = poll_fn(|cx| ours.poll_write_vectored(cx, &[IoSlice::new(b"x")])).await;
        assert_eq!(write.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        drop(ours);
        // The alert is a last record, sealed; whether unread bytes reset the socket after it is the kernel's affair.
        let mut last = Vec::new();
        let _ = to_server.read_to_end(&mut last).await;
        assert_eq!(last[..3], [23, 3, 3], "{}", record.escape_ascii());
    }
}

#[tokio::test]
async fn a_write_that_cannot_be_sent_waits_and_keeps_little() {
    let (mut ours, mut theirs) = both().await;
    let block = bytes(65_536);
    let mut accepted = 0;
    let full = poll_fn(|cx| {
        loop {
            match ours.poll_write_vectored(cx, &[IoSlice::new(&block)]) {
                Poll::Ready(Ok(count)) => accepted += count,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Ready(Ok(())),
            }
            // More than any socket buffer here: then nothing holds the writer back.
            assert!(accepted < 100_000_000);
        }
    });
    full.await.unwrap();
    let held = ours.tls_for_tests().map_or(0, |stream| stream.out.len());
    assert!(held <= Size::Large.bytes(), "{held}");
    let (flushed, got) = tokio::join!(
        poll_fn(|cx| ours.poll_flush(cx)),
        read(&mut theirs, accepted)
    );
    flushed.unwrap();
    assert_eq!(got.unwrap().len(), accepted);
}

#[tokio::test]
async fn tickets_do_not_make_an_idle_connection_unfit_but_an_end_does() {
    let (mut ours, mut theirs) = both().await;
    write(&mut theirs, &[b"ping"]).await.unwrap();
    read(&mut ours, 4).await.unwrap();
    // The tickets go out now, before the answer.
    poll_fn(|cx| ours.poll_flush(cx)).await.unwrap();
    write(&mut ours, &[b"pong"]).await.unwrap();
    read(&mut theirs, 4).await.unwrap();
    poll_fn(|cx| {
        assert!(theirs.poll_idle(cx).is_pending());
        Poll::Ready(())
    })
    .await;
    finish(&mut ours).await;
    poll_fn(|cx| theirs.poll_idle(cx)).await;
}
