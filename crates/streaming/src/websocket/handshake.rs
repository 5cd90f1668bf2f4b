//! The keys of the opening handshake.

use manifest::bytes;
use sha1::{Digest, Sha1};

use super::encoder::random;

/// What the server has to add to the client's key (RFC 6455, section 1.3).
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// A client's key: `Sec-WebSocket-Key`.
pub(crate) fn key() -> String {
    bytes::encode(&random::<16>())
}

/// The answer to a client's key: `Sec-WebSocket-Accept`.
pub(crate) fn accept(key: &str) -> String {
    bytes::encode(&Sha1::new().chain_update(key).chain_update(GUID).finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_that_of_the_specification() {
        assert_eq!(
            accept("dGhlIHNhbXBsZSBub25jZQ=="),
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        );
    }
}
