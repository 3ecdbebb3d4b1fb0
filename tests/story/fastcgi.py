"""A FastCGI client, written from the specification (FastCGI 1.0): one request a connection."""

import struct

from holdport import connect

BEGIN, END, PARAMS, STDIN, STDOUT = 1, 3, 4, 5, 6
RESPONDER = 1


def _record(kind, body=b""):
    return struct.pack(">BBHHBx", 1, kind, 1, len(body), 0) + body


def _pair(name, value):
    return bytes([len(name), len(value)]) + name.encode() + value.encode()


def _some(s, length):
    text = b""
    while len(text) < length:
        more = s.recv(length - len(text))
        if not more:
            raise ConnectionResetError("closed")
        text += more
    return text


def fastcgi(address, path="/"):
    """The body that the program behind the address answers for a file."""
    params = (_pair("SCRIPT_FILENAME", str(path)) + _pair("REQUEST_METHOD", "GET") +
              _pair("SCRIPT_NAME", "/x"))
    with connect(address) as s:
        s.sendall(_record(BEGIN, struct.pack(">HB5x", RESPONDER, 0)) + _record(PARAMS, params) +
                  _record(PARAMS) + _record(STDIN))
        out = b""
        while True:
            _, kind, _, length, padding = struct.unpack(">BBHHBx", _some(s, 8))
            body = _some(s, length + padding)[:length]
            if kind == STDOUT:
                out += body
            elif kind == END:
                return out.split(b"\r\n\r\n", 1)[1].decode().rstrip("\n")
