"""Workers that serve and are replaced all the same: one at a time, and nobody misses
one."""

import os
import re

from holdport import alive, eventually, get

OLD = "is older than max_age"


def is_renewal(event, text=OLD):
    return event["what"] == "worker" and text in (event["text"] or "")


def is_(state, pid=None, but=None):
    def look(event):
        return (event["what"] == "worker" and event["state"] == state
                and (pid is None or event["pid"] == pid) and event["pid"] != but)
    return look


def test_one_that_is_too_old_is_replaced_without_a_gap(holdport):
    address = holdport.run_web("--notify", section="max_age = 1s\n")
    inode = holdport.socket("http")["inode"]
    events = holdport.events()
    with holdport.load(address) as load:
        old = events.await_(is_renewal)["pid"]
        new = events.await_(is_("serving", but=old))["pid"]
        events.await_(is_("gone", old))
    load.expect(failed=0)
    order = [(e["pid"], e["state"]) for e in events.seen if e["what"] == "worker"]
    assert order.index((new, "serving")) < order.index((old, "draining"))
    web = holdport.program("web")
    assert web["restarts"] == 0 and web["generation"] == 1
    assert holdport.socket("http")["inode"] == inode


def test_those_that_came_together_go_one_by_one(holdport):
    holdport.run_web("--notify", section="workers = 3\nmax_age = 1s\n")
    first = set(holdport.pids("web"))
    events = holdport.events()
    for pid in first:
        events.await_(is_("gone", pid))
    under_way = None
    for e in events.seen:
        if is_renewal(e):
            assert under_way is None, events.seen
            under_way = e["pid"]
        elif under_way and is_("draining", under_way)(e):
            under_way = None


def age_out(holdport, address, section):
    """From now on it is too old; the pid of the one that was running."""
    [pid] = holdport.pids("web")
    holdport.write_web("--notify", address=address, section=section + "max_age = 1s\n")
    assert "live" in holdport.ok("reload").out
    return pid


def waits_for(holdport, flag, there):
    """A worker that does not come up while the flag is there, or is not."""
    test = "" if there else "! "
    return (f"command = /bin/sh -c 'while test {test}-e {flag}; do sleep 0.05; done; "
            f"exec {holdport.worker('--notify')}'\nready = notify\n")


def renew_held_up(holdport):
    """A worker that is too old, whose replacement does not come up while a file is there.
    The address, its pid, the file."""
    held_up = holdport.dir / "held-up"
    section = waits_for(holdport, held_up, True)
    address = holdport.run_web(section=section)
    held_up.touch()
    old = age_out(holdport, address, section)
    return address, old, held_up


def test_a_replacement_that_does_not_come_up_changes_nothing(holdport):
    flag = holdport.dir / "broken"
    section = (f"command = /bin/sh -c 'test ! -e {flag} && exec {holdport.worker('--notify')}'\n"
               "ready = notify\n")
    address = holdport.run_web(section=section)
    flag.touch()
    pid = age_out(holdport, address, section)
    eventually(lambda: "its replacement did not come up, and it stays" in holdport.log(),
               what=holdport.log)
    assert [w["pid"] for w in holdport.workers("web") if w["state"] == "serving"] == [pid]
    assert get(address) == "worker"
    assert holdport.program("web")["state"] == "running"


def test_it_survives_the_manager(holdport):
    address, old, held_up = renew_held_up(holdport)
    holdport.events().await_(is_renewal)
    holdport.kill_manager()
    held_up.unlink()
    eventually(lambda: not alive(old), what=holdport.log)
    assert get(address) == "worker"
    assert holdport.program("web")["restarts"] == 0


def serves_since(holdport):
    found = re.findall(r"\bserves_since=(\d+)", (holdport.runtime_dir / "state").read_text())
    return found[-1]


def test_its_age_is_counted_on_by_a_successor(holdport):
    holdport.run_web("--notify", section="max_age = 1h\n")
    since = serves_since(holdport)
    assert int(since) > 0
    holdport.kill_manager()
    holdport.ok("scale", "web", "2")        # something to write down
    state = (holdport.runtime_dir / "state").read_text()
    assert since in re.findall(r"\bserves_since=(\d+)", state.split("\nprogram ")[-1])


def test_where_two_may_not_be_beside_each_other_the_old_one_goes_first(holdport):
    holdport.run_web("--notify", section="strategy = replace\nmax_age = 1s\n")
    events = holdport.events()
    old = events.await_(is_renewal)["pid"]
    new = events.await_(is_("serving", but=old))["pid"]
    order = [(e["pid"], e["state"]) for e in events.seen if e["what"] == "worker"]
    assert order.index((old, "gone")) < order.index((new, "starting"))
    assert holdport.program("web")["restarts"] == 0


def test_a_worker_that_dies_while_its_successor_comes_is_not_replaced_twice(holdport):
    _, old, held_up = renew_held_up(holdport)
    events = holdport.events()
    new = events.await_(is_("starting", but=old))["pid"]
    os.kill(old, 9)
    events.await_(is_("gone", old))
    assert holdport.pids("web") == [new]
    held_up.unlink()
    events.await_(is_("serving", new))


def test_one_that_has_grown_is_replaced(holdport):
    address = holdport.run_web("--notify", section="max_memory = 300M\n")
    [old] = holdport.pids("web")
    events = holdport.events()
    assert get(address, "/eat?400") == "worker"
    assert events.await_(lambda e: is_renewal(e, "it has more than max_memory"))["pid"] == old
    new = events.await_(is_("serving", but=old))["pid"]
    events.await_(is_("gone", old))
    assert holdport.pids("web") == [new]
    assert holdport.program("web")["restarts"] == 0


def test_what_is_below_a_worker_counts(holdport):
    own = f"127.0.0.1:{holdport.port()}"
    command = f"/bin/sh -c '{holdport.worker('--bind', own)} & wait'"
    holdport.run_web(section=f"command = {command}\nready = delay:50ms\nhandoff = none\n"
                             "kill_mode = group\nmax_memory = 300M\n")
    [old] = holdport.pids("web")
    eventually(lambda: answers(own))
    assert get(own, "/eat?400") == "worker"
    assert holdport.events().await_(lambda e: is_renewal(e, "it has more than max_memory"))["pid"] == old


def answers(address):
    try:
        return get(address)
    except OSError:
        return None
