use std::os::unix::fs::MetadataExt;

use manifest::core::v1::ConfigMap;
use serde_json::json;

use super::*;
use crate::paths::Paths;

struct Fixture {
    root: tempfile::TempDir,
    memory: tempfile::TempDir,
    objects: Objects,
    facts: NodeFacts,
}

impl Fixture {
    fn new() -> Self {
        let objects = Objects::default();
        let config: ConfigMap = serde_json::from_value(json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "conf"},
            "data": {"a": "1", "b": "2"}, "binaryData": {"raw": "/wA="}
        }))
        .expect("ConfigMap");
        objects.put_config_map(config);
        let secret = serde_json::from_value(json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "sec"}, "data": {"token": "czNjcjN0"}
        }));
        objects.put_secret(secret.expect("Secret"));
        Self {
            root: tempfile::tempdir().expect("tempdir"),
            memory: tempfile::tempdir().expect("tempdir"),
            objects,
            facts: NodeFacts {
                memory_bytes: 1 << 30,
                ..NodeFacts::default()
            },
        }
    }

    fn set_up(
        &self,
        volume: serde_json::Value,
        spec: serde_json::Value,
    ) -> Result<PathBuf, String> {
        let mut spec = spec;
        spec["containers"] = json!([]);
        spec["volumes"] = json!([volume]);
        let pod: Pod = serde_json::from_value(json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "p", "uid": "u", "labels": {"x": "y", "a": "say \"hi\""}}, "spec": spec
        }))
        .expect("pod");
        let paths = Paths::new(Some(self.root.path())).pod("u");
        let context = Context {
            pod: &pod,
            paths: &paths,
            objects: &self.objects,
            facts: &self.facts,
            stamp: "stamp".into(),
        };
        // As the sandbox gives it.
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let memory =
            openat(rustix::fs::CWD, self.memory.path(), flags, Mode::empty()).expect("open");
        let volumes =
            set_up(&context, |_| Some(memory.as_fd())).map_err(|error| error.to_string())?;
        Ok(match volumes.into_values().next().expect("a volume") {
            Prepared::Path(path) => path,
            Prepared::Tmpfs(_) => self.memory.path().to_owned(),
        })
    }

    fn files(&self, volume: serde_json::Value) -> Result<PathBuf, String> {
        self.set_up(volume, json!({}))
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("metadata").mode() & 0o7777
}

#[test]
fn r19_3_config_map_items_and_modes() {
    let fixture = Fixture::new();
    let all =
        fixture.files(json!({"name": "v", "configMap": {"name": "conf", "defaultMode": 0o400}}));
    let all = all.expect("volume");
    assert_eq!(
        (read(&all.join("a")), mode(&all.join("a"))),
        ("1".into(), 0o400)
    );
    assert_eq!(fs::read(all.join("raw")).expect("raw"), [0xff, 0]);

    let fixture = Fixture::new();
    let some = fixture
        .files(json!({"name": "v", "configMap": {"name": "conf",
            "items": [{"key": "b", "path": "dir/renamed", "mode": 0o600}]}}))
        .expect("volume");
    assert_eq!(
        (
            read(&some.join("dir/renamed")),
            mode(&some.join("dir/renamed"))
        ),
        ("2".into(), 0o600)
    );
    assert!(!some.join("a").exists());
}

#[test]
fn r11_4_what_is_missing_is_said_as_the_kubelet_says_it() {
    let fixture = Fixture::new();
    let message = |volume| fixture.files(volume).expect_err("missing");
    assert_eq!(
        message(json!({"name": "v", "configMap": {"name": "none"}})),
        "MountVolume.SetUp failed for volume \"v\" : configmap \"none\" not found"
    );
    assert_eq!(
        message(json!({"name": "v", "secret": {"secretName": "none"}})),
        "MountVolume.SetUp failed for volume \"v\" : secret \"none\" not found"
    );
    let items = json!([{"key": "z", "path": "z"}]);
    assert!(
        message(json!({"name": "v", "configMap": {"name": "conf", "items": items}}))
            .ends_with("configmap references non-existent config key: z")
    );
}

#[test]
fn r19_4_optional_and_missing_is_an_empty_directory() {
    let fixture = Fixture::new();
    let path = fixture.files(json!({"name": "v", "configMap": {"name": "none", "optional": true}}));
    let visible = fs::read_dir(path.expect("volume"))
        .expect("read_dir")
        .filter(|entry| {
            !entry
                .as_ref()
                .expect("entry")
                .file_name()
                .to_string_lossy()
                .starts_with("..")
        })
        .count();
    assert_eq!(visible, 0);
}

#[test]
fn r19_1_secrets_and_the_downward_api_live_in_memory() {
    let fixture = Fixture::new();
    let secret = fixture
        .files(json!({"name": "v", "secret": {"secretName": "sec"}}))
        .expect("volume");
    assert_eq!(secret, fixture.memory.path());
    assert_eq!(read(&secret.join("token")), "s3cr3t");

    let fixture = Fixture::new();
    let downward = fixture
        .files(json!({"name": "v", "downwardAPI": {"items": [
            {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}},
            {"path": "name", "fieldRef": {"fieldPath": "metadata.name"}}]}}))
        .expect("volume");
    assert_eq!(
        read(&downward.join("labels")),
        "a=\"say \\\"hi\\\"\"\nx=\"y\""
    );
    assert_eq!(read(&downward.join("name")), "p");
}

#[test]
fn projected_volumes_put_sources_together() {
    let fixture = Fixture::new();
    let path = fixture
        .files(
            json!({"name": "v", "projected": {"defaultMode": 0o440, "sources": [
            {"configMap": {"name": "conf", "items": [{"key": "a", "path": "conf/a"}]}},
            {"secret": {"name": "sec"}}]}}),
        )
        .expect("volume");
    assert_eq!(read(&path.join("conf/a")), "1");
    assert_eq!(
        (read(&path.join("token")), mode(&path.join("token"))),
        ("s3cr3t".into(), 0o440)
    );
}

#[test]
fn r19_5_empty_dirs_are_open_to_all_or_to_the_group() {
    let fixture = Fixture::new();
    let path = fixture
        .files(json!({"name": "v", "emptyDir": {}}))
        .expect("volume");
    assert_eq!(mode(&path), 0o777);
    let path = fixture
        .set_up(
            json!({"name": "g", "emptyDir": {}}),
            json!({"securityContext": {"fsGroup": 4321}}),
        )
        .expect("volume");
    assert_eq!(
        (mode(&path), fs::metadata(&path).expect("meta").gid()),
        (0o2777, 4321)
    );
}

#[test]
fn r19_5_memory_is_bounded_by_the_least_limit() {
    let pod = |limit: &str, memory: &str| -> Pod {
        serde_json::from_value(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {},
            "spec": {"containers": [{"name": "c", "resources": {"limits": {"memory": memory}}}],
                "volumes": [{"name": "v", "emptyDir": {"medium": "Memory", "sizeLimit": limit}}]}}))
        .expect("pod")
    };
    let facts = NodeFacts {
        memory_bytes: 1 << 30,
        ..NodeFacts::default()
    };
    let size = |limit, memory| tmpfs(&pod(limit, memory), &facts)[0].size_bytes;
    assert_eq!(size("1Mi", "64Mi"), Some(1 << 20));
    assert_eq!(size("1Gi", "64Mi"), Some(64 << 20));
    assert_eq!(size("8Gi", "8Gi"), Some(1 << 30));
}

#[test]
fn r19_8_host_path_types() {
    let fixture = Fixture::new();
    let dir = tempfile::tempdir().expect("tempdir");
    let at = |name: &str| dir.path().join(name).display().to_string();
    let case = |name: &str, kind: &str| {
        fixture.files(json!({"name": "v", "hostPath": {"path": at(name), "type": kind}}))
    };
    fs::write(dir.path().join("file"), "x").expect("write");
    assert!(case("new-dir", "DirectoryOrCreate").is_ok());
    assert_eq!(mode(&dir.path().join("new-dir")), 0o755);
    assert!(case("new-file", "FileOrCreate").is_ok());
    assert_eq!(mode(&dir.path().join("new-file")), 0o644);
    assert!(case("file", "File").is_ok());
    assert_eq!(
        case("file", "Directory").expect_err("a file"),
        format!(
            "MountVolume.SetUp failed for volume \"v\" : hostPath type check failed: {} is not a directory",
            at("file")
        )
    );
    assert!(case("none", "Socket").is_err());
    assert!(case("none", "Directory").is_err());
}
