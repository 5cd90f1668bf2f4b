//! A further process in a running container.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{Mode, OFlags, open};
use rustix::termios::{Winsize, tcsetwinsize};
use rustix::thread::{ThreadNameSpaceType as T, move_into_thread_name_spaces};
use sys::clone::CloneSpec;

use super::devices::terminal_of;
use super::process::{Streams, Surroundings, become_program, streams};
use super::start::adjust_oom_score;
use super::{Answer, Context};
use crate::error::{At, StartError, Step};
use crate::wire::ExecJob;

pub(super) fn exec(context: &Context<'_>, job: ExecJob, fds: Vec<OwnedFd>) -> Answer {
    run(context, &job, fds).unwrap_or_else(Answer::from)
}

fn run(context: &Context<'_>, job: &ExecJob, fds: Vec<OwnedFd>) -> Result<Answer, StartError> {
    let mut notes = Vec::new();
    adjust_oom_score(job.process.oom_score_adj, &mut notes)?;
    let birthplace = job
        .cgroup
        .as_ref()
        .and_then(|cgroup| cgroup.birthplace())
        .map(|path| {
            open(
                path,
                OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
                Mode::empty(),
            )
            .at(Step::Cgroup, || format!("open cgroup {}", path.display()))
        })
        .transpose()?;
    let mut places: Vec<Option<OwnedFd>> = fds.into_iter().map(Some).collect();
    let container = places
        .get_mut(job.container)
        .and_then(Option::take)
        .ok_or_else(|| StartError::new(Step::Launch, "the container's descriptor is missing"))?;
    let streams = streams(job.stdio, &mut places).at(Step::Exec, || "take the standard streams")?;
    drop(places);
    // One call joins all or none. The PID namespace takes effect for the child, everything else at once.
    let all = T::NETWORK
        | T::HOST_NAME_AND_NIS_DOMAIN_NAME
        | T::INTER_PROCESS_COMMUNICATION
        | T::PROCESS_ID
        | T::CONTROL_GROUP
        | T::MOUNT;
    move_into_thread_name_spaces(container.as_fd(), all).map_err(|errno| {
        let error = io::Error::from(errno);
        if errno == rustix::io::Errno::SRCH {
            return StartError {
                step: Step::Namespaces,
                errno: error.raw_os_error(),
                message: "cannot exec in a container that is not running".to_owned(),
            };
        }
        StartError::io(Step::Namespaces, "join the container's namespaces", &error)
    })?;
    drop(container);
    let spec = CloneSpec {
        as_sibling: true,
        cgroup: birthplace.as_ref().map(AsFd::as_fd),
        ..CloneSpec::default()
    };
    context.launch(&spec, notes, |context, report| {
        let prepared = context.die_with_runner().and_then(|()| {
            if !job.process.tty {
                return Ok(streams);
            }
            let open_terminal = || -> io::Result<Streams> {
                let pts = open(
                    "/dev/pts",
                    OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC,
                    Mode::empty(),
                )?;
                let (controller, terminal) = terminal_of(pts.as_fd())?;
                if let Some((rows, columns)) = job.process.terminal_size {
                    let size = Winsize {
                        ws_row: rows,
                        ws_col: columns,
                        ws_xpixel: 0,
                        ws_ypixel: 0,
                    };
                    tcsetwinsize(&controller, size)?;
                }
                Ok(Streams::Terminal {
                    controller,
                    terminal,
                })
            };
            open_terminal().at(Step::Devices, || "open a terminal")
        });
        match prepared {
            Err(error) => error,
            Ok(streams) => become_program(
                context,
                Surroundings {
                    process: &job.process,
                    privileged: job.privileged,
                    streams,
                    report,
                },
            ),
        }
    })
}
