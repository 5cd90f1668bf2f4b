use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::*;

#[test]
fn connections_come_to_the_sidecar_which_knows_where_they_were_to_go() {
    let net = Net::new();
    // The app is not reachable from outside at all.
    let apps = ["127.0.0.1:80", "[::1]:80"].map(|at| Server::listen(&net.pod, at));
    let sidecar = Server::listen(&net.pod, "[::]:8080");
    for pod in POD {
        refused(&net.client, (pod, 80));
    }
    assert_eq!(
        net.install(&only_inbound(&inbound(&["80=8080"]))),
        Installed::New
    );
    for (pod, client) in POD.into_iter().zip(CLIENT) {
        let seen = reaches(&net.client, (pod, 80), &sidecar);
        assert_eq!(seen, (address(client), socket((pod, 80))));
        refused(&net.client, (pod, 81));
        // Who asks for the sidecar gets it.
        let seen = reaches(&net.client, (pod, 8080), &sidecar);
        assert_eq!(seen.1, socket((pod, 8080)));
    }
    // What the sidecar itself opens to the app is not captured.
    for (app, to) in apps.iter().zip(["127.0.0.1", "::1"]) {
        reaches(&net.pod, (to, 80), app);
    }
    assert!(net.undo());
    for pod in POD {
        refused(&net.client, (pod, 80));
    }
    assert!(!net.undo());
    assert_eq!(net.nft(), "");
}

#[test]
fn an_app_on_the_pods_own_address_is_captured_and_reached_by_the_sidecar() {
    let net = Net::new();
    let app = Server::listen(&net.pod, "192.0.2.2:80");
    let sidecar = Server::listen(&net.pod, "0.0.0.0:8080");
    net.install(&only_inbound(&inbound(&["80=8080"])));
    reaches(&net.client, ("192.0.2.2", 80), &sidecar);
    reaches(&net.pod, ("192.0.2.2", 80), &app);
}

#[test]
fn all_ports_but_those_excluded_and_the_sidecars_own() {
    let net = Net::new();
    let sidecar = Server::listen(&net.pod, "[::]:15006");
    let web = Server::listen(&net.pod, "[::]:8080");
    let ssh = Server::listen(&net.pod, "[::]:22");
    let mut inbound = inbound(&["80=8080", "all=15006"]);
    inbound.exclude_ports = vec![22, 23];
    net.install(&only_inbound(&inbound));
    for pod in POD {
        for port in [1, 443, 65535] {
            let (_, original) = reaches(&net.client, (pod, port), &sidecar);
            assert_eq!(original, socket((pod, port)));
        }
        reaches(&net.client, (pod, 80), &web);
        reaches(&net.client, (pod, 8080), &web);
        reaches(&net.client, (pod, 15006), &sidecar);
        reaches(&net.client, (pod, 22), &ssh);
        refused(&net.client, (pod, 23));
    }
}

#[test]
fn clients_can_be_excluded() {
    let net = Net::new();
    let sidecar = Server::listen(&net.pod, "[::]:8080");
    let app = Server::listen(&net.pod, "[::]:80");
    let mut inbound = inbound(&["80=8080"]);
    inbound.exclude_sources = ["198.51.100.0/24", "2001:db8:ffff::/48"]
        .map(|range| range.parse().unwrap())
        .to_vec();
    net.install(&only_inbound(&inbound));
    for (at, pod) in POD.into_iter().enumerate() {
        reaches(&net.client, (pod, 80), &sidecar);
        let bound = net.client.run(|| {
            let output = Command::new("python3")
                .args(["-c", "import socket,sys; a=sys.argv; print(socket.create_connection((a[1],80),10,(a[2],0)).getsockname()[0])"])
                .args([pod, OTHER_CLIENT[at]])
                .output()
                .unwrap();
            String::from_utf8(output.stdout).unwrap()
        });
        assert_eq!(bound.trim(), OTHER_CLIENT[at]);
        assert_eq!(app.take("hello").0, address(OTHER_CLIENT[at]));
    }
}

#[test]
fn no_connection_is_lost_while_rules_are_replaced() {
    let net = Net::new();
    let sidecar = Server::listen(&net.pod, "[::]:8080");
    let captures = [
        only_inbound(&inbound(&["80=8080"])),
        only_inbound(&inbound(&["80=8080", "81=8080"])),
    ];
    net.install(&captures[0]);
    let done = AtomicBool::new(false);
    let connected = thread::scope(|scope| {
        let connecting = scope.spawn(|| {
            let mut connected = 0;
            while !done.load(Ordering::Relaxed) {
                // Nothing listens on port 80: a moment without the rule is a connection refused.
                reaches(&net.client, (POD[connected % 2], 80), &sidecar);
                connected += 1;
            }
            connected
        });
        for replaced in 1..=20 {
            if connecting.is_finished() {
                break;
            }
            assert_eq!(net.install(&captures[replaced % 2]), Installed::Replaced);
        }
        done.store(true, Ordering::Relaxed);
        connecting.join().unwrap()
    });
    assert!(connected > 20, "{connected} connections");
}

#[test]
fn an_open_connection_outlives_other_rules() {
    let net = Net::new();
    let sidecar = Server::listen(&net.pod, "[::]:8080");
    net.install(&only_inbound(&inbound(&["80=8080"])));
    let mut client = connect(&net.client, (POD[0], 80)).unwrap();
    let (mut server, _) = sidecar.accept();
    for side in [&client, &server] {
        side.set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
    }
    for step in [
        || only_inbound(&inbound(&["80=9090"])),
        || only_inbound(&inbound(&["81=8080"])),
    ] {
        net.install(&step());
        client.write_all(b"ping").unwrap();
        let mut got = [0; 4];
        server.read_exact(&mut got).unwrap();
    }
    server.write_all(b"pong").unwrap();
    let mut got = [0; 4];
    client.read_exact(&mut got).unwrap();
    assert_eq!(&got, b"pong");
}
