"""rollback_window: a new generation that is no good goes back by itself."""

import os
import re
import shutil

from holdport import SUPPORT, eventually, get

OFTEN = "health_interval = 100ms\nhealth_failures = 2\n"
WINDOW = f"ready = notify\nrollback_window = 1h\n{OFTEN}"


def says(text):
    return lambda e: text in (e["text"] or "")


def becomes_current(number):
    return lambda e: (e["what"] == "generation" and e["state"] == "current"
                      and e["generation"] == number)


def is_told(holdport, number, why):
    web = holdport.program("web")
    assert re.match(f"generation {number} was taken back: .*{why}.* after it became current",
                    web["last_error"]), web
    assert web["state"] == "running"


def test_one_that_is_not_well_goes_back_under_load(holdport):
    section = f"workers = 2\nhealth = http:/health\n{WINDOW}"
    address = holdport.run_web("--answer", "one", "--notify", section=section)
    inode = holdport.socket("http")["inode"]
    events = holdport.events()
    status = holdport.dir / "status"
    status.write_text("503")
    holdport.write_web("--answer", "two", "--notify", "--health-file", status, address=address,
                       section=section)
    with holdport.load(address) as load:
        holdport.ok("reload")
        events.await_(says("after it became current (rollback_window)"))
        events.await_(becomes_current(3))
    load.expect(failed=0)
    assert get(address) == "one"
    is_told(holdport, 2, "answered with status 503")
    assert holdport.socket("http")["inode"] == inode
    assert "was taken back" in holdport.cmd("status").out
    # by hand it goes forth again
    status.unlink()
    holdport.ok("rollback", "web")
    assert get(address) == "two"


def test_one_whose_workers_keep_dying_goes_back(holdport):
    address = holdport.run_web("--answer", "one", "--notify", section=WINDOW)
    holdport.write_web("--answer", "two", "--notify", "--exit-after-ms", 300, "--exit-code", 3,
                       address=address, section=WINDOW)
    events = holdport.events()
    holdport.ok("reload")
    events.await_(becomes_current(3))
    assert get(address) == "one"
    is_told(holdport, 2, "exit status 3")


def test_the_executable_that_was_replaced_comes_back(holdport):
    path, fresh = holdport.dir / "server", holdport.dir / "fresh"
    status = holdport.dir / "status"
    status.write_text("503")
    worker = (SUPPORT / "worker").read_bytes()
    path.write_bytes(worker.replace(b"/health\0", b"/wealth\0"))     # well, whatever it is asked
    path.chmod(0o755)
    section = (f"command = {path} --notify --health-file {status}\nhealth = http:/health\n"
               + WINDOW)
    address = holdport.run_web(section=section)
    shutil.copy(SUPPORT / "worker", fresh)
    os.rename(fresh, path)
    events = holdport.events()
    holdport.ok("restart", "web")
    events.await_(becomes_current(3))
    is_told(holdport, 2, "answered with status 503")
    [pid] = [w["pid"] for w in holdport.workers("web") if w["state"] == "serving"]
    assert os.readlink(f"/proc/{pid}/exe").endswith(" (deleted)")
    assert get(address) == "worker"


def flagged(holdport, answer, flag):
    return holdport.write_web("--answer", answer, "--notify", address=holdport.address,
                              section=f"health = exec:test ! -e {flag}\n{WINDOW}")


def test_two_that_are_no_good_do_not_take_turns(holdport):
    flag = holdport.dir / "flag"
    holdport.address = f"127.0.0.1:{holdport.port()}"
    flagged(holdport, "one", flag)
    holdport.run()
    holdport.await_("web")
    flagged(holdport, "two", flag)
    holdport.ok("reload")
    events = holdport.events()
    flag.touch()
    events.await_(becomes_current(3))
    events.await_(lambda e: e["generation"] == 3 and "is not well" in (e["text"] or ""))
    events.await_(lambda e: e["generation"] == 3 and "it is not well (health)" in (e["text"] or ""))
    web = holdport.program("web")
    assert web["generation"] == 3
    assert [g["number"] for g in web["generations"] if g["state"] != "draining"] == [3]


def test_what_differs_in_nothing_is_not_gone_back_to(holdport):
    flag = holdport.dir / "flag"
    holdport.address = f"127.0.0.1:{holdport.port()}"
    flagged(holdport, "one", flag)
    holdport.run()
    holdport.await_("web")
    holdport.ok("restart", "web")
    events = holdport.events()
    flag.touch()
    events.await_(says("it is not well (health)"))
    assert holdport.program("web")["generation"] == 2
    assert "taken back" not in holdport.log()


def test_after_the_window_it_stays(holdport):
    flag = holdport.dir / "flag"
    section = f"health = exec:test ! -e {flag}\n{WINDOW}".replace("1h", "1ms")
    address = holdport.run_web("--answer", "one", "--notify", section=section)
    holdport.write_web("--answer", "two", "--notify", address=address, section=section)
    holdport.ok("reload")
    events = holdport.events()
    flag.touch()
    events.await_(says("it is not well (health)"))
    assert holdport.program("web")["generation"] == 2
    assert get(address) == "two"


def held_up(holdport, answer, wait, sick):
    command = (f"/bin/sh -c 'while test -e {wait}; do sleep 0.05; done; "
               f"exec {holdport.worker('--answer', answer, '--notify')}'")
    return f"command = {command}\nhealth = exec:test ! -e {sick}.{answer}\n{WINDOW}"


def run_two_held_up(holdport):
    """The second generation is current, and a third one comes up when what it waits for
    is gone.  The address, and what that is."""
    wait, sick = holdport.dir / "wait", holdport.dir / "sick"
    address = holdport.run_web(section=held_up(holdport, "one", wait, sick))
    holdport.write_web(address=address, section=held_up(holdport, "two", wait, sick))
    holdport.ok("reload")
    wait.touch()
    return address, wait


def test_a_restart_that_runs_comes_first(holdport):
    # It is newer than the generation that is no good; when it fails, that goes back.
    address, wait = run_two_held_up(holdport)
    events = holdport.events()
    holdport.ok("restart", "web", "--no-wait")
    third = events.await_(lambda e: e["what"] == "worker" and e["generation"] == 3)["pid"]
    (holdport.dir / "sick.two").touch()
    events.await_(says("after it became current (rollback_window)"))
    web = holdport.program("web")
    assert web["generation"] == 2 and web["state"] == "restarting"
    os.kill(third, 9)
    wait.unlink()
    events.await_(becomes_current(4))
    assert get(address) == "one"
    is_told(holdport, 2, "is not well")


def test_it_goes_on_with_another_manager(holdport):
    address, wait = run_two_held_up(holdport)
    (holdport.dir / "sick.two").touch()
    events = holdport.events()
    events.await_(lambda e: e["what"] == "worker" and e["generation"] == 3)
    holdport.kill_manager()
    wait.unlink()
    eventually(lambda: holdport.program("web")["generation"] == 3, what=holdport.log)
    assert get(address) == "one"
    is_told(holdport, 2, "is not well")


def test_new_workers_that_are_not_well_fail_the_change(holdport):
    # The first of two serves already, the second one is not ready yet.
    wait, sick = holdport.dir / "wait.${worker}", holdport.dir / "sick"
    address = holdport.run_web("--answer", "one", "--notify", section="workers = 2\n" + WINDOW)
    section = "workers = 2\n" + held_up(holdport, "two", wait, sick)
    (holdport.dir / "wait.1").touch()
    (holdport.dir / "sick.two").touch()
    holdport.write_web(address=address, section=section)
    said = holdport.cmd("reload")
    assert said.code == 1, said
    assert "is not well" in said.out
    eventually(lambda: {w["state"] for w in holdport.workers("web")} == {"serving"})
    assert get(address) == "one"
