"""Another executable in the place of the one that runs; workers do not notice."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from holdport import (BUILD, FAILED, NOBODY, ROOT, SUPPORT, alive, descendants, descriptors,
                      eventually, get, parent_of)
from moments import RESTARTING


def put(daemon, source):
    """In its place, as a package manager does it."""
    new = daemon.with_name("new")
    shutil.copy(source, new)
    os.replace(new, daemon)


def put_image(daemon, part):
    put(daemon, SUPPORT / "image")
    daemon.with_name(daemon.name + ".plays").write_text(part)


def run_installed(holdport, *options, timeout="20s", **named):
    """web, by programs of the story's own; its address, its workers, its daemon."""
    daemon = holdport.install()
    address = holdport.write_web("--notify", *options, **named)
    head, rest = holdport.config.read_text().split("\n", 1)
    holdport.config.write_text(f"{head}\nupgrade_timeout = {timeout}\n{rest}")
    holdport.run()
    holdport.await_("web")
    return address, holdport.pids("web"), daemon


def upgrades(holdport):
    return holdport.status()["supervisor"]["upgrades"]


def test_the_same_one_again_under_load(holdport, long):
    upgrades = 100 if long else 5
    address, pids, _ = run_installed(holdport, section="workers = 2")
    before = holdport.status()
    with holdport.load(address, "--rate", 200) as load:
        for _ in range(upgrades):
            assert "supervises" in holdport.ok("upgrade").out
    load.expect(failed=0, refused=0)
    now = holdport.status()
    assert now["supervisor"]["upgrades"] == upgrades
    assert now["supervisor"]["recoveries"] == 0
    for key in ("keeper_pid", "manager_pid", "started"):
        assert now["supervisor"][key] == before["supervisor"][key]
    assert holdport.pids("web") == pids
    assert {parent_of(pid) for pid in pids} == {now["supervisor"]["manager_pid"]}
    assert holdport.socket("http")["inode"] == before["sockets"][0]["inode"]


def test_it_runs_from_what_is_installed_now(holdport):
    _, _, daemon = run_installed(holdport)
    put(daemon, daemon)
    holdport.ok("upgrade")
    assert os.stat(f"/proc/{holdport.manager_pid}/exe").st_ino == daemon.stat().st_ino
    holdport.kill_manager()
    assert os.stat(f"/proc/{holdport.manager_pid}/exe").st_ino == daemon.stat().st_ino


def keeper_runs(holdport, daemon):
    return os.stat(f"/proc/{holdport.pid}/exe").st_ino == daemon.stat().st_ino


def upgrade_to_new_file(holdport, daemon):
    put(daemon, daemon)
    holdport.ok("upgrade")
    eventually(lambda: keeper_runs(holdport, daemon))


def test_the_keeper_goes_on_as_it_too(holdport):
    address, [pid], daemon = run_installed(holdport)
    upgrade_to_new_file(holdport, daemon)
    os.kill(holdport.pid, signal.SIGHUP)
    holdport.await_(lambda s: s["supervisor"]["reloads"] == 1)
    held = kinds_of_descriptors(holdport.pid)
    upgrade_to_new_file(holdport, daemon)
    eventually(lambda: kinds_of_descriptors(holdport.pid) == held,
               what=lambda: f"{held} instead of {kinds_of_descriptors(holdport.pid)}")
    holdport.kill_manager()
    assert holdport.pids("web") == [pid]
    upgrade_to_new_file(holdport, daemon)
    # The keeper is parent of this one: its end is known still.
    os.kill(pid, signal.SIGALRM)
    holdport.await_replaced("web", [pid])
    assert f"signal {int(signal.SIGALRM)} (ALRM)" in holdport.log()
    eventually(lambda: not Path(f"/proc/{pid}").exists(), what="nobody stays a zombie")
    assert get(address) == "worker"


def test_the_end_of_a_worker_is_seen_afterwards(holdport):
    address, [pid], _ = run_installed(holdport)
    holdport.ok("upgrade")
    os.kill(pid, signal.SIGALRM)
    holdport.await_replaced("web", [pid])
    assert f"signal {int(signal.SIGALRM)} (ALRM)" in holdport.log()
    assert get(address) == "worker"


SCRIPT = '''#!/usr/bin/python3
import os, signal, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
line = 0
while True:
    with open({!r}) as pipe:
        for word in pipe.read().split():
            if word == "half":
                sys.stdout.write("half of line %d, " % line)
            elif word == "whole":
                sys.stdout.write("whole line %d\\n" % line)
                line += 1
            else:
                s.sendto(b"STATUS=" + word.encode(), os.environ["NOTIFY_SOCKET"])
            sys.stdout.flush()
'''


def run_script(holdport):
    pipe, script = holdport.dir / "pipe", holdport.dir / "server"
    os.mkfifo(pipe)
    script.write_text(SCRIPT.format(str(pipe)))
    script.chmod(0o755)
    run_installed(holdport, section=f"command = {script}\nready = notify\nhandoff = none")
    return pipe


def status_of(holdport):
    return holdport.workers("web")[0]["status"]


def test_lines_and_notifications_of_a_worker_are_whole(holdport):
    pipe = run_script(holdport)
    for round in range(3):
        pipe.write_text(f"half asked-{round}")
        holdport.await_(lambda s: status_of(holdport) == f"asked-{round}")
        holdport.ok("upgrade")
        pipe.write_text(f"whole done-{round}")
        eventually(lambda: f"web/1/0: half of line {round}, whole line {round}\n" in holdport.log())
        assert status_of(holdport) in (f"asked-{round}", f"done-{round}")
        holdport.await_(lambda s: status_of(holdport) == f"done-{round}")


def test_half_a_line_is_whole_after_a_rollback_too(holdport):
    pipe = run_script(holdport)
    pipe.write_text("half asked")
    holdport.await_(lambda s: status_of(holdport) == "asked")
    put_image(holdport.bin / "holdportd", "exit")
    assert holdport.cmd("upgrade").code == FAILED
    pipe.write_text("whole")
    eventually(lambda: "web/1/0: half of line 0, whole line 0\n" in holdport.log())


TALKS = """#!/usr/bin/python3
import os, socket, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.connect(os.environ["NOTIFY_SOCKET"])
s.send(b"READY=1")
n = 0
while not os.path.exists({over!r}):
    print("line", n, flush=True)
    s.send(b"WATCHDOG=1\\nSTATUS=%d" % n)
    n += 1
    time.sleep(0.01)
print("that was", n, flush=True)
time.sleep(1000)
"""


def test_nothing_is_lost_of_one_that_talks_all_the_time(holdport):
    """Each line once and in order, its last word and its signs of life: through upgrades and
    a rollback."""
    over, script = holdport.dir / "over", holdport.dir / "server"
    script.write_text(TALKS.format(over=str(over)))
    script.chmod(0o755)
    _, [pid], daemon = run_installed(holdport, section=f"""\
        command = {script}
        ready = notify
        handoff = none
        watchdog = 2s
        """)
    for _ in range(3):
        holdport.ok("upgrade")
    put_image(daemon, "exit")
    assert "rolled back" in holdport.cmd("upgrade").err
    over.touch()
    said = "web/1/0: that was "
    eventually(lambda: said in holdport.log())
    count = int(holdport.log().split(said)[1].split()[0])
    lines = re.findall(r"^web/1/0: line (\d+)$", holdport.log(), re.M)
    assert lines == [str(n) for n in range(count)]
    holdport.await_(lambda s: status_of(holdport) == str(count - 1))
    assert "missed its watchdog" not in holdport.log()
    assert holdport.pids("web") == [pid] and holdport.program("web")["restarts"] == 0
    holdport.ok("stop", "web")


def test_a_watchdog_that_runs_is_not_wound_up(holdport):
    run_installed(holdport, section="watchdog = 2s")

    def upgraded_and_missed():
        holdport.ok("upgrade")
        return "missed its watchdog" in holdport.log()

    eventually(upgraded_and_missed, what="it was wound up again and again")
    holdport.ok("stop", "web")


@pytest.mark.parametrize("moment", RESTARTING)
def test_a_restart_goes_on(holdport, moment):
    options, section, is_it = RESTARTING[moment]
    address, old, _ = run_installed(holdport, *options.split(),
                                    section=f"ready = notify\n{section}")
    events = holdport.events()
    with holdport.load(address, "--rate", 200) as load:
        holdport.ok("restart", "web", "--no-wait")
        events.await_(is_it)
        holdport.ok("upgrade")
        holdport.await_replaced("web", old)
        holdport.await_(lambda s: s["programs"][0]["state"] == "running" and
                        len(s["programs"][0]["generations"]) == 1)
    load.expect(failed=0, refused=0)
    assert holdport.program("web")["generation"] == 2
    assert holdport.program("web")["restarts"] == 0


ROLLED_BACK = {
    "crash": "it ended with signal 6 before it reported",
    "exit": "it ended with exit status 3 before it reported",
    "hang": "it did not report in time",
}


@pytest.mark.parametrize("part", ROLLED_BACK)
def test_one_that_does_not_run_is_rolled_back(holdport, part):
    timeout = "6s" if part == "hang" else "20s"
    address, pids, daemon = run_installed(holdport, timeout=timeout)
    manager = holdport.manager_pid
    put_image(daemon, part)
    with holdport.load(address, "--rate", 200) as load:
        result = holdport.cmd("upgrade")
    load.expect(failed=0, refused=0)
    assert result.code == FAILED, result
    assert f"rolled back: {ROLLED_BACK[part]}; holdport" in result.err
    assert holdport.pids("web") == pids
    supervisor = holdport.status()["supervisor"]
    assert (supervisor["upgrades"], supervisor["recoveries"]) == (0, 1)
    assert supervisor["manager_pid"] != manager
    assert get(address) == "worker"


def test_a_signal_to_one_that_hangs_is_for_the_one_before(holdport):
    _, _, daemon = run_installed(holdport, timeout="6s")
    put_image(daemon, "hang")
    manager = holdport.manager_pid
    holdport.spawn("upgrade", "-c", holdport.config, stderr=subprocess.PIPE)
    eventually(lambda: os.stat(f"/proc/{manager}/exe").st_ino == daemon.stat().st_ino)
    os.kill(holdport.pid, signal.SIGTERM)
    assert holdport.process.wait(timeout=20) == 0
    assert "rolled back" in holdport.log()


def plain_text(daemon):
    daemon.with_name("text").write_text("no program\n")
    daemon.with_name("text").chmod(0o755)
    os.replace(daemon.with_name("text"), daemon)


REFUSED = {
    "refuse": (lambda d: put_image(d, "refuse"), 'it says: program web: "nonsense" is no key'),
    "fall": (lambda d: put_image(d, "fall"), "it ended with signal 6 (ABRT"),
    "stranger": (lambda d: put_image(d, "stranger"), "it says: hello"),
    "mute": (lambda d: put_image(d, "mute"), "it does not answer"),
    "another program": (lambda d: put(d, "/bin/true"), "it ended with exit status 0"),
    "no program": (plain_text, "it cannot be executed"),
    "not executable": (lambda d: d.chmod(0o644), "it cannot be executed"),
    "gone": (lambda d: d.unlink(), "No such file or directory"),
    "a directory": (lambda d: (d.unlink(), d.mkdir()), "is not a file"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_one_that_is_not_fit_changes_nothing(holdport, what):
    spoil, sentence = REFUSED[what]
    address, pids, daemon = run_installed(holdport, timeout="1500ms" if what == "mute" else "20s")
    manager = holdport.manager_pid
    spoil(daemon)
    result = holdport.cmd("upgrade")
    assert result.code == FAILED, result
    assert "nothing was changed: " in result.err
    assert sentence in result.err
    assert holdport.manager_pid == manager
    assert holdport.pids("web") == pids
    assert upgrades(holdport) == 0
    assert get(address) == "worker"


def test_one_that_others_may_write_is_not_run(holdport):
    _, _, daemon = run_installed(holdport)
    daemon.chmod(0o777)
    result = holdport.cmd("upgrade")
    assert result.code == FAILED, result
    assert "nothing was changed: " in result.err and str(daemon) in result.err


def runs_as(daemon, below):
    """The processes that run this file."""
    found = []
    for pid in descendants(below):
        with contextlib.suppress(OSError):
            if os.stat(f"/proc/{pid}/exe").st_ino == daemon.stat().st_ino:
                found.append(pid)
    return found


def test_only_one_at_a_time(holdport):
    _, _, daemon = run_installed(holdport)
    put_image(daemon, "mute")
    first = holdport.spawn("upgrade", "-c", holdport.config, stderr=subprocess.PIPE, text=True)
    [asked] = eventually(lambda: runs_as(daemon, holdport.pid))
    second = holdport.cmd("upgrade")
    assert second.code == FAILED, second
    assert "upgrade 1 is under way; one at a time" in second.err
    os.kill(asked, signal.SIGKILL)
    assert "it ended with signal 9" in first.communicate(timeout=20)[1]
    assert first.returncode == FAILED


def test_the_manager_is_killed_in_its_midst(holdport):
    address, pids, daemon = run_installed(holdport)
    put_image(daemon, "hang")
    manager = holdport.manager_pid
    asker = holdport.spawn("upgrade", "-c", holdport.config, stderr=subprocess.PIPE, text=True)
    eventually(lambda: os.path.basename(os.readlink(f"/proc/{manager}/exe")) == "holdportd" and
               os.stat(f"/proc/{manager}/exe").st_ino == daemon.stat().st_ino)
    os.kill(manager, signal.SIGKILL)
    assert "rolled back: it ended with signal 9" in asker.communicate(timeout=20)[1]
    assert asker.returncode == FAILED
    assert holdport.pids("web") == pids
    assert get(address) == "worker"


def test_the_keeper_is_killed_while_one_follows_the_other(holdport):
    """The new one finds no keeper, and what that held was left to it as well."""
    address, pids, daemon = run_installed(holdport)
    holdport.ok("stop", "web")      # nobody but the two has its socket
    inode, manager = holdport.socket("http")["inode"], holdport.manager_pid
    put_image(daemon, f"late {BUILD}/bin/holdportd")
    asker = holdport.spawn("upgrade", "-c", holdport.config, text=True, stdout=subprocess.PIPE)
    eventually(daemon.with_name("holdportd.waits").exists)
    holdport.kill_keeper(manager)
    assert "supervises, in the place of" in asker.communicate(timeout=20)[0]
    assert asker.returncode == 0
    assert upgrades(holdport) == 1
    assert holdport.socket("http")["inode"] == inode
    holdport.ok("start", "web")
    assert get(address) == "worker"


def test_the_manager_is_killed_while_it_asks(holdport):
    _, pids, daemon = run_installed(holdport)
    put_image(daemon, "mute")
    manager = holdport.manager_pid
    asker = holdport.spawn("upgrade", "-c", holdport.config, stderr=subprocess.PIPE, text=True)
    eventually(lambda: "upgrade 1: to " in holdport.log())
    os.kill(manager, signal.SIGKILL)
    assert "nothing was changed: the manager ended while it asked" in asker.communicate(timeout=20)[1]
    assert asker.returncode == FAILED
    assert holdport.pids("web") == pids


def test_states_of_released_versions_are_understood():
    states = sorted((ROOT / "tests/corpus").glob("*.state"))
    assert states
    for state in states:
        with open(state) as file:
            said = subprocess.run([BUILD / "bin/holdportd", "check-state", "0"], stdin=file,
                                  capture_output=True, text=True)
        assert (said.returncode, said.stderr) == (0, ""), state
        assert said.stdout.startswith("holdport ")


def as_of_later(text):
    """The program's last block as a later version might write it, and a block of its own."""
    block = text[text.rindex('program name="web"'):].split("\nend\n")[0].splitlines()
    return "\n".join([*(line + ' a-key-of-later="x"' for line in block),
                      "a-word-of-later number=1", "end", 'a-block-of-later name="y"', "end", ""])


def test_back_to_a_version_that_does_not_know_each_word(holdport):
    address, pids, _ = run_installed(holdport)
    [fd] = [fd for fd in Path(f"/proc/{holdport.pid}/fd").iterdir()
            if "holdport-state" in os.readlink(fd)]
    with open(fd, "a+") as state:
        state.seek(0)
        later = as_of_later(state.read())
        state.write(later)
        state.flush()
        holdport.ok("upgrade")
        state.seek(0)
        text = state.read()
    assert later in text and not text.endswith(later)   # it was there when it was asked
    assert holdport.pids("web") == pids
    assert get(address) == "worker"
    holdport.ok("restart", "web")


def test_while_a_program_drains(holdport):
    address, [pid], _ = run_installed(holdport, "--stop-delay", 300)
    events = holdport.events()
    holdport.ok("stop", "web", "--no-wait")
    events.await_(lambda e: e["what"] == "worker" and e["state"] == "draining")
    holdport.ok("upgrade")
    holdport.await_("web", "stopped")
    assert not alive(pid)
    holdport.ok("start", "web")
    assert get(address) == "worker"


def kinds_of_descriptors(pid):
    """What it holds, without numbers."""
    found = descriptors(pid).values()
    return sorted(re.sub(r"[0-9]+| \(deleted\)", "", what) for what in found)


def test_many_in_a_row_under_load(holdport, long):
    address, pids, _ = run_installed(holdport, section="workers = 2")
    times = 100 if long else 5
    with holdport.load(address, "--rate", 200) as load:
        for _ in range(times):
            holdport.ok("upgrade")
    load.expect(failed=0, refused=0)
    assert upgrades(holdport) == times
    assert holdport.pids("web") == pids
    left = kinds_of_descriptors(holdport.manager_pid)
    holdport.ok("upgrade")
    eventually(lambda: kinds_of_descriptors(holdport.manager_pid) == left, what="no descriptor is left over")


@pytest.mark.skipif(os.geteuid() != 0, reason="the other stories are unprivileged then")
def test_without_privileges(holdport):
    holdport.dir.chmod(0o755)
    own = holdport.dir / "own"
    own.mkdir()
    os.chown(own, NOBODY, NOBODY)
    holdport.runtime_dir = own / "run"
    daemon = holdport.install()
    address = holdport.write_web(section=f"command = {holdport.worker('--notify')}")
    holdport.run(user=NOBODY)
    holdport.await_("web")
    pids = holdport.pids("web")
    with holdport.load(address, "--rate", 200) as load:
        holdport.ok("upgrade")
        put_image(daemon, "exit")
        assert "rolled back: it ended with exit status 3" in holdport.cmd("upgrade").err
        put(daemon, BUILD / "bin/holdportd")
        holdport.ok("upgrade")
    load.expect(failed=0, refused=0)
    assert holdport.pids("web") == pids
    assert upgrades(holdport) == 2


def test_by_a_signal(holdport):
    run_installed(holdport)
    os.kill(holdport.pid, signal.SIGUSR2)
    holdport.await_(lambda s: s["supervisor"]["upgrades"] == 1)


def test_without_waiting_the_number_is_said(holdport):
    run_installed(holdport)
    result = holdport.ok("upgrade", "--no-wait", "--json")
    assert result.json == {"id": 1}
    holdport.await_(lambda s: s["supervisor"]["upgrades"] == 1)
    assert holdport.ok("upgrade", "--json").json["done"] is True


def test_one_whose_keeper_was_killed_can_still_be_taken_over(holdport):
    _, pids, daemon = run_installed(holdport)
    holdport.kill_keeper()
    orphan, manager = holdport.process, holdport.manager_pid
    put(daemon, BUILD / "bin/holdportd")
    holdport.ok("upgrade")
    eventually(lambda: os.path.samefile(f"/proc/{orphan.pid}/exe", daemon))
    os.kill(manager, signal.SIGKILL)
    eventually(lambda: holdport.answer().get("manager_pid", manager) != manager)
    holdport.run()
    assert orphan.wait() == 0
    assert holdport.pids("web") == pids
