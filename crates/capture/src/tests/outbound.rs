use rustix::process::Uid;

use super::*;

/// Connects as another user, which is a property of a thread.
fn connect_as(uid: u32, from: &Namespace, to: (&str, u16)) -> TcpStream {
    let to = socket(to);
    from.run(|| {
        let uid = Uid::from_raw(uid);
        rustix::thread::set_thread_res_uid(uid, uid, uid).unwrap();
        TcpStream::connect_timeout(&to, Duration::from_secs(10)).unwrap()
    })
}

#[test]
fn connections_of_the_app_come_to_the_sidecar_and_its_own_do_not() {
    let net = Net::new();
    let sidecar = Server::listen(&net.pod, "127.0.0.1:15001");
    let sidecar_v6 = Server::listen(&net.pod, "[::1]:15001");
    let partner = Server::listen(&net.client, "[::]:443");
    net.install(&only_outbound(&outbound(&["443=15001"])));
    for (server, to) in [&sidecar, &sidecar_v6].into_iter().zip(CLIENT) {
        let (_, original) = reaches(&net.pod, (to, 443), server);
        assert_eq!(original, socket((to, 443)));
        let app = connect_as(1000, &net.pod, (to, 443));
        assert_eq!(server.take("").1, socket((to, 443)));
        drop(app);
        // The sidecar goes on to the partner, or this would never end.
        let own = connect_as(1337, &net.pod, (to, 443));
        partner.take("");
        drop(own);
        refused(&net.pod, (to, 80));
    }
    // Nothing is said about those that come in.
    let app = Server::listen(&net.pod, "[::]:443");
    reaches(&net.client, (POD[0], 443), &app);
}

#[test]
fn marked_sockets_go_out() {
    let net = Net::new();
    let sidecar = Server::listen(&net.pod, "127.0.0.1:15001");
    let partner = Server::listen(&net.client, "0.0.0.0:443");
    let mut outbound = outbound(&["443=15001"]);
    outbound.exclude_users.clear();
    outbound.exclude_marks = vec!["0x10/0xf0".parse().unwrap()];
    net.install(&only_outbound(&outbound));
    for (mark, server) in [
        (0x10, &partner),
        (0x1f, &partner),
        (0x20, &sidecar),
        (0, &sidecar),
    ] {
        let script = "import socket,sys; s=socket.socket(); s.setsockopt(1,36,int(sys.argv[1])); s.connect((sys.argv[2],443))";
        net.run(&["python3", "-c", script, &mark.to_string(), CLIENT[0]]);
        server.take("");
    }
}

#[test]
fn destinations_and_ports_can_be_excluded() {
    let net = Net::new();
    let sidecars = ["127.0.0.1:15001", "[::1]:15001"].map(|at| Server::listen(&net.pod, at));
    let partner = Server::listen(&net.client, "[::]:443");
    let mail = Server::listen(&net.client, "[::]:25");
    let mut outbound = outbound(&["all=15001"]);
    outbound.exclude_ports = vec![25];
    outbound.exclude_destinations = ["198.51.100.1/32", "2001:db8:ffff::/48"]
        .map(|range| range.parse().unwrap())
        .to_vec();
    net.install(&only_outbound(&outbound));
    for (at, sidecar) in sidecars.iter().enumerate() {
        reaches(&net.pod, (CLIENT[at], 443), sidecar);
        reaches(&net.pod, (CLIENT[at], 9), sidecar);
        reaches(&net.pod, (OTHER_CLIENT[at], 443), &partner);
        reaches(&net.pod, (CLIENT[at], 25), &mail);
    }
}

#[test]
fn what_stays_within_the_pod_is_captured_only_where_asked() {
    let net = Net::new();
    let sidecar = Server::listen(&net.pod, "[::]:15001");
    let local = Server::listen(&net.pod, "[::]:443");
    let mut outbound = outbound(&["443=15001"]);
    net.install(&only_outbound(&outbound));
    let within = ["127.0.0.1", "::1", POD[0], POD[1]];
    for to in within {
        reaches(&net.pod, (to, 443), &local);
    }
    outbound.loopback = true;
    net.install(&only_outbound(&outbound));
    for to in within {
        let (_, original) = reaches(&net.pod, (to, 443), &sidecar);
        assert_eq!(original, socket((to, 443)));
        connect_as(1337, &net.pod, (to, 443));
        local.take("");
    }
}

#[test]
fn both_directions_at_once() {
    let net = Net::new();
    let into = Server::listen(&net.pod, "[::]:8080");
    let out = Server::listen(&net.pod, "[::]:15001");
    let capture = Capture::new(&inbound(&["80=8080"]), &outbound(&["443=15001"])).unwrap();
    net.install(&capture);
    reaches(&net.client, (POD[1], 80), &into);
    reaches(&net.pod, (CLIENT[1], 443), &out);
}
