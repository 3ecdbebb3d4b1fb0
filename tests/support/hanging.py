"""hanging.py DIRECTORY bind HOST:PORT | page HOST:PORT | send PATH SIZE COUNT: a descriptor
that holds whoever looks at it or closes it.

It lies in a file system whose server (fuse(4)) is this process, which answers itself and
nobody else.  `bind` calls bind(2) with it and says what came of it; then it listens at
the address.  `page` calls bind(2) with an address in a page of it, which nobody can
read.  `send` sends it over the socket at the path, beside SIZE bytes, so
often.  It has no
such file open when it may be killed: its end would wait for its own answer.  Exit code
4: this system mounts no such thing."""

import ctypes
import os
import signal
import socket
import struct
import sys
import threading

LOOKUP, GETATTR, OPEN, RELEASE, FLUSH, INIT = 1, 3, 14, 18, 25, 26
ROOT, FILE = 1, 2
CLONE_NEWNS = 0x20000
libc = ctypes.CDLL(None, use_errno=True)


def attributes(node):
    mode = 0o40755 if node == ROOT else 0o100644
    size = 0 if node == ROOT else 4096
    return struct.pack("<6Q10I", node, size, 0, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)


def answer_to(opcode, node):
    """None: never."""
    if opcode == INIT:
        return struct.pack("<4I2H2I2H8I", 7, 31, 4096, 0, 1, 1, 4096, 1, 1, 0, *[0] * 8)
    if opcode == LOOKUP:
        return struct.pack("<4Q2I", FILE, 0, 0, 0, 0, 0) + attributes(FILE)
    if opcode == OPEN:
        return struct.pack("<Q2I", 1, 0, 0)
    if opcode == GETATTR:
        return struct.pack("<Q2I", 0, 0, 0) + attributes(node)
    return b"" if opcode in (FLUSH, RELEASE) else None


def serve(fuse):
    while True:
        request = os.read(fuse, 1 << 18)
        _, opcode, unique, node, _, _, pid = struct.unpack_from("<2I2Q3I", request)
        answer = answer_to(opcode, node)
        if answer is not None and pid in (0, os.getpid()):
            os.write(fuse, struct.pack("<IiQ", 16 + len(answer), 0, unique) + answer)


def open_hanging(directory):
    try:
        fuse = os.open("/dev/fuse", os.O_RDWR)
    except OSError:
        sys.exit(4)
    options = f"fd={fuse},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
    os.makedirs(directory, exist_ok=True)
    if libc.unshare(CLONE_NEWNS) or libc.mount(None, b"/", None, 0x44000, None) or \
            libc.mount(b"hanging", directory.encode(), b"fuse", 0, options):
        sys.exit(4)
    threading.Thread(target=serve, args=(fuse,), daemon=True).start()
    return os.open(f"{directory}/file", os.O_RDONLY)


def bind(fd, address):
    host, port = address.rsplit(":", 1)
    name = struct.pack("=H2s4s8x", socket.AF_INET, struct.pack("!H", int(port)),
                       socket.inet_aton(host))
    why = ctypes.get_errno() if libc.bind(fd, name, len(name)) else 0
    os.close(fd)
    print(f"bind {address}: errno={why} inode=0 cloexec=0 nonblock=0 nodelay=0 backlog=0",
          flush=True)
    with socket.create_server((host, int(port))):
        signal.sigwait([signal.SIGTERM])
    os._exit(0)


def page(fd, address):
    libc.mmap.restype = ctypes.c_void_p
    there = libc.mmap(None, ctypes.c_size_t(4096), 1, 1, fd, ctypes.c_long(0))
    os.close(fd)
    with socket.socket() as s:
        print(f"page {address}", flush=True)
        libc.bind(s.fileno(), ctypes.c_void_p(there), 16)


def send(fd, path, size, count):
    conversations = []
    for _ in range(int(count)):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        s.connect(path)
        try:
            socket.send_fds(s, [bytes(int(size))], [fd])
        except BrokenPipeError:     # there is no place for it
            pass
        conversations.append(s)
    os.close(fd)
    print("sent", flush=True)
    signal.sigwait([signal.SIGTERM])
    os._exit(0)


{"bind": bind, "page": page, "send": send}[sys.argv[2]](open_hanging(sys.argv[1]), *sys.argv[3:])
