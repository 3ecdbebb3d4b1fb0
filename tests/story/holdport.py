"""A supervisor under test, and what stories say about it.

A story writes a configuration, runs the built programs in a directory of its
own, waits for news and not for time, and leaves nothing behind: whatever is
left of its processes, or a word of a sanitizer, fails it.

Executables come from $HOLDPORT_BUILD (default build/dev of this tree).
"""

import atexit
import collections
import contextlib
import ctypes
import json
import os
import pty
import queue
import random
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def _within_reach(build):
    """Root's stories run workers as other users, who cannot get into a checkout
    below /root: then the programs are copied to where they can."""
    everybody = all(p.stat().st_mode & 0o001 for p in [build, *build.parents])
    if everybody or os.geteuid() != 0:
        return build
    copy = Path(tempfile.mkdtemp(prefix="hp-build."))
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    copy.chmod(0o755)
    for part in ("bin", "support"):
        shutil.copytree(build / part, copy / part)
    return copy


BUILD = _within_reach(Path(os.environ.get("HOLDPORT_BUILD") or ROOT / "build/dev").resolve())
SUPPORT = BUILD / "support"
SOURCES = ROOT / "tests/support"
PATIENCE = float(os.environ.get("HOLDPORT_PATIENCE", "20"))  # s, for one thing to happen
PR_SET_CHILD_SUBREAPER = 36
PR_CAPBSET_DROP = 24
CAP_NET_RAW = 13
CAP_SYS_PTRACE = 19
NOBODY = 65534

# Exit codes of the command (docs: interface).
DONE, FAILED, USAGE, NOT_ALL_RUNNING = 0, 1, 2, 3
NOT_PERMITTED, NO_SUCH, NOT_RUNNING, TIMED_OUT, ANOTHER_RUNS = 4, 6, 7, 8, 9


def eventually(look, seconds=PATIENCE, what=None):
    """What look() answers once it is true; for what no program announces."""
    until = time.monotonic() + seconds
    pause = 0.005
    while True:
        answer = look()
        if answer:
            return answer
        if time.monotonic() > until:
            raise AssertionError(f"not within {seconds:g} s: "
                                 f"{what() if callable(what) else what or look.__name__}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)


# Processes


def become_subreaper():
    """Orphans of a story come to us: none is lost, none can hide."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def give_up(capability):
    """What this process starts by exec(2) will not have it, not even as root."""
    ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability)


def _processes():
    """pid -> (parent, state, name)"""
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        with contextlib.suppress(OSError):
            text = Path("/proc", entry, "stat").read_text(errors="replace")
            name, rest = text[text.index("(") + 1:].rsplit(")", 1)
            state, parent = rest.split()[:2]
            found[int(entry)] = (int(parent), state, name)
    return found


def descendants(of=None):
    """pid -> name of all below a process (ours), zombies not counted."""
    of = of or os.getpid()
    all_ = _processes()
    below, more = {}, {of}
    while more:
        more = {p for p, (parent, _, _) in all_.items() if parent in more and p not in below}
        below.update({p: all_[p][2] for p in more if all_[p][1] != "Z"})
    return below


def reap_orphans(but=()):
    """Takes zombies that came to us, but for those that somebody waits for."""
    for pid, (parent, state, _) in _processes().items():
        if parent == os.getpid() and state == "Z" and pid not in but:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)


def end_leftovers(patience=3):
    """Ends what is left of a story's processes and names it; a moment is given to
    those that are leaving."""
    def gone():
        reap_orphans()
        return not descendants()

    with contextlib.suppress(AssertionError):
        eventually(gone, patience)
    left = descendants()
    for pid in left:
        kill(pid)
    with contextlib.suppress(AssertionError):
        eventually(gone)
    return left


def shown_on_terminal(env, *words, **more):
    """All that `holdport WORDS` shows on a terminal, and its exit code."""
    ours, its = pty.openpty()
    env = {name: value for name, value in env.items() if name != "NO_COLOR"}
    child = subprocess.Popen([str(BUILD / "bin/holdport"), *map(str, words)],
                             stdin=subprocess.DEVNULL, stdout=its, stderr=its,
                             env={**env, "TERM": "xterm", **more})
    os.close(its)
    shown = b""
    with contextlib.suppress(OSError):      # EIO: it has ended
        while piece := os.read(ours, 65536):
            shown += piece
    os.close(ours)
    return shown.decode(), child.wait(timeout=PATIENCE)


def alive(pid):
    state = _processes().get(pid)
    return bool(state) and state[1] != "Z"


def parent_of(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


def descriptors(pid):
    """fd -> what it is; one that is closed while we look is passed over."""
    found = {}
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            found[fd] = os.readlink(f"/proc/{pid}/fd/{fd}")
    return found


def kill(pid, number=signal.SIGKILL):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


# Addresses


_ports_given = collections.deque(maxlen=100)     # of late: a story wants different ones


def free_port(host="127.0.0.1"):
    """A port that nobody holds and that no outgoing connection is given (those
    come from ip_local_port_range); two xdist workers never draw the same."""
    worker = int("0" + os.environ.get("PYTEST_XDIST_WORKER", "gw0").lstrip("gw"))
    low = 12000 + worker % 8 * 2000
    for _ in range(200):
        port = random.randrange(low, low + 2000)
        if port in _ports_given:
            continue
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family) as probe:
            try:
                probe.bind((host, port))
                _ports_given.append(port)
                return port
            except OSError:
                continue
    raise AssertionError("no free port")


STATES = {1: "ESTABLISHED", 2: "SYN_SENT", 3: "SYN_RECV", 4: "FIN_WAIT_1", 5: "FIN_WAIT_2",
          6: "TIME_WAIT", 7: "CLOSE", 8: "CLOSE_WAIT", 9: "LAST_ACK", 10: "LISTEN", 11: "CLOSING"}


def states_on(port):
    """The TCP states of sockets whose local port this is, counted by name."""
    counted = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            words = line.split()
            if int(words[1].rsplit(":", 1)[1], 16) == port:
                state = STATES.get(int(words[3], 16), words[3])
                counted[state] = counted.get(state, 0) + 1
    return counted


def connect(address):
    if address.startswith("unix:"):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(PATIENCE)
        s.connect(address[5:])
        return s
    host, port = address.rsplit(":", 1)
    return socket.create_connection((host.strip("[]"), int(port)), timeout=PATIENCE)


def get(address, path="/", keep=None):
    """The body of one answer, without its newline.  `keep`: a connection to use
    and leave open."""
    s = keep or connect(address)
    try:
        close = "" if keep else "Connection: close\r\n"
        s.sendall(f"GET {path} HTTP/1.1\r\nHost: story\r\n{close}\r\n".encode())
        text = b""
        while b"\r\n\r\n" not in text:
            text += _some(s, text)
        head, body = text.split(b"\r\n\r\n", 1)
        length = int(head.lower().split(b"content-length:")[1].split()[0])
        while len(body) < length:
            body += _some(s, text)
        return body.decode().rstrip("\n")
    finally:
        if not keep:
            s.close()


def _some(s, so_far):
    more = s.recv(65536)
    if not more:
        raise ConnectionResetError(f"closed after {so_far!r}")
    return more


def stranger(address):
    """Somebody else who listens there: a port, or the path of a unix socket."""
    code = ("import socket,sys; a=sys.argv[1]\n"
            "s=socket.socket(socket.AF_UNIX if '/' in a else socket.AF_INET)\n"
            "s.bind(a if '/' in a else ('127.0.0.1',int(a)))\n"
            "s.listen(); print('listens',flush=True); sys.stdin.read()")
    child = subprocess.Popen([sys.executable, "-c", code, str(address)], text=True,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout.readline() == "listens\n"
    return child


def end(child):
    """The stranger goes."""
    child.stdin.close()
    child.wait()
    child.stdout.close()


# What stories hold in their hands


class Result:
    """What a command said."""

    def __init__(self, argv, code, out, err):
        self.argv, self.code, self.out, self.err = argv, code, out, err

    @property
    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"{shlex.join(map(str, self.argv))}: exit {self.code}\n{self.out}{self.err}"


class Load:
    """The load generator at work; `report` is there when it has ended."""

    def __init__(self, argv, env):
        self.report = None
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         text=True, env=env)
        self._lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self._process.stdout:
            self._lines.put(line)

    def await_first_answer(self):
        assert self._lines.get(timeout=PATIENCE) == "loading\n"

    def counts(self):
        """The counters so far."""
        self._process.send_signal(signal.SIGUSR1)
        return json.loads(self._lines.get(timeout=PATIENCE))

    def await_calm(self):
        """Until what queued up while nobody accepted is served: a handover is
        under test, not how much a server bears."""
        eventually(lambda: self.counts()["waiting"] < 50, what="the queue is served")

    def stop(self):
        if self.report is None:
            self._process.stdin.close()
            self._process.wait(timeout=PATIENCE)
            self.report = json.loads(self._lines.get(timeout=PATIENCE))
        return self.report

    def expect(self, **counts):
        """expect(failed=0): with the whole report in sight where it is not so."""
        wrong = {name: self.report[name] for name in counts if self.report[name] != counts[name]}
        assert not wrong, f"{wrong} in {json.dumps(self.report)}"

    def kill(self):
        self._process.kill()
        self._process.wait()


class Events:
    """`holdport events -f --json`, from the first one on."""

    def __init__(self, process):
        self.seen = []
        self._process = process
        self._lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self._process.stdout:
            self._lines.put(json.loads(line))
        self._lines.put(None)

    def await_(self, is_it, seconds=PATIENCE):
        """The first event, seen or to come, for which is_it(event) is true."""
        for event in self.seen:
            if is_it(event):
                return event
        until = time.monotonic() + seconds
        while True:
            try:
                event = self._lines.get(timeout=max(0.01, until - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no such event within {seconds:g} s; seen: {self.seen}")
            if event is None:
                raise AssertionError(f"the events ended; seen: {self.seen}")
            self.seen.append(event)
            if is_it(event):
                return event


class Orphan:
    """A process that came to us when its parent ended, as far as a Popen is looked at."""

    def __init__(self, pid):
        self.pid, self.returncode = pid, None

    def poll(self):
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode

    def wait(self, timeout=PATIENCE):
        eventually(lambda: self.poll() is not None, timeout, what=f"{self.pid} ends")
        return self.returncode


class Holdport:
    """One supervisor with a directory of its own."""

    def __init__(self):
        # Short: a unix socket's path has 107 bytes.
        self.dir = Path(tempfile.mkdtemp(prefix="hp.", dir="/tmp"))
        self.runtime_dir = self.dir / "run"
        self.config = self.dir / "holdport.conf"
        self.output = self.dir / "output"
        self.bin = BUILD / "bin"
        self.process = None
        self.leftovers_expected = False
        self.user = None            # root reads no file of other users
        self._children = []
        self.env = {name: value for name, value in os.environ.items()
                    if not name.startswith(("HOLDPORT", "LISTEN_", "NOTIFY_", "PYTEST"))}
        self.env["ASAN_OPTIONS"] = f"log_path={self.dir}/asan:verify_asan_link_order=0"
        self.env["UBSAN_OPTIONS"] = f"log_path={self.dir}/ubsan:print_stacktrace=1"
        self.env["NO_COLOR"] = "1"

    def install(self):
        """Programs of our own, so that others can be put in their place: holdportd."""
        self.bin = self.dir / "bin"
        shutil.copytree(BUILD / "bin", self.bin)
        return self.bin / "holdportd"

    # Words of a configuration

    def port(self):
        return free_port()

    def worker(self, *options):
        """The command line of the worker that plays everything.  A ${...} in it
        stays bare: it is the configuration's to expand."""
        words = map(str, [SUPPORT / "worker", *options])
        return " ".join(w if "${" in w else shlex.quote(w) for w in words)

    def write_config(self, text):
        """Writes the file; [supervisor] with our runtime_dir is added if missing."""
        text = textwrap.dedent(text)
        if "[supervisor]" not in text:
            text = f"[supervisor]\nruntime_dir = {self.runtime_dir}\n" + text
        self.config.write_text(text)

    def write_web(self, *options, address=None, section="", socket="", more=""):
        """[program:web], one worker on [socket:http]; it reports (reports()).  Lines
        may be added to either section, and whole sections behind them.  The address."""
        address = address or f"127.0.0.1:{self.port()}"
        reporting = self.worker("--report", self.dir / "report", *options)
        lines = ["[socket:http]", f"listen = {address}", textwrap.dedent(socket),
                 "[program:web]", "sockets = http"]
        if "command =" not in section:
            lines.append(f"command = {reporting}")
        self.write_config("\n".join([*lines, textwrap.dedent(section), textwrap.dedent(more)]))
        return address

    def run_web(self, *options, **named):
        """write_web(), run, and wait until it runs.  The address."""
        address = self.write_web(*options, **named)
        self.run()
        self.await_("web")
        return address

    def reports(self, event="start"):
        """What the workers wrote down of themselves, oldest first."""
        path = self.dir / "report"
        lines = path.read_text().splitlines() if path.exists() else []
        return [r for r in map(json.loads, lines) if r["event"] == event]

    def signals(self, pid):
        """The signals that a reporting worker got, in their order."""
        return [r["signal"] for r in self.reports("signal") if r["pid"] == pid]

    # Commands

    def cmd(self, command, *args, timeout=60, env=None):
        """`holdport COMMAND -c FILE ARGS`, to its end."""
        where = ["-c", self.config] if self.user is None else ["--runtime-dir", self.runtime_dir]
        return self.plain(command, *where, *args, timeout=timeout, env=env)

    def plain(self, *args, timeout=60, env=None):
        """`holdport ARGS`, exactly."""
        argv = [str(self.bin / "holdport"), *map(str, args)]
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=timeout, env={**self.env, **(env or {})}, cwd=self.dir)
        return Result(argv, done.returncode, done.stdout, done.stderr)

    def ok(self, command, *args, **named):
        """A command that must succeed."""
        result = self.cmd(command, *args, **named)
        assert result.code == DONE, result
        return result

    def spawn(self, *args, **named):
        """`holdport ARGS` in the background, ended with the story; through=WORDS are
        another program's that becomes it."""
        named.setdefault("env", self.env)
        words = [*named.pop("through", ()), self.bin / "holdport", *args]
        child = subprocess.Popen([str(w) for w in words],
                                 stdin=subprocess.DEVNULL, cwd=self.dir, **named)
        self._children.append(child)
        return child

    def spawn_python(self, code, *args):
        """A program of the story's own, ended with it; its output is piped."""
        child = subprocess.Popen([sys.executable, "-c", code, *map(str, args)], text=True,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self._children.append(child)
        return child

    # Running

    def run(self, *args, env=None, fail=None, lacks=None, user=None, through=()):
        """`holdport run`, until it answers.  fail="fork:EAGAIN:1-3" makes calls
        of the daemon fail (tests/support/libfail.c); lacks=CAP_NET_RAW: without it;
        user: a number; through: as in spawn()."""
        env = {**self.env, **(env or {})}
        if fail:
            env.update(LD_PRELOAD=str(SUPPORT / "libfail.so"), HOLDPORT_FAIL=fail,
                       HOLDPORT_FAIL_LOG=str(self.dir / "failed"))
        with open(self.output, "ab") as out:
            self.process = self.spawn("run", "-c", self.config, *args, env=env, stdout=out,
                                      stderr=out, start_new_session=True, through=through,
                                      preexec_fn=lacks and (lambda: give_up(lacks)),
                                      **(user and {"user": user, "group": user,
                                                   "extra_groups": []} or {}))
        eventually(self._answers, what="the supervisor answers")
        return self.process

    def _answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"`run` ended with {self.process.returncode}:\n{self.log()}")
        return self.cmd("status").code in (DONE, NOT_ALL_RUNNING)

    def run_to_end(self, *args, timeout=30):
        """A `run` that is expected to end by itself."""
        return self.cmd("run", *args, timeout=timeout)

    @property
    def pid(self):
        """What the world sees: the keeper's."""
        return self.process.pid

    @property
    def manager_pid(self):
        """Of the process with the logic, below the keeper."""
        return self.status()["supervisor"]["manager_pid"]

    def kill_manager(self, manager=None):
        """Kills it and waits until its successor answers; the pid that it had."""
        old = manager or self.manager_pid
        kill(old)
        eventually(lambda: self.manager_pid != old, what=lambda: f"another manager\n{self.log()}")
        return old

    @contextlib.contextmanager
    def no_manager(self):
        """While the block runs there is none, and nobody to start one."""
        old = self.manager_pid
        os.kill(self.pid, signal.SIGSTOP)
        kill(old)
        eventually(lambda: not alive(old))
        try:
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)
        eventually(lambda: self.manager_pid != old)

    def kill_both(self, manager=None):
        """Keeper and manager, in an order in which nobody is left to act."""
        manager = manager or self.manager_pid
        os.kill(self.pid, signal.SIGSTOP)
        kill(manager)
        eventually(lambda: not alive(manager))
        kill(self.pid)
        self.process.wait()
        self.take_orphans()

    def kill_keeper(self, heir=None):
        """Kills it, and waits until its manager (pid heir) is the keeper of another one."""
        heir = heir or self.manager_pid
        kill(self.pid)
        self.process.wait()
        self.process = Orphan(heir)
        eventually(lambda: self.answer().get("keeper_pid") == heir,
                   what=lambda: f"{heir} is the keeper\n{self.log()}")

    def answer(self):
        """What status says of the supervisor; of one that does not answer now, {}."""
        result = self.cmd("status", "--json")
        return result.json["supervisor"] if result.code in (DONE, NOT_ALL_RUNNING) else {}

    def take_orphans(self):
        """Workers whose parent was killed came to us: until they are taken away nobody can
        know how they ended."""
        reap_orphans([child.pid for child in (self.process, *self._children) if child])

    def shutdown(self):
        """An orderly end; what `run` exits with."""
        self.ok("shutdown")
        return self.process.wait(timeout=PATIENCE)

    def log(self):
        return self.output.read_text(errors="replace") if self.output.exists() else ""

    # Looking

    def status(self):
        result = self.cmd("status", "--json")
        assert result.code in (DONE, NOT_ALL_RUNNING), result
        return result.json

    def program(self, name):
        return next(p for p in self.status()["programs"] if p["name"] == name)

    def socket(self, name, index=0):
        return next(s for s in self.status()["sockets"]
                    if s["name"] == name and s["index"] == index)

    def workers(self, name):
        """The living workers of all generations of a program."""
        return [w for g in self.program(name)["generations"] for w in g["workers"]]

    def pids(self, name):
        return [w["pid"] for w in self.workers(name) if w["pid"]]

    def events(self):
        process = self.spawn("events", "-c", self.config, "-f", "--json", "--since", "0",
                             stdout=subprocess.PIPE, text=True)
        return Events(process)

    # Waiting

    def await_(self, what, state="running", seconds=PATIENCE):
        """A program's name: until it has the state.  A function: until it is
        true of the status."""
        if callable(what):
            return eventually(lambda: what(self.status()), seconds, what=f"{what}\n{self.log()}")
        result = self.cmd("wait", what, "--state", state, "--timeout", f"{seconds}s",
                          timeout=seconds + 10)
        assert result.code == DONE, f"{result}\n{self.log()}"
        return result

    def await_replaced(self, name, old, seconds=PATIENCE):
        """Until none of these pids serves (it may drain), and as many as wanted do."""
        def replaced():
            p = self.program(name)
            pids = [w["pid"] for g in p["generations"] for w in g["workers"]
                    if w["state"] == "serving"]
            return not set(old) & set(pids) and p["ready"] == p["workers"] == len(pids)
        eventually(replaced, seconds, what=f"new workers of {name} instead of {old}\n{self.log()}")

    @contextlib.contextmanager
    def load(self, address, *options):
        """The load generator, loading from the first line of the block to the
        last; its `report` is there afterwards."""
        load = Load([str(SUPPORT / "load"), "--address", address, "--until-stdin-closes",
                     *map(str, options)], self.env)
        try:
            load.await_first_answer()
            yield load
            load.stop()
        finally:
            load.kill()

    # The end

    def stop(self):
        """Ends what runs and tells what went wrong: a list of words."""
        wrong = []
        if self.process and self.process.poll() is None and not self._leave():
            wrong.append("the supervisor did not shut down")
        for child in self._children:
            # a command that follows ends with its supervisor, after the leak
            # checker had its look: killed in the midst of it, that complains
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(timeout=2)
            if child.poll() is None:
                child.kill()
            child.wait()
            if child.stdout:
                child.stdout.close()
        for log in sorted(self.dir.glob("*san.*")):
            wrong.append(f"{log.name}:\n{log.read_text(errors='replace')}")
        return wrong

    def _leave(self):
        # found without the file, which a story may have broken
        self.spawn("shutdown", "--runtime-dir", self.runtime_dir, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
        with contextlib.suppress(AssertionError):
            return eventually(lambda: self.take_orphans() or self.process.poll() is not None)
        return False

    def remove(self):
        shutil.rmtree(self.dir, ignore_errors=True)
