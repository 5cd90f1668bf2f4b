#!/usr/bin/env python3
"""What starting, keeping and stopping Pods costs, beside what others need for the same containers in the same run.

The Pod has an init container, a native sidecar and an app. Bare runtimes (runc, crun, youki) start the same three containers
one after the other and know nothing of Pods, images, logs or networks; podman plays the Pod without what it cannot do (the
sidecar becomes an app). A peer that is not installed or does not work here is left out, and that is said.

All tools take turns, one round each. Figures are medians; a ratio is the median of the ratios of the rounds, below 1 where
Pillion needs less. Nothing here passes or fails.
"""

import argparse
import glob
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import processes
from podman import Podman
from tools import Detached, Foreground, Runtime, Unusable


def paired(rounds, tools, once):
    """Lets the tools take turns; by tool the figures of its rounds. A tool that fails once is out."""
    figures = {tool: [] for tool in tools}
    for number in range(rounds + 1):
        for tool in list(figures):
            try:
                figure = once(tool)
            except Unusable as error:
                print(f"  {tool.name} does not work on this machine and is left out: {error}")
                del figures[tool]
                continue
            if number > 0:  # the first round brings files into memory
                figures[tool].append(figure)
    return figures


def show(figures, of=float, unit="ms", more=False):
    """A line for each tool: median, smallest, largest, and the ratio to the first tool. `more`: more is better."""
    first = next(iter(figures))
    for tool, rounds in figures.items():
        values = [of(figure) for figure in rounds]
        text = f"  {tool.name:18}{statistics.median(values):10.2f} {unit:8} ({min(values):.2f} to {max(values):.2f})"
        if tool is not first:
            ratio = statistics.median((of(a) / of(b)) ** (-1 if more else 1) for a, b in zip(figures[first], rounds))
            peer = tool.name.split()[0]
            text += f"   {f'{peer} / pillion' if more else f'pillion / {peer}'} = {ratio:.2f}"
        print(text, flush=True)


class Benchmarks:
    def __init__(self, options, tools, work):
        self.options, self.tools, self.work = options, tools, work

    def having(self, method):
        return [tool for tool in self.tools if hasattr(tool, method)]

    def start(self):
        """one Pod of init container, sidecar and app: to the app's first line; and its stop"""

        def once(tool):
            return tool.start(), tool.stop()

        figures = paired(self.options.rounds, self.tools, once)
        show(figures, of=lambda figure: figure[0])
        print(f"{'stop':11}the same Pod, from the request until all is gone; its processes end at once")
        show(figures, of=lambda figure: figure[1])

    def many(self):
        """several such Pods by one command, each"""
        for number in 1, 10, self.options.pods:
            able = self.having("play")
            able = able[:2] if number > 10 else able

            def once(tool):
                took = tool.start(number) / number
                tool.stop()
                return took

            print(f"  {number} at once, each:")
            show(paired(min(5, self.options.rounds), able, once))

    def exec(self):
        """`exec` of `true` in the running app, from the command to its end"""
        able = self.having("exec")
        for tool in list(able):
            try:
                tool.start()
            except Unusable as error:
                print(f"  {tool.name} does not work on this machine and is left out: {error}")
                able.remove(tool)
        show(paired(self.options.rounds, able, lambda tool: tool.exec()))
        for tool in able:
            tool.stop()

    def memory(self):
        """proportional memory (PSS) of the tool's own processes"""
        for number in 1, 10, self.options.pods:
            able = self.having("own")
            able = able[:2] if number > 10 else able

            def once(tool):
                tool.start(number)
                time.sleep(3)  # it lets go of what only the start needed after 2 s
                kib = sum(map(processes.memory, tool.own()))
                tool.stop()
                return kib / 1024 / number

            print(f"  {number} at once, each:")
            show(paired(1, able, once), unit="MiB")

    def idle(self):
        """wake-ups a second of the tool's own processes while a Pod without probes idles"""

        def once(tool):
            tool.start()
            time.sleep(13)  # threads that were needed for the start go after 10 s
            own = tool.own()
            before = sum(map(processes.wake_ups, own))
            time.sleep(self.options.idle)
            woken = sum(map(processes.wake_ups, own)) - before
            tool.stop()
            return woken / self.options.idle

        for tool, rounds in paired(1, self.having("own"), once).items():
            print(f"  {tool.name:18}{rounds[0]:10.2f} /s")

    def logs(self):
        """lines of 100 bytes from a container to standard output (podman: to its log file)"""
        folder = os.path.join(self.work, "lines")
        os.mkdir(folder)
        lines = self.options.lines
        with open(os.path.join(folder, "file"), "w") as file:
            for number in range(lines):
                file.write(f"{number:010} {'x' * 88}\n")
        figures = paired(min(5, self.options.rounds), self.having("print_lines"), lambda tool: tool.print_lines(folder))
        print("  throughput:")
        show(figures, of=lambda figure: lines / figure[0] / 10_000, unit="MB/s", more=True)
        print("  processor time of the tool's own processes, each line:")
        show(figures, of=lambda figure: max(figure[1], 0.001) / lines * 1e9, unit="ns")


NAMES = [name for name, value in vars(Benchmarks).items() if callable(value) and value.__doc__]


def tools(options, program, work):
    """Those that are installed, Pillion first."""
    found = [Foreground(program, work)]
    build = os.path.join(options.images, "build")
    environment = {**os.environ, "PILLION": program, "PILLION_ROOT": found[0].root}
    subprocess.run([build, "busybox"], check=True, env=environment, stdout=sys.stderr)
    found.append(Detached(program, found[0].root, work))
    rootfs_tar = max(glob.glob(os.path.join(options.images, ".cache/rootfs/busybox-*.tar")), key=os.path.getmtime)
    rootfs = os.path.join(work, "rootfs")
    os.mkdir(rootfs)
    subprocess.run(["tar", "-xpf", rootfs_tar, "-C", rootfs], check=True)
    makers = {name: lambda name=name: Runtime(name, rootfs, work) for name in ("runc", "crun", "youki")}
    makers["podman"] = lambda: Podman(rootfs_tar, work)
    for name, make in makers.items():
        if not shutil.which(name):
            print(f"{name} is not installed and is left out")
            continue
        try:
            found.append(make())
        except Unusable as error:
            print(f"{name} does not work on this machine and is left out: {error}")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="the program (a release build)")
    parser.add_argument("only", nargs="*", metavar="BENCHMARK", help=f"all, or some of: {' '.join(NAMES)}")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--pods", type=int, default=100, help="how many Pods are many")
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--idle", type=float, default=10, metavar="SECONDS")
    parser.add_argument("--images", default=os.path.join(os.path.dirname(__file__), "../tests/images"))
    options = parser.parse_args()
    unknown = set(options.only) - set(NAMES)
    if unknown:
        parser.error(f"no benchmark named {' '.join(sorted(unknown))}; there are: {' '.join(NAMES)}")

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that all is cleared away
    program = os.path.abspath(options.program)
    print(f"program: {os.path.getsize(program) / (1 << 20):.1f} MiB, {os.cpu_count()} processors, Linux {os.uname().release}")
    with tempfile.TemporaryDirectory(prefix="pillion-bench-") as work:
        found = tools(options, program, work)
        try:
            print(", ".join(tool.version() for tool in found))
            benchmarks = Benchmarks(options, found, work)
            for name in options.only or NAMES:
                benchmark = getattr(benchmarks, name)
                print(f"{name:11}{benchmark.__doc__}", flush=True)
                benchmark()
        finally:
            for tool in found:
                if hasattr(tool, "clear"):
                    tool.clear()


if __name__ == "__main__":
    main()
