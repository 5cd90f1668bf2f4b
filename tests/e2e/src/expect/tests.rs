use std::fs;
use std::path::PathBuf;

use super::*;

/// A case folder with these files, and what a run of it gave.
fn case(files: &[(&str, &str)]) -> (tempfile::TempDir, Case) {
    let dir = tempfile::tempdir().expect("temporary folder");
    fs::write(dir.path().join("cmd"), "true\n").expect("write");
    for (name, text) in files {
        fs::write(dir.path().join(name), text).expect("write");
    }
    let case = Case::read(PathBuf::from(dir.path())).expect("case");
    (dir, case)
}

fn got(code: i32, stdout: &str, stderr: &str) -> Transcript {
    Transcript {
        code,
        stdout: stdout.into(),
        stderr: stderr.into(),
        ..Transcript::default()
    }
}

#[test]
fn the_same_passes() {
    let (_dir, case) = case(&[("stdout", "a\n"), ("code", "3")]);
    assert_eq!(
        compare(&case, &got(3, "a\n", "whatever\n")),
        Vec::<String>::new()
    );
}

#[test]
fn output_that_nobody_mentioned_fails() {
    let (_dir, case) = case(&[]);
    let problems = compare(&case, &got(0, "a\n", ""));
    assert!(problems[0].contains("+a"), "{problems:?}");
}

#[test]
fn each_difference_is_told() {
    let (_dir, case) = case(&[("stdout", "a\nb\n"), ("stderr", "")]);
    let problems = compare(&case, &got(1, "a\nc\n", "oops\n"));
    assert_eq!(problems[0], "exit code: expected 0, got 1");
    assert!(problems[1].contains("-b\n  +c"), "{problems:?}");
    assert!(problems[2].contains("+oops"), "{problems:?}");
    assert_eq!(problems.len(), 3);
}

#[test]
fn interleaved_lines_keep_their_order_within_a_container() {
    let (_dir, case) = case(&[
        ("stdout", "a | 1\na | 2\nb | 1\n"),
        ("options", "interleaved"),
    ]);
    assert!(compare(&case, &got(0, "b | 1\na | 1\na | 2\n", "")).is_empty());
    assert!(!compare(&case, &got(0, "b | 1\na | 2\na | 1\n", "")).is_empty());
}

#[test]
fn unordered_lines_are_counted() {
    let (_dir, case) = case(&[("stdout", "a\nb\nb\n"), ("options", "unordered")]);
    assert!(compare(&case, &got(0, "b\na\nb\n", "")).is_empty());
    assert!(!compare(&case, &got(0, "b\na\n", "")).is_empty());
}

#[test]
fn patterns_have_their_places() {
    let (_dir, case) = case(&[("stderr.contains", "one\n> two\n! three\n")]);
    assert!(compare(&case, &got(0, "", "one\nand two\n")).is_empty());
    assert!(!compare(&case, &got(0, "", "two\none\n")).is_empty());
    assert!(!compare(&case, &got(0, "", "one\ntwo\nthree\n")).is_empty());
}

#[test]
fn what_is_left_behind_and_what_hangs_fails() {
    let (_dir, case) = case(&[]);
    let transcript = Transcript {
        leftover: "process 7: sleep\n".into(),
        ..got(0, "", "")
    };
    assert!(compare(&case, &transcript)[0].contains("process 7"));
    let transcript = Transcript {
        timed_out: true,
        ..got(0, "", "")
    };
    assert!(compare(&case, &transcript)[0].starts_with("not done after 60 s"));
}

#[test]
fn an_update_writes_what_compares_equal() {
    let (dir, before) = case(&[("stdout", "old\n"), ("stderr", "old\n"), ("code", "9\n")]);
    let transcript = got(0, "new\n", "said\n");
    assert!(update(&before, &transcript).is_empty());
    let after = Case::read(dir.path().to_owned()).expect("case");
    assert!(compare(&after, &transcript).is_empty());
    assert!(!dir.path().join("code").exists());
}

#[test]
fn an_update_never_blesses_leftovers() {
    let (dir, case) = case(&[]);
    let transcript = Transcript {
        leftover: "mount /x\n".into(),
        ..got(0, "new\n", "")
    };
    assert_eq!(update(&case, &transcript).len(), 1);
    assert!(!dir.path().join("stdout").exists());
}
