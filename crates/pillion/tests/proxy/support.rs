//! nginx as the app, the program in front of it, and who asks them.

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Bytes of `/slow/large`.
pub(crate) const LARGE: usize = 300_000;
/// For what takes a moment; a busy machine takes several.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for something that is going to be so.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// What a program prints; it has to succeed.
pub(crate) fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let output = output.expect(program);
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {err}");
    String::from_utf8(output.stdout).expect("text")
}

/// What a server answers; that has to be a success.
pub(crate) fn curl(arguments: &[&str]) -> String {
    let all = ["-sSk", "--fail", "--max-time", "60"];
    run("curl", &[&all[..], arguments].concat())
}

/// A port on which nobody listens just now.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// Writes `tls.crt` and `tls.key` for localhost into a new folder.
pub(crate) fn certificate(folder: &Path, name: &str) {
    fs::create_dir(folder).expect("a folder");
    let path = |name: &str| folder.join(name).display().to_string();
    let arguments = [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ];
    let subject = format!("/CN={name}");
    let files = [
        "-subj",
        &subject,
        "-addext",
        "subjectAltName=DNS:localhost",
        "-keyout",
        &path("tls.key"),
        "-out",
        &path("tls.crt"),
    ];
    run("openssl", &[&arguments[..], &files[..]].concat());
}

/// A program that ends with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// nginx on a Unix socket.
pub(crate) struct App {
    folder: TempDir,
    _process: Process,
}

impl App {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // Its workers are another user's when root starts it.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(folder.path(), open).expect("rights");
        let path = |name: &str| folder.path().join(name).display().to_string();
        for sub in ["", "slow", "stuck"] {
            fs::create_dir_all(folder.path().join("www").join(sub)).expect("a folder");
        }
        fs::write(path("www/index.html"), "hello\n").expect("a page");
        fs::write(path("www/slow/large"), vec![b'x'; LARGE]).expect("a file");
        fs::write(path("www/stuck/large"), vec![b'x'; LARGE]).expect("a file");
        let text = format!(
            "daemon off; master_process off; pid {pid}; error_log {log};
             events {{}}
             http {{
               access_log off;
               client_body_temp_path {tmp}; proxy_temp_path {tmp}; fastcgi_temp_path {tmp};
               uwsgi_temp_path {tmp}; scgi_temp_path {tmp};
               server {{
                 listen unix:{socket};
                 root {root};
                 location /slow/ {{ limit_rate 200k; }}
                 location /stuck/ {{ limit_rate 2k; }}
                 location = /told {{
                   add_header X-Told \"$http_x_forwarded_proto $http_x_forwarded_for\";
                   return 200 told;
                 }}
               }}
             }}",
            pid = path("pid"),
            log = path("error.log"),
            tmp = path("tmp"),
            socket = path("app.sock"),
            root = path("www"),
        );
        fs::write(path("nginx.conf"), text).expect("a file");
        let process = Command::new("nginx")
            .args(["-c", &path("nginx.conf")])
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx");
        let app = Self {
            folder,
            _process: Process(process),
        };
        let socket = app.folder.path().join("app.sock");
        until("nginx listens", || socket.exists());
        app
    }

    /// Where it is, as `--to` takes it.
    pub(crate) fn at(&self) -> String {
        format!("unix:{}/app.sock", self.folder.path().display())
    }
}

/// `pillion proxy`.
pub(crate) struct Proxy {
    process: Process,
    folder: TempDir,
    port: u16,
    plain: u16,
}

impl Proxy {
    /// By flags, of which those about addresses are added.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let (port, plain) = (free_port(), free_port());
        let listen = format!("127.0.0.1:{port}");
        let metrics = format!("127.0.0.1:{plain}");
        let own = [
            "--listen",
            &listen,
            "--metrics",
            &metrics,
            "--admin",
            "None",
        ];
        Self::start_at(port, plain, &[arguments, &own[..]].concat())
    }

    /// With all arguments, at these ports.
    pub(crate) fn start_at(port: u16, plain: u16, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str| fs::File::create(folder.path().join(name)).expect("a file");
        let process = Command::new(env!("CARGO_BIN_EXE_pillion"))
            .arg("proxy")
            .args(arguments)
            .env_remove("PILLION_GRACE_PERIOD_SECONDS")
            .stdout(file("out"))
            .stderr(file("err"))
            .spawn()
            .expect("the program");
        let mut proxy = Self {
            process: Process(process),
            folder,
            port,
            plain,
        };
        until("it is ready", || {
            let ended = proxy.process.0.try_wait().expect("a status");
            assert!(ended.is_none(), "{}", proxy.said());
            let asked = Command::new("curl")
                .args(["-s", "--fail", "-o", "/dev/null", &proxy.page("/readyz")])
                .status();
            asked.expect("curl").success()
        });
        proxy
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://127.0.0.1:{}{path}", self.port)
    }

    /// A page of the plain port.
    pub(crate) fn page(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.plain)
    }

    fn read(&self, name: &str) -> String {
        let mut text = String::new();
        let mut file = fs::File::open(self.folder.path().join(name)).expect("a file");
        file.read_to_string(&mut text).expect("text");
        text
    }

    /// What it said of itself so far.
    pub(crate) fn said(&self) -> String {
        self.read("err")
    }

    pub(crate) fn until_said(&self, text: &str) {
        until(text, || self.said().contains(text));
    }

    fn signal(&self, name: &str) {
        run("kill", &[name, &self.process.0.id().to_string()]);
    }

    pub(crate) fn terminate(&self) {
        self.signal("-TERM");
    }

    pub(crate) fn hang_up(&self) {
        self.signal("-HUP");
    }

    /// Waits for its end: exit code, access log, what it said.
    pub(crate) fn wait(&mut self) -> (Option<i32>, String, String) {
        let mut code = None;
        until("it ends", || {
            let status = self.process.0.try_wait().expect("a status");
            code = status.and_then(|status| status.code());
            status.is_some()
        });
        (code, self.read("out"), self.said())
    }

    pub(crate) fn end(&mut self) -> (Option<i32>, String, String) {
        self.terminate();
        self.wait()
    }
}
