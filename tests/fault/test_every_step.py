"""kill -9 of manager, keeper, both before each step of what they do, under load.

Which steps there are a trace tells (strike.py): every system call that somebody else could
notice.  HOLDPORT_STEPS of them, which HOLDPORT_SEED chooses, are a moment of its own for each
victim: 1, with --long 25; 10000 are all."""

import contextlib
import os
import random

import pytest

from holdport import DONE, FAILED, NOBODY, NOT_RUNNING, PATIENCE, alive, eventually, kill
from promises import at_rest, check, check_the_end, pids
from strike import Agent, Strike

SEED = int(os.environ.get("HOLDPORT_SEED", "1"))
LONG_POINTS = 25
AS_ROOT = os.geteuid() == 0


# What may have come of a command


def expect_nothing(before, now, code):
    """Nobody but the supervisor noticed."""
    if before["programs"]:
        assert [pids(p) for p in before["programs"]] == [pids(p) for p in now["programs"]]


def expect_restart(before, now, code):
    """The old ones or the new ones, and nobody else."""
    old, new = before["programs"][0], now["programs"][0]
    assert new["generation"] in ((2,) if code == DONE else (1, 2))
    assert pids(new) == pids(old) if new["generation"] == 1 else not pids(new) & pids(old)


def expect_reload(before, now, code):
    """All of it or nothing."""
    reloads = now["supervisor"]["reloads"]
    assert reloads in ((1,) if code == DONE else (0, 1))
    assert [p["name"] for p in now["programs"]] == ["web", "other"][:1 + reloads]
    assert now["programs"][0]["generation"] == 1 + reloads
    expect_restart(before, now, code)


def expect_upgrade(before, now, code):
    assert now["supervisor"]["upgrades"] in ((1,) if code == DONE else (0, 1))
    expect_nothing(before, now, code)


def expect_drain(before, now, code):
    old, new = before["programs"][0], now["programs"][0]
    assert new["workers"] in ((1,) if code == DONE else (1, 2))
    assert pids(new) <= pids(old)


# What happens while steps are counted.  Of those that ask a command is under way


def ask(*words):
    def act(agent, keeper, manager):
        where = ["--runtime-dir", agent.holdport.runtime_dir]
        return agent.holdport.spawn(words[0], *where, *words[1:])
    return act


def reload_more(agent, keeper, manager):
    holdport = agent.holdport
    text = holdport.config.read_text()
    holdport.config.write_text(text.replace("--exit-code 7", "--exit-code 7 --answer other") + f"""
[socket:other]
listen = 127.0.0.1:{holdport.port()}
[program:other]
command = {holdport.worker("--notify", "--exit-code", 7)}
sockets = other
""")
    return ask("reload")(agent, keeper, manager)


def kill_manager(agent, keeper, manager):
    kill(manager)
    eventually(lambda: not alive(manager))


def kill_keeper(agent, keeper, manager):
    kill(keeper)
    eventually(lambda: not alive(keeper))


def open_gate(agent, keeper, manager):
    agent.open()


# What was before


def nothing(agent):
    agent.start(gate=True)
    return {"programs": [], "sockets": []}


def at_work(agent):
    agent.start()
    return agent.await_(at_rest, "it runs")


def an_orphan(agent):
    before = at_work(agent)
    agent.holdport.kill_keeper()
    agent.start(gate=True)
    return before


def a_wreck(agent):
    before = at_work(agent)
    agent.holdport.kill_both()
    agent.start(gate=True)
    return before


# Whose steps are counted: for Strike, of keeper and manager.  Of a start the keeper is the
# child of the agent, and there is no manager yet.
MANAGER = lambda keeper, manager: {"pid": manager}
KEEPER = lambda keeper, manager: {"pid": keeper}
NEXT_MANAGER = lambda keeper, manager: {"pid": keeper, "child": True}
MANAGER_OF_HEIR = lambda keeper, manager: {"pid": manager, "child": True}
FIRST_KEEPER = lambda keeper, manager: {"pid": keeper, "images": 2}

VICTIMS = {
    "manager": lambda keeper, manager: [manager],
    "keeper": lambda keeper, manager: [keeper],
    "both": lambda keeper, manager: [keeper, manager],
    "next": lambda keeper, manager: ["child"],
    "keeper and next": lambda keeper, manager: [keeper, "child"],
    "heir and next": lambda keeper, manager: [manager, "child"],
}
TWO = ["manager", "keeper", "both"]
NEXT = ["next", "keeper", "keeper and next"]

CASES = {name: case for name, *case in [
    ("restart", at_work, ask("restart", "web"), MANAGER, TWO, expect_restart),
    ("reload", at_work, reload_more, MANAGER, TWO, expect_reload),
    ("upgrade", at_work, ask("upgrade"), MANAGER, TWO, expect_upgrade),
    ("upgrade of the keeper", at_work, ask("upgrade"), KEEPER, TWO, expect_upgrade),
    ("drain", at_work, ask("scale", "web", 1), MANAGER, TWO, expect_drain),
    ("recovery", at_work, kill_manager, NEXT_MANAGER, NEXT, expect_nothing),
    ("succession", at_work, kill_keeper, MANAGER, ["manager"], expect_nothing),
    ("first manager of an heir", at_work, kill_keeper, MANAGER_OF_HEIR,
     ["next", "manager", "heir and next"], expect_nothing),
    ("start", nothing, open_gate, NEXT_MANAGER, NEXT, expect_nothing),
    ("start of the keeper", nothing, open_gate, FIRST_KEEPER, ["keeper"], expect_nothing),
    ("takeover", an_orphan, open_gate, NEXT_MANAGER, NEXT, expect_nothing),
    ("salvage", a_wreck, open_gate, NEXT_MANAGER, NEXT, expect_nothing),
]}


# One moment


def make_agent(holdport, user):
    """Of a supervisor that is configured; its address."""
    holdport.env["ASAN_OPTIONS"] += ":detect_leaks=0"       # it does not work in a tracee
    holdport.dir.chmod(0o755)
    if user:
        os.chown(holdport.dir, user, user)
        holdport.user = user
    address = f"127.0.0.1:{holdport.port()}"
    holdport.write_config(f"""\
        [socket:http]
        listen = {address}
        [program:web]
        command = {holdport.worker("--notify", "--exit-code", 7)}
        sockets = http
        workers = 2
        ready = notify
        """)
    return Agent(holdport, user), address


def both_of(agent):
    """Keeper and manager; of one that is still to start the first."""
    supervisor = agent.look().get("supervisor", {})
    if supervisor.get("keeper_pid") == agent.pid:
        return agent.pid, supervisor["manager_pid"]
    return agent.pid, None


def is_done(status, act, agent):
    """What was asked for, and there is a keeper; of a start it is the one that was started."""
    two = [status.get("supervisor", {}).get(key) for key in ("keeper_pid", "manager_pid")]
    return (at_rest(status) and two[0] != two[1] and alive(two[0]) and
            (act is not open_gate or two[0] == agent.pid))


def do(agent, case, victims, at):
    """Until it is struck or at rest; what the trace says, the exit code of a command."""
    _, act, counted, _, _ = case
    two = both_of(agent)
    named = counted(*two)
    strike = Strike(named.pop("pid"), *VICTIMS[victims](*two), at=at, **named)
    command = act(agent, *two)
    eventually(lambda: strike.over or ((not command or command.poll() is not None) and
                                       is_done(agent.look(), act, agent)), what=agent.holdport.log)
    said = strike.end()
    agent.tend()
    return said, command and command.wait(timeout=PATIENCE)


@contextlib.contextmanager
def loaded(holdport, address, before):
    if not before["programs"]:
        yield
        return
    with holdport.load(address, "--rate", 100, "--keep-alive", 10) as load:
        yield
    load.expect(failed=0, refused=0)


def one_moment(new_holdport, name, victims, at=0, user=None):
    begin, _, _, _, expect = case = CASES[name]
    agent, address = make_agent(new_holdport(), user)
    before = begin(agent)
    with loaded(agent.holdport, address, before):
        said, code = do(agent, case, victims, at)
        print(f"{name}, {victims} at {at} as {user}: {said}, exit {code}", flush=True)
        now = check(agent, before)
    assert code in (None, DONE, FAILED, NOT_RUNNING)
    expect(before, now, code)
    check_the_end(agent, now)
    return said[0]


def spread(count, points, chance):
    """So many of the steps 1 to count, and of the moment after them: one in each part."""
    points = min(points, count + 1)
    return [1 + int((i + chance.random()) * (count + 1) / points) for i in range(points)]


@pytest.mark.parametrize("name", CASES)
def test_killed_before_any_step(new_holdport, name, long):
    victims = CASES[name][3]
    count = one_moment(new_holdport, name, victims[0])
    points = int(os.environ.get("HOLDPORT_STEPS") or (LONG_POINTS if long else 1))
    print(f"HOLDPORT_SEED={SEED} HOLDPORT_STEPS={points}: {name} has {count} steps")
    for some in victims:
        for at in spread(count, points, random.Random(f"{SEED} {name} {some}")):
            one_moment(new_holdport, name, some, at, NOBODY if at % 2 and AS_ROOT else None)
