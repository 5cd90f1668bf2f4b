//! `pillion capture`.

use capture::{Capture, Inbound, Mark, Outbound, PlanError, Redirect};
use clap::Args;
use netlink::AddressRange;

/// What `--help` ends with.
pub(crate) const HELP: &str = "\
As an init container, before a sidecar that listens on 8080:
  securityContext: {runAsUser: 0, capabilities: {add: [NET_ADMIN]}}
  args: [capture, --inbound, 80=8080]

Exit codes:
  0    the rules are in force, or removed; with --check: they are in force
  1    they are not
  2    bad input: nothing was changed";

/// `pillion capture`.
#[derive(Debug, Args)]
pub(crate) struct CaptureArgs {
    /// Redirect TCP connections that come to PORT, to the port PROXY, where a sidecar listens on all addresses; `all` for
    /// every port that nothing else is said about
    #[arg(long, value_name = "PORT|all=PROXY")]
    inbound: Vec<Redirect>,
    /// Ports that --inbound all=PROXY leaves alone, as it does PROXY
    #[arg(long, value_name = "PORT,...", value_delimiter = ',')]
    exclude_ports: Vec<u16>,
    /// Clients that --inbound leaves alone
    #[arg(long, value_name = "CIDR,...", value_delimiter = ',')]
    exclude_source: Vec<AddressRange>,
    /// Redirect TCP connections that containers of the Pod open to PORT elsewhere
    #[arg(long, value_name = "PORT|all=PROXY")]
    outbound: Vec<Redirect>,
    /// Ports that --outbound all=PROXY leaves alone
    #[arg(long, value_name = "PORT,...", value_delimiter = ',')]
    exclude_outbound_ports: Vec<u16>,
    /// Servers that --outbound leaves alone
    #[arg(long, value_name = "CIDR,...", value_delimiter = ',')]
    exclude_destination: Vec<AddressRange>,
    /// Users whose connections --outbound leaves alone: that of the sidecar, and of no other container
    #[arg(long, value_name = "UID,...", value_delimiter = ',')]
    exclude_uid: Vec<u32>,
    /// Sockets that --outbound leaves alone, by their mark (SO_MARK)
    #[arg(long, value_name = "MARK[/MASK],...", value_delimiter = ',')]
    exclude_mark: Vec<Mark>,
    /// Have --outbound redirect connections within the Pod as well
    #[arg(long)]
    loopback: bool,
    /// Print the rules; change nothing and ask nobody
    #[arg(long, conflicts_with_all = ["check", "undo"])]
    pub(crate) dry_run: bool,
    /// Look whether these rules are in force; change nothing
    #[arg(long, conflicts_with = "undo")]
    pub(crate) check: bool,
    /// Remove all rules that this command has made; open connections that they redirected end
    // Not `exclusive`: options that come by environment variables would count.
    #[arg(long, conflicts_with_all = [
        "inbound", "exclude_ports", "exclude_source", "outbound", "exclude_outbound_ports",
        "exclude_destination", "exclude_uid", "exclude_mark", "loopback",
    ])]
    pub(crate) undo: bool,
}

impl CaptureArgs {
    /// What is to be captured.
    pub(crate) fn capture(&self) -> Result<Capture, PlanError> {
        let inbound = Inbound {
            redirects: self.inbound.clone(),
            exclude_ports: self.exclude_ports.clone(),
            exclude_sources: self.exclude_source.clone(),
        };
        let outbound = Outbound {
            redirects: self.outbound.clone(),
            exclude_ports: self.exclude_outbound_ports.clone(),
            exclude_destinations: self.exclude_destination.clone(),
            exclude_users: self.exclude_uid.clone(),
            exclude_marks: self.exclude_mark.clone(),
            loopback: self.loopback,
        };
        Capture::new(&inbound, &outbound)
    }

    /// Whether root's connections are left alone, which are most containers'.
    pub(crate) fn excludes_root(&self) -> bool {
        self.exclude_uid.contains(&0)
    }
}
