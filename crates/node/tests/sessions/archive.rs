//! Copies out of and into containers.

use std::collections::BTreeMap;
use std::io::Read;

use ::archive::{Archive, Kind};
use node::session::ArchiveError;
use tokio::io::AsyncReadExt;

use crate::fixture::{Fixture, Pod, sleeper};

crate::tests! {
    out_and_in_again,
    what_is_in_the_way_of_a_copy,
    it_belongs_to_the_container_and_has_its_rights,
    without_capabilities_root_is_nobody_special,
    read_only_is_read_only,
    nothing_outside_of_the_container,
    volumes_are_part_of_it,
    a_copy_that_is_given_up_leaves_nothing_running,
    a_copy_ends_with_its_container,
}

async fn out(pod: &Pod, path: &str) -> Result<(Vec<u8>, Vec<String>), ArchiveError> {
    let mut stream = pod.control.archive_out("app", path).await?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.expect("read");
    Ok((bytes, stream.skipped().to_vec()))
}

async fn put(pod: &Pod, path: &str, tar: &[u8]) -> Result<Vec<String>, ArchiveError> {
    let unpacked = pod.control.archive_in("app", path, tar).await?;
    Ok(unpacked.skipped)
}

fn tar(files: &[(&str, &str)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o640);
        header.set_mtime(1_000_000_000);
        header.set_size(text.len() as u64);
        header.set_uid(4321);
        tar.append_data(&mut header, name, text.as_bytes())
            .expect("tar");
    }
    tar.into_inner().expect("tar")
}

/// Names with the length of their data.
fn entries(bytes: &[u8]) -> BTreeMap<String, (Kind, usize)> {
    let mut archive = Archive::new(bytes);
    let mut found = BTreeMap::new();
    while let Some(entry) = archive.next().expect("entry") {
        let mut data = Vec::new();
        archive.read_to_end(&mut data).expect("data");
        let name = String::from_utf8(entry.path).expect("text");
        found.insert(name, (entry.kind, data.len()));
    }
    assert!(archive.has_end_marker());
    found
}

async fn out_and_in_again() {
    let fixture = Fixture::new().await;
    let pod = fixture.pod(&sleeper("workingDir: /home")).await;
    let script = "mkdir -p /tmp/d/e; echo text >/tmp/d/e/f; ln -s e /tmp/d/l; mkfifo /tmp/d/p; chmod 700 /tmp/d/e; \
                  dd if=/dev/zero of=/tmp/d/big bs=1M count=3 2>/dev/null";
    assert_eq!(pod.shell(script).await.code, 0);
    let (bytes, skipped) = out(&pod, "/tmp/d").await.expect("out");
    assert_eq!(skipped, ["d/p: named pipe ignored"]);
    let found = entries(&bytes);
    assert_eq!(found["d/big"], (Kind::File, 3 << 20));
    assert_eq!(found["d/l"].0, Kind::Symlink);
    assert_eq!(found["d/e/f"], (Kind::File, 5));
    assert_eq!(found.len(), 5);

    put(&pod, "/tmp/copy", &bytes).await.expect("in");
    let script = "cd /tmp; for f in e/f big l; do test \"$(stat -c '%a %Y' d/$f)\" = \"$(stat -c '%a %Y' copy/$f)\" || echo $f; \
                  done; cat copy/l/f; stat -c %a copy/e; wc -c <copy/big";
    assert_eq!(pod.shell(script).await.stdout, "text\n700\n3145728\n");
    // Beneath a folder that is there, and from the working directory.
    put(&pod, ".", &tar(&[("a", "1"), ("b/c", "2")]))
        .await
        .expect("in");
    assert_eq!(pod.shell("cat a b/c").await.stdout, "12");
    assert_eq!(entries(&out(&pod, "b").await.expect("out").0).len(), 2);
    assert_eq!(
        entries(&out(&pod, "b/c").await.expect("out").0)["c"],
        (Kind::File, 1)
    );
    pod.end().await;
}

async fn what_is_in_the_way_of_a_copy() {
    let fixture = Fixture::new().await;
    let pod = fixture.pod(&sleeper("")).await;
    let error = out(&pod, "/nope").await.expect_err("nothing there");
    assert_eq!(error.to_string(), "open /nope: no such file or directory");
    let error = put(&pod, "/no/where", &tar(&[("f", "")]))
        .await
        .expect_err("no parent");
    assert_eq!(error.to_string(), "open /no: no such file or directory");
    let error = put(&pod, "/tmp", b"junk").await.expect_err("no tar");
    assert_eq!(
        error.to_string(),
        "the archive is cut short after \"the start\""
    );
    let whole = tar(&[("f", "data")]);
    let error = put(&pod, "/tmp", &whole[..1024])
        .await
        .expect_err("broken off");
    assert_eq!(error.to_string(), "the archive is cut short after \"f\"");
    let error = pod
        .control
        .archive_out("nobody", "/")
        .await
        .expect_err("no container");
    assert_eq!(error.to_string(), "container not found (\"nobody\")");
    pod.end().await;
}

async fn it_belongs_to_the_container_and_has_its_rights() {
    let fixture = Fixture::new().await;
    let pod = fixture
        .pod(&sleeper(
            "securityContext: {runAsUser: 1000, runAsGroup: 1001}",
        ))
        .await;
    put(&pod, "/tmp/f", &tar(&[("x", "text")]))
        .await
        .expect("in");
    let script = "stat -c '%u:%g %a %Y' /tmp/f";
    assert_eq!(pod.shell(script).await.stdout, "1000:1001 640 1000000000\n");
    let error = put(&pod, "/root/f", &tar(&[("x", "text")]))
        .await
        .expect_err("root's");
    assert_eq!(error.to_string(), "create /root/f: permission denied");
    let error = put(&pod, "/etc/passwd", &tar(&[("x", "text")]))
        .await
        .expect_err("root's");
    assert_eq!(error.to_string(), "create /etc/passwd: permission denied");
    // It may look at its own command's environment, and at nobody else's.
    assert_eq!(
        pod.shell("echo secret >/tmp/s; chmod 0 /tmp/s").await.code,
        0
    );
    let error = out(&pod, "/tmp/s").await.expect_err("nobody may");
    assert_eq!(error.to_string(), "open /tmp/s: permission denied");
    let (bytes, skipped) = out(&pod, "/tmp").await.expect("out");
    assert_eq!(skipped, ["tmp/s: permission denied"]);
    assert!(entries(&bytes).contains_key("tmp/f"));
    // This program is who it was.
    let status = std::fs::read_to_string("/proc/self/status").expect("read");
    assert!(status.contains("Uid:\t0\t0\t0\t0\n"), "{status}");
    pod.end().await;
}

async fn without_capabilities_root_is_nobody_special() {
    let fixture = Fixture::new().await;
    let spec = "terminationGracePeriodSeconds: 0\ncontainers:\n\
        - {name: app, image: busybox, command: [sleep, '1000'], securityContext: {capabilities: {drop: [ALL]}}, \
        volumeMounts: [{name: v, mountPath: /v}]}\n\
        - {name: other, image: busybox, command: [sh, -c, 'mkdir /v/d; chmod 700 /v/d; exec sleep 1000'], \
        securityContext: {runAsUser: 1000}, volumeMounts: [{name: v, mountPath: /v}]}\n\
        volumes: [{name: v, emptyDir: {}}]";
    let pod = fixture.pod(spec).await;
    assert_eq!(
        pod.shell("until test -d /v/d; do sleep 0.01; done")
            .await
            .code,
        0
    );
    let error = put(&pod, "/v/d/f", &tar(&[("f", "")]))
        .await
        .expect_err("another's");
    assert_eq!(error.to_string(), "open /v/d/f: permission denied");
    pod.end().await;
}

async fn read_only_is_read_only() {
    let fixture = Fixture::new().await;
    let pod = fixture
        .pod(&sleeper("securityContext: {readOnlyRootFilesystem: true}"))
        .await;
    let error = put(&pod, "/tmp/f", &tar(&[("f", "")]))
        .await
        .expect_err("read-only");
    assert_eq!(error.to_string(), "create /tmp/f: read-only file system");
    assert!(entries(&out(&pod, "/etc").await.expect("out").0).contains_key("etc/passwd"));
    pod.end().await;
}

async fn nothing_outside_of_the_container() {
    let fixture = Fixture::new().await;
    let pod = fixture.pod(&sleeper("")).await;
    let outside = tempfile::tempdir().expect("tempdir");
    let victim = outside.path().join("victim");
    std::fs::write(&victim, "untouched").expect("write");
    let path = victim.display();
    let script = format!(
        "ln -s {path} /tmp/l; ln -s / /tmp/r; ln -s /proc/1/root /tmp/m; ln -s ../../../../.. /tmp/u"
    );
    assert_eq!(pod.shell(&script).await.code, 0);
    for way in [
        "/tmp/l/",
        "/tmp/r/../..",
        "/tmp/u",
        "/tmp/m",
        "/tmp/../../../..",
    ] {
        let place = format!("{way}{path}");
        assert!(out(&pod, &place).await.is_err(), "{way}");
        assert!(
            put(&pod, &place, &tar(&[("x", "hostile")])).await.is_err(),
            "{way}"
        );
    }
    put(&pod, "/tmp/l", &tar(&[("x", "mine")]))
        .await
        .expect("replaces the link");
    assert_eq!(pod.shell("cat /tmp/l").await.stdout, "mine");
    assert_eq!(std::fs::read_to_string(&victim).expect("read"), "untouched");
    pod.end().await;
}

async fn volumes_are_part_of_it() {
    let fixture = Fixture::new().await;
    let spec = format!(
        "{}\nvolumes: [{{name: v, emptyDir: {{medium: Memory}}}}]",
        sleeper(
            "volumeMounts: [{name: v, mountPath: /v}, {name: v, mountPath: /ro, readOnly: true}]"
        )
    );
    let pod = fixture.pod(&spec).await;
    put(&pod, "/v/f", &tar(&[("x", "in memory")]))
        .await
        .expect("in");
    assert_eq!(pod.shell("cat /ro/f").await.stdout, "in memory");
    let error = put(&pod, "/ro/f", &tar(&[("x", "")]))
        .await
        .expect_err("read-only");
    assert_eq!(error.to_string(), "create /ro/f: read-only file system");
    assert_eq!(entries(&out(&pod, "/ro/").await.expect("out").0).len(), 2);
    pod.end().await;
}

fn threads_at_work() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").expect("tasks");
    let names = tasks.map(|task| std::fs::read_to_string(task.expect("task").path().join("comm")));
    names
        .filter(|name| name.as_ref().is_ok_and(|name| name == "archive\n"))
        .count()
}

async fn a_copy_that_is_given_up_leaves_nothing_running() {
    let fixture = Fixture::new().await;
    let pod = fixture.pod(&sleeper("")).await;
    let script = "dd if=/dev/zero of=/tmp/big bs=1M count=8 2>/dev/null";
    assert_eq!(pod.shell(script).await.code, 0);
    let mut stream = pod
        .control
        .archive_out("app", "/tmp/big")
        .await
        .expect("out");
    stream.read_u8().await.expect("read");
    assert_eq!(threads_at_work(), 1);
    drop(stream);
    let (never, _writer) = tokio::io::duplex(64);
    tokio::select! {
        biased;
        _ = pod.control.archive_in("app", "/tmp", never) => panic!("no end came"),
        () = async { while threads_at_work() == 0 { tokio::task::yield_now().await } } => {}
    }
    while threads_at_work() > 0 {
        tokio::task::yield_now().await;
    }
    pod.end().await;
}

async fn a_copy_ends_with_its_container() {
    let fixture = Fixture::new().await;
    let pod = fixture.pod(&sleeper("")).await;
    let (never, _writer) = tokio::io::duplex(64);
    let control = pod.control.clone();
    let copy = tokio::spawn(async move { control.archive_in("app", "/tmp", never).await });
    while threads_at_work() == 0 {
        tokio::task::yield_now().await;
    }
    pod.control.kill();
    let error = copy.await.expect("task").expect_err("ended");
    assert_eq!(error.to_string(), "container not found (\"app\")");
    pod.end().await;
}
