//! Files that the kernel does not have in memory.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::transport::Facts;

fn ask(path: &str) -> Ask {
    let head = RequestHead::new(b"GET", path.as_bytes(), Version::Http11).unwrap();
    Ask::new(&head, Name::read(path.as_bytes(), false).unwrap(), path)
}

#[tokio::test]
async fn the_disk_is_asked_only_for_what_is_not_in_memory() {
    let site = Site::new();
    site.write("a.txt", "a");
    let files = site.files();
    for path in ["/a.txt", "/none"] {
        // Whatever was looked up is in memory, for a while.
        let found = (0..100).any(|_| {
            files.locate(&ask(path), Patience::Disk).unwrap();
            files.locate(&ask(path), Patience::Cached).is_ok()
        });
        assert!(found, "{path}");
    }
    let reply = read(files.later(ask("/a.txt")).await.unwrap()).await;
    assert_eq!((reply.status, reply.text().as_str()), (200, "a"));
    let reply = read(files.later(ask("/none")).await.unwrap()).await;
    assert_eq!(reply.status, 404);
}

/// Always asks the disk.
struct Slow(Files);

impl Router for Slow {
    fn decide(&self, head: &mut RequestHead, _: &Facts) -> Decision {
        if head.path() == b"/failing" {
            let failure = Failure::new(Reason::FileFailed, "a disk fails");
            return Decision::Later(Box::pin(async { Err(failure) }));
        }
        let path = String::from_utf8_lossy(head.path()).into_owned();
        Decision::Later(self.0.later(ask(&path)))
    }
}

#[tokio::test]
async fn what_comes_later_is_answered_in_order() {
    let site = Site::new();
    site.write("a.txt", "from a disk");
    let test = async {
        let address = serve(Rc::new(Slow(site.files()))).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: a\r\n");
        let requests = [
            request("/a.txt"),
            request("/failing"),
            request("/none"),
            request("/a.txt"),
        ];
        let requests = format!(
            "{}\r\nConnection: close\r\n\r\n",
            requests.join("\r\n").trim_end()
        );
        stream.write_all(requests.as_bytes()).await.unwrap();
        let mut answers = String::new();
        stream.read_to_string(&mut answers).await.unwrap();
        answers
    };
    let answers = tokio::task::LocalSet::new().run_until(test).await;
    let statuses: Vec<&str> = answers
        .match_indices("HTTP/1.1 ")
        .map(|(at, _)| &answers[at + 9..at + 12])
        .collect();
    assert_eq!(statuses, ["200", "500", "404", "200"], "{answers}");
    assert_eq!(answers.matches("from a disk").count(), 2);
    assert!(answers.contains("file_failed"));
}
