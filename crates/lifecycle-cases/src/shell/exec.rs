//! The shell: lists, pipelines, processes, traps.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use super::ast::{Command, Connector, Item, Pipeline, Script};
use super::parse::parse;
use super::programs;
use crate::sim::fs::{Mounts, normal};
use crate::sim::kernel::{self, Cell, Handle, Pid};

/// Bytes that a pipe holds.
pub(crate) type Buffer = Rc<RefCell<Vec<u8>>>;

/// What a container wrote: to standard output and to both.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) stdout: Vec<u8>,
    pub(crate) both: Vec<u8>,
}

/// What the processes of one container's run share.
#[derive(Debug)]
pub(crate) struct Image {
    pub(crate) cell: Cell,
    pub(crate) mounts: Mounts,
    pub(crate) log: Rc<RefCell<Log>>,
    /// The Pod's address, by which its servers can be reached too.
    pub(crate) pod_ip: String,
}

/// Where a file descriptor leads.
#[derive(Clone, Debug)]
pub(crate) enum Fd {
    Null,
    /// Bytes to be read, from the front.
    Input(Rc<RefCell<std::collections::VecDeque<u8>>>),
    /// A pipe to be written to.
    Pipe(Buffer),
    /// The container's log: standard output, or standard error.
    Log {
        error: bool,
    },
    /// The end of a file.
    File(String),
}

/// Why a list is not gone through to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    Break(usize),
    Continue(usize),
    Return,
    Exit,
}

pub(super) type Step<'a> = Pin<Box<dyn Future<Output = Result<(), Stop>> + 'a>>;

/// What an `exec`, a first process or a server's program starts with.
pub(crate) struct Start {
    pub(crate) image: Rc<Image>,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: BTreeMap<String, String>,
    /// Whether it is the first process of its container.
    pub(crate) first: bool,
    /// Where its output goes; the container's log when absent.
    pub(crate) output: Option<Buffer>,
    pub(crate) directory: String,
}

impl Start {
    /// Begins the process.
    pub(crate) fn spawn(self, kernel: &Handle) -> Pid {
        let handle = Rc::clone(kernel);
        let cell = self.image.cell.clone();
        let first = self.first;
        kernel.borrow_mut().spawn(cell, None, first, move |pid| {
            Box::pin(async move {
                let mut shell = Shell::new(handle, pid, self.image, self.environment, self.output);
                shell.directory = self.directory;
                // An empty command line was refused before.
                let _ = programs::run(&mut shell, &self.arguments).await;
                shell.status
            })
        })
    }
}

/// A shell, or the surroundings of a program that is none.
#[derive(Clone)]
pub(crate) struct Shell {
    pub(crate) kernel: Handle,
    pub(crate) pid: Pid,
    pub(crate) image: Rc<Image>,
    pub(super) variables: BTreeMap<String, String>,
    pub(super) exported: BTreeSet<String>,
    pub(super) functions: BTreeMap<String, Rc<Command>>,
    pub(super) name: String,
    pub(super) arguments: Vec<String>,
    pub(super) status: i32,
    pub(super) background: Option<Pid>,
    /// By signal; 0 is the end of the shell.
    pub(super) traps: BTreeMap<i32, String>,
    pub(super) fds: [Fd; 3],
    pub(super) directory: String,
    /// Whether signals of the process are this shell's to handle; not those of a subshell in it.
    pub(super) owner: bool,
    pub(super) exit_on_error: bool,
    /// How deep in conditions, whose failure is no error.
    pub(super) in_condition: u32,
}

impl Shell {
    pub(crate) fn new(
        kernel: Handle,
        pid: Pid,
        image: Rc<Image>,
        environment: BTreeMap<String, String>,
        output: Option<Buffer>,
    ) -> Self {
        let (out, error) = match output {
            Some(buffer) => (Fd::Pipe(Rc::clone(&buffer)), Fd::Pipe(buffer)),
            None => (Fd::Log { error: false }, Fd::Log { error: true }),
        };
        Self {
            kernel,
            pid,
            image,
            exported: environment.keys().cloned().collect(),
            variables: environment,
            functions: BTreeMap::new(),
            name: "sh".to_owned(),
            arguments: Vec::new(),
            status: 0,
            background: None,
            traps: BTreeMap::new(),
            fds: [Fd::Null, out, error],
            directory: "/".to_owned(),
            owner: true,
            exit_on_error: false,
            in_condition: 0,
        }
    }

    /// A copy that does not change this one: what is caught here is not caught there.
    pub(super) fn subshell(&self) -> Self {
        let mut shell = self.clone();
        shell.owner = false;
        shell.traps.clear();
        shell
    }

    /// An absolute path.
    pub(super) fn path(&self, path: &str) -> String {
        normal(&self.directory, path)
    }

    pub(super) fn write(&self, fd: usize, bytes: &[u8]) {
        match &self.fds[fd] {
            Fd::Null | Fd::Input(_) => {}
            Fd::Pipe(buffer) => buffer.borrow_mut().extend_from_slice(bytes),
            Fd::Log { error } => {
                let mut log = self.image.log.borrow_mut();
                log.both.extend_from_slice(bytes);
                if !error {
                    log.stdout.extend_from_slice(bytes);
                }
            }
            Fd::File(path) => {
                // The file may be gone; a descriptor of it would still take bytes.
                let _ = self.image.mounts.append(path, bytes);
            }
        }
    }

    pub(super) fn print(&self, text: &str) {
        self.write(1, text.as_bytes());
    }

    /// Says on standard error what went wrong.
    pub(super) fn complain(&self, text: &str) {
        self.write(2, format!("{text}\n").as_bytes());
    }

    /// All of standard input that is left.
    pub(super) fn input(&self) -> Vec<u8> {
        match &self.fds[0] {
            Fd::Input(bytes) => bytes.borrow_mut().drain(..).collect(),
            _ => Vec::new(),
        }
    }

    /// Notes that something is needed which is not simulated.
    pub(super) fn lacks(&self, what: impl Into<String>) {
        self.kernel.borrow_mut().unsupported(what);
    }

    /// Runs a script text to its end; the EXIT trap with it.
    pub(super) async fn run_shell(&mut self, text: &str) {
        let _ = self.run_text(text).await;
        if let Some(action) = self.traps.remove(&0) {
            let status = self.status;
            if self.run_text(&action).await.is_ok() {
                self.status = status;
            }
        }
    }

    /// Runs commands given as text.
    pub(super) fn run_text<'a>(&'a mut self, text: &'a str) -> Step<'a> {
        Box::pin(async move {
            match parse(text) {
                Ok(script) => self.run(&script).await,
                Err(fault) => {
                    self.lacks(format!("sh: {fault}"));
                    self.status = 2;
                    Err(Stop::Exit)
                }
            }
        })
    }

    /// Runs a list.
    pub(super) fn run<'a>(&'a mut self, script: &'a Script) -> Step<'a> {
        Box::pin(async move {
            for item in &script.items {
                kernel::step(&self.kernel, self.pid).await;
                if item.background {
                    self.spawn(item);
                    self.status = 0;
                } else {
                    self.chain(item).await?;
                }
                self.signals().await?;
            }
            Ok(())
        })
    }

    /// Runs a list whose failure is no error.
    pub(super) async fn run_condition(&mut self, script: &Script) -> Result<bool, Stop> {
        self.in_condition += 1;
        let done = self.run(script).await;
        self.in_condition -= 1;
        done.map(|()| self.status == 0)
    }

    /// Begins a child in the background.
    fn spawn(&mut self, item: &Item) {
        let mut child = self.subshell();
        let item = Item {
            background: false,
            ..item.clone()
        };
        let cell = self.image.cell.clone();
        child.fds[0] = Fd::Null;
        let pid = self
            .kernel
            .borrow_mut()
            .spawn(cell, Some(self.pid), false, move |pid| {
                child.pid = pid;
                child.owner = true;
                Box::pin(async move {
                    let _ = child.chain(&item).await;
                    child.status
                })
            });
        self.background = Some(pid);
    }

    /// Pipelines joined by `&&` and `||`.
    fn chain<'a>(&'a mut self, item: &'a Item) -> Step<'a> {
        Box::pin(async move {
            let condition = !item.rest.is_empty();
            self.judged(&item.first, condition).await?;
            for (position, (connector, pipeline)) in item.rest.iter().enumerate() {
                if (*connector == Connector::And) == (self.status == 0) {
                    let condition = position + 1 < item.rest.len();
                    self.judged(pipeline, condition).await?;
                }
            }
            Ok(())
        })
    }

    /// A pipeline that is a condition, or is none.
    async fn judged(&mut self, pipeline: &Pipeline, condition: bool) -> Result<(), Stop> {
        self.in_condition += u32::from(condition);
        let done = self.pipeline(pipeline).await;
        self.in_condition -= u32::from(condition);
        done
    }

    /// Commands, one after the other, each reading what the one before wrote.
    async fn pipeline(&mut self, pipeline: &Pipeline) -> Result<(), Stop> {
        let result = match pipeline.commands.as_slice() {
            [command] => self.command(command).await,
            commands => {
                self.piped(commands).await;
                Ok(())
            }
        };
        if pipeline.negated && result.is_ok() {
            self.status = i32::from(self.status == 0);
            return Ok(());
        }
        result?;
        if self.status != 0 && self.exit_on_error && self.in_condition == 0 {
            return Err(Stop::Exit);
        }
        Ok(())
    }

    async fn piped(&mut self, commands: &[Command]) {
        let mut input = self.fds[0].clone();
        for (position, command) in commands.iter().enumerate() {
            let mut shell = self.subshell();
            shell.fds[0] = input.clone();
            let output = Buffer::default();
            if position + 1 < commands.len() {
                shell.fds[1] = Fd::Pipe(Rc::clone(&output));
            }
            let _ = shell.command(command).await;
            self.status = shell.status;
            let bytes = output.borrow_mut().drain(..).collect();
            input = Fd::Input(Rc::new(RefCell::new(bytes)));
        }
    }

    /// Runs the traps of the signals that came meanwhile.
    pub(super) async fn signals(&mut self) -> Result<(), Stop> {
        if !self.owner {
            return Ok(());
        }
        loop {
            let signal = self.kernel.borrow_mut().take_signal(self.pid);
            let Some(signal) = signal else { return Ok(()) };
            if let Some(action) = self.traps.get(&signal).cloned() {
                let status = self.status;
                self.run_text(&action).await?;
                self.status = status;
            }
        }
    }
}
