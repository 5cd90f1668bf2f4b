use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};
use tar::EntryType;
use tempfile::TempDir;

use crate::documents::Platform;
use crate::testing::{gzip, zstd};
use crate::{Digest, Error, Image, Loaded, Reference, Store};
use archive::testing::{Tar, header, listing};

mod oci;
mod refused;

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

    fn load(&self, bytes: &[u8]) -> Vec<Loaded> {
        self.store
            .load(bytes)
            .unwrap_or_else(|e| panic!("{e}: {e:?}"))
    }

    /// The error of an archive, after which the store is unchanged.
    fn refused(&self, bytes: &[u8]) -> Error {
        let before = listing(&self.root());
        let error = self.store.load(bytes).expect_err("the archive is refused");
        assert_eq!(listing(&self.root()), before, "{error}");
        error
    }

    fn image(&self, name: &str) -> Image {
        self.store
            .resolve(&Reference::parse(name).unwrap())
            .unwrap()
            .expect(name)
    }
}

fn names(loaded: &[Loaded]) -> Vec<String> {
    let name = |l: &Loaded| {
        l.reference
            .as_ref()
            .map_or("none".to_owned(), |r| r.familiar())
    };
    loaded.iter().map(name).collect()
}

fn base() -> Vec<u8> {
    Tar::new()
        .dir("etc/", 0o711)
        .file("etc/base", b"1")
        .file("gone", b"2")
        .finish()
}

fn top() -> Vec<u8> {
    // The directory `etc` is implied: it keeps the mode it has below.
    Tar::new()
        .file("etc/top", b"3")
        .file(".wh.gone", b"")
        .finish()
}

fn config(layers: &[Vec<u8>]) -> Vec<u8> {
    config_for(&Platform::host(), layers)
}

fn config_for(platform: &Platform, layers: &[Vec<u8>]) -> Vec<u8> {
    let diff_ids: Vec<Digest> = layers.iter().map(|layer| Digest::of(layer)).collect();
    json!({
        "architecture": platform.architecture,
        "os": platform.os,
        "created": "2024-05-06T07:08:09.123456789Z",
        "config": {
            "Entrypoint": null,
            "Cmd": ["/bin/sh"],
            "Env": ["PATH=/bin"],
            "Volumes": null,
            "OnBuild": null,
            "ExposedPorts": { "80/tcp": {} },
            "Labels": { "a": "b" },
            "StopSignal": "SIGQUIT",
            "WorkingDir": "",
        },
        "history": [{ "created_by": "test", "empty_layer": true }],
        "rootfs": { "type": "layers", "diff_ids": diff_ids },
    })
    .to_string()
    .into_bytes()
}

/// `docker save` before version 25, with symbolic links between equal layers and the old files of
/// each layer.
fn docker_archive(tags: Value, layers: &[Vec<u8>]) -> Vec<u8> {
    let config = config(layers);
    let config_name = format!("{}.json", Digest::of(&config).hex());
    let mut tar = Tar::new();
    let mut paths = Vec::new();
    let mut first: BTreeMap<&[u8], String> = BTreeMap::new();
    for (i, layer) in layers.iter().enumerate() {
        let id = format!("{i:064x}");
        let path = format!("{id}/layer.tar");
        tar = tar
            .dir(&format!("{id}/"), 0o755)
            .file(&format!("{id}/VERSION"), b"1.0");
        tar = tar.file(&format!("{id}/json"), br#"{"id": "x"}"#);
        tar = match first.get(&layer[..]) {
            Some(other) => tar.with(EntryType::Symlink, &path, b"", |header| {
                header.set_link_name(format!("../{other}")).unwrap();
            }),
            None => tar.file(&path, layer),
        };
        first.entry(layer).or_insert_with(|| path.clone());
        paths.push(path);
    }
    let manifest = json!([{ "Config": config_name, "RepoTags": tags, "Layers": paths }]);
    tar.file(&config_name, &config)
        .file("manifest.json", manifest.to_string().as_bytes())
        .file("repositories", br#"{"app": {"1": "x"}}"#)
        .finish()
}

/// An OCI layout under construction.
#[derive(Default)]
struct Layout {
    blobs: Vec<(String, Vec<u8>)>,
    index: Vec<Value>,
    extra: Vec<(String, Vec<u8>)>,
}

impl Layout {
    fn blob(&mut self, media_type: &str, bytes: &[u8]) -> Value {
        let digest = Digest::of(bytes);
        self.blobs
            .push((format!("blobs/sha256/{}", digest.hex()), bytes.to_vec()));
        json!({ "mediaType": media_type, "digest": digest, "size": bytes.len() })
    }

    /// Adds an image, and gives the descriptor of its manifest.
    fn image(&mut self, platform: &Platform, layers: &[Vec<u8>], blobs: &[Vec<u8>]) -> Value {
        let config = config_for(platform, layers);
        let config = self.blob("application/vnd.oci.image.config.v1+json", &config);
        let layers: Vec<Value> = blobs
            .iter()
            .map(|b| self.blob("application/vnd.oci.image.layer.v1.tar+gzip", b))
            .collect();
        let manifest = json!({ "schemaVersion": 2, "config": config, "layers": layers });
        let manifest = manifest.to_string().into_bytes();
        let mut descriptor = self.blob("application/vnd.oci.image.manifest.v1+json", &manifest);
        descriptor["platform"] =
            json!({ "architecture": platform.architecture, "os": platform.os });
        descriptor
    }

    fn nested(&mut self, manifests: &[Value]) -> Value {
        let index = json!({ "schemaVersion": 2, "manifests": manifests })
            .to_string()
            .into_bytes();
        self.blob("application/vnd.oci.image.index.v1+json", &index)
    }

    fn add(&mut self, mut descriptor: Value, annotations: &[(&str, &str)]) {
        for (key, value) in annotations {
            descriptor["annotations"][key] = json!(value);
        }
        self.index.push(descriptor);
    }

    fn finish(&self) -> Vec<u8> {
        let mut tar = Tar::new().dir("blobs/", 0o755).dir("blobs/sha256/", 0o755);
        for (path, bytes) in self.blobs.iter().chain(&self.extra) {
            tar = match path.len() {
                ..100 => tar.file(path, bytes),
                _ => tar.pax(&[("path", path.as_bytes())]).file("long", bytes),
            };
        }
        let index = json!({ "schemaVersion": 2, "manifests": self.index });
        tar.file("index.json", index.to_string().as_bytes())
            .file("oci-layout", br#"{"imageLayoutVersion": "1.0.0"}"#)
            .finish()
    }
}

const NAME: &str = "io.containerd.image.name";
const REF: &str = "org.opencontainers.image.ref.name";

fn other_platform() -> Platform {
    let host = Platform::host();
    let architecture = if host.architecture == "s390x" {
        "ppc64le"
    } else {
        "s390x"
    };
    Platform {
        architecture: architecture.into(),
        variant: None,
        ..host
    }
}

fn host_layout(annotations: &[(&str, &str)]) -> Vec<u8> {
    let mut layout = Layout::default();
    let layers = [base(), top()];
    let descriptor = layout.image(&Platform::host(), &layers, &[gzip(&base()), zstd(&top())]);
    layout.add(descriptor, annotations);
    layout.finish()
}

fn check_image(image: &Image) {
    assert_eq!(image.config.cmd, ["/bin/sh"]);
    assert_eq!(image.config.entrypoint, [""; 0]);
    assert_eq!(image.config.exposed_ports, ["80/tcp"]);
    assert_eq!(image.config.stop_signal.as_deref(), Some("SIGQUIT"));
    assert_eq!(image.config.labels["a"], "b");
    assert_eq!(image.layers.len(), 2);
    assert_eq!(listing(&image.layers[0]), ["etc/", "etc/base=1", "gone=2"]);
    assert_eq!(
        listing(&image.layers[1]),
        ["etc/", "etc/top=3", "gone:whiteout"]
    );
    for layer in &image.layers {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(layer.join("etc"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o7777, 0o711, "{}", layer.display());
    }
}

#[test]
fn archives_of_docker_are_loaded() {
    let fixture = Fixture::new();
    let bytes = docker_archive(json!(["app:1", "quay.io/a/b:c"]), &[base(), top()]);
    let loaded = fixture.load(&bytes);
    assert_eq!(names(&loaded), ["app:1", "quay.io/a/b:c"]);
    assert_eq!(loaded[0].id, Digest::of(&config(&[base(), top()])));
    check_image(&fixture.image("app:1"));
    check_image(&fixture.image("quay.io/a/b:c"));
    let summary = &fixture.store.list().unwrap()[0];
    assert_eq!((summary.layers, summary.size), (2, 3));
    assert_eq!(
        summary.created.unwrap().to_string(),
        "2024-05-06T07:08:09.123456789Z"
    );
    // Again, and compressed: the same.
    let before = listing(&fixture.root());
    assert_eq!(fixture.load(&gzip(&bytes)), loaded);
    assert_eq!(fixture.load(&zstd(&bytes)), loaded);
    assert_eq!(listing(&fixture.root()), before);
}

#[test]
fn archives_of_podman_have_layers_by_digest_and_links_to_them() {
    let fixture = Fixture::new();
    let (base, top) = (base(), top());
    let config = config(&[base.clone(), top.clone()]);
    let config_name = format!("{}.json", Digest::of(&config).hex());
    let mut tar = Tar::new();
    let mut paths = Vec::new();
    for layer in [&base, &top] {
        let path = format!("{}.tar", Digest::of(layer).hex());
        tar = tar.file(&path, layer);
        paths.push(path);
    }
    for (i, path) in paths.iter().enumerate() {
        tar = tar.symlink(&format!("{i}/layer.tar"), &format!("../{path}"));
    }
    let manifest =
        json!([{ "Config": config_name, "RepoTags": ["localhost/app:latest"], "Layers": paths }]);
    let bytes = tar
        .file(&config_name, &config)
        .file("repositories", b"{}")
        .file("manifest.json", manifest.to_string().as_bytes())
        .finish();
    assert_eq!(names(&fixture.load(&bytes)), ["localhost/app:latest"]);
    check_image(&fixture.image("localhost/app"));
}

#[test]
fn equal_layers_may_be_links_and_lie_on_different_ones() {
    let fixture = Fixture::new();
    let (base, top) = (base(), top());
    let bytes = docker_archive(json!(["twice"]), &[base.clone(), top.clone(), base, top]);
    fixture.load(&bytes);
    let image = fixture.image("twice");
    assert_eq!(image.layers.len(), 4);
    assert_eq!(listing(&image.layers[0]), listing(&image.layers[2]));
    assert_eq!(listing(&image.layers[1]), listing(&image.layers[3]));
    assert_ne!(image.layers[1], image.layers[3]);
    assert_eq!(listing(&fixture.root().join("tmp")), [""; 0]);
}

#[test]
fn images_without_names_are_kept_by_their_digest() {
    let fixture = Fixture::new();
    for tags in [json!(null), json!([])] {
        let loaded = fixture.load(&docker_archive(tags, &[base()]));
        assert_eq!((names(&loaded), loaded.len()), (vec!["none".into()], 1));
        let by_digest = format!("anything@{}", loaded[0].manifest);
        assert_eq!(fixture.image(&by_digest).id, loaded[0].id);
    }
    assert_eq!(fixture.store.list().unwrap().len(), 1);
    assert_eq!(fixture.store.prune().unwrap().images.len(), 1);
}

#[test]
fn archives_hold_several_images() {
    let fixture = Fixture::new();
    let (one, two) = (config(&[base()]), config(&[base(), top()]));
    let manifest = json!([
        { "Config": "one.json", "RepoTags": ["one"], "Layers": ["base.tar"] },
        { "Config": "two.json", "RepoTags": ["two"], "Layers": ["./base.tar", "top.tar"] },
    ]);
    let bytes = Tar::new()
        .file("manifest.json", manifest.to_string().as_bytes())
        .file("one.json", &one)
        .file("two.json", &two)
        .file("base.tar", &base())
        .file("top.tar", &top())
        .finish();
    assert_eq!(names(&fixture.load(&bytes)), ["one:latest", "two:latest"]);
    let (one, two) = (fixture.image("one"), fixture.image("two"));
    assert_eq!(one.layers[0], two.layers[0]);
    // One broken image, and none is loaded.
    let fixture = Fixture::new();
    let broken = Tar::new()
        .file("manifest.json", manifest.to_string().as_bytes())
        .file("one.json", &config(&[base()]))
        .file("base.tar", &base())
        .finish();
    assert!(matches!(fixture.refused(&broken), Error::Missing(_)));
}

#[test]
fn a_loaded_opaque_root_hides_the_layers_below() {
    let fixture = Fixture::new();
    let fresh = Tar::new()
        .file(".wh..wh..opq", b"")
        .file("only", b"1")
        .finish();
    fixture.load(&docker_archive(json!(["fresh"]), &[base(), fresh, top()]));
    let image = fixture.image("fresh");
    assert_eq!(image.layers.len(), 2);
    assert_eq!(listing(&image.layers[0]), ["only=1"]);
}

#[test]
fn an_image_may_have_no_layers() {
    let fixture = Fixture::new();
    let config =
        br#"{"architecture": "", "os": "linux", "rootfs": {"type": "layers", "diff_ids": null}}"#;
    let manifest = br#"[{"Config": "c.json", "RepoTags": ["scratch:1"], "Layers": null}]"#;
    let bytes = Tar::new()
        .file("c.json", config)
        .file("manifest.json", manifest)
        .finish();
    fixture.load(&bytes);
    assert!(fixture.image("scratch:1").layers.is_empty());
}
