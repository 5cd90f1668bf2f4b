//! Our standard input, as it comes.

use std::io::{ErrorKind, Read};

use tokio::sync::mpsc;

/// Bytes that are read at once.
const PIECE: usize = 32 << 10;

/// Reads standard input to its end. In a thread of its own, which may wait for ever: nothing waits for it.
pub(super) fn read() -> mpsc::Receiver<Vec<u8>> {
    let (sender, pieces) = mpsc::channel(1);
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        let mut piece = vec![0; PIECE];
        loop {
            match input.read(&mut piece) {
                Ok(length @ 1..) => {
                    if sender.blocking_send(piece[..length].to_vec()).is_err() {
                        return;
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // A terminal that is gone has ended, too.
                Ok(0) | Err(_) => return,
            }
        }
    });
    pieces
}
