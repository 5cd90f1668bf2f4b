use std::fs;
use std::os::unix::fs::symlink;

use serde_json::json;

use super::*;

#[test]
fn a_value_stands_in_single_quotes() {
    let text =
        "# a comment\n\n  A='1 $B \\n'  # kept\nB='two\n  lines'\nC= 'unset'\nD=''\nA='later'\n";
    for (key, value) in [
        ("A", Some("1 $B \\n")),
        ("B", Some("two\n  lines")),
        ("C", Some("")),
        ("D", Some("")),
        ("E", None),
        ("  A", None),
    ] {
        assert_eq!(find(text, key).unwrap().as_deref(), value, "{key}");
    }
}

#[test]
fn faults_are_told_with_their_line() {
    for (text, fault) in [
        ("A", "at line 1: missing '='"),
        ("#\n='x'", "at line 2: empty variable name"),
        ("A ='x'", "at line 1: whitespace before '=' is not allowed"),
        ("A=x", "at line 1: value must be enclosed in single quotes"),
        (
            "A=\"x\"",
            "at line 1: value must be enclosed in single quotes",
        ),
        (
            "A='x\ny' z",
            "at line 2: unexpected content after closing quote",
        ),
        ("\nA='x\ny", "starting at line 2: unclosed single quote"),
    ] {
        let found = find(text, "KEY").unwrap_err().to_string();
        assert_eq!(
            found,
            format!("invalid environment variable format {fault}")
        );
    }
    // Behind what is looked for nothing matters.
    assert_eq!(find("A='x'\nB", "A"), Ok(Some("x".to_owned())));
}

/// What a Pod reads that mounts the volume `config`, which holds these files.
fn read_from(fill: impl Fn(&Path), selector: &serde_json::Value) -> Result<Option<String>, String> {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("volume");
    fs::create_dir(&root).unwrap();
    fs::write(dir.path().join("outside"), "K='outside'").unwrap();
    fill(&root);
    let pod: Pod = serde_json::from_value(json!({
        "metadata": {"name": "pod"},
        "spec": {
            "initContainers": [{"name": "i", "volumeMounts": [{"name": "config", "mountPath": "/data"}]}],
            "containers": [{"name": "c"}]
        }
    }))
    .unwrap();
    let prepared = |name: &str| (name.to_owned(), Prepared::Path(root.clone()));
    let volumes = Volumes::from([prepared("config"), prepared("unmounted")]);
    let files = Files {
        volumes: &volumes,
        sandbox: None,
    };
    let selector = serde_json::from_value(selector.clone()).unwrap();
    value(&pod, files, &selector)
        .map_err(|error| error.to_string().replace(root.to_str().unwrap(), "ROOT"))
}

fn selector(path: &str) -> serde_json::Value {
    json!({"volumeName": "config", "path": path, "key": "K"})
}

#[test]
fn r19_9_a_key_of_a_file_in_a_mounted_volume() {
    let file = |text: &'static str| move |root: &Path| fs::write(root.join("env"), text).unwrap();
    let mut optional = selector("env");
    optional["optional"] = true.into();

    assert_eq!(
        read_from(file("K='v'"), &selector("env")),
        Ok(Some("v".into()))
    );
    for nothing in ["J='v'", "K=''", ""] {
        let missing = "environment variable key \"K\" not found in file \"ROOT/env\"";
        assert_eq!(
            read_from(file(nothing), &selector("env")),
            Err(missing.into())
        );
        assert_eq!(read_from(file(nothing), &optional), Ok(None), "{nothing}");
    }
    // The file itself is never optional.
    let unreadable = "couldn't parse env file: ROOT/env: ";
    for found in [
        read_from(file("K=v"), &optional),
        read_from(|_| (), &optional),
    ] {
        let error = found.unwrap_err();
        assert!(error.starts_with(unreadable), "{error}");
    }
    for volume in ["unmounted", "unknown"] {
        let mut other = selector("env");
        other["volumeName"] = volume.into();
        let missing = format!("cannot find the volume {volume:?} referenced by FileKeyRef");
        assert_eq!(read_from(file("K='v'"), &other), Err(missing));
    }
}

#[test]
fn nothing_leads_out_of_the_volume_or_holds_the_runner_up() {
    let out = |root: &Path| symlink("../outside", root.join("env")).unwrap();
    assert!(read_from(out, &selector("env")).is_err());
    let pipe = |root: &Path| {
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(
            rustix::fs::CWD,
            root.join("env"),
            rustix::fs::FileType::Fifo,
            mode,
            0,
        )
        .unwrap();
    };
    let error = read_from(pipe, &selector("env")).unwrap_err();
    assert!(error.ends_with(": not a file"), "{error}");
    let huge = |root: &Path| {
        let file = File::create(root.join("env")).unwrap();
        file.set_len(1 << 40).unwrap();
    };
    let error = read_from(huge, &selector("env")).unwrap_err();
    assert!(error.ends_with(": more than 1 MiB"), "{error}");
}
