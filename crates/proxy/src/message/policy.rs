//! What is refused although it parses, in whatever version it came.

use super::head::is_authority;
use super::{Known, RequestHead, ResponseHead, TargetForm, Version};
use crate::reason::{Failure, Reason};

#[cfg(test)]
mod tests;

/// Checks a request before anything is done with it.
///
/// # Errors
/// [`Reason::BadHost`]: a request of HTTP/1.1 without Host, two of them, one that is no host, or one that says
/// something else than the target. [`Reason::ExpectationFailed`].
pub fn check_request(head: &RequestHead) -> Result<(), Failure> {
    let bad_host = |detail| Failure::new(Reason::BadHost, detail);
    let mut hosts = head.headers().all_known(Known::Host);
    let host = hosts.next();
    if hosts.next().is_some() {
        return Err(bad_host("more than one Host"));
    }
    match (host, head.target_authority()) {
        (None, None) if head.version() == Version::Http11 => return Err(bad_host("no Host")),
        (Some([]), None) if head.form() == TargetForm::Asterisk => {}
        (Some(host), _) if !is_authority(host) => return Err(bad_host("Host is not a host")),
        (Some(host), Some(target)) if !same_authority(host, target, default_port(head)) => {
            return Err(bad_host("Host is not the host of the target"));
        }
        (None, Some(_)) if head.version() == Version::Http11 => return Err(bad_host("no Host")),
        _ => {}
    }
    let mut expectations = head.headers().all_known(Known::Expect);
    if !expectations.all(|value| value.eq_ignore_ascii_case(b"100-continue")) {
        return Err(Failure::new(
            Reason::ExpectationFailed,
            "Expect is not 100-continue",
        ));
    }
    Ok(())
}

/// The port that goes without saying in the target's scheme.
fn default_port(head: &RequestHead) -> Option<&'static [u8]> {
    match head.scheme() {
        Some(scheme) if scheme.eq_ignore_ascii_case(b"http") => Some(b":80"),
        Some(scheme) if scheme.eq_ignore_ascii_case(b"https") => Some(b":443"),
        _ => None,
    }
}

fn same_authority(one: &[u8], other: &[u8], default_port: Option<&[u8]>) -> bool {
    let bare = |authority: &[u8]| -> usize {
        let without = default_port.and_then(|port| authority.strip_suffix(port));
        without.map_or(authority.len(), <[u8]>::len)
    };
    one[..bare(one)].eq_ignore_ascii_case(&other[..bare(other)])
}

/// Checks a response of the backend before anything of it is passed on.
///
/// # Errors
/// [`Reason::MalformedResponse`]: a status outside 100 to 599. [`Reason::UnexpectedUpgrade`]: a change of protocol that
/// `request` did not ask for.
pub fn check_response(head: &ResponseHead, request: &RequestHead) -> Result<(), Failure> {
    if !(100..600).contains(&head.status()) {
        return Err(Failure::new(
            Reason::MalformedResponse,
            "a status code that there is not",
        ));
    }
    let asked = request.protocol().filter(|_| request.method() != "CONNECT");
    let given = head.headers().known(Known::Upgrade);
    let same =
        matches!((asked, given), (Some(asked), Some(given)) if asked.eq_ignore_ascii_case(given));
    if head.status() == 101 && !same {
        let detail = "101 to another protocol than the request asked for";
        return Err(Failure::new(Reason::UnexpectedUpgrade, detail));
    }
    Ok(())
}
