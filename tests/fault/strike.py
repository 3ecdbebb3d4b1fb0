"""Kills at a step that a trace counts (tests/support/strike.c), and a monitoring agent."""

import queue
import subprocess
import threading

from holdport import BUILD, PATIENCE, SUPPORT, eventually


class Strike:
    """From now on the steps of a process are counted: pid, or with child=True the first one
    that it starts, with images=N from its Nth exec(2) on.  at=N: before its step N the
    victims are killed, numbers or "child"; at the latest when it is ended."""

    def __init__(self, pid, *victims, at=0, child=False, images=0):
        argv = [str(SUPPORT / "strike"), "--pid", str(pid), "--images", str(images)]
        argv += ["--child"] if child else []
        argv += ["--at", str(at), "--victims", ",".join(map(str, victims))] if at else []
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         text=True)
        assert self._process.stdout.readline() == "watching\n"
        self._lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        self._lines.put(self._process.stdout.readline())

    @property
    def over(self):
        return not self._lines.empty()

    def end(self):
        """The last step that was counted, and the call before which it struck."""
        self._process.stdin.close()
        _, *numbers = self._lines.get(timeout=PATIENCE).split()
        self._process.wait(timeout=PATIENCE)
        return tuple(map(int, numbers))


class Agent:
    """Starts `holdport run`, and again whenever it has ended, as a monitoring agent does.
    `codes`: what those that ended exited with."""

    def __init__(self, holdport, user=None):
        self.holdport, self.codes = holdport, []
        self.rights = {"user": user, "group": user, "extra_groups": []} if user else {}

    @property
    def pid(self):
        return self.holdport.process.pid

    def start(self, gate=False):
        """gate: it waits for open().  Its pid."""
        command = [str(BUILD / "bin/holdport"), "run", "-c", str(self.holdport.config)]
        if gate:
            command = ["/bin/sh", "-c", 'read go; exec "$@" </dev/null', "sh", *command]
        with open(self.holdport.output, "ab") as out:
            self.holdport.process = subprocess.Popen(
                command, stdin=subprocess.PIPE if gate else subprocess.DEVNULL, stdout=out,
                stderr=out, env=self.holdport.env, cwd=self.holdport.dir,
                start_new_session=True, **self.rights)
        self.holdport._children.append(self.holdport.process)
        return self.pid

    def open(self):
        self.holdport.process.stdin.write(b"\n")
        self.holdport.process.stdin.close()

    def look(self):
        """What status says; {} where nobody answers."""
        result = self.holdport.cmd("status", "--json")
        return result.json if result.code in (0, 3) else {}

    def tend(self):
        """The same; and what has ended is started again."""
        self.holdport.take_orphans()
        code = self.holdport.process.poll()
        if code is not None:
            self.codes.append(code)
            self.start()
        return self.look()

    def ask(self, *words):
        """A command, to its end.  Meanwhile workers that came to us are taken away: until then
        nobody can know how they ended.  Its exit code."""
        command = self.holdport.spawn(words[0], "--runtime-dir", self.holdport.runtime_dir,
                                      *words[1:])
        eventually(lambda: self.holdport.take_orphans() or command.poll() is not None, 3 * PATIENCE,
                   what=lambda: f"{words} ends\n{self.holdport.log()}")
        return command.returncode

    def await_(self, is_it, what):
        return eventually(lambda: is_it(self.tend()), 3 * PATIENCE,
                          what=lambda: f"{what() if callable(what) else what}: {self.look()}\n"
                                       f"{self.holdport.log()}")
