"""A keeper that is killed: its manager takes its place, and nobody else notices."""

import os
import signal
import socket
import subprocess

import pytest

from holdport import ANOTHER_RUNS, BUILD, Orphan, alive, eventually, get, kill
from moments import RESTARTING


def test_the_manager_becomes_the_keeper_and_workers_do_not_notice(holdport):
    address = holdport.run_web("--notify", section="workers = 2")
    before, inode = holdport.status(), holdport.socket("http")["inode"]
    pids, manager = holdport.pids("web"), holdport.manager_pid
    with holdport.load(address, "--rate", 200) as load:
        holdport.kill_keeper()
        holdport.await_("web")
    load.expect(failed=0, refused=0)
    now = holdport.status()["supervisor"]
    assert now["keeper_pid"] == manager
    assert now["manager_pid"] != manager
    assert now["recoveries"] == 1
    assert now["started"] == before["supervisor"]["started"]
    assert holdport.pids("web") == pids
    assert holdport.socket("http")["inode"] == inode
    assert holdport.program("web")["generation"] == 1
    assert get(address) == "worker"


def test_pid_file_and_lock_name_the_new_keeper(holdport):
    pid_file = holdport.dir / "pid"
    holdport.write_web("--notify", more=f"""\
        [supervisor]
        runtime_dir = {holdport.runtime_dir}
        pid_file = {pid_file}
        """)
    holdport.run()
    holdport.await_("web")
    heir = holdport.manager_pid
    holdport.kill_keeper()
    assert pid_file.read_text() == f"{heir}\n"
    assert (holdport.runtime_dir / "lock").read_text() == f"{heir}\n"
    lock = subprocess.run(["flock", "-n", str(holdport.runtime_dir / "lock"), "true"])
    assert lock.returncode == 1


def test_signals_to_the_new_keeper_are_passed_down(holdport):
    holdport.run_web("--notify")
    holdport.kill_keeper()
    os.kill(holdport.pid, signal.SIGHUP)
    holdport.await_(lambda s: s["supervisor"]["reloads"] == 1)
    os.kill(holdport.pid, signal.SIGTERM)
    assert holdport.process.wait() == 0
    assert not (holdport.runtime_dir / "state").exists()


def test_a_signal_that_comes_meanwhile_is_not_lost(holdport):
    holdport.run_web("--notify")
    heir = holdport.manager_pid
    os.kill(heir, signal.SIGSTOP)
    kill(holdport.pid)
    os.kill(heir, signal.SIGHUP)
    os.kill(heir, signal.SIGCONT)
    holdport.kill_keeper(heir)
    holdport.await_(lambda s: s["supervisor"]["reloads"] == 1)


def test_a_signal_that_comes_at_the_last_moment_is_not_lost(holdport):
    """It has been caught, and nothing was done about it yet."""
    now = holdport.dir / "now"
    holdport.write_web("--notify")
    holdport.run(fail="fork:EAGAIN:99999", env={"HOLDPORT_SIGNAL": str(now)})
    holdport.await_("web")
    now.touch()
    holdport.kill_keeper()
    assert not now.exists()
    holdport.await_(lambda s: s["supervisor"]["reloads"] == 1)


def test_managers_and_keepers_may_be_killed_one_after_the_other(holdport):
    address = holdport.run_web("--notify", section="workers = 2")
    pids = holdport.pids("web")
    with holdport.load(address, "--rate", 200) as load:
        holdport.kill_manager()
        holdport.kill_keeper()
        holdport.kill_manager()
        holdport.kill_keeper()
        holdport.kill_keeper()
    load.expect(failed=0, refused=0)
    assert holdport.pids("web") == pids
    assert holdport.status()["supervisor"]["recoveries"] == 5
    holdport.ok("restart", "web")
    holdport.await_replaced("web", pids)
    assert get(address) == "worker"


@pytest.mark.parametrize("moment", RESTARTING)
def test_a_restart_goes_on_whenever_the_keeper_is_killed(holdport, moment):
    options, section, is_it = RESTARTING[moment]
    address = holdport.run_web("--notify", *options.split(), section=f"ready = notify\n{section}")
    old, heir = holdport.pids("web"), holdport.manager_pid
    with holdport.load(address, "--rate", 200) as load:
        events = holdport.events()
        holdport.ok("restart", "web", "--no-wait")
        events.await_(is_it)
        holdport.kill_keeper(heir)
        holdport.await_replaced("web", old)
        holdport.await_(lambda s: s["programs"][0]["state"] == "running" and
                        len(s["programs"][0]["generations"]) == 1)
    load.expect(failed=0, refused=0)
    assert holdport.program("web")["generation"] == 2
    assert holdport.program("web")["restarts"] == 0


def test_a_reload_goes_on_too(holdport):
    address = holdport.run_web("--notify", "--start-delay", 200, section="ready = notify")
    old, heir = holdport.pids("web"), holdport.manager_pid
    text = holdport.config.read_text()
    holdport.config.write_text(text.replace("--start-delay 200", "--start-delay 201"))
    with holdport.load(address, "--rate", 200) as load:
        events = holdport.events()
        holdport.ok("reload", "--no-wait")
        events.await_(lambda e: e["generation"] == 2 and e["state"] == "starting")
        holdport.kill_keeper(heir)
        holdport.await_replaced("web", old)
    load.expect(failed=0, refused=0)
    assert holdport.status()["supervisor"]["reloads"] == 1
    assert holdport.program("web")["generation"] == 2


def test_a_shutdown_goes_on(holdport):
    holdport.run_web("--notify", "--stop-delay", 3000)
    heir = holdport.manager_pid
    [pid] = holdport.pids("web")
    events = holdport.events()
    holdport.ok("shutdown", "--no-wait")
    events.await_(lambda e: e["what"] == "program" and e["state"] == "stopping")
    kill(holdport.pid)
    holdport.process.wait()
    holdport.process = Orphan(heir)
    assert holdport.process.wait() == 0
    assert not alive(pid)
    assert "everything has ended" in holdport.log()


def test_a_worker_whose_parent_the_keeper_was_may_end_while_there_is_none(holdport):
    """There is nobody to ask how it ended."""
    holdport.write_web("--notify")
    holdport.run(fail="fexecve:ENOMEM:1-3")
    holdport.await_("web")
    holdport.kill_manager()
    [pid], heir = holdport.pids("web"), holdport.manager_pid
    kill(holdport.pid)
    holdport.process.wait()
    eventually(lambda: "goes on without a keeper" in holdport.log(), what=holdport.log)
    os.kill(heir, signal.SIGSTOP)
    kill(pid)
    eventually(lambda: holdport.take_orphans() or not os.path.exists(f"/proc/{pid}"))
    os.kill(heir, signal.SIGCONT)
    holdport.kill_keeper(heir)
    holdport.await_replaced("web", [pid])


def test_exit_codes_stay_real(holdport):
    """Of the heir's own children, and of those whose parent was the dead keeper."""
    holdport.run_web("--notify", "--exit-code", 7, section="stop = TERM:10s KILL\nworkers = 2")
    holdport.kill_manager()          # both are the keeper's children
    [first, second] = holdport.pids("web")
    os.kill(first, signal.SIGTERM)
    holdport.await_replaced("web", [first])     # one is the manager's now
    [third] = set(holdport.pids("web")) - {second}
    holdport.kill_keeper()

    for pid in third, second:       # its own child; ours, since its parent is gone
        known = holdport.log().count("exit status 7")
        os.kill(pid, signal.SIGTERM)
        eventually(lambda: holdport.take_orphans() or
                   holdport.log().count("exit status 7") > known, what=holdport.log)
    holdport.await_replaced("web", [second, third])


SAYS_WHAT_IT_IS_TOLD = """\
#!/usr/bin/python3
import os, signal, socket, sys
line = open(sys.argv[1]).readline().strip()
print("said:", line, flush=True)
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.sendto(b"READY=1\\nSTATUS=" + line.encode(), os.environ["NOTIFY_SOCKET"])
signal.pause()
"""


def test_what_a_worker_writes_and_says_is_heard(holdport):
    script, pipe = holdport.dir / "server", holdport.dir / "pipe"
    script.write_text(SAYS_WHAT_IT_IS_TOLD)
    script.chmod(0o755)
    os.mkfifo(pipe)
    holdport.write_web(section=f"command = {script} {pipe}\nready = notify")
    holdport.run()
    [pid] = eventually(lambda: holdport.pids("web"))
    holdport.kill_keeper()
    pipe.write_text("hello\n")
    holdport.await_("web")
    assert holdport.pids("web") == [pid]
    assert holdport.workers("web")[0]["status"] == "hello"
    eventually(lambda: "web/1/0: said: hello" in holdport.log(), what=holdport.log)


def test_one_that_cannot_become_a_keeper_goes_on_without(holdport):
    address = holdport.write_web("--notify", "--exit-code", 7)
    holdport.run(fail="fexecve:ENOMEM:1")
    holdport.await_("web")
    heir = holdport.manager_pid
    kill(holdport.pid)
    holdport.process.wait()
    eventually(lambda: "goes on without a keeper" in holdport.log(), what=holdport.log)
    assert holdport.answer()["manager_pid"] == heir
    assert get(address) == "worker"
    holdport.kill_keeper(heir)      # at the next try
    assert get(address) == "worker"


def test_a_run_that_follows_takes_the_orphan_over(holdport):
    address = holdport.run_web("--notify", section="workers = 2")
    pids, inode = holdport.pids("web"), holdport.socket("http")["inode"]
    with holdport.load(address, "--rate", 200) as load:
        holdport.kill_keeper()
        orphan, manager = holdport.process, holdport.manager_pid
        holdport.run()
        assert orphan.wait() == 0
        holdport.await_("web")
    load.expect(failed=0, refused=0)
    assert not alive(manager)
    now = holdport.status()["supervisor"]
    assert now["keeper_pid"] == holdport.pid
    assert now["recoveries"] == 2
    assert (holdport.runtime_dir / "lock").read_text() == f"{holdport.pid}\n"
    assert not (holdport.runtime_dir / "handover").exists()
    assert holdport.pids("web") == pids
    assert holdport.socket("http")["inode"] == inode
    holdport.ok("restart", "web")
    holdport.await_replaced("web", pids)
    refused = holdport.run_to_end()
    assert refused.code == ANOTHER_RUNS and f"pid {holdport.pid}" in refused.err


def is_open(connection):
    try:
        return connection.recv(1, socket.MSG_DONTWAIT) != b""
    except BlockingIOError:
        return True


def test_one_that_comes_for_it_and_says_nothing_keeps_nobody_waiting(holdport):
    address = holdport.run_web("--notify")
    holdport.kill_keeper()
    handover = str(holdport.runtime_dir / "handover")

    def answers_meanwhile():
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as silent:
            silent.connect(handover)
            holdport.ok("status")
            return is_open(silent)

    eventually(answers_meanwhile)       # 5 s may pass on a machine that is busy
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as silent:
        silent.connect(handover)
        orphan = holdport.process
        holdport.run()
        assert orphan.wait() == 0
    assert get(address) == "worker"


def test_an_orphan_of_another_file_is_left_alone(holdport):
    holdport.run_web("--notify")
    holdport.kill_keeper()
    other = holdport.dir / "other.conf"
    other.write_text(holdport.config.read_text())
    refused = holdport.plain("run", "-c", other)
    assert refused.code == ANOTHER_RUNS and f"pid {holdport.pid}" in refused.err
    assert holdport.answer()["keeper_pid"] == holdport.pid


AGENT = """\
import subprocess, sys
while True:
    child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
    print(child.pid, flush=True)
    if child.wait() == 0:
        break
"""


def test_an_agent_that_starts_its_child_again_has_it_again(holdport):
    """At once, while the manager is still on its way to be the keeper."""
    address = holdport.write_web("--notify")
    agent = holdport.spawn_python(AGENT, BUILD / "bin/holdport", "run", "-c", holdport.config)
    child = int(agent.stdout.readline())
    eventually(lambda: holdport.answer().get("keeper_pid") == child)
    holdport.await_("web")
    pids = holdport.pids("web")
    with holdport.load(address, "--rate", 200) as load:
        for _ in range(3):
            kill(child)
            child = int(agent.stdout.readline())
            eventually(lambda: holdport.answer().get("keeper_pid") == child)
    load.expect(failed=0, refused=0)
    assert holdport.pids("web") == pids
    holdport.take_orphans()
    holdport.spawn("shutdown", "-c", holdport.config)
    eventually(lambda: holdport.take_orphans() or agent.poll() == 0)
