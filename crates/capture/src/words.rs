//! Rules in words, for people.

use std::fmt;

use crate::plan::{Capture, Chain, Ports, Redirect, Rule, Which};

impl fmt::Display for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        chain(f, "connections that come to the Pod", &self.inbound)?;
        chain(
            f,
            "connections that containers of the Pod open",
            &self.outbound,
        )
    }
}

fn chain(f: &mut fmt::Formatter<'_>, title: &str, chain: &Chain) -> fmt::Result {
    if chain.rules.is_empty() {
        return Ok(());
    }
    writeln!(f, "{title}:")?;
    for rule in &chain.rules {
        writeln!(f, "  {rule}")?;
    }
    Ok(())
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leave(which) => write!(f, "{which}: left alone"),
            Self::Redirect(Redirect {
                from: Ports::One(port),
                to,
            }) => {
                write!(f, "to TCP port {port}: redirected to port {to}")
            }
            Self::Redirect(Redirect {
                from: Ports::All,
                to,
            }) => {
                write!(f, "to any other TCP port: redirected to port {to}")
            }
        }
    }
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loopback => f.write_str("within the Pod"),
            Self::Source(range) => write!(f, "from {range}"),
            Self::Destination(range) => write!(f, "to {range}"),
            Self::User(uid) => write!(f, "of UID {uid}"),
            Self::Mark(mark) => write!(f, "with mark {mark}"),
            Self::Port(port) => write!(f, "to TCP port {port}"),
        }
    }
}
