"""podman kube play, with its state in a folder of the benchmark and its network in namespaces of the benchmark.

podman's bridge sets packet filter rules and sysctls. In a network namespace of its own they stay away from this machine's,
and end with it. Entering the namespaces costs a millisecond a command, of some hundreds.
"""

import glob
import os
import re
import resource
import subprocess
import time
from datetime import datetime

import manifests
import processes
from tools import QUIET, Unusable, call, now, run

IMAGE = "localhost/pillion-bench-busybox:1"

# Without systemd: cgroups by its own hand, no journal. Limits that a sandboxed machine lets it set.
CONFIGURATION = """\
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
runtime = "runc"
[network]
network_backend = "netavark"
network_config_dir = "{work}/networks"
[containers]
log_driver = "k8s-file"
default_ulimits = ["nofile={files}:{files}", "nproc=4096:4096"]
"""
STORAGE = """\
[storage]
driver = "overlay"
graphroot = "{work}/graph"
runroot = "{work}/run"
"""


class Podman:
    name = "podman kube play"

    def __init__(self, rootfs_tar, work):
        self.work = os.path.join(work, "podman")
        os.makedirs(self.work)
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        configuration = self._write("containers.conf", CONFIGURATION.format(work=self.work, files=files))
        storage = self._write("storage.conf", STORAGE.format(work=self.work))
        self.environment = {**os.environ, "CONTAINERS_CONF": configuration, "CONTAINERS_STORAGE_CONF": storage}
        self.environment["TMPDIR"] = self.work
        self.file = os.path.join(self.work, "pods.yaml")
        # The namespaces live as long as this process.
        setup = "mount -t tmpfs tmpfs /run && mkdir /run/netns && ip link set lo up && echo made && exec cat"
        self.holder = subprocess.Popen(
            ["unshare", "--net", "--mount", "--propagation", "private", "sh", "-c", setup],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        if self.holder.stdout.readline() != b"made\n":
            raise Unusable("no namespaces for it")
        self._podman("import", "-q", "--change", "ENV PATH=/bin:/usr/bin", rootfs_tar, IMAGE)

    def _write(self, name, text):
        path = os.path.join(self.work, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def _inside(self, *words):
        return ["nsenter", f"--target={self.holder.pid}", "--net", "--mount", "podman", *words]

    def _podman(self, *words):
        return run(*self._inside(*words), env=self.environment)

    def version(self):
        return self._podman("--version").strip()

    def play(self, text):
        self._write("pods.yaml", text)
        begin = now()
        # Not through `run`: what it leaves running would keep a pipe to us open.
        play = call(*self._inside("kube", "play", self.file), env=self.environment, **QUIET)
        took = now() - begin
        if play.returncode != 0:
            raise Unusable("kube play fails")
        return took

    def start(self, pods=1):
        return self.play(manifests.several(pods, image=IMAGE, sidecar=False))

    def stop(self):
        begin = now()
        run(*self._inside("kube", "down", self.file), env=self.environment)
        return now() - begin

    def exec(self):
        begin = now()
        self._podman("exec", "bench-0-app", "true")
        return now() - begin

    def own(self):
        """Its process per container; the one that played the Pod is gone."""
        return processes.naming(self.work, "conmon")

    def print_lines(self, folder):
        """As `Foreground.print_lines`; the time is that between the first and the last line of its log."""
        others = set(self.own())
        self.play(manifests.printing("bench", folder, IMAGE))
        log = self._podman("inspect", "--format", "{{.HostConfig.LogConfig.Path}}", "bench-app").strip()
        while not _end_of(log).count(manifests.LAST.encode()):
            time.sleep(0.05)
        spent = sum(processes.seconds(pid) for pid in self.own() if pid not in others)
        with open(log, "rb") as file:
            first = file.readline()
        last = _end_of(log).splitlines()[-1]
        took = (_time_of(last) - _time_of(first)).total_seconds()
        self.stop()
        return took, spent

    def clear(self):
        for words in ("pod", "rm", "-af"), ("rmi", "-af"):
            call(*self._inside(*words), env=self.environment, **QUIET)
        self.holder.stdin.close()
        self.holder.wait()
        # Its cgroups stay behind. Those in use refuse to be removed.
        for folder in sorted(glob.glob("/sys/fs/cgroup/**/libpod_parent/**/", recursive=True), key=len, reverse=True):
            try:
                os.rmdir(folder)
            except OSError:
                pass


def _end_of(path):
    with open(path, "rb") as file:
        file.seek(max(0, os.path.getsize(path) - 4096))
        return file.read()


def _time_of(line):
    """Of a line in the format of the CRI. Nanoseconds are more than Python reads."""
    stamp = line.split(b" ", 1)[0].decode()
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d*", r"\1", stamp))
