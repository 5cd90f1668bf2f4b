//! `PATH`, `POD:PATH` or `NAMESPACE/POD:PATH`.

use client::PodName;

use crate::commands::Failure;

/// Where a file or folder is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// On this machine.
    Here(String),
    /// In a container of a Pod.
    Pod(PodName, String),
}

impl Place {
    /// Reads it as kubectl does; but what begins with `/`, `./` or `../` is a path, whatever else it holds.
    pub(super) fn parse(text: &str, namespace: &str) -> Result<Self, Failure> {
        let wrong = || {
            Failure::text(
                "filespec must match the canonical format: [[namespace/]pod:]file/path".into(),
            )
        };
        let local = ["/", "./", "../"];
        if local.iter().any(|begin| text.starts_with(begin)) {
            return Ok(Self::Here(text.into()));
        }
        let Some((pod, path)) = text.split_once(':') else {
            return Ok(Self::Here(text.into()));
        };
        let (namespace, name) = pod.split_once('/').unwrap_or((namespace, pod));
        if name.is_empty() || name.contains('/') || namespace.is_empty() {
            return Err(wrong());
        }
        Ok(Self::Pod(PodName::new(namespace, name), path.into()))
    }

    pub(super) fn path(&self) -> &str {
        match self {
            Self::Here(path) | Self::Pod(_, path) => path,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_kubectl_reads_them() {
        let pod = |namespace: &str, path: &str| {
            Some(Place::Pod(PodName::new(namespace, "web"), path.into()))
        };
        let here = |path: &str| Some(Place::Here(path.into()));
        for (text, place) in [
            ("web:/etc/hosts", pod("default", "/etc/hosts")),
            ("web:a:b", pod("default", "a:b")),
            ("prod/web:", pod("prod", "")),
            ("a/b", here("a/b")),
            ("/a:b", here("/a:b")),
            ("./web:x", here("./web:x")),
            ("", here("")),
            (":x", None),
            ("a/b/web:x", None),
            ("/web:x", here("/web:x")),
            ("a/:x", None),
        ] {
            assert_eq!(Place::parse(text, "default").ok(), place, "{text}");
        }
    }
}
