//! The TLS state of one connection: records in, plaintext out, and the reverse, without a socket.
//!
//! This drives rustls' unbuffered API, which leaves all buffers to us: a connection without data in flight has none.
//! An own record layer, should one come, replaces this file.

use std::io::IoSlice;

use rustls::client::UnbufferedClientConnection;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{ConnectionState, EncodeError, UnbufferedStatus, WriteTraffic};
use rustls::{CommonState, Error};

use crate::buffer::{Buffer, Size};

/// Plaintext bytes of a full record.
const RECORD: usize = 16_384;
/// More than any header and tag of a record, and than a KeyUpdate that goes before it.
const OVERHEAD: usize = 256;

/// One end of a TLS connection.
pub(super) enum Session {
    /// We accepted the connection.
    Server(UnbufferedServerConnection),
    /// We opened the connection.
    Client(UnbufferedClientConnection),
}

/// What to do once the incoming records are processed.
pub(super) enum Then<'a> {
    /// Nothing: only read.
    Read,
    /// Seal these bytes.
    Seal(&'a [IoSlice<'a>]),
    /// Say that no more bytes will come (close_notify).
    Close,
}

/// What came of [`Session::drive`].
#[derive(Debug, Default)]
pub(super) struct Driven {
    /// Bytes of the incoming records that are done with.
    pub(super) consumed: usize,
    /// Bytes of plaintext that were sealed.
    pub(super) sealed: usize,
    /// The peer said that no more bytes will come.
    pub(super) peer_closed: bool,
}

/// How one step left the connection.
enum Step {
    Again,
    Idle,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Server(_) => "Server",
            Self::Client(_) => "Client",
        })
    }
}

impl Session {
    /// Processes whole records of `incoming`, gives plaintext to `plain`, appends what is to be sent to `out`, then does `then` if
    /// the handshake has come far enough.
    ///
    /// # Errors
    /// The peer broke the protocol or was refused. The alert that tells it so is in `out`; the connection is dead.
    pub(super) fn drive(
        &mut self,
        incoming: &mut [u8],
        then: &Then<'_>,
        out: &mut Buffer,
        plain: &mut dyn FnMut(&[u8]),
    ) -> (Driven, Result<(), Error>) {
        let mut driven = Driven::default();
        loop {
            let records = &mut incoming[driven.consumed..];
            let (discard, step) = match self {
                Self::Server(c) => handle(
                    c.process_tls_records(records),
                    then,
                    out,
                    plain,
                    &mut driven,
                ),
                Self::Client(c) => handle(
                    c.process_tls_records(records),
                    then,
                    out,
                    plain,
                    &mut driven,
                ),
            };
            driven.consumed += discard;
            match step {
                Ok(Step::Again) => {}
                Ok(Step::Idle) => return (driven, Ok(())),
                Err(error) => {
                    self.alert(&mut incoming[driven.consumed..], out);
                    return (driven, Err(error));
                }
            }
        }
    }

    /// What both ends have in common: version, suite, ALPN, certificates of the peer.
    pub(super) fn common(&self) -> &CommonState {
        match self {
            Self::Server(connection) => connection,
            Self::Client(connection) => connection,
        }
    }

    /// Appends the alert of a failed connection to `out`. `records` is what was not consumed: the library wants to see it again,
    /// and nothing is to be read of it once the alert is out.
    fn alert(&mut self, records: &mut [u8], out: &mut Buffer) {
        while self.common().wants_write() {
            let mut driven = Driven::default();
            let (_, step) = match self {
                Self::Server(c) => handle(
                    c.process_tls_records(records),
                    &Then::Read,
                    out,
                    &mut |_| {},
                    &mut driven,
                ),
                Self::Client(c) => handle(
                    c.process_tls_records(records),
                    &Then::Read,
                    out,
                    &mut |_| {},
                    &mut driven,
                ),
            };
            if !matches!(step, Ok(Step::Again)) {
                return;
            }
        }
    }
}

/// One state of rustls: done with what it asks for.
fn handle<Data>(
    status: UnbufferedStatus<'_, '_, Data>,
    then: &Then<'_>,
    out: &mut Buffer,
    plain: &mut dyn FnMut(&[u8]),
    driven: &mut Driven,
) -> (usize, Result<Step, Error>) {
    let mut discard = status.discard;
    let state = match status.state {
        Ok(state) => state,
        Err(error) => return (discard, Err(error)),
    };
    let step = match state {
        ConnectionState::ReadTraffic(mut traffic) => loop {
            match traffic.next_record() {
                Some(Ok(record)) => {
                    discard += record.discard;
                    plain(record.payload);
                }
                Some(Err(error)) => break Err(error),
                None => break Ok(Step::Again),
            }
        },
        ConnectionState::EncodeTlsData(mut data) => {
            out.reserve(Size::Large);
            match data.encode(out.spare()) {
                Ok(length) => {
                    out.filled(length);
                    Ok(Step::Again)
                }
                Err(EncodeError::AlreadyEncoded) => Ok(Step::Again),
                // A flight of more than 80 KiB: more certificates than the protocol lets one send.
                Err(EncodeError::InsufficientSize(_)) => Err(Error::EncryptError),
            }
        }
        // Whoever drives sends `out` before it waits for the peer.
        ConnectionState::TransmitTlsData(transmit) => {
            transmit.done();
            Ok(Step::Again)
        }
        ConnectionState::PeerClosed => {
            driven.peer_closed = true;
            Ok(Step::Again)
        }
        ConnectionState::WriteTraffic(mut traffic) => match then {
            Then::Read => Ok(Step::Idle),
            Then::Seal(slices) => seal(&mut traffic, slices, out, &mut driven.sealed),
            Then::Close => close(&mut traffic, out),
        },
        // Early data is never accepted (its size is 0), and states that rustls may add are not asked for.
        ConnectionState::BlockedHandshake
        | ConnectionState::Closed
        | ConnectionState::ReadEarlyData(_) => Ok(Step::Idle),
        _ => Ok(Step::Idle),
    };
    (discard, step)
}

/// Seals as much of `slices` as `out` has room for. A head and the first bytes of its body share a record: small slices are
/// gathered into one; of a large slice, whole records are sealed from where they are.
fn seal<Data>(
    traffic: &mut WriteTraffic<'_, Data>,
    slices: &[IoSlice<'_>],
    out: &mut Buffer,
    sealed: &mut usize,
) -> Result<Step, Error> {
    out.reserve(Size::Large);
    let mut scratch = Buffer::new();
    let mut rest = slices
        .iter()
        .map(|slice| &slice[..])
        .filter(|slice| !slice.is_empty())
        .peekable();
    let mut slice: &[u8] = &[];
    loop {
        if slice.is_empty() {
            match rest.next() {
                Some(next) => slice = next,
                None => return Ok(Step::Idle),
            }
        }
        let last = rest.peek().is_none();
        let gathered = scratch.len();
        if gathered == 0 && (last || slice.len() >= RECORD) {
            let whole = if last {
                slice.len()
            } else {
                slice.len() / RECORD * RECORD
            };
            let fits = fitting(out).min(whole);
            *sealed += encrypt(traffic, &slice[..fits], out)?;
            if fits < whole {
                return Ok(Step::Idle);
            }
            slice = &slice[whole..];
            continue;
        }
        let taken = slice.len().min(RECORD - gathered);
        scratch.reserve(Size::Large);
        scratch.put(&slice[..taken]);
        slice = &slice[taken..];
        if gathered + taken == RECORD || (slice.is_empty() && last) {
            let fits = fitting(out).min(scratch.len());
            *sealed += encrypt(traffic, &scratch.bytes()[..fits], out)?;
            scratch.advance(fits);
            if !scratch.is_empty() {
                return Ok(Step::Idle);
            }
        }
    }
}

/// Plaintext bytes whose records certainly fit into the room of `out`.
fn fitting(out: &mut Buffer) -> usize {
    let room = out.spare().len();
    let whole = room / (RECORD + OVERHEAD) * RECORD;
    whole + (room % (RECORD + OVERHEAD)).saturating_sub(OVERHEAD)
}

fn encrypt<Data>(
    traffic: &mut WriteTraffic<'_, Data>,
    plain: &[u8],
    out: &mut Buffer,
) -> Result<usize, Error> {
    if plain.is_empty() {
        return Ok(0);
    }
    // Exhausted keys of TLS 1.2 (TLS 1.3 renews them) end the connection; a lack of room is excluded by `fitting`.
    let length = traffic
        .encrypt(plain, out.spare())
        .map_err(|_| Error::EncryptError)?;
    out.filled(length);
    Ok(plain.len())
}

fn close<Data>(traffic: &mut WriteTraffic<'_, Data>, out: &mut Buffer) -> Result<Step, Error> {
    out.reserve(Size::Large);
    let length = traffic
        .queue_close_notify(out.spare())
        .map_err(|_| Error::EncryptError)?;
    out.filled(length);
    Ok(Step::Idle)
}
