//! Exec and attach over WebSocket: each message begins with the number of its channel
//! (`channel.k8s.io`, versions 1, 4 and 5).

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;

use crate::outgoing::{self, Outgoing, Packet, Sink};
use crate::stream::Inbox;
use crate::websocket::{self, Decoder, Event, Role};

/// The numbers of the channels.
pub(crate) const STDIN: u8 = 0;
pub(crate) const STDOUT: u8 = 1;
pub(crate) const STDERR: u8 = 2;
pub(crate) const ERROR: u8 = 3;
pub(crate) const RESIZE: u8 = 4;
/// Since v5: the message's second byte is the number of a channel that has ended.
const CLOSE: u8 = 255;
const COUNT: usize = 5;

/// What tells that a channel has ended.
pub(crate) fn end_of(channel: u8) -> Packet {
    Packet::new(&[CLOSE, channel], Bytes::new())
}

/// Where what arrives goes. A channel that is not here is not of interest.
#[derive(Debug, Default)]
pub(crate) struct Inboxes([Option<Inbox>; COUNT]);

impl Inboxes {
    pub(crate) fn insert(&mut self, channel: u8, inbox: Inbox) {
        if let Some(place) = self.0.get_mut(usize::from(channel)) {
            *place = Some(inbox);
        }
    }

    fn end(&mut self, channel: u8) {
        if let Some(place) = self.0.get_mut(usize::from(channel)) {
            *place = None;
        }
    }

    async fn deliver(&mut self, channel: u8, part: Bytes) {
        if let Some(Some(inbox)) = self.0.get(usize::from(channel))
            && !part.is_empty()
            && inbox.send(part).await.is_err()
        {
            // Nobody reads it any more; the others go on.
            self.end(channel);
        }
    }
}

/// Drives a connection until it ends.
pub(crate) async fn drive<C>(
    connection: C,
    role: Role,
    mut inboxes: Inboxes,
    queue: mpsc::WeakSender<Outgoing>,
    outgoing: mpsc::Receiver<Outgoing>,
) where
    C: AsyncRead + AsyncWrite,
{
    let (mut reader, writer) = tokio::io::split(connection);
    let mut decoder = Decoder::new(role);
    let reading = async {
        let end = receive(&mut reader, &mut decoder, &mut inboxes, &queue).await;
        // No more can come, which readers may learn at once.
        drop(inboxes);
        end
    };
    let writing = Sink::WebSocket(writer, role).run(outgoing);
    if outgoing::both(reading, writing, &queue).await {
        outgoing::linger(&mut reader).await;
    }
}

/// Reads messages until the connection ends, and returns the code to close it with; an error where it is gone.
async fn receive<R: AsyncRead + Unpin>(
    reader: &mut R,
    decoder: &mut Decoder,
    inboxes: &mut Inboxes,
    queue: &mpsc::WeakSender<Outgoing>,
) -> io::Result<u16> {
    // The channel of the message at hand; `None` before its first byte.
    let mut channel = None;
    loop {
        match decoder.event() {
            Ok(Some(Event::Data { part, first })) => {
                if first {
                    channel = None;
                }
                dispatch(&mut channel, part, inboxes).await;
            }
            Ok(Some(Event::Ping(payload))) => {
                outgoing::reply(queue, Outgoing::Pong(payload.freeze())).await;
            }
            Ok(Some(Event::Close(_))) => return Ok(websocket::NORMAL_CLOSURE),
            Ok(None) => outgoing::fill(reader, decoder.buffer()).await?,
            Err(_) => return Ok(websocket::PROTOCOL_ERROR),
        }
    }
}

async fn dispatch(channel: &mut Option<u8>, mut part: BytesMut, inboxes: &mut Inboxes) {
    if channel.is_none() && !part.is_empty() {
        *channel = Some(part.get_u8());
    }
    match *channel {
        None => {}
        Some(CLOSE) => {
            for &ended in &part[..] {
                inboxes.end(ended);
            }
        }
        Some(number) => inboxes.deliver(number, part.freeze()).await,
    }
}
