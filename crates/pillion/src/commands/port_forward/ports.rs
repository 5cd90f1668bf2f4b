//! `8080:80`, `80`, `:80`, `8080:http`: which port here stands for which one of the Pod.

use std::num::IntErrorKind;

use manifest::core::v1::{Pod, Protocol};

use crate::commands::Failure;

/// A pair of ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Forward {
    /// Here; 0 is any that is free.
    pub(super) local: u16,
    /// The Pod's.
    pub(super) remote: u16,
}

/// Reads what was typed, as kubectl does.
pub(super) fn parse(ports: &[String], pod: &Pod) -> Result<Vec<Forward>, Failure> {
    ports
        .iter()
        .map(|text| one(text, pod).map_err(Failure::text))
        .collect()
}

fn one(text: &str, pod: &Pod) -> Result<Forward, String> {
    let (local, remote) = match *text.split(':').collect::<Vec<_>>() {
        [both] => (both, both),
        ["", remote] => ("0", remote),
        [local, remote] => (local, remote),
        _ => return Err(format!("invalid port format '{text}'")),
    };
    if remote.is_empty() {
        return Err("remote port cannot be empty".into());
    }
    let by_name = !remote.bytes().all(|byte| byte.is_ascii_digit());
    let number = match by_name {
        true => named(remote, pod)?,
        false => self::number(remote)
            .map_err(|error| format!("error parsing remote port '{remote}': {error}"))?,
    };
    if is_udp_only(number, pod) {
        return Err(format!("UDP protocol is not supported for {remote}"));
    }
    if number == 0 {
        return Err("remote port must be > 0".into());
    }
    let local = match local == remote {
        true => number,
        false => self::number(local)
            .map_err(|error| format!("error parsing local port '{local}': {error}"))?,
    };
    Ok(Forward {
        local,
        remote: number,
    })
}

/// The port of that name of any container.
fn named(name: &str, pod: &Pod) -> Result<u16, String> {
    let mut ports = pod.spec.containers.iter().flat_map(|one| &one.ports);
    ports
        .find(|port| port.name.as_deref() == Some(name))
        .and_then(|port| u16::try_from(port.container_port).ok())
        .ok_or_else(|| {
            let pod = pod.metadata.name.as_deref().unwrap_or_default();
            format!("Pod '{pod}' does not have a named port '{name}'")
        })
}

/// Containers say of it that it is one of UDP, and none that it is one of TCP.
fn is_udp_only(number: u16, pod: &Pod) -> bool {
    let ports = pod.spec.containers.iter().flat_map(|one| &one.ports);
    let mut protocols = ports
        .filter(|port| port.container_port == i32::from(number))
        .map(|port| port.protocol.unwrap_or_default())
        .peekable();
    protocols.peek().is_some() && protocols.all(|protocol| protocol == Protocol::Udp)
}

/// A port, or Go's words for what is none.
fn number(text: &str) -> Result<u16, String> {
    // Go takes no sign.
    let parsed = match text.strip_prefix('+') {
        Some(_) => Err("invalid syntax"),
        None => text
            .parse()
            .map_err(|error: std::num::ParseIntError| match error.kind() {
                IntErrorKind::PosOverflow => "value out of range",
                _ => "invalid syntax",
            }),
    };
    parsed.map_err(|why| format!("strconv.ParseUint: parsing {text:?}: {why}"))
}

#[cfg(test)]
mod tests;
