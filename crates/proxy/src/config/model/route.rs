//! Routes and rules.

use std::path::PathBuf;
use std::time::Duration;

use super::{BackendIndex, ListenerIndex};
use crate::config::{HostPattern, Pattern, StatusSet};

pub use crate::config::document::{ContentCoding, Method, RedirectScheme};

/// Rules for some hosts of some listeners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Its name.
    pub name: String,
    /// Its listeners.
    pub listeners: Vec<ListenerIndex>,
    /// Its hosts; empty for any.
    pub hostnames: Vec<HostPattern>,
    /// Its rules.
    pub rules: Vec<Rule>,
}

/// What happens to requests that match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name, or its number in the route.
    pub name: String,
    /// Alternatives, at least one.
    pub matches: Vec<RouteMatch>,
    /// Edits, in order.
    pub filters: Vec<Filter>,
    /// What answers.
    pub action: Action,
    /// How long requests may take.
    pub timeouts: RuleTimeouts,
    /// Bytes of a request body; `None` for no limit.
    pub request_body: Option<u64>,
    /// Protocols that may take a connection over, in lower case.
    pub upgrades: Vec<String>,
    /// Whether CONNECT is passed on.
    pub allow_connect: bool,
    /// Pages for statuses, its own before those for all rules; the first that fits is taken.
    pub error_pages: Vec<ErrorPage>,
}

/// What answers a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A backend.
    Forward(BackendIndex),
    /// Files.
    Files(StaticFiles),
    /// The redirection among the filters.
    Redirect,
}

/// What a request must have; all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteMatch {
    /// Its path.
    pub path: PathMatch,
    /// Its header fields; each name once.
    pub headers: Vec<(String, ValueMatch)>,
    /// The parameters of its query; each name once.
    pub query_params: Vec<(String, ValueMatch)>,
    /// Its method.
    pub method: Option<Method>,
}

/// A path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathMatch {
    /// The whole path.
    Exact(String),
    /// Its first elements.
    Prefix {
        /// As written, normalised: begins with `/`, may end with `/`.
        written: String,
        /// Without a slash at the end; empty for `/`.
        prefix: String,
    },
    /// The whole path, by an expression.
    Regex(Pattern),
}

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueMatch {
    /// This very value.
    Exact(String),
    /// The whole value, by an expression.
    Regex(Pattern),
}

/// An edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Header fields of the request.
    RequestHeaders(HeaderModifier),
    /// Header fields of the response.
    ResponseHeaders(HeaderModifier),
    /// Host and path that the backend sees.
    Rewrite(UrlRewrite),
    /// A redirection as the answer.
    Redirect(RequestRedirect),
}

/// Edits of header fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderModifier {
    /// Names and values that replace all of their name.
    pub set: Vec<(String, String)>,
    /// Names and values that are added.
    pub add: Vec<(String, String)>,
    /// Names that are left out.
    pub remove: Vec<String>,
}

/// Host and path that the backend sees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UrlRewrite {
    /// The host.
    pub hostname: Option<String>,
    /// The path.
    pub path: Option<PathModifier>,
    /// Whether responses get the prefix back.
    pub rewrite_location: bool,
    /// Whether the bare prefix is redirected to the one with a slash.
    pub redirect_to_slash: bool,
}

/// A change of the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathModifier {
    /// All of it becomes this.
    ReplaceFullPath(String),
    /// The matched prefix becomes this.
    ReplacePrefixMatch(String),
}

/// A redirection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestRedirect {
    /// The scheme; `None`: the listener's.
    pub scheme: Option<RedirectScheme>,
    /// The host; `None`: the request's.
    pub hostname: Option<String>,
    /// The path; `None`: the request's.
    pub path: Option<PathModifier>,
    /// The port; `None`: the scheme's when one is given, else the listener's.
    pub port: Option<u16>,
    /// The status.
    pub status: u16,
}

/// How long requests may take; `None` for no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleTimeouts {
    /// From the request's head to the end of the response.
    pub request: Option<Duration>,
    /// From the begin of sending to the backend to the end of its response.
    pub backend_request: Option<Duration>,
    /// From the end of the request to the head of the response.
    pub response_head: Option<Duration>,
    /// Between two reads of a response, and without bytes after an upgrade.
    pub idle: Option<Duration>,
}

/// Files of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaticFiles {
    /// The directory.
    pub root: PathBuf,
    /// Names of files that answer for a directory.
    pub index: Vec<String>,
    /// What is tried in turn.
    pub try_files: Vec<TryFile>,
    /// Whether names with a dot in front are served.
    pub dot_files: bool,
    /// Codings whose files stand beside the file.
    pub precompressed: Vec<ContentCoding>,
    /// Codings made on the fly; never br.
    pub dynamic: Vec<ContentCoding>,
    /// Bytes of the least file that is compressed on the fly.
    pub min_size: u64,
    /// `Cache-Control`.
    pub cache_control: Option<String>,
    /// Types by extension, in lower case, besides the known ones.
    pub mime_types: Vec<(String, String)>,
    /// Type of unknown extensions.
    pub default_type: String,
}

/// One attempt of `tryFiles`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TryFile {
    /// A file, `$uri` standing for the path of the request.
    File(String),
    /// A directory with an index file; without the slash at its end.
    Directory(String),
    /// Nothing but this status.
    Status(u16),
}

/// A page in place of responses with certain statuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorPage {
    /// The statuses.
    pub statuses: Vec<StatusSet>,
    /// The file.
    pub file: PathBuf,
    /// Whether responses of the backend are replaced too.
    pub intercept: bool,
}
