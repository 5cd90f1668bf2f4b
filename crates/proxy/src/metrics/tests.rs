use super::*;

const DOCS: &str = include_str!("../../../../docs/proxy.md");

#[test]
fn exchanges_are_counted_by_names_and_status() {
    let metrics = Metrics::new(1, Some(1000));
    let took = Duration::from_millis(2);
    metrics
        .exchange("web", "r", "app", 200)
        .finished(took, 5, 7);
    metrics
        .exchange("web", "r", "app", 200)
        .finished(took, 0, 1);
    metrics
        .exchange("web", "r", "app", 502)
        .finished(took, 0, 0);
    metrics.failed("web", "backend_closed");
    let text = metrics.text();
    for line in [
        "pillion_proxy_requests_total{listener=\"web\",route=\"r\",backend=\"app\",code=\"200\"} 2",
        "pillion_proxy_requests_total{listener=\"web\",route=\"r\",backend=\"app\",code=\"502\"} 1",
        "pillion_proxy_request_duration_seconds_count{listener=\"web\",route=\"r\",backend=\"app\"} 3",
        "pillion_proxy_request_body_bytes_total{listener=\"web\",route=\"r\",backend=\"app\"} 5",
        "pillion_proxy_response_body_bytes_total{listener=\"web\",route=\"r\",backend=\"app\"} 8",
        "pillion_proxy_failures_total{listener=\"web\",reason=\"backend_closed\"} 1",
        "pillion_proxy_memory_ceiling_bytes 1000",
    ] {
        assert!(text.lines().any(|other| other == line), "{line}\n{text}");
    }
}

#[test]
fn what_is_counted_is_documented() {
    let metrics = Metrics::new(1, None);
    metrics
        .exchange("l", "r", "b", 200)
        .finished(Duration::ZERO, 1, 1);
    metrics.failed("l", "internal");
    metrics.shaken("l", "ok");
    let (accepted, _) = metrics.connections("a");
    accepted.inc();
    metrics.reloaded(true);
    let text = metrics.text();
    let names = text.lines().filter_map(|line| {
        let mut words = line.strip_prefix("# TYPE ")?.split(' ');
        let (name, kind) = (words.next()?, words.next()?);
        Some(if kind == "counter" {
            format!("{name}_total")
        } else {
            name.to_owned()
        })
    });
    let names: Vec<String> = names.collect();
    assert!(names.len() >= 15, "{names:?}");
    for name in names {
        assert!(DOCS.contains(&format!("| `{name}` |")), "{name}");
    }
}

#[test]
fn fields_of_the_access_log_are_documented() {
    for (name, meaning) in crate::access_log::Field::MEANINGS {
        assert!(
            DOCS.contains(&format!("| `{name}` | {meaning} |")),
            "{name}"
        );
    }
}
