//! Merged watches, over real sockets: programs come, change and die.

mod support;

use pillion_client::{Change, PodName, Query, Resource, Watch, WatchEvent};
use serde_json::{Value, json};
use support::{Root, Server, dead_socket};

fn pods() -> Query {
    Query::new(Resource::Pods)
}

/// The next change, as `Added web Running`.
async fn next(watch: &mut Watch<Value>) -> String {
    let WatchEvent { change, object } = watch.next().await.expect("event");
    let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    format!(
        "{change:?} {} {}",
        text(&object["metadata"]["name"]),
        text(&object["status"]["phase"])
    )
}

async fn watch(root: &Root, query: &Query) -> (Vec<String>, Watch<Value>) {
    let (listed, watch) = root.client().watch::<Value>(query).await.expect("watch");
    let names = listed.found.iter().map(|pod| {
        let name = pod["metadata"]["name"].as_str();
        name.expect("name").to_owned()
    });
    (names.collect(), watch)
}

#[tokio::test]
async fn changes_of_all_programs_come_in_one_watch() {
    let root = Root::new();
    let (one, two) = (
        Server::start(&root, "one", &["a"]),
        Server::start(&root, "two", &["b"]),
    );
    dead_socket(&root, "dead");
    let (names, mut watch) = watch(&root, &pods()).await;
    assert_eq!(names, ["a", "b"]);
    // Whether the watch was there already or not, each change is seen once.
    two.put("b", "Succeeded");
    assert_eq!(next(&mut watch).await, "Modified b Succeeded");
    one.put("a", "Failed");
    assert_eq!(next(&mut watch).await, "Modified a Failed");
    one.put("c", "Pending");
    assert_eq!(next(&mut watch).await, "Added c Pending");
    one.remove("a");
    assert_eq!(next(&mut watch).await, "Deleted a Failed");
}

#[tokio::test]
async fn a_program_that_comes_later_is_watched_too() {
    let root = Root::new();
    let (names, mut watch) = watch(&root, &pods()).await;
    assert!(names.is_empty());
    let late = Server::start(&root, "late", &["web"]);
    assert_eq!(next(&mut watch).await, "Added web Running");
    late.put("web", "Succeeded");
    assert_eq!(next(&mut watch).await, "Modified web Succeeded");
}

#[tokio::test]
async fn the_pods_of_a_program_that_dies_are_deleted() {
    let root = Root::new();
    let mut one = Server::start(&root, "one", &["a", "b"]);
    let two = Server::start(&root, "two", &["c"]);
    let (_, mut watch) = watch(&root, &pods()).await;
    one.put("b", "Failed");
    assert_eq!(next(&mut watch).await, "Modified b Failed");
    one.kill().await;
    assert_eq!(next(&mut watch).await, "Deleted a Running");
    assert_eq!(next(&mut watch).await, "Deleted b Failed");
    two.put("c", "Succeeded");
    assert_eq!(next(&mut watch).await, "Modified c Succeeded");
    let _heir = Server::start(&root, "one", &["a"]);
    assert_eq!(next(&mut watch).await, "Added a Running");
}

#[tokio::test]
async fn a_watch_that_ends_goes_on_without_a_gap() {
    let root = Root::new();
    let server = Server::start(&root, "one", &["a", "b"]);
    let (_, mut watch) = watch(&root, &pods()).await;
    server.put("a", "Failed");
    assert_eq!(next(&mut watch).await, "Modified a Failed");
    server.put_unseen("a", "Succeeded");
    server.put_unseen("c", "Pending");
    server.end_watches(None);
    assert_eq!(next(&mut watch).await, "Modified a Succeeded");
    assert_eq!(next(&mut watch).await, "Added c Pending");
    server.put_unseen("c", "Running");
    let expired =
        json!({"type": "ERROR", "object": {"kind": "Status", "status": "Failure", "code": 410}});
    // The new watch is there once it has said something.
    server.put("b", "Failed");
    assert_eq!(next(&mut watch).await, "Modified b Failed");
    server.end_watches(Some(&expired));
    assert_eq!(next(&mut watch).await, "Modified c Running");
}

#[tokio::test]
async fn an_error_of_a_watch_is_told() {
    let root = Root::new();
    let server = Server::start(&root, "one", &["a"]);
    let (_, mut watch) = watch(&root, &pods()).await;
    server.put("a", "Failed");
    next(&mut watch).await;
    let error = json!({"type": "ERROR", "object": {"status": "Failure", "code": 500, "message": "no more"}});
    server.end_watches(Some(&error));
    let error = watch.next().await.expect_err("error");
    assert_eq!(error.to_string(), "no more");
}

#[tokio::test]
async fn one_pod_is_watched_at_its_owner_and_at_the_next() {
    let root = Root::new();
    let mut one = Server::start(&root, "one", &["web", "other"]);
    let two = Server::start(&root, "two", &[]);
    root.link("web", "one");
    let query = Query::pod(&PodName::new("default", "web"));
    let (names, mut watch) = watch(&root, &query).await;
    assert_eq!(names, ["web"]);
    one.put("other", "Failed");
    one.put("web", "Failed");
    assert_eq!(next(&mut watch).await, "Modified web Failed");
    one.kill().await;
    assert_eq!(next(&mut watch).await, "Deleted web Failed");
    assert!(two.seen().is_empty());
    two.put("web", "Pending");
    root.link("other", "two");
    root.link("web", "two");
    assert_eq!(next(&mut watch).await, "Added web Pending");
    // A Pod of the same name at another process, while the last owner lives on.
    let _three = Server::start(&root, "three", &["web"]);
    root.link("web", "three");
    assert_eq!(next(&mut watch).await, "Deleted web Pending");
    assert_eq!(next(&mut watch).await, "Added web Running");
}

#[tokio::test]
async fn tables_change_row_by_row() {
    let root = Root::new();
    let mut server = Server::start(&root, "one", &["a"]);
    let (listed, mut watch) = root
        .client()
        .watch_table::<Value>(&pods(), false)
        .await
        .expect("watch");
    assert_eq!(listed.found["rows"][0]["cells"], json!(["a", "Running"]));
    server.put("a", "Failed");
    let event = watch.next().await.expect("event");
    let columns = json!([{"name": "Name"}, {"name": "Status"}]);
    assert_eq!(event.change, Change::Modified);
    assert_eq!(event.object["columnDefinitions"], columns);
    assert_eq!(event.object["rows"][0]["cells"], json!(["a", "Failed"]));
    server.kill().await;
    let event = watch.next().await.expect("event");
    assert_eq!(event.change, Change::Deleted);
    assert_eq!(event.object["rows"][0]["cells"], json!(["a", "Failed"]));
}

#[tokio::test]
async fn a_root_where_nothing_ever_ran_can_be_watched() {
    let dir = tempfile::tempdir().expect("directory");
    let run = dir.path().join("root/run");
    let client = pillion_client::Client::new(&run);
    let (_, mut watch) = client.watch::<Value>(&pods()).await.expect("watch");
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(&run).expect("directory").permissions(),
    );
    assert_eq!(mode & 0o777, 0o700);
    std::fs::remove_dir(&run).expect("remove");
    let error = watch.next().await.expect_err("no directory any more");
    assert!(error.to_string().contains("root/run"), "{error}");
}
