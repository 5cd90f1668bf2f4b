//! What is captured, and whether that makes sense. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use netlink::AddressRange;

/// The kernel acknowledges each rule, and the acknowledgements of more than some two hundred do not fit a socket's buffer.
const MOST_RULES: usize = 128;

/// Text of an option that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}`: {problem}")]
pub struct SpellingError {
    text: String,
    problem: &'static str,
}

/// Ports of connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ports {
    /// This one.
    One(u16),
    /// All that nothing else is said about.
    All,
}

/// TCP connections to these ports are redirected to that port of this Pod; written `80=8080` or `all=15006`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Redirect {
    /// The ports.
    pub from: Ports,
    /// Where the sidecar listens.
    pub to: u16,
}

impl FromStr for Redirect {
    type Err = SpellingError;

    fn from_str(text: &str) -> Result<Self, SpellingError> {
        let wrong = |problem| SpellingError {
            text: text.to_owned(),
            problem,
        };
        let port = |text: &str| text.parse::<u16>().ok().filter(|port| *port != 0);
        let (from, to) = text
            .split_once('=')
            .ok_or_else(|| wrong("write it as 80=8080, or as all=15006"))?;
        let from = match from {
            "all" => Ports::All,
            from => Ports::One(
                port(from)
                    .ok_or_else(|| wrong("the part before `=` is neither a port nor `all`"))?,
            ),
        };
        let to = port(to).ok_or_else(|| wrong("the part after `=` is no port"))?;
        Ok(Self { from, to })
    }
}

/// Packets with these bits; written `0x10/0xff`, or `0x10` for all bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mark {
    /// What the bits are.
    pub value: u32,
    /// Which bits count.
    pub mask: u32,
}

impl FromStr for Mark {
    type Err = SpellingError;

    fn from_str(text: &str) -> Result<Self, SpellingError> {
        let wrong = |problem| SpellingError {
            text: text.to_owned(),
            problem,
        };
        let number = |text: &str| match text.strip_prefix("0x").or(text.strip_prefix("0X")) {
            Some(digits) => u32::from_str_radix(digits, 16).ok(),
            None => text.parse().ok(),
        };
        let (value, mask) = text.split_once('/').unwrap_or((text, "0xffffffff"));
        let (value, mask) = number(value)
            .zip(number(mask))
            .ok_or_else(|| wrong("write it as 0x10, or with a mask as 0x10/0xff"))?;
        if value & !mask != 0 || mask == 0 {
            return Err(wrong(
                "no packet has such a mark: the value has bits that the mask lacks",
            ));
        }
        if value == 0 {
            return Err(wrong(
                "every packet without a mark has this one: nothing would be captured",
            ));
        }
        Ok(Self { value, mask })
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mask {
            u32::MAX => write!(f, "{:#x}", self.value),
            mask => write!(f, "{:#x}/{mask:#x}", self.value),
        }
    }
}

/// Connections that come to the Pod from outside.
#[derive(Debug, Clone, Default)]
pub struct Inbound {
    /// Which are captured.
    pub redirects: Vec<Redirect>,
    /// Ports that are not, where all are.
    pub exclude_ports: Vec<u16>,
    /// Clients whose connections are not.
    pub exclude_sources: Vec<AddressRange>,
}

/// Connections that containers of the Pod open.
#[derive(Debug, Clone, Default)]
pub struct Outbound {
    /// Which are captured.
    pub redirects: Vec<Redirect>,
    /// Ports that are not, where all are.
    pub exclude_ports: Vec<u16>,
    /// Servers to which connections are not.
    pub exclude_destinations: Vec<AddressRange>,
    /// Users whose connections are not, such as the sidecar's.
    pub exclude_users: Vec<u32>,
    /// Marked sockets, whose connections are not.
    pub exclude_marks: Vec<Mark>,
    /// Connections within the Pod are captured as well.
    pub loopback: bool,
}

/// What contradicts itself, or does nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// No redirect.
    #[error("nothing is captured: give --inbound 80=8080 or --outbound 443=15001")]
    Nothing,
    /// Two redirects of the same ports.
    #[error("--{direction} redirects {} to {one} and to {other}", ports(*.from))]
    Twice {
        /// `inbound` or `outbound`.
        direction: &'static str,
        /// The ports.
        from: Ports,
        /// Where to.
        one: u16,
        /// And where to.
        other: u16,
    },
    /// A redirect that changes nothing.
    #[error("--{direction} {port}={port} redirects a port to itself")]
    Itself {
        /// `inbound` or `outbound`.
        direction: &'static str,
        /// The port.
        port: u16,
    },
    /// An exclusion from what is not captured.
    #[error("{option} needs {needs}: nothing is captured that it could exclude")]
    Needless {
        /// The exclusion.
        option: &'static str,
        /// What would make sense of it.
        needs: &'static str,
    },
    /// The sidecar's own connections would come back to it.
    #[error(
        "--outbound would send the sidecar's own connections back to it, for ever: give --exclude-uid with the UID it runs as \
         (its securityContext.runAsUser, which no other container may have), or --exclude-mark with the mark of its sockets"
    )]
    Loop,
    /// More than one transaction holds.
    #[error("{count} rules are too many, {MOST_RULES} are the most: use larger CIDRs, or all=PORT")]
    TooMany {
        /// How many there would be.
        count: usize,
    },
}

fn ports(ports: Ports) -> String {
    match ports {
        Ports::One(port) => format!("port {port}"),
        Ports::All => "all ports".to_owned(),
    }
}

/// What is captured; known to make sense, and in one order however it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capture {
    pub(crate) inbound: Chain,
    pub(crate) outbound: Chain,
}

/// What becomes of the connections of one direction: the first rule that fits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Chain {
    pub(crate) rules: Vec<Rule>,
}

/// One rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Not captured.
    Leave(Which),
    /// Captured.
    Redirect(Redirect),
}

/// Which connections are left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    Loopback,
    Source(AddressRange),
    Destination(AddressRange),
    User(u32),
    Mark(Mark),
    Port(u16),
}

impl Capture {
    /// Judges what was asked for.
    ///
    /// # Errors
    /// See [`PlanError`].
    pub fn new(inbound: &Inbound, outbound: &Outbound) -> Result<Self, PlanError> {
        let (into, out) = (
            !inbound.redirects.is_empty(),
            !outbound.redirects.is_empty(),
        );
        if !into && !out {
            return Err(PlanError::Nothing);
        }
        let need = |wanted: bool, option, there: bool, needs| match wanted && !there {
            true => Err(PlanError::Needless { option, needs }),
            false => Ok(()),
        };
        let all = |redirects: &[Redirect]| redirects.iter().any(|one| one.from == Ports::All);
        need(
            !inbound.exclude_ports.is_empty(),
            "--exclude-ports",
            all(&inbound.redirects),
            "--inbound all=PORT",
        )?;
        need(
            !inbound.exclude_sources.is_empty(),
            "--exclude-source",
            into,
            "--inbound",
        )?;
        need(
            !outbound.exclude_ports.is_empty(),
            "--exclude-outbound-ports",
            all(&outbound.redirects),
            "--outbound all=PORT",
        )?;
        need(
            !outbound.exclude_destinations.is_empty(),
            "--exclude-destination",
            out,
            "--outbound",
        )?;
        need(
            !outbound.exclude_users.is_empty(),
            "--exclude-uid",
            out,
            "--outbound",
        )?;
        need(
            !outbound.exclude_marks.is_empty(),
            "--exclude-mark",
            out,
            "--outbound",
        )?;
        need(outbound.loopback, "--loopback", out, "--outbound")?;
        if out && outbound.exclude_users.is_empty() && outbound.exclude_marks.is_empty() {
            return Err(PlanError::Loop);
        }

        // Whoever asks for the sidecar's own ports means the sidecar.
        let listening = inbound
            .redirects
            .iter()
            .chain(&outbound.redirects)
            .map(|one| one.to);
        let own: Vec<u16> = inbound
            .exclude_ports
            .iter()
            .copied()
            .chain(listening)
            .collect();
        let mut capture = Self {
            inbound: Chain::default(),
            outbound: Chain::default(),
        };
        let sources = sorted(&inbound.exclude_sources, key);
        capture
            .inbound
            .leave(sources.into_iter().map(Which::Source));
        capture
            .inbound
            .redirect("inbound", &inbound.redirects, &own)?;
        if out && !outbound.loopback {
            capture.outbound.leave([Which::Loopback]);
        }
        let users = sorted(&outbound.exclude_users, |user| *user);
        capture.outbound.leave(users.into_iter().map(Which::User));
        let marks = sorted(&outbound.exclude_marks, |mark| *mark);
        capture.outbound.leave(marks.into_iter().map(Which::Mark));
        let destinations = sorted(&outbound.exclude_destinations, key);
        capture
            .outbound
            .leave(destinations.into_iter().map(Which::Destination));
        capture
            .outbound
            .redirect("outbound", &outbound.redirects, &outbound.exclude_ports)?;

        let count = capture.inbound.rules.len() + capture.outbound.rules.len();
        if count > MOST_RULES {
            return Err(PlanError::TooMany { count });
        }
        Ok(capture)
    }
}

impl Chain {
    fn leave(&mut self, which: impl IntoIterator<Item = Which>) {
        self.rules.extend(which.into_iter().map(Rule::Leave));
    }

    /// Single ports first, then all others but some.
    fn redirect(
        &mut self,
        direction: &'static str,
        redirects: &[Redirect],
        except: &[u16],
    ) -> Result<(), PlanError> {
        let mut targets = BTreeMap::new();
        for Redirect { from, to } in redirects {
            if *from == Ports::One(*to) {
                return Err(PlanError::Itself {
                    direction,
                    port: *to,
                });
            }
            if let Some(other) = targets.insert(*from, *to)
                && other != *to
            {
                return Err(PlanError::Twice {
                    direction,
                    from: *from,
                    one: other,
                    other: *to,
                });
            }
        }
        let all = targets.remove(&Ports::All);
        let redirect = |(from, to)| Rule::Redirect(Redirect { from, to });
        self.rules.extend(targets.into_iter().map(redirect));
        if let Some(to) = all {
            let except: BTreeSet<u16> = except.iter().copied().collect();
            self.leave(except.into_iter().map(Which::Port));
            self.rules.push(redirect((Ports::All, to)));
        }
        Ok(())
    }

    /// Whether connections to a port are captured, some of them at least; with `None`, to any port.
    pub(crate) fn captures(&self, port: Option<u16>) -> bool {
        self.rules.iter().find_map(|rule| match (rule, port) {
            (Rule::Redirect(_), None) => Some(true),
            (
                Rule::Redirect(Redirect {
                    from: Ports::All, ..
                }),
                _,
            ) => Some(true),
            (
                Rule::Redirect(Redirect {
                    from: Ports::One(one),
                    ..
                }),
                Some(port),
            ) if *one == port => Some(true),
            (Rule::Leave(Which::Port(left)), Some(port)) if *left == port => Some(false),
            _ => None,
        }) == Some(true)
    }
}

fn key(range: &AddressRange) -> (std::net::IpAddr, u8) {
    (range.network(), range.prefix())
}

fn sorted<T: Copy, K: Ord>(values: &[T], key: impl Fn(&T) -> K) -> Vec<T> {
    let map: BTreeMap<K, T> = values.iter().map(|value| (key(value), *value)).collect();
    map.into_values().collect()
}
