//! Which file a path leads to, and which none does.

use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

fn site() -> Site {
    let site = Site::new();
    site.write("index.html", "root")
        .write("a.txt", "a")
        .write("A.TXT", "upper")
        .write("with space.txt", "space")
        .write("per%41cent.txt", "percent")
        .write("plus+.txt", "plus")
        .write("dir/index.html", "dir")
        .write("dir/b.txt", "b")
        .write("empty/none.txt", "none")
        .write(".secret", "secret")
        .write(".git/config", "git")
        .write("dir/.htpasswd", "htpasswd")
        .write(".well-known/security.txt", "security")
        .write(".well-known/.hidden", "hidden")
        .write("..data/linked.txt", "as in a ConfigMap")
        .write("back\\slash.txt", "backslash");
    write_at(&site.outside("outside.txt"), b"outside", CHANGED);
    site
}

#[tokio::test]
async fn paths_lead_to_files() {
    let site = site();
    for (path, expected) in [
        ("/", "root"),
        ("/index.html", "root"),
        ("/a.txt", "a"),
        ("//a.txt", "a"),
        ("/A.TXT", "upper"),
        ("/%61.txt", "a"),
        ("/with%20space.txt", "space"),
        ("/plus+.txt", "plus"),
        ("/plus%2B.txt", "plus"),
        ("/back%5Cslash.txt", "backslash"),
        // Read once: %25 is a percent sign, and nothing after it is read again.
        ("/per%2541cent.txt", "percent"),
        ("/dir/", "dir"),
        ("/dir/b.txt", "b"),
        ("/dir//b.txt", "b"),
        ("/a.txt?query=/../x", "a"),
        ("/.well-known/security.txt", "security"),
    ] {
        let reply = site.get(path).await;
        let got = (reply.status, reply.text());
        assert_eq!(got, (200, expected.to_owned()), "{path}");
    }
}

#[tokio::test]
async fn what_is_not_there_or_hidden_is_not_found() {
    let site = site();
    let long = format!("/{}", "x".repeat(300));
    let very_long = format!("/{}", "x/".repeat(5000));
    let missing = "/none /a.TXT /a.txt/ /a.txt/b /none/ /per%41cent.txt /dir/none/b.txt";
    let hidden = "/.secret /%2esecret /%2Esecret /.git/config /.git /.git/ /dir/.htpasswd \
                  /.well-known/.hidden /..data/linked.txt";
    let no_name = "/dir%2Fb.txt /dir%2fb.txt /a.txt%00 /a.txt%00.html /% /%4 /%zz /../outside.txt /.. \
                   /%2e%2e/outside.txt /..%2foutside.txt /dir/../a.txt /%2e%2e%2foutside.txt /./a.txt \
                   /%252e%252e/outside.txt";
    let without_index = "/empty /empty/";
    let all = [missing, hidden, no_name, without_index, &long, &very_long].join(" ");
    for path in all.split_whitespace() {
        let reply = site.get(path).await;
        assert_eq!(reply.status, 404, "{path}: {}", reply.text());
        assert_eq!(reply.text(), "404 Not Found\n", "{path}");
    }
}

#[tokio::test]
async fn links_lead_to_files_inside_only() {
    let site = site();
    let root = site.path("");
    let link = |target: &Path, name: &str| symlink(target, root.join(name)).unwrap();
    link(Path::new("a.txt"), "inside.txt");
    link(Path::new("../www/a.txt"), "around.txt");
    link(Path::new("..data/linked.txt"), "configmap.txt");
    link(Path::new("dir"), "linked");
    link(&site.outside("outside.txt"), "absolute.txt");
    link(&root.join("a.txt"), "absolute-inside.txt");
    link(Path::new("../outside.txt"), "relative.txt");
    link(Path::new("/"), "slash");
    link(Path::new("/proc/self/root"), "magic");
    link(Path::new("/proc/self/fd/0"), "stdin");
    link(Path::new("loop"), "loop");
    link(Path::new("nowhere"), "dangling");
    link(Path::new("relative.txt"), "chain.txt");
    for (path, expected) in [
        ("/inside.txt", "a"),
        ("/configmap.txt", "as in a ConfigMap"),
        ("/linked/", "dir"),
        ("/linked/b.txt", "b"),
    ] {
        assert_eq!(site.get(path).await.text(), expected, "{path}");
    }
    let refused = "/around.txt /absolute.txt /absolute-inside.txt /relative.txt /slash/etc/passwd \
                   /magic/etc/passwd /stdin /loop /dangling /chain.txt";
    for path in refused.split_whitespace() {
        assert_eq!(site.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn only_regular_files_are_read() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    let site = site();
    mknodat(CWD, site.path("fifo"), FileType::Fifo, Mode::RUSR, 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(site.path("socket")).unwrap();
    std::fs::create_dir_all(site.path("odd/index.html")).unwrap();
    for path in ["/fifo", "/socket", "/odd/", "/odd"] {
        assert_eq!(site.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn directories_are_sent_to_their_slash() {
    let site = site();
    site.write("söme dir/index.html", "some");
    for (target, location) in [
        ("/dir", "/dir/"),
        ("/dir?a=b&c", "/dir/?a=b&c"),
        ("/s%C3%B6me%20dir", "/s%C3%B6me%20dir/"),
        ("//dir", "/dir/"),
    ] {
        let reply = site.get(target).await;
        assert_eq!((reply.status, reply.field("Location")), (301, location));
    }
    // Behind a prefix that was taken away.
    let head = RequestHead::new(b"GET", b"/dir?q", Version::Http11).unwrap();
    let decision = site.files().decide(&head, b"/dir", "/static/dir", None);
    let reply = read(answered(decision).await).await;
    assert_eq!(reply.field("Location"), "/static/dir/?q");
}

#[tokio::test]
async fn attempts_are_made_in_order() {
    let mut site = site();
    site.write("page.html", "page")
        .write("dir.html", "page of dir")
        .write("app/index.htm", "app")
        .write("fallback/index.htm", "fallback");
    site.configured.index = vec!["index.htm".to_owned(), "index.html".to_owned()];
    let file = |text: &str| TryFile::File(text.to_owned());
    let directory = |text: &str| TryFile::Directory(text.to_owned());
    site.configured.try_files = vec![
        file("$uri"),
        file("$uri.html"),
        directory("$uri"),
        file("/missing.html"),
        directory("/fallback"),
    ];
    for (path, expected) in [
        ("/page", "page"),
        ("/dir", "page of dir"),
        ("/dir/", "dir"),
        ("/app/", "app"),
        ("/any/route?x", "fallback"),
        ("/empty/", "fallback"),
        ("/", "root"),
    ] {
        let reply = site.get(path).await;
        let got = (reply.status, reply.text());
        assert_eq!(got, (200, expected.to_owned()), "{path}");
    }
    // What no file can be called does not fall back either.
    assert_eq!(site.get("/%2e%2e/x").await.status, 404);
    site.configured.try_files = vec![file("$uri"), TryFile::Status(503)];
    assert_eq!(site.get("/none").await.status, 503);
    site.configured.try_files = vec![file("$uri")];
    assert_eq!(site.get("/dir").await.status, 404);
}

#[tokio::test]
async fn dot_files_are_served_where_asked_for() {
    let mut site = site();
    site.configured.dot_files = true;
    for (path, expected) in [("/.secret", "secret"), ("/dir/.htpasswd", "htpasswd")] {
        assert_eq!(site.get(path).await.text(), expected);
    }
    for path in ["/..", "/../outside.txt", "/dir/../a.txt", "/."] {
        assert_eq!(site.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_root_may_come_late_and_be_exchanged() {
    let mut site = site();
    let current = site.outside("current");
    site.configured.root.clone_from(&current);
    assert_eq!(site.get("/a.txt").await.status, 404);
    symlink("www", &current).unwrap();
    assert_eq!(site.get("/a.txt").await.text(), "a");
    std::fs::create_dir(site.outside("next")).unwrap();
    write_at(&site.outside("next/a.txt"), b"next", CHANGED);
    std::fs::remove_file(&current).unwrap();
    symlink("next", &current).unwrap();
    assert_eq!(site.get("/a.txt").await.text(), "next");
}

/// Asked by an ordinary user: root may read everything.
#[test]
fn what_may_not_be_read_is_forbidden() {
    use rustix::process::{Uid, geteuid};
    let site = site();
    let mode = |path: &Path, mode| {
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    };
    mode(&site.path("a.txt"), 0);
    mode(&site.path("dir"), 0);
    mode(site.directory.path(), 0o755);
    let files = site.files();
    let asked = std::thread::spawn(move || {
        if geteuid().is_root() {
            let nobody = Uid::from_raw(65534);
            // Of this thread alone.
            rustix::thread::set_thread_res_uid(nobody, nobody, nobody).unwrap();
        }
        let status = |path: &str| {
            let name = Name::read(path.as_bytes(), false).unwrap();
            let head = RequestHead::new(b"GET", path.as_bytes(), Version::Http11).unwrap();
            let ask = Ask::new(&head, name, path);
            match files.locate(&ask, Patience::Disk) {
                Ok(Found::Status(status)) => status,
                Ok(Found::File(_)) => 200,
                other => panic!("{other:?}"),
            }
        };
        ["/a.txt", "/dir/b.txt", "/dir/", "/index.html", "/none"].map(status)
    });
    assert_eq!(asked.join().unwrap(), [403, 403, 403, 200, 404]);
}

/// Somebody turns a file into a link to the outside and back all the time.
#[test]
fn a_race_of_names_does_not_lead_out() {
    use std::sync::atomic::{AtomicBool, Ordering};

    use rustix::fs::{CWD, RenameFlags, renameat_with};
    let site = site();
    let root = site.path("");
    std::fs::create_dir(site.outside("away")).unwrap();
    write_at(&site.outside("away/b.txt"), b"outside", CHANGED);
    symlink("../outside.txt", root.join("evil")).unwrap();
    symlink("../away", root.join("evil-dir")).unwrap();
    let exchange = |one: &str, other: &str| {
        let (one, other) = (root.join(one), root.join(other));
        renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).unwrap();
    };
    let stop = AtomicBool::new(false);
    let mut seen = [0; 2];
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                exchange("a.txt", "evil");
                exchange("dir", "evil-dir");
            }
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let mut asked = 0;
        while asked < 2000 || seen.contains(&0) {
            let path = ["/a.txt", "/dir/b.txt"][asked % 2];
            asked += 1;
            let reply = runtime.block_on(site.get(path));
            if reply.status == 200 && reply.text() != "outside" {
                seen[0] += 1;
            } else if reply.status == 404 {
                seen[1] += 1;
            } else {
                seen = [usize::MAX; 2];
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert_ne!(seen, [usize::MAX; 2], "something from outside came");
}

proptest::proptest! {
    /// Whatever is asked for, what is opened lies below the root.
    #[test]
    fn no_path_leads_out(
        pieces in proptest::collection::vec(proptest::sample::select(PIECES), 1..12),
        dot_files: bool,
    ) {
        thread_local! { static SITE: Site = tangled(); }
        let path = format!("/{}", pieces.concat());
        let Some(name) = Name::read(path.as_bytes(), dot_files) else { return Ok(()) };
        SITE.with(|site| {
            let mut configured = site.configured.clone();
            configured.dot_files = dot_files;
            let head = RequestHead::new(b"GET", b"/", Version::Http11).unwrap();
            let ask = Ask::new(&head, name, &path);
            if let Ok(Found::File(file)) = Files::new(&configured).locate(&ask, Patience::Disk) {
                let number = std::os::fd::AsRawFd::as_raw_fd(&file.opened.file);
                let real = std::fs::read_link(format!("/proc/self/fd/{number}")).unwrap();
                assert!(real.starts_with(site.path("")), "{path} is {real:?}");
            }
        });
    }
}

const PIECES: &[&str] = &[
    "/",
    "/",
    "/",
    "//",
    "a",
    "b",
    "x",
    "in",
    "up",
    "out",
    "slash",
    "proc",
    "..",
    ".",
    "%2e",
    "%2E%2E",
    "%2f",
    "%5c",
    "\\",
    "%00",
    "%25",
    "%",
    "..;",
    "etc/passwd",
    "tmp",
    "www",
    "%61",
    "ü",
];

/// A directory with links that lead in, out, and out and in again.
fn tangled() -> Site {
    let mut site = Site::new();
    site.configured.index = vec!["x".to_owned()];
    for name in ["x", "a/x", "a/b/x", ".x", "www/x"] {
        site.write(name, "x");
    }
    for name in ["x", "a"] {
        write_at(&site.outside(name), b"outside", CHANGED);
    }
    for (target, link) in [
        ("..", "up"),
        ("/", "slash"),
        ("a", "in"),
        ("../x", "out"),
        ("/proc/self/root", "proc"),
    ] {
        symlink(target, site.path(link)).unwrap();
        symlink(target, site.path("a").join(link)).unwrap();
    }
    site
}
