"""The time in which no manager answers: an upgrade, and a manager that was killed."""

import json
import socket
import subprocess
import threading
import time

from bench import Table, harness, middle, say
import sleepers

AIM = "10 ms in the median, also with 1000 programs"
QUESTION = b'{"method":"io.holdport.Status","parameters":{"names":["p0"]}}\0'
# s; one that dies sooner is followed after a pause (LIVED_WELL_MS of src/keeper/keeper.c)
LIVED_WELL = 10.5


class Asker(threading.Thread):
    """Asks for one program, on one connection after the other; when each answer came."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.path, self.answers, self.last, self.over = str(path), [], None, False

    def ask(self):
        said = b""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(30)
            s.connect(self.path)
            s.sendall(QUESTION)
            while not said.endswith(b"\0"):
                more = s.recv(65536)
                if not more:
                    return              # whoever was asked has ended
                said += more
        self.answers.append(time.monotonic())
        self.last = said

    def run(self):
        while not self.over:
            try:
                self.ask()
            except OSError:     # it went away; the next one is asked
                pass

    def await_more(self):
        seen = len(self.answers)
        harness.eventually(lambda: len(self.answers) > seen + 10, 30, "answers")

    def supervisor(self):
        return json.loads(self.last[:-1])["parameters"]["supervisor"]

    def longest(self):
        """ms between two answers."""
        return 1000 * max(b - a for a, b in zip(self.answers, self.answers[1:]))


class Paused(sleepers.Holdport):
    """The supervisor whose pauses are measured; every manager of it lives well."""

    def __init__(self, count):
        super().__init__(count)
        self.manager_began = time.monotonic()
        self.await_running()

    def await_running(self):
        def run():
            done = subprocess.run([harness.BUILD / "bin/holdport", "status", "-c", self.config],
                                  capture_output=True)
            return done.returncode == 0
        harness.eventually(run, 60, "all programs run")

    def pause(self, work):
        asker = Asker(self.dir / "run/control")
        asker.start()
        asker.await_more()
        work(asker)
        asker.await_more()
        asker.over = True
        asker.join()
        return asker.longest()

    def nothing(self):
        return self.pause(lambda asker: time.sleep(0.3))

    def upgrade(self):
        return self.pause(lambda asker: self.holdport("upgrade"))

    def kill(self):
        time.sleep(max(0, self.manager_began + LIVED_WELL - time.monotonic()))
        self.manager_began = time.monotonic()
        return self.pause(self.kill_manager)

    def kill_manager(self, asker):
        before = asker.supervisor()
        harness.kill(before["manager_pid"])
        harness.eventually(lambda: asker.supervisor()["recoveries"] > before["recoveries"], 30,
                           "another manager")


def measure(scale):
    table = Table("No manager answers", ["supervisor, programs", "longest while nothing happens, ms",
                                         "upgrade, ms", "kill -9, ms"],
                  f"The longest time between two answers, to one who asks all the time.  Aim: "
                  f"{AIM}.")
    for count in scale.programs:
        server = Paused(count)
        works = (server.nothing, server.upgrade, server.kill)
        found = [[], [], []]
        try:
            for number in range(scale.rounds):
                say(f"upgrade: {count} programs, round {number + 1} of {scale.rounds}")
                for times, work in zip(found, works):
                    times.append(work())
        finally:
            server.end()
        table.row(f"holdport {count}", *map(middle, found))
    yield table
