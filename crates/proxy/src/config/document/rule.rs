//! One rule: what it matches, what it edits, and what answers.

use manifest::schema::{enumeration, object};
use manifest::{Duration, IntOrString, Quantity};
use std::collections::BTreeMap;

object! {
    /// What happens to requests that match. Exactly one of `backendRefs`, `staticFiles` and a RequestRedirect answers.
    pub struct Rule {
        /// Name, for logs and metrics.
        name: Option<String> = "name".zero_is_unset();
        /// Alternatives; default: every request.
        matches: Vec<RouteMatch> = "matches";
        /// Edits, in order.
        filters: Vec<Filter> = "filters";
        /// The backend. One, until there are weights.
        backend_refs: Vec<BackendRef> = "backendRefs";
        /// Files of a directory, instead of a backend.
        static_files: Option<StaticFiles> = "staticFiles";
        /// How long requests may take.
        timeouts: Option<RuleTimeouts> = "timeouts";
        /// Greatest body of a request; default `limits.requestBody`.
        request_body: Option<Quantity> = "requestBody";
        /// Protocols that may take a connection over after 101, by their names in `Upgrade`; default websocket. Others are ignored, and the request is answered without.
        upgrades: Option<Vec<String>> = "upgrades";
        /// Whether the method CONNECT is passed on; default false.
        allow_connect: Option<bool> = "allowConnect";
        /// Pages in place of responses with certain statuses.
        error_pages: Vec<ErrorPage> = "errorPages";
        /// Attempts after failures.
        retry: Option<serde_json::Value> = "retry".later("requests that met a closing connection before any answer are repeated by themselves when that is safe");
        /// Requests per time.
        rate_limit: Option<serde_json::Value> = "rateLimit".later("it comes with the outbound half");
        /// Clients that stay with an endpoint.
        session_persistence: Option<serde_json::Value> = "sessionPersistence".later("it comes with balancing over endpoints");
    }
}

object! {
    /// What a request must have; all of it.
    pub struct RouteMatch {
        /// Its path; default PathPrefix `/`.
        path: Option<PathMatch> = "path";
        /// Its header fields.
        headers: Vec<HeaderMatch> = "headers";
        /// The parameters of its query.
        query_params: Vec<QueryParamMatch> = "queryParams";
        /// Its method, in upper case.
        method: Option<Method> = "method";
    }
}

object! {
    /// A path.
    pub struct PathMatch {
        /// Exact, PathPrefix (by element: `/a` matches `/a` and `/a/b`, not `/ab`) or RegularExpression (of the whole path); default PathPrefix.
        type_: Option<PathMatchType> = "type";
        /// The path, prefix or expression; default `/`.
        value: Option<String> = "value";
    }
}

enumeration! {
    /// How a path is compared.
    pub enum PathMatchType {
        /// The whole path.
        Exact = "Exact",
        /// Its first elements.
        #[default]
        PathPrefix = "PathPrefix",
        /// The whole path, by a regular expression.
        RegularExpression = "RegularExpression",
    }
}

object! {
    /// A header field.
    pub struct HeaderMatch {
        /// Exact or RegularExpression (of the whole value); default Exact.
        type_: Option<ValueMatchType> = "type";
        /// Its name, in any case.
        name: String = "name";
        /// Its value; several fields of the name are joined by commas.
        value: String = "value";
    }
}

object! {
    /// A parameter of the query.
    pub struct QueryParamMatch {
        /// Exact or RegularExpression (of the whole value); default Exact.
        type_: Option<ValueMatchType> = "type";
        /// Its name.
        name: String = "name";
        /// Its value; of several of the name the first counts.
        value: String = "value";
    }
}

enumeration! {
    /// How a value is compared.
    pub enum ValueMatchType {
        /// The whole value.
        #[default]
        Exact = "Exact",
        /// The whole value, by a regular expression.
        RegularExpression = "RegularExpression",
    }
}

enumeration! {
    /// A method.
    pub enum Method {
        /// GET.
        #[default]
        Get = "GET",
        /// HEAD.
        Head = "HEAD",
        /// POST.
        Post = "POST",
        /// PUT.
        Put = "PUT",
        /// DELETE.
        Delete = "DELETE",
        /// CONNECT.
        Connect = "CONNECT",
        /// OPTIONS.
        Options = "OPTIONS",
        /// TRACE.
        Trace = "TRACE",
        /// PATCH.
        Patch = "PATCH",
    }
}

object! {
    /// An edit; the field named as its type says which.
    pub struct Filter {
        /// Which edit.
        type_: Option<FilterType> = "type".required();
        /// Header fields of the request.
        request_header_modifier: Option<HeaderModifier> = "requestHeaderModifier";
        /// Header fields of the response.
        response_header_modifier: Option<HeaderModifier> = "responseHeaderModifier";
        /// Host and path that the backend sees.
        url_rewrite: Option<UrlRewrite> = "urlRewrite";
        /// A redirection as the answer.
        request_redirect: Option<RequestRedirect> = "requestRedirect";
    }
}

enumeration! {
    /// Which edit.
    pub enum FilterType {
        /// Header fields of the request.
        #[default]
        RequestHeaderModifier = "RequestHeaderModifier",
        /// Header fields of the response.
        ResponseHeaderModifier = "ResponseHeaderModifier",
        /// Host and path that the backend sees.
        UrlRewrite = "URLRewrite",
        /// A redirection as the answer.
        RequestRedirect = "RequestRedirect",
    }
}

object! {
    /// Edits of header fields; a name in one of the lists only.
    pub struct HeaderModifier {
        /// Fields that replace all of their name.
        set: Vec<HeaderValue> = "set";
        /// Fields that are added to those of their name.
        add: Vec<HeaderValue> = "add";
        /// Names of fields that are left out.
        remove: Vec<String> = "remove";
    }
}

object! {
    /// A header field.
    pub struct HeaderValue {
        /// Its name.
        name: String = "name";
        /// Its value.
        value: String = "value";
    }
}

object! {
    /// Host and path that the backend sees.
    pub struct UrlRewrite {
        /// The host.
        hostname: Option<String> = "hostname".zero_is_unset();
        /// The path.
        path: Option<PathModifier> = "path";
        /// For ReplacePrefixMatch: whether `Location`, `Content-Location`, `Refresh` and the paths of cookies in responses get the prefix back, and requests `X-Forwarded-Prefix`; default true, in an HTTPRoute false.
        rewrite_location: Option<bool> = "rewriteLocation";
        /// For ReplacePrefixMatch: whether the prefix without its slash at the end is redirected to it; default true where the match ends with `/`, in an HTTPRoute false.
        redirect_to_slash: Option<bool> = "redirectToSlash";
    }
}

object! {
    /// A change of the path.
    pub struct PathModifier {
        /// ReplaceFullPath or ReplacePrefixMatch.
        type_: Option<PathModifierType> = "type".required();
        /// The whole path.
        replace_full_path: Option<String> = "replaceFullPath";
        /// What stands in place of the matched prefix; the rule then has PathPrefix matches only.
        replace_prefix_match: Option<String> = "replacePrefixMatch";
    }
}

enumeration! {
    /// What of a path is replaced.
    pub enum PathModifierType {
        /// All of it.
        #[default]
        ReplaceFullPath = "ReplaceFullPath",
        /// The matched prefix.
        ReplacePrefixMatch = "ReplacePrefixMatch",
    }
}

object! {
    /// A redirection as the answer.
    pub struct RequestRedirect {
        /// http or https; default: the listener's.
        scheme: Option<RedirectScheme> = "scheme";
        /// The host; default: the request's.
        hostname: Option<String> = "hostname".zero_is_unset();
        /// The path; default: the request's.
        path: Option<PathModifier> = "path";
        /// The port; default: with `scheme` that scheme's, else the listener's.
        port: Option<i32> = "port";
        /// 301, 302, 303, 307 or 308; default 302.
        status_code: Option<i32> = "statusCode";
    }
}

enumeration! {
    /// A scheme to redirect to.
    pub enum RedirectScheme {
        /// HTTP in the clear.
        Http = "http",
        /// HTTP in TLS.
        #[default]
        Https = "https",
    }
}

object! {
    /// A backend by name.
    pub struct BackendRef {
        /// Name of the backend.
        name: String = "name";
        /// The share of requests.
        weight: Option<serde_json::Value> = "weight".later("a rule has one backend until there are weights");
    }
}

object! {
    /// How long requests may take. `0s` means no limit. Upgraded connections and streams know `progress` only.
    pub struct RuleTimeouts {
        /// From the request's head to the end of the response; default 0s.
        request: Option<Duration> = "request";
        /// From the begin of sending to the backend to the end of its response; default 0s.
        backend_request: Option<Duration> = "backendRequest";
        /// Between the end of the request and the head of the response; default 60s.
        response_head: Option<Duration> = "responseHead";
        /// Between two reads of a response, and without bytes in either direction after an upgrade; default 1h.
        idle: Option<Duration> = "idle";
    }
}

object! {
    /// Files of a directory.
    pub struct StaticFiles {
        /// The directory. Nothing outside it is served, whatever paths and links say.
        root: String = "root";
        /// Files that answer for a directory; default index.html.
        index: Option<Vec<String>> = "index";
        /// What is tried in turn, `$uri` being the path behind the rule's filters: a path, a directory (with `/` at its end), or `=404` at the end; default `$uri`, `$uri/`, `=404`.
        try_files: Option<Vec<String>> = "tryFiles";
        /// Whether names that begin with a dot are served, `.well-known` always is; default false.
        dot_files: Option<bool> = "dotFiles";
        /// Compressed responses.
        compression: Option<Compression> = "compression";
        /// `Cache-Control` of files; default none.
        cache_control: Option<String> = "cacheControl".zero_is_unset();
        /// Types by file name extension, besides the known ones.
        mime_types: BTreeMap<String, String> = "mimeTypes";
        /// Type of files whose extension is unknown; default application/octet-stream.
        default_type: Option<String> = "defaultType".zero_is_unset();
    }
}

object! {
    /// Compressed responses from files.
    pub struct Compression {
        /// Encodings whose files stand beside the file (`.br`, `.zst`, `.gz`), preferred first; default br, zstd, gzip.
        precompressed: Option<Vec<ContentCoding>> = "precompressed";
        /// Encodings made on the fly, preferred first: zstd, gzip; default both; empty for none.
        dynamic: Option<Vec<ContentCoding>> = "dynamic";
        /// Least size of a file that is compressed on the fly; default 1Ki.
        min_size: Option<Quantity> = "minSize";
    }
}

enumeration! {
    /// A coding of contents.
    pub enum ContentCoding {
        /// Brotli.
        #[default]
        Br = "br",
        /// Zstandard.
        Zstd = "zstd",
        /// Deflate with gzip's header.
        Gzip = "gzip",
    }
}

object! {
    /// A page in place of responses with certain statuses.
    pub struct ErrorPage {
        /// The statuses: 404, or 5xx for a class.
        statuses: Vec<IntOrString> = "statuses".required();
        /// File with the page; read at start, and watched.
        file: String = "file";
        /// Whether responses of the backend are replaced too, or only those made by the proxy; default false.
        intercept: Option<bool> = "intercept";
    }
}
