"""What holds whatever happened to keeper and manager, once everything is at rest."""

import json
import os
import signal

from holdport import DONE, PATIENCE, _processes, descendants, eventually


def pids(program):
    return {w["pid"] for g in program["generations"] for w in g["workers"]}


def at_rest(status):
    """The status, if what was asked for is done as far as it will be; else None."""
    done = status and all(
        p["state"] == "running" and len(p["generations"]) == 1 and
        p["ready"] == p["workers"] == len(pids(p)) for p in status["programs"]) and all(
        s["state"] == "listening" for s in status["sockets"])
    return status if done else None


def ours():
    """Processes below us: those of the program itself, and workers."""
    found = descendants()
    return [{pid for pid, name in found.items() if name == word}
            for word in ("holdportd", "worker")]


def zombies_of(parents):
    return [pid for pid, (parent, state, _) in _processes().items()
            if parent in parents and state == "Z"]


def known(status):
    """The same, as status has it."""
    return [{status["supervisor"][key] for key in ("keeper_pid", "manager_pid")},
            set().union(*(pids(p) for p in status["programs"]))]


def is_all(status):
    """No stranger, no double, no zombie."""
    return ours() == known(status) and not zombies_of(known(status)[0])


def check_events(holdport):
    """No gap and no double."""
    numbers = [json.loads(line)["seq"] for line in holdport.ok("events", "--json").out.splitlines()]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def check_sockets(before, now):
    """What was bound is the same socket."""
    inodes = {s["listen"]: s["inode"] for s in before["sockets"]}
    assert all(inodes.get(s["listen"], s["inode"]) == s["inode"] for s in now["sockets"])


def check(agent, before):
    """Supervised by the child of the agent, everything at rest; what status says then."""
    now = agent.await_(lambda s: s if at_rest(s) and is_all(s) and
                       s["supervisor"]["keeper_pid"] == agent.pid else None,
                       lambda: f"at rest, under the child of the agent, with {ours()}")
    check_sockets(before, now)
    check_events(agent.holdport)
    return now


def check_exit_code(agent, now):
    """That of a worker is known, whoever is its parent by now."""
    said = agent.holdport.log().count("exit status 7")
    old = min(pids(now["programs"][0]))
    os.kill(old, signal.SIGTERM)
    agent.await_(lambda s: agent.holdport.log().count("exit status 7") > said, "its code is known")
    agent.await_(lambda s: at_rest(s) and old not in pids(s["programs"][0]), "it is replaced")


def check_the_end(agent, now):
    """It does as it is told, and leaves nothing behind."""
    holdport = agent.holdport
    check_exit_code(agent, now)
    generation = holdport.program("web")["generation"]
    assert agent.ask("restart", "web") == DONE
    assert holdport.program("web")["generation"] == generation + 1
    assert agent.ask("shutdown") == DONE
    assert holdport.process.wait(timeout=PATIENCE) == 0
    eventually(lambda: holdport.take_orphans() or ours() == [set(), set()], what=ours)
    assert not (holdport.runtime_dir / "state").exists()
