"""Types into `pillion exec -it` on a terminal, and looks at that terminal before, meanwhile and afterwards."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios

ours, theirs = pty.openpty()
seen = ""


def size(rows, columns):
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def mode():
    """Whether keys are handled by the terminal."""
    return "cooked" if termios.tcgetattr(theirs)[3] & termios.ICANON else "raw"


def start(*command):
    """pillion exec, with our terminal as its own. It leads a session, so that the terminal's signals reach it."""
    pid = os.fork()
    if pid == 0:
        os.setsid()
        fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)
        for stream in range(3):
            os.dup2(theirs, stream)
        os.execvp("pillion", ["pillion", "exec", "-it", "web", "--", *command])
    return pid


def until(pattern):
    """What comes, up to a match."""
    global seen
    while not (match := re.search(pattern, seen)):
        if not select.select([ours], [], [], 20)[0]:
            sys.exit(f"no {pattern!r} in {seen!r}")
        seen += os.read(ours, 4096).decode(errors="replace")
    seen = seen[match.end() :]
    return match.group()


def keys(text):
    os.write(ours, text.encode())


def end(pid):
    status = os.waitpid(pid, 0)[1]
    code = f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    print(f"code {code}, the terminal is {mode()}")


size(33, 111)
shell = start("sh", "-c", "stty size; tty; trap 'stty size' WINCH; trap 'echo caught' INT; echo rea''dy; while :; do read x && eval \"$x\"; done")
print(until(r"33 111"))
print(until(r"/dev/pts/\d+"))
until("ready")
print("the terminal is", mode())
size(44, 132)
os.kill(shell, signal.SIGWINCH)
# busybox's shell runs traps when its read is through.
keys("echo\r")
print(until(r"44 132"))
keys("\x03")
keys("\r")
print(until(r"caught"))
keys("exit 9\r")
print(until(r"command terminated with exit code 9"))
end(shell)

for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
    pid = start("sh", "-c", "echo rea''dy; exec sleep 1000")
    until("ready")
    print("the terminal is", mode())
    os.kill(pid, number)
    end(pid)

pid = start("sleep", "0")
end(pid)
