"""Perl servers written for start_server (Server::Starter): Net::Server::SS::PreFork, Starlet."""

import textwrap
import threading

import pytest

from holdport import eventually, get

PREFORK = r"""
    package Server;
    use strict;
    use warnings;
    use base "Net::Server::SS::PreFork";
    use Server::Starter qw(server_ports);

    sub process_request {
        while (defined(my $line = <STDIN>)) { last if $line =~ /^\r?\n$/ }
        my $body = join(" ", getppid(), $ENV{SERVER_STARTER_GENERATION},
                        sort keys %{ server_ports() });
        print "HTTP/1.1 200 OK\r\nContent-Length: ", length($body),
              "\r\nConnection: close\r\n\r\n$body";
    }
    Server->run(min_servers => 2, max_servers => 3, min_spare_servers => 1,
                max_spare_servers => 2, log_level => 0, user => $<, group => $();
"""

STARLET = r"""
    sub {
        select(undef, undef, undef, 0.02);
        my $body = getppid();
        return [200, ["Content-Length" => length($body)], [$body]];
    }
"""


def run_perl(holdport, command, text, listen, section=""):
    file = holdport.dir / "server"
    file.write_text(textwrap.dedent(text))
    holdport.write_web(address=listen, section=f"command = {command} {file}\nready = tcp\n{section}")
    holdport.run()
    holdport.await_("web")


def restarted_under_load(holdport, listen):
    """The masters that answered, and what else clients met."""
    over, masters, wrong = threading.Event(), set(), []

    def ask():
        while not over.is_set():
            try:
                masters.add(get(listen).split()[0])
            except OSError as e:
                wrong.append(e)

    inode = holdport.socket("http")["inode"]
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for t in threads:
        t.start()
    for _ in range(2):
        holdport.ok("restart", "web")
    over.set()
    for t in threads:
        t.join()
    assert holdport.socket("http")["inode"] == inode
    return masters, wrong


def test_it_finds_every_socket_by_the_address_that_was_configured(holdport):
    port, path = holdport.port(), holdport.dir / "s"
    listen, second = f"127.0.0.1:{port}", f"127.0.0.2:{port}"
    run_perl(holdport, "/usr/bin/perl", PREFORK, f"{listen}, {second}, [::1]:{port}, unix:{path}")
    pid, generation, *keys = get(listen).split()
    assert int(pid) == holdport.pids("web")[0]
    assert keys == sorted([listen, second, f"[::1]:{port}", str(path)])
    assert get(second).split()[2:] == keys      # it serves IPv4 only
    holdport.ok("restart", "web")
    eventually(lambda: len(holdport.pids("web")) == 1)
    assert int(get(listen).split()[1]) > int(generation)


# It may drop who was accepted and has not asked yet (its children end between the two).
def test_a_restart_of_a_preforking_server_refuses_nobody(holdport):
    listen = f"127.0.0.1:{holdport.port()}"
    run_perl(holdport, "/usr/bin/perl", PREFORK, listen, section="stop = QUIT:10s KILL")
    masters, wrong = restarted_under_load(holdport, listen)
    assert len(masters) >= 2
    assert not [e for e in wrong if isinstance(e, ConnectionRefusedError)]


@pytest.mark.parametrize("strategy", ["overlap", "replace"])
def test_a_restart_of_starlet_loses_no_request(holdport, strategy):
    listen = f"127.0.0.1:{holdport.port()}"
    run_perl(holdport, "/usr/bin/plackup -s Starlet --max-workers 2", STARLET, listen,
             section=f"strategy = {strategy}")
    masters, wrong = restarted_under_load(holdport, listen)
    assert len(masters) >= 2
    assert not wrong
