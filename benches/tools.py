"""The tools that are measured. Each can start and stop the three-container Pod; what else it can, its methods say.

`start()` returns milliseconds until the app's first line came (podman: until it says that all runs), `stop()` milliseconds until all is gone.
Both are called in turn. A tool that does not work on this machine says so by `Unusable`.
"""

import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time

import manifests
import processes

QUIET = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
# Longer takes only what hangs.
LIMIT = 120


class Unusable(Exception):
    pass


def now():
    return time.perf_counter() * 1000


def run(*command, **options):
    """Runs a command to its end; its failure is the tool's."""
    options = {"stdin": subprocess.DEVNULL, "capture_output": True, **options}
    if "input" in options:
        del options["stdin"]
    result = call(*command, text=True, **options)
    if result.returncode != 0:
        raise Unusable((result.stderr.strip() or result.stdout.strip() or "failed").splitlines()[-1][:200])
    return result.stdout


def call(*command, **options):
    """Runs a command to its end, whatever comes of it."""
    try:
        return subprocess.run(command, check=False, timeout=LIMIT, **options)
    except subprocess.TimeoutExpired as error:
        raise Unusable(f"{' '.join(command[:2])} hangs") from error


def until(stream, mark, count=1):
    """Reads until the mark has come so often; what it reads must come line by line, quickly or not."""
    rest = b""
    while count > 0:
        chunk = os.read(stream.fileno(), 1 << 20)
        if not chunk:
            raise Unusable(f"ended without printing {mark!r}")
        text = rest + chunk
        count -= text.count(mark.encode())
        rest = text[-len(mark) + 1:]


def ended(process):
    """Waits for the end of a process by its descriptor, which is closed."""
    if not select.select([process], [], [], LIMIT)[0]:
        raise Unusable("a process does not end")
    os.close(process)


class Foreground:
    """`pillion run`: one process that owns all Pods of its command."""

    name = "pillion run"

    def __init__(self, program, work):
        self.program = program
        self.root = os.path.join(work, "pillion")
        self.environment = {**os.environ, "PILLION_ROOT": self.root}
        self.process = None

    def version(self):
        return run(self.program, "--version").strip()

    def play(self, text, count=1):
        begin = now()
        command = [self.program, "run", "-"]
        streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(command, env=self.environment, **streams)
        self.process.stdin.write(text.encode())
        self.process.stdin.close()
        until(self.process.stdout, manifests.MARK, count)
        return now() - begin

    def start(self, pods=1):
        return self.play(manifests.several(pods), pods)

    def stop(self):
        begin = now()
        self.process.send_signal(signal.SIGTERM)
        self.process.stdout.close()
        self.process.wait()
        return now() - begin

    def own(self):
        """Its own processes, without those of the containers."""
        return processes.ours(self.process.pid, self.program)

    def print_lines(self, folder):
        """Prints a file; seconds it took, and seconds of processor time that its own processes took."""
        self.play(manifests.printing("bench", folder))
        before, begin = sum(map(processes.seconds, self.own())), now()
        until(self.process.stdout, manifests.LAST)
        took = (now() - begin) / 1000
        spent = sum(map(processes.seconds, self.own())) - before
        self.stop()
        return took, spent


    def exec(self):
        """Runs a command in the app of a running Pod."""
        begin = now()
        run(self.program, "exec", "bench-0", "-c", "app", "--", "true", env=self.environment)
        return now() - begin


class Detached:
    """`pillion run -d`: a supervisor for each Pod. Started is when all Pods are ready."""

    name = "pillion run -d"

    def __init__(self, program, images, work):
        self.program = program
        self.root = os.path.join(work, "detached")
        self.environment = {**os.environ, "PILLION_ROOT": self.root}
        shutil.copytree(os.path.join(images, "lib/images"), os.path.join(self.root, "lib/images"), symlinks=True)

    def version(self):
        return "and detached"

    def start(self, pods=1):
        begin = now()
        run(self.program, "run", "-d", "-", input=manifests.several(pods), env=self.environment)
        run(self.program, "wait", "--for=condition=Ready", "pods", "--all", env=self.environment)
        return now() - begin

    play = start

    def stop(self):
        begin = now()
        run(self.program, "delete", "pods", "--all", env=self.environment)
        return now() - begin

    def own(self):
        return processes.serving(self.root, self.program)

    def clear(self):
        call(self.program, "delete", "pods", "--all", "--now", env=self.environment, **QUIET)


class Runtime:
    """A bare runtime: the same three containers one after the other, from bundles that are there already. It knows nothing of
    Pods, images, logs or networks.
    """

    def __init__(self, name, rootfs, work):
        self.name = self.program = name
        self.root = os.path.join(work, name)
        self.bundles = {}
        self.processes = []
        scripts = {"prepare": "true", "side": manifests.SIDE, "app": manifests.APP}
        for container, script in scripts.items():
            self.bundles[container] = self._bundle(container, script, rootfs)

    def _bundle(self, container, script, rootfs):
        bundle = os.path.join(self.root, container)
        os.makedirs(bundle)
        run(self.program, "spec", cwd=bundle)
        path = os.path.join(bundle, "config.json")
        with open(path) as file:
            config = json.load(file)
        config["process"].update(args=["sh", "-c", script], terminal=False)
        config["process"].pop("rlimits", None)  # raising them takes a right that a sandboxed machine may lack
        config["root"] = {"path": rootfs, "readonly": True}
        with open(path, "w") as file:
            json.dump(config, file)
        return bundle

    def version(self):
        return " ".join(run(self.program, "--version").split()[:3])

    def _command(self, *words):
        return [self.program, "--root", os.path.join(self.root, "state"), *words]

    def _run(self, container, **streams):
        """Starts a container; a descriptor that is readable once its first process has ended."""
        pid_file = os.path.join(self.root, f"{container}.pid")
        flags = "-d", "--pid-file", pid_file, "-b", self.bundles[container]
        command = self._command("run", *flags, f"bench-{container}")
        with tempfile.TemporaryFile("w+") as errors:
            if call(*command, **{**QUIET, "stderr": errors, **streams}).returncode != 0:
                errors.seek(0)
                raise Unusable(errors.read().strip()[-200:])
        with open(pid_file) as file:
            try:
                return os.pidfd_open(int(file.read()))
            except ProcessLookupError:
                return os.open("/dev/null", os.O_RDONLY)  # readable at once

    def start(self):
        begin = now()
        ended(self._run("prepare"))
        side = self._run("side")
        reader, writer = os.pipe()
        self.processes = [self._run("app", stdout=writer), side]
        os.close(writer)
        with open(reader, "rb", buffering=0) as output:
            until(output, manifests.MARK)
        return now() - begin

    def stop(self):
        begin = now()
        for container in "app", "side":
            run(*self._command("kill", f"bench-{container}", "TERM"))
        for process in self.processes:
            ended(process)
        self.clear()
        return now() - begin

    def exec(self):
        begin = now()
        run(*self._command("exec", "bench-app", "true"))
        return now() - begin

    def clear(self):
        for container in self.bundles:
            call(*self._command("delete", "-f", f"bench-{container}"), **QUIET)
