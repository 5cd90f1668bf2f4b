//! Following a log while it is written.

use super::*;

/// A reader that follows `log`.
fn follow(place: &Place, log: &Arc<RunLog>, request: LogRequest) -> (LogStream, Recorder) {
    let (output, _) = Output::channel();
    let recorder = Recorder::start(output, Clock::start()).expect("recorder");
    let request = LogRequest {
        follow: true,
        ..request
    };
    let run = ("app".to_owned(), 0);
    let own = Some(Arc::clone(log));
    (read(&recorder, &place.paths, run, own, &request), recorder)
}

async fn next(stream: &mut LogStream) -> String {
    let piece = stream.next().await.expect("more").expect("a piece");
    String::from_utf8(piece).expect("utf-8")
}

#[tokio::test]
async fn each_line_comes_when_it_is_written_and_the_end_with_the_run() {
    let place = Place::new();
    let log = place.begin(SMALL);
    append(&log, Stream::Stdout, b"old\nlast\n");
    let request = LogRequest {
        tail_lines: Some(1),
        ..LogRequest::default()
    };
    let (mut stream, _recorder) = follow(&place, &log, request);
    assert_eq!(next(&mut stream).await, "last\n");
    // Over many files.
    for n in 0..50 {
        let line = format!("line {n}\n");
        append(&log, Stream::Stderr, line.as_bytes());
        assert_eq!(next(&mut stream).await, line);
    }
    append(&log, Stream::Stdout, b"no end");
    log.end(Timestamp::UNIX_EPOCH);
    assert_eq!(rest(&mut stream).await, "no end");
}

#[tokio::test]
async fn a_log_may_be_followed_before_its_first_line() {
    let place = Place::new();
    let log = place.begin(SMALL);
    let (mut stream, _recorder) = follow(&place, &log, LogRequest::default());
    let (first, ()) = tokio::join!(next(&mut stream), async {
        tokio::task::yield_now().await;
        append(&log, Stream::Stdout, b"hello\n");
    });
    assert_eq!(first, "hello\n");
    log.end(Timestamp::UNIX_EPOCH);
    assert_eq!(rest(&mut stream).await, "");
}

#[tokio::test]
async fn who_still_reads_when_the_pod_is_removed_gets_the_rest() {
    let place = Place::new();
    let log = place.begin(SMALL);
    let (mut stream, _recorder) = follow(&place, &log, LogRequest::default());
    append(&log, Stream::Stdout, b"first\n");
    assert_eq!(next(&mut stream).await, "first\n");
    let rest_of_it: String = (0..12).map(|n| format!("line {n}\n")).collect();
    append(&log, Stream::Stdout, rest_of_it.as_bytes());
    log.end(Timestamp::UNIX_EPOCH);
    assert!(place.contents().len() > 2);
    std::fs::remove_dir_all(&place.paths.dir).expect("remove");
    assert_eq!(rest(&mut stream).await, rest_of_it);
}

#[tokio::test]
async fn one_that_is_too_slow_is_told_what_it_missed() {
    let place = Place::new();
    let log = place.begin(SMALL);
    append(&log, Stream::Stdout, b"first\n");
    let (mut stream, _recorder) = follow(&place, &log, LogRequest::default());
    assert_eq!(next(&mut stream).await, "first\n");
    // It holds the first file and does not look again until all is written.
    for n in 100..150 {
        append(&log, Stream::Stdout, format!("n {n}\n").as_bytes());
    }
    log.end(Timestamp::UNIX_EPOCH);
    let text = rest(&mut stream).await;
    let (before, after) = text.split_once("[pillion: ").expect("a remark");
    assert_eq!(before.lines().next(), Some("n 100"));
    assert!(
        after.contains("removed before they were read here]\nn "),
        "{after}"
    );
    assert!(after.ends_with("n 148\nn 149\n"));
}

#[tokio::test]
async fn who_does_not_want_it_any_more_ends_the_reading() {
    let place = Place::new();
    let log = place.begin(SMALL);
    let (stream, recorder) = follow(&place, &log, LogRequest::default());
    let readers = Arc::strong_count(&log);
    drop(stream);
    drop(recorder);
    while Arc::strong_count(&log) > 1 {
        assert!(Arc::strong_count(&log) <= readers);
        tokio::task::yield_now().await;
    }
}
