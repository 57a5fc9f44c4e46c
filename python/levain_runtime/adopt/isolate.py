"""Starts a program inside a network namespace of its own: `python isolate.py [--forward PORT SOCKET] -- PROGRAM ARGS…`.

Run under `unshare --net`: there the loopback device is down and nothing else exists. This brings it up, leaves a small
forwarder behind where a server outside is to be reached (127.0.0.1:PORT → the Unix socket, which lies on disk and so crosses
namespaces), and becomes the program. Run by its path, not with -m: the Python that starts it need not know this package.
`--check` does the first part only and says whether it worked.
"""

import ctypes
import os
import signal
import socket
import struct
import sys
import threading

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
PR_SET_PDEATHSIG = 1
CHUNK = 1 << 16


def main(arguments):
    loopback_up()
    if arguments == ["--check"]:
        with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname(), 2):
            return 0
    if arguments[0] == "--forward":
        forward(int(arguments[1]), arguments[2])
        arguments = arguments[3:]
    os.execvp(arguments[1], arguments[1:])


def loopback_up():
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
        request = struct.pack("16sH14s", b"lo", 0, b"")
        flags = struct.unpack("16sH14s", fcntl.ioctl(device, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(device, SIOCSIFFLAGS, struct.pack("16sH14s", b"lo", flags | IFF_UP, b""))


def forward(port, path):
    """The listener is there before the program starts; its process ends with the program's."""
    server = socket.create_server(("127.0.0.1", port))
    program = os.getpid()
    if os.fork() != 0:
        server.close()
        return
    try:
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != program:
            os._exit(0)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        while True:
            client = server.accept()[0]
            threading.Thread(target=join, args=(client, path), daemon=True).start()
    finally:
        os._exit(1)


def join(client, path):
    try:
        outside = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        outside.connect(path)
    except OSError:
        client.close()
        return
    back = threading.Thread(target=pump, args=(outside, client), daemon=True)
    back.start()
    pump(client, outside)
    back.join()
    client.close()
    outside.close()


def pump(source, target):
    try:
        while True:
            data = source.recv(CHUNK)
            if not data:
                break
            target.sendall(data)
    except OSError:
        pass
    for end, how in ((target, socket.SHUT_WR), (source, socket.SHUT_RD)):
        try:
            end.shutdown(how)
        except OSError:
            pass


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
