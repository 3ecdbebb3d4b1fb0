"""A varlink client, written from the specification (varlink.org) and knowing
nothing of holdport: JSON objects, each ended by a NUL byte."""

import json
import socket

from holdport import PATIENCE


class VarlinkError(Exception):
    def __init__(self, name, parameters):
        super().__init__(f"{name} {parameters}")
        self.name, self.parameters = name, parameters


class Varlink:
    def __init__(self, holdport):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(str(holdport.runtime_dir / "control"))
        self._buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, method, parameters=None, **flags):
        self.send_bytes(json.dumps({"method": method, "parameters": parameters or {}, **flags})
                        .encode() + b"\0")

    def send_bytes(self, some):
        self.socket.sendall(some)

    def receive(self):
        """One answer, or None when the other side has hung up."""
        while b"\0" not in self._buffer:
            try:
                more = self.socket.recv(65536)
            except ConnectionResetError:
                more = b""
            if not more:
                return None
            self._buffer += more
        frame, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(frame)

    def answer(self):
        """The parameters of the next answer that is no error."""
        reply = self.receive()
        if reply is None:
            raise ConnectionResetError("hung up")
        if "error" in reply:
            raise VarlinkError(reply["error"], reply.get("parameters"))
        return reply.get("parameters", {})

    def call(self, method, parameters=None):
        self.send(method, parameters)
        return self.answer()

    def stream(self, method, parameters=None):
        """All answers of a call with `more`: the last one is the one that says so."""
        self.send(method, parameters, more=True)
        while True:
            reply = self.receive()
            assert reply is not None, "hung up before the last answer"
            yield reply
            if not reply.get("continues"):
                return
