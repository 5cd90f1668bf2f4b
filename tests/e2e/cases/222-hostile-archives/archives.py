"""Writes root file systems that try to get out of theirs, or to fill the disk."""

import io
import sys
import tarfile

out, target = sys.argv[1], sys.argv[2]


def write(name, *entries):
    with tarfile.open(f"{out}/{name}.tar", "w") as archive:
        for entry in entries:
            content = entry.pop("content", None)
            info = tarfile.TarInfo(entry.pop("name"))
            for key, value in entry.items():
                setattr(info, key, value)
            if content is not None:
                info.size = len(content)
            archive.addfile(info, io.BytesIO(content) if content is not None else None)


evil = b"evil"
link, hard, folder = tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE
write("absolute", {"name": f"{target}/absolute", "content": evil})
write("dots", {"name": "../" * 30 + target.lstrip("/") + "/dots", "content": evil})
write("dots-within", {"name": "a/../../../../../../.." + target + "/dots-within", "content": evil})
write("through-link", {"name": "way", "type": link, "linkname": target}, {"name": "way/through-link", "content": evil})
write(
    "through-dots-link",
    {"name": "way", "type": link, "linkname": "../" * 30 + target.lstrip("/")},
    {"name": "way/through-dots-link", "content": evil},
)
write("over-link", {"name": "file", "type": link, "linkname": f"{target}/canary"}, {"name": "file", "content": evil})
write("hard-link", {"name": "grip", "type": hard, "linkname": f"{target}/canary"}, {"name": "grip", "content": evil})
write(
    "hard-link-dots",
    {"name": "grip", "type": hard, "linkname": "../" * 30 + f"{target}/canary".lstrip("/")},
    {"name": "grip", "content": evil},
)
write("folder-is-link", {"name": "d", "type": link, "linkname": target}, {"name": "d", "type": folder, "mode": 0o700})
write("whiteout", {"name": "d", "type": link, "linkname": target}, {"name": "d/.wh.canary", "content": b""})
write("device", {"name": "disk", "type": tarfile.BLKTYPE, "devmajor": 254, "devminor": 0})
write("many", *({"name": f"f{n}", "content": b""} for n in range(100_000)))

with open(f"{out}/garbage.tar", "wb") as file:
    file.write(bytes(range(256)) * 100)
# An entry that claims to be eight exabytes.
info = tarfile.TarInfo("large")
info.size = 1 << 62
with open(f"{out}/lying.tar", "wb") as file:
    file.write(info.tobuf(tarfile.GNU_FORMAT) + b"x" * 512)
