"""What workers say goes to files: whole, in lines, turned over, reopened, read."""

import gzip
import os
import re
import resource
import signal
import subprocess

import pytest

from holdport import FAILED, NO_SUCH, USAGE, alive, descendants, descriptors, eventually, get, kill
from outputs import STAMP, await_text, one_program, run_one, text_of


def numbers(*paths):
    """The numbers that counting workers wrote, in the order of the files."""
    return [int(n) for p in paths for n in p.read_text().split() if n.isdigit()]


def rotated(path):
    """FILE and what it was before, oldest first."""
    old = sorted(path.parent.glob(path.name + ".*"), key=lambda p: -int(p.name.rsplit(".", 1)[1]))
    return [*old, path]


def test_a_file_gets_what_a_worker_says_as_it_says_it(holdport):
    path = holdport.dir / "log"
    run_one(holdport, "sh -c 'echo hello; printf \"a\\\\001\\\\377b\\\\n\"; echo >&2 oops; exec sleep 1000'",
            f"stdout = file:{path}")
    eventually(lambda: path.exists() and path.read_bytes() == b"hello\na\1\377b\noops\n",
               what="these three lines")
    assert path.stat().st_mode & 0o777 == 0o640


def test_error_may_go_elsewhere(holdport):
    out, err = holdport.dir / "out", holdport.dir / "err"
    run_one(holdport, "sh -c 'echo hello; echo >&2 oops; exec sleep 1000'",
            f"stdout = file:{out}\nstderr = file:{err}")
    assert await_text(err, "oops") == "oops\n"
    assert await_text(out, "hello") == "hello\n"


def test_a_log_has_times_and_workers_in_front(holdport):
    path = holdport.dir / "log"
    run_one(holdport, "sh -c 'echo hello; exec sleep 1000'",
            f"stdout = log\nlog_file = {path}\nlog_prefix = yes\nworkers = 2")
    await_text(path, "one/1/0: hello")
    text = await_text(path, "one/1/1: hello")
    assert re.fullmatch(rf"({STAMP} one/1/[01]: hello\n){{2}}", text), text


def test_a_log_may_be_without(holdport):
    path = holdport.dir / "log"
    run_one(holdport, "sh -c 'echo hello; exec sleep 1000'",
            f"stdout = log\nlog_file = {path}\nlog_timestamps = no")
    assert await_text(path, "hello") == "hello\n"


def test_each_worker_may_have_a_file(holdport):
    run_one(holdport, "sh -c 'echo hello; exec sleep 1000'",
            "stdout = file:log.${worker}.${generation}\nworkers = 2")
    for worker in range(2):
        assert await_text(holdport.dir / f"log.{worker}.1", "hello") == "hello\n"


def test_a_log_needs_a_file(holdport):
    one_program(holdport, "sleep 1000", "stdout = log")
    result = holdport.cmd("check")
    assert result.code == USAGE and "log_file = /var/log/one.log" in result.err, result


def test_half_a_line_waits_for_its_end(holdport):
    path, go = holdport.dir / "log", holdport.dir / "go"
    run_one(holdport, f"sh -c 'echo first; printf half; while [ ! -e {go} ]; do sleep 0.05; done; "
            "echo whole; exec sleep 1000'", f"stdout = file:{path}")
    assert await_text(path, "first\n") == "first\n"
    go.touch()
    assert await_text(path, "whole\n") == "first\nhalfwhole\n"


def test_the_last_line_of_a_worker_is_ended_with_it(holdport):
    path = holdport.dir / "log"
    run_one(holdport, "printf bye", f"stdout = log\nlog_file = {path}\nrestart = never\nstart_attempts = 1")
    text = await_text(path, "bye\n")
    assert re.fullmatch(rf"{STAMP} bye\n", text), text


def test_a_line_without_end_comes_in_pieces(holdport):
    path = holdport.dir / "log"
    run_one(holdport, "/usr/bin/python3 -c 'import time; print(20000 * \"x\", flush=True); time.sleep(1000)'",
            f"stdout = log\nlog_file = {path}\nlog_timestamps = no\nlog_prefix = yes")
    text = eventually(lambda: path.exists() and path.read_text().count("x") == 20000 and path.read_text())
    front = "one/1/0: "
    assert [len(line) for line in text.splitlines()] == [
        len(front) + piece for piece in (8192, 8192, 20000 - 2 * 8192)]


def test_a_file_is_turned_over_between_lines(holdport):
    path = holdport.dir / "log"
    run_one(holdport, "sh -c 'seq -w 1 9999; exec sleep 1000'",
            f"stdout = file:{path}\nlog_max_size = 10K\nlog_keep = 3")
    await_text(path, "9999\n")
    files = rotated(path)
    assert len(files) == 4
    for file in files:
        assert file.stat().st_size <= 10240
        assert file.read_text().endswith("\n")
    found = numbers(*files)
    assert found == list(range(found[0], 10000))


def test_none_are_kept_when_none_are_wanted(holdport):
    path = holdport.dir / "log"
    run_one(holdport, "sh -c 'seq -w 1 9999; exec sleep 1000'",
            f"stdout = file:{path}\nlog_max_size = 10K\nlog_keep = 0")
    await_text(path, "9999\n")
    assert rotated(path) == [path]


def test_a_file_that_was_moved_is_made_anew_when_asked(holdport):
    path, go = holdport.dir / "log", holdport.dir / "go"
    run_one(holdport, f"sh -c 'echo first; while [ ! -e {go} ]; do sleep 0.05; done; echo second; exec sleep 1000'",
            f"stdout = file:{path}")
    await_text(path, "first")
    path.rename(holdport.dir / "moved")
    os.kill(holdport.pid, signal.SIGUSR1)
    eventually(lambda: not any("moved" in d for p in scribes() for d in descriptors(p).values()),
               what="the moved one is closed")
    go.touch()
    assert await_text(path, "second") == "second\n"
    assert (holdport.dir / "moved").read_text() == "first\n"


def test_a_failed_generation_says_its_last_lines(holdport):
    path = holdport.dir / "log"
    one_program(holdport, "sh -c 'seq 1 5000; echo no luck; exit 3'",
                f"stdout = file:{path}\nstart = manual\nstart_attempts = 1")
    holdport.run()
    result = holdport.cmd("start", "one")
    assert result.code == FAILED
    assert "| 4992" in result.err + result.out and "| no luck" in result.err + result.out, result
    await_text(path, "no luck")


def scribes():
    return [p for p, name in descendants().items() if name == "holdport-scribe"]


@pytest.mark.parametrize("bad, words", [("directory", "Is a directory"), ("gone/log", "No such file"),
                                        ("link", "is a symbolic link"), ("fifo", "is no regular file")])
def test_what_cannot_be_written_is_said_and_stops_nobody(holdport, bad, words):
    (holdport.dir / "directory").mkdir()
    (holdport.dir / "link").symlink_to(holdport.dir / "elsewhere")
    os.mkfifo(holdport.dir / "fifo")
    address = holdport.run_web("--notify", "--print", "hello", section=f"stdout = file:{bad}")
    eventually(lambda: words in holdport.log(), what=f"{words}\n{holdport.log()}")
    assert get(address) == "worker"
    assert not (holdport.dir / "elsewhere").exists()


def test_a_directory_that_comes_later_is_used(holdport):
    path = holdport.dir / "gone/log"
    run_one(holdport, "sh -c 'echo hello; exec sleep 1000'", f"stdout = file:{path}")
    eventually(lambda: "No such file" in holdport.log())
    path.parent.mkdir()
    assert await_text(path, "hello") == "hello\n"


CHATTER = ("import os,sys,time\n"
           "n = 0\n"
           "while not os.path.exists(sys.argv[1]):\n"
           "    n += 1\n"
           "    os.write(1, b'%08d %s\\n' % (n, b'x' * 90))\n"
           "    if n % 20 == 0: time.sleep(0.001)\n"
           "open(sys.argv[1] + '.heard', 'w')\n"
           "while not os.path.exists(sys.argv[1] + '.say'): time.sleep(0.01)\n"
           "os.write(1, b'said %d\\n' % n)\n"
           "time.sleep(1000)\n")


def run_chatter(holdport, path, section="", **named):
    """A program that says numbered lines until the file that this returns is there, and
    how many they were when FILE.say is there."""
    over = holdport.dir / "over"
    (holdport.dir / "over.say").touch()
    (holdport.dir / "chatter.py").write_text(CHATTER)
    one_program(holdport, f"/usr/bin/python3 {holdport.dir}/chatter.py {over}",
                f"stdout = file:{path}\nlog_max_size = 0\n{section}")
    holdport.run(**named)
    return over


def all_or_counted(path):
    """Every line that was said is there, or was counted as missing."""
    text = path.read_text()
    said = int(re.search(r"^said (\d+)$", text, re.M)[1])
    there = len(set(re.findall(r"^(\d{8}) x{90}$", text, re.M)))
    missing = sum(map(int, re.findall(r"^holdport: (\d+) lines \(\d+ bytes\) are missing here", text, re.M)))
    assert there + missing >= said, (there, missing, said)
    assert 0 < there < said and missing > 0
    for line in text.splitlines():
        assert re.fullmatch(r"\d{8} x{90}|said \d+|holdport: \d+ lines.*", line), line
    return said - there, missing


def test_a_full_disk_holds_nobody_up_and_what_it_costs_is_counted(holdport, small_disk):
    (small_disk / "ballast").write_bytes(bytes(200 * 1024))
    path = small_disk / "log"
    over, say = run_chatter(holdport, path), holdport.dir / "over.say"
    say.unlink()
    eventually(lambda: "No space left" in holdport.log())
    holdport.status()
    # it goes on to be said, whoever may be listening
    pid, = holdport.pids("one")
    at = said_by(pid)
    eventually(lambda: said_by(pid) > at + 200_000, what="it says on")
    over.touch()
    eventually((holdport.dir / "over.heard").exists)
    (small_disk / "ballast").unlink()
    say.touch()
    await_text(path, "said ")
    missing, counted = all_or_counted(path)
    assert counted >= missing
    eventually(lambda: re.search(r"log is written again; \d+ bytes were dropped", holdport.log()))


def said_by(pid):
    """Bytes that a process has written."""
    return int(re.search(r"^wchar: (\d+)", open(f"/proc/{pid}/io").read(), re.M)[1])


def test_a_disk_that_hangs_holds_nobody_up(holdport):
    path, hang = holdport.dir / "log", holdport.dir / "hang"
    other = holdport.dir / "other"
    hang.touch()
    over = run_chatter(holdport, path, f"stderr = null\n[program:two]\n"
                       f"command = sh -c 'while sleep 0.05; do echo hello; done'\nstdout = file:{other}",
                       fail=f"write@{path}:HANG:2", env={"HOLDPORT_HANG": str(hang)})
    eventually(lambda: "the disk does not answer" in holdport.log())
    await_text(other, "hello")
    size = other.stat().st_size
    eventually(lambda: other.stat().st_size > size, what="the other one is written")
    holdport.status()
    pid, = holdport.pids("one")
    at = said_by(pid)
    eventually(lambda: said_by(pid) > at + 200_000, what="it says on")
    hang.unlink()
    over.touch()
    await_text(path, "said ")
    all_or_counted(path)


PAIR = ("import os, sys, time\n"
        "n = 0\n"
        "while not os.path.exists(sys.argv[1]):\n"
        "    n += 1\n"
        "    os.write(1, b'%d:%d %s\\n' % (os.getpid(), n, b'x' * 90))\n"
        "    if n % 20 == 0: time.sleep(0.001)\n"
        "os.write(1, b'said\\n')\n"
        "time.sleep(1000)\n")


def test_a_disk_that_hung_has_no_line_twice(holdport):
    path, hang, over = (holdport.dir / name for name in ("log", "hang", "over"))
    (holdport.dir / "pair.py").write_text(PAIR)
    one_program(holdport, f"/usr/bin/python3 {holdport.dir}/pair.py {over}",
                f"workers = 2\nstdout = file:{path}\nlog_max_size = 0")
    hang.touch()
    holdport.run(fail=f"write@{path}:HANG:5", env={"HOLDPORT_HANG": str(hang)})
    eventually(lambda: "the disk does not answer" in holdport.log())
    at = {pid: said_by(pid) for pid in holdport.pids("one")}
    assert len(at) == 2
    eventually(lambda: all(said_by(pid) > at[pid] + 200_000 for pid in at), what="both say on")
    hang.unlink()
    eventually(lambda: re.search(r"log is written again; [1-9]\d* bytes were dropped", holdport.log()))
    over.touch()
    eventually(lambda: text_of(path).count("said\n") == 2)
    lines = re.findall(r"^\d+:\d+ x{90}$", path.read_text(), re.M)
    assert lines and len(lines) == len(set(lines))


@pytest.mark.long
def test_more_disks_may_hang_than_there_are_threads(holdport):
    hang, over = holdport.dir / "hang", holdport.dir / "over"
    (holdport.dir / "pair.py").write_text(PAIR)
    hang.touch()
    one_program(holdport, "sh -c 'echo hello; exec sleep 1000'",
                f"workers = 40\nready = delay:0s\nstdout = file:{holdport.dir}/far-${{worker}}\n[program:two]\n"
                f"command = /usr/bin/python3 {holdport.dir}/pair.py {over}\nstdout = file:{holdport.dir}/near\n"
                "start = manual")
    holdport.run(fail=f"write@{holdport.dir}/far:HANG:1-", env={"HOLDPORT_HANG": str(hang)})
    eventually(lambda: "of too many other logs" in holdport.log())
    holdport.ok("start", "two")
    [pid] = holdport.pids("two")
    eventually(lambda: said_by(pid) > 400_000, what="it says on")
    assert "near: the disks of too many other logs do not answer" in holdport.log()
    hang.unlink()
    over.touch()
    await_text(holdport.dir / "near", "said\n")


def test_a_file_that_may_not_grow_ends_nobody(holdport):
    path = holdport.dir / "log"
    run_one(holdport, "sh -c 'while sleep 0.01; do echo hello; done'", f"stdout = file:{path}")
    await_text(path, "hello")
    [scribe] = scribes()
    most = resource.prlimit(scribe, resource.RLIMIT_FSIZE)
    resource.prlimit(scribe, resource.RLIMIT_FSIZE, (path.stat().st_size, most[1]))
    eventually(lambda: "File too large" in holdport.log())
    resource.prlimit(scribe, resource.RLIMIT_FSIZE, most)
    size = path.stat().st_size
    eventually(lambda: path.stat().st_size > size, what="it is written again")
    assert scribes() == [scribe]


def test_a_writer_whose_disk_hangs_keeps_nobody_from_starting_again(holdport):
    path, hang = holdport.dir / "log", holdport.dir / "hang"
    hang.touch()
    run_one(holdport, "sh -c 'echo hello; exec sleep 1000'", f"stdout = file:{path}")
    await_text(path, "hello")
    holdport.shutdown()
    holdport.run(fail=f"write@{path}:HANG:1", env={"HOLDPORT_HANG": str(hang)})
    eventually(scribes)
    manager = holdport.manager_pid
    holdport.kill_both(manager)
    holdport.run()
    assert holdport.manager_pid != manager
    hang.unlink()


def test_a_manager_ends_though_its_disk_hangs(holdport):
    path, hang = holdport.dir / "log", holdport.dir / "hang"
    hang.touch()
    run_one(holdport, "sh -c 'echo hello; exec sleep 1000'", f"stdout = file:{path}")
    await_text(path, "hello")
    assert holdport.shutdown() == 0
    holdport.run(fail=f"write@{path}:HANG:1", env={"HOLDPORT_HANG": str(hang)})
    eventually(scribes)
    assert holdport.shutdown() == 0
    hang.unlink()


def test_nothing_is_lost_when_the_manager_or_the_writer_is_killed(holdport):
    path = holdport.dir / "log"
    counter = ("import sys,time\nfor n in range(1, 3001):\n"
               " print(n, flush=True)\n time.sleep(0.0002)\nprint('over', flush=True)\ntime.sleep(1000)")
    (holdport.dir / "count.py").write_text(counter)
    run_one(holdport, f"/usr/bin/python3 {holdport.dir}/count.py", f"stdout = file:{path}")
    for i, part in enumerate((300, 1000, 2000)):
        eventually(lambda: path.exists() and numbers(path)[-1:] >= [part])
        if i == 1:
            [kill(p) for p in scribes()]
        else:
            holdport.kill_manager()
    await_text(path, "over")
    found = numbers(path)
    assert sorted(set(found)) == list(range(1, 3001))


def zombies_below(pid):
    children = open(f"/proc/{pid}/task/{pid}/children").read().split()
    return [c for c in children if not alive(int(c))]


@pytest.mark.parametrize("how", ["upgrade", "keeper"])
def test_nothing_is_lost_when_the_manager_becomes_another_program(holdport, how):
    path = holdport.dir / "log"
    over = run_chatter(holdport, path)
    holdport.await_("one")
    eventually(lambda: path.exists() and path.stat().st_size > 10_000)
    [old] = scribes()
    if how == "upgrade":
        holdport.ok("upgrade")
    else:
        holdport.kill_keeper()
    eventually(lambda: scribes() and old not in scribes(), what="another one writes")
    size = path.stat().st_size
    eventually(lambda: path.stat().st_size > size, what="it goes on")
    over.touch()
    text = await_text(path, "said ")
    said = int(re.search(r"^said (\d+)$", text, re.M)[1])
    assert set(re.findall(r"^(\d{8}) x{90}$", text, re.M)) == {f"{n:08}" for n in range(1, said + 1)}
    eventually(lambda: zombies_below(holdport.manager_pid) == [])


def test_nothing_is_lost_over_restarts(holdport):
    path = holdport.dir / "log"
    run_one(holdport, "sh -c 'trap \"echo end $$$$; exit\" TERM; echo begin $$$$; while :; do sleep 0.05; done'",
            f"stdout = file:{path}\nready = delay:0s")
    for count in range(1, 5):
        if count > 1:
            holdport.ok("restart", "one")
        eventually(lambda: text_of(path).count("begin") == count)
    holdport.shutdown()
    words = path.read_text().split()
    begun = [pid for word, pid in zip(words[::2], words[1::2]) if word == "begin"]
    ended = [pid for word, pid in zip(words[::2], words[1::2]) if word == "end"]
    assert len(begun) == 4 and sorted(begun) == sorted(ended), path.read_text()


def test_a_file_is_turned_over_when_it_is_old(holdport):
    path = holdport.dir / "log"
    run_one(holdport, "sh -c 'n=10000; while :; do n=$$((n + 1)); echo $$n; sleep 0.1; done'",
            f"stdout = file:{path}\nlog_max_age = 1s\nlog_keep = 100")
    eventually((holdport.dir / "log.2").exists)
    holdport.shutdown()
    found = numbers(*rotated(path))
    assert found and found == list(range(10001, 10001 + len(found)))


def test_older_files_are_packed_and_read_on(holdport):
    path = holdport.dir / "log"
    run_one(holdport, "sh -c 'seq 10001 14000; exec sleep 1000'",
            f"stdout = file:{path}\nlog_max_size = 5K\nlog_keep = 100\nlog_compress = gzip")
    await_text(path, "14000\n")

    def plain():
        return sorted(p.name for p in holdport.dir.glob("log*") if p.suffix != ".gz")

    eventually(lambda: plain() == ["log", "log.1"], what="nothing else is plain")
    packed = sorted(holdport.dir.glob("log.*.gz"), key=lambda p: -int(p.name.split(".")[1]))
    text = "".join(gzip.decompress(p.read_bytes()).decode() for p in packed)
    text += (holdport.dir / "log.1").read_text() + path.read_text()
    assert text.split() == [str(n) for n in range(10001, 14001)]
    assert holdport.ok("logs", "-n", 3000, "one").out.split() == [str(n) for n in range(11001, 14001)]


# holdport logs


def follow(holdport, *args):
    """`holdport logs -f`, with the lines that it prints as they come."""
    child = holdport.spawn("logs", "-c", holdport.config, "-f", *args, stdout=subprocess.PIPE, text=True)
    return iter(child.stdout.readline, "")


def until(lines, last):
    seen = []
    for line in lines:
        seen.append(line.rstrip("\n"))
        if seen[-1] == last:
            return seen
    raise AssertionError(f"it ended; seen {seen}")


def test_the_last_lines_are_shown(holdport):
    path = holdport.dir / "log"
    run_one(holdport, "sh -c 'seq 1 1000; exec sleep 1000'", f"stdout = file:{path}")
    await_text(path, "1000\n")
    assert holdport.ok("logs", "one").out.split() == [str(n) for n in range(991, 1001)]
    assert holdport.ok("logs", "-n", 3, "one").out.split() == ["998", "999", "1000"]
    assert holdport.ok("logs", "-n", 0, "one").out == ""
    assert holdport.ok("logs", "-n", 5000, "one").out.split() == [str(n) for n in range(1, 1001)]


def test_they_are_shown_across_rotations(holdport):
    path = holdport.dir / "log"
    run_one(holdport, "sh -c 'seq 10001 14000; exec sleep 1000'",
            f"stdout = file:{path}\nlog_max_size = 1K\nlog_keep = 1000")
    await_text(path, "14000\n")
    assert len(rotated(path)) > 20
    assert holdport.ok("logs", "-n", 3000, "one").out.split() == [str(n) for n in range(11001, 14001)]


def test_they_are_followed_across_rotations_and_restarts(holdport):
    path, go = holdport.dir / "log", holdport.dir / "go"
    run_one(holdport, f"sh -c 'echo hello; while [ ! -e {go} ]; do sleep 0.02; done; seq 10001 14000; echo over; exec sleep 1000'",
            f"stdout = file:{path}\nlog_max_size = 1K\nlog_keep = 1000")
    await_text(path, "hello\n")
    lines = follow(holdport, "one")
    assert next(lines) == "hello\n"
    go.touch()
    assert until(lines, "over") == [*map(str, range(10001, 14001)), "over"]
    holdport.ok("restart", "one")
    assert until(lines, "over") == ["hello", *map(str, range(10001, 14001)), "over"]
    holdport.shutdown()
    assert list(lines) == []


def test_several_files_are_told_apart(holdport):
    run_one(holdport, "sh -c 'echo hello; echo >&2 oops; exec sleep 1000'",
            "stdout = file:out\nstderr = file:err")
    await_text(holdport.dir / "out", "hello")
    await_text(holdport.dir / "err", "oops")
    assert holdport.ok("logs", "one").out == (
        f"==> {holdport.dir}/out <==\nhello\n==> {holdport.dir}/err <==\noops\n")


def test_lines_that_were_forwarded_are_shown_but_not_followed(holdport):
    run_one(holdport, "sh -c 'echo hello; exec sleep 1000'")
    eventually(lambda: "one/1/0: hello" in holdport.log())
    assert holdport.ok("logs", "one").out == "one/1/0: hello\n"
    result = holdport.cmd("logs", "-f", "one")
    assert result.code == FAILED and "goes to no file" in result.err, result


def test_a_program_that_says_nowhere_has_no_lines(holdport):
    run_one(holdport, "sh -c 'echo hello; exec sleep 1000'", "stdout = null")
    result = holdport.ok("logs", "one")
    assert result.out == "" and "no output of it is kept" in result.err, result
    assert holdport.cmd("logs", "two").code == NO_SUCH


def test_files_of_a_program_that_was_stopped_are_found(holdport):
    path = holdport.dir / "log"
    run_one(holdport, "sh -c 'echo hello; exec sleep 1000'", f"stdout = file:{path}")
    await_text(path, "hello")
    holdport.ok("stop", "one")
    assert holdport.ok("logs", "one").out == "hello\n"


@pytest.mark.parametrize("begin", [0, 17])
def test_a_write_larger_than_its_pipe_goes_on_behind_half_a_line(holdport, begin):
    path = holdport.dir / "log"
    (holdport.dir / "large.py").write_text(
        f"import os, time\nos.write(1, {begin} * b'p')\ntime.sleep(0.1)\n"
        "for _ in range(3): assert os.write(1, (4095 * b'x' + b'\\n') * 50 + 100 * b'y') == 204900\n"
        "os.write(1, b'\\n')\ntime.sleep(1000)\n")
    run_one(holdport, f"/usr/bin/python3 {holdport.dir}/large.py", f"stdout = file:{path}\nlog_max_size = 0")
    eventually(lambda: path.exists() and path.stat().st_size == begin + 3 * 204900 + 1,
               what=lambda: f"all of it: {path.stat().st_size}")
