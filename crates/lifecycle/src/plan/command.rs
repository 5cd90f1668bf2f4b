//! What can be told of a container's program by reading its command: whether it is a shell that stays in front of the
//! program, whether it ever ends, whether SIGTERM reaches anybody.
//!
//! Scripts are read, not understood: words, quotes and what separates commands. Whatever is in doubt counts as harmless.

use manifest::core::v1::Container;

const SHELLS: [&str; 6] = ["sh", "bash", "ash", "dash", "ksh", "zsh"];
/// Programs that serve until they are stopped, by which they are known to everybody.
const SERVERS: [&str; 18] = [
    "caddy",
    "cloud-sql-proxy",
    "envoy",
    "filebeat",
    "fluent-bit",
    "fluentd",
    "haproxy",
    "httpd",
    "memcached",
    "mysqld",
    "nginx",
    "otelcol",
    "pgbouncer",
    "postgres",
    "promtail",
    "redis-server",
    "traefik",
    "vector",
];
/// The same by the names of their images, where those differ.
const SERVER_IMAGES: [&str; 6] = [
    "mariadb",
    "mongo",
    "mysql",
    "rabbitmq",
    "redis",
    "otel-collector",
];
/// Programs without a handler for SIGTERM, which as first processes of a container ignore it (R8.15).
const UNHANDLED: [&str; 3] = ["cat", "sleep", "tail"];
/// Commands that are over at once, or nearly.
const BRIEF: [&str; 32] = [
    ".", ":", "[", "cat", "cd", "chmod", "chown", "cp", "date", "done", "echo", "env", "esac",
    "exit", "export", "false", "fi", "grep", "hostname", "id", "ln", "ls", "mkdir", "mv", "printf",
    "pwd", "rm", "set", "sleep", "test", "touch", "true",
];

/// Seconds of sleep that are long for a script of quick commands.
const LONG: u64 = 60;

/// How SIGTERM fares with the first process of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OnSigterm {
    /// Nothing speaks against it: the program handles it.
    Handled,
    /// A trap of the shell handles it, after so many seconds of sleep.
    Trapped(u64),
    /// A trap of the shell would handle it, once the program in the foreground has ended, which it does not.
    Late,
    /// It is ignored; by a shell, or by the program of this name.
    Ignored(Option<&'static str>),
}

/// A command, read.
#[derive(Debug)]
pub(crate) struct Program {
    /// The script that a shell is to run.
    script: Option<Vec<Command>>,
    /// The words, where no shell is in between.
    words: Vec<String>,
    /// The image's name without registry, path, tag and digest.
    image: String,
}

/// A simple command of a script.
#[derive(Debug, Default)]
struct Command {
    words: Vec<String>,
    /// It runs in the background, or hands its output on: it is not the shell's last word.
    aside: bool,
}

impl Program {
    pub(crate) fn of(container: &Container) -> Self {
        let words = container.command.iter().chain(&container.args);
        let words: Vec<String> = words.cloned().collect();
        let image = container.image.as_deref().unwrap_or_default();
        let image = base_name(image.split('@').next().unwrap_or_default());
        let image = image.split(':').next().unwrap_or_default().to_owned();
        let shell = !container.command.is_empty()
            && words
                .first()
                .is_some_and(|word| SHELLS.contains(&base_name(word)));
        // `-c`, `-ec`, `-e -c`, `-o pipefail -c`
        let flag = words.iter().position(|word| {
            word.starts_with('-') && !word.starts_with("--") && word.ends_with('c')
        });
        let script = flag.filter(|_| shell).and_then(|at| words.get(at + 1));
        let script = script.map(|script| commands(script));
        Self {
            script,
            words: if container.command.is_empty() {
                Vec::new()
            } else {
                words
            },
            image,
        }
    }

    /// Whether it runs until it is stopped.
    pub(crate) fn is_endless(&self) -> bool {
        match &self.script {
            Some(script) => loops_for_ever(script) || last_program(script).is_some_and(serves),
            None if self.words.is_empty() => {
                SERVERS.contains(&self.image.as_str())
                    || SERVER_IMAGES.contains(&self.image.as_str())
            }
            None => serves(&self.words),
        }
    }

    /// Whether it takes longer than a handful of quick commands, as far as that can be seen.
    fn may_run_long(&self) -> bool {
        let Some(script) = &self.script else {
            return true;
        };
        let brief = |command: &[String]| {
            command
                .first()
                .is_some_and(|word| BRIEF.contains(&base_name(word)))
        };
        let finite_loop = script
            .iter()
            .any(|command| command.words.first().is_some_and(|word| word == "for"));
        self.is_endless()
            || !finite_loop && sleeps(script) >= LONG
            || !finite_loop && last_program(script).is_some_and(|command| !brief(command))
    }

    /// What SIGTERM does to it. `brief` says whether that is told of programs that end by themselves, too.
    pub(crate) fn on_sigterm(&self, brief: bool) -> OnSigterm {
        let Some(script) = &self.script else {
            return match unhandled(&self.words) {
                Some(name) if brief || self.is_endless() => OnSigterm::Ignored(Some(name)),
                _ => OnSigterm::Handled,
            };
        };
        let trap = script.iter().find(|command| {
            let words = &command.words;
            words.first().is_some_and(|word| word == "trap")
                && words.len() > 2
                && words[2..]
                    .iter()
                    .any(|word| matches!(word.as_str(), "TERM" | "SIGTERM" | "15"))
        });
        if let Some(trap) = trap {
            // A shell looks at its traps only between two commands; `wait` alone is interrupted.
            let is_held = script
                .iter()
                .skip_while(|command| first(&command.words) != "trap")
                .any(|command| !command.aside && serves(&command.words));
            return match trap.words[1].trim() {
                "" => OnSigterm::Ignored(None),
                _ if is_held => OnSigterm::Late,
                action => OnSigterm::Trapped(sleeps(&commands(action))),
            };
        }
        let last = last_program(script).unwrap_or_default();
        // A shell makes way for its last program: when told to, and when that is all there is.
        let alone = script.len() == 1
            && !script[0].aside
            && !["while", "until", "for", "if"].contains(&first(&script[0].words));
        let replaced = alone
            || script
                .iter()
                .any(|command| first(&command.words) == "exec" && command.words.len() > 1);
        if replaced {
            return match unhandled(last) {
                Some(name) if brief || self.is_endless() => OnSigterm::Ignored(Some(name)),
                _ => OnSigterm::Handled,
            };
        }
        if brief || self.may_run_long() {
            OnSigterm::Ignored(None)
        } else {
            OnSigterm::Handled
        }
    }

    /// Whether it is over nearly at once, as far as that can be seen.
    pub(crate) fn is_brief(&self) -> bool {
        let brief = match &self.script {
            Some(_) => !self.may_run_long(),
            None => BRIEF.contains(&base_name(first(&self.words))),
        };
        brief && !self.is_endless()
    }

    /// Seconds that it sleeps in all, where it is plain that it does: no loop, no condition, an end.
    pub(crate) fn seconds_slept(&self) -> Option<u64> {
        const NOT_PLAIN: [&str; 5] = ["while", "until", "for", "if", "case"];
        let seconds = match &self.script {
            Some(script) => {
                let mut words = script.iter().map(|command| first(&command.words));
                if words.any(|word| NOT_PLAIN.contains(&word)) {
                    return None;
                }
                sleeps(script)
            }
            None => sleep_of(&self.words)?,
        };
        (seconds > 0 && !self.is_endless()).then_some(seconds)
    }

    /// Whether the script calls `kill`: its own way to end.
    pub(crate) fn kills(&self) -> bool {
        let script = self
            .script
            .iter()
            .flatten()
            .map(|command| command.words.as_slice());
        script
            .chain([self.words.as_slice()])
            .any(|words| words.iter().any(|word| base_name(word) == "kill"))
    }
}

/// Seconds that a hook's command sleeps, as far as that can be read.
pub(crate) fn seconds_slept(command: &[String]) -> Option<u64> {
    let container = Container {
        command: command.to_vec(),
        ..Container::default()
    };
    let program = Program::of(&container);
    let seconds = match program.script {
        Some(script) => sleeps(&script),
        None => sleep_of(&program.words).unwrap_or(0),
    };
    (seconds > 0).then_some(seconds)
}

fn base_name(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

fn first(words: &[String]) -> &str {
    words.first().map_or("", String::as_str)
}

/// The words of what the shell runs last, without `exec`.
fn last_program(script: &[Command]) -> Option<&[String]> {
    let last = script.iter().rfind(|command| !command.words.is_empty())?;
    let words = &last.words[..];
    Some(
        words
            .strip_prefix(&["exec".to_owned()][..])
            .unwrap_or(words),
    )
}

/// Seconds of all sleeps in a row; loops count once, and a branch as if it were taken.
fn sleeps(script: &[Command]) -> u64 {
    script
        .iter()
        .filter(|command| !command.aside)
        .filter_map(|command| sleep_of(&command.words))
        .fold(0, u64::saturating_add)
}

fn sleep_of(words: &[String]) -> Option<u64> {
    let words = words
        .strip_prefix(&["exec".to_owned()][..])
        .unwrap_or(words);
    if base_name(first(words)) != "sleep" {
        return None;
    }
    let (number, unit) = match words.get(1)?.as_str() {
        "infinity" | "inf" => return Some(u64::MAX),
        word => match word.find(|c: char| !c.is_ascii_digit() && c != '.') {
            Some(at) => word.split_at(at),
            None => (word, "s"),
        },
    };
    let scale = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86400,
        _ => return None,
    };
    let whole: u64 = number.split('.').next()?.parse().ok()?;
    Some(whole.saturating_mul(scale))
}

fn unhandled(words: &[String]) -> Option<&'static str> {
    UNHANDLED
        .into_iter()
        .find(|name| *name == base_name(first(words)))
}

/// A program that serves or follows until it is stopped.
fn serves(words: &[String]) -> bool {
    let follows = || {
        words.iter().skip(1).any(|word| {
            word == "--follow"
                || word.starts_with('-') && !word.starts_with("--") && word.contains(['f', 'F'])
        })
    };
    match base_name(first(words)) {
        "tail" => follows(),
        "sleep" => sleep_of(words).is_some_and(|seconds| seconds >= 3600),
        name => SERVERS.contains(&name) && !asks_only(words),
    }
}

/// `nginx -t` and the like: a question, not a server.
fn asks_only(words: &[String]) -> bool {
    const QUESTIONS: [&str; 10] = [
        "-t",
        "-T",
        "-v",
        "-V",
        "--version",
        "--help",
        "-h",
        "--validate",
        "validate",
        "version",
    ];
    words
        .iter()
        .skip(1)
        .any(|word| QUESTIONS.contains(&word.as_str()))
}

/// A loop whose condition is always the same, and nothing that leaves it.
fn loops_for_ever(script: &[Command]) -> bool {
    let endless = |command: &Command| {
        let words: Vec<&str> = command.words.iter().map(String::as_str).collect();
        matches!(
            words[..],
            ["while", "true" | ":" | "1"] | ["while", "[", "1", "]"] | ["until", "false"]
        )
    };
    let Some(at) = script.iter().position(endless) else {
        return false;
    };
    !script[at..]
        .iter()
        .any(|command| matches!(first(&command.words), "break" | "exit" | "return" | "exec"))
}

/// The simple commands of a script.
fn commands(script: &str) -> Vec<Command> {
    let mut reader = Reader::default();
    let mut characters = script.chars().peekable();
    while let Some(character) = characters.next() {
        match (reader.quote, character) {
            (Some(quote), c) if c == quote => reader.quote = None,
            (Some('"'), '\\') | (None, '\\') => {
                if let Some(next) = characters.next().filter(|c| *c != '\n') {
                    reader.push(next);
                }
            }
            (Some(_), c) => reader.push(c),
            (None, '\'' | '"') => {
                reader.quote = Some(character);
                reader.word.get_or_insert_default();
            }
            (None, '#') if reader.word.is_none() => {
                while characters.next_if(|c| *c != '\n').is_some() {}
            }
            (None, ' ' | '\t') => reader.end_word(),
            (None, '\n' | ';') => reader.end_command(false),
            (None, '(' | ')' | '{' | '}') if reader.word.is_none() => reader.end_command(false),
            (None, '&') if characters.next_if_eq(&'&').is_some() => reader.end_command(false),
            (None, '&')
                if reader
                    .word
                    .as_deref()
                    .is_some_and(|word| word.ends_with('>')) =>
            {
                reader.push('&');
            }
            (None, '&') if characters.peek() == Some(&'>') => reader.push('&'),
            (None, '|') if characters.next_if_eq(&'|').is_some() => reader.end_command(false),
            (None, '&' | '|') => reader.end_command(true),
            (None, c) => reader.push(c),
        }
    }
    reader.end_command(false);
    reader.commands
}

#[derive(Default)]
struct Reader {
    commands: Vec<Command>,
    words: Vec<String>,
    word: Option<String>,
    quote: Option<char>,
}

impl Reader {
    fn push(&mut self, character: char) {
        self.word.get_or_insert_default().push(character);
    }

    fn end_word(&mut self) {
        let Some(word) = self.word.take() else { return };
        // What follows these words is a command of its own.
        let opens = matches!(word.as_str(), "do" | "then" | "else" | "!");
        if self.words.is_empty() && opens {
            return;
        }
        self.words.push(word);
    }

    fn end_command(&mut self, aside: bool) {
        self.end_word();
        let words = std::mem::take(&mut self.words);
        if !words.is_empty() {
            self.commands.push(Command { words, aside });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Program {
        Program::of(&Container {
            command: ["sh", "-c"].map(str::to_owned).to_vec(),
            args: vec![script.to_owned()],
            ..Container::default()
        })
    }

    fn direct(words: &[&str]) -> Program {
        Program::of(&Container {
            command: words.iter().map(|word| (*word).to_owned()).collect(),
            ..Container::default()
        })
    }

    #[test]
    fn what_never_ends() {
        for script in [
            "while true; do date; sleep 1; done",
            "i=0\nwhile :\ndo\n  sleep 2\ndone",
            "echo hello && exec tail -F /var/log/app.log",
            "trap 'exit 0' TERM; while true; do sleep 1 & wait $!; done",
            "sleep infinity",
            "cp /conf/* /etc/nginx/ && nginx -g 'daemon off;'",
        ] {
            assert!(shell(script).is_endless(), "{script}");
        }
        for script in [
            "until nslookup db; do sleep 1; done",
            "while true; do wget db && break; sleep 1; done",
            "while true; do wget db && exit 0; sleep 1; done",
            "for i in 1 2 3; do echo $i; sleep 1; done",
            "nginx -t",
            "echo 'while true; do sleep 1; done' > /loop",
            "tail -n 3 /etc/passwd",
        ] {
            assert!(!shell(script).is_endless(), "{script}");
        }
    }

    #[test]
    fn who_ignores_sigterm() {
        let ignored = OnSigterm::Ignored(None);
        for (script, brief, expected) in [
            ("while true; do date; sleep 1; done", false, ignored.clone()),
            ("setup && /app --serve", false, ignored.clone()),
            ("setup && exec /app --serve", false, OnSigterm::Handled),
            ("/app --serve", false, OnSigterm::Handled),
            ("exec tail -f /log", false, OnSigterm::Ignored(Some("tail"))),
            (
                "trap 'exit 0' TERM\nwhile true; do sleep 1; done",
                false,
                OnSigterm::Trapped(0),
            ),
            (
                "trap 'sleep 3; exit 0' TERM INT; /app & wait",
                false,
                OnSigterm::Trapped(3),
            ),
            ("trap '' TERM; /app", false, ignored.clone()),
            ("trap 'exit 0' TERM; sleep infinity", false, OnSigterm::Late),
            (
                "trap 'exit 0' TERM; sleep infinity & wait",
                false,
                OnSigterm::Trapped(0),
            ),
            (
                "trap 'echo x' EXIT; sleep 1000; true",
                false,
                ignored.clone(),
            ),
            (
                "trap 'echo x' EXIT; sleep 3; true",
                false,
                OnSigterm::Handled,
            ),
            ("trap 'rm -f /x' EXIT; /app", false, ignored.clone()),
            (
                "echo reading; echo failing >&2; exit 1",
                false,
                OnSigterm::Handled,
            ),
            (
                "for i in 1 2 3; do echo $i; sleep 1; done",
                false,
                OnSigterm::Handled,
            ),
            ("for i in 1 2 3; do echo $i; sleep 1; done", true, ignored),
        ] {
            assert_eq!(shell(script).on_sigterm(brief), expected, "{script}");
        }
        assert_eq!(
            direct(&["sleep", "infinity"]).on_sigterm(false),
            OnSigterm::Ignored(Some("sleep"))
        );
        assert_eq!(
            direct(&["sleep", "10"]).on_sigterm(false),
            OnSigterm::Handled
        );
        assert_eq!(direct(&["/app"]).on_sigterm(false), OnSigterm::Handled);
    }

    #[test]
    fn sleeps_of_hooks() {
        let words = |words: &[&str]| {
            words
                .iter()
                .map(|word| (*word).to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(seconds_slept(&words(&["sleep", "5"])), Some(5));
        assert_eq!(
            seconds_slept(&words(&["sh", "-c", "nginx -s quit; sleep 2m"])),
            Some(120)
        );
        assert_eq!(seconds_slept(&words(&["nginx", "-s", "quit"])), None);
        assert_eq!(direct(&["sleep", "10"]).seconds_slept(), Some(10));
        assert_eq!(shell("echo a; sleep 2; sleep 1m").seconds_slept(), Some(62));
        for script in ["until nslookup db; do sleep 2; done", "sleep 5 & wait"] {
            assert_eq!(shell(script).seconds_slept(), None, "{script}");
        }
        assert_eq!(direct(&["sleep", "infinity"]).seconds_slept(), None);
    }
}
