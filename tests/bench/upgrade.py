"""The time in which no manager answers: an upgrade, and a manager that was killed."""

import json
import socket
import subprocess
import threading
import time

from bench import Table, harness, middle, say
import sleepers

AIM = "10 ms in the median, also with 1000 programs"
QUESTION = b'{"method":"org.varlink.service.GetInfo","parameters":{}}\0'


class Asker(threading.Thread):
    """Asks on one connection after the other; when each answer came."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.path, self.answers, self.over = str(path), [], False

    def ask(self):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(30)
            s.connect(self.path)
            s.sendall(QUESTION)
            while not s.recv(65536).endswith(b"\0"):
                pass
        self.answers.append(time.monotonic())

    def run(self):
        while not self.over:
            try:
                self.ask()
            except OSError:     # it went away; the next one is asked
                pass

    def longest(self):
        """ms between two answers."""
        return 1000 * max(b - a for a, b in zip(self.answers, self.answers[1:]))


def status(server):
    done = subprocess.run([harness.BUILD / "bin/holdport", "status", "--json", "-c", server.config],
                          capture_output=True, text=True)
    return json.loads(done.stdout)


def run(server):
    return all(p["state"] == "running" for p in status(server)["programs"])


def pause(server, work):
    asker = Asker(server.dir / "run/control")
    asker.start()
    harness.eventually(lambda: len(asker.answers) > 10, 30, "answers")
    work()
    seen = len(asker.answers)
    harness.eventually(lambda: len(asker.answers) > seen + 10, 30, "answers")
    asker.over = True
    asker.join()
    return asker.longest()


def kill_manager(server):
    before = status(server)["supervisor"]
    harness.kill(before["manager_pid"])
    harness.eventually(lambda: status(server)["supervisor"]["recoveries"] > before["recoveries"], 30,
                       "another manager")


def measure(scale):
    table = Table("No manager answers", ["supervisor, programs", "longest while nothing happens, ms",
                                         "upgrade, ms", "kill -9, ms"],
                  f"The longest time between two answers, to one who asks all the time.  Aim: "
                  f"{AIM}.")
    for count in scale.programs:
        server = sleepers.Holdport(count)
        works = (lambda: time.sleep(0.3), lambda: server.holdport("upgrade"),
                 lambda: kill_manager(server))
        found = [[], [], []]
        try:
            harness.eventually(lambda: run(server), 60, "all programs run")
            for number in range(scale.rounds):
                say(f"upgrade: {count} programs, round {number + 1}")
                for times, work in zip(found, works):
                    times.append(pause(server, work))
        finally:
            server.end()
        table.row(f"holdport {count}", *map(middle, found))
    yield table
