//! Where a backend listens.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

/// Where a backend listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// A host and a port.
    Tcp {
        /// The host.
        host: EndpointHost,
        /// The port, from 1.
        port: u16,
    },
    /// A Unix socket.
    Unix(PathBuf),
}

/// A host of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum EndpointHost {
    /// This machine: 127.0.0.1, ::1 or the Pod's address, whichever answers.
    Localhost,
    /// An address.
    Ip(IpAddr),
    /// A name to be looked up.
    Name(String),
}

impl Endpoint {
    /// Reads `host:port`, `[::1]:port` or `unix:/path`.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.starts_with('/') {
                Ok(Endpoint::Unix(PathBuf::from(path)))
            } else {
                Err("must be an absolute path after `unix:`".to_owned())
            };
        }
        let (host, port) = text
            .rsplit_once(':')
            .ok_or("must be of the form `host:port` or `unix:/path`")?;
        let port = parse_port(port)?;
        let bracketed = host
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        let host = match bracketed {
            Some(inner) => EndpointHost::Ip(IpAddr::V6(
                inner
                    .parse()
                    .map_err(|_| "must have an IPv6 address in its brackets")?,
            )),
            None if host.contains(':') => {
                return Err("must have an IPv6 address in brackets".into());
            }
            None if host.eq_ignore_ascii_case("localhost") => EndpointHost::Localhost,
            None => match host.parse() {
                Ok(address) => EndpointHost::Ip(IpAddr::V4(address)),
                Err(_) => EndpointHost::Name(host_name(host)?),
            },
        };
        Ok(Endpoint::Tcp { host, port })
    }

    /// The name or address of the host, when there is one: what SNI and `Host` may say by default.
    #[must_use]
    pub fn host(&self) -> Option<String> {
        match self {
            Endpoint::Tcp { host, .. } => Some(match host {
                EndpointHost::Localhost => "localhost".to_owned(),
                EndpointHost::Ip(address) => address.to_string(),
                EndpointHost::Name(name) => name.clone(),
            }),
            Endpoint::Unix(_) => None,
        }
    }
}

pub(crate) fn parse_port(text: &str) -> Result<u16, String> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(port) if digits && port != 0 => Ok(port),
        _ => Err("must have a port between 1 and 65535".to_owned()),
    }
}

/// Names as resolvers take them: with underscores, in any case.
fn host_name(text: &str) -> Result<String, String> {
    let lower = text.to_ascii_lowercase();
    let plain = lower.trim_end_matches('.').replace('_', "-");
    match manifest::names::subdomain(&plain).pop() {
        None => Ok(lower),
        Some(fault) => Err(format!("host: {fault}")),
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Endpoint::Unix(path) => write!(f, "unix:{}", path.display()),
            Endpoint::Tcp { host, port } => match host {
                EndpointHost::Localhost => write!(f, "localhost:{port}"),
                EndpointHost::Ip(IpAddr::V6(address)) => write!(f, "[{address}]:{port}"),
                EndpointHost::Ip(address) => write!(f, "{address}:{port}"),
                EndpointHost::Name(name) => write!(f, "{name}:{port}"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_each_form() {
        for text in [
            "localhost:80",
            "127.0.0.1:3000",
            "[::1]:80",
            "app.default.svc:8080",
            "my_app:1",
            "unix:/run/app.sock",
        ] {
            let read = Endpoint::parse(text).map(|endpoint| endpoint.to_string());
            assert_eq!(read.as_deref(), Ok(text));
        }
        assert_eq!(
            Endpoint::parse("LocalHost:80").map(|endpoint| endpoint.to_string()),
            Ok("localhost:80".to_owned())
        );
    }

    #[test]
    fn refuses_others() {
        for text in [
            "",
            ":",
            "80",
            "localhost",
            "localhost:",
            ":80",
            "localhost:0",
            "localhost:65536",
            "localhost:+80",
            "::1:80",
            "[::1]",
            "[x]:80",
            "unix:",
            "unix:run",
            "http://a:80",
            "a b:80",
        ] {
            assert!(Endpoint::parse(text).is_err(), "{text}");
        }
    }
}
