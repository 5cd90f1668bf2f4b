//! The last steps, common to containers and exec: from a root process in the right namespaces to the program.

use std::convert::Infallible;
use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, FileType, Gid, Mode, Uid, accessat, stat};
use rustix::process::{chdir, getcwd, ioctl_tiocsctty, setsid};
use rustix::thread::{
    set_keep_capabilities, set_no_new_privs, set_thread_groups, set_thread_res_gid,
    set_thread_res_uid,
};

use super::Context;
use super::user::{self, Identity};
use crate::capability;
use crate::error::{At, StartError, Step};
use crate::spec::{Process, SeccompProfile};
use crate::wire::{Reply, send};

/// Where programs are looked for when the environment has no `PATH`: containerd's default.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Standard streams, by number; a terminal replaces them all.
pub(super) enum Streams {
    Files([OwnedFd; 3]),
    Terminal {
        controller: OwnedFd,
        terminal: OwnedFd,
    },
}

/// What the program needs of its surroundings.
pub(super) struct Surroundings<'a> {
    pub(super) process: &'a Process,
    pub(super) privileged: bool,
    pub(super) streams: Streams,
    /// The helper, who is told when the program is about to start.
    pub(super) report: BorrowedFd<'a>,
}

/// Takes the streams from the job's descriptors; what is not given reads nothing.
pub(super) fn streams(
    stdio: [Option<usize>; 3],
    fds: &mut [Option<OwnedFd>],
) -> io::Result<Streams> {
    let mut take = |place: Option<usize>| -> io::Result<OwnedFd> {
        match place {
            Some(place) => fds
                .get_mut(place)
                .and_then(Option::take)
                .ok_or_else(|| io::ErrorKind::NotFound.into()),
            None => io::stdin().as_fd().try_clone_to_owned(),
        }
    };
    Ok(Streams::Files([
        take(stdio[0])?,
        take(stdio[1])?,
        take(stdio[2])?,
    ]))
}

/// Becomes the program. Returns only on failure.
pub(super) fn become_program(context: &Context<'_>, surroundings: Surroundings<'_>) -> StartError {
    match run(context, surroundings) {
        Err(error) => error,
    }
}

fn run(context: &Context<'_>, with: Surroundings<'_>) -> Result<Infallible, StartError> {
    let Surroundings {
        process,
        privileged,
        streams,
        report,
    } = with;
    let identity = user::resolve(&process.user)?;
    let env = environment(process, &identity);
    install_streams(streams, &identity, report)?;

    // Both as root and as the user: either may be the one who can enter (a root-squashed export, a private home).
    let entered = chdir(&process.cwd);

    let wanted = capability::resolve(&process.capabilities, privileged)?;
    let filter = match process.seccomp {
        SeccompProfile::RuntimeDefault if !privileged => Some(crate::seccomp::compile(wanted)),
        _ => None,
    };
    let keep = capability::bound(wanted).at(Step::Capabilities, || "drop bounding capabilities")?;
    if process.no_new_privileges {
        set_no_new_privs(true).at(Step::Capabilities, || "set no_new_privs")?;
    } else if let Some(filter) = &filter {
        // Without no_new_privs a filter needs CAP_SYS_ADMIN, so it comes before we give that up.
        sys::seccomp::install(filter).at(Step::Seccomp, || "install the seccomp filter")?;
    }
    switch_user(&identity)?;
    capability::apply(keep).at(Step::Capabilities, || "set capabilities")?;
    enter_directory(&process.cwd, entered)?;
    rustix::process::umask(Mode::from_raw_mode(0o022));
    sys::signal::reset().at(Step::Exec, || "reset signals")?;
    // Changing credentials cleared it.
    context.die_with_runner()?;
    if process.no_new_privileges
        && let Some(filter) = &filter
    {
        sys::seccomp::install(filter).at(Step::Seccomp, || "install the seccomp filter")?;
    }
    exec(&process.args, &env, report)
}

/// Puts the streams in place, owned by the user: it must be able to open `/dev/stdout` anew.
fn install_streams(
    streams: Streams,
    identity: &Identity,
    report: BorrowedFd<'_>,
) -> Result<(), StartError> {
    let step = || "install the standard streams";
    setsid().at(Step::Exec, || "start a session")?;
    let (files, controller) = match streams {
        Streams::Files(files) => (files, None),
        Streams::Terminal {
            controller,
            terminal,
        } => {
            ioctl_tiocsctty(&terminal).at(Step::Devices, || "take the controlling terminal")?;
            let copy = || terminal.try_clone();
            let files = [
                copy().at(Step::Devices, step)?,
                copy().at(Step::Devices, step)?,
                copy().at(Step::Devices, step)?,
            ];
            (files, Some(controller))
        }
    };
    for file in &files {
        give_to_user(file.as_fd(), identity).at(Step::Exec, step)?;
    }
    rustix::stdio::dup2_stdin(&files[0]).at(Step::Exec, step)?;
    rustix::stdio::dup2_stdout(&files[1]).at(Step::Exec, step)?;
    rustix::stdio::dup2_stderr(&files[2]).at(Step::Exec, step)?;
    if let Some(controller) = controller {
        send(report, &Reply::Terminal, &[controller.as_fd()])
            .at(Step::Devices, || "hand over the terminal")?;
    }
    Ok(())
}

fn give_to_user(file: BorrowedFd<'_>, identity: &Identity) -> io::Result<()> {
    let stat = rustix::fs::fstat(file)?;
    let kind = FileType::from_raw_mode(stat.st_mode);
    let is_terminal = rustix::termios::isatty(file);
    // /dev/null and other devices belong to the machine; a log file keeps its owner and stays readable to us.
    let ours = matches!(kind, FileType::Fifo | FileType::Socket) || is_terminal;
    if !ours || stat.st_uid == identity.uid {
        return Ok(());
    }
    match rustix::fs::fchown(file, Some(Uid::from_raw(identity.uid)), None) {
        // File systems and sandboxes that cannot change an owner still let the inherited descriptor be used.
        Ok(())
        | Err(
            rustix::io::Errno::PERM
            | rustix::io::Errno::INVAL
            | rustix::io::Errno::ROFS
            | rustix::io::Errno::NOSYS,
        ) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

fn switch_user(identity: &Identity) -> Result<(), StartError> {
    // Without it, leaving uid 0 would empty the sets that `capability::apply` sets next.
    set_keep_capabilities(true).at(Step::User, || "keep capabilities")?;
    let groups: Vec<Gid> = identity
        .groups
        .iter()
        .map(|gid| Gid::from_raw(*gid))
        .collect();
    let (uid, gid) = (Uid::from_raw(identity.uid), Gid::from_raw(identity.gid));
    set_thread_groups(&groups).at(Step::User, || "set supplemental groups")?;
    set_thread_res_gid(gid, gid, gid).at(Step::User, || format!("set group {}", identity.gid))?;
    set_thread_res_uid(uid, uid, uid).at(Step::User, || format!("set user {}", identity.uid))?;
    set_keep_capabilities(false).at(Step::User, || "stop keeping capabilities")
}

fn enter_directory(cwd: &Path, as_root: rustix::io::Result<()>) -> Result<(), StartError> {
    let what = || format!("chdir to cwd (\"{}\")", cwd.display());
    if as_root.is_err() {
        chdir(cwd).at(Step::WorkingDirectory, what)?;
    }
    // A directory outside the root, which a leaked descriptor could reach, has no path (CVE-2024-21626).
    let seen = getcwd(Vec::new()).at(Step::WorkingDirectory, what)?;
    if !seen.as_bytes().starts_with(b"/") {
        return Err(StartError::new(
            Step::WorkingDirectory,
            format!("{}: it is outside the container", what()),
        ));
    }
    Ok(())
}

/// The last of equal names counts; `PATH`, `HOME` and, on a terminal, `TERM` are added when missing.
fn environment(process: &Process, identity: &Identity) -> Vec<(String, String)> {
    let mut env: Vec<(String, String)> = Vec::with_capacity(process.env.len() + 2);
    for (name, value) in &process.env {
        match env.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => known.clone_from(value),
            None => env.push((name.clone(), value.clone())),
        }
    }
    let mut default = |name: &str, value: &str| {
        if !env.iter().any(|(known, _)| known == name) {
            env.push((name.to_owned(), value.to_owned()));
        }
    };
    default("PATH", DEFAULT_PATH);
    default("HOME", &identity.home);
    if process.tty {
        default("TERM", "xterm");
    }
    env
}

fn exec(
    args: &[String],
    env: &[(String, String)],
    report: BorrowedFd<'_>,
) -> Result<Infallible, StartError> {
    let Some(name) = args.first() else {
        return Err(StartError::new(Step::Exec, "no command specified"));
    };
    let path = env
        .iter()
        .find(|(name, _)| name == "PATH")
        .map_or("", |(_, path)| path.as_str());
    let program = look_up(name, path)?;
    let nul = |error: std::ffi::NulError| {
        StartError::new(
            Step::Exec,
            format!("exec: \"{name}\": an argument or variable: {error}"),
        )
    };
    let c_program = CString::new(program.as_os_str().as_encoded_bytes()).map_err(nul)?;
    let c_args = args
        .iter()
        .map(|arg| CString::new(arg.as_str()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(nul)?;
    let c_env = env
        .iter()
        .map(|(name, value)| CString::new(format!("{name}={value}")))
        .collect::<Result<Vec<_>, _>>()
        .map_err(nul)?;
    send(report, &Reply::Ready, &[]).at(Step::Exec, || "report to the helper")?;
    let error = sys::exec::execve(&c_program, &c_args, &c_env);
    Err(StartError::io(
        Step::Exec,
        format!("exec {}", program.display()),
        &error,
    ))
}

/// Finds the program as Go's `exec.LookPath`, whose words people know from runc.
fn look_up(name: &str, path: &str) -> Result<PathBuf, StartError> {
    let failed = |errno: Option<rustix::io::Errno>, text: &str| StartError {
        step: Step::Exec,
        errno: errno.map(rustix::io::Errno::raw_os_error),
        message: format!("exec: \"{name}\": {text}"),
    };
    if name.contains('/') {
        return match executable(Path::new(name)) {
            Ok(()) => Ok(name.into()),
            Err(error) => {
                let error = StartError::io(Step::Exec, format!("exec: \"{name}\""), &error);
                if error.is_errno(rustix::io::Errno::NOENT) {
                    return Err(failed(
                        Some(rustix::io::Errno::NOENT),
                        &format!("stat {name}: no such file or directory"),
                    ));
                }
                Err(error)
            }
        };
    }
    let mut denied = false;
    for dir in path.split(':') {
        // An empty entry is the working directory; a program from there must be asked for with a slash.
        if dir.is_empty() {
            continue;
        }
        let candidate = Path::new(dir).join(name);
        match executable(&candidate) {
            Ok(()) => return Ok(candidate),
            Err(error) => denied |= error.kind() == io::ErrorKind::PermissionDenied,
        }
    }
    if denied {
        return Err(failed(Some(rustix::io::Errno::ACCESS), "permission denied"));
    }
    Err(failed(
        Some(rustix::io::Errno::NOENT),
        "executable file not found in $PATH",
    ))
}

fn executable(path: &Path) -> io::Result<()> {
    let stat = stat(path)?;
    if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
        return Err(rustix::io::Errno::ISDIR.into());
    }
    // With the effective ids. Before Linux 5.8 only the C library could ask so; real and effective are the same here.
    match accessat(CWD, path, Access::EXEC_OK, AtFlags::EACCESS) {
        Err(rustix::io::Errno::NOSYS | rustix::io::Errno::INVAL | rustix::io::Errno::PERM) => {
            Ok(accessat(CWD, path, Access::EXEC_OK, AtFlags::empty())?)
        }
        other => Ok(other?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_looked_up_in_runcs_words() {
        let message = |name: &str, path: &str| look_up(name, path).expect_err(name).message;
        assert_eq!(
            look_up("sh", "/nowhere:/bin").expect("sh"),
            Path::new("/bin/sh")
        );
        assert_eq!(
            message("nope", "/bin"),
            "exec: \"nope\": executable file not found in $PATH"
        );
        assert_eq!(
            message("sh", ""),
            "exec: \"sh\": executable file not found in $PATH"
        );
        assert_eq!(
            message("/nope", "/bin"),
            "exec: \"/nope\": stat /nope: no such file or directory"
        );
        assert_eq!(
            message("/etc/passwd", ""),
            "exec: \"/etc/passwd\": permission denied"
        );
        assert_eq!(message("/etc", ""), "exec: \"/etc\": is a directory");
    }

    #[test]
    fn the_environment_is_completed_not_overridden() {
        let identity = Identity {
            uid: 1,
            gid: 1,
            groups: vec![1],
            home: "/h".into(),
        };
        let mut process = Process::new(["x"]);
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        process.env = vec![pair("A", "1"), pair("HOME", "/mine"), pair("A", "2")];
        assert_eq!(
            environment(&process, &identity),
            [
                pair("A", "2"),
                pair("HOME", "/mine"),
                pair("PATH", DEFAULT_PATH)
            ]
        );
        process.env.clear();
        process.tty = true;
        let env = environment(&process, &identity);
        assert!(env.contains(&pair("HOME", "/h")) && env.contains(&pair("TERM", "xterm")));
    }
}
