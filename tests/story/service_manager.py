"""A stand-in for systemd, as far as a service with a descriptor store sees it: it listens at
NOTIFY_SOCKET, believes the main process only (NotifyAccess=main), keeps what comes with
FDSTORE=1 and leaves it to the next start as LISTEN_FDS (sd_pid_notify_with_fds(3))."""

import array
import os
import random
import select
import socket
import struct
import threading

from holdport import eventually
from test_1_inherit import activate

PASSED_MOST = 253
CREDENTIALS = struct.calcsize("3i")


def inode_of(fd):
    return os.fstat(fd).st_ino


class ServiceManager:
    def __init__(self, holdport, most=None):
        """most: FileDescriptorStoreMax=, told by FDSTORE (systemd 254); None: none is told."""
        self.holdport, self.most = holdport, most
        self.path = str(holdport.dir / "above")
        self.lines, self.stored = [], []            # (name, fd), oldest first
        self.listens = threading.Lock()             # held by a story: it does not
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._socket.bind(self.path)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    # What it hears

    def _listen(self):
        room = socket.CMSG_SPACE(CREDENTIALS) + socket.CMSG_SPACE(4 * PASSED_MOST)
        while not self._over.is_set():
            if select.select([self._socket], [], [], 0.05)[0]:
                with self.listens:
                    text, extra, _, _ = self._socket.recvmsg(65536, room)
                    self._take(text.decode().split("\n"), *self._unpack(extra))

    @staticmethod
    def _unpack(extra):
        sender, fds = 0, array.array("i")
        for _, what, data in extra:
            if what == socket.SCM_CREDENTIALS:
                sender = struct.unpack("3i", data[:CREDENTIALS])[0]
            else:
                fds.frombytes(data[:len(data) - len(data) % fds.itemsize])
        return sender, list(fds)

    def _take(self, lines, sender, fds):
        if sender == self.holdport.process.pid:
            self.lines.extend(lines)
            name = next((line[7:] for line in lines if line.startswith("FDNAME=")), "stored")
            if "FDSTORE=1" in lines:
                fds = [fd for fd in fds if not self._keep(name, fd, "FDPOLL=0" not in lines)]
            if "FDSTOREREMOVE=1" in lines:
                self._remove(lambda one, _: one == name)
        for fd in fds:
            os.close(fd)

    def _keep(self, name, fd, polled):
        """Is it the store's now?  systemd merges copies, and drops what hangs up."""
        known = inode_of(fd) in self.inodes()
        if known or polled and self._hangs_up(fd) or len(self.stored) >= (4096 if self.most is None else self.most):
            return False
        self.stored.append((name, fd))
        return True

    @staticmethod
    def _hangs_up(fd):
        poll = select.poll()
        poll.register(fd, 0)
        return bool(poll.poll(0))

    def _remove(self, is_it):
        for one in [one for one in self.stored if is_it(*one)]:
            self.stored.remove(one)
            os.close(one[1])

    # What it does

    def start(self):
        """As ExecStart=, with what is stored, in no order."""
        holdport = self.holdport
        env = {"NOTIFY_SOCKET": self.path, **({"FDSTORE": str(self.most)} if self.most else {})}
        with self.listens:      # what it says is believed when its pid is known
            left = random.sample(self.stored, len(self.stored))
            self.lines.clear()
            activate(holdport, [fd for _, fd in left], ":".join(name for name, _ in left), env=env)
        eventually(holdport._answers, what="the supervisor answers")
        self.await_("READY=1")

    def await_(self, line):
        eventually(lambda: line in self.lines, what=lambda: f"{line} in {self.lines}")

    def inodes(self):
        return {inode_of(fd) for _, fd in list(self.stored)}

    def await_stored(self, inodes):
        eventually(lambda: self.inodes() == set(inodes),
                   what=lambda: f"{inodes} are stored: {self.stored}\n{self.holdport.log()}")

    def close(self):
        self._over.set()
        self._thread.join()
        self._socket.close()
        self._remove(lambda *_: True)
