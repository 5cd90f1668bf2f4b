//! Running programs: what busybox has and the scenarios use.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;

use super::exec::{Image, Shell};
use super::{builtins, files, network, test, text};
use crate::sim::fs::Entry;
use crate::sim::kernel::{self, Millis, TICK};

/// Programs of busybox that are run here.
const KNOWN: &str = " sh ash [ test true false echo printf cat touch rm unlink mkdir rmdir chmod chown chgrp mv cp \
    ln readlink ls cmp mktemp tee sync grep wc head tail tr sed cut sort uniq seq expr basename dirname date sleep \
    usleep env printenv timeout nohup setsid hostname httpd nc wget kill busybox yes pwd ";

/// Programs of busybox that are not run here: a script that uses one of them is not simulated.
const UNKNOWN: &str = " awk df dd du find id mount umount stat ps top nslookup ping telnet ip ifconfig route netstat \
    free vi xargs tar gzip gunzip md5sum sha1sum sha256sum od hexdump xxd diff patch less more mkfifo mknod su \
    whoami uname uptime watch who killall pidof pgrep pkill renice nice ionice flock inotifyd logger mesg stty tty \
    swapoff swapon sysctl taskset unshare nsenter chroot fallocate truncate split strings rev tac paste nl fold \
    ftpget ftpput tftp traceroute traceroute6 ping6 arping dnsdomainname ipcalc base64 base32 bc dc which getopt \
    install realpath comm cksum factor shuf shred sum time tsort ttysize uuencode uudecode vmstat \
    nproc groups logname last lsof pmap pstree pwdx smemcap fuser ";

fn listed(list: &str, name: &str) -> bool {
    !name.contains(' ') && list.contains(&format!(" {name} "))
}

/// The name of a program of busybox, by name or by its path in the image.
fn applet(name: &str) -> Option<&str> {
    let bare = ["/bin/", "/usr/bin/", "/sbin/", "/usr/sbin/"]
        .iter()
        .find_map(|directory| name.strip_prefix(directory))
        .unwrap_or(name);
    let known = listed(KNOWN, bare) || listed(UNKNOWN, bare);
    known.then_some(bare)
}

/// Whether there is such a program in the image.
pub(crate) fn exists(image: &Image, name: &str) -> bool {
    let file = || matches!(image.mounts.get(name), Some(Entry::File(_)));
    applet(name).is_some() || name.starts_with('/') && file()
}

/// Runs a program to its end; its code is the shell's status then.
pub(crate) fn run<'a>(
    shell: &'a mut Shell,
    words: &'a [String],
) -> Pin<Box<dyn Future<Output = ()> + 'a>> {
    Box::pin(async move {
        let Some((name, arguments)) = words.split_first() else {
            return;
        };
        shell.status = match applet(name) {
            Some(applet) if listed(KNOWN, applet) => known(shell, applet, arguments).await,
            Some(applet) => {
                shell.lacks(format!("the program {applet}"));
                127
            }
            None => script(shell, name, arguments).await,
        };
    })
}

/// A file that is a script.
async fn script(shell: &mut Shell, name: &str, arguments: &[String]) -> i32 {
    let path = shell.path(name);
    let bytes = if name.contains('/') {
        shell.image.mounts.read(&path).ok()
    } else {
        None
    };
    let Some(bytes) = bytes else {
        shell.complain(&format!("sh: {name}: not found"));
        return 127;
    };
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let interpreter = text.lines().next().and_then(|line| line.strip_prefix("#!"));
    if interpreter.is_some_and(|line| !line.trim().ends_with("sh")) {
        shell.lacks(format!("{name}: an interpreter other than sh"));
    }
    let mut inner = program_of(shell);
    inner.name = name.to_owned();
    inner.arguments = arguments.to_vec();
    inner.run_shell(&text).await;
    inner.status
}

/// A new program in the place of this shell: it has the exported variables and nothing else.
fn program_of(shell: &Shell) -> Shell {
    let exported = |name: &String| shell.exported.contains(name);
    let variables: BTreeMap<_, _> = shell
        .variables
        .iter()
        .filter(|(name, _)| exported(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let mut inner = shell.subshell();
    inner.functions.clear();
    inner.exported = variables.keys().cloned().collect();
    inner.variables = variables;
    inner.exit_on_error = false;
    inner.in_condition = 0;
    // The only shell of its process when nobody else handles the signals of that.
    inner.owner = shell.owner && shell.traps.is_empty();
    inner
}

async fn known(shell: &mut Shell, name: &str, arguments: &[String]) -> i32 {
    if let Some(status) = files::run(shell, name, arguments) {
        return status;
    }
    let follows = arguments.iter().any(|a| a == "-f" || a == "-F");
    if name == "tail" && follows || name == "yes" {
        return forever(shell).await;
    }
    if let Some(status) = text::run(shell, name, arguments) {
        return status;
    }
    match name {
        "true" => 0,
        "false" => 1,
        "sh" | "ash" => sh(shell, arguments).await,
        "[" | "test" => test::run(shell, name, arguments),
        "busybox" => {
            run(shell, arguments).await;
            shell.status
        }
        "kill" | "pwd" => {
            let _ = builtins::run(shell, name, arguments).await;
            shell.status
        }
        "sleep" | "usleep" => sleep(shell, name, arguments).await,
        "env" | "printenv" => environment(shell, name, arguments).await,
        "nohup" | "setsid" => {
            run(shell, arguments).await;
            shell.status
        }
        "timeout" => timeout(shell, arguments).await,
        "hostname" => {
            shell.lacks("the host name");
            1
        }
        name => network::run(shell, name, arguments).await,
    }
}

/// Waits for a signal that ends it.
pub(super) async fn forever(shell: &Shell) -> i32 {
    // Far beyond any scenario, and a timer that does no harm.
    kernel::sleep(&shell.kernel, shell.pid, Millis::from(i32::MAX)).await;
    0
}

/// `sh -c`, or a script.
async fn sh(shell: &mut Shell, arguments: &[String]) -> i32 {
    let mut inner = program_of(shell);
    let mut rest = arguments;
    let mut command = false;
    while let [first, others @ ..] = rest {
        let Some(flags) = first.strip_prefix(['-', '+']) else {
            break;
        };
        rest = others;
        command |= flags.contains('c');
        inner.exit_on_error |= flags.contains('e');
        if flags.contains('o') {
            rest = rest.get(1..).unwrap_or_default();
        }
    }
    let Some((text, rest)) = rest.split_first() else {
        if command {
            shell.complain("sh: -c requires an argument");
            return 2;
        }
        let text = String::from_utf8_lossy(&shell.input()).into_owned();
        inner.run_shell(&text).await;
        return inner.status;
    };
    if !command {
        inner.arguments = rest.to_vec();
        inner.name.clone_from(text);
        return match inner.image.mounts.read(&inner.path(text)) {
            Ok(bytes) => {
                let script = String::from_utf8_lossy(&bytes).into_owned();
                inner.run_shell(&script).await;
                inner.status
            }
            Err(_) => {
                shell.complain(&format!(
                    "sh: can't open '{text}': No such file or directory"
                ));
                2
            }
        };
    }
    if let Some((name, arguments)) = rest.split_first() {
        inner.name.clone_from(name);
        inner.arguments = arguments.to_vec();
    }
    inner.run_shell(text).await;
    inner.status
}

/// A time as `sleep` takes it.
fn duration(text: &str) -> Option<Millis> {
    if matches!(text, "inf" | "infinity") {
        return Some(Millis::from(i32::MAX));
    }
    let (number, unit) = match text.chars().last()? {
        's' => (text.trim_end_matches('s'), 1.0),
        'm' => (text.trim_end_matches('m'), 60.0),
        'h' => (text.trim_end_matches('h'), 3600.0),
        'd' => (text.trim_end_matches('d'), 86400.0),
        _ => (text, 1.0),
    };
    let seconds: f64 = number.parse().ok().filter(|n| *n >= 0.0)?;
    let millis = (seconds * unit * 1000.0).min(f64::from(i32::MAX));
    Some(millis.round() as Millis)
}

async fn sleep(shell: &Shell, name: &str, arguments: &[String]) -> i32 {
    let millis = if name == "usleep" {
        let micros = arguments.first().and_then(|a| a.parse::<Millis>().ok());
        micros.map(|micros| micros / 1000)
    } else {
        let times = arguments.iter().map(|text| duration(text));
        times
            .sum::<Option<Millis>>()
            .filter(|_| !arguments.is_empty())
    };
    let Some(millis) = millis else {
        shell.complain(&format!("{name}: invalid number"));
        return 1;
    };
    // The kernel's clock does not show less than a tick.
    let millis = (millis + TICK - 1) / TICK * TICK;
    kernel::sleep(&shell.kernel, shell.pid, millis).await;
    0
}

async fn environment(shell: &mut Shell, name: &str, arguments: &[String]) -> i32 {
    if name == "printenv" && !arguments.is_empty() {
        let value = shell.variables.get(&arguments[0]).cloned();
        let value = value.filter(|_| shell.exported.contains(&arguments[0]));
        shell.print(&value.as_ref().map(|v| format!("{v}\n")).unwrap_or_default());
        return i32::from(value.is_none());
    }
    let mut inner = program_of(shell);
    let mut rest = arguments;
    while let Some((variable, value)) = rest.first().and_then(|a| a.split_once('=')) {
        inner
            .variables
            .insert(variable.to_owned(), value.to_owned());
        inner.exported.insert(variable.to_owned());
        rest = &rest[1..];
    }
    if rest.is_empty() {
        for (variable, value) in &inner.variables {
            shell.print(&format!("{variable}={value}\n"));
        }
        return 0;
    }
    run(&mut inner, rest).await;
    inner.status
}

/// `timeout SECONDS COMMAND`: the command is a child that gets a signal when the time is over.
async fn timeout(shell: &mut Shell, arguments: &[String]) -> i32 {
    let mut rest = arguments;
    let mut signal = kernel::SIGTERM;
    if let [flag, name, others @ ..] = rest
        && flag == "-s"
    {
        signal = builtins::signal_number(name).unwrap_or(signal);
        rest = others;
    }
    let Some((limit, command)) = rest.split_first() else {
        return 1;
    };
    let Some(limit) = duration(limit) else {
        return 1;
    };
    let mut child = program_of(shell);
    let command = command.to_vec();
    let cell = shell.image.cell.clone();
    let pid = shell.kernel.borrow_mut().spawn(cell, None, false, |pid| {
        child.pid = pid;
        child.owner = true;
        Box::pin(async move {
            run(&mut child, &command).await;
            child.status
        })
    });
    let end = shell.kernel.borrow().now() + limit;
    kernel::look(&shell.kernel, shell.pid, |kernel| {
        kernel.code(pid).is_some() || kernel.now() >= end
    })
    .await;
    let alive = shell.kernel.borrow().code(pid).is_none();
    if alive {
        shell.kernel.borrow_mut().signal(pid, signal);
    }
    let code = kernel::join(&shell.kernel, shell.pid, pid).await;
    // What the signal ended has the code of the signal; busybox passes it on.
    code
}
