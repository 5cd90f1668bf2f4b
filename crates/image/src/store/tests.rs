use std::io::{Cursor, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;

use serde_json::json;
use tempfile::TempDir;

use super::collect::Freed;
use super::*;
use crate::import::ImportOptions;
use crate::testing::{gzip, zstd};
use crate::unpack;
use archive::testing::{Tar, listing};

mod faults;

struct Fixture {
    directory: TempDir,
    store: Store,
}

impl Fixture {
    fn new() -> Fixture {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("images")).unwrap();
        Fixture { directory, store }
    }

    fn root(&self) -> PathBuf {
        self.directory.path().join("images")
    }

    fn import(&self, name: &str, bytes: &[u8]) -> Image {
        self.store.import(bytes, options(name)).unwrap()
    }

    fn resolve(&self, name: &str) -> Option<Image> {
        self.store.resolve(&reference(name)).unwrap()
    }

    /// All files of the store but the contents of layers.
    fn files(&self) -> Vec<String> {
        let lines = listing(&self.root()).into_iter();
        lines
            .map(|line| line.split('=').next().unwrap().to_owned())
            .collect()
    }

    fn layer_count(&self) -> usize {
        std::fs::read_dir(self.root().join("layers"))
            .unwrap()
            .count()
    }

    /// Fails if anything is left of what was being unpacked or removed.
    fn check_clean(&self) {
        assert_eq!(listing(&self.root().join("tmp")), [""; 0]);
    }
}

fn reference(name: &str) -> Reference {
    Reference::parse(name).unwrap()
}

fn options(name: &str) -> ImportOptions {
    ImportOptions::new(reference(name))
}

fn rootfs(content: &str) -> Vec<u8> {
    Tar::new()
        .dir("etc/", 0o755)
        .file("etc/motd", content.as_bytes())
        .finish()
}

#[test]
fn an_imported_image_is_found_with_its_configuration() {
    let fixture = Fixture::new();
    let options = ImportOptions {
        entrypoint: vec!["/bin/sh".into(), "-c".into()],
        cmd: vec!["echo".into()],
        env: vec!["A=b c".into()],
        user: Some("1000:100".into()),
        working_dir: Some("/srv".into()),
        stop_signal: Some("SIGQUIT".into()),
        ..options("app:1")
    };
    let made = fixture.store.import(&rootfs("hello")[..], options).unwrap();
    let image = fixture
        .resolve("docker.io/library/app:1")
        .expect("the image");
    assert_eq!((&image.id, &image.manifest), (&made.id, &made.manifest));
    assert_eq!(image.reference, Some(reference("app:1")));
    assert_eq!(image.config.entrypoint, ["/bin/sh", "-c"]);
    assert_eq!(image.config.cmd, ["echo"]);
    assert_eq!(image.config.env, ["A=b c"]);
    assert_eq!(image.config.user, "1000:100");
    assert_eq!(image.config.working_dir, "/srv");
    assert_eq!(image.config.stop_signal.as_deref(), Some("SIGQUIT"));
    let [layer] = &image.layers[..] else {
        panic!("one layer: {image:?}")
    };
    assert_eq!(listing(layer), ["etc/", "etc/motd=hello"]);
    assert_eq!(
        std::fs::metadata(layer).unwrap().permissions().mode() & 0o7777,
        0o755
    );
    assert!(fixture.resolve("app").is_none() && fixture.resolve("app:2").is_none());

    let by_digest = format!("app@{}", image.manifest);
    assert_eq!(fixture.resolve(&by_digest).unwrap().id, image.id);

    let all = fixture.store.list().unwrap();
    let [summary] = &all[..] else {
        panic!("{all:?}")
    };
    assert_eq!((summary.size, summary.layers), (5, 1));
    assert_eq!(summary.created.unwrap().as_second(), 1_000_000_000);
    fixture.check_clean();
}

#[test]
fn only_the_owner_may_enter_the_store() {
    let fixture = Fixture::new();
    let mode = std::fs::metadata(fixture.root())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn the_same_root_file_system_makes_the_same_image_however_compressed() {
    let fixture = Fixture::new();
    let plain = fixture.import("a", &rootfs("x"));
    let before = fixture.files();
    let gzipped = fixture.import("a", &gzip(&rootfs("x")));
    let zstandard = fixture.import("a", &zstd(&rootfs("x")));
    let mut members = gzip(&rootfs("x")[..600]);
    members.extend_from_slice(&gzip(&rootfs("x")[600..]));
    let in_parts = fixture.import("a", &members);
    for other in [gzipped, zstandard, in_parts] {
        assert_eq!((&other.id, &other.manifest), (&plain.id, &plain.manifest));
    }
    assert_eq!(fixture.files(), before);
    fixture.check_clean();
}

#[test]
fn images_share_their_layers() {
    let fixture = Fixture::new();
    let one = fixture.import("one", &rootfs("x"));
    let two = fixture.store.import(
        &rootfs("x")[..],
        ImportOptions {
            cmd: vec!["other".into()],
            ..options("two")
        },
    );
    let two = two.unwrap();
    assert_ne!(one.id, two.id);
    assert_eq!(one.layers, two.layers);
    assert_eq!(fixture.layer_count(), 1);
}

#[test]
fn a_name_moves_to_the_new_image_and_the_old_one_goes() {
    let fixture = Fixture::new();
    let old = fixture.import("app", &rootfs("old"));
    let held = old.layers[0].clone();
    let new = fixture.import("app", &rootfs("new"));
    assert_eq!(fixture.resolve("app").unwrap().id, new.id);
    assert!(held.exists(), "a container may run from it");
    drop(old);
    fixture.import("app", &rootfs("newest"));
    assert!(!held.exists());
    assert_eq!(fixture.store.list().unwrap().len(), 1);
}

#[test]
fn image_archives_are_told_from_root_file_systems() {
    let fixture = Fixture::new();
    let bytes = Tar::new()
        .file("oci-layout", b"{}")
        .file("index.json", b"{}")
        .finish();
    let error = fixture.store.import(&bytes[..], options("x")).unwrap_err();
    assert!(matches!(error, Error::NotARootFs));
    assert!(error.hint().unwrap().contains("image load"));
}

#[test]
fn a_digest_cannot_be_given_to_an_image() {
    let fixture = Fixture::new();
    let name = format!("app@sha256:{}", "0".repeat(64));
    let error = fixture
        .store
        .import(&rootfs("x")[..], options(&name))
        .unwrap_err();
    assert!(matches!(error, Error::NameWithDigest(_)), "{error}");
}

#[test]
fn removing_the_last_name_removes_the_image() {
    let fixture = Fixture::new();
    let empty = fixture.files();
    let id = fixture.import("one", &rootfs("x")).id;
    fixture.import("two", &rootfs("x"));
    let removed = fixture.store.remove(&reference("one")).unwrap();
    assert_eq!(
        (removed.untagged, removed.deleted),
        (vec![reference("one")], None)
    );
    assert_eq!(removed.freed, Freed::default());
    assert!(fixture.resolve("one").is_none() && fixture.resolve("two").is_some());
    let removed = fixture.store.remove(&reference("two")).unwrap();
    assert_eq!(removed.deleted, Some(id));
    assert_eq!((removed.freed.layers, removed.freed.bytes), (1, 1));
    let mut files = fixture.files();
    files.retain(|file| file != "index.json");
    assert_eq!(files, empty);
    let error = fixture.store.remove(&reference("two")).unwrap_err();
    assert_eq!(error.to_string(), "no such image: two:latest");
}

#[test]
fn images_are_found_by_the_beginning_of_their_id() {
    let fixture = Fixture::new();
    let image = fixture.import("one", &rootfs("x"));
    fixture.import("other", &rootfs("y"));
    let id = |text: &str| fixture.store.inspect(Selector::parse(text));
    assert_eq!(id(image.id.short()).unwrap()["Id"], image.id.to_string());
    assert_eq!(
        id(&image.id.to_string()).unwrap()["RepoTags"][0],
        "one:latest"
    );
    assert!(matches!(id("abc"), Err(Error::NotFound(_))));
    assert!(matches!(id("UPPER"), Err(Error::NotFound(_))));
    fixture.import("two", &rootfs("x"));
    let error = fixture
        .store
        .remove(Selector::parse(image.id.short()))
        .unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("has several names: one:latest, two:latest"),
        "{error}"
    );
    fixture.store.remove(&reference("one")).unwrap();
    let id = image.id.clone();
    drop(image);
    fixture.store.remove(Selector::parse(id.short())).unwrap();
    assert!(fixture.resolve("two").is_none());
}

#[test]
fn inspect_has_the_form_of_docker() {
    let fixture = Fixture::new();
    let options = ImportOptions {
        entrypoint: vec!["/app".into()],
        ..options("app:1")
    };
    let image = fixture.store.import(&rootfs("hello")[..], options).unwrap();
    let value = fixture.store.inspect(&reference("app:1")).unwrap();
    assert_eq!(value["Id"], image.id.to_string());
    assert_eq!(value["RepoTags"], json!(["app:1"]));
    assert_eq!(
        value["RepoDigests"],
        json!([format!("docker.io/library/app@{}", image.manifest)])
    );
    assert_eq!(value["Created"], "2001-09-09T01:46:40Z");
    assert_eq!(value["Config"], json!({ "Entrypoint": ["/app"] }));
    assert_eq!((&value["Os"], &value["Size"]), (&json!("linux"), &json!(5)));
    assert_eq!(value["RootFS"]["Layers"].as_array().map(Vec::len), Some(1));
}

#[test]
fn layers_in_use_are_neither_removed_nor_pruned() {
    let fixture = Fixture::new();
    let image = fixture.import("app", &rootfs("x"));
    // Another process would have its own descriptors, as this second store has.
    let other = Store::open(&fixture.root()).unwrap();
    let error = other.remove(&reference("app")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "image app:latest is in use by a running Pod"
    );
    assert_eq!(other.prune_all().unwrap().images, []);
    assert!(image.layers[0].join("etc/motd").exists() && fixture.resolve("app").is_some());
    // One of two names can go.
    fixture.import("second", &rootfs("x"));
    other.remove(&reference("app")).unwrap();
    let clone = image.clone();
    drop(image);
    assert!(matches!(
        other.remove(&reference("second")),
        Err(Error::InUse(_))
    ));
    drop(clone);
    assert_eq!(other.remove(&reference("second")).unwrap().freed.layers, 1);
}

#[test]
fn prune_removes_what_no_image_needs() {
    let fixture = Fixture::new();
    fixture.import("kept", &rootfs("kept"));
    let files = fixture.files();
    let stray = fixture.root().join("layers/0123456789ab");
    std::fs::create_dir_all(stray.join("fs/deep")).unwrap();
    std::fs::write(
        fixture.root().join("blobs/sha256").join("0".repeat(64)),
        "{}",
    )
    .unwrap();
    let freed = fixture.store.prune().unwrap();
    assert_eq!((freed.layers, freed.images.len()), (1, 0));
    assert_eq!(fixture.files(), files);
    let freed = fixture.store.prune_all().unwrap();
    assert_eq!((freed.images.len(), freed.layers, freed.bytes), (1, 1, 4));
    assert!(fixture.store.list().unwrap().is_empty());
}

#[test]
fn the_builtin_image_is_a_copy_of_the_program() {
    let fixture = Fixture::new();
    let program = fixture.directory.path().join("program");
    std::fs::write(&program, "version one").unwrap();
    assert!(fixture.resolve("pillion").is_none());
    let image = fixture.store.ensure_builtin(&program).unwrap();
    assert_eq!(image.config.entrypoint, ["/pillion"]);
    let copy = image.layers[0].join("pillion");
    let metadata = std::fs::symlink_metadata(&copy).unwrap();
    assert_eq!(
        (metadata.permissions().mode() & 0o7777, metadata.nlink()),
        (0o755, 1)
    );
    assert_eq!(std::fs::read(&copy).unwrap(), b"version one");
    for name in ["pillion", "pillion:v1.2", "docker.io/library/pillion"] {
        assert_eq!(fixture.resolve(name).unwrap().id, image.id, "{name}");
    }
    let before = fixture.files();
    assert_eq!(fixture.store.ensure_builtin(&program).unwrap().id, image.id);
    assert_eq!(fixture.files(), before);
    let [summary] = &fixture.store.list().unwrap()[..] else {
        panic!("one image")
    };
    assert_eq!(summary.reference, Some(reference("pillion")));

    let error = fixture.store.remove(&reference("pillion")).unwrap_err();
    assert!(error.to_string().contains("always present"), "{error}");
    assert_eq!(fixture.store.prune_all().unwrap(), Freed::default());

    // Another program, and a copy that was lost.
    std::fs::write(&program, "version two!").unwrap();
    let second = fixture.store.ensure_builtin(&program).unwrap();
    assert_ne!(second.id, image.id);
    assert!(copy.exists(), "a container runs from it");
    drop(image);
    std::fs::remove_dir_all(second.layers[0].parent().unwrap()).unwrap();
    drop(second);
    let third = fixture.store.ensure_builtin(&program).unwrap();
    assert_eq!(
        std::fs::read(third.layers[0].join("pillion")).unwrap(),
        b"version two!"
    );
    assert!(!copy.exists());
    // A real image of that name goes before.
    fixture.import("pillion:mine", &rootfs("mine"));
    assert!(
        fixture.resolve("pillion:mine").unwrap().layers[0]
            .join("etc")
            .exists()
    );
    fixture.store.remove(&reference("pillion:mine")).unwrap();
    fixture.check_clean();
}

#[test]
fn large_archives_come_from_pipes_in_small_pieces() {
    struct Dribble<R>(R);
    impl<R: Read> Read for Dribble<R> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let length = buf.len().min(97);
            self.0.read(&mut buf[..length])
        }
    }
    let fixture = Fixture::new();
    let whole = fixture.import("whole", &rootfs("x"));
    let archive = Dribble(Cursor::new(gzip(&rootfs("x"))));
    let dribbled = fixture.store.import(archive, options("dribbled")).unwrap();
    assert_eq!(whole.id, dribbled.id);
}

/// The message with its causes, as the program prints it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[test]
fn errors_name_step_object_and_cause() {
    let fixture = Fixture::new();
    let bytes = Tar::new().file("f", b"").hard_link("l", "gone").finish();
    let error = fixture.store.import(&bytes[..], options("x")).unwrap_err();
    assert_eq!(
        chain(&error),
        "unpack the root file system: hard link \"l\": there is no file \"gone\" in the same layer"
    );
    assert!(matches!(
        error,
        Error::Layer {
            source: unpack::Error::LinkTarget { .. },
            ..
        }
    ));
}
