#!/usr/bin/env python3
"""Records what kubectl's describe, events, top and get make of objects, for the tests `describe` and `tables`.

    python3 record_describe.py kubectl > describe.json

Recorded with kubectl 1.33. Moments lie so far back that the ages do not change while it runs; the first line says what
time it was.
"""

import datetime
import json
import sys
import time

import fake_api

NOW = int(time.time())
MINUTE, HOUR, DAY = 60, 3600, 86400
PODS = "/api/v1/namespaces/default/pods"
EVENTS = "/api/v1/namespaces/default/events"
METRICS = "/apis/metrics.k8s.io/v1beta1/namespaces/default/pods"


def moment(ago, fraction=""):
    """A moment so many seconds before now, and half a unit of its age more."""
    half = {0: 30, 1: 30 * MINUTE, 2: 30 * MINUTE}[0 if ago < 3 * HOUR else 1 if ago < 2 * DAY else 2]
    return datetime.datetime.fromtimestamp(NOW - ago - half, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S") + fraction + "Z"


def pod(name="web", metadata=None, spec=None, status=None):
    return {
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "uid": "u-" + name, "creationTimestamp": moment(3 * DAY), **(metadata or {})},
        "spec": {"containers": [{"name": "app", "image": "nginx:1"}], **(spec or {})}, "status": status or {},
    }


def status(name, state, **more):
    return {"name": name, "ready": False, "restartCount": 0, "image": "i", "imageID": "docker.io/library/i@sha256:00", "state": state, **more}


def ended(code, **more):
    return {"terminated": {"exitCode": code, "startedAt": "2024-02-29T23:59:59Z", "finishedAt": "2024-03-01T00:00:00Z", "containerID": "x://1", **more}}


LONG = "x" * 150
VOLUMES = [
    {"name": "a", "emptyDir": {}}, {"name": "b", "emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}}, {"name": "c", "emptyDir": {"sizeLimit": "0"}},
    {"name": "d", "hostPath": {"path": "/srv"}}, {"name": "e", "hostPath": {"path": "/dev/x", "type": "CharDevice"}}, {"name": "f", "hostPath": {"path": "/y", "type": ""}},
    {"name": "g", "secret": {"secretName": "s"}}, {"name": "h", "secret": {"secretName": "s", "optional": True}},
    {"name": "i", "configMap": {"name": "m"}}, {"name": "j", "configMap": {"name": "m", "optional": True}},
    {"name": "k", "downwardAPI": {"items": [
        {"path": "name", "fieldRef": {"fieldPath": "metadata.name"}}, {"path": "cpu", "resourceFieldRef": {"containerName": "app", "resource": "limits.cpu"}}]}},
    {"name": "l", "projected": {"sources": [
        {"secret": {"name": "s"}}, {"configMap": {"name": "m", "optional": True}}, {"downwardAPI": {}}, {"serviceAccountToken": {"path": "t", "expirationSeconds": 3607}}]}},
    {"name": "m", "persistentVolumeClaim": {"claimName": "data", "readOnly": True}}, {"name": "n", "image": {"reference": "r:1", "pullPolicy": "Always"}},
]
ENV = [
    {"name": "A", "value": "1"}, {"name": "EMPTY"}, {"name": "LINES", "value": "one\ntwo\n\nthree"}, {"name": "ESC", "value": "a\x1b[31mb\rc"},
    {"name": "NAME", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}}, {"name": "NS", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}},
    {"name": "IP", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "status.podIP"}}}, {"name": "L", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.labels['app']"}}},
    {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1m"}}}, {"name": "MEM", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "0"}}},
    {"name": "REQ", "valueFrom": {"resourceFieldRef": {"resource": "requests.memory", "divisor": "1Mi"}}}, {"name": "EPH", "valueFrom": {"resourceFieldRef": {"resource": "limits.ephemeral-storage"}}},
    {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}, {"name": "OPT", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "optional": True}}},
    {"name": "A_VERY_LONG_NAME_OF_A_VARIABLE", "valueFrom": {"configMapKeyRef": {"name": "m", "key": "k"}}},
]
HOW = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
PROBES = [
    {"exec": {"command": ["cat", "/tmp/x y"]}, "initialDelaySeconds": 5, **HOW}, {"httpGet": {"path": "/healthz", "port": 8080, "scheme": "HTTP"}, **HOW},
    {"httpGet": {"path": "", "port": "web", "scheme": "HTTPS", "host": "::1"}, **HOW}, {"httpGet": {"path": "a b?c=d&e#f%!*'()[]é", "port": 1, "host": "h", "scheme": "HTTP"}, **HOW},
    {"tcpSocket": {"port": 6379}, **HOW}, {"tcpSocket": {"port": "db", "host": "h"}, **HOW}, {"grpc": {"port": 9, "service": ""}, **HOW}, {"grpc": {"port": 9, "service": "s"}, **HOW}, {**HOW},
    {"httpGet": {"path": "/", "port": 80}},
]

DESCRIBED = [
    pod(),
    pod(metadata={"labels": {"app": "web", "a-longer/label": "x", "b": ""}, "annotations": {
        "kubectl.kubernetes.io/last-applied-configuration": "{}", "short": "value", "long": LONG, "é": "é" * 100, "lines": "one\ntwo\n" + LONG + "\n", "last": "x\n"}}),
    pod(metadata={"ownerReferences": [
        {"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "1"}, {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-1", "uid": "2", "controller": True}]}),
    pod(spec={"priority": 0, "priorityClassName": "high", "runtimeClassName": "gvisor", "serviceAccountName": "default", "nodeName": "here", "nodeSelector": {"disk": "ssd", "a": "b"},
              "securityContext": {"seccompProfile": {"type": "Localhost", "localhostProfile": "p.json"}}, "resources": {"limits": {"cpu": "1"}, "requests": {"memory": "1Gi"}},
              "tolerations": [{"operator": "Exists"}, {"key": "z", "operator": "Equal", "value": "v", "effect": "NoSchedule"}, {"key": "b", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
                              {"key": "a", "operator": "Exists"}, {"effect": "NoSchedule", "operator": "Exists", "key": "c"}],
              "topologySpreadConstraints": [
                  {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": {"app": "web", "b": "c"}, "matchExpressions": [
                      {"key": "t", "operator": "In", "values": ["b", "a"]}, {"key": "n", "operator": "NotIn", "values": ["x"]}, {"key": "e", "operator": "Exists"}, {"key": "d", "operator": "DoesNotExist"}]}},
                  {"maxSkew": 2, "topologyKey": "host", "whenUnsatisfiable": "ScheduleAnyway"}, {"maxSkew": 3, "topologyKey": "rack", "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": {}}]},
        status={"phase": "Running", "hostIP": "192.0.2.1", "podIP": "10.0.0.2", "podIPs": [{"ip": "10.0.0.2"}, {"ip": "fd00::2"}], "startTime": "2024-01-02T03:04:05Z", "qosClass": "Burstable",
                "nominatedNodeName": "other"}),
    pod(status={"phase": "Failed", "reason": "Evicted", "message": "low on memory\nsecond line"}),
    pod(metadata={"deletionTimestamp": moment(10 * MINUTE), "deletionGracePeriodSeconds": 30}, status={"phase": "Running"}),
    pod(metadata={"deletionTimestamp": moment(10 * MINUTE), "deletionGracePeriodSeconds": 30}, status={"phase": "Succeeded"}),
    pod(spec={"volumes": VOLUMES, "containers": [{"name": "app", "image": "i", "volumeMounts": [
        {"name": "b", "mountPath": "/z"}, {"name": "a", "mountPath": "/a", "readOnly": True}, {"name": "c", "mountPath": "/c", "subPath": "x \"y\"", "readOnly": True}]}]}),
    pod(spec={"containers": [{"name": "app", "image": "i", "env": ENV, "resources": {"limits": {"cpu": "1500m", "example.com/gpu": "1"}, "requests": {"memory": "100M", "cpu": "0.1"}},
                              "envFrom": [{"configMapRef": {"name": "m"}}, {"prefix": "P_", "secretRef": {"name": "s", "optional": True}}]}, {"name": "other", "image": "j"}]}),
    pod(spec={"containers": [{"name": f"c{n}", "image": "i", "livenessProbe": probe, "readinessProbe": PROBES[0], "startupProbe": probe} for n, probe in enumerate(PROBES)]}),
    pod(spec={"containers": [
        {"name": "app", "image": "i", "command": ["sh", "-c"], "args": ["echo a\necho b\n", "x"], "ports": [{"containerPort": 80, "protocol": "TCP"}]},
        {"name": "many", "image": "i", "ports": [{"containerPort": 80, "protocol": "TCP", "hostPort": 8080}, {"containerPort": 53, "protocol": "UDP"}],
         "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}},
        {"name": "local", "image": "", "args": ["--x"], "securityContext": {"seccompProfile": {"type": "Localhost", "localhostProfile": "q"}}}]}),
    pod(spec={"initContainers": [{"name": "first", "image": "i"}, {"name": "side", "image": "i", "restartPolicy": "Always"}], "readinessGates": [{"conditionType": "a/b"}, {"conditionType": "c"}],
              "containers": [{"name": name, "image": "i"} for name in ["run", "wait", "wait2", "end", "killed", "none", "missing"]], "ephemeralContainers": [{"name": "dbg", "image": "busybox", "command": ["sh"]}]},
        status={"phase": "Running", "initContainerStatuses": [status("first", ended(0, reason="Completed"), containerID="pillion://1"), status("side", {"running": {"startedAt": "2024-01-01T12:00:00Z"}}, ready=True)],
                "containerStatuses": [
                    status("run", {"running": {"startedAt": "2024-01-01T00:00:00Z"}}, ready=True, restartCount=3, lastState=ended(1, reason="Error", message="line 1\nline 2\ttab\x1b[0m")),
                    status("wait", {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s"}}, restartCount=12, lastState=ended(137, reason="OOMKilled")), status("wait2", {"waiting": {}}),
                    status("end", ended(0, reason="Completed")), status("killed", {"terminated": {"exitCode": 137, "signal": 9}}), status("none", {}, lastState={"waiting": {"reason": "x"}})],
                "ephemeralContainerStatuses": [status("dbg", {"waiting": {"reason": "ContainerCreating"}})],
                "conditions": [{"type": "PodReadyToStartContainers", "status": "True"}, {"type": "Initialized", "status": "False", "reason": "x", "message": "y"}, {"type": "c", "status": "Unknown"}]}),
]


def event(name, reason, message, **more):
    return {"apiVersion": "v1", "kind": "Event", "metadata": {"name": name, "namespace": "default"}, "involvedObject": {"kind": "Pod", "name": "web", "namespace": "default"},
            "reason": reason, "message": message, "type": "Normal", "eventTime": None, "reportingComponent": "", "reportingInstance": "", "source": {}, **more}


EVENT_LIST = [
    event("a", "Killing", "Stopping container app", firstTimestamp=moment(15 * MINUTE), lastTimestamp=moment(15 * MINUTE), count=1, source={"component": "kubelet", "host": "here"}),
    event("b", "BackOff", "Back-off restarting failed container\n", type="Warning", firstTimestamp=moment(3 * DAY), lastTimestamp=moment(20 * MINUTE), count=9,
          involvedObject={"kind": "Pod", "name": "web", "fieldPath": "spec.containers{app}"}, source={"component": "kubelet"}),
    event("c", "Series", "new api", eventTime=moment(2 * HOUR, ".123456"), series={"count": 4, "lastObservedTime": moment(30 * MINUTE, ".500000")}, reportingComponent="pillion", reportingInstance="here-1"),
    event("d", "Single", "  new api once \t x", eventTime=moment(4 * HOUR, ".000001"), reportingComponent="pillion"),
    event("e", "Odd", "multi\nline \x1b[31mred\rx", firstTimestamp=None, lastTimestamp=moment(6 * HOUR), involvedObject={"kind": "Node", "name": ""}),
]


def metrics(name, namespace, *containers):
    return {"kind": "PodMetrics", "apiVersion": "metrics.k8s.io/v1beta1", "metadata": {"name": name, "namespace": namespace}, "timestamp": moment(0), "window": "15s",
            "containers": [{"name": container, "usage": {"cpu": cpu, "memory": memory}} for container, cpu, memory in containers]}


METRICS_LIST = [
    metrics("web", "default", ("log", "1500u", "512Ki"), ("app", "250m", "100Mi")), metrics("a-pod-with-a-name", "default", ("app", "1", "2Gi"), ("zz", "0", "0")), metrics("db", "other", ("db", "12345678n", "1234567890")),
]

COLUMNS = [
    {"name": "Name", "type": "string", "format": "name", "description": "", "priority": 0}, {"name": "Count", "type": "integer", "format": "", "description": "", "priority": 0},
    {"name": "Long Column Name", "type": "string", "format": "", "description": "", "priority": 0}, {"name": "Extra", "type": "string", "format": "", "description": "", "priority": 1},
]


def table(rows, columns=COLUMNS):
    def named(cells, labels):
        return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": {"name": cells[0], "namespace": "ns", **({"labels": labels} if labels else {})}}
    rows = [{"cells": cells, "object": named(cells, labels)} for cells, labels in rows]
    return {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {"resourceVersion": "7"}, "columnDefinitions": columns, "rows": rows}


TABLES = [
    table([(["a", 1, "x", "e"], {}), (["longer-name", 12345, None, None], {"app": "web", "x/tier": "1"}), (["é日本", 1.5, "multi\nline", "t\tab"], {"app": "\x1b[31m"}), (["z", True, "a\rb", ""], {})]),
    table([(["a", 1, "\x1b[0m", "e"], {"app": "x"})]),
    table([]),
    table([(["short"], {}), (["b", 1e21, [1, {"a": None}], {"b": 1}], {})]),
]
WATCHED = [
    {"type": "ADDED", "object": table([(["a", 1, "x", "e"], {})])}, {"type": "ADDED", "object": table([(["a-longer-name", 1, "y", "e"], {"app": "web"})], [])},
    {"type": "MODIFIED", "object": table([(["a", 1000000, "z", "e"], {})], [])}, {"type": "DELETED", "object": table([(["a", 1, "wwwwwwwwwwwwwwwwwwwwwwwww", ""], {})], [])}, {"type": "ADDED", "object": table([(["b", 1, "x", "e"], {})], [])},
]


def main():
    kubectl = sys.argv[1]
    server = fake_api.Server()
    cases = []

    def record(form, arguments, answers, **given):
        cases.append({"form": form, "arguments": arguments, **given, **server.run(kubectl, arguments, answers)})

    def events(items):
        return {"kind": "EventList", "apiVersion": "v1", "metadata": {}, "items": items}

    for position, described in enumerate(DESCRIBED):
        # From 1.35 on, the field stands before the message.
        given = [{**event, "involvedObject": {"kind": "Pod", "name": "web"}} for event in EVENT_LIST] if position == 0 else []
        record("describe", ["describe", "pod", "web"], {PODS + "/web": described, EVENTS: events(given)}, pod=described, events=given)
    record("describe", ["describe", "pod", "web", "--show-events=false"], {PODS + "/web": DESCRIBED[0]}, pod=DESCRIBED[0], events=None)
    for arguments in [[], ["-A"], ["--no-headers"], ["--types=Warning"]]:
        path = EVENTS.replace("/namespaces/default", "") if "-A" in arguments else EVENTS
        record("events", ["events", *arguments], {path: events(EVENT_LIST)}, events=EVENT_LIST)
    for arguments in [[], ["--containers"], ["--no-headers"], ["--sum"], ["--containers", "--sum"], ["-A"], ["-A", "--containers", "--sum"], ["--sort-by=cpu"], ["--sort-by=memory", "--containers"], ["-A", "--no-headers"]]:
        path, items = (METRICS.replace("/namespaces/default", ""), METRICS_LIST) if "-A" in arguments else (METRICS, METRICS_LIST[:2])
        record("top", ["top", "pod", *arguments], {path: {"kind": "PodMetricsList", "apiVersion": "metrics.k8s.io/v1beta1", "metadata": {}, "items": items}}, metrics=items)
    for shown in TABLES:
        for arguments in [[], ["-o", "wide"], ["--no-headers"], ["--show-labels"], ["-L", "app,x/tier"], ["-A"], ["-A", "-o", "wide", "-L", "app", "--show-labels", "--no-headers"]]:
            path = PODS.replace("/namespaces/default", "") if "-A" in arguments else PODS
            record("get", ["get", "pods", *arguments], {"table " + path: shown}, table=shown)
    for arguments in [[], ["--output-watch-events"], ["-o", "wide"], ["--no-headers"], ["--show-labels"], ["--output-watch-events", "--no-headers"]]:
        first = table([(["first", 1, "x", "e"], {})])
        answers = {"table " + PODS: first, "watch table " + PODS: WATCHED}
        record("watch", ["get", "pods", "-w", "--request-timeout=2s", *arguments], answers, table=first, watched=WATCHED)
    print('{"now": %d, "cases":' % NOW)
    fake_api.write_cases(cases)
    print("}")


if __name__ == "__main__":
    main()
