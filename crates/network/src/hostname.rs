//! A Pod's host name and domain (rules R17.1 and R17.2; upstream: `GeneratePodHostNameAndDomain` and
//! `GetNodenameForKernel` of the kubelet).

/// Linux' limit for the kernel's host name, `__NEW_UTS_LEN`.
const KERNEL_LIMIT: usize = 64;
/// Longest DNS label (RFC 1123).
const LABEL_LIMIT: usize = 63;

/// What a Pod says about its name.
#[derive(Debug, Clone, Copy, Default)]
pub struct HostnameRequest<'a> {
    /// `metadata.name`.
    pub pod_name: &'a str,
    /// `metadata.namespace`.
    pub namespace: &'a str,
    /// `spec.hostname`.
    pub hostname: Option<&'a str>,
    /// `spec.subdomain`.
    pub subdomain: Option<&'a str>,
    /// `spec.setHostnameAsFQDN`.
    pub set_hostname_as_fqdn: bool,
    /// `spec.hostnameOverride`.
    pub hostname_override: Option<&'a str>,
    /// `cluster.local` unless the cluster is called otherwise.
    pub cluster_domain: &'a str,
}

/// How a Pod is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodHostname {
    /// The name for `/etc/hosts`, without domain.
    pub hostname: String,
    /// The domain that `spec.subdomain` makes.
    pub domain: Option<String>,
    /// What `hostname` prints in its containers.
    pub kernel: String,
}

/// A Pod that cannot be called as it wants.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostnameError {
    /// Nothing is left of the Pod's name when it is cut to a label.
    #[error("hostname for pod `{0}` was invalid")]
    Invalid(String),
    /// `setHostnameAsFQDN` makes a name the kernel does not take.
    #[error(
        "FQDN {fqdn} is too long for setHostnameAsFQDN ({KERNEL_LIMIT} characters is the max, {} characters requested)",
        fqdn.len()
    )]
    FqdnTooLong {
        /// The name.
        fqdn: String,
    },
}

/// Names a Pod. Pods with `hostNetwork` carry the node's name instead (R17.4) and have no use for this.
///
/// # Errors
/// See [`HostnameError`].
pub fn pod_hostname(request: &HostnameRequest<'_>) -> Result<PodHostname, HostnameError> {
    if let Some(name) = non_empty(request.hostname_override) {
        return Ok(PodHostname {
            hostname: name.to_owned(),
            domain: None,
            kernel: name.to_owned(),
        });
    }
    let hostname = match non_empty(request.hostname) {
        Some(hostname) => hostname.to_owned(),
        None => truncated(request.pod_name)?,
    };
    let domain = non_empty(request.subdomain).map(|subdomain| {
        let (namespace, cluster) = (request.namespace, request.cluster_domain);
        format!("{subdomain}.{namespace}.svc.{cluster}")
    });
    let kernel = match &domain {
        Some(domain) if request.set_hostname_as_fqdn => {
            let fqdn = format!("{hostname}.{domain}");
            if fqdn.len() > KERNEL_LIMIT {
                return Err(HostnameError::FqdnTooLong { fqdn });
            }
            fqdn
        }
        _ => hostname.clone(),
    };
    Ok(PodHostname {
        hostname,
        domain,
        kernel,
    })
}

/// Empty strings are unset strings in Kubernetes objects.
fn non_empty(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

/// A Pod's name may be longer than a label; it is cut, and no dot or dash may be its last.
fn truncated(name: &str) -> Result<String, HostnameError> {
    if name.len() <= LABEL_LIMIT {
        return Ok(name.to_owned());
    }
    let cut: String = name.chars().take(LABEL_LIMIT).collect();
    match cut.trim_end_matches(['-', '.']) {
        "" => Err(HostnameError::Invalid(name.to_owned())),
        label => Ok(label.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(pod_name: &str) -> HostnameRequest<'_> {
        HostnameRequest {
            pod_name,
            namespace: "default",
            cluster_domain: "cluster.local",
            ..HostnameRequest::default()
        }
    }

    #[test]
    fn r17_1_hostname_else_pod_name_cut_at_63() {
        let long = format!("{}.{}", "a".repeat(62), "b".repeat(30));
        for (pod, hostname, expected) in [
            ("web", None, "web"),
            ("web", Some("custom"), "custom"),
            ("web", Some(""), "web"),
            ("web.v1", None, "web.v1"),
            (long.as_str(), None, &"a".repeat(62)),
        ] {
            let named = pod_hostname(&HostnameRequest {
                hostname,
                ..request(pod)
            })
            .unwrap();
            assert_eq!(named.hostname, expected);
            assert_eq!(named.kernel, expected);
            assert_eq!(named.domain, None);
        }
        let dots = ".".repeat(70);
        assert_eq!(
            pod_hostname(&request(&dots)),
            Err(HostnameError::Invalid(dots.clone()))
        );
    }

    #[test]
    fn r17_1_override_is_taken_as_it_is() {
        let named = pod_hostname(&HostnameRequest {
            hostname: Some("custom"),
            subdomain: Some("sub"),
            hostname_override: Some("db.example.com"),
            ..request("web")
        });
        let named = named.unwrap();
        assert_eq!(named.hostname, "db.example.com");
        assert_eq!(named.kernel, "db.example.com");
        assert_eq!(named.domain, None);
    }

    #[test]
    fn r17_2_subdomain_makes_a_domain_and_the_fqdn_on_demand() {
        let sub = HostnameRequest {
            subdomain: Some("web"),
            ..request("web-0")
        };
        let named = pod_hostname(&sub).unwrap();
        assert_eq!(named.kernel, "web-0");
        assert_eq!(
            named.domain.as_deref(),
            Some("web.default.svc.cluster.local")
        );

        let fqdn = HostnameRequest {
            set_hostname_as_fqdn: true,
            ..sub
        };
        let named = pod_hostname(&fqdn).unwrap();
        assert_eq!(named.hostname, "web-0");
        assert_eq!(named.kernel, "web-0.web.default.svc.cluster.local");

        let no_domain = HostnameRequest {
            set_hostname_as_fqdn: true,
            ..request("web-0")
        };
        assert_eq!(pod_hostname(&no_domain).unwrap().kernel, "web-0");
    }

    #[test]
    fn r17_2_fqdn_of_64_characters_is_the_longest() {
        let tail = ".web.default.svc.cluster.local";
        for (length, fits) in [(64, true), (65, false)] {
            let pod = "p".repeat(length - tail.len());
            let named = pod_hostname(&HostnameRequest {
                subdomain: Some("web"),
                set_hostname_as_fqdn: true,
                ..request(&pod)
            });
            assert_eq!(named.is_ok(), fits, "{named:?}");
            if let Err(error) = named {
                assert!(
                    error.to_string().contains("64 characters is the max, 65"),
                    "{error}"
                );
            }
        }
    }
}
