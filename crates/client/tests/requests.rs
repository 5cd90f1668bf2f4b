//! Lists and requests about one Pod, over real sockets.

mod support;

use pillion_client::{DeleteOptions, Error, LogOptions, PodName, Query, Resource};
use serde_json::{Value, json};
use support::{Root, Server, dead_socket, silent_socket};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn web() -> PodName {
    PodName::new("default", "web")
}

fn pods() -> Query {
    Query::new(Resource::Pods)
}

fn names(pods: &[Value]) -> Vec<&str> {
    pods.iter()
        .map(|pod| pod["metadata"]["name"].as_str().expect("name"))
        .collect()
}

#[tokio::test]
async fn what_several_programs_have_is_one_list() {
    let root = Root::new();
    let _servers = [
        Server::start(&root, "one", &["c", "a"]),
        Server::start(&root, "two", &["b"]),
        Server::start(&root, "none", &[]),
    ];
    dead_socket(&root, "dead");
    std::fs::write(root.run.join("lock"), "").expect("write");
    let listed = root.client().list::<Value>(&pods()).await.expect("list");
    assert_eq!(names(&listed.found), ["a", "b", "c"]);
    assert!(listed.failures.is_empty(), "{:?}", listed.failures);
}

#[tokio::test]
async fn hundreds_of_programs_are_one_list() {
    let root = Root::new();
    let mut servers = Vec::new();
    for i in 0..200 {
        servers.push(Server::start(&root, &i.to_string(), &[&format!("p{i:03}")]));
    }
    let listed = root.client().list::<Value>(&pods()).await.expect("list");
    assert_eq!(listed.found.len(), 200);
    assert_eq!(names(&listed.found)[199], "p199");
}

#[tokio::test]
async fn tables_are_one_table() {
    let root = Root::new();
    let _servers = [
        Server::start(&root, "one", &["b"]),
        Server::start(&root, "two", &["a"]),
    ];
    let table: Value = root
        .client()
        .table(&pods(), false)
        .await
        .expect("table")
        .found;
    assert_eq!(
        table["columnDefinitions"],
        json!([{"name": "Name"}, {"name": "Status"}])
    );
    assert_eq!(table["rows"][0]["cells"], json!(["a", "Running"]));
    assert_eq!(table["rows"][1]["cells"], json!(["b", "Running"]));
}

#[tokio::test]
async fn a_root_where_nothing_ever_ran_is_empty() {
    let client = pillion_client::Client::new("/nowhere/run");
    assert_eq!(
        client.list::<Value>(&pods()).await.expect("list").found,
        [Value::Null; 0]
    );
    let error = client.get::<Value>(Resource::Pods, &web()).await;
    assert_eq!(
        error.expect_err("nothing").to_string(),
        r#"pods "web" not found"#
    );
}

#[tokio::test]
async fn one_pod_is_asked_of_its_owner_alone() {
    let root = Root::new();
    let (one, two) = (
        Server::start(&root, "one", &["web"]),
        Server::start(&root, "two", &["other"]),
    );
    root.link("web", "one");
    let pod: Value = root
        .client()
        .get(Resource::Pods, &web())
        .await
        .expect("get");
    assert_eq!(pod["metadata"]["name"], "web");
    let listed = root.client().list::<Value>(&Query::pod(&web())).await;
    assert_eq!(names(&listed.expect("list").found), ["web"]);
    assert_eq!(one.seen().len(), 2);
    assert!(two.seen().is_empty());
}

#[tokio::test]
async fn a_pod_without_a_living_owner_is_not_found() {
    let root = Root::new();
    let mut server = Server::start(&root, "one", &["web"]);
    root.link("web", "one");
    root.link("lost", "nothing");
    server.kill().await;
    let client = root.client();
    for name in ["web", "lost", "never"] {
        let error = client
            .get::<Value>(Resource::Pods, &PodName::new("default", name))
            .await
            .expect_err("no owner");
        assert!(error.is_not_found());
        assert_eq!(error.to_string(), format!("pods \"{name}\" not found"));
        assert_eq!(error.status().expect("status").reason, "NotFound");
    }
    let error = client.connect(&web()).await.expect_err("no owner");
    assert!(error.is_not_found());
}

#[tokio::test]
async fn the_servers_words_are_kept() {
    let root = Root::new();
    let _server = Server::start(&root, "one", &["web"]);
    root.link("gone", "one");
    let error = root
        .client()
        .get::<Value>(Resource::Pods, &PodName::new("default", "gone"))
        .await
        .expect_err("no such Pod");
    assert_eq!(error.to_string(), r#"pods "gone" not found"#);
    let error = root
        .client()
        .list::<Value>(&pods().labels("("))
        .await
        .expect_err("bad selector");
    let status = error.status().expect("status");
    assert_eq!((status.code, &*status.reason), (400, "BadRequest"));
    assert_eq!(error.to_string(), "unable to parse requirement");
}

#[tokio::test]
async fn paths_may_be_longer_than_a_socket_address() {
    let root = Root::below(&"deep/".repeat(60));
    let _server = Server::start(&root, "one", &["web"]);
    root.link("web", "one");
    assert!(root.run.as_os_str().len() > 300);
    let client = root.client();
    let listed = client.list::<Value>(&pods()).await.expect("list");
    assert_eq!(names(&listed.found), ["web"]);
    client
        .get::<Value>(Resource::Pods, &web())
        .await
        .expect("get");
}

#[tokio::test]
async fn logs_are_streams() {
    let root = Root::new();
    let server = Server::start(&root, "one", &["web"]);
    root.link("web", "one");
    let client = root.client();
    let mut log = client
        .log(&web(), &LogOptions::default())
        .await
        .expect("log");
    assert_eq!(
        log.chunk().await.expect("chunk").as_deref(),
        Some(&b"one\ntwo\n"[..])
    );
    assert_eq!(log.chunk().await.expect("end"), None);
    let follow = LogOptions {
        follow: true,
        ..LogOptions::default()
    };
    let mut log = client.log(&web(), &follow).await.expect("log");
    assert_eq!(
        log.chunk().await.expect("chunk").as_deref(),
        Some(&b"one\n"[..])
    );
    drop(log);
    server.until_nobody_reads().await;
}

#[tokio::test]
async fn deleting_says_how() {
    let root = Root::new();
    let server = Server::start(&root, "one", &["web"]);
    root.link("web", "one");
    let options = DeleteOptions {
        grace_period_seconds: Some(0),
        uid: Some("u".into()),
    };
    root.client()
        .delete(&web(), &options)
        .await
        .expect("delete");
    let seen = server.seen().remove(0);
    assert_eq!(seen.method, "DELETE");
    assert_eq!(seen.uri, "/api/v1/namespaces/default/pods/web");
    assert_eq!(
        serde_json::from_slice::<Value>(&seen.body).expect("json"),
        json!({
            "apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background",
            "gracePeriodSeconds": 0, "preconditions": {"uid": "u"},
        })
    );
}

#[tokio::test]
async fn archives_are_sent_as_they_are_made() {
    let root = Root::new();
    let server = Server::start(&root, "one", &["web"]);
    root.link("web", "one");
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let feeder = tokio::spawn(async move {
        for _ in 0..100 {
            let chunk = vec![b'x'; 10_000].into();
            sender.send(Ok(chunk)).await.expect("wanted");
        }
    });
    let sent = root
        .client()
        .put_archive(&web(), Some("app"), "/a b", receiver)
        .await;
    sent.expect("sent");
    feeder.await.expect("fed");
    let seen = server.seen().remove(0);
    assert_eq!(
        seen.uri,
        "/apis/pillion.dev/v1/namespaces/default/pods/web/archive?container=app&path=%2Fa%20b"
    );
    assert_eq!(seen.body.len(), 1_000_000);
}

#[tokio::test]
async fn an_archive_that_breaks_off_is_no_whole_request() {
    let root = Root::new();
    let _server = Server::start(&root, "one", &["web"]);
    root.link("web", "one");
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let feeder = tokio::spawn(async move {
        let broken = std::io::Error::other("disk is gone");
        sender.send(Ok("begun".into())).await.expect("wanted");
        sender.send(Err(broken)).await.expect("wanted");
    });
    let sent = root.client().put_archive(&web(), None, "/", receiver).await;
    assert!(matches!(sent, Err(Error::Http { .. })), "{sent:?}");
    feeder.await.expect("fed");
}

#[tokio::test]
async fn a_connection_is_one_to_the_owner() {
    let root = Root::new();
    let _server = Server::start(&root, "one", &["web"]);
    root.link("web", "one");
    let mut stream = root.client().connect(&web()).await.expect("connect");
    stream
        .write_all(b"GET /api/v1/pods HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .await
        .expect("write");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("read");
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
}

#[tokio::test]
async fn an_owner_that_dies_while_it_answers_is_told_of() {
    let root = Root::new();
    let listener = silent_socket(&root, "dying");
    root.link("web", "dying");
    let server = async {
        let (mut stream, _) = listener.accept().await.expect("accept");
        // What was not read would be told of as a reset.
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).await.expect("read");
        let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\none\n\r\n";
        stream.write_all(head).await.expect("write");
    };
    let client = root.client();
    let pod = web();
    let options = LogOptions::default();
    let (log, ()) = tokio::join!(client.log(&pod, &options), server);
    let mut log = log.expect("log");
    assert_eq!(
        log.chunk().await.expect("chunk").as_deref(),
        Some(&b"one\n"[..])
    );
    let error = log.chunk().await.expect_err("broken");
    assert!(
        error
            .to_string()
            .starts_with("the Pod's supervisor is gone"),
        "{error}"
    );
    assert!(std::error::Error::source(&error).is_none());
}

/// Time passes by itself where nothing else can happen.
#[tokio::test(start_paused = true)]
async fn a_stopped_program_does_not_hide_the_others() {
    let root = Root::new();
    let stopped = silent_socket(&root, "stopped");
    root.link("web", "stopped");
    let error = root
        .client()
        .get::<Value>(Resource::Pods, &web())
        .await
        .expect_err("no answer");
    let expected = format!(
        "/pods/default_web.sock: no answer within 30s from process {} (is it stopped?)",
        std::process::id()
    );
    assert!(error.to_string().ends_with(&expected), "{error}");
    let listed = root.client().list::<Value>(&pods()).await.expect("list");
    assert!(listed.found.is_empty());
    assert_eq!(listed.failures.len(), 1);
    drop(stopped);
}

#[test]
fn another_users_root_is_refused_with_a_word() {
    // This thread alone loses what lets root read everything.
    let mut sets = rustix::thread::capabilities(None).expect("capabilities");
    sets.effective = rustix::thread::CapabilitySet::empty();
    rustix::thread::set_capabilities(None, sets).expect("capabilities");
    let dir = tempfile::tempdir().expect("directory");
    let run = dir.path().join("run");
    std::os::unix::fs::DirBuilderExt::mode(&mut std::fs::DirBuilder::new(), 0o000)
        .create(&run)
        .expect("directory");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("runtime");
    runtime.block_on(async {
        let client = pillion_client::Client::new(&run);
        let listed = client.list::<Value>(&pods()).await;
        let got = client.get::<Value>(Resource::Pods, &web()).await;
        let watched = client.watch::<Value>(&pods()).await.map(|_| ());
        for error in [
            listed.expect_err("refused"),
            got.expect_err("refused"),
            watched.expect_err("refused"),
        ] {
            assert!(matches!(error, Error::Permission { .. }), "{error}");
        }
    });
}
