//! `pillion proxy`.

use clap::{Args, Subcommand, ValueEnum, ValueHint};
use proxy::config::document::SendProxyProtocol;
use proxy::config::flags::Flags;

use super::Output;

/// How it is used, for `--help`.
pub(crate) const HELP: &str = "\
Without a file:
  pillion proxy --listen :8443 --cert tls.crt --key tls.key --to localhost:80
  pillion proxy --listen :8443 --self-signed --to localhost:3000
  pillion proxy --listen tls://:5432 --cert tls.crt --key tls.key --to tcp://localhost:15432
With one:
  pillion proxy --config proxy.yaml

SIGHUP reads configuration and certificates again, as does a change of the files; SIGTERM ends within the Pod's
grace period (PILLION_GRACE_PERIOD_SECONDS, else 30 s), a second one at once.

Exit codes:
  0    ended by a signal
  2    bad input: nothing was started
  1    anything else";

/// What is done instead of serving.
const INSTEAD: &str = "Instead of serving";
/// The form without a file.
const FLAGS: &str = "Without a file";

/// `pillion proxy`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct ProxyArgs {
    #[command(subcommand)]
    pub(crate) command: Option<ProxyCommand>,
    #[command(flatten)]
    pub(crate) what: ProxyConfig,
    /// Read and validate the configuration; serve nothing
    #[arg(long, help_heading = INSTEAD, conflicts_with = "effective")]
    pub(crate) check: bool,
    /// Print the configuration with every default, as YAML that can be read again
    #[arg(long, help_heading = INSTEAD)]
    pub(crate) effective: bool,
}

/// `pillion proxy ...`.
#[derive(Debug, Subcommand)]
pub(crate) enum ProxyCommand {
    /// Tell which listener, route, edits and backend a request would take, and why the others did not match
    Explain(ExplainArgs),
}

/// Where the configuration comes from.
#[derive(Debug, Args)]
pub(crate) struct ProxyConfig {
    /// A file with the configuration, or with HTTPRoutes; - for standard input
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath, num_args = 1..)]
    pub(crate) config: Vec<String>,
    #[command(flatten)]
    pub(crate) flags: ProxyFlags,
}

/// The form without a file.
#[derive(Debug, Args)]
#[group(multiple = true, conflicts_with = "config")]
pub(crate) struct ProxyFlags {
    /// Where: [http|https|tls|tcp://][ADDRESS]:PORT, or unix:/path; https with a certificate, else http
    #[arg(long, value_name = "WHERE", help_heading = FLAGS)]
    listen: Vec<String>,
    /// A certificate and its chain, in PEM
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = FLAGS)]
    cert: Vec<String>,
    /// The certificate's key, in PEM
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = FLAGS)]
    key: Vec<String>,
    /// Make a certificate at start, for development
    #[arg(long, help_heading = FLAGS)]
    self_signed: bool,
    /// Clients must show a certificate of this CA
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = FLAGS)]
    client_ca: Vec<String>,
    /// Clients must show a certificate with this name
    #[arg(long, value_name = "NAME", help_heading = FLAGS)]
    client_san: Vec<String>,
    /// Clients begin with the PROXY protocol
    #[arg(long, help_heading = FLAGS)]
    proxy_protocol: bool,
    /// So many proxies in front are believed
    #[arg(long, value_name = "N", help_heading = FLAGS)]
    trusted_hops: Option<i32>,
    /// The app: [http|h2c|https|tls|tcp://]HOST:PORT, or unix:/path
    #[arg(long, value_name = "APP", help_heading = FLAGS)]
    to: Option<String>,
    /// CAs for TLS to the app; else those of the system
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = FLAGS)]
    to_ca: Vec<String>,
    /// Begin connections to the app with the PROXY protocol
    #[arg(long, value_enum, value_name = "VERSION", help_heading = FLAGS)]
    send_proxy_protocol: Option<Version>,
    /// Files of this directory; beside --to for what is not below --strip-prefix
    #[arg(long = "static", value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = FLAGS)]
    static_dir: Option<String>,
    /// Only what is below this path goes to the app, without it
    #[arg(long, value_name = "/PREFIX/", help_heading = FLAGS)]
    strip_prefix: Option<String>,
    /// Address of /metrics, /healthz and /readyz, or None; [::]:9902 by default
    #[arg(long, value_name = "ADDRESS:PORT", help_heading = FLAGS)]
    metrics: Option<String>,
    /// Address of /config, /explain and all of --metrics, or None; 127.0.0.1:9901 by default
    #[arg(long, value_name = "ADDRESS:PORT", help_heading = FLAGS)]
    admin: Option<String>,
}

/// A version of the PROXY protocol.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Version {
    /// A line of text
    V1,
    /// Binary
    V2,
}

impl ProxyFlags {
    /// As the configuration takes them.
    pub(crate) fn flags(&self) -> Flags {
        Flags {
            listen: self.listen.clone(),
            cert: self.cert.clone(),
            key: self.key.clone(),
            self_signed: self.self_signed,
            client_ca: self.client_ca.clone(),
            client_san: self.client_san.clone(),
            proxy_protocol: self.proxy_protocol,
            trusted_hops: self.trusted_hops,
            to: self.to.clone(),
            to_ca: self.to_ca.clone(),
            send_proxy_protocol: self.send_proxy_protocol.map(|version| match version {
                Version::V1 => SendProxyProtocol::V1,
                Version::V2 => SendProxyProtocol::V2,
            }),
            static_dir: self.static_dir.clone(),
            strip_prefix: self.strip_prefix.clone(),
            metrics: self.metrics.clone(),
            admin: self.admin.clone(),
        }
    }
}

/// `pillion proxy explain`.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The method
    #[arg(value_name = "METHOD")]
    pub(crate) method: String,
    /// The URL
    #[arg(value_name = "URL", value_hint = ValueHint::Url)]
    pub(crate) url: String,
    /// A header field of the request
    #[arg(short = 'H', long, value_name = "NAME: VALUE")]
    pub(crate) header: Vec<String>,
    /// The listener that is asked; by default the one of the URL's port, else the first that takes the host
    #[arg(long, value_name = "NAME")]
    pub(crate) listener: Option<String>,
    /// For people or for programs
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = Output::Text)]
    pub(crate) output: Output,
    #[command(flatten)]
    pub(crate) what: ProxyConfig,
}
