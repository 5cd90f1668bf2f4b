//! The supervisor of a Pod, as a process.

use std::fs;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a supervisor may take to begin anew. It waits for a moment at which nothing is being started.
const RESTARTS_WITHIN: Duration = Duration::from_secs(70);
const LOOK: Duration = Duration::from_millis(5);

/// A supervisor.
pub(super) struct Supervisor {
    pid: String,
}

impl Supervisor {
    /// That of the Pod with this UID.
    pub(super) fn of(uid: &str) -> Result<Self, String> {
        let processes = fs::read_dir("/proc").map_err(|error| format!("/proc: {error}"))?;
        for process in processes.flatten() {
            let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
            let mut words = line.split(|byte| *byte == 0);
            let supervises =
                words.any(|word| word == b"supervise") && words.any(|w| w == uid.as_bytes());
            if supervises && !uid.is_empty() {
                let pid = process.file_name().to_string_lossy().into_owned();
                return Ok(Self { pid });
            }
        }
        Err(format!("there is no supervisor of the Pod {uid}"))
    }

    /// Kills it, and with it all processes of the Pod.
    pub(super) fn kill(&self) -> Result<(), String> {
        self.signal("-KILL")
    }

    /// Has its program begin anew, and waits until it has.
    pub(super) fn restart(&self) -> Result<(), String> {
        let before = self.restarts()?;
        self.signal("-HUP")?;
        let end = Instant::now() + RESTARTS_WITHIN;
        while self.restarts()? == before {
            if Instant::now() > end {
                return Err(format!("the supervisor {} does not begin anew", self.pid));
            }
            sleep(LOOK);
        }
        Ok(())
    }

    /// How often it has begun anew: each program finds that in its environment.
    fn restarts(&self) -> Result<u32, String> {
        let path = format!("/proc/{}/environ", self.pid);
        let environment = fs::read(&path).map_err(|error| format!("{path}: {error}"))?;
        let mut variables = environment.split(|byte| *byte == 0);
        let count = variables.find_map(|text| text.strip_prefix(b"PILLION_RESTARTS="));
        let count = String::from_utf8_lossy(count.unwrap_or(b"0")).into_owned();
        count.parse().map_err(|error| format!("{path}: {error}"))
    }

    fn signal(&self, signal: &str) -> Result<(), String> {
        match Command::new("kill").arg(signal).arg(&self.pid).status() {
            Ok(status) if status.success() => Ok(()),
            other => Err(format!("kill {signal} {}: {other:?}", self.pid)),
        }
    }
}
