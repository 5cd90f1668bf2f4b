//! A busybox root file system, and the shortest way from a command to its output.

use std::fs::{self, File};
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use container::{
    ContainerSpec, ExitStatus, Launcher, Process, Rootfs, Running, Sandbox, SandboxSpec,
    StartError, Stdio,
};

const BUSYBOX: &str = "/bin/busybox";
const APPLETS: &[&str] = &[
    "sh", "cat", "ls", "id", "hostname", "mount", "umount", "mknod", "ps", "sleep", "touch",
    "true", "readlink", "stat", "grep", "env", "pwd", "unshare", "chroot", "ping", "mkdir", "rm",
    "tty", "ln", "kill", "head", "dd", "tail", "chmod", "chown", "echo", "wc", "df", "su", "ip",
    "test", "ipcs", "date", "nsenter",
];

/// A Pod with one image.
pub(crate) struct Fixture {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) launcher: Launcher,
    pub(crate) sandbox: Sandbox,
    instances: std::cell::Cell<usize>,
}

/// What a container wrote and how it ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self::with(&SandboxSpec {
            hostname: Some("my-pod".into()),
            ..Default::default()
        })
    }

    pub(crate) fn with(spec: &SandboxSpec) -> Self {
        assert!(
            rustix::process::geteuid().is_root(),
            "these tests must be run by root"
        );
        let dir = tempfile::tempdir().expect("temporary directory");
        make_image(&dir.path().join("image"));
        let launcher = Launcher::new().expect("launcher");
        let sandbox = launcher
            .create_sandbox(spec)
            .expect("sandbox")
            .finish()
            .expect("sandbox");
        Self {
            dir,
            launcher,
            sandbox,
            instances: 0.into(),
        }
    }

    pub(crate) fn image(&self) -> PathBuf {
        self.dir.path().join("image")
    }

    /// A container with an overlay root.
    pub(crate) fn spec(&self, args: &[&str]) -> ContainerSpec {
        let instance = self.instances.get();
        self.instances.set(instance + 1);
        let (upper, work) = (
            self.upper(instance),
            self.dir.path().join(format!("work-{instance}")),
        );
        fs::create_dir(&upper).expect("mkdir");
        fs::create_dir(&work).expect("mkdir");
        ContainerSpec {
            id: format!("c{instance}"),
            rootfs: Rootfs::Overlay {
                lower: vec![self.image()],
                upper,
                work,
            },
            read_only_root: false,
            process: Process::new(args.iter().copied()),
            privileged: false,
            proc_mount: container::ProcMount::Default,
            mounts: vec![],
            cgroup: None,
        }
    }

    pub(crate) fn upper(&self, instance: usize) -> PathBuf {
        self.dir.path().join(format!("upper-{instance}"))
    }

    pub(crate) fn shell(&self, script: &str) -> ContainerSpec {
        self.spec(&["sh", "-c", script])
    }

    pub(crate) fn start(&self, spec: &ContainerSpec) -> (Result<Running, StartError>, [File; 2]) {
        let (stdio, files) = pipes();
        let running = self
            .launcher
            .start(&self.sandbox, spec, stdio)
            .and_then(|s| s.finish());
        (running, files)
    }

    pub(crate) fn run(&self, spec: &ContainerSpec) -> Outcome {
        let (running, files) = self.start(spec);
        collect(&running.expect("start"), files)
    }

    /// Runs a script and returns what it printed; it must succeed.
    pub(crate) fn output(&self, script: &str) -> String {
        let outcome = self.run(&self.shell(script));
        assert_eq!(outcome.status.code, 0, "{outcome:?}");
        outcome.stdout
    }

    pub(crate) fn error(&self, spec: &ContainerSpec) -> StartError {
        self.start(spec).0.expect_err("must not start")
    }
}

pub(crate) fn pipes() -> (Stdio, [File; 2]) {
    use rustix::pipe::{PipeFlags, pipe_with};
    let (out, stdout) = pipe_with(PipeFlags::CLOEXEC).expect("pipe");
    let (err, stderr) = pipe_with(PipeFlags::CLOEXEC).expect("pipe");
    (
        Stdio {
            stdin: None,
            stdout,
            stderr,
        },
        [out.into(), err.into()],
    )
}

pub(crate) fn collect(running: &Running, [mut out, mut err]: [File; 2]) -> Outcome {
    let (mut stdout, mut stderr) = (String::new(), String::new());
    out.read_to_string(&mut stdout).expect("read");
    err.read_to_string(&mut stderr).expect("read");
    Outcome {
        status: running.wait().expect("wait"),
        stdout,
        stderr,
    }
}

/// Waits until the descriptor is readable or its other side gone.
pub(crate) fn readable(fd: &impl std::os::fd::AsFd) {
    let mut fds = [rustix::event::PollFd::new(fd, rustix::event::PollFlags::IN)];
    rustix::event::poll(&mut fds, None).expect("poll");
}

pub(crate) fn file_fd(path: &Path) -> OwnedFd {
    File::open(path).expect("open").into()
}

fn make_image(image: &Path) {
    assert!(
        Path::new(BUSYBOX).exists(),
        "install busybox-static to run these tests"
    );
    for dir in [
        "bin", "etc", "tmp", "proc", "sys", "dev", "root", "home/app",
    ] {
        fs::create_dir_all(image.join(dir)).expect("mkdir");
    }
    fs::copy(BUSYBOX, image.join("bin/busybox")).expect("copy busybox");
    for applet in APPLETS {
        std::os::unix::fs::symlink("busybox", image.join("bin").join(applet)).expect("symlink");
    }
    fs::write(
        image.join("etc/passwd"),
        "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n",
    )
    .expect("write");
    fs::write(
        image.join("etc/group"),
        "root:x:0:\napp:x:1001:\nvideo:x:44:app\n",
    )
    .expect("write");
}
