"""A client that is made from the description alone: everything that is said over the
control socket is of the type that the description gives it."""


import pytest

from holdport import ROOT, end, stranger
from varlink import Varlink
from varlink_types import Interface

HOLDPORT = "io.holdport"

class Typed(Varlink):
    """Asks for the descriptions, and holds each word of both sides against them."""

    def __init__(self, holdport):
        super().__init__(holdport)
        self.interfaces = {}
        for name in self.call("org.varlink.service.GetInfo")["interfaces"]:
            text = self.call("org.varlink.service.GetInterfaceDescription",
                             {"interface": name})["description"]
            self.interfaces[name] = Interface(text)
        self.seen = set()

    def ask(self, method, more=False, interface=HOLDPORT, **parameters):
        """All answers, the last one of them an error's name if it is one."""
        described = self.interfaces[interface]
        in_, out = described.methods[method]
        described.check(parameters, in_, f"{method} asks")
        self.send(f"{interface}.{method}", parameters, **({"more": True} if more else {}))
        answers = []
        while True:
            reply = self.receive()
            assert reply is not None, f"{method}: hung up"
            assert set(reply) <= {"parameters", "continues", "error"}, reply
            assert more or not reply.get("continues")
            if "error" in reply:
                return answers + [self._error(reply)]
            described.check(reply.get("parameters", {}), out, f"{method} answers")
            self.seen.add(method)
            answers.append(reply.get("parameters", {}))
            if not reply.get("continues"):
                return answers

    def _error(self, reply):
        interface, name = reply["error"].rsplit(".", 1)
        described = self.interfaces[interface]
        described.check(reply.get("parameters", {}), described.errors[name], name)
        self.seen.add(name)
        return name

@pytest.fixture
def town(holdport):
    """Programs and sockets in many states: running, failed, stopped, waiting."""
    holdport.taken = holdport.port()
    somebody = stranger(holdport.taken)
    holdport.web = f"127.0.0.1:{holdport.port()}"
    config(holdport)
    holdport.run()
    holdport.await_("web")
    holdport.await_("bad", "failed")
    yield holdport
    end(somebody)

def config(holdport, command="--notify", web=""):
    holdport.write_config(f"""\
[socket:http]
listen = {holdport.web}, unix:{holdport.dir}/s
[socket:busy]
listen = 127.0.0.1:{holdport.taken}
[socket:dns]
listen = 127.0.0.1:{holdport.port()}
type = datagram
[program:web]
command = {holdport.worker(command, "--status", "well")}
sockets = http, dns
workers = 2
{web}
[program:bad]
command = {holdport.worker("--no-socket", "--die-at-start", 3, "--print", "I cannot")}
start_attempts = 1
[program:off]
command = {holdport.worker("--no-socket")}
start = manual
[program:later]
command = {holdport.worker("--notify")}
sockets = busy
""")

def test_the_descriptions_are_of_the_language(town):
    with Typed(town) as client:
        assert set(client.interfaces) == {"org.varlink.service", HOLDPORT}
        assert Interface((ROOT / "include/holdport/io.holdport.varlink").read_text()).methods \
            == client.interfaces[HOLDPORT].methods

@pytest.mark.parametrize("wrong", [
    "interface io.x\nmethod a() -> ()", "interface x\n", "interface io.x\ntype T (a: Gone)",
    "interface io.x\ntype T (a: ??int)", "interface io.x\ntype T (a_: int)",
    "interface io.x\ntype T (a: int, b)", "interface io.x\ntype T (a: int\n"])
def test_what_is_not_of_the_language_would_be_seen(wrong):
    with pytest.raises(ValueError):
        Interface(wrong)

def test_every_answer_is_of_its_type(town):
    with Typed(town) as client:
        client.ask("Status")
        client.ask("Status", names=["web", "bad"])
        client.ask("Sockets")
        client.ask("Sockets", names=["http"])
        client.ask("Logs", name="web")
        client.ask("Restart", more=True, names=["web"])
        assert not client.ask("Start", more=True, names=["bad"])[-1]["results"][0]["ok"]
        client.ask("Start", names=["off"])
        client.ask("Stop", more=True, names=["off"])
        client.ask("Restart", names=["web"], wait=False)
        client.ask("Scale", more=True, name="web", workers=3)
        client.ask("Signal", name="web", signal="USR2")
        client.ask("Signal", name="web", signal="USR2", generation=2)
        client.ask("Wait", more=True, name="web", state="running")
        config(town, "--never-ready", "ready = notify\nstart_timeout = 1s")
        client.ask("Reload", dry_run=True)
        client.ask("Reload", more=True)
        config(town, web="nonsense")
        refused = client.ask("Reload", more=True)[-1]
        assert refused["faults"] and refused["failed"] is False
        client.ask("Rollback", more=True, name="web", drained=True)
        client.ask("Events")
        client.ask("Events", more=True)
        client.ask("Events", since=999999999)
        client.ask("GetInfo", interface="org.varlink.service")
        assert client.ask("Upgrade", wait=False)[-1]["id"] == 1
        seen = client.seen
    config(town)
    town.await_(lambda s: s["supervisor"]["upgrades"] == 1)
    with Typed(town) as client:
        assert client.ask("UpgradeOutcome", id=1)[-1]["done"]
        seen |= client.seen
        assert seen >= set(client.interfaces[HOLDPORT].methods) - {"Shutdown"}
        assert client.ask("Shutdown", more=True)[-1]["done"]
    assert town.process.wait(timeout=20) == 0

def test_every_error_is_of_its_type(town):
    with Typed(town) as client:
        assert client.ask("Status", names=["nobody"])[-1] == "NoSuchProgram"
        assert client.ask("Sockets", names=["nothing"])[-1] == "NoSuchSocket"
        assert client.ask("Restart")[-1] == "NothingNamed"
        assert client.ask("Wait", name="web", state="asleep")[-1] == "NoSuchState"
        assert client.ask("Signal", name="web", signal="NONE")[-1] == "NoSuchSignal"
        assert client.ask("Wait", name="bad", state="running")[-1] == "NotReached"
        client.send(f"{HOLDPORT}.Scale", {"name": "web", "workers": "two"})
        assert client._error(client.receive()) == "InvalidParameter"
        client.send(f"{HOLDPORT}.Scale")
        assert client._error(client.receive()) == "InvalidParameter"
        client.send("org.nobody.Method")
        assert client._error(client.receive()) == "InterfaceNotFound"
        client.send(f"{HOLDPORT}.Frobnicate")
        assert client._error(client.receive()) == "MethodNotFound"

def test_events_are_followed_by_type(town):
    with Typed(town) as client, Varlink(town) as other:
        described = client.interfaces[HOLDPORT]
        client.send(f"{HOLDPORT}.Events", {"since": 0, "follow": True}, more=True)
        other.call(f"{HOLDPORT}.Restart", {"names": ["web"]})
        seen = []
        while not any(e["what"] == "generation" and e["state"] == "gone" for e in seen):
            reply = client.receive()
            described.check(reply["parameters"], described.methods["Events"][1], "Events")
            seen += [reply["parameters"]["event"]]
        assert {e["what"] for e in seen} >= {"program", "generation", "worker", "socket"}
        assert [e["seq"] for e in seen] == sorted({e["seq"] for e in seen})
