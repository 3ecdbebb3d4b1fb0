"""What a worker is beside its user: priority, processors, capabilities."""

import os
import subprocess
from pathlib import Path

import pytest

from holdport import FAILED, alive, eventually, get

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root may give and take these")
NET_BIND_SERVICE = 1 << 10


def status(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def capabilities(pid):
    """name -> the set, of the five sets of capabilities(7)"""
    return {key: int(value, 16) for key, value in status(pid).items() if key.startswith("Cap")}


def test_a_worker_is_scheduled_as_its_section_says(holdport):
    address = holdport.run_web("--notify", section="""
        nice = 7
        oom_score_adj = 321
        cpu_affinity = 0
        io_class = best-effort
        io_priority = 6
        """)
    [pid] = holdport.pids("web")
    assert os.getpriority(os.PRIO_PROCESS, pid) == 7
    assert Path(f"/proc/{pid}/oom_score_adj").read_text() == "321\n"
    assert os.sched_getaffinity(pid) == {0}
    assert subprocess.check_output(["ionice", "-p", str(pid)], text=True) == "best-effort: prio 6\n"
    assert get(address) == "worker"


def own_directory(address):
    path = Path(get(address, "/env?RUNTIME_DIRECTORY"))
    st = path.lstat()
    return path, st.st_uid, st.st_mode & 0o7777


def test_a_directory_of_its_own_is_there_as_long_as_it_is(holdport):
    holdport.dir.chmod(0o755)       # its user goes through it
    address = holdport.run_web("--notify", section="ready = notify\n"
                               "user = nobody\ndirectory = /\nruntime_directory = yes\n")
    [pid] = holdport.pids("web")
    path, uid, mode = own_directory(address)
    assert path == holdport.runtime_dir / "private/web"
    assert (uid, mode) == (os.stat(f"/proc/{pid}").st_uid, 0o700) and uid != 0
    (path / "below/further").mkdir(parents=True)
    kept = holdport.dir / "kept"
    kept.write_text("of somebody else")
    (path / "below/link").symlink_to(kept)
    (path / "elsewhere").symlink_to(holdport.dir)
    holdport.ok("restart", "web")
    holdport.kill_manager()
    assert own_directory(address)[0] == path and (path / "below/further").exists()
    holdport.ok("stop", "web")
    assert not path.parent.exists()
    assert kept.read_text() == "of somebody else"
    holdport.ok("start", "web")
    assert own_directory(address) == (path, uid, 0o700) and not list(path.iterdir())


def test_a_directory_that_cannot_be_made_refuses_the_program(holdport):
    holdport.write_web("--notify", section="runtime_directory = yes\nrestart_delay = 60s\n"
                                           "restart_delay_max = 60s\n")
    holdport.runtime_dir.mkdir()
    (holdport.runtime_dir / "private").write_text("")
    holdport.run()
    holdport.await_("web", "backoff")
    assert "runtime_directory: " in holdport.program("web")["last_error"]
    assert "Not a directory" in holdport.program("web")["last_error"]


def test_what_is_not_said_stays_as_the_supervisors(holdport):
    holdport.run_web("--notify")
    [pid] = holdport.pids("web")
    for look in (os.sched_getaffinity, capabilities,
                 lambda p: os.getpriority(os.PRIO_PROCESS, p),
                 lambda p: Path(f"/proc/{p}/oom_score_adj").read_text(),
                 lambda p: status(p)["NoNewPrivs"]):
        assert look(pid) == look(holdport.pid)


def test_a_user_without_rights_keeps_one_capability(holdport):
    address = holdport.run_web(section="""
        user = nobody
        directory = /
        capabilities = net_bind_service
        """)
    [pid] = holdport.pids("web")
    assert set(capabilities(pid).values()) == {NET_BIND_SERVICE}
    assert status(pid)["Uid"].split() == [str(os.stat(f"/proc/{pid}").st_uid)] * 4 != ["0"] * 4
    assert get(address) == "worker"


def test_root_may_be_left_without_any_capability(holdport):
    holdport.run_web("--notify", section="capabilities = none\nno_new_privileges = yes\n")
    [pid] = holdport.pids("web")
    assert set(capabilities(pid).values()) == {0}
    assert status(pid)["NoNewPrivs"] == "1"
    assert status(holdport.pid)["NoNewPrivs"] == "0"


@pytest.mark.parametrize("line, sentence", [
    ("cpu_affinity = 1023", "cpu_affinity: cannot be set for the new process"),
])
def test_what_cannot_be_had_is_said_and_the_old_one_serves_on(holdport, line, sentence):
    address = holdport.run_web("--notify")
    [pid] = holdport.pids("web")
    holdport.write_web("--notify", address=address, section=line)
    said = holdport.cmd("reload")
    assert said.code == FAILED
    assert sentence in said.out + said.err
    assert alive(pid) and holdport.pids("web") == [pid]
    assert get(address) == "worker"


def test_a_change_of_priority_needs_a_new_generation(holdport):
    address = holdport.run_web("--notify")
    [pid] = holdport.pids("web")
    holdport.write_web("--notify", address=address, section="nice = 3")
    assert ["restart", "program", "web", "nice"] in [
        line.split() for line in holdport.ok("reload").out.splitlines()]
    [new] = eventually(lambda: [p for p in holdport.pids("web") if p != pid])
    assert new != pid and os.getpriority(os.PRIO_PROCESS, new) == 3
