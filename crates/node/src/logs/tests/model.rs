//! What is read is what a simple model of a log says.

use proptest::prelude::*;

use super::*;
use crate::logs::cri::{Stamp, pieces};

/// A piece of output as it was recorded.
#[derive(Clone, Debug)]
struct Piece {
    second: i64,
    stream: Stream,
    text: String,
}

fn stream() -> impl Strategy<Value = Stream> {
    prop_oneof![Just(Stream::Stdout), Just(Stream::Stderr)]
}

/// Output of both streams in lines, empty lines and pieces of lines, in the order of time.
fn output() -> impl Strategy<Value = Vec<Piece>> {
    let text = prop_oneof!["[a-c]{0,12}\n", "[a-c]{1,12}", "([a-c]{0,3}\n){1,9}"];
    let piece = (0..3i64, stream(), text);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| {
        let mut second = 0;
        let mut timed = Vec::new();
        for (later, stream, text) in pieces {
            second += later;
            timed.push(Piece {
                second,
                stream,
                text,
            });
        }
        timed
    })
}

fn wanted() -> impl Strategy<Value = Wanted> {
    (
        prop::option::of(0..20u64),
        prop::option::of(0..60i64),
        any::<bool>(),
        prop::option::of(0..400u64),
        prop::option::of(stream()),
    )
        .prop_map(
            |(tail_lines, since, timestamps, limit_bytes, stream)| Wanted {
                tail_lines,
                since: since.map(stamp),
                timestamps,
                limit_bytes,
                stream,
            },
        )
}

fn stamp(second: i64) -> Stamp {
    Stamp::new(Timestamp::from_second(second).expect("a time"))
}

fn expected(output: &[Piece], wanted: &Wanted) -> String {
    let of_stream = |piece: &&Piece| wanted.stream.is_none_or(|stream| stream == piece.stream);
    // One record a line or piece of one.
    let records: Vec<(i64, String)> = output
        .iter()
        .filter(of_stream)
        .flat_map(|piece| {
            let texts = pieces(piece.text.as_bytes());
            texts.map(|text| (piece.second, String::from_utf8_lossy(text).into_owned()))
        })
        .collect();
    // The tail: as many of the last records as make so many lines.
    let lines = |records: &[(i64, String)]| {
        let all: String = records.iter().map(|(_, text)| text.as_str()).collect();
        all.lines().count() as u64
    };
    let most = wanted.tail_lines.unwrap_or(u64::MAX);
    let ends_line = |at: usize| at == 0 || records[at - 1].1.ends_with('\n');
    let start = (0..=records.len())
        .find(|at| (ends_line(*at) || *at == records.len()) && lines(&records[*at..]) <= most)
        .unwrap_or(records.len());
    let mut out = String::new();
    let mut begins_line = true;
    for (second, text) in &records[start..] {
        if wanted.since.is_none_or(|since| stamp(*second) >= since) {
            if wanted.timestamps && begins_line {
                out.push_str(&String::from_utf8_lossy(stamp(*second).as_bytes()));
                out.push(' ');
            }
            out.push_str(text);
        }
        begins_line = text.ends_with('\n');
    }
    let limit = wanted.limit_bytes.unwrap_or(u64::MAX);
    out.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    out
}

fn write(log: &RunLog, output: &[Piece]) {
    for piece in output {
        let time = piece.second * 1_000_000_000;
        append_at(log, time, piece.stream, piece.text.as_bytes());
    }
}

proptest! {
    #[test]
    fn what_was_asked_for_and_nothing_else(output in output(), wanted in wanted(), max_size in 60..900u64) {
        let place = Place::new();
        let rotation = LogRotation { max_size, max_files: 1000 };
        let log = place.begin(rotation);
        write(&log, &output);
        let expected = expected(&output, &wanted);
        for source in [Source::Own(log), Source::Files(place.files())] {
            let read = read_now(source, &wanted);
            prop_assert_eq!(String::from_utf8_lossy(&read), expected.as_str());
        }
    }

    #[test]
    fn following_gives_the_same_as_coming_late(
        output in output(),
        wanted in wanted(),
        max_size in 60..900u64,
        cuts in prop::collection::vec(0..40usize, 0..5),
    ) {
        let place = Place::new();
        let rotation = LogRotation { max_size, max_files: 1000 };
        let log = place.begin(rotation);
        let wanted = Wanted { tail_lines: None, ..wanted };
        let (mut cursor, _) = Cursor::open(Source::Own(Arc::clone(&log)), &wanted).expect("open");
        let mut progress = log.progress();
        let mut all = Vec::new();
        let mut read = |progress: Progress| loop {
            let (bytes, then) = cursor.read(progress).expect("read");
            all.extend(bytes);
            if then != Then::More {
                return then;
            }
        };
        for (at, piece) in output.iter().enumerate() {
            if cuts.contains(&at) {
                read(*progress.borrow_and_update());
            }
            write(&log, std::slice::from_ref(piece));
        }
        log.end(Timestamp::UNIX_EPOCH);
        let then = read(*progress.borrow_and_update());
        prop_assert_eq!(then, Then::End);
        let late = read_now(Source::Files(place.files()), &wanted);
        prop_assert_eq!(String::from_utf8_lossy(&all), String::from_utf8_lossy(&late));
    }
}
