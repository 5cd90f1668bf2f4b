"""The Pods that are measured, and the same containers as the peers take them."""

MARK = "app is up"
LAST = "this was the last line"
IMAGE = "busybox:1.35"

# Ends at once on SIGTERM. The trap stands before the mark, so that whoever has seen the mark may send it.
STAY = "trap 'exit 0' TERM; {before}sleep 1000 & wait"
SIDE = STAY.format(before="")
APP = STAY.format(before=f"echo {MARK}; ")
# All lines of a file as fast as they are taken, and then nothing more.
PRINT = STAY.format(before=f"echo {MARK}; cat /lines/file; echo {LAST}; ")

HEAD = """\
apiVersion: v1
kind: Pod
metadata: {{name: {name}}}
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 2
"""
CONTAINER = """\
  - {{name: {name}, image: {image}, command: [sh, -c, "{script}"]{more}}}
"""


def three(name, image=IMAGE, sidecar=True):
    """An init container, a sidecar and an app; without `sidecar` the sidecar is one more app."""
    text = HEAD.format(name=name) + "  initContainers:\n"
    text += CONTAINER.format(name="prepare", image=image, script="true", more="")
    if not sidecar:
        text += "  containers:\n"
    side = ", restartPolicy: Always" if sidecar else ""
    text += CONTAINER.format(name="side", image=image, script=SIDE, more=side)
    if sidecar:
        text += "  containers:\n"
    return text + CONTAINER.format(name="app", image=image, script=APP, more="")


def printing(name, folder, image=IMAGE):
    """One app that prints the file `file` of a folder of this machine."""
    mount = ", volumeMounts: [{name: lines, mountPath: /lines}]"
    text = HEAD.format(name=name) + f"  volumes:\n  - {{name: lines, hostPath: {{path: {folder}, type: Directory}}}}\n"
    return text + "  containers:\n" + CONTAINER.format(name="app", image=image, script=PRINT, more=mount)


def several(number, **how):
    return "---\n".join(three(f"bench-{n}", **how) for n in range(number))
