use lifecycle::Time;
use manifest::core::v1::{Event, Pod};
use serde_json::json;

use super::*;

fn pod(name: &str, labels: serde_json::Value) -> Pod {
    serde_json::from_value(json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": "ns", "creationTimestamp": "1970-01-01T00:00:10Z", "labels": labels},
        "spec": {"containers": [{"name": "app"}], "nodeName": "here", "readinessGates": [{"conditionType": "x"}]},
        "status": {"phase": "Running", "podIPs": [{"ip": "10.0.0.2"}], "containerStatuses": [{
            "name": "app", "ready": true, "restartCount": 1, "image": "i", "imageID": "",
            "state": {"running": {}}, "lastState": {"terminated": {"exitCode": 1, "finishedAt": "1970-01-01T00:01:00Z"}},
        }]},
    }))
    .unwrap()
}

fn now() -> Time {
    Time::from_secs(100)
}

#[test]
fn pods_as_text() {
    let pods = [
        pod("a", json!({"app": "web", "x/tier": "1"})),
        pod("much-longer", json!({})),
    ];
    let table = pods::table(&pods, IncludeObject::Metadata, now());
    let print = |options| TablePrinter::new(options).print(&table, None);
    assert_eq!(
        print(Options::default()),
        "NAME          READY   STATUS    RESTARTS      AGE\n\
         a             1/1     Running   1 (40s ago)   90s\n\
         much-longer   1/1     Running   1 (40s ago)   90s\n"
    );
    let options = Options {
        wide: true,
        no_headers: true,
        with_namespace: true,
        kind: Some("pod".to_owned()),
        ..Options::default()
    };
    assert_eq!(
        print(options),
        "ns    pod/a             1/1   Running   1 (40s ago)   90s   10.0.0.2   here   <none>   0/1\n\
         ns    pod/much-longer   1/1   Running   1 (40s ago)   90s   10.0.0.2   here   <none>   0/1\n"
    );
    let options = Options {
        show_labels: true,
        label_columns: vec!["x/tier".to_owned()],
        ..Options::default()
    };
    assert_eq!(
        print(options),
        "NAME          READY   STATUS    RESTARTS      AGE   TIER   LABELS\n\
         a             1/1     Running   1 (40s ago)   90s   1      app=web,x/tier=1\n\
         much-longer   1/1     Running   1 (40s ago)   90s          <none>\n"
    );
}

#[test]
fn a_watch_prints_headings_once_and_widens() {
    let mut printer = TablePrinter::new(Options::default());
    let mut event = |pod: Pod, first: bool| {
        let mut table = pods::table([&pod], IncludeObject::Metadata, now());
        if !first {
            table.column_definitions.clear();
        }
        printer.print(&table, Some("ADDED"))
    };
    assert_eq!(
        event(pod("a", json!({})), true),
        "EVENT      NAME   READY   STATUS    RESTARTS      AGE\n\
         ADDED      a      1/1     Running   1 (40s ago)   90s\n"
    );
    let longer = event(pod("much-longer", json!({})), false);
    assert_eq!(
        longer,
        "ADDED      much-longer   1/1     Running   1 (40s ago)   90s\n"
    );
    let again = event(pod("b", json!({})), false);
    assert_eq!(
        again,
        "ADDED      b             1/1     Running   1 (40s ago)   90s\n"
    );
}

#[test]
fn events_as_text() {
    let event: Event = serde_json::from_value(json!({
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": "a.1"},
        "involvedObject": {"kind": "Pod", "name": "a", "fieldPath": "spec.containers{app}"},
        "reason": "BackOff", "message": "Back-off\u{1b}\nrestarting ", "type": "Warning", "count": 3,
        "firstTimestamp": "1970-01-01T00:00:10Z", "lastTimestamp": "1970-01-01T00:01:30Z",
        "source": {"component": "pillion"}, "reportingComponent": "", "reportingInstance": "here",
    }))
    .unwrap();
    let table = events::table([&event], IncludeObject::None, now());
    let options = Options {
        wide: true,
        ..Options::default()
    };
    assert_eq!(
        TablePrinter::new(options).print(&table, None),
        "LAST SEEN   TYPE      REASON    OBJECT   SUBOBJECT              SOURCE          MESSAGE         FIRST SEEN   COUNT   NAME\n\
         10s         Warning   BackOff   pod/a    spec.containers{app}   pillion, here   Back-off^[...   90s          3       a.1\n"
    );
}

#[test]
fn the_wire_form() {
    let mut table = pods::table([&pod("a", json!({}))], IncludeObject::Metadata, now());
    table.metadata.resource_version = "7".to_owned();
    let wire = serde_json::to_value(&table).unwrap();
    assert_eq!(wire["metadata"], json!({"resourceVersion": "7"}));
    assert_eq!(wire["columnDefinitions"][0]["format"], "name");
    assert_eq!(wire["rows"][0]["object"]["kind"], "PartialObjectMetadata");
    assert_eq!(serde_json::from_value::<Table>(wire).unwrap(), table);
    let empty: Table =
        serde_json::from_str(r#"{"kind":"Table","columnDefinitions":null,"rows":null}"#).unwrap();
    assert!(empty.rows.is_empty());
}
