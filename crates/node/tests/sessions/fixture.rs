//! A node with a busybox image, and Pods on it.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use image::{ImportOptions, Reference, Store};
use manifest::core::v1::{self, ContainerStatus};
use manifest::{Object, Source};
use node::output::{Message, Output};
use node::paths::Paths;
use node::session::{ExecRequest, Session};
use node::{Node, Observer, Options, PodControl, PodHandle};
use tokio::io::AsyncReadExt;
use tokio::sync::watch;

const BUSYBOX: &str = "/bin/busybox";
const APPLETS: &[&str] = &[
    "sh", "cat", "ls", "id", "mknod", "mkfifo", "ps", "sleep", "touch", "true", "readlink", "stat",
    "env", "pwd", "mkdir", "rm", "tty", "ln", "kill", "head", "dd", "chmod", "chown", "echo", "wc",
    "nc", "test", "stty", "find", "sort", "mv", "seq", "printf", "httpd", "yes",
];

/// Nothing here takes so long; what does hangs.
const HANGS: Duration = Duration::from_secs(60);

/// One node, in a directory of its own that goes with it.
pub(crate) struct Fixture {
    pub(crate) node: Arc<Node>,
    _root: tempfile::TempDir,
}

/// A running Pod.
pub(crate) struct Pod {
    pub(crate) control: PodControl,
    pub(crate) handle: PodHandle,
}

/// What a command wrote and how it ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs a test on this very thread.
pub(crate) fn block_on(test: impl Future<Output = ()>) {
    block_on_for(HANGS, test);
}

/// Runs a test that may take longer.
pub(crate) fn block_on_for(limit: Duration, test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("runtime");
    runtime.block_on(async {
        tokio::time::timeout(limit, test).await.expect("it hangs");
    });
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        Self::with(Arc::new(())).await
    }

    /// With what its observer sees.
    pub(crate) async fn watched() -> (Self, Arc<Seen>) {
        let seen = Arc::new(Seen::default());
        (
            Self::with(Arc::clone(&seen) as Arc<dyn Observer>).await,
            seen,
        )
    }

    async fn with(observer: Arc<dyn Observer>) -> Self {
        let root = tempfile::tempdir().expect("tempdir");
        let paths = Paths::new(Some(root.path()));
        std::fs::create_dir_all(&paths.lib).expect("mkdir");
        import(&Store::open(&paths.images()).expect("store"));
        let (output, mut messages) = Output::channel();
        tokio::spawn(async move {
            while let Some(message) = messages.recv().await {
                if let Message::Note(note) = message {
                    println!("note: {note}");
                }
            }
        });
        let options = Options {
            root: Some(root.path().to_owned()),
            ..Options::default()
        };
        let node = Node::open(options, output, observer).await;
        Self {
            node: node.expect("node"),
            _root: root,
        }
    }

    /// Starts the Pod whose spec this is, and waits until all its containers run.
    pub(crate) async fn pod(&self, spec: &str) -> Pod {
        let pod = self.started(spec).await;
        let all = |pod: &v1::Pod| pod.spec.containers.len() + pod.spec.init_containers.len();
        let runs = |status: &ContainerStatus| {
            let state = status.state.as_ref();
            state.is_some_and(|state| state.running.is_some())
        };
        let until = |pod: &Arc<v1::Pod>| {
            pod.status.as_ref().is_some_and(|status| {
                let statuses = status.container_statuses.iter();
                statuses
                    .chain(&status.init_container_statuses)
                    .filter(|s| runs(s))
                    .count()
                    == all(pod)
            })
        };
        pod.handle.status().wait_for(until).await.expect("status");
        pod
    }

    /// Whether the Pod whose spec this is cannot be started.
    pub(crate) async fn started_fails(&self, spec: &str) -> bool {
        self.node.start(vec![parse(spec)], &[]).await.is_err()
    }

    /// Starts the Pod whose spec this is.
    pub(crate) async fn started(&self, spec: &str) -> Pod {
        let mut handles = self
            .node
            .start(vec![parse(spec)], &[])
            .await
            .expect("start");
        let handle = handles.pop().expect("one Pod");
        Pod {
            control: handle.control(),
            handle,
        }
    }
}

/// What an observer sees: events as `Reason: message`, and `gone`.
#[derive(Debug, Default)]
pub(crate) struct Seen(watch::Sender<Vec<String>>);

impl Seen {
    pub(crate) async fn wait_for(&self, is: impl FnMut(&Vec<String>) -> bool) {
        self.0.subscribe().wait_for(is).await.expect("seen");
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.0.borrow().clone()
    }
}

impl Observer for Seen {
    fn pod(&self, _: &Arc<v1::Pod>) {}

    fn event(&self, event: &v1::Event) {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let line = format!("{}: {}", text(&event.reason), text(&event.message));
        self.0.send_modify(|all| all.push(line));
    }

    fn gone(&self, _: &Arc<v1::Pod>) {
        self.0.send_modify(|all| all.push("gone".into()));
    }
}

impl Pod {
    /// Runs a shell script in the container `app` to its end.
    pub(crate) async fn shell(&self, script: &str) -> Outcome {
        self.exec(&["sh", "-c", script]).await
    }

    /// Runs a command in the container `app` to its end.
    pub(crate) async fn exec(&self, command: &[&str]) -> Outcome {
        let session = self.control.exec(request(command)).await.expect("exec");
        collect(session).await
    }

    /// Ends the Pod; nothing of it must be left.
    pub(crate) async fn end(self) {
        self.control.kill();
        let outcome = self.handle.wait().await;
        assert_eq!(outcome.leftovers, Vec::<String>::new());
    }
}

/// A command in the container `app` with its output.
pub(crate) fn request(command: &[&str]) -> ExecRequest {
    ExecRequest {
        container: "app".into(),
        command: command.iter().map(|word| (*word).to_owned()).collect(),
        stdout: true,
        stderr: true,
        ..ExecRequest::default()
    }
}

/// Reads a session to its end.
pub(crate) async fn collect(mut session: Session) -> Outcome {
    drop(session.stdin.take());
    let (mut stdout, mut stderr) = (String::new(), String::new());
    let (mut out, mut err) = (session.stdout.take(), session.stderr.take());
    let (out, err) = tokio::join!(
        async {
            match &mut out {
                Some(out) => out.read_to_string(&mut stdout).await.map(drop),
                None => Ok(()),
            }
        },
        async {
            match &mut err {
                Some(err) => err.read_to_string(&mut stderr).await.map(drop),
                None => Ok(()),
            }
        }
    );
    out.expect("read");
    err.expect("read");
    Outcome {
        code: session.wait().await,
        stdout,
        stderr,
    }
}

/// A Pod with this spec, as a manifest would have it.
pub(crate) fn parse(spec: &str) -> v1::Pod {
    let spec: String = spec.lines().map(|line| format!("  {line}\n")).collect();
    let text = format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: web}}\nspec:\n{spec}");
    let loaded = manifest::load(&[Source {
        name: "pod.yaml".into(),
        bytes: text.into_bytes(),
    }]);
    let loaded = loaded.unwrap_or_else(|errors| panic!("{errors:?}"));
    match loaded.objects.into_iter().next() {
        Some(Object::Pod(pod)) => pod.object,
        _ => panic!("no Pod"),
    }
}

/// One container `app` that sleeps, and what else there is of its entry.
pub(crate) fn sleeper(more: &str) -> String {
    format!(
        "terminationGracePeriodSeconds: 0\ncontainers:\n- {{name: app, image: busybox, command: [sleep, '1000'], {more}}}"
    )
}

fn import(store: &Store) {
    assert!(
        Path::new(BUSYBOX).exists(),
        "install busybox-static to run these tests"
    );
    let mut tar = tar::Builder::new(Vec::new());
    let folder = |tar: &mut tar::Builder<Vec<u8>>, name: &str, mode| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Directory);
        header.set_mode(mode);
        header.set_size(0);
        tar.append_data(&mut header, name, std::io::empty())
            .expect("tar");
    };
    for name in ["bin", "etc", "root", "home"] {
        folder(&mut tar, name, 0o755);
    }
    folder(&mut tar, "tmp", 0o1777);
    let mut file = File::open(BUSYBOX).expect("busybox");
    tar.append_file("bin/busybox", &mut file).expect("tar");
    for applet in APPLETS {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        tar.append_link(&mut header, format!("bin/{applet}"), "busybox")
            .expect("tar");
    }
    for (name, text) in [
        (
            "etc/passwd",
            "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1001::/home:/bin/sh\n",
        ),
        ("etc/group", "root:x:0:\nuser:x:1001:\n"),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(text.len() as u64);
        tar.append_data(&mut header, name, text.as_bytes())
            .expect("tar");
    }
    let tar = tar.into_inner().expect("tar");
    let tag = Reference::parse("busybox").expect("reference");
    store
        .import(tar.as_slice(), ImportOptions::new(tag))
        .expect("import");
}
