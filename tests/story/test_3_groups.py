"""reuse_port = yes: one held socket a worker, in one group, and nobody is lost when
workers come, go and change."""

import contextlib
import os
import signal
import socket

import pytest

from holdport import USAGE, connect, eventually, get
from test_1_types import ask

GROUP = "reuse_port = yes"
ROOT = os.geteuid() == 0
USERS = ["", "user = nobody\n"] if ROOT else [""]


def slots(holdport):
    """slot -> inode: they are told in their order"""
    return dict(enumerate(s["inode"] for s in holdport.status()["sockets"] if s["name"] == "http"))


def given(holdport):
    """index of a worker -> the inodes that workers of it were given"""
    found = {}
    for report in holdport.reports():
        index = int(report["environment"]["HOLDPORT_WORKER"])
        found.setdefault(index, set()).update(s["inode"] for s in report["sockets"])
    return found


def who_answers(address, times=40):
    return {get(address, "/pid") for _ in range(times)}


def test_each_worker_has_the_socket_of_its_slot(holdport):
    address = holdport.run_web("--notify", socket=GROUP, section="workers = 4")
    held = slots(holdport)
    assert sorted(held) == [0, 1, 2, 3] and len(set(held.values())) == 4
    assert given(holdport) == {slot: {inode} for slot, inode in held.items()}
    for report in holdport.reports():
        [found] = report["sockets"]
        assert found["SO_REUSEPORT"] == 1 and found["fd"] == 3
    assert who_answers(address, 100) == {str(pid) for pid in holdport.pids("web")}
    detail = holdport.ok("sockets", "--json").json["sockets"]
    assert {s["key"]["slot"]: s["inode"] for s in detail} == held
    text = holdport.ok("status").out
    assert "http/0 " in text and "http/3 " in text


@pytest.mark.load
@pytest.mark.parametrize("strategy", ["rolling", "overlap", "replace"])
@pytest.mark.parametrize("user", USERS)
def test_restarts_under_load_lose_nobody(holdport, restarts, strategy, user):
    if user:
        holdport.dir.chmod(0o755)
    address = f"127.0.0.1:{holdport.port()}"
    holdport.write_config(f"""
        [socket:http]
        listen = {address}
        reuse_port = yes
        [program:web]
        sockets = http
        workers = 4
        strategy = {strategy}
        {user}
        command = {holdport.worker("--notify")}
        """)
    holdport.run()
    holdport.await_("web")
    held = slots(holdport)
    with holdport.load(address) as load:
        for _ in range(restarts):
            holdport.ok("restart", "web")
            load.await_calm()
    load.expect(refused=0, reset=0, failed=0)
    assert slots(holdport) == held


@pytest.mark.load
def test_scaling_and_fewer_workers_lose_nobody(holdport):
    address = f"127.0.0.1:{holdport.port()}"
    holdport.run_web("--notify", address=address, socket=GROUP, section="workers = 4")
    held = slots(holdport)
    with holdport.load(address) as load:
        for workers in (1, 4, 2):
            holdport.ok("scale", "web", workers)
            eventually(lambda: len(slots(holdport)) == workers)
            load.await_calm()
        for workers, strategy in ((3, "rolling"), (2, "rolling"), (4, "replace"),
                                  (1, "replace"), (3, "overlap"), (1, "overlap")):
            holdport.write_web("--notify", "--answer", f"{workers}", address=address,
                               socket=GROUP, section=f"workers = {workers}\n"
                                                     f"strategy = {strategy}")
            holdport.ok("reload")
            eventually(lambda: len(slots(holdport)) == workers)
            load.await_calm()
    load.expect(refused=0, reset=0, failed=0)
    assert slots(holdport)[0] == held[0]


def test_a_slot_that_goes_is_emptied_before(holdport):
    address = holdport.run_web("--notify", socket=GROUP, section="workers = 2")
    [last] = [w["pid"] for w in holdport.workers("web") if w["index"] == 1]
    os.kill(last, signal.SIGSTOP)
    clients = [connect(address) for _ in range(100)]    # half of them wait for it
    holdport.ok("scale", "web", 1, "--no-wait")
    os.kill(last, signal.SIGCONT)
    assert {get("", keep=client) for client in clients} == {"worker"}
    eventually(lambda: len(slots(holdport)) == 1)
    for client in clients:
        client.close()


def test_a_slot_whose_worker_is_missing_keeps_nobody_waiting(holdport):
    mark = holdport.dir / "broken"
    address = holdport.write_web(socket=GROUP, section=f"""\
        workers = 3
        restart_delay = 30s
        restart_delay_max = 30s
        ready = notify
        command = sh -c 'test $$HOLDPORT_WORKER = 1 && test -e {mark} && exit 1; exec {
            holdport.worker("--notify", "--from", "server-starter")}'
        """)
    holdport.run()
    holdport.await_("web")
    workers = {w["index"]: w["pid"] for w in holdport.workers("web")}
    mark.touch()
    os.kill(workers[1], signal.SIGKILL)
    holdport.await_(lambda s: s["programs"][0]["ready"] == 2 and s["programs"][0]["last_error"])
    assert who_answers(address) == {str(workers[0]), str(workers[2])}
    mark.unlink()
    holdport.ok("restart", "web")
    assert len(who_answers(address, 100)) == 3


def test_a_stopped_program_lets_clients_wait_in_all_slots(holdport):
    address = holdport.run_web("--notify", socket=GROUP, section="workers = 3")
    held = slots(holdport)
    holdport.ok("stop", "web")
    clients = [connect(address) for _ in range(30)]
    assert slots(holdport) == held
    holdport.ok("start", "web")
    assert {get("", keep=client) for client in clients} == {"worker"}
    for client in clients:
        client.close()


def test_refuse_turns_away_at_all_slots(holdport):
    address = holdport.run_web("--notify", socket=GROUP + "\nwhen_down = refuse",
                               section="workers = 3")
    held = slots(holdport)
    for _ in range(2):
        holdport.ok("stop", "web")
        for _ in range(12):
            with pytest.raises(ConnectionRefusedError):
                connect(address)
        holdport.ok("start", "web")
        assert get(address) == "worker"
    assert slots(holdport) == held


def test_udp(holdport):
    port = holdport.port()
    holdport.run_web("--notify", address=f"127.0.0.1:{port}", section="workers = 3",
                     socket=GROUP + "\ntype = datagram")
    held = slots(holdport)
    pids = holdport.pids("web")
    found = {ask(("127.0.0.1", port), "pid") for _ in range(60)}
    assert found == {str(pid) for pid in pids}
    for report in holdport.reports():
        assert report["sockets"][0]["SO_REUSEADDR"] == 0
    holdport.ok("restart", "web")
    assert {ask(("127.0.0.1", port), "pid") for _ in range(60)}.isdisjoint(
        str(pid) for pid in pids)
    assert slots(holdport) == held


def test_a_slot_is_proved_by_a_connection_of_its_own(holdport):
    address = holdport.run_web(socket=GROUP, section="workers = 2\nready = tcp")
    holdport.ok("scale", "web", 3)
    assert len(who_answers(address, 60)) == 3


def may_join(address, user):
    """Whether somebody of this user can bind beside, with SO_REUSEPORT."""
    host, port = address.rsplit(":", 1)
    child = os.fork()
    if child == 0:
        with contextlib.suppress(OSError):
            os.setgroups([])
            os.setresuid(user, user, user)
            with socket.socket() as s:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                s.bind((host, int(port)))
                os._exit(0)
        os._exit(1)
    return os.waitpid(child, 0)[1] == 0


@pytest.mark.skipif(not ROOT, reason="only root has other users")
def test_a_group_is_of_the_user_of_its_workers(holdport):
    holdport.dir.chmod(0o755)
    port = f"127.0.0.1:{holdport.port()}"

    def write(user):
        holdport.write_config(f"""
            [socket:http]
            listen = {port}
            reuse_port = yes
            [program:web]
            sockets = http
            workers = 2
            user = {user}
            command = {holdport.worker("--notify")}
            """)
    write("nobody")
    holdport.run()
    holdport.await_("web")
    held = slots(holdport)
    assert may_join(port, 65534) and not may_join(port, 1)
    write("daemon")
    holdport.ok("reload")
    holdport.ok("scale", "web", 4)
    assert may_join(port, 1) and not may_join(port, 65534)
    assert len(slots(holdport)) == 4 and held.items() <= slots(holdport).items()


def test_what_a_group_cannot_be(holdport):
    holdport.write_config(f"""
        [socket:a]
        listen = unix:s
        reuse_port = yes
        [socket:b]
        listen = 127.0.0.1:{holdport.port()}
        reuse_port = yes
        exclusive = yes
        [socket:c]
        listen = 127.0.0.1:{holdport.port()}
        reuse_port = yes
        mptcp = yes
        [program:one]
        command = true
        sockets = b
        [program:two]
        command = true
        sockets = b
        """)
    said = holdport.cmd("check")
    for words in ("SO_REUSEPORT is for addresses of the network", "which exclusive = yes forbids",
                  "leave out reuse_port or mptcp",
                  "one socket for each worker of [program:one]"):
        assert words in said.out + said.err, words


@pytest.mark.load
@pytest.mark.parametrize("user", USERS)
def test_a_change_of_it_takes_other_sockets_and_loses_nobody(holdport, user):
    if user:
        holdport.dir.chmod(0o755)
    if not ROOT:
        pytest.skip("wants CAP_NET_RAW")
    address = f"127.0.0.1:{holdport.port()}"

    def write(group):
        holdport.write_config(f"""
            [socket:http]
            listen = {address}
            reuse_port = {group}
            [program:web]
            sockets = http
            workers = 4
            {user}
            command = {holdport.worker("--notify")}
            """)

    write("no")
    holdport.run()
    holdport.await_("web")
    with holdport.load(address, "--rate", 1000) as load:
        for group in ("yes", "no") * 3:
            before = set(slots(holdport).values())
            write(group)
            assert "rebind" in holdport.ok("reload").out
            eventually(lambda: not before & set(slots(holdport).values()))
            assert len(slots(holdport)) == (4 if group == "yes" else 1)
            load.await_calm()
    load.expect(failed=0)


def test_a_change_of_a_group_of_datagrams_is_refused(holdport):
    address = f"127.0.0.1:{holdport.port()}"
    holdport.run_web("--notify", address=address, socket="type = datagram")
    holdport.write_web("--notify", address=address, socket=f"type = datagram\n{GROUP}")
    said = holdport.cmd("reload")
    assert said.code == USAGE, said
    assert "cannot be bound anew" in said.err


def test_connections_are_counted_by_slot(holdport):
    address = holdport.run_web("--notify", socket=GROUP, section="workers = 2")
    clients = [connect(address) for _ in range(20)]
    for client in clients:
        get("", keep=client)

    def all_counted():
        sockets = holdport.ok("sockets", "--json").json["sockets"]
        counts = [[w["connections"] for w in s["workers"]] for s in sockets]
        return len(counts) == 2 and all(len(c) == 1 and c[0] for c in counts) and \
            sum(c[0] for c in counts) == 20
    eventually(all_counted)
    assert sum(w["connections"] for w in holdport.workers("web")) == 20
    for client in clients:
        client.close()
