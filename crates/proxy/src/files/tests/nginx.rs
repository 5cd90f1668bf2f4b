//! The same directory served by a real nginx, asked the same: where the two differ, the reason stands in the table.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::exchange::decision::Router;
use crate::transport::Facts;

struct Nginx {
    process: Child,
    address: SocketAddr,
}

impl Nginx {
    async fn start(site: &Site) -> Self {
        let reserved = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = reserved.local_addr().unwrap();
        drop(reserved);
        let folder = site.directory.path();
        let here = folder.display();
        let configuration = format!(
            "daemon off; master_process off; pid {here}/pid; error_log {here}/error.log;\n\
             events {{}}\n\
             http {{ include /etc/nginx/mime.types; default_type application/octet-stream; charset utf-8;\n\
             charset_types text/css text/plain text/markdown text/xml application/javascript;\n\
             access_log off; client_body_temp_path {here}/body; proxy_temp_path {here}/proxy;\n\
             fastcgi_temp_path {here}/f; uwsgi_temp_path {here}/u; scgi_temp_path {here}/s;\n\
             gzip on; gzip_static on; gzip_vary on; gzip_min_length 1024; gzip_types text/css text/plain application/javascript;\n\
             absolute_redirect off; max_ranges 16;\n\
             server {{ listen {address}; root {here}/www; index index.html; try_files $uri $uri/ =404; }} }}\n"
        );
        let file = folder.join("nginx.conf");
        std::fs::write(&file, configuration).unwrap();
        let process = Command::new("nginx")
            .arg("-c")
            .arg(&file)
            .arg("-p")
            .arg(folder)
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx is not installed: scripts/setup-test");
        while TcpStream::connect(address).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Self { process, address }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

struct Routes(Files);

impl Router for Routes {
    fn decide(&self, head: &mut RequestHead, _: &Facts) -> Decision {
        // As the proxy does before it comes to files.
        match crate::path::normalize(head.path()) {
            Ok(normal) => self
                .0
                .decide(head, normal.forward().as_bytes(), normal.forward(), None),
            Err(fault) => Decision::Refuse(Failure::new(Reason::AmbiguousPath, fault.to_string())),
        }
    }
}

/// What counts of an answer.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    status: u16,
    /// Those of [`COMPARED`] that it has.
    fields: Vec<(&'static str, String)>,
    body: Vec<u8>,
    tag: String,
}

const COMPARED: &[&str] = &[
    "Content-Type",
    "Content-Length",
    "Content-Range",
    "Content-Encoding",
    "Last-Modified",
    "Location",
    "Accept-Ranges",
    "Transfer-Encoding",
];

async fn ask(address: SocketAddr, method: &str, target: &str, fields: &str) -> Seen {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request =
        format!("{method} {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{fields}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    let body = bytes.split_off(end.expect("a head") + 4);
    let head = String::from_utf8(bytes).unwrap();
    let field = |name: &str| {
        head.lines().find_map(|line| {
            let (given, value) = line.split_once(": ")?;
            given.eq_ignore_ascii_case(name).then(|| value.to_owned())
        })
    };
    let status: u16 = head[9..12].parse().unwrap();
    let compared = COMPARED.iter().filter_map(|name| {
        // Pages of errors are their own.
        if status >= 300 && name.starts_with("Content-") && *name != "Content-Range" {
            return None;
        }
        let mut value = field(name)?;
        if value.starts_with("multipart/byteranges") {
            value = "multipart/byteranges".to_owned();
        }
        Some((*name, value))
    });
    let compared: Vec<_> = compared.collect();
    let whole = status == 200
        && !compared
            .iter()
            .any(|(name, _)| *name == "Transfer-Encoding");
    Seen {
        status,
        body: if whole { body } else { Vec::new() },
        tag: field("ETag").unwrap_or_default(),
        fields: compared,
    }
}

/// Method, target, fields (ETAG stands for the tag that each server gave /a.txt), and how this proxy differs: the status
/// or the name of a field, and why.
type Case = (&'static str, &'static str, &'static str, Option<Differs>);

struct Differs {
    nginx: &'static str,
    here: &'static str,
    /// For whoever reads the table.
    #[allow(dead_code, reason = "for whoever reads the table")]
    reason: &'static str,
}

const fn differs(nginx: &'static str, here: &'static str, reason: &'static str) -> Option<Differs> {
    Some(Differs {
        nginx,
        here,
        reason,
    })
}

const HIDDEN: &str = "dot-files are hidden here; nginx serves them unless told otherwise";
const OUTSIDE: &str = "links do not lead out of the root here";
const SLASH: &str = "an escaped slash is part of a name here, and no file is called that; nginx reads it as a slash";
const INDEX: &str =
    "a directory without an index is no attempt that succeeds, so the next one counts";
const POST: &str = "the method is judged before the file";
const SINCE: &str = "RFC 9110, 13.1.3: not modified since, not exactly then";
const SYNTAX: &str = "RFC 9110, 14.2: a range that cannot be read may be ignored";
const OF_HEAD: &str = "RFC 9110, 14.2: ranges are for GET alone";
const SCRIPT: &str = "RFC 9239 calls it text/javascript";
const BOUNDARY: &str = "the boundary between parts is longer, and random";
const PARTS: &str = "nginx knows no parts of a coded file";
const ETAG_GZIP: &str = "the tag is another one for another coding";
const ESCAPE: &str = "a path that everybody reads differently is refused";
const SUFFIX: &str = "the last bytes of nothing are the whole of it";
const MADE: &str = "parts are of the file, so a coding is not made for them";

#[rustfmt::skip]
const CASES: &[Case] = &[
    ("GET", "/", "", None),
    ("HEAD", "/", "", None),
    ("GET", "/a.txt", "", None),
    ("HEAD", "/a.txt", "", None),
    ("GET", "/a.txt?x=y", "", None),
    ("GET", "//a.txt", "", None),
    ("GET", "/./a.txt", "", None),
    ("GET", "/dir/../a.txt", "", None),
    ("GET", "/%61.txt", "", None),
    ("GET", "/with%20space.txt", "", None),
    ("GET", "/plus+.txt", "", None),
    ("GET", "/per%2541cent.txt", "", None),
    ("GET", "/none", "", None),
    ("GET", "/a.txt/", "", None),
    ("GET", "/a.txt/b", "", None),
    ("GET", "/A.txt", "", None),
    ("GET", "/dir", "", None),
    ("GET", "/dir?x=y", "", None),
    ("GET", "/dir/", "", None),
    ("GET", "/dir/b.txt", "", None),
    ("GET", "/linked.txt", "", None),
    ("GET", "/noext", "", None),
    ("GET", "/style.css", "", None),
    ("GET", "/data.json", "", None),
    ("GET", "/picture.svg", "", None),
    ("GET", "/picture.png", "", None),
    ("GET", "/font.woff2", "", None),
    ("GET", "/empty.txt", "", None),
    ("GET", "/app.js", "", differs("Content-Type: application/javascript; charset=utf-8", "Content-Type: text/javascript; charset=utf-8", SCRIPT)),
    ("GET", "/.secret", "", differs("200", "404", HIDDEN)),
    ("GET", "/.well-known/x", "", None),
    ("GET", "/outside.txt", "", differs("200", "404", OUTSIDE)),
    ("GET", "/dir%2Fb.txt", "", differs("200", "404", SLASH)),
    ("GET", "/bare/", "", differs("403", "404", INDEX)),
    ("GET", "/bare", "", differs("301", "404", INDEX)),
    ("GET", "/a.txt%00", "", None),
    ("GET", "/%zz", "", None),
    ("GET", "/..", "", None),
    ("GET", "/%2e%2e/x", "", None),
    ("GET", "/..;x/a.txt", "", differs("404", "400", ESCAPE)),
    ("POST", "/a.txt", "Content-Length: 0\r\n", None),
    ("POST", "/none", "Content-Length: 0\r\n", differs("404", "405", POST)),
    ("DELETE", "/a.txt", "", None),
    ("OPTIONS", "/a.txt", "", None),
    ("GET", "/a.txt", "If-None-Match: ETAG\r\n", None),
    ("GET", "/a.txt", "If-None-Match: W/ETAG\r\n", None),
    ("GET", "/a.txt", "If-None-Match: *\r\n", None),
    ("GET", "/a.txt", "If-None-Match: \"x\", ETAG\r\n", None),
    ("GET", "/a.txt", "If-None-Match: \"x\"\r\n", None),
    ("GET", "/a.txt", "If-Match: ETAG\r\n", None),
    ("GET", "/a.txt", "If-Match: \"x\"\r\n", None),
    ("GET", "/a.txt", "If-Match: *\r\n", None),
    ("GET", "/a.txt", "If-Match: W/ETAG\r\n", None),
    ("GET", "/a.txt", "If-Modified-Since: Tue, 02 Jan 2024 03:04:05 GMT\r\n", None),
    ("GET", "/a.txt", "If-Modified-Since: Tue, 02 Jan 2024 03:04:04 GMT\r\n", None),
    ("GET", "/a.txt", "If-Modified-Since: Tue, 02 Jan 2024 03:04:06 GMT\r\n", differs("200", "304", SINCE)),
    ("GET", "/a.txt", "If-Modified-Since: rubbish\r\n", None),
    ("GET", "/a.txt", "If-Unmodified-Since: Tue, 02 Jan 2024 03:04:05 GMT\r\n", None),
    ("GET", "/a.txt", "If-Unmodified-Since: Tue, 02 Jan 2024 03:04:04 GMT\r\n", None),
    ("GET", "/a.txt", "If-None-Match: \"x\"\r\nIf-Modified-Since: Tue, 02 Jan 2024 03:04:05 GMT\r\n", None),
    ("GET", "/a.txt", "Range: bytes=0-3\r\n", None),
    ("GET", "/a.txt", "Range: bytes=4-\r\n", None),
    ("GET", "/a.txt", "Range: bytes=-3\r\n", None),
    ("GET", "/a.txt", "Range: bytes=0-99999\r\n", None),
    ("GET", "/a.txt", "Range: bytes=99-\r\n", None),
    ("GET", "/a.txt", "Range: bytes=0-0,4-5\r\n", differs("Content-Length: 227", "Content-Length: 261", BOUNDARY)),
    ("GET", "/a.txt", "Range: bytes=0-8,1-9\r\n", None),
    ("GET", "/a.txt", "Range: bytes=5-4\r\n", differs("416", "200", SYNTAX)),
    ("GET", "/a.txt", "Range: bytes=x\r\n", differs("416", "200", SYNTAX)),
    ("GET", "/a.txt", "Range: items=0-1\r\n", None),
    ("HEAD", "/a.txt", "Range: bytes=0-3\r\n", differs("206", "200", OF_HEAD)),
    ("GET", "/empty.txt", "Range: bytes=0-\r\n", differs("200", "416", SUFFIX)),
    ("GET", "/a.txt", "Range: bytes=0-3\r\nIf-Range: ETAG\r\n", None),
    ("GET", "/a.txt", "Range: bytes=0-3\r\nIf-Range: \"x\"\r\n", None),
    ("GET", "/a.txt", "Range: bytes=0-3\r\nIf-Range: Tue, 02 Jan 2024 03:04:05 GMT\r\n", None),
    ("GET", "/a.txt", "Range: bytes=0-3\r\nIf-Range: Tue, 02 Jan 2024 03:04:06 GMT\r\n", None),
    ("GET", "/style.css", "Accept-Encoding: gzip\r\n", differs("200", "Accept-Ranges: bytes", PARTS)),
    ("GET", "/style.css", "Accept-Encoding: gzip;q=0\r\n", None),
    ("GET", "/style.css", "Accept-Encoding: identity\r\n", None),
    ("GET", "/style.css", "Accept-Encoding: gzip\r\nRange: bytes=0-3\r\n", differs("200", "206", PARTS)),
    ("HEAD", "/style.css", "Accept-Encoding: gzip\r\n", differs("200", "Accept-Ranges: bytes", PARTS)),
    ("GET", "/large.css", "Accept-Encoding: gzip\r\n", None),
    ("GET", "/large.css", "Accept-Encoding: gzip\r\nRange: bytes=0-3\r\n", differs("", "Content-Range: bytes 0-3/5000", MADE)),
    ("GET", "/picture.png", "Accept-Encoding: gzip\r\n", None),
    ("GET", "/large.css", "Accept-Encoding: gzip\r\nIf-None-Match: W/ETAG-OF-LARGE\r\n", differs("304", "200", ETAG_GZIP)),
];

fn site() -> Site {
    let site = Site::new();
    site.write("index.html", "<p>root")
        .write("a.txt", "0123456789")
        .write("with space.txt", "space")
        .write("plus+.txt", "plus")
        .write("per%41cent.txt", "percent")
        .write("dir/index.html", "<p>dir")
        .write("dir/b.txt", "b")
        .write("bare/b.txt", "b")
        .write("noext", "noext")
        .write("style.css", "a { color: red }")
        .write("style.css.gz", "not looked into")
        .write(
            "large.css",
            "a { color: red }\n".repeat(500).split_at(5000).0,
        )
        .write("data.json", "{}")
        .write("picture.svg", "<svg/>")
        .write("picture.png", vec![b'p'; 5000])
        .write("font.woff2", "?")
        .write("empty.txt", "")
        .write("app.js", "1")
        .write(".secret", "secret")
        .write(".well-known/x", "x");
    write_at(&site.outside("outside.txt"), b"outside", CHANGED);
    std::os::unix::fs::symlink("a.txt", site.path("linked.txt")).unwrap();
    std::os::unix::fs::symlink("../outside.txt", site.path("outside.txt")).unwrap();
    site
}

/// Whether an answer is described by a status, or by a field.
fn is_described(seen: &Seen, description: &str) -> bool {
    match description.split_once(": ") {
        Some((name, value)) => seen.fields.contains(&(
            COMPARED.iter().find(|known| **known == name).unwrap(),
            value.to_owned(),
        )),
        None => description.is_empty() || seen.status.to_string() == description,
    }
}

#[tokio::test]
async fn answers_are_those_of_nginx_or_differ_for_a_reason() {
    let site = site();
    let all = async {
        let nginx = Nginx::start(&site).await;
        let here = serve(Rc::new(Routes(site.files()))).await;
        let mut tags = Vec::new();
        for address in [nginx.address, here] {
            let mut of = Vec::new();
            for path in ["/a.txt", "/large.css"] {
                of.push(ask(address, "GET", path, "").await.tag);
            }
            tags.push(of);
        }
        let mut wrong = String::new();
        for (method, target, fields, differs) in CASES {
            let with = |tags: &[String]| {
                fields
                    .replace("ETAG-OF-LARGE", &tags[1])
                    .replace("ETAG", &tags[0])
            };
            let theirs = ask(nginx.address, method, target, &with(&tags[0])).await;
            let ours = ask(here, method, target, &with(&tags[1])).await;
            let same = (theirs.status, &theirs.fields, &theirs.body)
                == (ours.status, &ours.fields, &ours.body);
            let fine = match differs {
                None => same,
                Some(differs) => {
                    !same
                        && is_described(&theirs, differs.nginx)
                        && is_described(&ours, differs.here)
                }
            };
            if !fine {
                wrong.push_str(&format!(
                    "{method} {target} {fields:?}\n  nginx {theirs:?}\n  here  {ours:?}\n"
                ));
            }
        }
        wrong
    };
    let wrong = tokio::task::LocalSet::new().run_until(all).await;
    assert!(wrong.is_empty(), "{wrong}");
}
