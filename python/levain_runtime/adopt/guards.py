"""What the notebook may reach: files that it opens are noted, the network is refused but for this machine itself."""

import os
import socket
import sys

MAX_NOTED = 5000
_LOCAL_NAMES = ("localhost", "localhost.localdomain", "ip6-localhost", "0.0.0.0", "::", "::1", "")


class Guards:
    """One audit hook; it cannot be taken away again, so it only looks at what it is for."""

    def __init__(self, trace, network, protect):
        self.trace, self.network, self.name = trace, network, socket.gethostname()
        self.protect = [os.path.realpath(folder) for folder in protect or []]
        # The copy and what is written beside it, which may lie in the project's own `.levain`.
        self.own = os.path.dirname(os.path.realpath(trace.root)) + os.sep
        self.seen, self.busy = set(), False

    def start(self):
        sys.addaudithook(self._hook)

    def _hook(self, event, args):
        if event == "open":
            self._open(*args)
        elif event.startswith("socket.") and not self.network:
            self._socket(event, args)
        elif event in ("os.remove", "os.rename", "os.rmdir", "shutil.rmtree", "os.truncate") and self.protect:
            self._protected(args[0])

    def _open(self, path, mode, flags):
        if self.busy or not isinstance(path, (str, bytes)):
            return
        self.busy = True
        try:
            text = os.fsdecode(path)
            writes = bool(set(mode) & set("wax+")) if isinstance(mode, str) else bool(flags & (os.O_WRONLY | os.O_RDWR))
            if writes:
                self._protected(text)
            if (writes, text) in self.seen or len(self.seen) > MAX_NOTED:
                return
            self.seen.add((writes, text))
            real = os.path.realpath(text)
            if writes:
                self.trace.writes.append(text)
            elif real.startswith(self.trace.root + os.sep) and not real.endswith((".pyc", ".py")) and os.path.isfile(real):
                self.trace.opens.append(real)
        finally:
            self.busy = False

    def _protected(self, path):
        if not isinstance(path, (str, bytes)):
            return
        real = os.path.realpath(os.fsdecode(path))
        if real.startswith(self.own):
            return
        if any(real == folder or real.startswith(folder + os.sep) for folder in self.protect):
            raise PermissionError("levain adopt keeps %s as it is; the notebook runs in a copy" % real)

    def _socket(self, event, args):
        if event in ("socket.connect", "socket.sendto"):
            address = args[-1]
            if isinstance(address, tuple) and address and not self._is_local(address[0]):
                self._note(address[0])
                raise ConnectionRefusedError("levain adopt runs the notebook without network (%s was asked for); --network allows it" % (address[0],))
        elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
            if args and args[0] is not None and not self._is_local(args[0]):
                self._note(args[0])
                raise socket.gaierror(
                    socket.EAI_NONAME, "levain adopt runs the notebook without network (%s was asked for); --network allows it" % (args[0],)
                )

    def _is_local(self, host):
        host = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
        return host in _LOCAL_NAMES or host == self.name or host.startswith(("127.", "::ffff:127."))

    def _note(self, host):
        text = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
        if text not in self.trace.refused_network and len(self.trace.refused_network) < 200:
            self.trace.refused_network.append(text)
