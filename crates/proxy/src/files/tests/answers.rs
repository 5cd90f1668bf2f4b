//! What responses about a file say, and under which conditions there is one.

use super::*;

#[tokio::test]
async fn a_file_says_what_it_is() {
    let mut site = Site::new();
    site.write("a.html", "hello").write("picture", "?");
    site.configured.cache_control = Some("public, max-age=60".to_owned());
    let reply = site.get("/a.html").await;
    assert_eq!((reply.status, reply.text().as_str()), (200, "hello"));
    for (name, value) in [
        ("Content-Type", "text/html; charset=utf-8"),
        ("Last-Modified", CHANGED_DATE),
        ("Cache-Control", "public, max-age=60"),
        ("X-Content-Type-Options", "nosniff"),
        ("Accept-Ranges", "bytes"),
        ("ETag", "\"5-65937d25.0\""),
        ("Vary", "Accept-Encoding"),
        ("Content-Encoding", ""),
    ] {
        assert_eq!(reply.field(name), value, "{name}");
    }
    assert!(reply.field("Date").ends_with(" GMT"));
    let reply = site.get("/picture").await;
    assert_eq!(reply.field("Content-Type"), "application/octet-stream");
    // Not of what is no file.
    let none = site.get("/none").await;
    assert_eq!(none.field("Cache-Control"), "");
    assert_eq!(none.field("X-Content-Type-Options"), "nosniff");
}

/// As a ResponseHeaderModifier does.
struct Marked;

impl EditResponse for Marked {
    fn edit(&self, head: &mut crate::message::ResponseHead) {
        head.headers_mut().set("X-Marked", b"yes").unwrap();
    }
}

#[tokio::test]
async fn edits_are_made_to_each_answer() {
    let site = Site::new();
    site.write("a", "a");
    for (method, path) in [
        ("GET", "/a"),
        ("GET", "/none"),
        ("GET", "/%00"),
        ("PUT", "/a"),
    ] {
        let head = RequestHead::new(method.as_bytes(), path.as_bytes(), Version::Http11).unwrap();
        let edits: Rc<dyn EditResponse> = Rc::new(Marked);
        let decision = site
            .files()
            .decide(&head, path.as_bytes(), path, Some(edits));
        let reply = read(answered(decision).await).await;
        assert_eq!(reply.field("X-Marked"), "yes", "{method} {path}");
    }
}

#[tokio::test]
async fn other_methods_are_not_allowed() {
    let site = Site::new();
    site.write("a", "a");
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "get"] {
        for path in ["/a", "/none"] {
            let reply = site.ask(method, path, &[]).await;
            let allow = reply.field("Allow");
            assert_eq!((reply.status, allow), (405, "GET, HEAD"), "{method}");
        }
    }
}

const EARLIER: &str = "Tue, 02 Jan 2024 03:04:04 GMT";
const LATER: &str = "Tue, 02 Jan 2024 03:04:06 GMT";

/// Fields, of which TAG, WEAK and LISTED stand for the file's tag, and the status.
const CONDITIONS: &[(&[(&str, &str)], u16)] = &[
    (&[("If-Match", "TAG")], 200),
    (&[("If-Match", "LISTED")], 200),
    (&[("If-Match", "*")], 200),
    (&[("If-Match", "WEAK")], 412),
    (&[("If-Match", "\"x\"")], 412),
    (&[("If-Match", "x")], 412),
    (&[("If-Match", "")], 412),
    (&[("If-None-Match", "TAG")], 304),
    (&[("If-None-Match", "WEAK")], 304),
    (&[("If-None-Match", "LISTED")], 304),
    (&[("If-None-Match", "\"x\""), ("If-None-Match", "TAG")], 304),
    (&[("If-None-Match", "*")], 304),
    (&[("If-None-Match", "\"x,y\", W/\"z\"")], 200),
    (&[("If-None-Match", "not a tag")], 200),
    (&[("If-Modified-Since", CHANGED_DATE)], 304),
    (&[("If-Modified-Since", LATER)], 304),
    (&[("If-Modified-Since", EARLIER)], 200),
    (
        &[("If-Modified-Since", "Tuesday, 02-Jan-24 03:04:05 GMT")],
        304,
    ),
    (&[("If-Modified-Since", "Tue Jan  2 03:04:05 2024")], 304),
    (&[("If-Modified-Since", "yesterday")], 200),
    (
        &[("If-Modified-Since", LATER), ("If-Modified-Since", LATER)],
        200,
    ),
    (&[("If-Unmodified-Since", CHANGED_DATE)], 200),
    (&[("If-Unmodified-Since", LATER)], 200),
    (&[("If-Unmodified-Since", EARLIER)], 412),
    (&[("If-Unmodified-Since", "yesterday")], 200),
    // Tags go before dates.
    (
        &[("If-Match", "TAG"), ("If-Unmodified-Since", EARLIER)],
        200,
    ),
    (
        &[("If-Match", "\"x\""), ("If-Unmodified-Since", LATER)],
        412,
    ),
    (
        &[("If-None-Match", "\"x\""), ("If-Modified-Since", LATER)],
        200,
    ),
    (
        &[("If-None-Match", "TAG"), ("If-Modified-Since", EARLIER)],
        304,
    ),
    // What must hold goes before what saves a transfer.
    (&[("If-Match", "\"x\""), ("If-None-Match", "TAG")], 412),
    (&[("If-Match", "TAG"), ("If-None-Match", "TAG")], 304),
    (
        &[("If-Unmodified-Since", EARLIER), ("If-None-Match", "TAG")],
        412,
    ),
    // Parts come last.
    (&[("Range", "bytes=0-1")], 206),
    (&[("Range", "bytes=0-1"), ("Range", "bytes=2-3")], 200),
    (&[("Range", "bytes=0-1"), ("If-None-Match", "TAG")], 304),
    (&[("Range", "bytes=99-"), ("If-None-Match", "TAG")], 304),
    (&[("Range", "bytes=99-"), ("If-Match", "\"x\"")], 412),
    (&[("Range", "bytes=99-")], 416),
    (&[("Range", "bytes=0-1"), ("If-Range", "TAG")], 206),
    (&[("Range", "bytes=0-1"), ("If-Range", "WEAK")], 200),
    (&[("Range", "bytes=0-1"), ("If-Range", "\"x\"")], 200),
    (&[("Range", "bytes=99-"), ("If-Range", "\"x\"")], 200),
    (&[("Range", "bytes=0-1"), ("If-Range", CHANGED_DATE)], 206),
    (&[("Range", "bytes=0-1"), ("If-Range", LATER)], 200),
    (&[("Range", "bytes=0-1"), ("If-Range", "x")], 200),
    (
        &[
            ("Range", "bytes=0-1"),
            ("If-Match", "TAG"),
            ("If-Range", "TAG"),
        ],
        206,
    ),
    (&[("If-Range", "\"x\"")], 200),
];

#[tokio::test]
async fn the_order_of_preconditions_is_that_of_the_rfc() {
    let site = Site::new();
    site.write("a", "0123456789");
    let tag = site.get("/a").await.field("ETag").to_owned();
    let (weak, listed) = (format!("W/{tag}"), format!("\"x\", {tag}"));
    for (fields, status) in CONDITIONS {
        let real = |(name, value): &(&'static str, &'static str)| {
            let value = match *value {
                "TAG" => &tag,
                "WEAK" => &weak,
                "LISTED" => &listed,
                other => other,
            };
            (*name, value.to_owned())
        };
        let real: Vec<(&str, String)> = fields.iter().map(real).collect();
        let real: Vec<(&str, &str)> = real.iter().map(|(name, value)| (*name, &**value)).collect();
        let reply = site.ask("GET", "/a", &real).await;
        assert_eq!(reply.status, *status, "{fields:?}");
        if *status == 304 {
            assert_eq!(reply.field("ETag"), tag, "{fields:?}");
            assert_eq!(reply.body, b"", "{fields:?}");
        }
        // HEAD knows no ranges.
        let of_head = if matches!(status, 206 | 416) {
            200
        } else {
            *status
        };
        let reply = site.ask("HEAD", "/a", &real).await;
        assert_eq!(reply.status, of_head, "HEAD {fields:?}");
    }
    // Conditions are about a file that is there.
    let reply = site.ask("GET", "/none", &[("If-Match", "\"x\"")]).await;
    assert_eq!(reply.status, 404);
}

#[tokio::test]
async fn tags_promise_no_more_than_is_known() {
    let site = Site::new();
    let path = site.path("a");
    // A build's constant.
    for constant in [0, 1, 315_532_800] {
        write_at(&path, b"a", constant);
        let reply = site.get("/a").await;
        assert_eq!(
            (reply.field("ETag"), reply.field("Last-Modified")),
            ("", "")
        );
        for fields in [
            &[("If-Modified-Since", CHANGED_DATE)][..],
            &[("If-None-Match", "\"1-0.0\"")],
            &[("Range", "bytes=0-0"), ("If-Range", CHANGED_DATE)],
            &[("If-Match", "*")],
        ] {
            assert_eq!(site.ask("GET", "/a", fields).await.status, 200);
        }
    }
    // One whose clock is wrong, or that may change again within a tick.
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    write_at(&path, b"a", now.unwrap().as_secs() + 1000);
    let reply = site.get("/a").await;
    let tag = reply.field("ETag");
    assert!(tag.starts_with("W/\""), "{tag}");
    assert_eq!(reply.field("Last-Modified"), "");
    let fields = [("If-None-Match", tag)];
    assert_eq!(site.ask("GET", "/a", &fields).await.status, 304);
    let fields = [("Range", "bytes=0-0"), ("If-Range", &tag[2..])];
    assert_eq!(site.ask("GET", "/a", &fields).await.status, 200);
    // Another size, another time.
    let mut tags = Vec::new();
    for (content, changed) in [("a", CHANGED), ("ab", CHANGED), ("a", CHANGED + 1)] {
        write_at(&path, content.as_bytes(), changed);
        tags.push(site.get("/a").await.field("ETag").to_owned());
    }
    tags.sort_unstable();
    tags.dedup();
    assert_eq!(tags.len(), 3);
}

#[tokio::test]
async fn parts_are_sent_alone_or_in_a_row() {
    let site = Site::new();
    site.write("a.txt", "0123456789");
    let one = site.ask("GET", "/a.txt", &[("Range", "bytes=2-4")]).await;
    assert_eq!((one.status, one.text().as_str()), (206, "234"));
    assert_eq!(one.field("Content-Range"), "bytes 2-4/10");
    assert_eq!(one.field("Content-Type"), "text/plain; charset=utf-8");
    let none = site.ask("GET", "/a.txt", &[("Range", "bytes=10-")]).await;
    let got = (none.status, none.field("Content-Range"));
    assert_eq!(got, (416, "bytes */10"));
    let fields = [("Range", "bytes=0-0, -2,4-5")];
    let several = site.ask("GET", "/a.txt", &fields).await;
    assert_eq!(several.status, 206);
    assert_eq!(several.field("Content-Range"), "");
    let kind = several.field("Content-Type");
    let boundary = kind
        .strip_prefix("multipart/byteranges; boundary=")
        .unwrap();
    let part = |range: &str, bytes: &str| {
        format!(
            "--{boundary}\r\nContent-Type: text/plain; charset=utf-8\r\n\
             Content-Range: bytes {range}/10\r\n\r\n{bytes}\r\n"
        )
    };
    let parts = [part("0-0", "0"), part("8-9", "89"), part("4-5", "45")].concat();
    assert_eq!(several.text(), format!("{parts}--{boundary}--\r\n"));
}
