//! In which form a file is sent, and what becomes of one that changes meanwhile.

use std::io::Read;

use super::*;

/// A text that becomes much smaller.
fn text(bytes: usize) -> String {
    let words = "the quick brown fox jumps over the lazy dog\n";
    words.chars().cycle().take(bytes).collect()
}

fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut read = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes)
        .read_to_end(&mut read)
        .unwrap();
    read
}

/// Path, Accept-Encoding, Content-Encoding, and whether that is the file beside it.
const FORMS: &[(&str, &str, &str, bool)] = &[
    ("/all.js", "", "", false),
    ("/all.js", "gzip", "gzip", true),
    ("/all.js", "x-gzip", "gzip", true),
    ("/all.js", "GZip , deflate", "gzip", true),
    ("/all.js", "gzip, deflate, br, zstd", "br", true),
    ("/all.js", "*", "br", true),
    ("/all.js", "*;q=0", "", false),
    ("/all.js", "br;q=0, *", "zstd", true),
    (
        "/all.js",
        "br;q=0.5, gzip;q=0.9, zstd;q=0.899",
        "gzip",
        true,
    ),
    ("/all.js", "br;q=0.5,gzip;q=0.5", "br", true),
    ("/all.js", "gzip;q=0", "", false),
    ("/all.js", "gzip;q=0.000", "", false),
    ("/all.js", "gzip;q=0.001", "gzip", true),
    ("/all.js", "gzip;q=1.001", "", false),
    ("/all.js", "gzip;q=-1", "", false),
    ("/all.js", "gzip;q=nan", "", false),
    ("/all.js", "gzip;q=0.5;q=1", "gzip", true),
    ("/all.js", "gzip;q=0.5, identity", "", false),
    ("/all.js", "gzip, identity", "gzip", true),
    ("/all.js", "gzip;q=0.5, identity;q=0.5", "gzip", true),
    ("/all.js", "identity;q=0", "", false),
    ("/all.js", "deflate, compress", "", false),
    ("/all.js", ",, ,gzip;;q=1", "gzip", true),
    ("/all.js", "gzipped", "", false),
    // A file beside it goes before one that is made, the order of the client before both.
    ("/gz.css", "br, gzip", "gzip", true),
    ("/gz.css", "gzip, zstd", "gzip", true),
    ("/gz.css", "gzip;q=0.5, zstd", "zstd", false),
    ("/plain.txt", "gzip", "gzip", false),
    ("/plain.txt", "gzip, zstd", "zstd", false),
    ("/plain.txt", "br", "", false),
    ("/small.txt", "gzip", "", false),
    ("/photo.png", "gzip", "", false),
    ("/data.bin", "gzip", "gzip", true),
    ("/data.bin", "zstd", "", false),
    ("/stale.txt", "gzip", "gzip", false),
];

#[tokio::test]
async fn the_most_welcome_form_is_sent() {
    let site = Site::new();
    let original = text(5000);
    for name in "all.js gz.css plain.txt photo.png data.bin stale.txt".split(' ') {
        site.write(name, &original);
    }
    site.write("all.js.br", "br")
        .write("all.js.zst", "zst")
        .write("all.js.gz", "gz")
        .write("gz.css.gz", "gz")
        .write("small.txt", "small")
        .write("photo.png.gz", "gz")
        .write("data.bin.gz", "gz");
    write_at(&site.path("stale.txt.gz"), b"old", CHANGED - 60);
    std::fs::create_dir(site.path("plain.txt.br")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", site.path("plain.txt.gz")).unwrap();
    for (path, accepted, coding, beside) in FORMS {
        let fields = [("Accept-Encoding", *accepted)];
        let fields = if accepted.is_empty() {
            &[]
        } else {
            &fields[..]
        };
        let case = format!("{path} {accepted}");
        let reply = site.ask("GET", path, fields).await;
        assert_eq!(reply.field("Content-Encoding"), *coding, "{case}");
        let varies = if *path == "/photo.png" {
            ""
        } else {
            "Accept-Encoding"
        };
        assert_eq!(reply.field("Vary"), varies, "{case}");
        let tag = reply.field("ETag");
        let coded = !coding.is_empty();
        assert_eq!(tag.contains(&format!("-{coding}\"")), coded, "{tag}");
        assert_eq!(tag.starts_with("W/"), coded && !beside, "{tag}");
        if *beside {
            assert!(reply.body.len() <= 3, "{case}");
            continue;
        }
        let read = match *coding {
            "gzip" => gunzip(&reply.body),
            "zstd" => zstd::decode_all(&reply.body[..]).unwrap(),
            _ => reply.body,
        };
        let there = std::fs::read(site.path(&path[1..])).unwrap();
        assert_eq!(read, there, "{case}");
    }
}

#[tokio::test]
async fn parts_are_of_what_lies_there() {
    let site = Site::new();
    site.write("a.txt", text(5000))
        .write("b.txt", text(5000))
        .write("b.txt.gz", "0123456789");
    let fields = [("Range", "bytes=1-2"), ("Accept-Encoding", "gzip")];
    let made = site.ask("GET", "/a.txt", &fields).await;
    assert_eq!((made.status, made.field("Content-Encoding")), (206, ""));
    assert_eq!(made.field("Content-Range"), "bytes 1-2/5000");
    let beside = site.ask("GET", "/b.txt", &fields).await;
    let got = (beside.status, beside.field("Content-Encoding"));
    assert_eq!(got, (206, "gzip"));
    assert_eq!(beside.text(), "12");
    assert_eq!(beside.field("Content-Range"), "bytes 1-2/10");
    // The rest of another form is no rest.
    let accepts = [("Accept-Encoding", "gzip")];
    let whole = site.ask("GET", "/a.txt", &accepts).await;
    let tag = whole.field("ETag").trim_start_matches("W/").to_owned();
    assert_eq!(whole.field("Accept-Ranges"), "");
    let fields = [fields[0], fields[1], ("If-Range", &tag)];
    assert_eq!(site.ask("GET", "/a.txt", &fields).await.status, 200);
}

#[tokio::test]
async fn compression_heeds_the_configuration() {
    let mut site = Site::new();
    site.write("a.txt", text(5000))
        .write("a.foo", text(5000))
        .write("a.txt.gz", "beside");
    let coding = async |site: &Site, path: &str| {
        let reply = site.ask("GET", path, &[("Accept-Encoding", "gzip")]).await;
        reply.field("Content-Encoding").to_owned()
    };
    site.configured.precompressed = Vec::new();
    let accepts = [("Accept-Encoding", "gzip")];
    let reply = site.ask("GET", "/a.txt", &accepts).await;
    assert_eq!(gunzip(&reply.body), text(5000).as_bytes());
    site.configured.min_size = 5001;
    assert_eq!(coding(&site, "/a.txt").await, "");
    site.configured.min_size = 5000;
    assert_eq!(coding(&site, "/a.txt").await, "gzip");
    site.configured.cache_control = Some("max-age=5, No-Transform".to_owned());
    assert_eq!(coding(&site, "/a.txt").await, "");
    site.configured.cache_control = None;
    site.configured.dynamic = Vec::new();
    let reply = site.ask("GET", "/a.txt", &accepts).await;
    let got = (reply.field("Content-Encoding"), reply.field("Vary"));
    assert_eq!(got, ("", ""));
    site.configured.dynamic = vec![ContentCoding::Gzip];
    assert_eq!(coding(&site, "/a.foo").await, "");
    site.configured.mime_types = vec![("foo".to_owned(), "application/x-foo+json".to_owned())];
    let reply = site.ask("GET", "/a.foo", &accepts).await;
    assert_eq!(reply.field("Content-Encoding"), "gzip");
    assert_eq!(reply.field("Content-Type"), "application/x-foo+json");
    let head = site.ask("HEAD", "/a.foo", &accepts).await;
    assert_eq!(head.field("Content-Encoding"), "gzip");
    assert_eq!(head.body, b"");
}

#[tokio::test]
async fn large_files_are_compressed_whole() {
    let site = Site::new();
    let mut large = Vec::new();
    let mut state = 1_u32;
    while large.len() < 3_000_000 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        large.push(b'a' + (state >> 28) as u8);
    }
    site.write("a.txt", &large);
    let accepts = |coding| [("Accept-Encoding", coding)];
    let gzip = site.ask("GET", "/a.txt", &accepts("gzip")).await;
    assert!(gunzip(&gzip.body) == large && gzip.body.len() < large.len() * 2 / 3);
    let zstd = site.ask("GET", "/a.txt", &accepts("zstd")).await;
    assert!(zstd::decode_all(&zstd.body[..]).unwrap() == large);
    assert!(site.get("/a.txt").await.body == large);
}

/// The response about `/a.bin`, not read yet.
async fn begin(site: &Site) -> Response {
    let head = RequestHead::new(b"GET", b"/a.bin", Version::Http11).unwrap();
    answered(site.files().decide(&head, b"/a.bin", "/a.bin", None)).await
}

#[tokio::test]
async fn a_file_that_is_replaced_is_sent_as_it_was() {
    let site = Site::new();
    site.write("a.bin", vec![b'a'; 2_000_000]);
    let response = begin(&site).await;
    site.write("next", vec![b'b'; 10]);
    std::fs::rename(site.path("next"), site.path("a.bin")).unwrap();
    let reply = read(response).await;
    assert!(reply.failure.is_none());
    assert!(reply.body == vec![b'a'; 2_000_000]);
    assert_eq!(site.get("/a.bin").await.body, vec![b'b'; 10]);
}

#[tokio::test]
async fn no_more_is_sent_than_the_head_said_and_less_is_a_failure() {
    let site = Site::new();
    site.write("a.bin", vec![b'a'; 1_000_000]);
    let open = || {
        std::fs::OpenOptions::new()
            .append(true)
            .open(site.path("a.bin"))
            .unwrap()
    };
    let response = begin(&site).await;
    open().write_all(&[b'b'; 1_000_000]).unwrap();
    assert!(read(response).await.body == vec![b'a'; 1_000_000]);
    let response = begin(&site).await;
    open().set_len(300_000).unwrap();
    let reply = read(response).await;
    assert_eq!(reply.body.len(), 300_000);
    assert_eq!(reply.failure.unwrap().reason, Reason::FileFailed);
}
