"""Kills of any of our processes and of workers, restarts, reloads, upgrades in any order and
at any moment, under load: nobody is refused.  HOLDPORT_SEED does the same again, as far as
moments can be."""

import os
import random
import time

import pytest

from holdport import DONE, FAILED, NOBODY, NOT_RUNNING, PATIENCE, eventually, kill
from promises import at_rest, check, check_the_end, ours
from strike import Agent

WORKERS = 3


def write_config(holdport, address, answer):
    """In one piece: a `run` that begins just now would be content with an empty file, and
    with the default runtime_dir."""
    file, holdport.config = holdport.config, holdport.dir / "new.conf"
    holdport.write_config(f"""\
        [socket:http]
        listen = {address}
        [program:web]
        command = {holdport.worker("--notify", "--exit-code", 7, "--answer", answer)}
        sockets = http
        workers = {WORKERS}
        ready = notify
        """)
    holdport.config.rename(file)
    holdport.config = file


class Chaos:
    """One supervisor, and what may happen to it."""

    def __init__(self, agent, address, chance):
        self.agent, self.address, self.chance = agent, address, chance
        self.commands, self.answers = [], 0

    def manager(self):
        """Its pid, as far as that is known; none of a process that is not there any more."""
        pid = self.agent.tend().get("supervisor", {}).get("manager_pid")
        return {pid} & ours()[0]

    def kill_manager(self):
        for pid in self.manager():
            kill(pid)

    def kill_keeper(self):
        kill(self.agent.pid)

    def kill_both(self):
        both = [self.agent.pid, *self.manager()]
        for pid in self.chance.sample(both, len(both)):
            kill(pid)

    def kill_worker(self):
        """One of several: with the last of them and both of ours a socket would be gone."""
        living = ours()[1]
        if len(living) >= WORKERS:
            kill(self.chance.choice(sorted(living)))

    def ask(self, *words):
        self.commands.append(self.agent.holdport.spawn(
            words[0], "--runtime-dir", self.agent.holdport.runtime_dir, *words[1:]))

    def restart(self):
        self.ask("restart", "web")

    def upgrade(self):
        self.ask("upgrade")

    def reload(self):
        self.answers += 1
        write_config(self.agent.holdport, self.address, self.answers)
        self.ask("reload")

    HAPPENINGS = {kill_manager: 4, kill_keeper: 3, kill_both: 2, kill_worker: 3, restart: 4,
                  upgrade: 3, reload: 3}

    def happen(self):
        what = self.chance.choices(list(self.HAPPENINGS), self.HAPPENINGS.values())[0]
        print(f"{time.monotonic():.3f} {what.__name__}", flush=True)
        what(self)
        time.sleep(self.chance.choice([0, 0, 0.01, 0.05, 0.2]))
        self.agent.tend()

    def end(self):
        """Until everybody who asked was told."""
        eventually(lambda: (self.agent.tend(), all(c.poll() is not None for c in self.commands))[1],
                   3 * PATIENCE, what=self.agent.holdport.log)
        assert {c.returncode for c in self.commands} <= {DONE, FAILED, NOT_RUNNING}


@pytest.mark.parametrize("user", [None, NOBODY] if os.geteuid() == 0 else [None])
def test_nobody_is_refused(holdport, user, long):
    seed = int(os.environ.get("HOLDPORT_SEED", time.time_ns() if long else 1))
    print(f"HOLDPORT_SEED={seed}")
    holdport.dir.chmod(0o755)
    if user:
        os.chown(holdport.dir, user, user)
        holdport.user = user
    address = f"127.0.0.1:{holdport.port()}"
    write_config(holdport, address, 0)
    agent = Agent(holdport, user)
    chaos = Chaos(agent, address, random.Random(seed))
    agent.start()
    before = agent.await_(at_rest, "it runs")
    until = time.monotonic() + (150 if long else 10)
    with holdport.load(address, "--rate", 100, "--keep-alive", 10) as load:
        while time.monotonic() < until:
            chaos.happen()
        chaos.end()
        now = check(agent, before)
    load.expect(refused=0)
    check_the_end(agent, now)
