"""What workers and the supervisor say goes to syslog and the journal: as these want it, and
without ever waiting for them."""

import contextlib
import re
import socket
import subprocess
import sys
import threading

import pytest

from holdport import SOURCES, descendants, eventually, kill

SYSLOG = re.compile(rb"<(\d+)>([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) ([^ \[]+)\[(\d+)\]: (.*)", re.S)


class Keeper:
    """One who keeps the logs of all, at the address of syslog or the journal."""

    def __init__(self, places, kind):
        self.path, self.kind = places / {"syslog": "log", "journal": "socket"}[kind], kind
        self.got, self._socket, self._reader = [], None, None

    def start(self, reads=True):
        self.stop()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self.path))
        if reads:
            self.read()
        return self

    def read(self):
        self._reader = threading.Thread(target=self._read, args=[self._socket])
        self._reader.start()

    def _read(self, of):
        of.settimeout(0.02)
        while of is self._socket:
            with contextlib.suppress(TimeoutError):
                self.got.append(of.recv(1 << 20))

    def stop(self):
        was, self._socket = self._socket, None
        if self._reader:
            self._reader.join()
        self._reader = None
        if was:
            was.close()
            self.path.unlink()

    def entries(self):
        return [(self.of_syslog if self.kind == "syslog" else self.of_journal)(d) for d in list(self.got)]

    @staticmethod
    def of_syslog(datagram):
        found = SYSLOG.fullmatch(datagram)
        assert found, datagram
        number, _, who, pid, text = found.groups()
        return {"who": who.decode(), "pid": int(pid), "facility": int(number) >> 3,
                "priority": int(number) & 7, "text": text}

    @staticmethod
    def of_journal(datagram):
        fields = dict(line.split(b"=", 1) for line in datagram.removesuffix(b"\n").split(b"\n"))
        return {"who": fields[b"SYSLOG_IDENTIFIER"].decode(), "pid": int(fields[b"SYSLOG_PID"]),
                "facility": int(fields[b"SYSLOG_FACILITY"]), "priority": int(fields[b"PRIORITY"]),
                "text": fields[b"MESSAGE"], "fields": fields}

    def said(self, who="one"):
        return [e["text"] for e in self.entries() if e["who"] == who]

    def await_said(self, text, who="one"):
        """All of that, once this is among it."""
        def there():
            now = self.said(who)
            return now if text in now else None
        return eventually(there, what=lambda: f"{text!r} in {self.got[-5:]}")


@pytest.fixture
def places(holdport):
    """Where such a keeper listens for this supervisor only."""
    where = holdport.dir / "places"
    where.mkdir()
    tried = subprocess.run([SOURCES / "own_places.py", where, "true"], capture_output=True, text=True)
    if tried.returncode:
        pytest.skip(tried.stderr)
    return where


@pytest.fixture(params=["syslog", "journal"])
def keeper(request, places):
    one = Keeper(places, request.param)
    yield one
    one.stop()


def run_one(holdport, keeper, command, section="", supervisor="", **named):
    holdport.write_config("\n".join(["[supervisor]", f"runtime_dir = {holdport.runtime_dir}", supervisor,
                                     "[program:one]", f"command = {command}", f"stdout = {keeper.kind}",
                                     *section.splitlines()]))
    named.setdefault("through", [sys.executable, SOURCES / "own_places.py", keeper.path.parent])
    holdport.run(**named)


def scribes():
    return [p for p, name in descendants().items() if name == "holdport-scribe"]


def said_by(pid):
    """Bytes that a process has written."""
    return int(re.search(r"^wchar: (\d+)", open(f"/proc/{pid}/io").read(), re.M)[1])


def test_a_keeper_of_logs_gets_a_line_each(holdport, keeper):
    keeper.start()
    run_one(holdport, keeper, "sh -c 'echo hello; echo \"<3>oops\"; echo \"<9>no\"; echo >&2 too; exec sleep 1000'")
    keeper.await_said(b"too")
    [pid] = holdport.pids("one")
    assert [(e["who"], e["pid"], e["facility"], e["priority"], e["text"]) for e in keeper.entries()] == [
        ("one", pid, 3, 6, b"hello"), ("one", pid, 3, 3, b"oops"), ("one", pid, 3, 6, b"<9>no"),
        ("one", pid, 3, 6, b"too")]
    assert holdport.ok("logs", "one").out == "one/1/0: hello\none/1/0: <3>oops\none/1/0: <9>no\none/1/0: too\n"


def test_a_keeper_of_logs_is_told_who(holdport, keeper):
    keeper.start()
    run_one(holdport, keeper, "sh -c 'echo hello; exec sleep 1000'", "log_facility = local3\nlog_prefix = yes")
    text = b"one/1/0: hello" if keeper.kind == "syslog" else b"hello"
    keeper.await_said(text)
    [entry] = keeper.entries()
    assert entry["facility"] == 16 + 3
    if keeper.kind == "journal":
        assert {k.decode(): v.decode() for k, v in entry["fields"].items() if k.startswith(b"HOLDPORT")} == {
            "HOLDPORT_PROGRAM": "one", "HOLDPORT_GENERATION": "1", "HOLDPORT_WORKER": "0"}


def test_noise_long_lines_and_last_words_arrive(holdport, keeper):
    keeper.start()
    (holdport.dir / "noise.py").write_text(
        "import os\nos.write(1, b'a\\0\\1\\xff\\xc3b\\n\\n' + 20000 * b'x' + b'\\nbye')")
    run_one(holdport, keeper, f"/usr/bin/python3 {holdport.dir}/noise.py", "restart = never\nstart_attempts = 1")
    nul = b" " if keeper.kind == "syslog" else b"\0"
    assert keeper.await_said(b"bye") == [b"a" + nul + b"\1\xff\xc3b", b"", 8192 * b"x", 8192 * b"x",
                                         (20000 - 2 * 8192) * b"x", b"bye"]


def test_a_keeper_of_logs_that_is_away_has_it_all_later(holdport, keeper):
    run_one(holdport, keeper, f"sh -c 'seq 100; while [ ! -e {holdport.dir}/go ]; do sleep 0.02; done; "
            "seq 101 200; exec sleep 1000'")
    eventually(lambda: "does not listen at" in holdport.log())
    keeper.start()
    keeper.await_said(b"100")
    keeper.start()              # another one, at the same address
    (holdport.dir / "go").touch()
    assert keeper.await_said(b"200") == [str(n).encode() for n in range(1, 201)]


CHATTER = ("import os, sys, time\n"
           "n = 0\n"
           "while not os.path.exists(sys.argv[1]):\n"
           "    n += 1\n"
           "    os.write(1, b'%08d %s\\n' % (n, b'x' * 90))\n"
           "    if n % 20 == 0: time.sleep(0.001)\n"
           "os.write(1, b'said %d\\n' % n)\n"
           "time.sleep(1000)\n")


def run_chatter(holdport, keeper, **named):
    """A program that says numbered lines until the file that this returns is there."""
    over = holdport.dir / "over"
    (holdport.dir / "chatter.py").write_text(CHATTER)
    run_one(holdport, keeper, f"/usr/bin/python3 {holdport.dir}/chatter.py {over}", **named)
    return over


def last_words(keeper):
    """What it said from the first to the last, and how much of it."""
    texts = eventually(lambda: [t for t in keeper.said() if t.startswith(b"said ")] and keeper.said())
    return texts, int(next(t for t in texts if t.startswith(b"said "))[5:])


def test_a_keeper_of_logs_that_takes_nothing_holds_nobody_up(holdport, keeper):
    keeper.start(reads=False)
    over = run_chatter(holdport, keeper, supervisor=f"log = {keeper.kind}\nlog_level = debug")
    [pid] = holdport.pids("one")
    eventually(lambda: said_by(pid) > 400_000, what="it says on")
    holdport.ok("signal", "one", "CONT")
    keeper.read()
    over.touch()
    texts, said = last_words(keeper)
    there = {t for t in texts if re.fullmatch(rb"\d{8} x{90}", t)}
    missing = [re.fullmatch(rb"holdport: (\d+) lines \(\d+ bytes\) are missing here: .* takes nothing", t)
               for t in texts if t.startswith(b"holdport:")]
    assert all(missing) and missing
    assert len(there) + sum(int(m[1]) for m in missing) == said and len(there) < said


def test_the_supervisor_counts_what_nobody_took(holdport, keeper):
    keeper.start(reads=False)
    run_one(holdport, keeper, "sleep 1000", supervisor=f"log = {keeper.kind}")
    for _ in range(int(open("/proc/sys/net/unix/max_dgram_qlen").read()) + 5):
        holdport.ok("reload")
    keeper.read()
    eventually(lambda: holdport.ok("reload") and any(
        re.fullmatch(rb"\d+ lines were lost here: nobody took them", t) for t in keeper.said("holdport")))


def test_nothing_is_lost_when_the_writer_or_the_manager_is_killed(holdport, keeper):
    keeper.start()
    over = run_chatter(holdport, keeper)
    for end in (lambda: [kill(p) for p in scribes()], holdport.kill_manager):
        at = len(keeper.got)
        eventually(lambda: len(keeper.got) > at + 300)
        end()
    over.touch()
    texts, said = last_words(keeper)
    assert {t for t in texts if b"x" in t} == {b"%08d %s" % (n, 90 * b"x") for n in range(1, said + 1)}


def kept_by_journal(places, *fields):
    found = subprocess.run(["journalctl", "--no-pager", "-q", "-D", places / "kept/journal", "-o", "cat", *fields],
                           capture_output=True, text=True)
    return found.stdout.split("\n")[:-1]


def test_a_real_journal_keeps_every_line(holdport, places):
    (places / "kept").mkdir()
    journal = subprocess.Popen([sys.executable, SOURCES / "own_places.py", places,
                                "/usr/lib/systemd/systemd-journald"], stderr=subprocess.DEVNULL)
    try:
        eventually((places / "socket").exists)
        run_one(holdport, Keeper(places, "journal"), "sh -c 'seq 500; echo \"<3>oops\"; exec sleep 1000'",
                through=["nsenter", "-t", journal.pid, "-m"], supervisor="log = journal")
        eventually(lambda: kept_by_journal(places, "HOLDPORT_PROGRAM=one", "HOLDPORT_GENERATION=1") ==
                   [*map(str, range(1, 501)), "oops"], what=lambda: kept_by_journal(places)[-5:])
        assert kept_by_journal(places, "SYSLOG_IDENTIFIER=one", "PRIORITY=3") == ["oops"]
        assert "one: starting" in kept_by_journal(places, "SYSLOG_IDENTIFIER=holdport")
        holdport.shutdown()
    finally:
        journal.terminate()
        journal.wait()
