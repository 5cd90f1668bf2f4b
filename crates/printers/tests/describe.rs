//! Compares `describe`, `events`, `top` and the printing of tables with kubectl's own answers, recorded in
//! `kubectl/describe.json` by `kubectl/record_describe.py`.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail loudly, too")]

use jiff::tz::TimeZone;
use lifecycle::Time;
use manifest::core::v1::{Event, Pod};
use pillion_printers::describe::{self, Context};
use pillion_printers::events::{self, EventPrinter};
use pillion_printers::table::{Options, Table, TablePrinter};
use pillion_printers::top::{self, PodMetrics, Resource};
use serde::de::DeserializeOwned;
use serde_json::Value;

fn read<T: DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

/// Compares all cases of a form with what is printed here.
fn compare(form: &str, least: usize, print: impl Fn(&Value, &[&str], Time) -> String) {
    let table: Value = serde_json::from_str(include_str!("kubectl/describe.json")).unwrap();
    let now = Time::from_secs(table["now"].as_i64().unwrap());
    let cases = table["cases"].as_array().unwrap().iter();
    let cases = cases
        .filter(|case| case["form"] == form)
        .collect::<Vec<_>>();
    assert!(
        cases.len() >= least,
        "the table is cut short: {} cases",
        cases.len()
    );
    for case in cases {
        assert_eq!(case["code"], 0, "{}", case["stderr"]);
        let arguments = case["arguments"].as_array().unwrap();
        let arguments = arguments
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>();
        let here = print(case, &arguments, now);
        let expected = case["stdout"].as_str().unwrap();
        assert!(
            here == expected,
            "{arguments:?}\n--- kubectl\n{expected}\n--- here\n{here}\n{}",
            first_difference(expected, &here)
        );
    }
}

fn first_difference(expected: &str, here: &str) -> String {
    let pairs = expected.lines().zip(here.lines());
    let mut pairs = pairs.skip_while(|(expected, here)| expected == here);
    format!("{:?}", pairs.next())
}

#[test]
fn pods_are_described_as_by_kubectl() {
    compare("describe", 13, |case, _, now| {
        let context = Context {
            now,
            zone: TimeZone::UTC,
        };
        let events: Option<Vec<Event>> = read(&case["events"]);
        describe::pod(&read::<Pod>(&case["pod"]), events, &context)
    });
}

/// What is newer than the kubectl that was recorded, and older than 1.36.
#[test]
fn ports_and_events_have_names() {
    let pod: Pod = read(&serde_json::json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [
            {"name": "c", "ports": [{"containerPort": 80, "name": "http"}, {"containerPort": 53, "protocol": "UDP"}]},
        ]},
    }));
    let text = describe::pod(
        &pod,
        None,
        &Context {
            now: Time(0),
            zone: TimeZone::UTC,
        },
    );
    assert!(
        text.contains("    Ports:        80/TCP (http), 53/UDP\n"),
        "{text}"
    );
    assert!(
        text.contains("    Host Ports:   0/TCP (http), 0/UDP\n"),
        "{text}"
    );

    let event: Event = read(&serde_json::json!({
        "apiVersion": "v1", "kind": "Event", "metadata": {}, "type": "Normal", "reason": "Started", "message": "Started container app\n",
        "involvedObject": {"fieldPath": "spec.containers{app}"}, "reportingComponent": "pillion", "reportingInstance": "",
    }));
    let context = Context {
        now: Time(0),
        zone: TimeZone::UTC,
    };
    let text = describe::pod(&Pod::default(), Some(vec![event]), &context);
    assert_eq!(
        text.lines().last(),
        Some("  Normal  Started  <unknown>  pillion  spec.containers{app}: Started container app")
    );
}

#[test]
fn moments_are_written_in_the_zone_of_the_reader() {
    let pod: Pod = read(&serde_json::json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": []}, "status": {"startTime": "2024-01-02T23:04:05Z"},
    }));
    let zone = TimeZone::fixed(jiff::tz::offset(2));
    let text = describe::pod(&pod, None, &Context { now: Time(0), zone });
    assert!(
        text.contains("Start Time:   Wed, 03 Jan 2024 01:04:05 +0200\n"),
        "{text}"
    );
}

#[test]
fn events_are_printed_as_by_kubectl() {
    compare("events", 4, |case, arguments, now| {
        let mut events: Vec<Event> = read(&case["events"]);
        if arguments.contains(&"--types=Warning") {
            events.retain(|event| event.type_.as_deref() == Some("Warning"));
        }
        events::sort(&mut events);
        EventPrinter::new(
            arguments.contains(&"--no-headers"),
            arguments.contains(&"-A"),
        )
        .print(&events, now)
    });
}

#[test]
fn metrics_are_printed_as_by_kubectl() {
    compare("top", 10, |case, arguments, _| {
        let metrics: Vec<PodMetrics> = read(&case["metrics"]);
        let sort_by = arguments.iter().find_map(|argument| match *argument {
            "--sort-by=cpu" => Some(Resource::Cpu),
            "--sort-by=memory" => Some(Resource::Memory),
            _ => None,
        });
        let options = top::Options {
            containers: arguments.contains(&"--containers"),
            with_namespace: arguments.contains(&"-A"),
            no_headers: arguments.contains(&"--no-headers"),
            sum: arguments.contains(&"--sum"),
            sort_by,
        };
        top::print(metrics, options)
    });
}

fn options(arguments: &[&str]) -> Options {
    let labels = arguments.iter().position(|argument| *argument == "-L");
    let labels = labels.map(|at| arguments[at + 1].split(',').map(str::to_owned).collect());
    Options {
        wide: arguments.contains(&"wide"),
        no_headers: arguments.contains(&"--no-headers"),
        with_namespace: arguments.contains(&"-A"),
        show_labels: arguments.contains(&"--show-labels"),
        label_columns: labels.unwrap_or_default(),
        kind: None,
    }
}

#[test]
fn tables_are_printed_as_by_kubectl() {
    compare("get", 28, |case, arguments, _| {
        TablePrinter::new(options(arguments)).print(&read::<Table>(&case["table"]), None)
    });
}

#[test]
fn watches_are_printed_as_by_kubectl() {
    compare("watch", 6, |case, arguments, _| {
        let mut printer = TablePrinter::new(options(arguments));
        let typed = arguments.contains(&"--output-watch-events");
        let mut text = printer.print(&read::<Table>(&case["table"]), typed.then_some("ADDED"));
        for event in case["watched"].as_array().unwrap() {
            let kind = event["type"].as_str().unwrap();
            text += &printer.print(&read::<Table>(&event["object"]), typed.then_some(kind));
        }
        text
    });
}
