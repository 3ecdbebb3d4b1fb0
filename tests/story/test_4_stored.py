"""What a service manager above stores for us: sockets outlive all our processes and all
workers."""

import os
import signal
import socket

import pytest

from holdport import alive, connect, eventually, get, kill
from service_manager import ServiceManager


@pytest.fixture
def above(holdport):
    made = []

    def make(**named):
        made.append(ServiceManager(holdport, **named))
        return made[-1]
    yield make
    for manager in made:
        manager.close()


def inodes(holdport):
    return {s["inode"] for s in holdport.status()["sockets"]}


def two_sockets(holdport):
    ports = [holdport.port() for _ in range(2)]
    more = f"[socket:other]\nlisten = 127.0.0.1:{ports[1]}"
    return holdport.write_web("--notify", address=f"127.0.0.1:{ports[0]}", more=more), ports[1]


def kill_all(holdport):
    """Our processes and all workers, at once."""
    pids = holdport.pids("web")
    holdport.kill_both()
    for pid in pids:
        kill(pid)
        os.waitpid(pid, 0)


def run_stored(holdport, above):
    """What is written runs, with all its sockets stored: by whom, and which."""
    manager = above()
    manager.start()
    holdport.await_("web")
    before = inodes(holdport)
    manager.await_stored(before)
    return manager, before


def let_go_of_the_other(holdport, manager, address):
    """From now on the other of two_sockets() is neither held nor stored."""
    holdport.write_web("--notify", address=address)
    holdport.ok("reload")
    manager.await_stored({holdport.socket("http")["inode"]})


def test_what_is_held_is_stored_and_what_is_let_go_is_not(holdport, above):
    address, _ = two_sockets(holdport)
    manager = above()
    manager.start()
    before = inodes(holdport)
    assert len(before) == 2
    manager.await_stored(before)
    let_go_of_the_other(holdport, manager, address)


def test_a_successor_stores_nothing_twice_and_forgets_nothing(holdport, above):
    address, _ = two_sockets(holdport)
    manager = above()
    manager.start()
    before = inodes(holdport)
    manager.await_stored(before)
    holdport.kill_manager()
    holdport.ok("upgrade")
    let_go_of_the_other(holdport, manager, address)


def test_addresses_outlive_all_processes_and_all_workers(holdport, above):
    address, port = two_sockets(holdport)
    manager, before = run_stored(holdport, above)
    with holdport.load(address, "--rate", 100) as load:
        kill_all(holdport)
        waiting = connect(address)
        manager.start()
        holdport.await_("web")
        assert get(address, keep=waiting) == "worker"
        waiting.close()
    load.expect(refused=0)
    assert inodes(holdport) == before
    manager.await_stored(before)
    assert {s["origin"] for s in holdport.status()["sockets"]} == {"recovered"}
    assert holdport.status()["supervisor"]["recoveries"] == 1
    assert "is closed" not in holdport.log() and "not taken back" not in holdport.log()
    connect(f"127.0.0.1:{port}").close()


def test_without_a_state_they_are_claimed_by_key(holdport, above):
    two_sockets(holdport)
    manager, before = run_stored(holdport, above)
    kill_all(holdport)
    (holdport.runtime_dir / "state").unlink()
    manager.start()
    holdport.await_("web")
    assert inodes(holdport) == before
    manager.await_stored(before)
    assert {s["origin"] for s in holdport.status()["sockets"]} == {"inherited"}


def test_after_an_orderly_end_they_are_there_still(holdport, above):
    """systemctl restart: clients that come meanwhile wait."""
    address, _ = two_sockets(holdport)
    manager, before = run_stored(holdport, above)
    assert holdport.shutdown() == 0
    waiting = connect(address)
    manager.start()
    assert get(address, keep=waiting) == "worker"
    waiting.close()
    assert inodes(holdport) == before


def test_what_the_next_one_does_not_want_is_taken_back(holdport, above):
    address, port = two_sockets(holdport)
    manager = above()
    manager.start()
    manager.await_stored(inodes(holdport))
    holdport.shutdown()
    holdport.write_web("--notify", address=address)
    manager.start()
    manager.await_stored({holdport.socket("http")["inode"]})
    eventually(lambda: socket.socket().connect_ex(("127.0.0.1", port)) != 0)


def test_a_killed_keeper_is_followed_with_the_same_sockets(holdport, above):
    address, _ = two_sockets(holdport)
    manager = above()
    manager.start()
    holdport.await_("web")
    before, pids = inodes(holdport), holdport.pids("web")
    manager.await_stored(before)
    holdport.kill_keeper()
    orphan = holdport.process
    manager.start()
    assert orphan.wait() == 0
    assert inodes(holdport) == before and holdport.pids("web") == pids
    manager.await_stored(before)
    assert "is closed" not in holdport.log()
    assert get(address) == "worker"


def test_a_watchdog_above_ends_a_manager_that_hangs_too(holdport, above):
    """It ends the main process, by SIGABRT; the other one would keep everything."""
    address, _ = two_sockets(holdport)
    manager = above()
    manager.start()
    holdport.await_("web")
    before, pids, hung = inodes(holdport), holdport.pids("web"), holdport.manager_pid
    os.kill(hung, signal.SIGSTOP)
    os.kill(holdport.pid, signal.SIGABRT)
    assert holdport.process.wait() == -signal.SIGABRT
    assert not alive(hung)
    holdport.take_orphans()
    manager.start()
    assert inodes(holdport) == before and holdport.pids("web") == pids
    assert get(address) == "worker"


def test_every_slot_of_a_group_comes_back(holdport, above):
    address = holdport.write_web("--notify", section="workers = 3", socket="reuse_port = yes")
    manager = above()
    manager.start()
    holdport.await_("web")
    eventually(lambda: len(manager.stored) == 3)
    before = manager.inodes()
    kill_all(holdport)
    (holdport.runtime_dir / "state").unlink()
    manager.start()
    holdport.await_("web")
    manager.await_stored(before)
    assert "is closed" not in holdport.log()
    assert get(address) == "worker"


def test_one_that_refuses_is_stored_too_and_listens_again(holdport, above):
    address = holdport.write_web("--notify", socket="when_down = refuse")
    manager, before = run_stored(holdport, above)
    holdport.ok("stop", "web")
    holdport.shutdown()
    manager.await_stored(before)
    manager.start()
    holdport.await_("web")
    assert inodes(holdport) == before and get(address) == "worker"


def test_a_path_is_stored_while_it_is_there(holdport, above):
    path = holdport.dir / "s"
    holdport.write_web("--notify", address=f"unix:{path}")
    manager, before = run_stored(holdport, above)
    kill_all(holdport)
    manager.start()
    holdport.await_("web")
    assert inodes(holdport) == before and get(f"unix:{path}") == "worker"
    holdport.shutdown()
    manager.await_stored(set())
    assert not path.exists()


def test_more_than_it_takes_is_said_once(holdport, above):
    two_sockets(holdport)
    manager = above(most=1)
    manager.start()
    eventually(lambda: len(manager.stored) == 1)
    assert holdport.log().count("stores 1 sockets, and not all that are held") == 1


def test_one_that_is_slow_has_them_all_in_the_end(holdport, above):
    addresses = ", ".join(f"127.0.0.1:{holdport.port()}" for _ in range(40))
    holdport.write_web("--notify", address=addresses)
    manager = above()
    with manager.listens:
        holdport.run(env={"NOTIFY_SOCKET": manager.path})
        holdport.await_("web")
    before = inodes(holdport)
    assert len(before) == 40
    manager.await_stored(before)
    holdport.write_web("--notify", address=addresses.split(",")[0])
    with manager.listens:
        holdport.ok("reload")
    manager.await_stored(inodes(holdport))
