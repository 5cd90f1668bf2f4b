use std::future::poll_fn;
use std::io::Write;

use super::*;

/// What the kernel has not in memory is read by another thread.
#[tokio::test]
async fn bytes_come_from_the_disk_too() {
    let mut file = tempfile::tempfile().unwrap();
    let content: Vec<u8> = (0..1_000_000_u32).map(|at| (at % 251) as u8).collect();
    file.write_all(&content).unwrap();
    let mut body = FileBody::new(file.into());
    body.tells = false;
    body.push_text("before");
    body.push_file(10..900_000);
    body.push_file(5..5);
    body.push_text("");
    body.push_text("after");
    assert_eq!(body.length(), 6 + 899_990 + 5);
    let mut read = Vec::new();
    while let Some(chunk) = poll_fn(|cx| body.poll_chunk(cx)).await.unwrap() {
        assert!(!chunk.is_empty());
        read.extend_from_slice(chunk.bytes());
    }
    assert!(read == [b"before", &content[10..900_000], b"after"].concat());
    assert!(poll_fn(|cx| body.poll_chunk(cx)).await.unwrap().is_none());
}

/// What was just written is in memory.
#[tokio::test]
async fn bytes_in_memory_come_at_once() {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"in memory").unwrap();
    let mut body = FileBody::new(file.into());
    body.push_file(0..9);
    let mut cx = Context::from_waker(std::task::Waker::noop());
    let Poll::Ready(Ok(Some(chunk))) = body.poll_chunk(&mut cx) else {
        panic!("the file is read from the disk");
    };
    assert_eq!(chunk.bytes(), b"in memory");
}

/// Whoever sends a large file from memory lets others have their turn.
#[tokio::test]
async fn others_get_their_turn() {
    let file = tempfile::tempfile().unwrap();
    file.set_len(10_000_000).unwrap();
    let mut body = FileBody::new(file.into());
    body.push_file(0..10_000_000);
    let mut turns = 0;
    let mut left = 10_000_000;
    while left > 0 {
        let piece = poll_fn(|cx| {
            let polled = body.poll_chunk(cx);
            turns += usize::from(polled.is_pending());
            polled
        });
        left -= piece.await.unwrap().unwrap().len();
    }
    assert!(turns >= 7, "{turns}");
}
