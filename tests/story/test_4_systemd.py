"""Under a real systemd, by the unit that comes with holdport: its sockets outlive whatever
is killed, and nobody gives up."""

import json

import pytest

from holdport import BUILD, ROOT, eventually, get
from systemd_box import Box, why_not

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())

UNIT = ROOT / "contrib/systemd/holdport.service"
# There is no other unit.
ALONE = """\
[Unit]
DefaultDependencies=no
[Service]
Environment=ASAN_OPTIONS={asan} UBSAN_OPTIONS={ubsan}
"""


class Unit:
    """holdport.service, with one program."""

    def __init__(self, holdport):
        self.holdport = holdport
        self.address = holdport.write_web("--notify", more="[supervisor]\n"
                                          "runtime_dir = /run/holdport\n")
        text = UNIT.read_text().replace("/usr/local/bin/holdport", f"{BUILD}/bin/holdport")
        text = text.replace("/etc/holdport/holdport.conf", str(holdport.config))
        alone = ALONE.format(asan=holdport.env["ASAN_OPTIONS"], ubsan=holdport.env["UBSAN_OPTIONS"])
        self.box = Box(holdport.dir, {"holdport.service": text,
                                      "holdport.service.d/alone.conf": alone}, BUILD, holdport.dir)

    def status(self):
        result = self.box.run(BUILD / "bin/holdport", "status", "--json", "-c",
                              self.holdport.config)
        return json.loads(result.out) if result.out else None

    def systemctl(self, verb):
        self.box.ok("systemctl", verb, "holdport", timeout=120)

    def __getitem__(self, name):
        return self.box.show("holdport")[name]

    def await_(self, is_it):
        """Until it is true of the properties and of the status; the status."""
        def look():
            status, unit = self.status(), self.box.show("holdport")
            return status and is_it(unit, status) and status
        return eventually(look, what=lambda: f"{self['StatusText']}\n{self.box.said()}")

    def runs(self, *but):
        """The status, once it runs with another main process than these."""
        return self.await_(lambda unit, status: unit["ActiveState"] == "active" and
                           unit["MainPID"] not in but and
                           str(status["supervisor"]["keeper_pid"]) == unit["MainPID"] and
                           unit["NFileDescriptorStore"] == "1" and
                           status["programs"][0]["state"] == "running" and pids(status))

    def kill(self, *pids):
        self.box.ok("kill", "-9", *pids)


def pids(status):
    return [w["pid"] for g in status["programs"][0]["generations"] for w in g["workers"]]


def inode(status):
    return status["sockets"][0]["inode"]


@pytest.fixture
def unit(holdport):
    holdport.dir.chmod(0o755)
    one = Unit(holdport)
    try:
        yield one
        one.systemctl("stop")
    finally:
        one.box.end()


def test_systemd_starts_reloads_restarts_and_stops_it(holdport, unit):
    unit.systemctl("start")
    before = unit.runs()
    assert unit["StatusText"] == "1 of 1 programs run"
    unit.systemctl("reload")
    assert unit.runs()["supervisor"]["reloads"] == 1
    with holdport.load(unit.address, "--rate", 100) as load:
        main = unit["MainPID"]
        unit.systemctl("restart")
        now = unit.runs(main)
        load.await_calm()
    load.expect(refused=0)
    assert inode(now) == inode(before) and pids(now) != pids(before)
    unit.systemctl("stop")
    assert unit["NFileDescriptorStore"] == "0" and unit["Result"] == "success"
    with pytest.raises(ConnectionRefusedError):
        get(unit.address)


def test_a_killed_keeper_is_followed_and_workers_do_not_notice(holdport, unit):
    unit.systemctl("start")
    before = unit.runs()
    with holdport.load(unit.address, "--rate", 100) as load:
        for _ in range(7):          # more often than systemd lets others
            main = unit["MainPID"]
            unit.kill(main)
            now = unit.runs(main)
    load.expect(refused=0, failed=0)
    assert inode(now) == inode(before) and pids(now) == pids(before)


def test_what_an_orphan_has_is_there_when_the_file_is_mended(holdport, unit):
    """A start that failed takes nothing away from it."""
    unit.systemctl("start")
    before, main = unit.runs(), unit["MainPID"]
    sound = holdport.config.read_text()
    holdport.config.write_text(sound + "no such key = 1\n")
    unit.kill(main)
    eventually(lambda: unit["ActiveState"] == "failed")
    assert get(unit.address) == "worker"
    holdport.config.write_text(sound)
    unit.systemctl("start")
    now = unit.runs(main)
    assert inode(now) == inode(before) and pids(now) == pids(before)


def test_one_that_was_started_by_hand_is_waited_for(holdport, unit):
    command = BUILD / "bin/holdport"
    unit.box.ok("sh", "-c", f"{command} run -c {holdport.config} >/dev/null 2>&1 &")
    eventually(unit.status)
    unit.box.ok("systemctl", "start", "--no-block", "holdport")
    eventually(lambda: int(unit["NRestarts"]) > 1)
    unit.box.ok(command, "shutdown", "-c", holdport.config)
    unit.runs()


@pytest.mark.long
def test_its_watchdog_ends_one_that_hangs(holdport, unit):
    unit.systemctl("start")
    before, main = unit.runs(), unit["MainPID"]
    with holdport.load(unit.address, "--rate", 100) as load:
        unit.box.ok("kill", "-STOP", before["supervisor"]["manager_pid"])
        eventually(lambda: unit["MainPID"] not in ("0", main), seconds=90)
        now = unit.runs(main)
    load.expect(refused=0, failed=0)
    assert inode(now) == inode(before) and pids(now) == pids(before)


def test_addresses_outlive_all_processes(holdport, unit):
    unit.systemctl("start")
    before = unit.runs()
    main = unit["MainPID"]
    with holdport.load(unit.address, "--rate", 100) as load:
        unit.kill(main, before["supervisor"]["manager_pid"], *pids(before))
        now = unit.runs(main)
        load.await_calm()
    load.expect(refused=0)
    assert inode(now) == inode(before) and not set(pids(now)) & set(pids(before))
    assert now["sockets"][0]["origin"] == "recovered"
