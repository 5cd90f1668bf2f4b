"""An API server that answers with what it is given, for recording what kubectl prints of it."""

import http.server
import json
import subprocess
import tempfile
import threading
from urllib.parse import parse_qs, urlsplit

RESOURCES = {
    "/api/v1": [("pods", "Pod", ["po"]), ("events", "Event", ["ev"]), ("configmaps", "ConfigMap", ["cm"])],
    "/apis/metrics.k8s.io/v1beta1": [("pods", "PodMetrics", [])],
}


def discovery(path):
    """The answers that say what there is."""
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    if path == "/apis":
        version = {"groupVersion": "metrics.k8s.io/v1beta1", "version": "v1beta1"}
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [
            {"name": "metrics.k8s.io", "versions": [version], "preferredVersion": version}]}
    if path in RESOURCES:
        return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": path.split("/", 2)[2], "resources": [
            {"name": name, "singularName": "", "namespaced": True, "kind": kind, "shortNames": short, "verbs": ["get", "list", "watch"]}
            for name, kind, short in RESOURCES[path]]}
    return None


class Server:
    """Serves one case at a time: answers by path, as Table where kubectl asks for one and there is one."""

    def __init__(self):
        outer = self
        self.answers = {}

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.answer(self)

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def answer(self, request):
        url = urlsplit(request.path)
        found = discovery(url.path)
        if found is None:
            table = "as=Table" in request.headers.get("Accept", "")
            watch = "watch" in parse_qs(url.query)
            keys = [("watch " if watch else "") + ("table " if table else "") + url.path, url.path]
            found = next((self.answers[key] for key in keys if key in self.answers), None)
        status = 200
        if found is None:
            status = 404
            found = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404, "message": "not found"}
        documents = found if isinstance(found, list) else [found]
        body = "".join(json.dumps(document) + "\n" for document in documents).encode()
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def run(self, kubectl, arguments, answers):
        """What kubectl prints for these arguments when these answers are given."""
        self.answers = answers
        with tempfile.TemporaryDirectory() as home:
            done = subprocess.run(
                [kubectl, "--server", self.url, "--kubeconfig", "/dev/null", "--cache-dir", home, *arguments],
                capture_output=True, timeout=60, env={"HOME": home, "PATH": "/usr/bin:/bin", "TZ": "UTC"},
            )
        return {"stdout": done.stdout.decode(errors="replace"), "stderr": done.stderr.decode(errors="replace"), "code": done.returncode}


def write_cases(cases):
    """A table in JSON, one case a line."""
    print("[")
    for position, case in enumerate(cases):
        print(" " + json.dumps(case, ensure_ascii=True, separators=(",", ":")) + ("," if position + 1 < len(cases) else ""))
    print("]")
