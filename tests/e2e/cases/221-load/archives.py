"""Writes the archives that docker save, podman save and skopeo write: by hand, entry for entry."""

import gzip
import hashlib
import io
import json
import os
import sys
import tarfile

out, busybox = sys.argv[1], sys.argv[2]


def tar(entries):
    """A tar archive of (name, bytes), or (name, None) for a folder."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for name, content in entries:
            entry = tarfile.TarInfo(name)
            if content is None:
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                archive.addfile(entry)
            else:
                entry.size, entry.mode = len(content), 0o755
                archive.addfile(entry, io.BytesIO(content))
    return data.getvalue()


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


# Two layers: the second adds a file, replaces one and takes one away.
with open(busybox, "rb") as file:
    base = file.read()
lower = tar([("etc/kept", b"kept\n"), ("etc/old", b"old\n"), ("etc/gone", b"gone\n")])
upper = tar([("etc/old", b"new\n"), ("etc/.wh.gone", b""), ("etc/added", b"added\n")])
layers = [base, lower, upper]
config = json.dumps({
    "architecture": "amd64",
    "os": "linux",
    "created": "2026-01-02T03:04:05Z",
    "config": {"Cmd": ["sh", "-c", "cd /etc && cat kept old added && ls gone 2>&1; echo $FROM"], "Env": ["FROM=config"]},
    "rootfs": {"type": "layers", "diff_ids": [digest(layer) for layer in layers]},
    "history": [],
}).encode()
if os.uname().machine == "aarch64":
    config = config.replace(b'"amd64"', b'"arm64"')


def docker(path, tag):
    names = [f"{digest(layer)[7:]}/layer.tar" for layer in layers]
    manifest = [{"Config": f"{digest(config)[7:]}.json", "RepoTags": [tag], "Layers": names}]
    entries = list(zip(names, layers))
    entries += [(f"{digest(config)[7:]}.json", config), ("manifest.json", json.dumps(manifest).encode())]
    with open(path, "wb") as file:
        file.write(tar(entries))


def oci(path, tag, compressed):
    packed = [gzip.compress(layer, mtime=0) for layer in layers]
    suffix = "application/vnd.oci.image."
    manifest = json.dumps({
        "schemaVersion": 2,
        "mediaType": suffix + "manifest.v1+json",
        "config": {"mediaType": suffix + "config.v1+json", "digest": digest(config), "size": len(config)},
        "layers": [
            {"mediaType": suffix + "layer.v1.tar+gzip", "digest": digest(layer), "size": len(layer)}
            for layer in packed
        ],
    }).encode()
    index = json.dumps({
        "schemaVersion": 2,
        "manifests": [{
            "mediaType": suffix + "manifest.v1+json",
            "digest": digest(manifest),
            "size": len(manifest),
            "annotations": {"org.opencontainers.image.ref.name": tag},
        }],
    }).encode()
    blobs = [(f"blobs/sha256/{digest(blob)[7:]}", blob) for blob in (*packed, config, manifest)]
    entries = [("oci-layout", b'{"imageLayoutVersion":"1.0.0"}'), ("index.json", index), *blobs]
    data = tar(entries)
    with open(path, "wb") as file:
        file.write(gzip.compress(data, compresslevel=1, mtime=0) if compressed else data)


docker(f"{out}/docker.tar", "loaded/docker:1")
oci(f"{out}/oci.tar", "docker.io/loaded/oci:1", False)
oci(f"{out}/packed.tar.gz", "docker.io/loaded/packed:1", True)
# A blob that is not what its name says.
with open(f"{out}/oci.tar", "rb") as file:
    data = file.read()
with open(f"{out}/broken.tar", "wb") as file:
    file.write(data.replace(b"FROM=config", b"FROM=nobody"))
with open(f"{out}/short.tar", "wb") as file:
    file.write(data[: len(data) // 2])
