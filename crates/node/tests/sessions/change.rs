//! Running Pods that are changed, and asked to end.

use std::collections::BTreeMap;
use std::sync::Arc;

use manifest::core::v1::{ConfigMap, Pod as Object, PodPhase};
use manifest::meta::v1::ObjectMeta;

use crate::fixture::{Fixture, Pod, parse, sleeper};

crate::tests! {
    volumes_follow_their_objects,
    a_refresh_that_fails_is_told_and_changes_nothing,
    what_waits_for_an_object_is_tried_again,
    labels_reach_the_object_and_the_downward_api,
    another_image_is_another_run,
    what_is_another_pod_changes_nothing,
    deletion_is_shown_and_only_shortened,
    a_forced_deletion_frees_the_name_at_once,
    a_pod_that_has_ended_gives_its_ports_back,
}

fn config(data: &[(&str, &str)]) -> ConfigMap {
    ConfigMap {
        metadata: ObjectMeta {
            name: Some("config".into()),
            namespace: Some("default".into()),
            ..ObjectMeta::default()
        },
        data: data
            .iter()
            .map(|(key, text)| ((*key).to_owned(), (*text).to_owned()))
            .collect::<BTreeMap<_, _>>(),
        ..ConfigMap::default()
    }
}

/// Puts the ConfigMap and tells the Pod.
fn change(fixture: &Fixture, pod: &Pod, data: &[(&str, &str)]) {
    fixture.node.objects().put_config_map(config(data));
    pod.control.objects_changed();
}

async fn status(pod: &Pod, is: impl FnMut(&Arc<Object>) -> bool) -> Arc<Object> {
    let mut watch = pod.handle.status();
    let found = watch.wait_for(is).await.expect("status");
    Arc::clone(&found)
}

async fn volumes_follow_their_objects() {
    let fixture = Fixture::new().await;
    fixture
        .node
        .objects()
        .put_config_map(config(&[("a", "one"), ("b", "gone")]));
    let spec = format!(
        "{}\nvolumes:\n- {{name: c, configMap: {{name: config}}}}\n\
         - {{name: p, projected: {{sources: [{{configMap: {{name: config, items: [{{key: a, path: x/y}}]}}}}]}}}}\n\
         - {{name: e, emptyDir: {{}}}}",
        sleeper(
            "volumeMounts: [{name: c, mountPath: /c}, {name: p, mountPath: /p}, {name: e, mountPath: /e}, \
             {name: c, mountPath: /sub, subPath: a}]"
        )
    );
    let pod = fixture.pod(&spec).await;
    assert_eq!(
        pod.shell("chmod 711 /e; cat /c/a /c/b /p/x/y /sub")
            .await
            .stdout,
        "onegoneoneone"
    );
    // Several at once: the last one counts.
    for text in ["two", "three", "four"] {
        change(&fixture, &pod, &[("a", text), ("new", "!")]);
    }
    let wait = "until test \"$(cat /c/a /p/x/y)\" = fourfour; do sleep 0.01; done; ls /c; cat /c/new /sub; stat -c %a /e";
    assert_eq!(pod.shell(wait).await.stdout, "a\nnew\n!one711\n");
    // Readers see all of the old or all of the new.
    let script = "cd /c/..data; until test $(cat /c/a) = five; do sleep 0.01; done; ls -a /c | busybox grep -c 20";
    let session = crate::fixture::request(&["sh", "-c", script]);
    let session = pod.control.exec(session).await.expect("exec");
    change(&fixture, &pod, &[("a", "five")]);
    assert_eq!(crate::fixture::collect(session).await.stdout, "1\n");
    pod.end().await;
}

async fn a_refresh_that_fails_is_told_and_changes_nothing() {
    let (fixture, seen) = Fixture::watched().await;
    fixture
        .node
        .objects()
        .put_config_map(config(&[("a", "one")]));
    let spec = format!(
        "{}\nvolumes: [{{name: c, configMap: {{name: config, items: [{{key: a, path: f}}]}}}}]",
        sleeper("volumeMounts: [{name: c, mountPath: /c}]")
    );
    let pod = fixture.pod(&spec).await;
    change(&fixture, &pod, &[("b", "two")]);
    let event = "FailedMount: MountVolume.SetUp failed for volume \"c\" : configmap references non-existent config key: a";
    seen.wait_for(|all| all.iter().any(|line| line == event))
        .await;
    assert_eq!(pod.shell("cat /c/f").await.stdout, "one");
    pod.end().await;
}

async fn what_waits_for_an_object_is_tried_again() {
    let fixture = Fixture::new().await;
    let pod = fixture
        .started(&sleeper(
            "env: [{name: A, valueFrom: {configMapKeyRef: {name: config, key: a}}}]",
        ))
        .await;
    status(&pod, |pod| {
        let status = pod.status.as_ref();
        let mut all = status.into_iter().flat_map(|s| &s.container_statuses);
        all.any(|c| {
            let waiting = c.state.as_ref().and_then(|state| state.waiting.as_ref());
            waiting.is_some_and(|w| w.reason.as_deref() == Some("CreateContainerConfigError"))
        })
    })
    .await;
    change(&fixture, &pod, &[("a", "there")]);
    status(&pod, |pod| {
        let phase = pod.status.as_ref().and_then(|status| status.phase);
        phase == Some(PodPhase::Running)
    })
    .await;
    assert_eq!(pod.shell("echo $A").await.stdout, "there\n");
    pod.end().await;
}

async fn labels_reach_the_object_and_the_downward_api() {
    let fixture = Fixture::new().await;
    let spec = format!(
        "{}\nvolumes: [{{name: d, downwardAPI: {{items: [{{path: l, fieldRef: {{fieldPath: \"metadata.labels['a']\"}}}}]}}}}]",
        sleeper("volumeMounts: [{name: d, mountPath: /d}]")
    );
    let pod = fixture.pod(&spec).await;
    let mut object = (**pod.handle.status().borrow()).clone();
    object.metadata.labels.insert("a".into(), "b".into());
    pod.control.update(object);
    let shown = status(&pod, |pod| !pod.metadata.labels.is_empty()).await;
    assert!(shown.status.is_some());
    let wait = "until test -s /d/l; do sleep 0.01; done; cat /d/l";
    assert_eq!(pod.shell(wait).await.stdout, "b");
    pod.end().await;
}

async fn another_image_is_another_run() {
    let (fixture, seen) = Fixture::watched().await;
    let pod = fixture.pod(&sleeper("")).await;
    let mut object = (**pod.handle.status().borrow()).clone();
    object.spec.containers[0].image = Some("busybox:latest".into());
    pod.control.update(object);
    let shown = status(&pod, |pod| {
        let mut all = pod.status.iter().flat_map(|s| &s.container_statuses);
        all.any(|c| c.restart_count == 1 && c.ready)
    })
    .await;
    assert_eq!(
        shown.spec.containers[0].image.as_deref(),
        Some("busybox:latest")
    );
    let event = "Killing: Container app definition changed, will be restarted";
    seen.wait_for(|all| all.iter().any(|line| line == event))
        .await;
    pod.end().await;
}

async fn what_is_another_pod_changes_nothing() {
    let fixture = Fixture::new().await;
    let pod = fixture.pod(&sleeper("")).await;
    let before = Arc::clone(&pod.handle.status().borrow());
    let mut object = (*before).clone();
    object.spec.containers[0].name = "other".into();
    pod.control.update(object);
    let mut object = parse(&sleeper(""));
    object.metadata.uid = Some("another".into());
    object.metadata.labels.insert("a".into(), "b".into());
    pod.control.update(object);
    assert_eq!(pod.shell("true").await.code, 0);
    assert_eq!(*before, **pod.handle.status().borrow());
    pod.end().await;
}

const SLOW: &str = "containers:\n- name: app\n  image: busybox\n  \
    command: [sh, -c, 'trap \"until test -e /end; do sleep 0.01; done; exit\" TERM; touch /ready; while :; do sleep 0.01; done']\n  \
    readinessProbe: {exec: {command: [test, -e, /ready]}, periodSeconds: 1}";

async fn deletion_is_shown_and_only_shortened() {
    let fixture = Fixture::new().await;
    let pod = fixture.pod(SLOW).await;
    pod.shell("until test -e /ready; do sleep 0.01; done").await;
    let shown = async |grace: Option<i64>, expected: i64| {
        pod.control.delete(grace);
        // Answered after the request before it.
        pod.control.stats().await.expect("stats");
        let metadata = pod.handle.status().borrow().metadata.clone();
        assert_eq!(metadata.deletion_grace_period_seconds, Some(expected));
        metadata.deletion_timestamp.expect("a time")
    };
    let first = shown(None, 30).await;
    assert_eq!(shown(Some(60), 30).await, first);
    assert!(shown(Some(20), 20).await < first);
    assert_eq!(pod.shell("touch /end").await.code, 0);
    pod.end().await;
}

async fn a_forced_deletion_frees_the_name_at_once() {
    let (fixture, seen) = Fixture::watched().await;
    let pod = fixture.pod(SLOW).await;
    pod.shell("until test -e /ready; do sleep 0.01; done").await;
    pod.control.delete(Some(0));
    seen.wait_for(|all| all.iter().any(|line| line == "gone"))
        .await;
    let next = fixture.pod(&sleeper("")).await;
    assert_eq!(
        pod.shell("touch /end").await.code,
        0,
        "its processes still end by themselves"
    );
    pod.end().await;
    assert_eq!(next.shell("true").await.code, 0);
    assert!(
        fixture.started_fails(&sleeper("")).await,
        "the name is the second Pod's"
    );
    assert_eq!(seen.all().iter().filter(|line| *line == "gone").count(), 1);
    next.end().await;
    assert_eq!(seen.all().iter().filter(|line| *line == "gone").count(), 2);
}

async fn a_pod_that_has_ended_gives_its_ports_back() {
    let fixture = Fixture::new().await;
    let spec = "restartPolicy: Never\ncontainers:\n\
        - {name: app, image: busybox, command: ['true'], ports: [{containerPort: 80, hostPort: 8080}]}";
    let pod = fixture.started(spec).await;
    pod.handle.ended().await;
    // It is still there to be looked at.
    assert!(pod.handle.status().borrow().status.is_some());
    std::net::TcpListener::bind("0.0.0.0:8080").expect("free");
    pod.end().await;
}
