//! OCI layouts: names, indices, platforms.

use serde_json::json;

use super::*;

#[test]
fn oci_layouts_are_loaded_with_the_names_that_tools_give() {
    for (annotations, expected) in [
        (
            &[(NAME, "docker.io/library/app:1"), (REF, "1")][..],
            "app:1",
        ),
        (&[(REF, "localhost/app:v2")], "localhost/app:v2"),
        (&[(REF, "busybox")], "busybox:latest"),
        (&[(REF, "latest")], "none"),
        (&[(REF, "v1.2")], "none"),
        (&[(REF, "not a name")], "none"),
        (&[], "none"),
    ] {
        let fixture = Fixture::new();
        let bytes = host_layout(annotations);
        let loaded = fixture.load(&bytes);
        assert_eq!(names(&loaded), [expected], "{annotations:?}");
        assert!(loaded[0].warnings.is_empty(), "{loaded:?}");
        check_image(&fixture.image(&format!("x@{}", loaded[0].manifest)));
    }
}

#[test]
fn docker_names_complete_an_oci_layout() {
    let fixture = Fixture::new();
    let mut layout = Layout::default();
    let descriptor = layout.image(&Platform::host(), &[base()], &[base()]);
    layout.add(descriptor, &[]);
    let config = Digest::of(&config(&[base()]));
    let path = format!("blobs/sha256/{}", config.hex());
    let manifest = json!([{ "Config": path, "RepoTags": ["app:7"], "Layers": [] }]);
    layout
        .extra
        .push(("manifest.json".into(), manifest.to_string().into_bytes()));
    assert_eq!(names(&fixture.load(&layout.finish())), ["app:7"]);
}

#[test]
fn one_manifest_under_two_names_is_one_image() {
    let fixture = Fixture::new();
    let mut layout = Layout::default();
    let descriptor = layout.image(&Platform::host(), &[base()], &[base()]);
    layout.add(descriptor.clone(), &[(NAME, "docker.io/library/a:1")]);
    layout.add(descriptor, &[(NAME, "docker.io/library/b:1")]);
    let loaded = fixture.load(&layout.finish());
    assert_eq!(names(&loaded), ["a:1", "b:1"]);
    assert_eq!(loaded[0].manifest, loaded[1].manifest);
}

#[test]
fn of_an_index_this_platform_is_taken() {
    let fixture = Fixture::new();
    let (host, other) = (Platform::host(), other_platform());
    let mut layout = Layout::default();
    let foreign = layout.image(&other, &[top()], &[gzip(&top())]);
    let ours = layout.image(&host, &[base()], &[gzip(&base())]);
    let mut attestation = layout.image(&host, &[base()], &[b"{}".to_vec()]);
    attestation["platform"] = json!({ "architecture": "unknown", "os": "unknown" });
    attestation["annotations"]["vnd.docker.reference.type"] = json!("attestation-manifest");
    let inner = layout.nested(&[foreign, attestation, ours]);
    let outer = layout.nested(&[inner]);
    layout.add(outer, &[(NAME, "docker.io/library/multi:1")]);
    let loaded = fixture.load(&layout.finish());
    assert_eq!(names(&loaded), ["multi:1"]);
    assert_eq!(
        listing(&fixture.image("multi:1").layers[0]),
        ["etc/", "etc/base=1", "gone=2"]
    );
    assert_eq!(
        std::fs::read_dir(fixture.root().join("layers"))
            .unwrap()
            .count(),
        1
    );

    // The same flat, as older buildx does it: one name, several platforms.
    let mut flat = Layout::default();
    for platform in [&other, &host] {
        let descriptor = flat.image(platform, &[base()], &[base()]);
        flat.add(descriptor, &[(NAME, "docker.io/library/flat:1")]);
    }
    assert_eq!(names(&fixture.load(&flat.finish())), ["flat:1"]);

    let mut none = Layout::default();
    let mut third = none.image(&other, &[base()], &[base()]);
    third["platform"]["architecture"] = json!("mips");
    let manifests = [none.image(&other, &[top()], &[top()]), third];
    let descriptor = none.nested(&manifests);
    none.add(descriptor, &[]);
    let error = fixture.refused(&none.finish());
    let text = error.to_string();
    assert!(
        text.contains(&format!("no image for {host}")) && text.contains("linux/mips"),
        "{text}"
    );
}

#[test]
fn a_single_image_for_another_platform_is_loaded_with_a_warning() {
    let fixture = Fixture::new();
    let mut layout = Layout::default();
    let descriptor = layout.image(&other_platform(), &[base()], &[base()]);
    layout.add(descriptor, &[(NAME, "docker.io/library/foreign:1")]);
    let loaded = fixture.load(&layout.finish());
    assert_eq!(loaded[0].warnings.len(), 1, "{loaded:?}");
    assert!(loaded[0].warnings[0].contains(&other_platform().to_string()));
}

#[test]
fn sha512_blobs_are_verified_as_well() {
    use sha2::Digest as _;
    let fixture = Fixture::new();
    let mut layout = Layout::default();
    let descriptor = layout.image(&Platform::host(), &[base()], &[base()]);
    let manifest = layout.blobs.pop().unwrap().1;
    let hex: String = sha2::Sha512::digest(&manifest)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    let mut add = |hex: &str| {
        let mut descriptor = descriptor.clone();
        descriptor["digest"] = json!(format!("sha512:{hex}"));
        layout.index = vec![descriptor];
        layout.extra = vec![(format!("blobs/sha512/{hex}"), manifest.clone())];
        layout.finish()
    };
    let loaded = fixture.load(&add(&hex));
    assert_eq!(loaded[0].manifest.to_string(), format!("sha512:{hex}"));
    fixture.image(&format!("x@{}", loaded[0].manifest));
    let error = fixture.refused(&add(&"0".repeat(128)));
    assert!(matches!(error, Error::DigestMismatch { .. }), "{error}");
}

#[test]
fn platforms_are_ranked() {
    let platform = |architecture: &str, variant: Option<&str>| Platform {
        architecture: architecture.into(),
        os: "linux".into(),
        variant: variant.map(str::to_owned),
    };
    let rank = |own: &Platform, host: &Platform| own.rank(host);
    let v7 = platform("arm", Some("v7"));
    assert!(rank(&platform("arm", Some("v7")), &v7) > rank(&platform("arm", None), &v7));
    assert!(rank(&platform("arm", Some("v6")), &v7) > rank(&platform("arm", Some("v5")), &v7));
    assert_eq!(rank(&platform("arm", Some("v8")), &v7), None);
    assert_eq!(rank(&platform("arm64", None), &v7), None);
    let amd64 = platform("amd64", None);
    assert!(rank(&amd64, &amd64) > rank(&platform("amd64", Some("v1")), &amd64));
    assert_eq!(rank(&platform("amd64", Some("v3")), &amd64), None);
    let windows = Platform {
        os: "windows".into(),
        ..amd64.clone()
    };
    assert_eq!(rank(&windows, &amd64), None);
}
