//! Scripts and what becomes of them, as busybox does it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::exec::{Image, Log, Start};
use crate::sim::fs::{Mounts, Tree};
use crate::sim::kernel::{Millis, Processes, SIGTERM};

/// What became of a script: code, standard output, and when it ended.
#[derive(Debug, PartialEq)]
struct End {
    code: i32,
    output: String,
    at: Millis,
    lacks: Option<String>,
}

/// Runs a script as the first process of a container; signals come at their times.
fn script(text: &str, signals: &[(Millis, i32)]) -> End {
    let mut processes = Processes::new();
    let kernel = Rc::clone(processes.kernel());
    let cell = ("app".to_owned(), 0);
    let log = Rc::new(RefCell::new(Log::default()));
    let image = Image {
        cell: Some(cell),
        mounts: Mounts::new(Tree::with_directories(&["/tmp"])),
        log: Rc::clone(&log),
        pod_ip: "10.0.0.1".to_owned(),
    };
    let start = Start {
        image: Rc::new(image),
        arguments: ["sh", "-c", text].map(str::to_owned).into(),
        environment: BTreeMap::from([("GIVEN".to_owned(), "a b".to_owned())]),
        first: true,
        output: None,
        directory: "/".to_owned(),
    };
    let pid = start.spawn(&kernel);
    let mut signals = signals.iter().peekable();
    let mut now = 0;
    loop {
        processes.run(now);
        let ended = kernel.borrow_mut().take_ended().pop();
        if let Some(end) = ended {
            let output = String::from_utf8_lossy(&log.borrow().stdout).into_owned();
            let lacks = kernel.borrow().lacks().map(str::to_owned);
            return End {
                code: end.code,
                output,
                at: now,
                lacks,
            };
        }
        let next = processes.next().expect("the script goes on some time");
        now = match signals.next_if(|(at, _)| *at <= next) {
            Some((at, signal)) => {
                processes.run(*at);
                kernel.borrow_mut().signal(pid, *signal);
                *at
            }
            None => next,
        };
    }
}

fn output(text: &str) -> String {
    let end = script(text, &[]);
    assert_eq!(end.lacks, None, "{text}");
    end.output
}

#[test]
fn words_are_expanded() {
    for (text, expected) in [
        (
            "echo $GIVEN; echo \"$GIVEN\"; echo '$GIVEN'",
            "a b\na b\n$GIVEN\n",
        ),
        ("set -- $GIVEN; echo $# $1 ${2}x", "2 a bx\n"),
        (
            "set -- \"$GIVEN\" c; for i in \"$@\"; do echo $i; done",
            "a b\nc\n",
        ),
        ("set --; for i in \"$@\"; do echo never; done", ""),
        (
            "echo ${NO:-default} ${GIVEN:+set} ${#GIVEN} \"${NO-x y}\"",
            "default set 3 x y\n",
        ),
        (
            "f=/a/b.c; echo ${f##*/} ${f%.c} ${f#/a} ${f%%/*}.",
            "b.c /a/b /b.c .\n",
        ),
        (
            "echo $((1 + 2 * 3)) $((7 / 2 - 1)) $((2 > 1 && 0))",
            "7 2 0\n",
        ),
        ("n=3; n=$((n+1)); echo $n", "4\n"),
        ("echo `echo a; echo b` $(printf '%s-' 1 2)", "a b 1-2-\n"),
        ("echo a\\ b \"c\\\"d\" $ \"$\"", "a b c\"d $ $\n"),
        ("cd /tmp; touch a1 a2 b; echo a* \"a*\" c*", "a1 a2 a* c*\n"),
        ("x='a  b'; y=$x; echo \"$y\"", "a  b\n"),
        ("true; echo $?; false; echo $?", "0\n1\n"),
        ("a=1 b=2; a=3 sh -c 'echo $a$b'; echo $a", "3\n1\n"),
    ] {
        assert_eq!(output(text), expected, "{text}");
    }
}

#[test]
fn commands_are_run() {
    for (text, expected) in [
        ("false || echo or && echo and", "or\nand\n"),
        ("true || echo no; false && echo no; echo end", "end\n"),
        ("! false && echo negated", "negated\n"),
        (
            "if false; then echo a; elif true; then echo b; else echo c; fi",
            "b\n",
        ),
        (
            "for i in 1 2 3; do [ $i = 2 ] && continue; echo $i; done",
            "1\n3\n",
        ),
        (
            "i=0; while :; do i=$((i+1)); [ $i -ge 3 ] && break; done; echo $i",
            "3\n",
        ),
        (
            "until [ -e /tmp/x ]; do touch /tmp/x; echo once; done",
            "once\n",
        ),
        ("case abc in x|a*) echo a;; *) echo other;; esac", "a\n"),
        (
            "case '*' in \\*) echo star;; esac; case b in [a-c]) echo set;; esac",
            "star\nset\n",
        ),
        (
            "f() { echo $1; return 3; echo no; }; f x; echo $?",
            "x\n3\n",
        ),
        ("( cd /tmp; x=1; exit 4 ); echo $? $x; pwd", "4\n/\n"),
        ("{ echo a; echo b; } | wc -l", "2\n"),
        (
            "echo a >/tmp/f; echo b >>/tmp/f; cat </tmp/f; echo c >/tmp/f; cat /tmp/f",
            "a\nb\nc\n",
        ),
        (
            "ls /nowhere 2>/dev/null; echo $?; ls /nowhere >/tmp/o 2>&1; wc -l </tmp/o",
            "1\n1\n",
        ),
        (
            "cat <<X\n$GIVEN\nX\ncat <<'X'\n$GIVEN\nX\n",
            "a b\n$GIVEN\n",
        ),
        ("cat <<-X; echo after\n\tin\n\tX\n", "in\nafter\n"),
        (
            "echo 'one two three' >/tmp/f; read -r a b </tmp/f; echo \"$b,$a\"",
            "two three,one\n",
        ),
        ("echo b-a-c | tr - '\\n' | sort | head -n 2", "a\nb\n"),
        (
            "printf 'x1\\ny2\\n' | grep -c '[0-9]'; printf 'ab' | sed s/a/c/",
            "2\ncb\n",
        ),
        (
            "[ a = a -a 1 -lt 2 ] && [ ! -e /x ] && test -n y && echo yes",
            "yes\n",
        ),
        (
            "set -e; if false; then :; fi; false || true; false; echo no",
            "",
        ),
        ("eval 'x=1; echo $x'; . /tmp/nothing; echo no", "1\n"),
        ("printf '%s:%d:%03d\\n' a 1 2 b 3 4", "a:1:002\nb:3:004\n"),
        ("nothing-of-that-name; echo $?", "127\n"),
    ] {
        assert_eq!(output(text), expected, "{text}");
    }
}

#[test]
fn time_passes_where_it_is_waited_for() {
    for (text, at, code) in [
        ("sleep 1.5; exit 3", 1500, 3),
        ("sleep 1 & sleep 2 & wait; exit 4", 2000, 4),
        ("sleep 1 & wait $!", 1000, 0),
        ("( sleep 1; exit 7 ) & wait $!; exit $?", 1000, 7),
        ("( sleep 9 ) & exit 5", 0, 5),
        ("sleep 9 & p=$!; kill $p; wait $p; exit $?", 0, 143),
        ("sleep 9 & kill -9 $!; wait $!; exit $?", 0, 137),
        ("timeout 2 sleep 9; exit $?", 2000, 143),
        ("sleep 0.2 | sleep 0.1; exit 1", 300, 1),
        ("kill -TERM $$; kill -0 1 && exit 6", 0, 6),
        (
            "( sleep 1; touch /tmp/x ) & while [ ! -e /tmp/x ]; do sleep 0.3; done",
            1200,
            0,
        ),
    ] {
        let end = script(text, &[]);
        assert_eq!((end.at, end.code, end.lacks), (at, code, None), "{text}");
    }
}

#[test]
fn signals_are_handled_as_by_the_first_process_of_a_container() {
    let term = [(500, SIGTERM)];
    for (text, at, code) in [
        // Without a handler it is ignored.
        ("sleep 2; exit 1", 2000, 1),
        ("exec sleep 2", 2000, 0),
        // A wait is ended, the command in front is not.
        ("trap 'exit 3' TERM; sleep 9 & wait $!", 500, 3),
        ("trap 'exit 3' TERM; sleep 2; exit 1", 2000, 3),
        ("trap 'sleep 1; exit 3' TERM; sleep 9 & wait $!", 1500, 3),
        ("trap : TERM; sleep 9 & wait $!; exit $?", 500, 143),
        ("trap '' TERM; sleep 1 & wait $!; exit $?", 1000, 0),
        (
            "trap 'exit 3' TERM; trap - TERM; sleep 1 & wait $!; exit 1",
            1000,
            1,
        ),
        ("trap 'exit 3' TERM; exec sleep 1", 1000, 0),
        ("trap 'exit 3' SIGTERM; while :; do sleep 0.2; done", 600, 3),
        (
            "trap 'exit 4' EXIT; trap 'exit 3' 15; sleep 9 & wait",
            500,
            4,
        ),
        ("f() { exit 8; }; trap f TERM; sleep 9 & wait $!", 500, 8),
        ("trap 'exit 3' TERM; ( sleep 1; true ); exit 1", 1000, 3),
    ] {
        let end = script(text, &term);
        assert_eq!((end.at, end.code, end.lacks), (at, code, None), "{text}");
    }
}

#[test]
fn what_is_not_known_is_said() {
    for (text, lack) in [
        ("awk 1", "the program awk"),
        ("cat /proc/self/cgroup", "reads /proc/self/cgroup"),
        ("sed -n 1p", "sed with these options"),
        ("echo ${x:1:2}", "sh: bad substitution"),
    ] {
        let end = script(text, &[]);
        assert_eq!(end.lacks.as_deref(), Some(lack), "{text}");
    }
}
