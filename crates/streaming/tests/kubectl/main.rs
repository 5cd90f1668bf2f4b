//! The real kubectl against our server: exec, cp and port-forward, in the protocols that its version chooses.
//!
//! `KUBECTL` names the one to use. Versions before 1.29 speak SPDY only; 1.31 and later WebSocket, for all.

#![allow(clippy::panic, reason = "a test fails by it")]

mod server;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use server::Server;

/// A call of kubectl's that knows the server.
fn kubectl(server: &Server, arguments: &[&str]) -> Command {
    let program = std::env::var_os("KUBECTL").unwrap_or_else(|| "kubectl".into());
    let mut command = Command::new(program);
    command
        .arg(format!("--server={}", server.url()))
        .args(arguments)
        // No configuration, and no cache but its own.
        .env("KUBECONFIG", "/dev/null")
        .env("HOME", server.home());
    command
}

/// Runs it with bytes as its standard input.
fn run(mut command: Command, input: &[u8]) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("kubectl is there: scripts/setup-test installs it");
    let mut stdin = child.stdin.take().expect("a pipe");
    std::thread::scope(|scope| {
        scope.spawn(move || {
            // It may end before it has read all.
            let _ = stdin.write_all(input);
        });
        child.wait_with_output().expect("kubectl ends")
    })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace('\r', "")
}

#[test]
fn outputs_are_told_apart_and_the_exit_code_arrives() {
    let server = Server::start();
    let script = "echo out; echo err >&2; exit 7";
    let output = run(
        kubectl(&server, &["exec", "web", "--", "sh", "-c", script]),
        b"",
    );
    assert_eq!(text(&output.stdout), "out\n");
    let stderr = text(&output.stderr);
    assert!(stderr.contains("err\n"), "{stderr}");
    assert!(
        stderr.contains("command terminated with exit code 7\n"),
        "{stderr}"
    );
    assert_eq!(output.status.code(), Some(7));

    let output = run(kubectl(&server, &["exec", "web", "--", "true"]), b"");
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn a_command_that_cannot_be_run_is_told() {
    let server = Server::start();
    let output = run(
        kubectl(&server, &["exec", "web", "--", "/no/such/program"]),
        b"",
    );
    let stderr = text(&output.stderr);
    assert!(stderr.contains("Internal error occurred: "), "{stderr}");
    assert!(stderr.contains("No such file or directory"), "{stderr}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn standard_input_is_passed_on_to_its_end() {
    let server = Server::start();
    let input: Vec<u8> = (0..20_000_000_u32)
        .map(|number| (number % 251) as u8)
        .collect();
    let output = run(
        kubectl(&server, &["exec", "-i", "web", "--", "cat"]),
        &input,
    );
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(
        output.stdout == input,
        "{} bytes came back",
        output.stdout.len()
    );
}

#[test]
fn what_is_not_read_of_standard_input_does_not_matter() {
    let server = Server::start();
    let input = vec![b'x'; 5_000_000];
    let output = run(
        kubectl(&server, &["exec", "-i", "web", "--", "head", "-c3"]),
        &input,
    );
    assert_eq!(text(&output.stdout), "xxx");
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn a_terminal_has_a_size_and_takes_what_is_typed() {
    let server = Server::start();
    let mut inner = kubectl(&server, &["exec", "-it", "web", "--", "sh", "-c"]);
    inner.arg("read line; echo \"read $line\"; stty size; tty >/dev/null && echo terminal; exit 3");
    let words: Vec<String> = std::iter::once(inner.get_program())
        .chain(inner.get_args())
        .map(|word| format!("'{}'", word.to_string_lossy()))
        .collect();
    let mut outer = Command::new("script");
    outer
        .args(["--quiet", "--return", "--command"])
        // Its window is as large as it likes, so it gets a size first.
        .arg(format!("stty rows 33 cols 99; {}", words.join(" ")))
        .arg("/dev/null")
        .env("KUBECONFIG", "/dev/null")
        .env("HOME", server.home());
    let output = run(outer, b"hello\n");
    let stdout = text(&output.stdout);
    for line in ["read hello\n", "33 99\n", "terminal\n"] {
        assert!(stdout.contains(line), "{stdout}");
    }
    assert_eq!(output.status.code(), Some(3), "{stdout}");
}

#[test]
fn folders_are_copied_both_ways() {
    let server = Server::start();
    let folder = tempfile::tempdir().expect("a folder");
    let local = folder.path().join("local");
    std::fs::create_dir_all(local.join("deep")).expect("a folder");
    std::fs::write(local.join("deep/big"), vec![7; 3_000_000]).expect("a file");
    std::fs::write(local.join("small"), "small").expect("a file");

    let inside = folder.path().join("inside");
    let there = format!("web:{}", inside.display());
    let copy = |from: &str, to: &str| {
        let output = run(kubectl(&server, &["cp", from, to]), b"");
        assert!(output.status.success(), "{}", text(&output.stderr));
    };
    copy(path(&local), &there);
    let back = folder.path().join("back");
    copy(&there, path(&back));
    for copied in [inside, back] {
        let big = std::fs::read(copied.join("deep/big")).expect("the file");
        assert!(big == vec![7; 3_000_000], "{} bytes", big.len());
        let small = std::fs::read_to_string(copied.join("small")).expect("the file");
        assert_eq!(small, "small");
    }
}

fn path(path: &Path) -> &str {
    path.to_str().expect("text")
}

#[test]
fn ports_are_forwarded_for_several_connections() {
    let server = Server::start();
    let echo = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = echo.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for connection in echo.incoming().flatten() {
            std::thread::spawn(move || {
                let mut reader = connection.try_clone().expect("a clone");
                let mut writer = &connection;
                let _ = std::io::copy(&mut reader, &mut writer);
                let _ = connection.shutdown(std::net::Shutdown::Write);
            });
        }
    });
    // One that nobody listens on.
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.local_addr().expect("an address").port()
    };

    let (open, shut) = (format!(":{port}"), format!(":{closed}"));
    let mut child = kubectl(
        &server,
        &["port-forward", "--address=127.0.0.1", "web", &open, &shut],
    )
    .stdout(Stdio::piped())
    .stderr(Stdio::piped())
    .spawn()
    .expect("kubectl");
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(
        child.stdout.take().expect("a pipe"),
    ));
    let mut forwarded = || {
        let line = lines.next().expect("a line").expect("text");
        let port = line
            .strip_prefix("Forwarding from 127.0.0.1:")
            .expect(&line);
        let port = port.split(' ').next().expect("a port");
        let port: u16 = port.parse().expect("a port");
        move || TcpStream::connect(("127.0.0.1", port)).expect("connect")
    };
    let (open, shut) = (forwarded(), forwarded());

    std::thread::scope(|scope| {
        for (number, stream) in (0..6).map(|_| open()).enumerate() {
            scope.spawn(move || {
                let sent = vec![number as u8; 400_000];
                stream
                    .set_read_timeout(Some(Duration::from_secs(60)))
                    .expect("a limit");
                std::thread::scope(|scope| {
                    scope.spawn(|| {
                        (&stream).write_all(&sent).expect("write");
                        stream
                            .shutdown(std::net::Shutdown::Write)
                            .expect("shutdown");
                    });
                    let mut received = Vec::new();
                    (&stream).read_to_end(&mut received).expect("read");
                    assert!(received == sent, "{number}: {} bytes", received.len());
                });
            });
        }
    });

    // Last, since newer versions end with it.
    let mut rest = Vec::new();
    let _ = shut().read_to_end(&mut rest);
    assert!(rest.is_empty());
    child.kill().expect("kill");
    let output = child.wait_with_output().expect("kubectl ends");
    let stderr = text(&output.stderr);
    assert!(stderr.contains("an error occurred forwarding"), "{stderr}");
    assert!(stderr.contains("it is closed"), "{stderr}");
}
