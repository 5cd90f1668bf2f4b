//! A blocking netlink socket: requests in one datagram, answers matched by sequence number.
//!
//! Configuration work is short and ordered, so it needs no async connection task; a socket also stays in the network
//! namespace it was opened in, whichever thread uses it. `netlink-sys` is used instead of plain rustix sockets because the
//! extended acknowledgements (the kernel's sentence about what was wrong) need a socket option that rustix lacks.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_ACK_TLVS, NLM_F_CAPPED, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST,
    NLMSG_DONE, NLMSG_ERROR, NetlinkBuffer, NlasIterator,
};
use netlink_sys::Socket;
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};

/// Length, kind, flags, sequence number and port of a message.
const HEADER_LENGTH: usize = 16;
/// Larger than the largest datagram the kernel builds for a dump (32 KiB).
const RECEIVE_BUFFER: usize = 64 * 1024;
/// The kernel answers within the call that sent the request; this only keeps a lost answer from hanging a Pod for ever.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// A dump that changed while it was read is read again, this often at most.
const DUMP_ATTEMPTS: u32 = 8;
const NLMSGERR_ATTR_MSG: u16 = 1;

/// What went wrong between this process and the kernel's netlink.
#[derive(Debug, thiserror::Error)]
pub enum NetlinkError {
    /// No socket of this protocol.
    #[error("open a netlink socket")]
    Open(#[source] io::Error),
    /// The request did not leave.
    #[error("send a netlink request")]
    Send(#[source] io::Error),
    /// No answer came.
    #[error("receive a netlink answer")]
    Receive(#[source] io::Error),
    /// An answer that is not one.
    #[error("the kernel's netlink answer is malformed")]
    Malformed,
    /// The objects of a dump kept changing while they were read.
    #[error("the list kept changing while it was read")]
    Interrupted,
    /// The kernel said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl NetlinkError {
    /// The error number of a refusal.
    pub fn errno(&self) -> Option<Errno> {
        match self {
            Self::Refused(refusal) => Some(refusal.errno),
            Self::Open(error) | Self::Send(error) | Self::Receive(error) => {
                Errno::from_io_error(error)
            }
            Self::Malformed | Self::Interrupted => None,
        }
    }
}

/// A request the kernel refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The error number.
    pub errno: Errno,
    /// The kernel's own sentence (extended acknowledgement), where it gave one.
    pub explanation: Option<String>,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let error = io::Error::from(self.errno);
        match &self.explanation {
            Some(text) => write!(f, "{error}: {text}"),
            None => error.fmt(f),
        }
    }
}

impl std::error::Error for Refusal {}

/// One request without its netlink header.
#[derive(Debug, Clone)]
pub struct Request {
    /// The message type.
    pub kind: u16,
    /// Flags besides REQUEST and ACK, which the socket adds.
    pub flags: u16,
    /// The family's header and attributes.
    pub payload: Vec<u8>,
}

/// One message of a dump.
#[derive(Debug)]
pub struct Answer {
    /// The message type.
    pub kind: u16,
    /// The family's header and attributes.
    pub payload: Vec<u8>,
}

/// A netlink socket of one protocol, in the namespace of the thread that opened it.
pub struct Netlink {
    socket: Socket,
    sequence: u32,
    buffer: Vec<u8>,
}

impl Netlink {
    /// Opens a socket of `protocol`, such as [`NETLINK_ROUTE`](crate::NETLINK_ROUTE).
    ///
    /// # Errors
    /// The kernel has no such protocol.
    pub fn open(protocol: isize) -> Result<Self, NetlinkError> {
        let socket = Socket::new(protocol).map_err(NetlinkError::Open)?;
        socket.set_ext_ack(true).map_err(NetlinkError::Open)?;
        socket.set_cap_ack(true).map_err(NetlinkError::Open)?;
        set_socket_timeout(&socket, Timeout::Recv, Some(ANSWER_TIMEOUT))
            .map_err(|errno| NetlinkError::Open(errno.into()))?;
        Ok(Self {
            socket,
            sequence: 0,
            buffer: Vec::new(),
        })
    }

    /// A socket that another program opened.
    pub fn resume(socket: OwnedFd) -> Self {
        Self {
            socket: sys::handover::owner_of(socket),
            sequence: 0,
            buffer: Vec::new(),
        }
    }

    /// Sends all requests in one datagram and returns the kernel's verdict on each, in order. The kernel carries each out
    /// on its own: a refusal does not keep those behind it from being tried.
    ///
    /// # Errors
    /// What went wrong on the way there or back.
    pub fn request(
        &mut self,
        requests: &[Request],
    ) -> Result<Vec<Result<(), Refusal>>, NetlinkError> {
        let first = self.send(requests, NLM_F_ACK)?;
        let mut verdicts: Vec<Option<Result<(), Refusal>>> = vec![None; requests.len()];
        let mut open = requests.len();
        while open > 0 {
            self.receive(|frame| {
                let place = frame.sequence_number().wrapping_sub(first) as usize;
                if frame.message_type() == NLMSG_ERROR
                    && let Some(slot @ None) = verdicts.get_mut(place)
                {
                    *slot = Some(verdict(frame)?);
                    open -= 1;
                }
                Ok(())
            })?;
        }
        Ok(verdicts.into_iter().flatten().collect())
    }

    /// Sends requests that the kernel carries out all or not at all: the first opens and the last closes a
    /// transaction.
    ///
    /// # Errors
    /// The first refusal, or what went wrong on the way there or back.
    pub fn transaction(&mut self, requests: &[Request]) -> Result<(), NetlinkError> {
        let first = self.send(requests, NLM_F_ACK)?;
        // Kernels acknowledge the requests between the brackets; only newer ones (6.10) the brackets as well. A batch that
        // is refused as a whole (no permission, no such subsystem, a failed commit) is answered on its first bracket.
        let inner = 1..requests.len().saturating_sub(1);
        let mut open = inner.len();
        let mut refusal = None;
        while open > 0 {
            self.receive(|frame| {
                let place = frame.sequence_number().wrapping_sub(first) as usize;
                if frame.message_type() == NLMSG_ERROR && place < requests.len() {
                    if let Err(refused) = verdict(frame)? {
                        refusal.get_or_insert(refused);
                        if !inner.contains(&place) {
                            open = 0;
                        }
                    }
                    if inner.contains(&place) {
                        open = open.saturating_sub(1);
                    }
                }
                Ok(())
            })?;
        }
        refusal.map_or(Ok(()), |refused| Err(refused.into()))
    }

    /// Asks for a list and collects it, again if it changed meanwhile.
    ///
    /// # Errors
    /// A refusal, what went wrong on the way there or back, or a list that never kept still.
    pub fn dump(&mut self, request: &Request) -> Result<Vec<Answer>, NetlinkError> {
        for _ in 0..DUMP_ATTEMPTS {
            if let Some(answers) = self.dump_once(request)? {
                return Ok(answers);
            }
        }
        Err(NetlinkError::Interrupted)
    }

    fn dump_once(&mut self, request: &Request) -> Result<Option<Vec<Answer>>, NetlinkError> {
        let sequence = self.send(std::slice::from_ref(request), NLM_F_DUMP)?;
        let mut answers = Vec::new();
        let mut consistent = true;
        let mut done = false;
        while !done {
            self.receive(|frame| {
                if frame.sequence_number() != sequence {
                    return Ok(());
                }
                consistent &= frame.flags() & NLM_F_DUMP_INTR == 0;
                match frame.message_type() {
                    NLMSG_DONE => {
                        done = true;
                        // The error of a dump that broke off stands in its last message.
                        done_verdict(frame.payload())?;
                    }
                    NLMSG_ERROR => {
                        done = true;
                        verdict(frame)??;
                    }
                    kind => answers.push(Answer {
                        kind,
                        payload: frame.payload().to_vec(),
                    }),
                }
                Ok(())
            })?;
        }
        Ok(consistent.then_some(answers))
    }

    /// Sends the requests and returns the sequence number of the first; the others follow it.
    fn send(&mut self, requests: &[Request], flags: u16) -> Result<u32, NetlinkError> {
        let first = self.sequence.wrapping_add(1);
        let mut datagram = Vec::new();
        for request in requests {
            self.sequence = self.sequence.wrapping_add(1);
            let length = HEADER_LENGTH + request.payload.len();
            datagram.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_ne_bytes());
            datagram.extend_from_slice(&request.kind.to_ne_bytes());
            datagram.extend_from_slice(&(request.flags | flags | NLM_F_REQUEST).to_ne_bytes());
            datagram.extend_from_slice(&self.sequence.to_ne_bytes());
            datagram.extend_from_slice(&0_u32.to_ne_bytes());
            datagram.extend_from_slice(&request.payload);
            datagram.resize(datagram.len().next_multiple_of(4), 0);
        }
        self.socket.send(&datagram, 0).map_err(NetlinkError::Send)?;
        Ok(first)
    }

    /// Receives one datagram and hands its messages to `each`.
    fn receive(
        &mut self,
        mut each: impl FnMut(&NetlinkBuffer<&[u8]>) -> Result<(), NetlinkError>,
    ) -> Result<(), NetlinkError> {
        self.buffer.resize(RECEIVE_BUFFER, 0);
        let received = loop {
            match self.socket.recv(&mut &mut self.buffer[..], 0) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other.map_err(NetlinkError::Receive)?,
            }
        };
        let mut rest = self.buffer.get(..received).ok_or(NetlinkError::Malformed)?;
        while !rest.is_empty() {
            let frame = NetlinkBuffer::new_checked(rest).map_err(|_| NetlinkError::Malformed)?;
            let length = frame.length() as usize;
            let frame = NetlinkBuffer::new(rest.get(..length).ok_or(NetlinkError::Malformed)?);
            each(&frame)?;
            rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        }
        Ok(())
    }
}

impl AsFd for Netlink {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Reads an error message: acknowledgement or refusal.
fn verdict(frame: &NetlinkBuffer<&[u8]>) -> Result<Result<(), Refusal>, NetlinkError> {
    let payload = frame.payload();
    let code = error_code(payload)?;
    if code == 0 {
        return Ok(Ok(()));
    }
    // The header of the refused request follows, and all of the request where the kernel did not cap it.
    let request = payload.get(4..8).and_then(|bytes| bytes.try_into().ok());
    let length = if frame.flags() & NLM_F_CAPPED != 0 {
        HEADER_LENGTH
    } else {
        request.map_or(HEADER_LENGTH, |bytes| u32::from_ne_bytes(bytes) as usize)
    };
    let attributes = (frame.flags() & NLM_F_ACK_TLVS != 0)
        .then(|| payload.get(4 + length.next_multiple_of(4)..))
        .flatten();
    Ok(Err(refusal(code, attributes.unwrap_or_default())))
}

fn done_verdict(payload: &[u8]) -> Result<(), NetlinkError> {
    if payload.len() < 4 {
        return Ok(());
    }
    match error_code(payload)? {
        0 => Ok(()),
        code => Err(refusal(code, &[]).into()),
    }
}

fn error_code(payload: &[u8]) -> Result<i32, NetlinkError> {
    let bytes = payload.get(..4).and_then(|bytes| bytes.try_into().ok());
    bytes.map(i32::from_ne_bytes).ok_or(NetlinkError::Malformed)
}

fn refusal(code: i32, attributes: &[u8]) -> Refusal {
    let explanation = NlasIterator::new(attributes)
        .map_while(Result::ok)
        .find(|attribute| attribute.kind() == NLMSGERR_ATTR_MSG)
        .map(|attribute| {
            let text = String::from_utf8_lossy(attribute.value());
            text.trim_end_matches('\0').to_owned()
        });
    Refusal {
        errno: Errno::from_raw_os_error(code.saturating_abs()),
        explanation,
    }
}
