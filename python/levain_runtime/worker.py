"""The model worker: `python -m levain_runtime.worker FD MEMORY_BYTES`.

Serves one loaded model over an inherited Unix socket, one message at a time. A message is two uint32 (header and body length,
little-endian), a JSON header and the columns' bytes (frames.py). It ends when the socket closes, that is, with its parent.
"""

import json
import os
import socket
import struct
import sys

from .frames import decode_columns, encode_columns
from .models import Loaded, class_cells, describe, libraries

PREFIX = struct.Struct("<II")
MAX_MESSAGE_BYTES = 1 << 30


def main(argv):
    _die_with_parent()
    _limit(int(argv[2]) if len(argv) > 2 else 0)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, fileno=int(argv[1]))
    connection.setblocking(True)
    # What the user's code starts must not hold the socket open.
    os.set_inheritable(connection.fileno(), False)
    loaded = None
    while True:
        message = _receive(connection)
        if message is None:
            return
        header, body = message
        if header["op"] == "load":
            loaded, reply = _load(header)
            _send(connection, reply, [])
        else:
            _send(connection, *_run(loaded, header, body))


def _load(header):
    try:
        loaded = Loaded(header.get("features"), header.get("model"))
        # pandas is needed for the first rows anyway: its import belongs to loading.
        import pandas  # noqa: F401
    except (Exception, SystemExit) as error:
        return None, {"ok": False, "kind": type(error).__name__, "message": describe(error)}
    return loaded, {"ok": True, "libraries": libraries(), "classes": class_cells(loaded.model)}


def _run(loaded, header, body):
    try:
        columns = decode_columns(header, body)
        results, errors = loaded.run(header["stage"], columns, header["rowCount"], header.get("types"))
        entries, parts = encode_columns(results)
    except (Exception, SystemExit) as error:
        return {"ok": False, "kind": type(error).__name__, "message": describe(error)}, []
    reply = {"ok": True, "rowCount": header["rowCount"], "columns": entries}
    if errors:
        reply["errors"] = [{"row": row, "kind": kind, "message": message} for row, kind, message in errors]
    return reply, parts


def _receive(connection):
    prefix = _read(connection, PREFIX.size)
    if prefix is None:
        return None
    header_length, body_length = PREFIX.unpack(prefix)
    if header_length + body_length > MAX_MESSAGE_BYTES:
        raise ValueError("a message of %d bytes" % (header_length + body_length))
    header = _read(connection, header_length)
    body = _read(connection, body_length)
    if header is None or body is None:
        return None
    return json.loads(bytes(header).decode("utf-8")), body


def _read(connection, length):
    data = bytearray(length)
    view = memoryview(data)
    at = 0
    while at < length:
        got = connection.recv_into(view[at:])
        if got == 0:
            return None
        at += got
    return data


def _send(connection, header, parts):
    text = json.dumps(header).encode("utf-8")
    connection.sendall(b"".join([PREFIX.pack(len(text), sum(map(len, parts))), text] + parts))


def _die_with_parent():
    """A busy worker notices no closed socket; Linux then sends it KILL. Elsewhere it ends after its batch."""
    try:
        import ctypes
        import signal

        ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL, 0, 0, 0)
    except Exception:
        pass


def _limit(memory_bytes):
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if memory_bytes > 0:
        try:
            resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
        except (ValueError, OSError) as error:
            print("levain: the memory limit could not be set: %s" % error, file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv)
