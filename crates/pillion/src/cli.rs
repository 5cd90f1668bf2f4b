//! What can be typed.

mod capture;
mod cp;
mod delete;
mod describe;
mod events;
mod exec;
mod foreign;
mod get;
mod logs;
mod plan;
mod port_forward;
mod proxy;
mod scope;
mod selection;
mod spelling;
mod timeline;
mod top;
mod wait;

use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum, ValueHint};

pub(crate) use capture::CaptureArgs;
pub(crate) use cp::CpArgs;
pub(crate) use delete::DeleteArgs;
pub(crate) use describe::DescribeArgs;
pub(crate) use events::EventsArgs;
pub(crate) use exec::{AttachArgs, ExecArgs};
pub(crate) use get::GetArgs;
pub(crate) use logs::LogsArgs;
pub(crate) use plan::{PlanArgs, PlanOutput};
pub(crate) use port_forward::PortForwardArgs;
pub(crate) use proxy::{ExplainArgs, ProxyArgs, ProxyCommand, ProxyConfig};
pub(crate) use scope::{AnyScope, Namespace};
pub(crate) use selection::Selection;
pub(crate) use timeline::{Picture, TimelineArgs};
pub(crate) use top::{Measured, TopCommand, TopPodArgs};
pub(crate) use wait::{Timeout, WaitArgs};

use crate::{completion, exit};

/// Runs Kubernetes Pods on one Linux machine, with no cluster.
#[derive(Debug, Parser)]
#[command(
    name = "pillion",
    version,
    propagate_version = true,
    max_term_width = 110
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// What was typed; ends the program where that cannot be understood.
    pub(crate) fn read() -> Self {
        let arguments = spelling::plain(&Self::command(), std::env::args_os());
        let mut cli = Self::try_parse_from(&arguments)
            .unwrap_or_else(|error| foreign::hint(error, &arguments).exit());
        // As an empty variable does for other programs.
        cli.global.root = cli.global.root.filter(|root| !root.as_os_str().is_empty());
        cli
    }
}

/// What `-o` takes, for shells to complete.
const FORMATS: &[&str] = &[
    "wide",
    "json",
    "yaml",
    "name",
    "jsonpath=",
    "jsonpath-as-json=",
    "jsonpath-file=",
    "custom-columns=",
];

/// Options that every command takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct Global {
    /// Keep all state under DIR instead of /var/lib/pillion and /run/pillion
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "PILLION_ROOT",
        value_hint = ValueHint::DirPath,
        value_parser = OsStringValueParser::new().map(PathBuf::from)
    )]
    pub(crate) root: Option<PathBuf>,
    /// No colours (as does the environment variable NO_COLOR)
    #[arg(long, global = true)]
    pub(crate) no_color: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the Pods of manifests, in the foreground or detached
    ///
    /// Logs of all containers are merged, with a prefix each. The first Ctrl-C ends the Pods gracefully,
    /// the second at once.
    #[command(after_help = exit::HELP)]
    Run(RunArgs),
    /// Read and validate manifests, warn of what would not be honoured; run nothing
    Check(CheckArgs),
    /// Explain what would start after what and why, and what will hardly work as meant; run nothing
    ///
    /// With --what-if, the Pod is simulated: what would happen when, and why.
    #[command(after_help = plan::HELP)]
    Plan(PlanArgs),
    /// List Pods or events of running programs
    Get(GetArgs),
    /// Tell all about Pods
    Describe(DescribeArgs),
    /// Print what containers of a Pod wrote
    Logs(LogsArgs),
    /// Run a command in a container
    Exec(ExecArgs),
    /// Take part in what a container's own process reads and writes
    ///
    /// With a terminal, Ctrl-P Ctrl-Q leaves it; the process goes on.
    Attach(AttachArgs),
    /// Copy files and folders out of a container, or into one
    Cp(CpArgs),
    /// Make ports of a Pod reachable on this machine, until Ctrl-C
    PortForward(PortForwardArgs),
    /// List what happened, in order
    Events(EventsArgs),
    /// Draw what became of a Pod and its containers over time
    Timeline(TimelineArgs),
    /// Show what is used of processors and memory
    #[command(subcommand)]
    Top(TopCommand),
    /// End Pods, and wait until they are gone
    Delete(DeleteArgs),
    /// Wait until Pods are created or deleted, or until something can be said of them
    Wait(WaitArgs),
    /// Images of this machine
    #[command(subcommand)]
    Image(ImageCommand),
    /// Redirect connections of the Pod that it runs in to a sidecar: for an init container
    ///
    /// Writes packet filter rules (nf_tables) for IPv4 and IPv6 by netlink, all at once, as
    /// `iptables -t nat -A PREROUTING -p tcp --dport 80 -j REDIRECT --to-port 8080` would. The same once more changes
    /// nothing; anything else replaces what was there.
    #[command(after_help = capture::HELP)]
    Capture(CaptureArgs),
    /// Stand beside an app as its sidecar: TLS, routes and good manners, until SIGTERM
    ///
    /// Connections are kept when configuration or certificates change. A line a request goes to standard output.
    #[command(after_help = proxy::HELP)]
    Proxy(Box<ProxyArgs>),
    /// Print what makes a shell complete commands, options, and the names of what runs
    #[command(after_help = "\
bash:  pillion completion bash > /etc/bash_completion.d/pillion
zsh:   pillion completion zsh > /usr/local/share/zsh/site-functions/_pillion
fish:  pillion completion fish > /etc/fish/completions/pillion.fish
")]
    Completion {
        /// The shell
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Write manual pages, one a command, into a folder; print the first page without one
    Man {
        /// Where to, such as /usr/local/share/man/man1
        #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
        dir: Option<PathBuf>,
    },
    /// Own a detached Pod: what `run --detach` starts, once a Pod
    #[command(hide = true)]
    Supervise {
        /// Namespace and name, for lists of processes
        pod: String,
        /// The Pod's UID
        uid: String,
    },
    /// Small programs for the first examples, which need no image but this program
    #[command(subcommand, hide = true)]
    Demo(DemoCommand),
}

impl Command {
    /// Whether it is answered by the owners of running Pods, which must be there for that.
    pub(crate) fn is_about_running_pods(&self) -> bool {
        !matches!(
            self,
            Self::Run(_)
                | Self::Check(_)
                | Self::Plan(_)
                | Self::Image(_)
                | Self::Supervise { .. }
                | Self::Capture(_)
                | Self::Demo(_)
                | Self::Proxy(_)
        )
    }
}

/// A shell that can complete.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Shell {
    /// GNU Bourne-Again Shell
    Bash,
    /// Z shell
    Zsh,
    /// Friendly interactive shell
    Fish,
}

/// Where manifests come from.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct Manifests {
    /// A file, a folder (its *.yaml, *.yml and *.json) or - for standard input
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    paths: Vec<String>,
    /// One more PATH, as kubectl takes it; these are read before the others
    #[arg(short, long, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    filename: Vec<String>,
}

impl Manifests {
    /// All of them, in the order in which they are to be read.
    pub(crate) fn paths(&self) -> Vec<String> {
        self.filename.iter().chain(&self.paths).cloned().collect()
    }
}

/// `pillion run`.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) manifests: Manifests,
    /// Leave the Pods running in the background; once more with the same manifests changes them as apply would
    #[arg(short, long, conflicts_with_all = ["exit_code_from", "timeout", "output", "no_log_prefix", "timeline", "timeline_svg"])]
    pub(crate) detach: bool,
    /// Make a container port reachable on 127.0.0.1:HOST; HOST:POD/PORT where there are several Pods
    #[arg(short, long, value_name = "[IP:]HOST:[POD/]PORT[/udp]")]
    pub(crate) publish: Vec<String>,
    /// Overrides every imagePullPolicy (this version does not pull: images come by `pillion image`)
    #[arg(long, value_enum, value_name = "WHEN")]
    pub(crate) pull: Option<Pull>,
    /// End with this container's exit code, and stop everything when it has ended
    #[arg(long, value_name = "CONTAINER")]
    pub(crate) exit_code_from: Option<String>,
    /// Give up after this time (90s, 5m, or seconds), ending the Pods gracefully; exit code 124
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) timeout: Option<std::time::Duration>,
    /// Logs for people, or one JSON object a line on standard output: events, and Pods as they change
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    pub(crate) output: Output,
    /// Print log lines without the container's name before them
    #[arg(long)]
    pub(crate) no_log_prefix: bool,
    /// Draw at the end, on standard error, what each container did when: starts, readiness, probes, hooks, restarts, ends
    #[arg(long)]
    pub(crate) timeline: bool,
    /// Write the same as a picture that any browser shows
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) timeline_svg: Option<PathBuf>,
}

/// `--pull`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Pull {
    /// Pull before each start
    Always,
    /// Pull what is not on this machine
    Missing,
    /// Never pull
    Never,
}

/// `-o`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people
    Text,
    /// For programs
    Json,
}

/// `pillion check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) manifests: Manifests,
    /// One line a finding as JSON instead of text with excerpts
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    pub(crate) output: Output,
}

/// `pillion image`.
#[derive(Debug, Subcommand)]
pub(crate) enum ImageCommand {
    /// Make an image of a root file system (a tar archive, compressed or not; - for standard input)
    Import(ImportArgs),
    /// Take the images of an archive made by docker save, podman save, or with an OCI layout
    Load {
        /// The archive; - for standard input
        #[arg(default_value = "-", value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: String,
    },
    /// List images
    Ls {
        /// For people or for programs
        #[arg(short, long, value_enum, default_value_t = Output::Text)]
        output: Output,
    },
    /// Print what is known of an image, as JSON
    Inspect {
        /// The image's name
        #[arg(required = true, value_name = "IMAGE", add = completion::image())]
        images: Vec<String>,
    },
    /// Remove names of images, and what they alone needed
    Rm {
        /// The image's name
        #[arg(required = true, value_name = "IMAGE", add = completion::image())]
        images: Vec<String>,
    },
    /// Remove what no image needs any more
    Prune,
}

/// `pillion image import`.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The archive; - for standard input
    #[arg(value_name = "ROOTFS.tar", value_hint = ValueHint::FilePath)]
    pub(crate) file: String,
    /// The image's name
    #[arg(long, value_name = "REF")]
    pub(crate) tag: String,
    /// Entry point, a JSON list of strings
    #[arg(long, value_name = "JSON", value_parser = json_list)]
    pub(crate) entrypoint: Option<StringList>,
    /// Default arguments, a JSON list of strings
    #[arg(long, value_name = "JSON", value_parser = json_list)]
    pub(crate) cmd: Option<StringList>,
    /// An environment variable
    #[arg(long, value_name = "K=V")]
    pub(crate) env: Vec<String>,
    /// The user to run as: name or number, with :group if need be
    #[arg(long, value_name = "U")]
    pub(crate) user: Option<String>,
    /// The working directory
    #[arg(long, value_name = "D")]
    pub(crate) workdir: Option<String>,
    /// The signal that asks the program to end
    #[arg(long, value_name = "S")]
    pub(crate) stop_signal: Option<String>,
}

/// `pillion demo`: what the first example's containers run.
#[derive(Debug, Subcommand)]
pub(crate) enum DemoCommand {
    /// Write a file
    Init {
        /// Where
        #[arg(long)]
        file: PathBuf,
        /// What
        #[arg(long)]
        text: String,
    },
    /// Serve the files of a folder over HTTP; /healthz answers ok
    Serve {
        /// Address and port
        #[arg(long)]
        listen: std::net::SocketAddr,
        /// The folder
        #[arg(long)]
        dir: PathBuf,
    },
    /// Fetch a page and print it, some times
    Ask {
        /// http://ADDRESS:PORT/PATH
        #[arg(long)]
        url: String,
        /// How often
        #[arg(long, default_value_t = 1)]
        times: u32,
        /// Pause in between
        #[arg(long, default_value = "1s", value_parser = duration)]
        every: std::time::Duration,
    },
}

/// A list of strings, as one argument.
#[derive(Clone, Debug)]
pub(crate) struct StringList(pub(crate) Vec<String>);

fn json_list(text: &str) -> Result<StringList, String> {
    serde_json::from_str(text).map(StringList).map_err(|error| {
        format!("not a JSON list of strings: {error} (write it as '[\"nginx\", \"-g\"]')")
    })
}

/// Seconds as a plain number, or a time with units.
fn duration(text: &str) -> Result<std::time::Duration, String> {
    let wrong = || format!("{text:?} is no time (write it as 30s, 5m or 1h30m)");
    if let Ok(seconds) = text.parse::<u32>() {
        return Ok(std::time::Duration::from_secs(seconds.into()));
    }
    let signed: jiff::SignedDuration = text.parse().map_err(|_| wrong())?;
    std::time::Duration::try_from(signed).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn times() {
        use std::time::Duration;
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert!(duration("-5s").is_err());
        assert!(duration("soon").is_err());
    }
}
