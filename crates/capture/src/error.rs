//! What can go wrong with the kernel, and what helps.

use netlink::NetlinkError;
use rustix::io::Errno;

use crate::TABLE;

/// Why the kernel does not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The rules could not be read.
    #[error("read the packet filter rules of this network namespace")]
    Read(#[source] NetlinkError),
    /// The rules could not be changed.
    #[error("change the packet filter table {TABLE} of this network namespace")]
    Change(#[source] NetlinkError),
    /// The rules were taken and are not there.
    #[error("the kernel took the rules of table {TABLE}, but tells others: {0}")]
    Other(String),
}

/// What an error comes from, as far as something can be done about it.
#[derive(Debug, PartialEq, Eq)]
enum Reason {
    NotPermitted,
    NotSupported,
    Unknown,
}

impl Error {
    /// Lines that say what to do about it.
    pub fn hints(&self) -> Vec<String> {
        let lines: &[&str] = match self.reason() {
            Reason::NotPermitted => &[
                "hint: the container needs the capability NET_ADMIN, and root for it to take effect:",
                "        securityContext:",
                "          runAsUser: 0",
                "          capabilities:",
                "            add: [NET_ADMIN]",
                "hint: where that is not allowed, nothing need be captured: let the sidecar listen on the port that clients use (and",
                "      name it as the app's port was named, so that Services find it), and let the app listen on another one",
            ],
            Reason::NotSupported => &[
                "hint: redirecting needs Linux 5.2 with nf_tables (CONFIG_NF_TABLES, CONFIG_NF_TABLES_INET, CONFIG_NFT_NAT,",
                "      CONFIG_NFT_REDIR); modules that are not loaded: modprobe nf_tables nft_chain_nat nft_redir on the node",
                "hint: sandboxed runtimes such as gVisor have no packet filter of this kind; there, let the sidecar listen on the port that",
                "      clients use, and the app on another one",
            ],
            Reason::Unknown => &[],
        };
        lines.iter().map(|line| (*line).to_owned()).collect()
    }

    fn reason(&self) -> Reason {
        let (Self::Read(source) | Self::Change(source)) = self else {
            return Reason::Unknown;
        };
        match source.errno() {
            Some(Errno::PERM | Errno::ACCESS) => Reason::NotPermitted,
            Some(
                Errno::OPNOTSUPP
                | Errno::PROTONOSUPPORT
                | Errno::AFNOSUPPORT
                | Errno::PFNOSUPPORT
                | Errno::NOENT,
            ) => Reason::NotSupported,
            _ => Reason::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use netlink::Refusal;

    use super::*;

    #[test]
    fn refusals_say_what_to_do() {
        for (errno, reason) in [
            (Errno::PERM, Reason::NotPermitted),
            (Errno::OPNOTSUPP, Reason::NotSupported),
            (Errno::NOENT, Reason::NotSupported),
            (Errno::NOMEM, Reason::Unknown),
        ] {
            let refusal = Refusal {
                errno,
                explanation: None,
            };
            let error = Error::Change(refusal.into());
            assert_eq!(error.reason(), reason);
            assert_eq!(error.hints().is_empty(), reason == Reason::Unknown);
        }
    }
}
