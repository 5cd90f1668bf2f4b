//! A thousand Pods, one after the other and side by side, leave nothing in the process that ran them, nor on the machine.

use std::fs;
use std::path::Path;
use std::time::Duration;

use node::Node;

use crate::fixture::{Fixture, block_on_for, parse};

pub(crate) const TESTS: &[crate::Test] = &[("a_thousand_pods", || {
    block_on_for(Duration::from_secs(600), a_thousand_pods());
})];

const PODS: usize = 1000;
const AT_ONCE: usize = 50;

/// A container that talks to itself over the Pod's address, writes to a volume, and ends.
const SPEC: &str = "restartPolicy: Never
terminationGracePeriodSeconds: 0
volumes: [{name: data, emptyDir: {}}, {name: memory, emptyDir: {medium: Memory}}]
initContainers:
- name: side
  image: busybox
  restartPolicy: Always
  command: [sleep, '1000']
containers:
- name: app
  image: busybox
  command: [sh, -c, 'echo hello; echo x >/data/x; echo y >/memory/y; nc -w 1 127.0.0.1 1 </dev/null; true']
  volumeMounts: [{name: data, mountPath: /data}, {name: memory, mountPath: /memory}]";

/// What could grow.
#[derive(Debug, PartialEq, Eq)]
struct Held {
    descriptors: usize,
    children: String,
    links: Vec<String>,
    routes: usize,
    addresses: usize,
    tracked: String,
    files: usize,
    mounts: usize,
}

fn held(node: &Node) -> Held {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let mut links: Vec<String> = fs::read_dir("/proc/self/net/dev_snmp6")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    links.sort();
    Held {
        descriptors: fs::read_dir("/proc/self/fd").expect("readdir").count(),
        children: read("/proc/thread-self/children"),
        links,
        routes: read("/proc/thread-self/net/route").lines().count()
            + read("/proc/thread-self/net/ipv6_route").lines().count(),
        addresses: read("/proc/thread-self/net/fib_trie").lines().count()
            + read("/proc/thread-self/net/if_inet6").lines().count(),
        tracked: read("/proc/sys/net/netfilter/nf_conntrack_count"),
        files: files(&node.paths().lib) + files(&node.paths().run),
        mounts: read("/proc/thread-self/mountinfo").lines().count(),
    }
}

fn files(dir: &Path) -> usize {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => 1 + files(&entry.path()),
            _ => 1,
        })
        .sum()
}

/// Bytes that were allocated and not given back. What the kernel counts would be blurred by the allocator's own store.
fn memory() -> isize {
    let stats = stats_alloc::INSTRUMENTED_SYSTEM.stats();
    stats.bytes_allocated.wrapping_sub(stats.bytes_deallocated) as isize
}

async fn run(fixture: &Fixture, count: usize) {
    for batch in 0..count / AT_ONCE {
        let pods = (0..AT_ONCE).map(|n| {
            let mut pod = parse(SPEC);
            pod.metadata.name = Some(format!("pod-{batch}-{n}"));
            pod
        });
        let handles = fixture
            .node
            .start(pods.collect(), &[])
            .await
            .expect("start");
        for handle in handles {
            let outcome = handle.wait().await;
            assert_eq!(outcome.leftovers, Vec::<String>::new());
            let phase = outcome.pod.status.as_ref().and_then(|status| status.phase);
            assert_eq!(
                phase.map(|phase| phase.to_string()).as_deref(),
                Some("Succeeded")
            );
        }
    }
}

async fn a_thousand_pods() {
    let fixture = Fixture::new().await;
    // The first ones open what stays: the network, the resolver, threads, the allocator's arenas.
    run(&fixture, 5 * AT_ONCE).await;
    settled(|| links(&held(&fixture.node)).is_empty()).await;
    let (before, memory_before) = (held(&fixture.node), memory());
    run(&fixture, PODS).await;
    // A leak of 100 bytes a Pod would be seen.
    let grown = || memory() - memory_before;
    settled(|| held(&fixture.node) == before && grown() < 100 * PODS as isize).await;
    assert_eq!(held(&fixture.node), before);
    assert!(
        grown() < 100 * PODS as isize,
        "memory grew by {} bytes",
        grown()
    );
}

fn links(held: &Held) -> Vec<&String> {
    let links = held.links.iter();
    links.filter(|link| link.starts_with("pil")).collect()
}

/// The kernel takes links down in its own time, and this process looks after them once more; gives up after a while.
async fn settled(is: impl Fn() -> bool) {
    for _ in 0..400 {
        if is() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
