"""What a configuration may say, and what is said about one that is wrong."""

import os
import re

import pytest

from holdport import DONE, USAGE, get


def check(holdport, text):
    """`check`'s faults: line → sentence, of the one file."""
    holdport.config.write_text(text)
    said = holdport.cmd("check")
    assert said.code == USAGE, said
    assert not said.out
    faults = {}
    for line in said.err.splitlines():
        number, fault = re.fullmatch(rf"{re.escape(str(holdport.config))}:(\d+): (.*)",
                                     line).groups()
        faults.setdefault(int(number), []).append(fault)
    return faults


def test_all_faults_are_said_at_once_with_their_lines_and_the_nearest_name(holdport):
    faults = check(holdport, """\
[supervisr]
x = 1
[socket:http]
listen = 127.0.0.1:99999
baklog = 5
no_delay = maybe
[program:web]
command = /bin/true "unfinished
sockets = htp
workers = -1
ready = notfy
stop = TERM KILL
umask = 999
restart_delay = 5 lightyears
[program:bad name]
command = /bin/true
""")
    expected = {1: "supervisor", 4: "99999", 5: "backlog", 6: "maybe", 8: "quote", 9: "http",
                10: "-1", 11: "notify", 12: "TERM", 13: "999", 14: "lightyears", 15: "NAME"}
    assert set(faults) == set(expected), faults
    for line, word in expected.items():
        assert any(word in fault for fault in faults[line]), (line, word, faults[line])


@pytest.mark.parametrize("section, line", [
    ("socket:http", "when_busy = adopt")])
def test_what_is_not_in_this_version_is_said_so(holdport, section, line):
    needed = {"program:web": "command = /bin/true\n", "socket:http": "listen = 8080\n"}
    faults = check(holdport, f"[{section}]\n{needed.get(section, '')}{line}\n")
    [[fault]] = faults.values()
    assert "not in this version" in fault


def test_a_fault_moves_no_cursor(holdport):
    holdport.config.write_bytes(b"[program:web]\ncommand = x\numask = \xc2\x9b2J\n")
    said = holdport.cmd("check")
    assert said.code == USAGE
    assert "\\xc2\\x9b2J" in said.err
    assert "\u009b" not in said.err, said


@pytest.mark.parametrize("command", ["adopt", "import"])
def test_commands_that_are_not_in_this_version_say_so(holdport, command):
    said = holdport.plain(command, "x")
    assert said.code == USAGE
    assert "not in this version" in said.err


@pytest.mark.parametrize("text, line, word", [
    ("[program:web]\n", 1, "command"),
    ("[socket:http]\n", 1, "listen"),
    ("command = x\n", 1, "section"),
    ("[program:web]\ncommand = a\ncommand = b\n", 3, "line 2"),
    ("[program:web]\ncommand = a\n[program:web]\ncommand = b\n", 3, ":1"),
    ("[program:web]\ncommand = ${ENV:NOT_THERE_AT_ALL}\n", 2, "NOT_THERE_AT_ALL"),
    ("[program:web]\ncommand = x ${wroker}\n", 2, "worker"),
    ("[program:web]\ncommand = x ${fd:http}\n", 2, "http"),
    ("[socket:http]\nlisten = 1.2.3.4:5\n[program:web]\nsockets = http\n"
     "command = x ${port:http:1}\n", 5, "1 address"),
    ("[program:web]\ncommand = x\nuser = nobody-of-this-name\n", 3, "nobody-of-this-name"),
    ("[program:web]\ncommand = x\nready = tcp\n", 3, "TCP socket"),
    ("[program:web]\ncommand = x\nready = http:/\n", 3, "TCP socket"),
    ("[program:web]\ncommand = x\nready = http:health\n", 3, "http:/health"),
    ("[program:web]\ncommand = x\nready = http:/a b\n", 3, "blank"),
    ("[program:web]\ncommand = x\nready = http://127.0.0.1:${port:a}/\n", 3, "among"),
    ("[socket:dns]\nlisten = 5353\ntype = datagram\n[program:web]\ncommand = x\n"
     "sockets = dns\nready = tcp\n", 7, "TCP socket"),
    ("[socket:s]\nlisten = 8080\ntype = seqpacket\n", 2, "unix"),
    ("[socket:s]\nlisten = 8080\ntype = datagram\nmptcp = yes\n", 2, "mptcp"),
    ("[socket:s]\nlisten = 8080\ntype = datagram\nwhen_down = refuse\n", 4, "only hold"),
    ("[socket:a]\nlisten = unix:/x\n[socket:b]\nlisten = unix:/x\ntype = datagram\n", 4, "a"),
    ("[program:web]\ncommand = x\nready = delay:soon\n", 3, "soon"),
    ("[program:web]\ncommand = x\nhandoff = stdin\n", 3, "socket"),
    ("[socket:a]\nlisten = 8080\n[socket:b]\nlisten = 8080\n", 4, "a"),
    ("[include]\nfiles = not-there.conf\n", 2, "not-there.conf"),
    ("[program:web]\ncommand = x\nenvironment_file = not-there\n", 3, "not-there"),
    ("[program:web]\ncommand = x\nenvironment = NO-EQUALS\n", 3, "NO-EQUALS"),
])
def test_a_fault_is_said_where_it_is(holdport, text, line, word):
    faults = check(holdport, text)
    assert set(faults) == {line}, faults
    assert word in faults[line][0]


def test_check_of_a_good_file_exits_0_and_finds_nothing(holdport):
    holdport.write_web("--notify")
    said = holdport.cmd("check")
    assert said.code == DONE, said
    assert not said.err


def test_a_semicolon_inside_a_command_reaches_the_worker(holdport):
    address = holdport.run_web("--notify", "--answer", "a;b # c ; d")
    assert get(address) == "a;b # c ; d"
    assert "a;b # c ; d" in holdport.reports()[0]["argv"]


def test_a_shell_gets_its_semicolons_and_dollars(holdport):
    out = holdport.dir / "out"
    holdport.run_web(section=f"""\
        command = sh -c "echo one; x=two; echo $$x '#' >> {out}; exec $$0 --notify"
            {holdport.worker()}
        """)
    assert out.read_text() == "two #\n"


def test_words_are_split_as_a_shell_splits_them(holdport):
    address = holdport.write_web("--notify", section=f"""\
        command = {holdport.worker()} --notify --answer 'a  "b"'\\ c"d\\"e $$"
            --report
            {holdport.dir}/report
        """)
    holdport.run()
    holdport.await_("web")
    assert get(address) == "a  \"b\" cd\"e $"


def test_comments_are_only_at_the_beginning_of_a_line(holdport):
    address = holdport.write_web("--notify", section="""\
# a comment
environment = A=1 # no comment
; a comment in a continued value
    B=2;3
    C=#
""")
    holdport.run()
    holdport.await_("web")
    assert get(address, "/env?A") == "1 # no comment"
    assert get(address, "/env?B") == "2;3"
    assert get(address, "/env?C") == "#"


def test_a_line_may_be_64_kib_long(holdport):
    text = "x" * 60000
    address = holdport.run_web("--notify", "--answer", text)
    assert get(address) == text


def test_a_longer_line_is_a_fault_and_not_cut(holdport):
    faults = check(holdport, f"[program:web]\ncommand = /bin/true {'x' * 70000}\n")
    assert any("64" in fault or "long" in fault for fault in faults[2]), faults


def test_included_files_are_read_in_the_order_of_their_names(holdport):
    (holdport.dir / "conf.d/deep").mkdir(parents=True)
    for name in ("b", "a"):
        (holdport.dir / f"conf.d/{name}.conf").write_text(
            f"[program:{name}]\ncommand = {holdport.worker('--no-socket', '--notify')}\n"
            f"directory = deep\n")
    (holdport.dir / "conf.d/ignored.txt").write_text("nonsense\n")
    holdport.write_web("--notify", more="[include]\nfiles = conf.d/*.conf, none.d/*.conf\n")
    holdport.run()
    for name in ("web", "a", "b"):
        holdport.await_(name)
    assert [p["name"] for p in holdport.status()["programs"]] == ["web", "a", "b"]
    # a relative path is relative to the file that it stands in
    assert os.readlink(f"/proc/{holdport.pids('a')[0]}/cwd") == str(holdport.dir / "conf.d/deep")


def test_a_fault_in_an_included_file_names_that_file(holdport):
    (holdport.dir / "more.conf").write_text("[program:x]\ncommand = /bin/true\nbad_key = 1\n")
    holdport.write_web("--notify", more="[include]\nfiles = more.conf\n")
    said = holdport.cmd("check")
    assert said.code == USAGE
    assert f"{holdport.dir}/more.conf:3: " in said.err


def test_expansions_reach_the_worker(holdport):
    more = [holdport.port(), holdport.port()]
    names = ("here program worker slot generation ENV:STORY ENV:NOT_SET:-or-this fd:http "
             "port:http address:http fd:two:1 port:two:1 address:two address:path").split()
    lines = "\n    ".join(f"E{i}=<${{{name}}}>" for i, name in enumerate(names))
    path = holdport.dir / "path.sock"
    address = holdport.write_web("--notify", "--answer", "${program}.${worker}", section=f"""\
environment = {lines}
    DOLLAR=$${{here}}
""", more=f"""\
[socket:two]
listen = 127.0.0.1:{more[0]}, [::1]:{more[1]}
[socket:path]
listen = unix:path.sock
""")
    holdport.config.write_text(holdport.config.read_text().replace(
        "sockets = http", "sockets = http, two, path"))
    holdport.env["STORY"] = "told"
    holdport.run()
    holdport.await_("web")
    expected = [str(holdport.dir), "web", "0", "0", "1", "told", "or-this", "3",
                address.rsplit(":", 1)[1], "127.0.0.1", "5", str(more[1]), "127.0.0.1", str(path)]
    for i, value in enumerate(expected):
        assert get(address, f"/env?E{i}") == f"<{value}>", names[i]
    assert get(address, "/env?DOLLAR") == "${here}"
    assert get(address) == "web.0"
    holdport.ok("restart", "web")
    assert get(address, "/env?E4") == "<2>"


@pytest.mark.skipif(os.getuid() != 0, reason="what only root is protected from")
def test_root_reads_nothing_that_others_may_write(holdport):
    holdport.write_web("--notify")
    holdport.config.chmod(0o666)
    said = holdport.run_to_end()
    assert said.code == USAGE
    assert "others" in said.err
    holdport.config.chmod(0o644)
    os.chown(holdport.config, 65534, 0)
    assert holdport.run_to_end().code == USAGE
    os.chown(holdport.config, 0, 0)
    assert holdport.cmd("check").code == DONE


def test_the_effective_settings_are_a_configuration_again(holdport):
    holdport.write_web("--notify", section="environment = A=$$b\nstop = TERM:5s KILL\n")
    for options in ([], ["--defaults"]):
        said = holdport.ok("config", *options)
        again = holdport.dir / "again.conf"
        again.write_text(said.out)
        checked = holdport.plain("check", "-c", again)
        assert checked.code == DONE, checked
        assert holdport.plain("config", "-c", again, *options).out == said.out


def test_the_reference_tells_what_each_change_costs(holdport):
    said = holdport.plain("config", "--reference")
    assert said.code == DONE
    keys = re.findall(r"^  (\w+) =", said.out, re.M)
    effects = re.findall(r"a change:\s+(live|restart|rebind)$", said.out, re.M)
    assert len(keys) == len(effects) > 60
