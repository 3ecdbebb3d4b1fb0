"""A manager that dies is followed by another one, and nobody else notices."""

import ctypes
import json
import os
import re
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from holdport import FAILED, SUPPORT, alive, descendants, eventually, get, parent_of
from moments import RESTARTING


def without_connections(status):
    """The same status, as if nothing had been counted."""
    for p in status["programs"]:
        for g in p["generations"]:
            for w in g["workers"]:
                w["connections"] = None
    return status


def test_a_killed_manager_is_followed_and_workers_do_not_notice(holdport):
    address = holdport.run_web("--notify", section="workers = 2")
    before, inode = holdport.status(), holdport.socket("http")["inode"]
    without_connections(before)
    with holdport.load(address, "--rate", 200) as load:
        holdport.kill_manager()
        holdport.await_("web")
    load.expect(failed=0, refused=0)
    now = without_connections(holdport.status())
    assert now["supervisor"]["recoveries"] == 1
    for key in ("keeper_pid", "started", "config", "abilities"):
        assert now["supervisor"][key] == before["supervisor"][key]
    assert now["programs"] == before["programs"]
    assert holdport.socket("http")["inode"] == inode
    assert holdport.socket("http")["origin"] == "recovered"


def test_a_successor_is_told_what_the_system_can(holdport):
    holdport.run_web("--notify")
    can = {word for word, yes in holdport.status()["supervisor"]["abilities"].items() if yes}
    state = (holdport.dir / "run/state").read_text()
    assert can == set(re.search(r'^supervisor .* abilities="([^"]*)"', state, re.M)[1].split())


def test_what_is_as_it_was_is_not_written_again(holdport):
    holdport.run_web("--notify")
    state = holdport.dir / "run/state"
    before = state.read_text()
    holdport.kill_manager()
    eventually(lambda: state.read_text() != before)
    assert state.read_text().startswith(before)
    assert "\nsettings " not in state.read_text()[len(before):]


def test_one_after_the_other_may_be_killed(holdport):
    address = holdport.run_web("--notify")
    pids = holdport.pids("web")
    with holdport.load(address, "--rate", 200) as load:
        for _ in range(3):
            holdport.kill_manager()
    load.expect(failed=0, refused=0)
    assert holdport.pids("web") == pids
    assert holdport.status()["supervisor"]["recoveries"] == 3


@pytest.mark.parametrize("moment", RESTARTING)
def test_a_restart_goes_on_whenever_the_manager_is_killed(holdport, moment):
    options, section, is_it = RESTARTING[moment]
    address = holdport.run_web("--notify", *options.split(), section=f"ready = notify\n{section}")
    old, manager = holdport.pids("web"), holdport.manager_pid
    with holdport.load(address, "--rate", 200) as load:
        events = holdport.events()
        holdport.ok("restart", "web", "--no-wait")
        events.await_(is_it)
        holdport.kill_manager(manager)
        holdport.await_replaced("web", old)
        holdport.await_(lambda s: s["programs"][0]["state"] == "running" and
                        len(s["programs"][0]["generations"]) == 1)
    load.expect(failed=0, refused=0)
    assert holdport.program("web")["generation"] == 2
    assert holdport.program("web")["restarts"] == 0


def test_one_that_is_killed_before_it_started_anything_is_followed_by_one_that_does(holdport):
    address = holdport.write_web("--notify")
    hang, failed = holdport.dir / "hang", holdport.dir / "failed"
    hang.touch()
    holdport.process = holdport.spawn("run", "-c", holdport.config, env={
        **holdport.env, "LD_PRELOAD": str(SUPPORT / "libfail.so"), "HOLDPORT_HANG": str(hang),
        "HOLDPORT_FAIL": f"bind@{address}:HANG:1", "HOLDPORT_FAIL_LOG": str(failed)})
    eventually(failed.exists)
    [manager] = descendants(holdport.process.pid)
    os.kill(manager, signal.SIGKILL)
    hang.unlink()
    eventually(holdport._answers)
    holdport.await_("web")
    assert get(address) == "worker"


def test_a_worker_that_dies_meanwhile_is_replaced_and_its_end_is_known(holdport):
    address = holdport.run_web("--notify", section="workers = 2")
    first, other = holdport.pids("web")
    with holdport.no_manager():
        os.kill(first, signal.SIGALRM)
        eventually(lambda: not alive(first))
    holdport.await_(lambda s: s["programs"][0]["ready"] == 2)
    assert other in holdport.pids("web")
    assert f"signal {int(signal.SIGALRM)} (ALRM)" in holdport.log()
    eventually(lambda: not Path(f"/proc/{first}").exists(), what="nobody stays a zombie")
    assert get(address) == "worker"


PTRACE_SEIZE, WALL = 0x4206, 0x40000000


def is_asleep(pid):
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "S"


def test_the_end_of_a_worker_is_known_also_if_that_of_its_manager_is_not_yet(holdport):
    """The manager is a zombie of ours first; its workers are its keeper's already."""
    holdport.run_web("--notify")
    keeper, manager, [pid] = holdport.pid, holdport.manager_pid, holdport.pids("web")
    assert ctypes.CDLL(None).ptrace(PTRACE_SEIZE, manager, None, None) == 0
    os.kill(manager, signal.SIGKILL)
    eventually(lambda: parent_of(pid) == keeper)
    os.kill(pid, signal.SIGALRM)
    eventually(lambda: not alive(pid))
    os.kill(keeper, signal.SIGCHLD)     # it looks
    eventually(lambda: is_asleep(keeper))
    os.waitpid(manager, WALL)
    holdport.await_replaced("web", [pid])
    assert f"signal {int(signal.SIGALRM)} (ALRM)" in holdport.log()


def test_a_restart_goes_on_whose_worker_was_not_let_run_yet(holdport):
    """It ends with its manager; that says nothing of it."""
    hang, failed = holdport.dir / "hang", holdport.dir / "failed"
    address = holdport.write_web("--notify", section="workers = 2\nready = notify")
    holdport.run(fail="write@pipe:HANG:1-", env={"HOLDPORT_HANG": str(hang)})
    holdport.await_("web")
    old, manager, calls = holdport.pids("web"), holdport.manager_pid, failed.read_text()
    hang.touch()
    holdport.ok("restart", "web", "--no-wait")
    eventually(lambda: failed.read_text() != calls)
    os.kill(manager, signal.SIGKILL)
    eventually(lambda: not alive(manager))
    hang.unlink()
    holdport.await_replaced("web", old)
    assert holdport.program("web")["generation"] == 2
    assert holdport.program("web")["last_error"] is None
    assert get(address) == "worker"


def test_the_exit_code_of_one_that_lives_longer_is_known_too(holdport):
    holdport.run_web("--notify", "--exit-code", 7, section="stop = TERM:10s KILL")
    [pid] = holdport.pids("web")
    holdport.kill_manager()
    os.kill(pid, signal.SIGTERM)
    eventually(lambda: "exit status 7" in holdport.log())
    holdport.await_replaced("web", [pid])


def test_what_is_written_and_said_meanwhile_is_not_lost(holdport):
    pipe, done = holdport.dir / "pipe", holdport.dir / "done"
    os.mkfifo(pipe)
    os.mkfifo(done)
    script = holdport.dir / "server"
    script.write_text(f"""#!/usr/bin/python3
import os, signal, socket
line = open({str(pipe)!r}).readline()
print("said:", line, end="", flush=True)
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.sendto(b"READY=1\\nSTATUS=" + line.strip().encode(), os.environ["NOTIFY_SOCKET"])
print("sent", flush=True)
open({str(done)!r}, "w").close()
signal.pause()
""")
    script.chmod(0o755)
    holdport.write_web(section=f"command = {script}\nready = notify")
    holdport.run()
    holdport.await_(lambda s: s["programs"][0]["generations"])
    [pid] = holdport.pids("web")
    # until then it waits for the journal, and ends with the manager
    eventually(lambda: os.readlink(f"/proc/{pid}/exe").startswith("/usr/bin/python"))
    with holdport.no_manager():
        pipe.write_text("hello\n")
        done.read_text()        # it has said everything
    holdport.await_("web")
    assert holdport.pids("web") == [pid]
    assert holdport.workers("web")[0]["status"] == "hello"
    assert "web/1/0: said: hello" in holdport.log() and "web/1/0: sent" in holdport.log()


def test_events_go_on_by_number(holdport):
    holdport.run_web("--notify")
    def numbered():
        return [json.loads(line) for line in holdport.ok("events", "--json").out.splitlines()]
    before = numbered()
    holdport.kill_manager()
    holdport.ok("restart", "web")
    after = numbered()
    assert after[:len(before)] == before
    assert [e["seq"] for e in after] == list(range(1, len(after) + 1))


def test_workers_of_a_dead_manager_stop_by_their_ladder(holdport):
    path = holdport.dir / "s"
    holdport.run_web("--notify", "--ignore-term", address=f"unix:{path}",
                     section="stop = TERM:50ms INT:50ms KILL\nworkers = 2")
    pids = holdport.pids("web")
    holdport.kill_manager()
    holdport.ok("stop", "web")
    assert [holdport.signals(pid) for pid in pids] == [["TERM", "INT"]] * 2
    assert not any(map(alive, pids))
    holdport.ok("start", "web")
    assert get(f"unix:{path}") == "worker"
    assert holdport.shutdown() == 0
    assert not path.exists()
    assert not (holdport.runtime_dir / "state").exists()


def test_a_broken_file_on_disk_changes_nothing(holdport):
    address = holdport.run_web("--notify")
    before, manager = holdport.program("web"), holdport.manager_pid
    sound = holdport.config.read_text()
    holdport.config.write_text(sound + "nonsense\n")
    os.kill(manager, signal.SIGKILL)
    eventually(lambda: "takes over" in holdport.log())
    assert get(address) == "worker"
    holdport.config.write_text(sound)       # for the command, which looks for us there
    assert holdport.program("web") == before


def test_a_question_that_ends_each_manager_is_not_asked_for_ever(holdport):
    holdport.write_web("--notify")
    holdport.runtime_dir.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as control:
        control.bind(str(holdport.runtime_dir / "control"))
        control.listen()
        asker = holdport.spawn("status", "-c", holdport.config, stderr=subprocess.PIPE, text=True)
        control.settimeout(20)
        for _ in range(10):
            control.accept()[0].close()
        assert "went away before it answered" in asker.communicate(timeout=20)[1]
        assert asker.returncode == FAILED


def test_another_runtime_dir_is_for_the_next_start_not_for_a_successor(holdport):
    address = holdport.run_web("--notify")
    pids, file = holdport.pids("web"), holdport.config.read_text()
    elsewhere = holdport.dir / "elsewhere" / "run"
    holdport.config.write_text(file.replace(f"runtime_dir = {holdport.runtime_dir}",
                                            f"runtime_dir = {elsewhere}"))
    os.kill(holdport.pid, signal.SIGHUP)
    eventually(lambda: "takes effect at the next start" in holdport.log())
    holdport.config.write_text(file)
    holdport.kill_manager()
    assert holdport.pids("web") == pids
    assert not elsewhere.exists()
    assert get(address) == "worker"


def test_a_stopped_a_failed_and_a_scaled_program_stay_so(holdport):
    holdport.run_web("--notify", more=f"""\
        [program:stopped]
        command = {holdport.worker("--no-socket", "--notify")}
        [program:failed]
        command = {holdport.worker("--die-at-start", 3)}
        start_attempts = 1
        [program:removed]
        command = {holdport.worker("--no-socket", "--notify")}
        """)
    holdport.ok("scale", "web", 3)
    holdport.await_("stopped")
    holdport.await_("removed")
    holdport.ok("stop", "stopped")
    holdport.await_("failed", "failed")
    text = holdport.config.read_text()
    holdport.config.write_text(text[:text.index("[program:removed]")])
    holdport.ok("reload")
    before = holdport.status()
    holdport.kill_manager()
    now = holdport.status()
    assert now["programs"] == before["programs"]
    assert [p["state"] for p in now["programs"]] == ["running", "stopped", "failed"]
    assert now["supervisor"]["reloads"] == 1


def test_a_shutdown_goes_on(holdport):
    holdport.run_web("--notify", "--stop-delay", 500)
    manager = holdport.manager_pid
    events = holdport.events()
    holdport.ok("shutdown", "--no-wait")
    events.await_(lambda e: e["what"] == "program" and e["state"] == "stopping")
    os.kill(manager, signal.SIGKILL)
    assert holdport.process.wait(timeout=20) == 0
    assert not descendants()


def test_a_state_that_cannot_be_read_costs_no_socket(holdport):
    address = holdport.run_web("--notify")
    [pid], inode = holdport.pids("web"), holdport.socket("http")["inode"]
    for fd in Path(f"/proc/{holdport.pid}/fd").iterdir():
        if "holdport-state" in os.readlink(fd):
            fd.write_text("nonsense\n")
    holdport.kill_manager()
    holdport.await_("web")
    assert holdport.socket("http")["inode"] == inode
    assert "its workers are left alone" in holdport.log()
    assert alive(pid)
    os.kill(pid, signal.SIGKILL)
    assert get(address) == "worker"


def test_exec_goes_on_too(holdport):
    address = f"127.0.0.1:{holdport.port()}"
    command = holdport.worker("--notify", "--exit-code", 5).split()
    process = holdport.spawn("exec", "-l", address, f"--runtime-dir={holdport.runtime_dir}",
                             "--restart=never", "--", *command)
    holdport.process = process
    holdport.write_config("")
    eventually(lambda: holdport.cmd("status").code == 0)
    [pid] = holdport.pids("worker")
    holdport.kill_manager()
    assert get(address, "/pid") == str(pid)
    os.kill(pid, signal.SIGTERM)
    assert process.wait(timeout=20) == 5


@pytest.mark.parametrize("host", ["127.0.0.1", "*"])
def test_a_server_that_binds_for_itself_goes_on_too(holdport, host):
    port = holdport.port()
    bind = "" if host == "*" else f"--bind {host}"
    (holdport.dir / "index.html").write_text("python\n")
    holdport.write_config(f"""\
        [socket:http]
        listen = {host}:{port}
        [program:web]
        command = /usr/bin/python3 -m http.server {port} -d {holdport.dir} {bind}
        sockets = http
        handoff = intercept
        """)
    holdport.run()
    holdport.await_("web")
    pids, before = holdport.pids("web"), holdport.status()["sockets"]
    holdport.kill_manager()
    assert holdport.pids("web") == pids
    assert [s["inode"] for s in holdport.status()["sockets"]] == [s["inode"] for s in before]
    holdport.ok("restart", "web")
    holdport.await_replaced("web", pids)
    assert get(f"127.0.0.1:{port}") == "python"
    assert [s["inode"] for s in holdport.status()["sockets"]] == [s["inode"] for s in before]
