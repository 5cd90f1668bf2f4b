"""Attaches a terminal to a shell, types, leaves it by Ctrl-P Ctrl-Q, and comes back."""

import os
import pty
import re
import select
import sys


def session(typed):
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp("pillion", ["pillion", "attach", "-it", "chat", "-c", "shell"])
    seen = ""
    for text, pattern in typed:
        os.write(terminal, text.encode())
        while not re.search(pattern, seen):
            if not select.select([terminal], [], [], 20)[0]:
                sys.exit(f"no {pattern!r} in {seen!r}")
            try:
                seen += os.read(terminal, 4096).decode(errors="replace")
            except OSError:
                sys.exit(f"no {pattern!r} before the end of {seen!r}")
        print(re.search(pattern, seen).group())
        seen = ""
    print("code", os.WEXITSTATUS(os.waitpid(pid, 0)[1]))


session(
    [
        ("", "If you don't see a command prompt, try pressing enter."),
        ("\r", "prompt> "),
        ("X=kept\r", "prompt> "),
        ("echo o''ut\r", r"\bout\b"),
        # The first key alone is one for the shell.
        ("\x10\r", "prompt> "),
        ("\x10\x11", "Session ended, .*command"),
    ]
)
session([("\recho $X''!\r", "kept!"), ("\x10\x11", "Session ended, .*command")])
