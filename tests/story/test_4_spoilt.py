"""What a worker, of another user where there is one, does to the socket that all
share, and who puts it right."""

import re
import socket
import subprocess

import pytest

from holdport import connect, eventually, get
from test_3_groups import GROUP, ROOT, who_answers

USER = "user = nobody\n" if ROOT else ""
only_root = pytest.mark.skipif(not ROOT, reason="only root has other users and interfaces")


def run_spoiler(holdport, *spoil, socket="", section="", user=USER, more_words=(), **named):
    """A worker that does it before it is ready, as a user without rights.  The address."""
    holdport.dir.chmod(0o755)
    command = holdport.worker("--notify", *more_words, *(["--spoil", ",".join(spoil)] if spoil else []))
    address = holdport.write_web(
        socket=socket, section=f"command = {command}\n{user}{section}", **named)
    if holdport.process:
        holdport.ok("reload")
    else:
        holdport.run()
    holdport.await_("web")
    return address


def backlog(holdport):
    return holdport.socket("http")["backlog"]


def test_a_backlog_is_what_the_configuration_says(holdport):
    run_spoiler(holdport, "backlog", socket="backlog = 77")
    eventually(lambda: backlog(holdport) == 77)
    [pid] = holdport.pids("web")
    assert re.search(rf"info: socket http: .*: worker web/1/0 \(pid {pid}\), the only one that "
                     r"has it, set its backlog to 5; it is 77 again", holdport.log())


def spoil_later(holdport, what):
    """The worker that serves does it now: its descriptor in our hands.  Ours is closed."""
    [pid] = holdport.pids("web")
    code = ("import ctypes, os, socket, struct, sys\n"
            "pidfd = os.pidfd_open(int(sys.argv[1]))\n"
            "fd = ctypes.CDLL(None).syscall(438, pidfd, 3, 0)\n"
            "s = socket.socket(fileno=fd)\n" + what)
    subprocess.run(["/usr/bin/python3", "-c", code, str(pid)], check=True)


@only_root
def test_what_was_done_after_the_proof_is_seen_by_who_asks_and_by_a_restart(holdport):
    holdport.run_web("--notify", socket="backlog = 77")
    spoil_later(holdport, "s.listen(3)")
    assert backlog(holdport) == 3
    holdport.ok("sockets")
    assert backlog(holdport) == 77
    spoil_later(holdport, "s.listen(3)")
    holdport.ok("restart", "web")
    assert backlog(holdport) == 77
    assert holdport.log().count("set its backlog to 3; it is 77 again") == 2


@pytest.mark.parametrize("setting", ["yes", "no"])
def test_the_blocking_mode_is_what_the_configuration_says(holdport, setting):
    run_spoiler(holdport, "blocking", more_words=["--deaf"], socket=f"non_blocking = {setting}")
    words = ("blocking", "non-blocking") if setting == "yes" else ("non-blocking", "blocking")
    eventually(lambda: f"made it {words[0]}; it is {words[1]} again" in holdport.log())


def test_a_socket_that_was_bound_to_a_device_is_free_of_it_again(holdport):
    address = run_spoiler(holdport, "device")
    if ROOT:
        eventually(lambda: "bound it to another network interface; it is on all again"
                   in holdport.log())
        assert get(address) == "worker"
    else:                                   # that needs CAP_NET_RAW
        assert "spoilt it, and it must be bound anew" in holdport.socket("http")["reason"]


@only_root
def test_a_socket_that_belongs_to_a_device_is_on_it_again(holdport):
    address = run_spoiler(holdport, socket="bind_device = lo")
    spoil_later(holdport, "s.setsockopt(1, 62, 9999)")
    with pytest.raises(OSError):
        connect(address)
    holdport.ok("sockets")
    assert "it is on lo again" in holdport.log()
    assert get(address) == "worker"


@only_root
def test_a_filter_is_taken_off(holdport):
    address = run_spoiler(holdport, "filter", user="")
    eventually(lambda: "put a filter on it; that is gone" in holdport.log())
    assert get(address) == "worker"


@only_root
def test_a_filter_that_is_locked_is_told_until_the_socket_is_bound_anew(holdport):
    run_spoiler(holdport, "lock", user="")
    spoilt = eventually(lambda: holdport.socket("http")["reason"])
    [pid] = holdport.pids("web")
    assert re.match(rf"worker web/1/0 \(pid {pid}\), the only one that has it, spoilt it, and it "
                    r"must be bound anew: it has a filter that cannot be taken off: ", spoilt)
    assert holdport.socket("http")["state"] == "listening"
    assert f"error: socket http: {spoilt}" in holdport.log()
    assert spoilt in holdport.ok("status").out
    holdport.ok("sockets")
    assert holdport.log().count("spoilt it") == 1       # said once
    inode = holdport.socket("http")["inode"]
    holdport.ok("restart", "web")
    eventually(lambda: inode not in [s["inode"] for s in holdport.status()["sockets"]])
    assert "it was spoilt, and is bound anew" in holdport.log()


def test_of_several_workers_none_is_blamed(holdport):
    run_spoiler(holdport, "backlog", section="workers = 3")
    eventually(lambda: re.search(r"one of the \d workers that have it set its backlog to 5",
                                 holdport.log()))


def test_who_shut_a_listener_down_is_named_when_alone(holdport):
    address = run_spoiler(holdport, "shutdown")
    [pid] = holdport.pids("web")
    eventually(lambda: re.search(
        rf"http: worker web/1/0 \(pid {pid}\), the only one that has it, shut the listener "
        rf"{address} down; it listens again", holdport.log()), what=holdport.log())


def test_a_worker_that_chooses_all_clients_of_a_group_has_them_not_for_long(holdport):
    address = run_spoiler(holdport, "choice", socket=GROUP, section="workers = 3")
    holdport.ok("sockets")
    assert len(who_answers(address, 60)) == 3


def leave_child(holdport):
    """The command of a worker that leaves behind what has its socket too."""
    return f"command = sh -c 'setsid sleep 100 & exec {holdport.worker('--from', 'any', '--fd', 3)}'"


def test_who_keeps_a_socket_after_his_generation_is_told_once(holdport):
    holdport.leftovers_expected = True
    # What is below a worker that lives is no stranger.
    alone = "ready = delay:10ms\nkill_mode = process"
    holdport.write_web(section=f"{leave_child(holdport)}\n{alone}", more=f"""
        [program:other]
        sockets = http
        workers = 2
        command = {holdport.worker("--notify", "--fork-child")}
        """)
    holdport.run()
    holdport.await_("web")
    holdport.await_("other")
    events = holdport.events()
    holdport.ok("restart", "web")
    told = events.await_(lambda e: e["what"] == "socket" and e["state"] == "stranger")
    assert told["name"] == "http" and told["pid"]
    assert f"process {told['pid']} (sleep) has " in told["text"]
    assert f"warning: socket http: {told['text']}" in holdport.log()
    copies = holdport.ok("sockets", "--json").json["sockets"][0]["copies"]
    assert [c["pid"] for c in copies if not c["holder"]] == [told["pid"]]
    assert holdport.log().count("is no worker") == 1


def run_with_path(holdport, *spoil, **named):
    """On a unix socket in a directory that everybody may write.  Its path."""
    (holdport.dir / "w").mkdir()
    (holdport.dir / "w").chmod(0o777)
    path = holdport.dir / "w/s"
    run_spoiler(holdport, *spoil, address=f"unix:{path}", **named)
    return path


def test_a_path_that_a_worker_removed_is_there_again(holdport):
    path = run_with_path(holdport, "path")
    [pid] = holdport.pids("web")
    eventually(lambda: re.search(rf"worker web/1/0 \(pid {pid}\), the only one that has it, "
                                 "removed its path; it is there again", holdport.log()))
    inode = path.stat().st_ino
    for _ in range(3):
        path.unlink()
        assert eventually(path.exists)
        assert get(f"unix:{path}") == "worker"
        assert path.stat().st_ino == inode
    moved = path.rename(path.with_name("moved"))
    assert eventually(path.exists)
    moved.unlink()
    assert holdport.pids("web") == [pid]
    holdport.shutdown()
    assert not list(path.parent.iterdir())


def test_restarts_of_servers_that_remove_their_path_lose_it_for_a_moment_only(holdport):
    path = run_with_path(holdport, "path")
    held = holdport.socket("http")["inode"]
    for _ in range(3):
        holdport.ok("restart", "web")
        eventually(path.exists)
        assert get(f"unix:{path}") == "worker"
    assert holdport.socket("http")["inode"] == held


def test_a_path_without_its_second_name_is_bound_anew(holdport):
    path = run_with_path(holdport)
    [pid] = holdport.pids("web")
    for name in list(path.parent.iterdir()):
        name.unlink()
    holdport.await_replaced("web", [pid])
    assert "removed its path and the second name of that; it is bound anew" in holdport.log()
    assert get(f"unix:{path}") == "worker"


def test_another_file_at_the_path_is_told_and_left_alone(holdport):
    path = run_with_path(holdport)
    other = path.with_name("other")
    other.write_text("not a socket")
    other.rename(path)
    eventually(lambda: f"{path} is another file now" in (holdport.socket("http")["reason"] or ""))
    assert path.read_text() == "not a socket"
    path.unlink()
    holdport.ok("sockets")
    assert get(f"unix:{path}") == "worker"
    assert holdport.socket("http")["reason"] is None


def test_what_a_killed_supervisor_left_beside_a_path_is_taken_over(holdport):
    (holdport.dir / "w").mkdir()
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(holdport.dir / "w/.s.holdport"))
    holdport.run_web("--notify", address=f"unix:{holdport.dir}/w/s")
    (holdport.dir / "w/s").unlink()
    assert eventually((holdport.dir / "w/s").exists)
    assert get(f"unix:{holdport.dir}/w/s") == "worker"
