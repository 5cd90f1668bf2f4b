//! What the shell does itself.

use super::exec::{Fd, Shell, Stop};
use super::{programs, test};
use crate::sim::kernel::{self, Disposition, Waited};

/// Signals by name.
const SIGNALS: [(&str, i32); 14] = [
    ("EXIT", 0),
    ("HUP", 1),
    ("INT", 2),
    ("QUIT", 3),
    ("ABRT", 6),
    ("KILL", 9),
    ("USR1", 10),
    ("SEGV", 11),
    ("USR2", 12),
    ("PIPE", 13),
    ("ALRM", 14),
    ("TERM", 15),
    ("CHLD", 17),
    ("WINCH", 28),
];

/// A signal by name or number.
pub(crate) fn signal_number(name: &str) -> Option<i32> {
    let bare = name.to_ascii_uppercase();
    let bare = bare.strip_prefix("SIG").unwrap_or(&bare);
    let named = SIGNALS.iter().find(|(known, _)| *known == bare);
    named
        .map(|(_, number)| *number)
        .or_else(|| name.parse().ok().filter(|n| (0..64).contains(n)))
}

/// Runs a builtin; nothing when there is none of this name.
pub(super) async fn run(
    shell: &mut Shell,
    name: &str,
    arguments: &[String],
) -> Option<Result<(), Stop>> {
    let first = arguments.first().map(String::as_str);
    let number = first.and_then(|text| text.parse::<i32>().ok());
    let levels = usize::try_from(number.unwrap_or(1)).unwrap_or(1).max(1);
    shell.status = match name {
        ":" | "true" => 0,
        "false" => 1,
        "exit" | "return" => {
            if let Some(code) = number {
                shell.status = code & 0xff;
            }
            return Some(Err(if name == "exit" {
                Stop::Exit
            } else {
                Stop::Return
            }));
        }
        "break" => return Some(Err(Stop::Break(levels))),
        "continue" => return Some(Err(Stop::Continue(levels))),
        "eval" => return Some(shell.run_text(&arguments.join(" ")).await),
        "." | "source" => return Some(source(shell, first).await),
        "exec" => return Some(replace(shell, arguments).await),
        "command" | "builtin" if first == Some("-v") => {
            let known = arguments.iter().skip(1).all(|name| {
                shell.functions.contains_key(name) || programs::exists(&shell.image, name)
            });
            i32::from(!known)
        }
        "command" | "builtin" => return Some(shell.call(arguments).await),
        "[" | "test" => test::run(shell, name, arguments),
        "cd" => {
            let path = shell.path(first.unwrap_or("/root"));
            let is_directory =
                shell.image.mounts.get(&path) == Some(crate::sim::fs::Entry::Directory);
            if is_directory {
                shell.directory = path;
            }
            i32::from(!is_directory)
        }
        "pwd" => {
            shell.print(&format!("{}\n", shell.directory));
            0
        }
        "export" | "local" | "readonly" => {
            assign(shell, name, arguments);
            0
        }
        "unset" => {
            for name in arguments.iter().filter(|name| !name.starts_with('-')) {
                shell.variables.remove(name);
                shell.functions.remove(name);
                shell.exported.remove(name);
            }
            0
        }
        "set" => {
            options(shell, arguments);
            0
        }
        "shift" => {
            let levels = usize::try_from(number.unwrap_or(1)).unwrap_or(1);
            let enough = levels <= shell.arguments.len();
            if enough {
                shell.arguments.drain(..levels);
            }
            i32::from(!enough)
        }
        "read" => read(shell, arguments),
        "trap" => trap(shell, arguments),
        "wait" => wait(shell, arguments).await,
        "kill" => kill(shell, arguments),
        "umask" | "ulimit" | "hash" | "alias" => 0,
        _ => return None,
    };
    Some(Ok(()))
}

async fn source(shell: &mut Shell, path: Option<&str>) -> Result<(), Stop> {
    let bytes = shell
        .image
        .mounts
        .read(&shell.path(path.unwrap_or_default()));
    match bytes {
        Ok(bytes) => {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            match shell.run_text(&text).await {
                Err(Stop::Return) => Ok(()),
                result => result,
            }
        }
        Err(_) => {
            shell.complain(&format!("sh: can't open {:?}", path.unwrap_or_default()));
            shell.status = 2;
            Err(Stop::Exit)
        }
    }
}

/// `exec`: the program takes the shell's place, and what the shell caught is caught no more.
async fn replace(shell: &mut Shell, arguments: &[String]) -> Result<(), Stop> {
    if arguments.is_empty() {
        shell.status = 0;
        return Ok(());
    }
    for signal in shell.traps.keys() {
        let ignored = shell.traps.get(signal).is_some_and(String::is_empty);
        let to = ignored.then_some(Disposition::Ignore);
        shell.kernel.borrow_mut().dispose(shell.pid, *signal, to);
    }
    shell.traps.clear();
    programs::run(shell, arguments).await;
    Err(Stop::Exit)
}

fn assign(shell: &mut Shell, builtin: &str, arguments: &[String]) {
    for argument in arguments.iter().filter(|a| !a.starts_with('-')) {
        let name = match argument.split_once('=') {
            Some((name, value)) => {
                shell.variables.insert(name.to_owned(), value.to_owned());
                name
            }
            None => argument,
        };
        if builtin == "export" {
            shell.exported.insert(name.to_owned());
        }
    }
}

fn options(shell: &mut Shell, arguments: &[String]) {
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--" => {
                shell.arguments = rest.cloned().collect();
                return;
            }
            "-o" | "+o" => {
                if rest.next().is_some_and(|option| option == "errexit") {
                    shell.exit_on_error = argument == "-o";
                }
            }
            flags if flags.starts_with('-') => shell.exit_on_error |= flags.contains('e'),
            flags if flags.starts_with('+') => shell.exit_on_error &= !flags.contains('e'),
            first => {
                let others = rest.cloned();
                shell.arguments = std::iter::once(first.to_owned()).chain(others).collect();
                return;
            }
        }
    }
}

/// Reads a line into variables.
fn read(shell: &mut Shell, arguments: &[String]) -> i32 {
    let mut line = Vec::new();
    let mut ended = false;
    if let Fd::Input(bytes) = &shell.fds[0] {
        let mut bytes = bytes.borrow_mut();
        while let Some(byte) = bytes.pop_front() {
            if byte == b'\n' {
                ended = true;
                break;
            }
            line.push(byte);
        }
    }
    let line = String::from_utf8_lossy(&line).into_owned();
    let names: Vec<&String> = arguments.iter().filter(|a| !a.starts_with('-')).collect();
    let mut rest = line.trim_matches([' ', '\t']);
    for (position, name) in names.iter().enumerate() {
        let value = if position + 1 == names.len() {
            std::mem::take(&mut rest)
        } else {
            let (word, others) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
            rest = others.trim_start_matches([' ', '\t']);
            word
        };
        shell.variables.insert((*name).clone(), value.to_owned());
    }
    i32::from(!ended)
}

fn trap(shell: &mut Shell, arguments: &[String]) -> i32 {
    let arguments = match arguments {
        [first, rest @ ..] if first == "--" => rest,
        all => all,
    };
    let Some((action, signals)) = arguments.split_first() else {
        return 0;
    };
    let (action, signals) = match signals {
        // With one argument that is a signal the trap is taken away.
        [] => (None, std::slice::from_ref(action)),
        signals => (Some(action.as_str()).filter(|a| *a != "-"), signals),
    };
    let mut status = 0;
    for name in signals {
        let Some(signal) = signal_number(name) else {
            shell.complain(&format!("trap: {name}: invalid signal specification"));
            status = 1;
            continue;
        };
        let to = action.map(|action| {
            if action.is_empty() {
                Disposition::Ignore
            } else {
                Disposition::Catch
            }
        });
        match action {
            Some(action) => shell.traps.insert(signal, action.to_owned()),
            None => shell.traps.remove(&signal),
        };
        if signal != 0 && shell.owner {
            shell.kernel.borrow_mut().dispose(shell.pid, signal, to);
        }
    }
    status
}

/// Waits for children; a signal that is caught ends it.
async fn wait(shell: &mut Shell, arguments: &[String]) -> i32 {
    let mut status = 0;
    let children = arguments.iter().map(|argument| argument.parse().ok());
    let children: Vec<_> = if arguments.is_empty() {
        vec![None]
    } else {
        children.collect()
    };
    for child in children {
        if child.is_none() && !arguments.is_empty() {
            status = 127;
            continue;
        }
        match kernel::wait(&shell.kernel, shell.pid, child).await {
            Waited::Ended(code) => status = code,
            Waited::Signalled(signal) => return 128 + signal,
        }
    }
    status
}

fn kill(shell: &mut Shell, arguments: &[String]) -> i32 {
    let mut signal = kernel::SIGTERM;
    let mut status = 0;
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        if argument == "-s" {
            signal = rest.next().and_then(|s| signal_number(s)).unwrap_or(signal);
            continue;
        }
        if let Some(name) = argument.strip_prefix('-').filter(|_| status == 0)
            && let Some(number) = signal_number(name)
        {
            signal = number;
            continue;
        }
        let cell = shell.image.cell.clone();
        let target = match (argument.as_str(), cell) {
            ("1", Some(cell)) => shell.kernel.borrow().first_of(&cell),
            (number, _) => number.parse().ok(),
        };
        let sent = target.is_some_and(|pid| shell.kernel.borrow_mut().signal(pid, signal));
        if !sent {
            status = 1;
        }
    }
    status
}
