"""Listens on a port and passes connections on to a Unix socket: bridge.py SOCKET PORT."""

import os
import socket
import sys
import threading


def carry(source, sink):
    try:
        while piece := source.recv(65536):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


# Its path may be longer than the address of a socket can be.
directory, name = os.path.split(sys.argv[1])
address = f"/proc/self/fd/{os.open(directory, os.O_PATH)}/{name}"
server = socket.create_server(("127.0.0.1", int(sys.argv[2])))
print("ready", flush=True)
while True:
    client = server.accept()[0]
    owner = socket.socket(socket.AF_UNIX)
    owner.connect(address)
    for ends in ((client, owner), (owner, client)):
        threading.Thread(target=carry, args=ends, daemon=True).start()
