//! Connections into a Pod.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::fixture::{Fixture, sleeper};

crate::tests! {
    both_families_and_nobody,
    the_machines_own_network,
}

async fn both_families_and_nobody() {
    let fixture = Fixture::new().await;
    let pod = fixture.pod(&sleeper("")).await;
    // It goes to the background once it listens.
    let outcome = pod
        .shell("httpd -p 127.0.0.1:80 -h /etc && httpd -p [::1]:81 -h /etc")
        .await;
    assert_eq!(outcome.code, 0, "{outcome:?}");
    for port in [80, 81] {
        let mut stream = pod.control.dial(port).await.expect("dial");
        let request = b"GET /group HTTP/1.0\r\n\r\n";
        stream.write_all(request).await.expect("write");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("read");
        assert!(answer.ends_with("user:x:1001:\n"), "{answer:?}");
    }
    let uid = pod
        .handle
        .status()
        .borrow()
        .metadata
        .uid
        .clone()
        .expect("uid");
    let error = pod.control.dial(82).await.expect_err("nobody");
    assert_eq!(
        error.to_string(),
        format!(
            "failed to connect to localhost:82 inside namespace \"{uid}\", IPv4: dial tcp4 127.0.0.1:82: connect: \
             connection refused IPv6: dial tcp6 [::1]:82: connect: connection refused"
        )
    );
    // Threads that were in the Pod's network end; none comes back from there.
    while !all_threads_are_at_home() {
        tokio::task::yield_now().await;
    }
    let control = pod.control.clone();
    pod.end().await;
    let error = control.dial(80).await.expect_err("no Pod");
    assert!(error.to_string().starts_with("pod not found"), "{error}");
}

async fn the_machines_own_network() {
    let fixture = Fixture::new().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("listen");
    let port = listener.local_addr().expect("address").port();
    let pod = fixture
        .pod(&format!("hostNetwork: true\n{}", sleeper("")))
        .await;
    let (dialled, accepted) = tokio::join!(pod.control.dial(port), listener.accept());
    dialled.expect("dial");
    accepted.expect("accept");
    pod.end().await;
}

fn all_threads_are_at_home() -> bool {
    let here = std::fs::read_link("/proc/thread-self/ns/net").expect("link");
    let tasks = std::fs::read_dir("/proc/self/task").expect("tasks");
    let mut links = tasks.map(|task| std::fs::read_link(task.expect("task").path().join("ns/net")));
    links.all(|link| link.map_or(true, |link| link == here))
}
