"""Supervisors, each with N programs that sleep: what starts them, who supervises."""

import os
import select
import shutil
import subprocess
import time

import bench
from bench import PATH, below, harness

SLEEPER = harness.SUPPORT / "sleeper"
NO_SUPERVISOR = {"sleeper", "sh"}       # dumb-inits are started by a shell's loop


class Sleepers:
    """One supervisor at work.  A subclass writes what it reads and says how it is run."""
    name = executable = None
    most = 1000                         # programs that are worth a try

    @classmethod
    def there(cls):
        return cls.executable is None or shutil.which(cls.executable, path=PATH)

    def __init__(self, count):
        self.count = count
        self.dir = bench.directory()
        self.fifo = self.dir / "up"
        os.mkfifo(self.fifo)
        self.command = f"{SLEEPER} {self.fifo}"
        self.environment = {**os.environ, "PATH": PATH}
        argv = [str(word) for word in self.prepare()]
        try:
            self.up_after = self._start(argv)
        except BaseException:
            self.end()
            raise

    def prepare(self):
        """Writes the configuration, returns the command line."""
        raise NotImplementedError

    def _start(self, argv):
        reader = os.open(self.fifo, os.O_RDWR | os.O_NONBLOCK)
        with open(self.dir / "output", "wb") as out:
            began = time.monotonic()
            self.process = subprocess.Popen(argv, cwd=self.dir, stdin=subprocess.DEVNULL,
                                            stdout=out, stderr=out, env=self.environment)
        up = 0
        while up < self.count:
            if not select.select([reader], [], [], 30)[0]:
                raise AssertionError(f"{self.name}: {up} of {self.count} programs came up:\n"
                                     + (self.dir / "output").read_text(errors="replace")[-2000:])
            up += len(os.read(reader, 65536))
        after = time.monotonic() - began
        os.close(reader)
        return after

    def supervisors(self):
        return [pid for pid, name in below(self.process.pid).items()
                if name not in NO_SUPERVISOR]

    def end(self):
        if self.process.poll() is None:
            for pid in below(self.process.pid):     # parents first: nothing is started again
                harness.kill(pid)
            self.process.wait()
            harness.reap_orphans()
        shutil.rmtree(self.dir, ignore_errors=True)

    def _script(self, path):
        path.parent.mkdir(parents=True)
        path.write_text(f"#!/bin/sh\nexec {self.command}\n")
        path.chmod(0o755)


class Holdport(Sleepers):
    name = "holdport"

    def prepare(self):
        self.config = self.dir / "holdport.conf"
        programs = "".join(f"[program:p{i}]\ncommand = {self.command}\n"
                           for i in range(self.count))
        self.config.write_text(f"[supervisor]\nruntime_dir = {self.dir}/run\n{programs}")
        return [harness.BUILD / "bin/holdport", "run", "-c", self.config]

    def holdport(self, *words):
        return subprocess.run([harness.BUILD / "bin/holdport", *words, "-c", self.config],
                              check=True, capture_output=True, text=True).stdout

    def end(self):
        self.holdport("shutdown")
        self.process.wait()
        super().end()


class DumbInit(Sleepers):
    """It supervises nothing: the floor."""
    name, executable = "dumb-init, one a program", "dumb-init"

    def prepare(self):
        loop = f"i=0; while [ $i -lt {self.count} ]; do dumb-init {self.command} & i=$((i+1)); done; wait"
        return ["/bin/sh", "-c", loop]


class Supervisord(Sleepers):
    name = executable = "supervisord"

    def prepare(self):
        programs = "".join(f"[program:p{i}]\ncommand={self.command}\n" for i in range(self.count))
        conf = self.dir / "supervisord.conf"
        conf.write_text(f"[supervisord]\nnodaemon=true\nuser=root\nminfds=8192\nlogfile={self.dir}/log\n"
                        f"pidfile={self.dir}/pid\nchildlogdir={self.dir}\n"
                        f"[unix_http_server]\nfile={self.dir}/control\n{programs}")
        return ["supervisord", "-c", conf]


class Runit(Sleepers):
    name, executable = "runit", "runsvdir"

    def prepare(self):
        for i in range(self.count):
            self._script(self.dir / f"sv/p{i}/run")
        return ["runsvdir", self.dir / "sv"]


class S6(Sleepers):
    name, executable = "s6", "s6-svscan"

    def prepare(self):
        for i in range(self.count):
            self._script(self.dir / f"sv/p{i}/run")
        return ["s6-svscan", "-c", 2000, self.dir / "sv"]


class ServerStarter(Sleepers):
    name, executable, most = "Server::Starter, one a program", "start_server", 1

    def prepare(self):
        return ["start_server", "--", *self.command.split()]


ALL = (Holdport, DumbInit, S6, Runit, Supervisord, ServerStarter)


def kinds(scale):
    return (Holdport, DumbInit) if scale.smoke else ALL
