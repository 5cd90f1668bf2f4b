//! Archives that are damaged, or lie.

use serde_json::json;
use tar::EntryType;

use super::*;

#[test]
fn what_does_not_match_its_digest_is_refused() {
    let fixture = Fixture::new();
    let layers = [base(), top()];
    let blobs = [gzip(&base()), top()];
    // Each blob in turn is replaced by another that is whole in itself.
    for i in 0..4 {
        let mut layout = Layout::default();
        let descriptor = layout.image(&Platform::host(), &layers, &blobs);
        layout.add(descriptor, &[(NAME, "docker.io/library/app:1")]);
        layout.blobs[i].1 = match &layout.blobs[i].1 {
            json if json.starts_with(b"{") => [json, &b" "[..]].concat(),
            _ => gzip(&Tar::new().file("evil", b"").finish()),
        };
        let error = fixture.refused(&layout.finish());
        assert!(
            matches!(error, Error::DigestMismatch { .. }),
            "{i}: {error}"
        );
    }
    // A layer whose blob is right, and whose content is not what the configuration says.
    let mut layout = Layout::default();
    let descriptor = layout.image(&Platform::host(), &layers, &[gzip(&top()), top()]);
    layout.add(descriptor, &[]);
    let error = fixture.refused(&layout.finish());
    assert!(error.to_string().contains("decompressed"), "{error}");

    let mut layout = Layout::default();
    let descriptor = layout.image(&Platform::host(), &layers, &blobs[..1]);
    layout.add(descriptor, &[]);
    assert!(matches!(
        fixture.refused(&layout.finish()),
        Error::Invalid { .. }
    ));

    for i in 0..4 {
        let mut layout = Layout::default();
        let descriptor = layout.image(&Platform::host(), &layers, &blobs);
        layout.add(descriptor, &[]);
        layout.blobs.remove(i);
        assert!(
            matches!(fixture.refused(&layout.finish()), Error::Missing(_)),
            "{i}"
        );
    }
}

#[test]
fn docker_layers_and_configurations_are_verified() {
    let fixture = Fixture::new();
    let config = config(&[base()]);
    let manifest = |config: &str| {
        json!([{ "Config": config, "RepoTags": ["app"], "Layers": ["l.tar"] }]).to_string()
    };
    let archive = |name: &str, config: &[u8], layer: &[u8]| {
        let manifest = manifest(name);
        Tar::new()
            .file("manifest.json", manifest.as_bytes())
            .file(name, config)
            .file("l.tar", layer)
    };
    let error = fixture.refused(&archive("c.json", &config, &top()).finish());
    assert!(matches!(error, Error::DigestMismatch { .. }), "{error}");
    let name = format!("{}.json", "0".repeat(64));
    let error = fixture.refused(&archive(&name, &config, &base()).finish());
    assert!(matches!(error, Error::DigestMismatch { .. }), "{error}");
    fixture.load(&archive("c.json", &config, &base()).finish());
}

#[test]
fn what_is_no_image_archive_is_told_so() {
    let fixture = Fixture::new();
    let only = |path: &str, data: &[u8]| Tar::new().file(path, data).finish();
    for (bytes, expected) in [
        (b"#!/bin/sh\n".repeat(100), "it is no tar archive"),
        (only("etc/passwd", b"root"), "it has neither manifest.json"),
        (Vec::new(), "it has neither manifest.json"),
        (only("repositories", b"{}"), "older than 1.10"),
        (only("manifest.json", b"[]"), "it lists no images"),
        (only("index.json", b"{}"), "it lists no images"),
        (
            only("manifest.json", b"{\"a\": 1}"),
            "manifest.json: not a valid document",
        ),
        (
            only("index.json", b"{\"manifests\": 1}"),
            "index.json: not a valid document",
        ),
        (
            only("manifest.json", b"[{\"Config\": \"../c\"}]"),
            "the archive lacks configuration",
        ),
        (only("../manifest.json", b"[]"), "read the image archive"),
        (
            vec![0xfd, b'7', b'z', b'X', b'Z', 0, 0],
            "read the image archive",
        ),
    ] {
        let error = fixture.refused(&bytes).to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    }
    let error = fixture.refused(&docker_archive(json!(["Upper"]), &[base()]));
    assert!(matches!(error, Error::Name(_)), "{error}");
}

#[test]
fn archives_that_are_cut_short_leave_the_store_as_it_was() {
    let fixture = Fixture::new();
    let bytes = docker_archive(json!(["app"]), &[base(), top()]);
    let gzipped = gzip(&bytes);
    for part in 1..8 {
        fixture.refused(&bytes[..bytes.len() * part / 10]);
        fixture.refused(&gzipped[..gzipped.len() * part / 10]);
    }
}

#[test]
fn a_broken_layer_matters_only_if_an_image_needs_it() {
    let fixture = Fixture::new();
    let hostile = Tar::new().file("../x", b"").finish();
    let mut layout = Layout::default();
    let foreign = layout.image(
        &other_platform(),
        std::slice::from_ref(&hostile),
        &[gzip(&hostile)],
    );
    let ours = layout.image(&Platform::host(), &[base()], &[base()]);
    let index = layout.nested(&[foreign, ours]);
    layout.add(index, &[(NAME, "docker.io/library/app:1")]);
    fixture.load(&layout.finish());
    assert_eq!(
        std::fs::read_dir(fixture.root().join("layers"))
            .unwrap()
            .count(),
        1
    );

    let error = fixture.refused(&docker_archive(json!(["bad"]), &[base(), hostile]));
    assert!(matches!(error, Error::Layer { .. }), "{error}");
}

#[test]
fn links_and_indices_in_circles_end() {
    let fixture = Fixture::new();
    let manifest = json!([{ "Config": "c.json", "RepoTags": [], "Layers": ["a"] }]);
    let bytes = Tar::new()
        .file("manifest.json", manifest.to_string().as_bytes())
        .file("c.json", &config(&[base()]))
        .symlink("a", "b")
        .raw(&header(EntryType::Link, b"b", b"a", 0), b"")
        .finish();
    assert!(matches!(fixture.refused(&bytes), Error::Missing(_)));
    let mut layout = Layout::default();
    let mut inner = layout.image(&Platform::host(), &[base()], &[base()]);
    for _ in 0..10 {
        inner = layout.nested(&[inner]);
    }
    layout.add(inner, &[]);
    assert!(matches!(
        fixture.refused(&layout.finish()),
        Error::Invalid { .. }
    ));
}
