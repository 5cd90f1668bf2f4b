use std::sync::mpsc;

use super::*;
use crate::message::{RequestHead, Version};
use crate::reason::{Failure, Reason};
use crate::transport::Facts;

/// What a log gets.
struct Lines(mpsc::Sender<Vec<u8>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let _ = self.0.send(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn written(config: &config::AccessLog, status: u16) -> String {
    let (sender, lines) = mpsc::channel();
    let (log, writer) = sidecar_kit::log::start(Lines(sender)).expect("a thread");
    let access_log = AccessLog::new(log, config);
    let mut request = RequestHead::new(b"GET", b"/a?b=c", Version::Http11).expect("a request");
    let headers = request.headers_mut();
    headers
        .append("User-Agent", b"a \"b\" \xff")
        .expect("a field");
    let failure = Failure::new(Reason::BackendTimeout, "no head for 60s");
    let client = Facts {
        peer: Some("[::ffff:10.0.0.1]:4000".parse().expect("an address")),
        ..Facts::default()
    };
    let record = Record {
        request: Some(&request),
        client: &client,
        status,
        received: 1,
        sent: 22,
        took: Duration::from_micros(60_001_234),
        replayed: true,
        failure: Some(&failure),
    };
    let line = Line {
        time: jiff::Timestamp::UNIX_EPOCH,
        record: Some(&record),
        scheme: "https",
        host: b"example.com",
        path: b"/a",
        query: Some(b"b=c"),
        listener: "web",
        route: Some("r"),
        rule: None,
        backend: Some("app"),
    };
    access_log.write(&line, &mut Vec::new());
    assert!(writer.close(Duration::from_secs(60)));
    String::from_utf8(lines.iter().flatten().collect()).expect("text")
}

fn settings(format: AccessLogFormat, template: &str) -> config::AccessLog {
    config::AccessLog {
        format,
        template: template.to_owned(),
        fields: Vec::new(),
        statuses: Vec::new(),
    }
}

#[test]
fn json() {
    let mut config = settings(AccessLogFormat::Json, "");
    config.fields = vec![(
        "own".to_owned(),
        "<%{request.header.user-agent}>".to_owned(),
    )];
    assert_eq!(
        written(&config, 504),
        "{\"time\":\"1970-01-01T00:00:00.000Z\",\"client\":\"10.0.0.1\",\"method\":\"GET\",\"scheme\":\"https\",\
         \"host\":\"example.com\",\"path\":\"/a\",\"query\":\"b=c\",\"protocol\":\"HTTP/1.1\",\"status\":504,\
         \"received\":1,\"sent\":22,\"durationMs\":60001.234,\"listener\":\"web\",\"route\":\"r\",\
         \"backend\":\"app\",\"userAgent\":\"a \\\"b\\\" \u{fffd}\",\"replayed\":true,\
         \"reason\":\"backend_timeout\",\"detail\":\"no head for 60s\",\"own\":\"<a \\\"b\\\" \u{fffd}>\"}\n"
    );
}

#[test]
fn a_template() {
    let template = "%{client} \"%{method} %{path}\" %{status} 100%% %{rule} \
                    \"%{request.header.User-Agent}\" %{request.header.none} %{durationMs}";
    assert_eq!(
        written(&settings(AccessLogFormat::Template, template), 200),
        "10.0.0.1 \"GET /a\" 200 100% - \"a \\\"b\\\" \\xFF\" - 60001.234\n"
    );
}

#[test]
fn only_some_statuses_and_none() {
    let mut config = settings(AccessLogFormat::Template, "%{status}");
    config.statuses = vec![StatusSet::Class(5)];
    assert_eq!(written(&config, 504), "504\n");
    assert_eq!(written(&config, 200), "");
    assert_eq!(written(&settings(AccessLogFormat::None, ""), 200), "");
}

#[test]
fn templates_that_are_none() {
    for (text, part) in [
        ("%{statis}", "no such field"),
        ("100%", "behind `%`"),
        ("%{status", "behind `%`"),
        ("%{response.header.X}", "not logged yet"),
    ] {
        let fault = Template::parse(text).expect_err(text);
        assert!(fault.contains(part), "{fault}");
    }
}
