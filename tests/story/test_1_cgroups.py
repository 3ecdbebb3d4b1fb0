"""cgroup v2: a group for each generation, in which nobody is left when it is gone."""

import os
import signal
from pathlib import Path

import pytest

from holdport import USAGE, alive, eventually, get

# One that nothing but its group can find: another session, nobody's child, no environment.
LEAVES = """\
( env -i setsid sh -c 'echo $$ >>"$0"; exec sleep 1000' "$1" & )
shift
exec "$@"
"""


def hierarchy():
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        if " - cgroup2 " in line:
            return Path(line.split()[4])
    return None


@pytest.fixture
def group():
    """A group of our own, and nothing of it left.  Before `holdport`, so that it ends after it."""
    root = hierarchy()
    path = root and root / f"holdport-story.{os.getpid()}"
    try:
        path.mkdir()
    except (AttributeError, OSError) as why:
        pytest.skip(f"no cgroup can be made here: {why}")
    yield path
    eventually(lambda: "populated 0" in (path / "cgroup.events").read_text(),
               what="the group is empty")
    for below in path.iterdir():
        if below.is_dir():
            below.rmdir()
    path.rmdir()


def run_in(holdport, group, *options, section=""):
    address = holdport.write_web("--notify", *options, section="ready = notify\n" + section)
    put_in(holdport, group)
    holdport.run()
    return address


def put_in(holdport, group):
    text = holdport.config.read_text()
    holdport.config.write_text(text.replace("[supervisor]\n", "[supervisor]\ncgroup = "
                                            f"/{group.name}\n"))


def group_of(pid):
    lines = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
    return next(line[3:] for line in lines if line.startswith("0::"))


def groups(group):
    return sorted(p.name for p in group.iterdir() if p.is_dir())


def test_each_generation_has_a_group_of_its_own(group, holdport):
    address = run_in(holdport, group, section="workers = 2\n")
    holdport.await_("web")
    for pid in holdport.pids("web"):
        assert group_of(pid) == f"/{group.name}/web.1"
    holdport.ok("restart", "web")
    holdport.ok("restart", "web", "--drained")
    eventually(lambda: groups(group) == ["web.3"])
    for pid in holdport.pids("web"):
        assert group_of(pid) == f"/{group.name}/web.3"
    assert group_of(holdport.manager_pid) == group_of(os.getpid())
    assert get(address) == "worker"
    assert holdport.shutdown() == 0
    assert groups(group) == []


@pytest.mark.parametrize("how", ["stop", "restart", "shutdown", "crash"])
def test_nobody_is_left_in_it(group, holdport, how):
    script, left = holdport.dir / "leaves.sh", holdport.dir / "left"
    script.write_text(LEAVES)
    worker = holdport.worker("--notify", "--ignore-term")
    run_in(holdport, group, section=f"command = sh {script} {left} {worker}\n"
                                    "stop = TERM:50ms KILL\n")
    holdport.await_("web")
    pid = eventually(lambda: left.exists() and left.read_text().split() and
                     int(left.read_text().split()[0]))
    assert group_of(pid) == f"/{group.name}/web.1"
    if how == "crash":
        with holdport.no_manager():
            os.kill(holdport_worker(group, pid), signal.SIGKILL)
        holdport.await_(lambda s: s["programs"][0]["ready"] == 1)
        assert alive(pid)                   # its generation goes on
        holdport.ok("stop", "web")
    elif how == "shutdown":
        assert holdport.shutdown() == 0
    else:
        holdport.ok(how, "web")
    eventually(lambda: not alive(pid) and "web.1" not in groups(group))


def holdport_worker(group, other):
    pids = map(int, (group / "web.1/cgroup.procs").read_text().split())
    return next(p for p in pids if p != other)


def test_a_successor_goes_on_with_the_groups(group, holdport):
    run_in(holdport, group)
    holdport.await_("web")
    [old] = holdport.pids("web")
    holdport.kill_manager()
    assert groups(group) == ["web.1"] and group_of(old) == f"/{group.name}/web.1"
    os.kill(old, signal.SIGKILL)
    holdport.await_replaced("web", [old])
    assert group_of(holdport.pids("web")[0]) == f"/{group.name}/web.1"
    holdport.ok("restart", "web", "--drained")
    eventually(lambda: groups(group) == ["web.2"])


def test_what_an_earlier_one_left_is_removed(group, holdport):
    for name in ("web.7", "other.1", "mine"):
        (group / name).mkdir()
    run_in(holdport, group)
    holdport.await_("web")
    assert groups(group) == ["mine", "web.1"]


def test_one_that_was_given_into_our_hands_is_used(group, holdport):
    holdport.write_web("--notify", section="ready = notify")
    try:
        os.setxattr(group, "trusted.delegate", b"1")
    except OSError as why:
        pytest.skip(f"a group cannot be marked here: {why}")
    home = group_of(os.getpid())
    (group / "cgroup.procs").write_text(str(os.getpid()))
    try:
        holdport.run()
    finally:
        (hierarchy() / home.lstrip("/") / "cgroup.procs").write_text(str(os.getpid()))
    holdport.await_("web")
    for pid in (holdport.pid, holdport.manager_pid):
        assert group_of(pid) == f"/{group.name}/supervisor"
    assert group_of(holdport.pids("web")[0]) == f"/{group.name}/web.1"
    holdport.kill_manager()
    holdport.ok("restart", "web", "--drained")
    assert group_of(holdport.pids("web")[0]) == f"/{group.name}/web.2"


LIMITS = [("pids_max = 20", "pids", "pids.max", "20"),
          ("memory_max = 64M", "memory", "memory.max", str(64 << 20)),
          ("cpu_weight = 50", "cpu", "cpu.weight", "50"),
          ("cpu_max = 50000", "cpu", "cpu.max", "50000 100000")]


@pytest.mark.parametrize("line, controller, file, value", LIMITS)
def test_a_limit_is_set_or_refuses_the_program(group, holdport, line, controller, file, value):
    there = (group / "cgroup.controllers").read_text().split()
    run_in(holdport, group, section=f"{line}\nrestart_delay = 60s\nrestart_delay_max = 60s\n")
    if controller in there:
        holdport.await_("web")
        assert (group / "web.1" / file).read_text().strip() == value
        return
    holdport.await_("web", "backoff")
    key = line.split()[0]
    assert (f'{key}: the controller "{controller}" is not to be had in this cgroup'
            in holdport.program("web")["last_error"])
    assert holdport.reports() == [] and groups(group) == []


@pytest.mark.parametrize("how, why", [
    ("none", "cgroup = none"), ("/no/such/group", "")])
def test_without_groups_a_limit_refuses_the_program_and_no_other(holdport, how, why):
    holdport.write_web("--notify", section="pids_max = 9\nrestart_delay = 60s\n"
                       "restart_delay_max = 60s\n", more="[program:free]\n"
                       f"command = {holdport.worker('--notify', '--no-socket')}\n")
    text = holdport.config.read_text()
    holdport.config.write_text(text.replace("[supervisor]\n", f"[supervisor]\ncgroup = {how}\n"))
    holdport.run()
    holdport.await_("free")
    holdport.await_("web", "backoff")
    assert (f"pids_max: there is no cgroup to set it in: {why}"
            in holdport.program("web")["last_error"])


@pytest.mark.parametrize("line", ["cpu_weight = 0", "cpu_max = half", "cpu_max = 5",
                                  "memory_max = much", "pids_max = 0"])
def test_a_limit_that_cannot_be_read_is_a_fault(holdport, line):
    holdport.write_config(f"[program:web]\ncommand = /bin/true\n{line}\n")
    said = holdport.cmd("check")
    assert said.code == USAGE and line.split()[0] in said.err
