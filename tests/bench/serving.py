"""Supervisors, each with one server on one address: what starts, restarts, holds it.

The server is tests/support/worker, the same for all of them.
"""

import json
import os
import shutil
import socket
import subprocess
import time

import bench
from bench import PATH, harness

WORKER = harness.SUPPORT / "worker"


class Server:
    """One supervisor at work, and its server answers."""
    name = executable = None
    keeps = True        # the address answers, or lets clients wait, all the time
    again = True        # it has a command that restarts

    @classmethod
    def there(cls):
        return cls.executable is None or shutil.which(cls.executable, path=PATH)

    def __init__(self, *options):
        self.dir = bench.directory()
        self.report = self.dir / "report"   # of the server: when it was ready
        self.address = f"127.0.0.1:{harness.free_port()}"
        self.command = [WORKER, "--report", self.report, *options]
        self.environment = {**os.environ, "PATH": PATH}
        try:
            self.process = self.start()
            harness.eventually(self.answers, 30, f"{self.name} answers")
        except BaseException:
            self.end()
            raise

    def start(self):
        """Writes the configuration, returns the process that supervises."""
        raise NotImplementedError

    def restart(self):
        """The words of the command that restarts and waits as long as it does."""
        raise NotImplementedError

    def spawn(self, *argv, **named):
        with open(self.dir / "output", "wb") as out:
            return subprocess.Popen(list(map(str, argv)), cwd=self.dir, stdout=out, stderr=out,
                                    env=self.environment, **{"stdin": subprocess.DEVNULL, **named})

    def answers(self):
        """The pid that answers, or nothing."""
        try:
            return int(harness.get(self.address, "/pid"))
        except OSError:
            return None

    def last_ready(self):
        """ms of the monotonic clock."""
        lines = self.report.read_text().splitlines()
        return max(report["at_us"] / 1000 for report in map(json.loads, lines)
                   if report["event"] == "ready")

    def run_restart(self):
        """Restarts; when the command had returned: ms of the monotonic clock."""
        words = list(map(str, self.restart()))
        found = shutil.which(words[0], path=PATH)
        null = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]
        pid = os.posix_spawn(found, words, self.environment, file_actions=null)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        returned = time.monotonic() * 1000
        assert code == 0, f"{words}: exit {code}"
        return returned

    def end(self):
        process = getattr(self, "process", None)
        if process and process.poll() is None:
            for pid in bench.below(process.pid):
                harness.kill(pid)
            process.wait()
            harness.reap_orphans()
        shutil.rmtree(self.dir, ignore_errors=True)

    def words(self, *more):
        return " ".join(map(str, [*self.command, *more]))

    def _script(self, command):
        path = self.dir / "sv/run"
        path.parent.mkdir()
        path.write_text(f"#!/bin/sh\nexec {command} 2>&1\n")
        path.chmod(0o755)
        return path.parent


class Holdport(Server):
    name = "holdport"

    def start(self):
        self.config = self.dir / "holdport.conf"
        self.config.write_text(f"[supervisor]\nruntime_dir = {self.dir}/run\n"
                               f"[socket:http]\nlisten = {self.address}\n"
                               f"[program:web]\nsockets = http\nready = notify\n"
                               f"command = {self.words('--notify')}\n")
        return self.spawn(harness.BUILD / "bin/holdport", "run", "-c", self.config)

    def restart(self):
        return harness.BUILD / "bin/holdport", "restart", "web", "-c", self.config


class Bare(Server):
    """Spawn, the server's own start, listen: nothing can be faster."""
    name, keeps, again = "bare respawn loop", False, False

    def start(self):
        return self.spawn(harness.SUPPORT / "respawn", *self.command, "--bind", self.address)


class ServerStarter(Server):
    name, executable = "Server::Starter", "start_server"

    def start(self):
        return self.spawn("start_server", f"--port={self.address}", f"--pid-file={self.dir}/pid",
                          f"--status-file={self.dir}/status", "--", *self.command)

    def restart(self):
        return ("start_server", "--restart", f"--pid-file={self.dir}/pid",
                f"--status-file={self.dir}/status")


class Supervisord(Server):
    name, executable = "supervisord, fcgi-program", "supervisord"

    def start(self):
        self.conf = self.dir / "supervisord.conf"
        self.conf.write_text(f"[supervisord]\nnodaemon=true\nuser=root\nlogfile={self.dir}/log\n"
                             f"pidfile={self.dir}/pid\nchildlogdir={self.dir}\n"
                             f"[unix_http_server]\nfile={self.dir}/control\n"
                             f"[supervisorctl]\nserverurl=unix://{self.dir}/control\n"
                             "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory="
                             "supervisor.rpcinterface:make_main_rpcinterface\n"
                             f"[fcgi-program:web]\nsocket=tcp://{self.address}\n"
                             "startsecs=0\nautorestart=true\n"
                             f"process_name=web\ncommand={self.words('--stdin')}\n")
        return self.spawn("supervisord", "-c", self.conf)

    def restart(self):
        return "supervisorctl", "-c", self.conf, "restart", "web:web"


class Runit(Server):
    """Its socket is bound outside and inherited by runsv and by every server."""
    name, executable = "runit, a descriptor held", "runsv"

    def start(self):
        host, port = self.address.split(":")
        with socket.create_server((host, int(port)), backlog=4096) as held:
            os.set_inheritable(held.fileno(), True)
            sv = self._script(self.words("--fd", held.fileno()))
            return self.spawn("runsv", sv, pass_fds=[held.fileno()])

    def restart(self):
        return "sv", "restart", self.dir / "sv"


class S6(Server):
    name, executable, keeps = "s6, the server binds", "s6-supervise", False

    def start(self):
        return self.spawn("s6-supervise", self._script(self.words("--bind", self.address)))

    def restart(self):
        return "s6-svc", "-r", self.dir / "sv"


ALL = (Holdport, Bare, ServerStarter, Supervisord, Runit, S6)


def kinds(scale):
    return (Holdport, Bare) if scale.smoke else ALL
