"""What does a worker pay for a filter that reports its bind(2), and how long does an
answered one take?"""

import os
import shutil
import subprocess
from pathlib import Path

import pairs
from bench import Table, harness, middle, say
from servers import NGINX_CONF

ROWS = (("a system call without the filter", "ns"), ("a system call with it", "ns"),
        ("bind(2) without the filter", "µs"), ("bind(2) that goes on untouched", "µs"),
        ("bind(2) that is answered with a held socket", "µs"))


def one_call(scale):
    table = Table("An intercepted bind", ["by", "", "takes", "unit"],
                  "Wall time, getppid(2) for a system call. Each report is caught by a process "
                  "that is made for it, which is most of what an answer takes.")
    say("intercept: calls")
    rounds = 1 if scale.smoke else 4 * scale.rounds
    done = subprocess.run([harness.SUPPORT / "intercept_cost", str(rounds)],
                          capture_output=True, text=True)
    taken = list(zip(*(map(float, line.split()) for line in done.stdout.splitlines())))
    if done.returncode or len(taken) != len(ROWS):
        table.row("holdport", "not measured", done.stderr.strip(), "–")
    else:
        for (name, unit), values in zip(ROWS, taken):
            table.row("holdport", name, middle(values), unit)
    return table


# Processor time of what never binds again


class Nginx:
    """Two of them below one supervisor, one of them intercepted, on one processor; who
    asks them is on another one, where there is one."""

    def __init__(self, run):
        self.processors = sorted(os.sched_getaffinity(0))
        self.run = run
        self.ports = {name: self.run.port() for name in ("without", "with")}
        self.run.write_config(f"[socket:with]\nlisten = 127.0.0.1:{self.ports['with']}\n" +
                              "".join(map(self.section, self.ports)))
        self.run.run()
        for name in self.ports:
            self.run.await_(name)
        self.workers = {name: harness.eventually(lambda: self.worker(name))
                        for name in self.ports}

    def section(self, name):
        place = self.run.dir / name
        place.mkdir()
        text = NGINX_CONF.format(dir=place, address=f"127.0.0.1:{self.ports[name]}")
        (place / "nginx.conf").write_text(text.replace("worker_processes 2", "worker_processes 1"))
        more = "sockets = with\nhandoff = intercept" if name == "with" else "ready = delay:200ms"
        return (f"[program:{name}]\ncommand = /usr/sbin/nginx -e {place}/nginx.error.log "
                f"-c {place}/nginx.conf -g 'pid {place}/nginx.pid;'\n"
                f"cpu_affinity = {self.processors[-1]}\n{more}\n")

    def worker(self, name):
        """Below the master."""
        return next(iter(harness.descendants(self.run.pids(name)[0])), None)

    def used(self, name):
        """µs on a processor so far (proc(5), schedstat)."""
        return int(Path(f"/proc/{self.workers[name]}/schedstat").read_text().split()[0]) / 1000

    def cost(self, name, count, *keep):
        """µs that one request costs it."""
        before = self.used(name)
        subprocess.run([harness.SUPPORT / "ask", str(self.ports[name]), str(count), *keep],
                       check=True,
                       preexec_fn=lambda: os.sched_setaffinity(0, self.processors[:1]))
        return (self.used(name) - before) / count

    def take(self, number, count, *keep):
        """The second is not always the same one."""
        sides = ["without", "with"] if number % 2 else ["with", "without"]
        found = {name: self.cost(name, count, *keep) for name in sides}
        return found["without"], found["with"]


def add_nginx(table, scale):
    if not shutil.which("nginx", path="/usr/sbin:/usr/bin"):
        table.row("holdport", "nginx is not installed", "–", "–", "–", "–")
        return
    count = 20 if scale.smoke else 500
    run = harness.Holdport()
    try:
        pair = Nginx(run)
        for what, keep in (("a request of nginx", ()),
                           ("a request of nginx over a connection kept alive", ("keep",))):
            say(f"intercept: {what}")
            found = pairs.take(lambda number: pair.take(number, count, *keep), scale)
            table.row("holdport", what, *pairs.cells(found))
    finally:
        run.stop()
        run.remove()


def add_forks(table, scale):
    say("intercept: forks")
    tool = subprocess.Popen([harness.SUPPORT / "fork_cost", "2" if scale.smoke else "100"],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with tool:
        try:
            found = pairs.take(lambda _: tuple(map(float, tool.stdout.readline().split())), scale)
            table.row("holdport", "fork(2), exec(2), wait(2)", *pairs.cells(found))
        except (ValueError, ZeroDivisionError):
            table.row("holdport", tool.stderr.read().strip() or "not measured", *"––––")
        tool.kill()


def processor_time(scale):
    table = Table("Processor time beside a filter",
                  ["by", "", "pairs", "without, µs", "with, µs", "with over without"],
                  "Medians; in brackets, between which the median of the ratio lies 19 times "
                  "of 20. Measured in turns, until these are less than 0.02 apart.")
    add_nginx(table, scale)
    add_forks(table, scale)
    return table


def measure(scale):
    yield one_call(scale)
    yield processor_time(scale)
