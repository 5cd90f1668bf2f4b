"""Types at a prompt of zsh, whose completion works only in a terminal, and prints what stands there then."""

import os
import pty
import re
import select
import sys

pid, terminal = pty.fork()
if pid == 0:
    environment = dict(os.environ, TERM="dumb", ZDOTDIR=sys.argv[1], COLUMNS="200")
    os.execvpe("zsh", ["zsh", "-f", "-i"], environment)


def until(pattern):
    """What zsh writes, up to a match."""
    seen = ""
    while not re.search(pattern, seen):
        if not select.select([terminal], [], [], 20)[0]:
            sys.exit(f"no {pattern!r} in {seen!r}")
        seen += os.read(terminal, 4096).decode(errors="replace")
    return seen


def type_in(text):
    os.write(terminal, text.encode())


# The words that are waited for are not those that are typed: the terminal echoes.
type_in("autoload -Uz compinit; compinit -u -D; source <(pillion completion zsh); echo rea''dy\r")
until(r"ready\r\n")
for begun, whole in [
    ("pillion logs w", r"pillion logs web-1 "),
    ("pillion logs web-1 -c si", r"pillion logs web-1 -c side "),
]:
    type_in(begun + "\t")
    print(re.search(whole, until(whole)).group())
    type_in("\x15")
type_in("exit\r")
os.waitpid(pid, 0)
