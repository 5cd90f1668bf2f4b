//! Servers and clients: `httpd`, `nc`, `wget`.

use std::rc::Rc;

use super::exec::Shell;
use super::programs::forever;
use crate::sim::http::{self, Request};
use crate::sim::kernel::{self, Listener, Serves, TICK};

pub(super) async fn run(shell: &mut Shell, name: &str, arguments: &[String]) -> i32 {
    match name {
        "httpd" => httpd(shell, arguments).await,
        "nc" => netcat(shell, arguments).await,
        "wget" => wget(shell, arguments).await,
        name => {
            shell.lacks(format!("the program {name}"));
            127
        }
    }
}

/// The port in `8080` or `127.0.0.1:8080`.
fn port_of(text: &str) -> Option<u16> {
    text.rsplit(':').next()?.parse().ok()
}

/// Serves a directory. Without `-f` the server is a process of its own, which nobody waits for.
async fn httpd(shell: &mut Shell, arguments: &[String]) -> i32 {
    let (mut port, mut home, mut foreground) = (80, shell.directory.clone(), false);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "-p" => port = rest.next().and_then(|text| port_of(text)).unwrap_or(80),
            "-h" => home = shell.path(rest.next().map_or("/", String::as_str)),
            "-f" => foreground = true,
            "-v" | "-vv" => {}
            other => shell.lacks(format!("httpd {other}")),
        }
    }
    let serves = Serves::Http(Rc::clone(&shell.image), home);
    let cell = shell.image.cell.clone();
    if shell.kernel.borrow().listeners.contains_key(&port) {
        shell.complain("httpd: bind: Address already in use");
        return 1;
    }
    if foreground {
        let listener = Listener {
            pid: shell.pid,
            serves,
        };
        shell.kernel.borrow_mut().listeners.insert(port, listener);
        return forever(shell).await;
    }
    let mut server = shell.subshell();
    let handle = Rc::clone(&shell.kernel);
    let mut kernel = shell.kernel.borrow_mut();
    let pid = kernel.spawn(cell, None, false, move |pid| {
        server.pid = pid;
        server.kernel = handle;
        // It holds neither output nor input.
        server.fds = [
            super::exec::Fd::Null,
            super::exec::Fd::Null,
            super::exec::Fd::Null,
        ];
        Box::pin(async move { forever(&server).await })
    });
    kernel.listeners.insert(port, Listener { pid, serves });
    0
}

/// `nc -l -p PORT`, or a connection to a port.
async fn netcat(shell: &mut Shell, arguments: &[String]) -> i32 {
    let (mut listens, mut again, mut port, mut others) = (false, false, None, Vec::new());
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.strip_prefix('-') {
            Some("p") => port = rest.next().and_then(|text| port_of(text)),
            Some("e") => {
                // What answers does not matter to who only connects.
                rest.by_ref().for_each(drop);
            }
            Some("w" | "i") => {
                rest.next();
            }
            Some(flags) if flags.chars().all(|c| "lkvnz".contains(c)) => {
                listens |= flags.contains('l');
                again |= flags.contains('k') || flags.matches('l').count() > 1;
                if again && !listens {
                    listens = true;
                }
            }
            Some(flags) => shell.lacks(format!("nc -{flags}")),
            None => others.push(argument.as_str()),
        }
    }
    if !listens {
        let port = others.get(1).and_then(|text| port_of(text));
        let open = port.is_some_and(|port| shell.kernel.borrow().listeners.contains_key(&port));
        kernel::sleep(&shell.kernel, shell.pid, TICK).await;
        return i32::from(!open);
    }
    let Some(port) = port.or_else(|| others.last().and_then(|text| port_of(text))) else {
        shell.lacks("nc without a port");
        return 1;
    };
    if shell.kernel.borrow().listeners.contains_key(&port) {
        shell.complain("nc: bind: Address already in use");
        return 1;
    }
    let listener = Listener {
        pid: shell.pid,
        serves: Serves::Connection { once: !again },
    };
    shell.kernel.borrow_mut().listeners.insert(port, listener);
    let pid = shell.pid;
    // Who connects takes the listener away when it listens once.
    kernel::look(&shell.kernel, pid, |kernel| {
        kernel
            .listeners
            .get(&port)
            .is_none_or(|listener| listener.pid != pid)
    })
    .await;
    0
}

async fn wget(shell: &mut Shell, arguments: &[String]) -> i32 {
    let (mut output, mut url, mut quiet) = (None, None, false);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "-O" => output = rest.next().cloned(),
            "-T" | "-t" => {
                rest.next();
            }
            "--spider" => output = Some("/dev/null".to_owned()),
            flag if flag.starts_with("-O") => output = Some(flag[2..].to_owned()),
            flag if flag.starts_with("-qO") => {
                quiet = true;
                let joined = flag[3..].to_owned();
                output = Some(joined)
                    .filter(|joined| !joined.is_empty())
                    .or_else(|| rest.next().cloned());
            }
            "-q" | "-S" | "-c" => quiet = true,
            flag if flag.starts_with('-') => shell.lacks(format!("wget {flag}")),
            address => url = Some(address.to_owned()),
        }
    }
    let request = url.as_deref().and_then(Request::from_url);
    let Some(request) = request else {
        shell.lacks("wget of this address");
        return 1;
    };
    let own = ["localhost", "127.0.0.1", shell.image.pod_ip.as_str()];
    if !own.contains(&request.host.as_str()) {
        shell.lacks(format!("wget from {}", request.host));
        return 1;
    }
    let reply = http::get(&shell.kernel, shell.pid, &request).await;
    match reply {
        Ok(reply) if (200..300).contains(&reply.status) => {
            match output.as_deref() {
                Some("-") => shell.print(&reply.body),
                Some("/dev/null") => {}
                Some(path) => {
                    let path = shell.path(path);
                    let mounts = &shell.image.mounts;
                    let written = mounts.truncate(&path);
                    let _ = written.and_then(|()| mounts.append(&path, reply.body.as_bytes()));
                }
                None => shell.lacks("wget into a file of the server's name"),
            }
            0
        }
        Ok(reply) => {
            if !quiet {
                shell.complain(&format!("wget: server returned error: {}", reply.status));
            }
            1
        }
        Err(error) => {
            shell.complain(&format!("wget: {error}"));
            1
        }
    }
}
