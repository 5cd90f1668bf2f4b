//! What is asked: `GET https://host/path -H 'name: value'`.

use std::fmt;

use super::{kind_of, speaks};
use crate::config::{Bind, Config};
use crate::message::{RequestHead, Version};
use crate::route::host_of;

/// A request to be explained.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question {
    /// The method.
    pub method: String,
    /// The URL, with the scheme http or https.
    pub url: String,
    /// Header fields, `name: value`.
    pub headers: Vec<String>,
    /// Name of the listener that is asked; by default the one with the URL's port, or else the first of its scheme that
    /// takes the host.
    pub listener: Option<String>,
}

/// Why nothing can be explained.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuestionError {
    /// The URL is none.
    #[error("{0:?} is no URL of the form http://host/path or https://host/path")]
    Url(String),
    /// Not a header field.
    #[error("{0:?} is no header field of the form `name: value`")]
    Header(String),
    /// Not a request.
    #[error("that is no request: {0}")]
    Request(String),
    /// There is no such listener.
    #[error("there is no listener {0:?}; there are {1}")]
    Listener(String, String),
    /// None speaks the scheme.
    #[error("no listener speaks {0}")]
    Scheme(&'static str),
}

impl Question {
    /// Whether the request comes by TLS.
    pub(super) fn is_encrypted(&self) -> bool {
        self.url.starts_with("https://")
    }

    /// The host and perhaps port, and the rest of the URL.
    fn parts(&self) -> Result<(&str, &str), QuestionError> {
        let rest = self.url.strip_prefix("http://");
        let rest = rest.or_else(|| self.url.strip_prefix("https://"));
        let rest = rest.ok_or_else(|| QuestionError::Url(self.url.clone()))?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        if authority.is_empty() || authority.contains('@') {
            return Err(QuestionError::Url(self.url.clone()));
        }
        let target = target.split('#').next().unwrap_or("");
        Ok((authority, target))
    }

    pub(super) fn head(&self) -> Result<RequestHead, QuestionError> {
        let (authority, target) = self.parts()?;
        let target = if target.starts_with('/') {
            target.to_owned()
        } else {
            format!("/{target}")
        };
        let method = self.method.as_bytes();
        // A CONNECT names no path.
        let target = if self.method == "CONNECT" {
            authority
        } else {
            &target
        };
        let head = RequestHead::new(method, target.as_bytes(), Version::Http11);
        let mut head = head.map_err(|fault| QuestionError::Request(fault.to_string()))?;
        let host = ("Host", authority);
        let fields = self.headers.iter().map(|field| {
            let (name, value) = field.split_once(':').unwrap_or(("", ""));
            (name, value.trim(), field)
        });
        let own_host = self
            .headers
            .iter()
            .any(|field| field.to_ascii_lowercase().starts_with("host:"));
        if !own_host {
            let fault = |_| QuestionError::Url(self.url.clone());
            let set = head.headers_mut().append(host.0, host.1.as_bytes());
            set.map_err(fault)?;
        }
        for (name, value, field) in fields {
            let added = head.headers_mut().append(name, value.as_bytes());
            added.map_err(|_| QuestionError::Header(field.clone()))?;
        }
        Ok(head)
    }

    /// The socket that is asked.
    pub(super) fn socket(&self, config: &Config) -> Result<usize, QuestionError> {
        let (authority, _) = self.parts()?;
        let encrypted = self.is_encrypted();
        if let Some(name) = &self.listener {
            let listener = config.listeners.iter().find(|it| it.name == *name);
            return listener.map(|it| it.socket).ok_or_else(|| {
                let names = config.listeners.iter().map(|it| it.name.as_str());
                let names: Vec<&str> = names.collect();
                QuestionError::Listener(name.clone(), names.join(", "))
            });
        }
        let fitting: Vec<usize> = (0..config.sockets.len())
            .filter(|index| {
                let socket = &config.sockets[*index];
                let mut listeners = socket.listeners.iter().map(|it| &config.listeners[*it]);
                socket.kind == kind_of(encrypted) && listeners.any(|it| speaks(it, encrypted))
            })
            .collect();
        let port = authority
            .rsplit_once(':')
            .and_then(|(_, port)| port.parse().ok());
        let port: u16 = port.unwrap_or(if encrypted { 443 } else { 80 });
        let by_port = fitting
            .iter()
            .find(|index| match config.sockets[**index].bind {
                Bind::Tcp(address) => address.port() == port,
                Bind::Unix(_) => false,
            });
        let host = host_of(authority.as_bytes());
        let by_host = fitting.iter().find(|index| {
            let mut listeners = config.sockets[**index].listeners.iter();
            listeners.any(|it| {
                let hostname = &config.listeners[*it].hostname;
                hostname.as_ref().is_none_or(|own| own.matches(&host))
            })
        });
        let scheme = if encrypted { "https" } else { "http" };
        by_port
            .or(by_host)
            .or(fitting.first())
            .copied()
            .ok_or(QuestionError::Scheme(scheme))
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.url)
    }
}
