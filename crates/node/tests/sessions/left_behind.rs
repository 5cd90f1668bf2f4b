//! What sessions leave in this process: nothing.

use node::session::ExecRequest;

use crate::fixture::{Fixture, collect, request, sleeper};

crate::tests! {
    no_descriptor_no_zombie,
    a_sandbox_that_cannot_be_made_leaves_nothing,
    containers_have_the_limit_that_was_there_before,
}

async fn no_descriptor_no_zombie() {
    let open = || std::fs::read_dir("/proc/self/fd").expect("readdir").count();
    let children = || std::fs::read_to_string("/proc/thread-self/children").expect("read");
    let fixture = Fixture::new().await;
    let pod = fixture
        .pod(&format!(
            "shareProcessNamespace: true\n{}",
            sleeper("stdin: true")
        ))
        .await;
    // The first of each kind may open what stays, such as the resolver's or the runtime's.
    let mut before = None;
    for _ in 0..3 {
        for tty in [false, true] {
            let request = ExecRequest {
                stdin: true,
                tty,
                ..request(&["sh", "-c", "echo x; sleep 0.01 & exit 1"])
            };
            let outcome = collect(pod.control.exec(request).await.expect("exec")).await;
            assert_eq!(outcome.code, 1);
        }
        pod.control
            .exec(request(&["nope"]))
            .await
            .expect_err("nope");
        pod.control.dial(1).await.expect_err("nobody");
        let now = (open(), children());
        assert_eq!(*before.get_or_insert_with(|| now.clone()), now);
    }
    // One that still runs when its Pod ends.
    let session = pod
        .control
        .exec(request(&["sleep", "1000"]))
        .await
        .expect("exec");
    drop(session);
    pod.end().await;
    assert_eq!(children(), "");
}

async fn containers_have_the_limit_that_was_there_before() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let before = getrlimit(Resource::Nofile);
    let few = Rlimit {
        current: Some(777),
        ..before
    };
    setrlimit(Resource::Nofile, few).expect("lower it");
    let fixture = Fixture::new().await;
    assert_eq!(getrlimit(Resource::Nofile).current, before.maximum);
    let pod = fixture.pod(&sleeper("")).await;
    let script = "ulimit -n; busybox awk '/open files/ {print $4}' /proc/1/limits";
    assert_eq!(pod.shell(script).await.stdout, "777\n777\n");
    pod.end().await;
    setrlimit(Resource::Nofile, before).expect("restore it");
}

async fn a_sandbox_that_cannot_be_made_leaves_nothing() {
    use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
    let (fixture, seen) = Fixture::watched().await;
    let before = capabilities(None).expect("capabilities");
    let mut fewer = before;
    fewer.effective.remove(CapabilitySet::NET_ADMIN);
    // Threads that are started from now on have it not either, and they attach Pods.
    set_capabilities(None, fewer).expect("drop it");
    let spec = format!("shareProcessNamespace: true\n{}", sleeper(""));
    let pod = fixture.started(&spec).await;
    let failed = |all: &Vec<String>| {
        let failed = all
            .iter()
            .filter(|line| line.starts_with("FailedCreatePodSandBox"));
        failed.count() >= 2
    };
    seen.wait_for(failed).await;
    let children = std::fs::read_to_string("/proc/thread-self/children").expect("read");
    assert_eq!(children, "", "no pause process is left");
    set_capabilities(None, before).expect("take it back");
    pod.end().await;
}
