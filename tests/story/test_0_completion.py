"""contrib/completions: what a shell offers is what the program takes."""

import os
import shlex
import subprocess

import pytest

from holdport import BUILD, ROOT

COMPLETIONS = ROOT / "contrib/completions"
STATES = "stopped starting running restarting backoff failed stopping".split()


def run(holdport, *argv):
    env = {**holdport.env, "PATH": f"{BUILD / 'bin'}:{os.environ['PATH']}",
           "HOME": str(holdport.dir)}
    done = subprocess.run(list(map(str, argv)), env=env, cwd=holdport.dir, text=True, timeout=30,
                          stdin=subprocess.DEVNULL, capture_output=True)
    assert done.returncode == 0 and not done.stderr, (argv, done)
    return done.stdout.splitlines()


def bash(holdport, line):
    """What bash offers at the end of a line."""
    words = line.replace("=", " = ").split(" ")
    return run(holdport, "bash", "--norc", "-c", f"""
        compopt() {{ :; }}    # the builtin works in an interactive shell only
        . {COMPLETIONS}/holdport.bash
        COMP_WORDS=({' '.join(map(shlex.quote, words))}) COMP_CWORD={len(words) - 1}
        _holdport
        printf '%s\\n' "${{COMPREPLY[@]}}" """)


def fish(holdport, line):
    offers = run(holdport, "fish", "--no-config", "-c",
                 f"source {COMPLETIONS}/holdport.fish; complete -C {shlex.quote(line)}")
    return [offer.split("\t")[0] for offer in offers]


def zsh(holdport, line):
    """In a terminal of its own (zsh/zpty), where compadd tells what it was given."""
    script = holdport.dir / "offers.zsh"
    script.write_text(f"""
        zmodload zsh/zpty
        zpty -b z zsh -f -i
        zpty -w z 'PS1=; autoload -Uz compinit; fpath=({COMPLETIONS} $fpath); compinit -D -u'
        zpty -w z 'compadd () {{ builtin compadd -O __all "$@"; print -rl -- $__all \
            >>{holdport.dir}/offers; builtin compadd "$@"; }}'
        zpty -w z 'finish () {{ print >{holdport.dir}/finished; }}; zle -N finish; \
            bindkey "^X" finish; print ready >{holdport.dir}/ready'
        until [[ -e {holdport.dir}/ready ]]; do sleep 0.05; done
        zpty -n -w z {shlex.quote(line)}$'\\t\\x18'
        until [[ -e {holdport.dir}/finished ]]; do sleep 0.05; done
        zpty -d z
    """)
    run(holdport, "zsh", "-f", script)
    offers = holdport.dir / "offers"
    return offers.read_text().splitlines() if offers.exists() else []


@pytest.fixture(params=[bash, zsh, fish], ids=lambda shell: shell.__name__)
def offers(request, holdport):
    def ask(line):
        for name in ("offers", "ready", "finished"):
            (holdport.dir / name).unlink(missing_ok=True)
        return request.param(holdport, line)
    return ask


def told(holdport, *command):
    lines = holdport.plain("help", "--complete", *command).out.splitlines()
    return [line.split("\t") for line in lines]


def test_every_command_is_offered(holdport, offers):
    commands = [fields[0] for fields in told(holdport)]
    assert {"run", "exec", "restart", "help"} <= set(commands)
    assert set(commands) <= set(offers("holdport "))
    assert "restart" in offers("holdport res")
    assert "stop" in offers("holdport help st")


def test_the_options_of_a_command_are_offered(holdport, offers):
    wanted = {fields[0] for fields in told(holdport, "reload") if fields[0].startswith("--")}
    assert "--dry-run" in wanted
    given = offers("holdport reload --")
    assert wanted <= set(given)
    assert "--state" not in given


def test_the_keys_of_a_program_are_options_of_exec(holdport, offers):
    assert "--ready=" in offers("holdport exec --re")


def test_names_of_programs_are_asked_of_the_supervisor(holdport, offers):
    holdport.run_web()
    assert "web" in offers(f"holdport restart -c {holdport.config} ")
    assert "http" not in offers(f"holdport restart -c {holdport.config} ")
    assert "web" not in offers(f"holdport scale -c {holdport.config} web ")


def test_without_a_supervisor_there_are_no_names(holdport, offers):
    given = offers(f"holdport restart --runtime-dir {holdport.dir} ")
    assert [word for word in given if word and not word.startswith("-")] == []


def test_states_are_those_that_wait_takes(holdport, offers):
    holdport.run_web()
    given = [word for word in offers("holdport wait web --state ") if word]
    assert sorted(given) == sorted(STATES)
    for state in given:
        result = holdport.cmd("wait", "web", "--state", state, "--timeout", "0s")
        assert result.code != 2, result


def test_the_scripts_know_which_options_have_a_value(holdport):
    for name in ("holdport.bash", "_holdport", "holdport.fish"):
        text = (COMPLETIONS / name).read_text()
        for command in told(holdport):
            if command[0] == "exec":
                continue
            for option, argument, _ in told(holdport, command[0]):
                if argument:
                    assert option in text, (name, option)


def test_a_command_that_is_none_has_no_completions(holdport):
    result = holdport.plain("help", "--complete", "adopt")
    assert (result.code, result.out) == (2, "")
