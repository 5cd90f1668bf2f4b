//! `--publish [IP:]HOST:[POD/]PORT[/udp]`.

use std::net::{IpAddr, Ipv4Addr};

use manifest::core::v1::{Pod, Protocol};
use node::Publish;

/// Reads all arguments; no two may want one port of the host.
pub(crate) fn all(texts: &[String], pods: &[Pod]) -> Result<Vec<Publish>, String> {
    let mut all: Vec<Publish> = Vec::new();
    for text in texts {
        let publish = parse(text, pods)?;
        let port = |publish: &Publish| (publish.ip, publish.host_port, publish.protocol);
        if all.iter().any(|other| port(other) == port(&publish)) {
            return Err(format!(
                "--publish {text}: this port of the host is published already"
            ));
        }
        all.push(publish);
    }
    Ok(all)
}

/// Reads one argument; `PORT` may be the name of a container port.
pub(crate) fn parse(text: &str, pods: &[Pod]) -> Result<Publish, String> {
    let wrong =
        |why: &str| format!("--publish {text}: {why} (write it as HOST:PORT, such as 8080:80)");
    let (rest, protocol) = match text.rsplit_once('/') {
        Some((rest, word)) if word.eq_ignore_ascii_case("udp") => (rest, Protocol::Udp),
        Some((rest, word)) if word.eq_ignore_ascii_case("tcp") => (rest, Protocol::Tcp),
        _ => (text, Protocol::Tcp),
    };
    let (host, target) = rest
        .rsplit_once(':')
        .ok_or_else(|| wrong("two ports are needed"))?;
    let (ip, host_port) = match host.rsplit_once(':') {
        Some((ip, port)) => {
            let ip = ip.trim_start_matches('[').trim_end_matches(']');
            (
                ip.parse()
                    .map_err(|_| wrong(&format!("{ip} is no address")))?,
                port,
            )
        }
        None => (IpAddr::V4(Ipv4Addr::LOCALHOST), host),
    };
    let host_port: u16 = host_port
        .parse()
        .map_err(|_| wrong(&format!("{host_port:?} is no port number")))?;
    let (pod, port) = match target.split_once('/') {
        Some((pod, port)) => {
            let known = pods
                .iter()
                .any(|known| known.metadata.name.as_deref() == Some(pod));
            if !known {
                return Err(wrong(&format!("there is no Pod {pod}")));
            }
            (pod.to_owned(), port)
        }
        None if pods.len() == 1 => (pods[0].metadata.name.clone().unwrap_or_default(), target),
        None => return Err(wrong("there are several Pods: name one, as HOST:POD/PORT")),
    };
    let port = match port.parse::<u16>() {
        Ok(0) => return Err(wrong("port 0 cannot be published")),
        Ok(port) => port,
        Err(_) => named(pods, &pod, port).ok_or_else(|| {
            wrong(&format!(
                "{port:?} is neither a port number nor the name of a port of {pod}"
            ))
        })?,
    };
    Ok(Publish {
        ip,
        host_port,
        pod,
        port,
        protocol,
    })
}

fn named(pods: &[Pod], pod: &str, name: &str) -> Option<u16> {
    let pod = pods
        .iter()
        .find(|known| known.metadata.name.as_deref() == Some(pod))?;
    let containers = pod.spec.init_containers.iter().chain(&pod.spec.containers);
    let port = containers
        .flat_map(|container| &container.ports)
        .find(|port| port.name.as_deref() == Some(name))?;
    u16::try_from(port.container_port).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pods(names: &[&str]) -> Vec<Pod> {
        names
            .iter()
            .map(|name| {
                serde_json::from_value(serde_json::json!({
                    "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
                    "spec": {"containers": [{"name": "c", "ports": [{"name": "http", "containerPort": 80}]}]}
                }))
                .expect("pod")
            })
            .collect()
    }

    #[test]
    fn forms() {
        let one = pods(&["web"]);
        let ok = |text: &str| {
            parse(text, &one).map(|p| (p.ip.to_string(), p.host_port, p.port, p.protocol))
        };
        assert_eq!(
            ok("8080:80"),
            Ok(("127.0.0.1".into(), 8080, 80, Protocol::Tcp))
        );
        assert_eq!(
            ok("0.0.0.0:53:53/udp"),
            Ok(("0.0.0.0".into(), 53, 53, Protocol::Udp))
        );
        assert_eq!(
            ok("[::1]:8080:http"),
            Ok(("::1".into(), 8080, 80, Protocol::Tcp))
        );
        assert_eq!(
            ok("8080:web/http"),
            Ok(("127.0.0.1".into(), 8080, 80, Protocol::Tcp))
        );
        for bad in [
            "80",
            "x:80",
            "8080:nope",
            "8080:0",
            "8080:other/80",
            "nowhere:1:2",
            "99999:80",
        ] {
            assert!(ok(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_port_of_the_host_is_published_once() {
        let one = pods(&["web"]);
        let both = |a: &str, b: &str| all(&[a.to_owned(), b.to_owned()], &one);
        assert!(both("8080:80", "8080:81").is_err());
        assert!(both("8080:80", "8081:80").is_ok());
        assert!(both("8080:80", "8080:80/udp").is_ok());
    }

    #[test]
    fn several_pods_need_a_name() {
        let two = pods(&["a", "b"]);
        assert!(
            parse("8080:80", &two)
                .expect_err("ambiguous")
                .contains("HOST:POD/PORT")
        );
        assert_eq!(parse("8080:b/80", &two).expect("named").pod, "b");
    }
}
