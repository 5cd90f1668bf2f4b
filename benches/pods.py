#!/usr/bin/env python3
"""What starting and keeping a Pod costs, beside what others need for the same containers in the same run.

The Pod has an init container, a native sidecar and an app. runc and crun are the bare runtimes, which start the same
three containers one after the other and know nothing of Pods, images, logs or networks; podman plays the Pod without
what it cannot do (the sidecar becomes an app). A peer that is not installed is left out, and that is said.

Figures are medians in milliseconds; the ratios are what counts. Nothing here passes or fails.
"""

import argparse
import glob
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

MARK = b"app is up"

POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: {name}
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 2
  initContainers:
    - name: prepare
      image: {image}
      command: ["true"]
    - name: side
      image: {image}
      restartPolicy: Always
      command: ["sh", "-c", "trap 'exit 0' TERM; sleep 1000 & wait"]
  containers:
    - name: app
      image: {image}
      command: ["sh", "-c", "echo {mark}; trap 'exit 0' TERM; sleep {seconds} & wait"]
"""


def pod(name, seconds, image="busybox:1.35"):
    return POD.format(name=name, seconds=seconds, image=image, mark=MARK.decode())


def until_mark(command, text=None, count=1):
    """Starts a command; milliseconds until MARK has come `count` times on its stdout, and the process."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    if text is not None:
        process.stdin.write(text.encode())
    process.stdin.close()
    seen = 0
    for line in process.stdout:
        seen += MARK in line
        if seen == count:
            break
    else:
        raise SystemExit(f"{command[0]} ended without starting the app (exit code {process.wait()})")
    return (time.perf_counter() - begin) * 1000, process


def end(process):
    process.send_signal(signal.SIGINT)
    process.stdout.close()
    process.wait()


def median_of(rounds, once):
    return statistics.median(once() for _ in range(rounds))


class Pillion:
    def __init__(self, program, work):
        self.program = program
        self.root = os.path.join(work, "pillion")
        os.environ["PILLION_ROOT"] = self.root

    def start(self, text, count=1):
        return until_mark([self.program, "run", "-"], text, count)

    def one(self):
        took, process = self.start(pod("one", 1000))
        end(process)
        return took

    def many(self, number):
        took, process = self.start("---\n".join(pod(f"pod-{n}", 1000) for n in range(number)), number)
        end(process)
        return took

    def idle(self, seconds):
        """Proportional memory in KiB and wake-ups a second of all our own processes while a Pod idles."""
        _, process = self.start(pod("idle", 1000))
        time.sleep(1)
        ours = [process.pid] + [pid for pid in children(process.pid) if is_ours(pid, self.program)]
        memory = sum(proportional_memory(pid) for pid in ours)
        before = sum(switches(pid) for pid in ours)
        time.sleep(seconds)
        woken = sum(switches(pid) for pid in ours) - before
        end(process)
        return memory, woken / seconds


def children(pid):
    found = []
    for path in glob.glob(f"/proc/{pid}/task/*/children"):
        with open(path) as file:
            for child in map(int, file.read().split()):
                found += [child, *children(child)]
    return found


def is_ours(pid, program):
    try:
        return os.path.realpath(f"/proc/{pid}/exe") == os.path.realpath(program)
    except OSError:
        return False


def proportional_memory(pid):
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Pss:"))


def switches(pid):
    total = 0
    for path in glob.glob(f"/proc/{pid}/task/*/status"):
        with open(path) as file:
            total += sum(int(line.split()[1]) for line in file if line.startswith("voluntary_ctxt"))
    return total


class Runtime:
    """runc or crun: three starts in a row, from bundles that are there already."""

    def __init__(self, name, rootfs, work):
        self.name = name
        self.bundles = {}
        app = ["sh", "-c", f"echo {MARK.decode()}; exec sleep 1000"]
        for container, argv in {"prepare": ["true"], "side": ["sleep", "1000"], "app": app}.items():
            bundle = os.path.join(work, name, container)
            os.makedirs(bundle)
            os.symlink(rootfs, os.path.join(bundle, "rootfs"))
            subprocess.run([name, "spec"], cwd=bundle, check=True)
            path = os.path.join(bundle, "config.json")
            with open(path) as file:
                config = json.load(file)
            config["process"].update(args=argv, terminal=False)
            config["process"].pop("rlimits", None)  # raising them takes a right that a sandboxed machine may lack
            config["root"] = {"path": rootfs, "readonly": True}
            with open(path, "w") as file:
                json.dump(config, file)
            self.bundles[container] = bundle

    def one(self):
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        begin = time.perf_counter()
        subprocess.run([self.name, "run", "-b", self.bundles["prepare"], "bench-prepare"], check=True, **quiet)
        subprocess.run([self.name, "run", "-d", "-b", self.bundles["side"], "bench-side"], check=True, **quiet)
        before = (time.perf_counter() - begin) * 1000
        took, process = until_mark([self.name, "run", "-b", self.bundles["app"], "bench-app"])
        for container in "bench-app", "bench-side":
            subprocess.run([self.name, "delete", "-f", container], check=False, **quiet)
        process.stdout.close()
        process.wait()
        return before + took


class Podman:
    """podman kube play until the app's first line is in its log."""

    IMAGE = "localhost/pillion-bench-busybox:1"

    def __init__(self, rootfs_tar, work):
        self.file = os.path.join(work, "podman.yaml")
        text = pod("bench", 1000, self.IMAGE)
        # What it knows: no sidecar among the init containers.
        side = text[text.index("    - name: side"):text.index("  containers:")]
        text = text.replace(side, "") + side.replace("      restartPolicy: Always\n", "")
        with open(self.file, "w") as file:
            file.write(text)
        subprocess.run(["podman", "import", "-q", rootfs_tar, self.IMAGE], check=True, stdout=subprocess.DEVNULL)

    def one(self):
        begin = time.perf_counter()
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(["podman", "kube", "play", self.file], check=True, **quiet)
        took = (time.perf_counter() - begin) * 1000
        subprocess.run(["podman", "kube", "down", self.file], check=False, **quiet)
        return took


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("program", help="the program (a release build)")
    arguments.add_argument("--rounds", type=int, default=20)
    arguments.add_argument("--pods", type=int, default=100)
    arguments.add_argument("--images", default=os.path.join(os.path.dirname(__file__), "../tests/images"))
    options = arguments.parse_args()

    program = os.path.abspath(options.program)
    with tempfile.TemporaryDirectory(prefix="pillion-bench-") as work:
        pillion = Pillion(program, work)
        build = os.path.join(options.images, "build")
        subprocess.run([build, "busybox"], check=True, env={**os.environ, "PILLION": program}, stdout=sys.stderr)
        (rootfs_tar,) = glob.glob(os.path.join(options.images, ".cache/rootfs/busybox-*.tar"))
        rootfs = os.path.join(work, "rootfs")
        os.mkdir(rootfs)
        subprocess.run(["tar", "-xpf", rootfs_tar, "-C", rootfs], check=True)

        peers = {name: Runtime(name, rootfs, work) for name in ("runc", "crun") if shutil.which(name)}
        if shutil.which("podman"):
            peers["podman"] = Podman(rootfs_tar, work)
        for name in "runc", "crun", "podman":
            if name not in peers:
                print(f"{name} is not installed: left out")

        pillion.one()  # files into memory
        ours = median_of(options.rounds, pillion.one)
        print(f"init, sidecar, app: run to the app's first line   pillion {ours:8.1f} ms")
        for name, peer in peers.items():
            try:
                peer.one()
            except subprocess.CalledProcessError as error:
                print(f"  {name} does not work on this machine: left out ({error})")
                continue
            theirs = median_of(max(3, options.rounds // 4) if name == "podman" else options.rounds, peer.one)
            print(f"  {'the same by ' + name:48}{theirs:8.1f} ms   pillion / {name} = {ours / theirs:.2f}")
        several = pillion.many(options.pods)
        print(f"{options.pods} Pods at once, each {several / options.pods:.1f} ms   each / one = {several / options.pods / ours:.2f}")
        memory, woken = pillion.idle(5)
        print(f"an idle Pod: {memory} KiB (PSS) of our own processes, {woken:.1f} wake-ups a second")
        print(f"program: {os.path.getsize(program) / (1 << 20):.1f} MiB")


if __name__ == "__main__":
    main()
