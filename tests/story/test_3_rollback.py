"""Going back to the generation before: its settings, and the executable that it
was started from, whatever stands at that path by now."""

import os
import shlex
import shutil

import pytest

from holdport import FAILED, NO_SUCH, SUPPORT, descriptors, eventually, get, states_on


def install(holdport, source, name="server"):
    """As package managers do: a new file is renamed over the old one."""
    path = holdport.dir / name
    fresh = holdport.dir / f".{name}"
    shutil.copy(source, fresh)
    os.chmod(fresh, 0o755)
    os.rename(fresh, path)
    return path


def script(holdport, text):
    source = holdport.dir / "source"
    source.write_text(text)
    return source


def test_rollback_goes_back_to_the_settings_before(holdport):
    address = holdport.run_web("--answer", "one", "--notify")
    inode = holdport.socket("http")["inode"]
    holdport.write_web("--answer", "two", "--notify", address=address)
    holdport.ok("reload")
    assert get(address) == "two"
    assert "generation 3 is running" in holdport.ok("rollback", "web").out
    assert get(address) == "one"
    assert holdport.socket("http")["inode"] == inode
    # and forth again
    holdport.ok("rollback", "web")
    assert get(address) == "two"
    assert holdport.program("web")["generation"] == 4


def test_a_reload_goes_forward_again(holdport):
    address = holdport.run_web("--answer", "one", "--notify")
    holdport.write_web("--answer", "two", "--notify", address=address)
    holdport.ok("reload")
    holdport.ok("rollback", "web")
    assert "restart" in holdport.ok("reload", "--dry-run").out
    holdport.ok("reload")
    assert get(address) == "two"


def test_the_first_generation_has_none_before_it(holdport):
    address = holdport.run_web("--notify")
    said = holdport.cmd("rollback", "web")
    assert said.code == FAILED, said
    assert "there is no generation before this one" in said.out
    assert get(address) == "worker"
    assert holdport.program("web")["generation"] == 1
    assert holdport.cmd("rollback", "nobody").code == NO_SUCH


def test_a_replaced_executable_is_still_held(holdport):
    # A release goes wrong: the new file does not even start.
    path = install(holdport, SUPPORT / "worker")
    address = holdport.run_web(section=f"command = {path} --answer old --notify\n")
    holdport.ok("restart", "web")
    install(holdport, "/bin/false")
    said = holdport.cmd("restart", "web")
    assert said.code == FAILED, said
    assert get(address) == "old"
    # A worker of the old generation that dies comes back as it was.
    eventually(lambda: len(holdport.pids("web")) == 1)
    [pid] = holdport.pids("web")
    os.kill(pid, 9)
    holdport.await_replaced("web", [pid])
    assert get(address) == "old"


def test_rollback_starts_the_executable_that_was_replaced(holdport):
    path = install(holdport, SUPPORT / "worker")
    address = holdport.run_web(
        section=f"command = {path} --answer old --notify\nready = notify\n")
    # The "new release" is another program under the same name.
    install(holdport, "/bin/sleep")
    holdport.write_web(address=address, section=f"command = {path} 1000\nready = delay:50ms\n")
    holdport.ok("reload")
    holdport.ok("rollback", "web")
    assert get(address) == "old"
    pid = get(address, "/pid")      # /bin/sleep may still be on its way out
    assert os.readlink(f"/proc/{pid}/exe").endswith(" (deleted)")
    # A restart takes what is at the path now.
    said = holdport.cmd("restart", "web", "--timeout", "5s")
    assert said.code == FAILED, said
    assert get(address) == "old"


def kill_manager(holdport):
    holdport.kill_manager()


def kill_keeper(holdport):
    holdport.kill_keeper()


def upgrade(holdport):
    holdport.ok("upgrade")


@pytest.mark.parametrize("followed", [kill_manager, kill_keeper, upgrade])
def test_it_is_held_by_whoever_follows_too(holdport, followed):
    path = install(holdport, SUPPORT / "worker")
    command = f"command = {path} --answer old --notify"
    address = holdport.run_web(section=f"{command}\nready = notify\n")
    install(holdport, "/bin/sleep")
    followed(holdport)
    # One that dies comes back as it was.
    [pid] = holdport.pids("web")
    os.kill(pid, 9)
    holdport.take_orphans()
    eventually(lambda: holdport.take_orphans() or pid not in holdport.pids("web"))
    holdport.await_replaced("web", [pid])
    assert get(address) == "old"
    holdport.write_web(address=address, section=f"command = {path} 1000\nready = delay:50ms\n")
    holdport.ok("reload")
    path.unlink()
    followed(holdport)
    holdport.ok("rollback", "web")
    assert get(address) == "old"


def test_the_keeper_has_it_once_for_all_and_no_worker_has_it(holdport):
    path = install(holdport, SUPPORT / "worker")
    others = "\n".join(f"[program:p{n}]\ncommand = {path} --no-socket --notify"
                       for n in range(5))
    holdport.run_web(section=f"command = {path} --notify", more=others)
    holdport.await_(lambda s: all(p["state"] == "running" for p in s["programs"]))
    assert list(descriptors(holdport.pid).values()).count(str(path)) == 1
    holdport.kill_manager()
    assert list(descriptors(holdport.manager_pid).values()).count(str(path)) == 1
    for program in ("web", "p0"):
        old = holdport.pids(program)
        holdport.ok("restart", program)
        holdport.await_replaced(program, old)
        for pid in holdport.pids(program):
            assert str(path) not in descriptors(pid).values()
    # What nobody was started from any more is let go.
    other = install(holdport, SUPPORT / "worker", "other")
    text = holdport.config.read_text()
    holdport.config.write_text(text.replace(f"{path} --n", f"{other} --n"))
    for _ in range(2):              # the generation before is remembered
        holdport.ok("reload")
        holdport.ok("restart", "--all")
    eventually(lambda: str(path) not in descriptors(holdport.pid).values())


def test_a_removed_executable_is_still_held(holdport):
    path = install(holdport, SUPPORT / "worker")
    address = holdport.run_web(section=f"command = {path} --answer old --notify\n")
    holdport.write_web("--answer", "new", "--notify", address=address)
    holdport.ok("reload")
    path.unlink()
    holdport.ok("rollback", "web")
    assert get(address) == "old"


def test_a_script_runs_as_it_is_at_its_path_now(holdport):
    worker = shlex.quote(str(SUPPORT / "worker"))
    path = install(holdport, script(holdport, f"#!/bin/sh\nexec {worker} --answer one\n"))
    address = holdport.run_web(section=f"command = {path}\n")
    install(holdport, script(holdport, f"#!/bin/sh\nexec {worker} --answer two\n"))
    holdport.ok("restart", "web")
    assert get(address) == "two"
    holdport.ok("rollback", "web")
    assert get(address) == "two"


def test_rollback_during_a_change_goes_back_to_what_is_current(holdport):
    address = holdport.run_web("--answer", "one", "--notify", section="workers = 2\n")
    holdport.write_web("--answer", "two", "--never-ready", address=address,
                       section="workers = 2\nready = notify\n")
    holdport.ok("reload", "--no-wait")
    eventually(lambda: len(holdport.program("web")["generations"]) == 2)
    holdport.ok("rollback", "web")
    assert get(address) == "one"
    assert holdport.program("web")["state"] == "running"


def test_what_was_changed_live_is_gone_back_to(holdport):
    # workers is live: the memory of a generation is of how it was last
    address = holdport.run_web("--answer", "one", "--notify")
    holdport.write_web("--answer", "one", "--notify", address=address, section="workers = 3\n")
    holdport.ok("reload")
    assert holdport.program("web")["generation"] == 1
    holdport.write_web("--answer", "two", "--notify", address=address, section="workers = 2\n")
    holdport.ok("reload")
    holdport.ok("rollback", "web")
    assert get(address) == "one"
    assert holdport.program("web")["workers"] == 3


def test_rollback_starts_what_is_stopped_from_what_ran_before(holdport):
    address = holdport.run_web("--answer", "one", "--notify")
    holdport.write_web("--answer", "two", "--notify", address=address)
    holdport.ok("reload")
    holdport.ok("stop", "web")
    holdport.ok("rollback", "web")
    assert get(address) == "one"


def test_a_rollback_that_fails_leaves_what_runs(holdport):
    flag = holdport.dir / "broken"
    command = f"/bin/sh -c 'test ! -e {flag} && exec {holdport.worker('--answer', 'one')}'"
    address = holdport.run_web(section=f"command = {command}\n")
    holdport.write_web("--answer", "two", "--notify", address=address)
    holdport.ok("reload")
    flag.touch()
    said = holdport.cmd("rollback", "web")
    assert said.code == FAILED, said
    assert "generation 2 serves on" in said.out
    assert get(address) == "two"


@pytest.mark.parametrize("started", [False, True])
def test_a_socket_that_was_let_go_is_not_kept_for_a_rollback(holdport, started):
    spare = f"127.0.0.1:{holdport.port()}"
    address = f"127.0.0.1:{holdport.port()}"
    spare_section = f"[socket:spare]\nlisten = {spare}\n"
    holdport.run_web("--notify", "--answer", "one", address=f"{address}, {spare}")
    holdport.write_web("--notify", "--answer", "two", address=address)
    holdport.ok("reload")
    eventually(lambda: "LISTEN" not in states_on(int(spare.rsplit(":")[-1])))
    if started:     # the address is held again, under another name
        holdport.write_web("--notify", "--answer", "two", address=address, more=spare_section)
        holdport.ok("reload")
        holdport.ok("rollback", "web")
        assert get(spare) == "one"
        return
    said = holdport.cmd("rollback", "web")
    assert said.code == FAILED, said
    assert "is not held any more" in said.out
    assert get(address) == "two"
