"""Bad days of who writes logs: much too much, noise, crashes in the midst of it, clocks that
are set, and last words that find no room."""

import datetime
import os
import re
import subprocess

import pytest

from holdport import descendants, eventually, get, kill
from outputs import STAMP, await_text, run_one, text_of


def scribe():
    [one] = [p for p, name in descendants().items() if name == "holdport-scribe"]
    return one


def memory_of(pid):
    """kB that are its own."""
    return int(re.search(r"^RssAnon:\s+(\d+)", open(f"/proc/{pid}/status").read(), re.M)[1])


FLOOD = ("import os, sys\n"
         "block = b''.join(b'%07d %s\\n' % (n, 91 * b'x') for n in range(1000))\n"
         "for _ in range(int(sys.argv[1])):\n"
         "    left = block\n"
         "    while left: left = left[os.write(1, left):]\n"
         "os.write(1, b'over\\n')\n"
         "import time; time.sleep(1000)\n")


def run_flood(holdport, blocks, section):
    (holdport.dir / "flood.py").write_text(FLOOD)
    address = holdport.write_web("--notify", more=(
        f"[program:one]\ncommand = /usr/bin/python3 {holdport.dir}/flood.py {blocks}\nstart = manual\n{section}"))
    holdport.run()
    holdport.await_("web")
    return address


def test_who_says_very_much_costs_nobody_anything(holdport, long):
    """50 MB; 10 GB, with --long."""
    blocks, path = 100_000 if long else 500, holdport.dir / "log"
    address = run_flood(holdport, blocks, f"stdout = file:{path}\nlog_max_size = 8M\nlog_keep = 2")
    before = memory_of(holdport.manager_pid)
    holdport.ok("start", "one", "--no-wait")
    asked = 0
    while not text_ends(path, b"over\n"):
        assert get(address) == "worker"
        holdport.status()
        asked += 1
    assert asked and memory_of(holdport.manager_pid) < before + 4096
    if "asan" not in os.environ.get("HOLDPORT_BUILD", ""):
        assert memory_of(scribe()) < 4096
    files = [p for p in (path.with_name("log.2"), path.with_name("log.1"), path) if p.exists()]
    assert len(files) == 3 and not path.with_name("log.3").exists()
    assert all(p.stat().st_size <= 8 << 20 for p in files)
    numbers = [int(n) for p in files for n in re.findall(r"^(\d{7}) x{91}$", p.read_text(), re.M)]
    assert numbers[-1] == 999 and all((a + 1) % 1000 == b for a, b in zip(numbers, numbers[1:]))


def moved_by(pid):
    """Bytes that a process has read and written itself."""
    text = open(f"/proc/{pid}/io").read()
    return [int(re.search(rf"^{word}: (\d+)", text, re.M)[1]) for word in ("rchar", "wchar")]


def test_bytes_that_stay_as_they_are_do_not_pass_through_our_hands(holdport):
    path = holdport.dir / "log"
    run_flood(holdport, 300, f"stdout = file:{path}\nlog_max_size = 10M\nlog_keep = 9")
    holdport.ok("start", "one", "--no-wait")
    eventually(lambda: text_ends(path, b"over\n"))
    read, written = moved_by(scribe())
    assert read < 30_000_000 / 2 and written < 30_000_000 / 4, (read, written)
    whole = b"".join(p.read_bytes() for p in (path.with_name("log.3"), path.with_name("log.2"),
                                              path.with_name("log.1"), path) if p.exists())
    block = b"".join(b"%07d %s\n" % (n, 91 * b"x") for n in range(1000))
    assert whole == 300 * block + b"over\n"


def text_ends(path, with_):
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - len(with_)))
            return file.read() == with_
    except FileNotFoundError:
        return False


def test_noise_stays_as_it_was(holdport):
    path, noise = holdport.dir / "log", holdport.dir / "noise"
    noise.write_bytes(os.urandom(500_000) + b"\nover\n")
    run_one(holdport, f"sh -c 'cat {noise}; exec sleep 1000'", f"stdout = file:{path}\nlog_max_size = 0")
    eventually(lambda: text_ends(path, b"\nover\n"))
    assert path.read_bytes() == noise.read_bytes()


COUNT = ("import os, sys, time\n"
         "n = 0\n"
         "while not os.path.exists(sys.argv[1]):\n"
         "    block = b''.join(b'%09d %s\\n' % (i, 89 * b'x') for i in range(n, n + 100))\n"
         "    n += 100\n"
         "    while block: block = block[os.write(1, block):]\n"
         "    time.sleep(0.001)\n"
         "os.write(1, b'said %d\\n' % n)\n"
         "time.sleep(1000)\n")


@pytest.mark.parametrize("stamps", ["no", "yes"])
def test_a_crash_doubles_one_chunk_at_the_most(holdport, stamps):
    path, over = holdport.dir / "log", holdport.dir / "over"
    (holdport.dir / "count.py").write_text(COUNT)
    run_one(holdport, f"/usr/bin/python3 {holdport.dir}/count.py {over}",
            f"stdout = log\nlog_file = {path}\nlog_timestamps = {stamps}\nlog_max_size = 0")
    crashes = (lambda: kill(scribe()), holdport.kill_manager, lambda: kill(scribe()))
    for crash in crashes:
        size = path.stat().st_size if path.exists() else 0
        eventually(lambda: path.exists() and path.stat().st_size > size + 300_000)
        crash()
        eventually(lambda: [p for p, name in descendants().items() if name == "holdport-scribe"])
    over.touch()
    said = int(re.search(r"^(?:\S+ )?said (\d+)$", await_text(path, "said "), re.M)[1])
    numbers = [int(n) for n in re.findall(r"^(?:\S+Z )?(\d{9}) x{89}$", path.read_text(), re.M)]
    assert set(numbers) == set(range(said))
    assert (len(numbers) - said) * 100 <= len(crashes) * 65536
    # what a crash tore is at the end of what it wrote, and stands there again
    torn = [line for line in path.read_text().splitlines()
            if not re.fullmatch(rf"({STAMP} )?(\d{{9}} x{{89}}|said \d+)", line)]
    assert len(torn) <= len(crashes), torn


def times_of(path):
    return [datetime.datetime.fromisoformat(t) for t in re.findall(r"^(\S+)Z tick", text_of(path), re.M)]


def test_a_clock_that_is_set_moves_times_and_nothing_else(holdport):
    path, clock = holdport.dir / "log", holdport.dir / "clock"
    clock.write_text("0")
    run_one(holdport, "sh -c 'while sleep 0.02; do echo tick; done'",
            f"stdout = log\nlog_file = {path}\nlog_max_age = 1h\nlog_keep = 10",
            fail="fork:EIO:0", env={"HOLDPORT_CLOCK": str(clock)})
    eventually(lambda: times_of(path))
    for shift in (7200, -7200):
        was = times_of(path)[-1]
        clock.write_text(str(shift))
        eventually(lambda: (times_of(path)[-1] - was).total_seconds() * shift > 3600 * 7200 / 2,
                   what=lambda: text_of(path)[-200:])
    clock.write_text("0")
    count = len(times_of(path))
    eventually(lambda: len(times_of(path)) > count + 5, what="it is written on")
    assert not (holdport.dir / "log.1").exists()


def fill(disk):
    """Not a byte more goes in."""
    with open(disk / "ballast", "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass


def said_by(pid):
    """Bytes that a process has written."""
    return int(re.search(r"^wchar: (\d+)", open(f"/proc/{pid}/io").read(), re.M)[1])


def test_last_words_wait_until_there_is_room_for_them(holdport, small_disk):
    fill(small_disk)
    path = small_disk / "log"
    run_one(holdport, "sh -c 'seq 5; printf bye'", f"stdout = file:{path}\nrestart = never\nstart_attempts = 1")
    holdport.await_(lambda s: not s["programs"][0]["generations"])
    eventually(lambda: "No space left" in holdport.log())
    (small_disk / "ballast").unlink()
    assert await_text(path, "bye\n") == "1\n2\n3\n4\n5\nbye\n"


def test_not_all_that_end_while_there_is_no_room_are_remembered(holdport, small_disk):
    fill(small_disk)
    path = small_disk / "log"
    run_one(holdport, "sh -c 'echo last words; exit 3'",
            f"stdout = file:{path}\nlog_max_size = 0\nrestart_delay = 5ms\nrestart_delay_max = 5ms")
    eventually(lambda: "one/100: generation gone" in holdport.log())
    eventually(lambda: len(os.listdir(f"/proc/{scribe()}/fd")) < 64 + 50)
    holdport.ok("stop", "one")
    (small_disk / "ballast").unlink()

    def all_is_known():
        """The one that was stopped may have said nothing yet."""
        text = text_of(path)
        missing = sum(map(int, re.findall(r"^holdport: (\d+) lines", text, re.M)))
        return missing and text.count("last words") >= 60 and (
            text.count("last words") + missing - len(re.findall(r"error: one/\d+: worker", holdport.log())) in (0, 1))

    eventually(all_is_known, what=lambda: f"{text_of(path)}\n{holdport.log()[-500:]}")


def test_a_worker_with_a_small_pipe_waits_for_no_disk(holdport, small_disk):
    fill(small_disk)
    (holdport.dir / "small.py").write_text(
        "import fcntl, os\nfcntl.fcntl(1, 1031, 4096)\n"        # F_SETPIPE_SZ
        "while True: os.write(1, 99 * b'x' + b'\\n')\n")
    run_one(holdport, f"/usr/bin/python3 {holdport.dir}/small.py", f"stdout = file:{small_disk}/log")
    eventually(lambda: "No space left" in holdport.log())
    [pid] = holdport.pids("one")
    at = said_by(pid)
    eventually(lambda: said_by(pid) > at + 200_000, what="it says on")
