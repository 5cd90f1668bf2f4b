use super::*;

fn pod(name: &str) -> Pod {
    let mut pod = Pod::default();
    pod.metadata.name = Some(name.into());
    pod
}

fn versions() -> Versions {
    Versions::start(jiff::Timestamp::UNIX_EPOCH)
}

fn seen(changes: &[Change<Pod>]) -> Vec<String> {
    let name = |pod: &Option<Arc<Pod>>| {
        pod.as_ref()
            .and_then(|pod| pod.metadata.name.clone())
            .unwrap_or_else(|| "-".into())
    };
    changes
        .iter()
        .map(|change| format!("{}>{}", name(&change.before), name(&change.after)))
        .collect()
}

#[tokio::test]
async fn a_watch_from_a_list_misses_nothing_and_repeats_nothing() {
    let pods = Arc::new(Collection::new(&versions()));
    pods.put(pod("a"));
    let (listed, version) = pods.list();
    assert_eq!(listed.len(), 1);
    pods.put(pod("b"));
    pods.put(pod("b"));
    pods.remove("default", "a");
    let mut watch = pods.watch(version);
    let changes = watch.next().await.expect("changes");
    assert_eq!(seen(&changes), ["->b", "b>b", "a>-"]);
    assert!(
        changes
            .windows(2)
            .all(|two| two[0].version < two[1].version),
        "versions grow"
    );
    let (waited, _) = tokio::join!(watch.next(), async { pods.put(pod("c")) });
    assert_eq!(seen(&waited.expect("changes")), ["->c"]);
}

#[tokio::test]
async fn a_version_that_is_not_remembered_has_expired() {
    let pods = Arc::new(Collection::new(&versions()));
    let (_, version) = pods.list();
    for _ in 0..=CHANGES_KEPT {
        pods.put(pod("a"));
    }
    let expired = pods.watch(version).next().await.expect_err("expired");
    assert_eq!(expired.asked, version);
    pods.watch(expired.oldest)
        .next()
        .await
        .expect("from there on");
}

#[test]
fn collections_share_one_counter() {
    let versions = versions();
    let (a, b) = (Collection::new(&versions), Collection::new(&versions));
    let first = a.put(pod("a")).metadata.resource_version.clone();
    let second = b.put(pod("a")).metadata.resource_version.clone();
    assert_ne!(first, second);
    assert!(a.get("default", "a").is_some());
    assert!(a.remove("default", "b").is_none());
}
