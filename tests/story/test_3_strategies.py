"""How old gives way to new: who serves on the way, and who stays when the new
one fails."""

import re
import signal
import threading

import pytest

from holdport import FAILED, connect, eventually, get

FAILING = {
    "exit": (["--die-at-start", 7, "--print", "no configuration"], "exit status 7"),
    "signal": (["--crash", "--print", "no configuration"], "signal 11 (SEGV"),
    "silence": (["--never-ready", "--print", "no configuration"], "start_timeout"),
}


class Watch:
    """How many workers were there, over the life of a with block: from events."""

    def __init__(self, holdport, program="web"):
        self.program, self.events = program, holdport.events()
        self.serving, self.alive, self.story = set(), set(), []

    def until(self, is_it):
        def follow(e):
            if e["name"] == self.program and e["what"] == "worker":
                self._worker(e)
            return is_it(e)
        # every event once, also those before the one that is waited for
        self.events.await_(follow)
        return self

    def _worker(self, e):
        self.alive.add(e["pid"])
        (self.serving.add if e["state"] == "serving" else self.serving.discard)(e["pid"])
        if e["state"] == "gone":
            self.alive.discard(e["pid"])
        self.story.append((len(self.serving), len(self.alive)))


def is_state(name, state, generation=None):
    return lambda e: (e["what"] == name and e["state"] == state and
                      (generation is None or e["generation"] == generation))


def watch_a_restart(holdport):
    """[(serving, alive)] after each change of a worker, from the restart on."""
    watch = Watch(holdport)
    watch.until(is_state("program", "running"))
    begun = len(watch.story)
    holdport.ok("restart", "web")
    watch.events.seen.clear()
    watch.until(is_state("generation", "gone", 1))
    return watch.story[begun:]


@pytest.mark.parametrize("workers, batch", [(3, 1), (4, 2), (1, 1), (2, 5)])
def test_rolling_has_never_fewer_than_wanted_and_a_batch_more_at_most(holdport, workers, batch):
    holdport.run_web("--notify", section=f"ready = notify\nworkers = {workers}\n"
                     f"rolling_batch = {batch}\nstrategy = rolling\n")
    story = watch_a_restart(holdport)
    assert min(serving for serving, _ in story) >= workers
    assert max(serving for serving, _ in story) <= workers + batch
    assert len(holdport.pids("web")) == workers


def test_overlap_has_all_new_before_any_old_goes(holdport):
    holdport.run_web("--notify", section="ready = notify\nworkers = 3\nstrategy = overlap\n")
    story = watch_a_restart(holdport)
    assert max(serving for serving, _ in story) == 6
    assert min(serving for serving, _ in story) >= 3


def test_replace_never_has_two_at_once_and_clients_wait(holdport):
    address = holdport.run_web("--notify", "--start-delay", 200, section="""\
        ready = notify
        workers = 2
        strategy = replace
        """)
    with holdport.load(address, "--rate", 100, "--keep-alive", 5) as load:
        story = watch_a_restart(holdport)
        load.await_calm()
    assert max(alive for _, alive in story) <= 2
    load.expect(failed=0)


def test_replace_waits_for_the_slowest_of_the_old(holdport):
    address = holdport.run_web("--notify", section="ready = notify\nstrategy = replace")
    events = holdport.events()
    answer = []
    slow = connect(address)
    asking = threading.Thread(target=lambda: answer.append(get(address, "/slow?700", keep=slow)))
    asking.start()
    eventually(lambda: holdport.socket("http")["queue"] == 0)
    holdport.ok("restart", "web")
    asking.join()
    slow.close()
    events.await_(is_state("generation", "current", 2))
    order = [(e["generation"], e["state"]) for e in events.seen if e["what"] == "worker"]
    assert order.index((1, "gone")) < order.index((2, "starting"))
    assert answer == ["worker"]


@pytest.mark.parametrize("strategy", ["rolling", "overlap", "replace"])
@pytest.mark.parametrize("how", FAILING)
def test_a_failing_generation_gives_way_to_the_old_one(holdport, strategy, how):
    options, sentence = FAILING[how]
    section = (f"ready = notify\nworkers = 2\nstrategy = {strategy}\nstart_timeout = 700ms\n"
               "restart_delay = 10ms\n")
    address = holdport.run_web("--notify", section=section)
    old = set(holdport.pids("web"))
    holdport.write_web(*options, address=address, section=section)
    said = holdport.cmd("reload")
    assert said.code == FAILED, said
    assert sentence in said.out
    assert "  | no configuration" in said.out
    assert sentence in holdport.program("web")["last_error"]
    holdport.await_("web")
    holdport.await_(lambda s: s["programs"][0]["ready"] == 2)
    assert get(address) == "worker"
    if strategy != "replace":
        assert set(holdport.pids("web")) == old
    # what ran is what runs again: a restart succeeds, by the old command
    holdport.ok("restart", "web")
    assert get(address) == "worker"


def half_way(holdport, on_failure, strategy="rolling"):
    """Three workers; the new command succeeds once and fails then."""
    section = f"ready = notify\nworkers = 3\nstrategy = {strategy}\non_failure = {on_failure}\n"
    address = holdport.run_web("--notify", section=section)
    once = holdport.dir / "once"
    holdport.write_web(address=address, section=section + (
        f'command = sh -c "mkdir {once} 2>/dev/null || exit 7; exec $$0 --notify --answer new"\n'
        f"    {holdport.worker()}\n"))
    said = holdport.cmd("reload")
    assert said.code == FAILED, said
    assert "exit status 7" in said.out
    return address


def test_a_change_that_fails_half_way_goes_back(holdport):
    address = half_way(holdport, "rollback")
    holdport.await_(lambda s: [g["number"] for g in s["programs"][0]["generations"]] == [1] and
                    s["programs"][0]["ready"] == 3)
    assert {get(address) for _ in range(20)} == {"worker"}
    assert holdport.program("web")["state"] == "running"
    assert re.search("went back|goes back|failed", holdport.log())


def test_a_change_that_fails_half_way_may_stay_partial(holdport):
    half_way(holdport, "stop")
    holdport.await_(lambda s: s["programs"][0]["ready"] == 3)
    old, new = holdport.program("web")["generations"]
    assert (old["state"], len(old["workers"])) == ("current", 2)
    assert (new["state"], len(new["workers"])) == ("partial", 1)
    assert holdport.cmd("status").code in (0, 3)
    holdport.ok("restart", "web")       # and the next change ends it
    holdport.await_(lambda s: len(s["programs"][0]["generations"]) == 1)
    assert holdport.program("web")["generations"][0]["state"] == "current"
    assert holdport.program("web")["ready"] == 3


def test_rolling_goes_from_more_workers_to_fewer_and_back(holdport):
    section = "ready = notify\nworkers = {}\nenvironment = A={}\n"
    address = holdport.run_web("--notify", section=section.format(4, 1))
    for workers in (2, 5):
        holdport.write_web("--notify", address=address, section=section.format(workers, workers))
        holdport.ok("reload")
        holdport.await_(lambda s: len(s["programs"][0]["generations"]) == 1)
        assert holdport.program("web")["ready"] == workers
        assert len(holdport.pids("web")) == workers


def test_beyond_max_generations_the_oldest_is_hurried(holdport):
    holdport.run_web("--notify", "--ignore-term", section="""\
        ready = notify
        max_generations = 2
        stop = TERM:60s KILL
        """)
    [first] = holdport.pids("web")
    holdport.ok("restart", "web")
    assert first in holdport.pids("web")
    holdport.ok("restart", "web")
    holdport.await_(lambda s: first not in [
        w["pid"] for g in s["programs"][0]["generations"] for w in g["workers"]])
    holdport.process.send_signal(signal.SIGQUIT)     # the others would take their 60 s
    assert holdport.process.wait(timeout=20) == 0
