//! Image references as people write them, normalised as Docker and Kubernetes do.
//!
//! The rules and the words of the errors are those of the Go module `distribution/reference`
//! (`ParseNormalizedNamed` and `TagNameOnly`), because `kubectl describe` shows them: `nginx` is
//! `docker.io/library/nginx:latest`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::digest::{Digest, InvalidDigest};

#[cfg(test)]
mod tests;

const DEFAULT_DOMAIN: &str = "docker.io";
const LEGACY_DOMAIN: &str = "index.docker.io";
const OFFICIAL: &str = "library/";
const DEFAULT_TAG: &str = "latest";
/// Longest path of a repository, in bytes.
const PATH_MAX: usize = 255;

/// A normalised image reference: registry, repository path, and a tag, a digest or both.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    domain: String,
    path: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// A text that is no image reference; its message is the one Kubernetes gives with the reason
/// `InvalidImageName`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("couldn't parse image name {name:?}: {reason}")]
pub struct InvalidReference {
    name: String,
    reason: Reason,
}

/// What is wrong with a reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Reason {
    #[error("invalid reference format")]
    Format,
    #[error("invalid reference format: repository name ({0}) must be lowercase")]
    Uppercase(String),
    #[error("invalid repository name ({0}), cannot specify 64-byte hexadecimal strings")]
    Identifier(String),
    #[error("repository name must not be more than {PATH_MAX} characters")]
    TooLong,
    #[error(transparent)]
    Digest(#[from] InvalidDigest),
}

impl Reference {
    /// Parses what a manifest or a person wrote, and adds what was left out: the registry
    /// `docker.io`, the path `library/`, the tag `latest` where neither tag nor digest is given.
    ///
    /// # Errors
    /// [`InvalidReference`], whose message is the one of the kubelet.
    pub fn parse(text: &str) -> Result<Reference, InvalidReference> {
        parse(text).map_err(|reason| InvalidReference {
            name: text.to_owned(),
            reason,
        })
    }

    /// The registry: `docker.io`, `localhost:5000`, `[::1]:5000`.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The repository within the registry: `library/nginx`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Registry and path: `docker.io/library/nginx`.
    pub fn repository(&self) -> String {
        format!("{}/{}", self.domain, self.path)
    }

    /// The tag; `None` where only a digest was given.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest of the manifest, where one was given.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// The short form people know: `nginx:latest` for `docker.io/library/nginx:latest`.
    pub fn familiar(&self) -> String {
        let short = match self.path.strip_prefix(OFFICIAL) {
            Some(short) if !short.contains('/') => short,
            _ => &self.path,
        };
        // `docker.io/a.b/c` has no short form: `a.b/c` would be read as the registry `a.b`.
        let ambiguous = short
            .split_once('/')
            .is_some_and(|(first, _)| first.contains('.') || first == "localhost");
        let name = if self.domain != DEFAULT_DOMAIN || ambiguous {
            self.repository()
        } else {
            short.to_owned()
        };
        name + &self.suffix()
    }

    /// Whether this names the image that is the running program itself: `pillion`, with any tag.
    pub fn is_builtin(&self) -> bool {
        self.domain == DEFAULT_DOMAIN && self.path == "library/pillion" && self.digest.is_none()
    }

    /// `docker.io/library/pillion:latest`.
    pub(crate) fn builtin() -> Reference {
        Reference {
            domain: DEFAULT_DOMAIN.to_owned(),
            path: "library/pillion".to_owned(),
            tag: Some(DEFAULT_TAG.to_owned()),
            digest: None,
        }
    }

    fn suffix(&self) -> String {
        let mut suffix = String::new();
        if let Some(tag) = &self.tag {
            suffix = format!(":{tag}");
        }
        if let Some(digest) = &self.digest {
            suffix = format!("{suffix}@{digest}");
        }
        suffix
    }
}

impl fmt::Display for Reference {
    /// The canonical form: `docker.io/library/nginx:latest`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}{}", self.domain, self.path, self.suffix())
    }
}

impl FromStr for Reference {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Reference, InvalidReference> {
        Reference::parse(text)
    }
}

impl Serialize for Reference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Reference, D::Error> {
        Reference::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

fn parse(text: &str) -> Result<Reference, Reason> {
    if text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return Err(Reason::Identifier(text.to_owned()));
    }
    let (domain, remainder) = split_domain(text);
    let remote = remainder.split(':').next().unwrap_or_default();
    if remote.to_lowercase() != remote {
        return Err(Reason::Uppercase(remote.to_owned()));
    }

    let (name, digest) = match remainder.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (remainder.as_str(), None),
    };
    let (path, tag) = match name.split_once(':') {
        Some((path, tag)) => (path, Some(tag)),
        None => (name, None),
    };
    if !is_domain(&domain) || !is_path(path) || tag.is_some_and(|tag| !is_tag(tag)) {
        return Err(Reason::Format);
    }
    if digest.is_some_and(|digest| !is_digest(digest)) {
        return Err(Reason::Format);
    }
    if path.len() > PATH_MAX {
        return Err(Reason::TooLong);
    }
    let digest = digest.map(str::parse::<Digest>).transpose()?;
    let tag = match (tag, &digest) {
        (None, None) => Some(DEFAULT_TAG),
        (tag, _) => tag,
    };
    Ok(Reference {
        domain,
        path: path.to_owned(),
        tag: tag.map(str::to_owned),
        digest,
    })
}

/// Tells the registry from the first part of a path: only a name with a dot, a colon or a capital
/// letter, or `localhost`, is a registry.
fn split_domain(text: &str) -> (String, String) {
    let (domain, remote) = match text.split_once('/') {
        Some((first, rest)) if first == LEGACY_DOMAIN => (DEFAULT_DOMAIN, rest),
        Some((first, rest))
            if first == "localhost"
                || first.contains(['.', ':'])
                || first.to_lowercase() != first =>
        {
            (first, rest)
        }
        _ => (DEFAULT_DOMAIN, text),
    };
    if domain == DEFAULT_DOMAIN && !remote.contains('/') {
        return (domain.to_owned(), format!("{OFFICIAL}{remote}"));
    }
    (domain.to_owned(), remote.to_owned())
}

fn is_domain(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((v6, port)) => {
                if v6.is_empty() || !v6.bytes().all(|b| b.is_ascii_hexdigit() || b == b':') {
                    return false;
                }
                (
                    None,
                    port.strip_prefix(':')
                        .or(if port.is_empty() { None } else { Some("") }),
                )
            }
            None => return false,
        },
        None => match text.split_once(':') {
            Some((host, port)) => (Some(host), Some(port)),
            None => (Some(text), None),
        },
    };
    let good_host = host.is_none_or(|host| host.split('.').all(is_domain_component));
    let good_port = port.is_none_or(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()));
    good_host && good_port
}

fn is_domain_component(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn is_path(text: &str) -> bool {
    text.split('/').all(is_path_component)
}

/// Lower-case letters and digits, in groups separated by one `.`, one or two `_`, or any number of
/// `-`.
fn is_path_component(text: &str) -> bool {
    let is_word = |b: &u8| matches!(b, b'a'..=b'z' | b'0'..=b'9');
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
        return false;
    };
    if !is_word(first) || !is_word(last) {
        return false;
    }
    bytes.split(|b| is_word(b)).all(|separator| {
        matches!(separator, b"" | b"." | b"_" | b"__") || separator.iter().all(|b| *b == b'-')
    })
}

pub(crate) fn is_tag(text: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    text.len() <= 128
        && text.bytes().next().is_some_and(is_word)
        && text.bytes().all(|b| is_word(b) || b == b'.' || b == b'-')
}

/// Whether `text` has the shape of a digest of any algorithm; [`Digest`] then says whether it is
/// one.
fn is_digest(text: &str) -> bool {
    let Some((algorithm, hex)) = text.split_once(':') else {
        return false;
    };
    let component = |c: &str| {
        c.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
            && c.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    algorithm.split(['-', '_', '+', '.']).all(component)
        && hex.len() >= 32
        && hex.bytes().all(|b| b.is_ascii_hexdigit())
}
