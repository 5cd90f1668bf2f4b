"""What /proc tells about processes: memory, wake-ups, processor time."""

import glob
import os

TICK = 1 / os.sysconf("SC_CLK_TCK")


def ours(pid, program):
    """The process and those of its descendants that are the same program."""
    found = [pid] if _is(pid, program) else []
    for path in glob.glob(f"/proc/{pid}/task/*/children"):
        for child in _read(path).split():
            found += ours(int(child), program)
    return found


def serving(root, program):
    """Processes of a program whose command line names a state directory."""
    lines = ((path.split("/")[2], _read(path)) for path in glob.glob("/proc/[0-9]*/cmdline"))
    return [int(pid) for pid, line in lines if root in line.split("\0") and _is(pid, program)]


def memory(pid):
    """Proportional set size in KiB: each page counts by the share of those who map it."""
    lines = _read(f"/proc/{pid}/smaps_rollup").splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def wake_ups(pid):
    """How often its threads went to sleep so far."""
    lines = [line for path in glob.glob(f"/proc/{pid}/task/*/status") for line in _read(path).splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt"))


def seconds(pid):
    """Processor time of the process itself so far, in user space and in the kernel."""
    fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK if fields else 0.0


def naming(text, program):
    """Processes of a program, by the name of its file, whose command line contains a text."""
    lines = ((path.split("/")[2], _read(path)) for path in glob.glob("/proc/[0-9]*/cmdline"))
    return [int(pid) for pid, line in lines if text in line and os.path.basename(line.split("\0")[0]) == program]


def _is(pid, program):
    try:
        return os.path.samefile(f"/proc/{pid}/exe", program)
    except OSError:
        return False


def _read(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""
