use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::*;

const LONG: Duration = Duration::from_secs(20);
/// Longer than any test: what is noticed is noticed by an event.
const NEVER: Duration = Duration::from_secs(3600);

fn by_events(files: &[&Path]) -> Watch {
    let watch = Watch::with(
        files.iter().map(|file| file.to_path_buf()),
        Events::new(),
        NEVER,
        SETTLE / 10,
    );
    assert_eq!(watch.degraded(), None);
    watch
}

/// Waits for a change.
async fn changed(watch: &mut Watch) {
    timeout(LONG, watch.changed())
        .await
        .expect("the change is noticed");
}

/// What has been done is one change, and nothing more follows.
async fn changed_once(watch: &mut Watch) {
    changed(watch).await;
    assert!(
        timeout(SETTLE, watch.changed()).await.is_err(),
        "there is nothing more to be reported"
    );
}

/// Writes beside the file and renames over it.
fn replace(path: &Path, content: &str) {
    let beside = path.with_extension("tmp");
    fs::write(&beside, content).unwrap();
    fs::rename(&beside, path).unwrap();
}

/// What a kubelet does with a volume of a Secret: a new directory, and one rename of the link to it.
fn publish(volume: &Path, version: &str, files: &[(&str, &str)]) {
    let directory = volume.join(format!("..{version}"));
    fs::create_dir(&directory).unwrap();
    for (name, content) in files {
        fs::write(directory.join(name), content).unwrap();
        let link = volume.join(name);
        if !link.is_symlink() {
            symlink(Path::new("..data").join(name), link).unwrap();
        }
    }
    let old = fs::read_link(volume.join("..data"));
    symlink(directory.file_name().unwrap(), volume.join("..data_tmp")).unwrap();
    fs::rename(volume.join("..data_tmp"), volume.join("..data")).unwrap();
    if let Ok(old) = old {
        fs::remove_dir_all(volume.join(old)).unwrap();
    }
}

#[tokio::test]
async fn a_volume_of_a_kubelet_changes_at_once_again_and_again() {
    let volume = tempfile::tempdir().unwrap();
    publish(
        volume.path(),
        "1",
        &[("tls.crt", "one"), ("tls.key", "one")],
    );
    let mut watch = by_events(&[
        &volume.path().join("tls.crt"),
        &volume.path().join("tls.key"),
    ]);
    for version in ["2", "3", "4"] {
        publish(
            volume.path(),
            version,
            &[("tls.crt", version), ("tls.key", version)],
        );
        changed_once(&mut watch).await;
        assert_eq!(
            fs::read_to_string(volume.path().join("tls.key")).unwrap(),
            version
        );
    }
    // The same contents under another name are no change.
    publish(volume.path(), "5", &[("tls.crt", "4"), ("tls.key", "4")]);
    assert!(timeout(SETTLE, watch.changed()).await.is_err());
}

#[tokio::test]
async fn each_way_of_writing_a_file_is_noticed() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("config.yaml");
    fs::write(&file, "one").unwrap();
    let mut watch = by_events(&[&file]);
    replace(&file, "two");
    changed_once(&mut watch).await;
    // Truncated and written.
    fs::write(&file, "three").unwrap();
    changed(&mut watch).await;
    fs::remove_file(&file).unwrap();
    changed_once(&mut watch).await;
    fs::write(&file, "four").unwrap();
    changed_once(&mut watch).await;
    fs::rename(&file, directory.path().join("away")).unwrap();
    changed_once(&mut watch).await;
    fs::rename(directory.path().join("away"), &file).unwrap();
    changed_once(&mut watch).await;
}

#[tokio::test]
async fn the_last_of_many_quick_changes_is_seen() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("config.yaml");
    fs::write(&file, "start").unwrap();
    let mut watch = by_events(&[&file]);
    let writer = std::thread::spawn({
        let file = file.clone();
        move || (0..100).for_each(|number| replace(&file, &number.to_string()))
    });
    let mut reports = 0;
    while fs::read_to_string(&file).unwrap() != "99" || reports == 0 {
        changed(&mut watch).await;
        reports += 1;
    }
    writer.join().unwrap();
    assert!(reports <= 100, "{reports}");
    // The last content may have been there when the last report was made, or be reported once more; then it is over.
    let _ = timeout(SETTLE, watch.changed()).await;
    assert!(timeout(SETTLE, watch.changed()).await.is_err());
}

#[tokio::test]
async fn directories_may_come_later_and_go() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a/b/file");
    let mut watch = by_events(&[&file]);
    fs::create_dir(directory.path().join("a")).unwrap();
    assert!(timeout(SETTLE, watch.changed()).await.is_err());
    fs::create_dir(directory.path().join("a/b")).unwrap();
    fs::write(&file, "one").unwrap();
    changed_once(&mut watch).await;
    fs::remove_dir_all(directory.path().join("a")).unwrap();
    changed(&mut watch).await;
    fs::create_dir_all(directory.path().join("a/b")).unwrap();
    fs::write(&file, "two").unwrap();
    changed_once(&mut watch).await;
}

#[tokio::test]
async fn what_happens_beside_the_files_is_ignored() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "one").unwrap();
    let mut watch = by_events(&[&file]);
    for number in 0..50 {
        fs::write(directory.path().join("log"), number.to_string()).unwrap();
    }
    assert!(
        timeout(SETTLE, Events::next(watch.events.as_ref()))
            .await
            .is_err()
    );
    replace(&file, "two");
    changed_once(&mut watch).await;
}

#[tokio::test]
async fn without_events_looking_is_enough() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    let none = Err(io::Error::from(io::ErrorKind::QuotaExceeded));
    let mut watch = Watch::with([file.clone()], none, Duration::from_millis(5), SETTLE);
    assert!(watch.degraded().unwrap().starts_with("inotify: "));
    for content in ["one", "two"] {
        fs::write(&file, content).unwrap();
        changed(&mut watch).await;
    }
}

#[tokio::test]
async fn nothing_is_lost_when_the_waiting_is_interrupted() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "one").unwrap();
    let mut watch = Watch::with([file.clone()], Events::new(), NEVER, SETTLE);
    replace(&file, "two");
    // The event is read, and the waiting is dropped while it settles.
    let _ = timeout(SETTLE / 4, watch.changed()).await;
    changed_once(&mut watch).await;
}

#[tokio::test]
async fn other_files_can_be_watched_and_circles_do_no_harm() {
    let directory = tempfile::tempdir().unwrap();
    let (file, circle) = (
        directory.path().join("file"),
        directory.path().join("circle"),
    );
    symlink(&circle, &circle).unwrap();
    let mut watch = by_events(&[&circle]);
    watch.watch([file.clone(), circle.clone()]);
    fs::write(&file, "one").unwrap();
    changed_once(&mut watch).await;
    fs::remove_file(&circle).unwrap();
    fs::write(&circle, "no circle").unwrap();
    changed_once(&mut watch).await;
}
