//! Whether `docs/conformance.md` is true: every rule has a row, what a row names exists, and every scenario's rules are
//! rules whose rows say so.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    let text = fs::read_to_string(&path);
    text.unwrap_or_else(|error| format!("{}: {error}", path.display()))
}

/// The files below a directory whose names end so.
fn files(directory: &Path, end: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            files(&path, end, found);
        } else if path.to_string_lossy().ends_with(end) {
            found.push(path);
        }
    }
}

/// Numbers of the rules, in their order.
fn rules() -> Vec<String> {
    let rule = Regex::new(r"(?m)^- (R\d+\.\d+) ").expect("a pattern");
    let text = read("docs/lifecycle-rules.md");
    let found = rule.captures_iter(&text);
    found.map(|found| found[1].to_owned()).collect()
}

/// A row of the page.
struct Row {
    rule: String,
    tests: Vec<String>,
    scenarios: bool,
    status: String,
}

fn rows() -> Vec<Row> {
    let name = Regex::new(r"`([^`]+)`").expect("a pattern");
    let text = read("docs/conformance.md");
    let rows = text.lines().filter(|line| line.starts_with("| R"));
    let rows = rows.map(|line| {
        let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [rule, _, held_by, status] = cells[..] else {
            return Err(line.to_owned());
        };
        let names = name.captures_iter(held_by);
        Ok(Row {
            rule: rule.to_owned(),
            tests: names.map(|found| found[1].to_owned()).collect(),
            scenarios: held_by.split(", ").any(|part| part == "scenarios"),
            status: status.to_owned(),
        })
    });
    let rows: Result<Vec<_>, _> = rows.collect();
    rows.expect("each row has four cells")
}

/// By rule, the scenarios that carry its number.
fn scenarios() -> BTreeMap<String, Vec<String>> {
    let mut paths = Vec::new();
    files(&root().join("tests/lifecycle-cases"), ".yaml", &mut paths);
    let list = Regex::new(r"(?m)^rule: *(\[[^\]]*\]|(?:\n *- .*)+)").expect("a pattern");
    let number = Regex::new(r"R\d+\.\d+").expect("a pattern");
    let mut found = BTreeMap::<String, Vec<String>>::new();
    for path in &paths {
        let text = fs::read_to_string(path).expect("a scenario");
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let list = list.captures(&text).map(|list| list[1].to_owned());
        let list = list.unwrap_or_default();
        assert!(!list.is_empty(), "{name} names no rule");
        for number in number.find_iter(&list) {
            let scenarios = found.entry(number.as_str().to_owned()).or_default();
            scenarios.push(name.clone().into_owned());
        }
    }
    assert!(paths.len() > 100, "only {} scenarios", paths.len());
    found
}

/// Names of all test functions of the workspace, and of the end-to-end cases.
fn tests() -> BTreeSet<String> {
    let mut paths = Vec::new();
    files(&root().join("crates"), ".rs", &mut paths);
    // Also those within `proptest!`, and with further attributes.
    let test = r"#\[(?:tokio::)?test[^\]]*\](?:\s*#\[[^\]]*\])*\s*(?:async )?fn (\w+)";
    let test = Regex::new(test).expect("a pattern");
    let mut found = BTreeSet::new();
    for path in paths {
        let text = fs::read_to_string(path).expect("a source file");
        found.extend(test.captures_iter(&text).map(|found| found[1].to_owned()));
    }
    let cases = fs::read_dir(root().join("tests/e2e/cases")).expect("cases");
    let cases = cases.flatten().map(|case| case.file_name());
    found.extend(cases.map(|case| case.to_string_lossy().into_owned()));
    found
}

#[test]
fn every_rule_has_its_row_in_order() {
    let rows: Vec<_> = rows().into_iter().map(|row| row.rule).collect();
    let rules = rules();
    assert!(rules.len() > 200, "only {} rules", rules.len());
    assert_eq!(rows, rules);
}

#[test]
fn what_a_row_names_exists() {
    let tests = tests();
    for Row {
        rule, tests: named, ..
    } in rows()
    {
        for name in named {
            assert!(tests.contains(&name), "{rule}: there is no test {name}");
        }
    }
}

#[test]
fn no_rule_is_without_a_test_or_a_reason() {
    for row in rows() {
        let held = !row.tests.is_empty() || row.scenarios;
        let reason = row.status.strip_prefix("not: ");
        let plain = row.status.starts_with("held");
        assert!(
            plain || reason.is_some(),
            "{}: status {}",
            row.rule,
            row.status
        );
        // What is left out has a reason, and what holds although no test says so has one, too.
        let told = reason.is_some_and(|why| why.len() > 20) || row.status.len() > 60;
        assert!(held || told, "{}: neither test nor reason", row.rule);
    }
}

#[test]
fn numbers_of_tests_are_those_of_rules() {
    let number = Regex::new(r"^r(\d+)_(\d+)_").expect("a pattern");
    let rules = rules();
    for test in tests() {
        let Some(number) = number.captures(&test) else {
            continue;
        };
        let rule = format!("R{}.{}", &number[1], &number[2]);
        assert!(rules.contains(&rule), "{test}: {rule} is no rule");
    }
}

#[test]
fn every_scenario_is_of_rules_whose_rows_say_so() {
    let scenarios = scenarios();
    for row in rows() {
        let found = scenarios.get(&row.rule);
        assert_eq!(row.scenarios, found.is_some(), "{}: {found:?}", row.rule);
    }
    let rules = rules();
    for (rule, found) in scenarios {
        assert!(rules.contains(&rule), "{rule} of {found:?} is no rule");
    }
}
