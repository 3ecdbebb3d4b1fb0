"""Real servers that bind for themselves, restarted while clients come: nobody is refused."""

import contextlib
import functools
import os
import shutil
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from holdport import BUILD, eventually
from intercepted import restart, run

POSTGRES = max(Path("/usr/lib/postgresql").glob("*/bin/postgres"), default=Path("postgres"))

HAPROXY = """\
global
    nbthread 2
defaults
    mode http
    timeout client 30s
    timeout connect 5s
    timeout server 30s
frontend web
    bind 127.0.0.1:{port}
    http-request return status 200 content-type text/plain string haproxy
"""

MUSL = """\
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static volatile sig_atomic_t over;

static void stop(int number)
{
	over = number;
}

int main(int argc, char **argv)
{
	static const char answer[] = "HTTP/1.1 200 OK\\r\\nConnection: close\\r\\n"
				     "Content-Length: 5\\r\\n\\r\\nmusl\\n";
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(atoi(argv[argc - 1])),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sigaction term = { .sa_handler = stop };
	int s = socket(AF_INET, SOCK_STREAM, 0), c;
	char request[4096];

	sigaction(SIGTERM, &term, NULL);
	if (bind(s, (void *)&a, sizeof(a)) < 0 || listen(s, 5) < 0)
		return 1;
	while (!over && (c = accept(s, NULL, NULL)) >= 0) {
		ssize_t n;

		do
			n = read(c, request, sizeof(request));
		while (n < 0 && errno == EINTR);
		if (n > 0)
			write(c, answer, sizeof(answer) - 1);
		close(c);
	}
	return 0;
}
"""

GO = """\
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	server := &http.Server{Addr: ":" + os.Args[1], Handler: http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "go") })}
	term, over := make(chan os.Signal, 1), make(chan bool)
	signal.Notify(term, syscall.SIGTERM)
	go func() {
		<-term
		server.Shutdown(context.Background())
		over <- true
	}()
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		fmt.Println(err)
		os.Exit(1)
	}
	<-over
}
"""

JAVA = """\
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;

public class Server {
	public static void main(String[] words) throws Exception {
		var address = new InetSocketAddress(Integer.parseInt(words[0]));
		var server = HttpServer.create(address, 0);

		server.createContext("/", exchange -> {
			var text = "java\\n".getBytes();

			exchange.sendResponseHeaders(200, text.length);
			exchange.getResponseBody().write(text);
			exchange.close();
		});
		Runtime.getRuntime().addShutdownHook(new Thread(() -> server.stop(5)));
		server.start();
	}
}
"""


class Callers(threading.Thread):
    """Asks again and again, each time over a connection of its own."""

    def __init__(self, address, question, answer):
        super().__init__(daemon=True)
        self.address, self.question, self.answer = address, question, answer
        self.answered = self.dropped = 0
        self.refused = []
        self.over = threading.Event()

    def run(self):
        while not self.over.is_set():
            self.ask()

    def ask(self):
        try:
            with socket.create_connection(self.address, timeout=20) as s:
                try:
                    s.sendall(self.question)
                    self.answered += s.recv(100).startswith(self.answer)
                except OSError:
                    self.dropped += 1  # by a server that ends as it is told
        except OSError as e:
            self.refused.append(e)


@contextlib.contextmanager
def callers(holdport, port, question, answer):
    one = Callers(("127.0.0.1", port), question, answer)
    one.start()
    eventually(lambda: one.answered, what=f"an answer\n{holdport.log()}")
    yield one
    before = one.answered
    eventually(lambda: one.answered > before, what="an answer of the last")
    one.over.set()
    one.join(timeout=30)
    assert not one.is_alive() and one.refused == []


def redis(holdport, port):
    return f"/usr/bin/redis-server --port {port} --bind 127.0.0.1 --save '' --dir {holdport.dir}"


def memcached(holdport, port):
    return f"/usr/bin/memcached -u root -l 127.0.0.1 -p {port} -U 0 -t 2"


@pytest.mark.load
@pytest.mark.parametrize("server, question, answer", [
    (redis, b"PING\r\n", b"+PONG"), (memcached, b"version\r\n", b"VERSION")],
    ids=["redis", "memcached"])
def test_a_server_without_a_graceful_end_refuses_nobody(
        holdport, restarts, server, question, answer):
    port = holdport.port()
    run(holdport, server(holdport, port), f"127.0.0.1:{port}")
    inode = holdport.socket("http")["inode"]
    with callers(holdport, port, question, answer):
        for _ in range(min(restarts, 20)):
            restart(holdport)
    assert holdport.socket("http")["inode"] == inode


def haproxy(holdport, port):
    """It does not call listen(2) on what listens already."""
    (holdport.dir / "haproxy.cfg").write_text(HAPROXY.format(port=port))
    return f"/usr/sbin/haproxy -db -f {holdport.dir}/haproxy.cfg", f"127.0.0.1:{port}", \
        "ready = auto\nstop = USR1:30s KILL"


def musl(holdport, port):
    (holdport.dir / "server.c").write_text(MUSL)
    subprocess.run(["musl-gcc", "-static", "-O1", "-o", holdport.dir / "server",
                    holdport.dir / "server.c"], check=True)
    return f"{holdport.dir}/server {port}", f"127.0.0.1:{port}", "ready = listen"


@functools.cache
def compiled_go():
    """Linked statically; without C, Go compiles parts of its library anew."""
    place = BUILD / "go"
    place.mkdir(exist_ok=True)
    (place / "server.go").write_text(GO)
    subprocess.run(["go", "build", "-o", place / "server", place / "server.go"], check=True,
                   env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=mod", "GOENV": "off",
                        "GOPROXY": "off", "GOCACHE": str(place / "cache"),
                        "GOPATH": str(place / "path")})
    return place / "server"


def go(holdport, port):
    return f"{compiled_go()} {port}", f"*:{port}", "ready = listen"


@pytest.mark.load
@pytest.mark.parametrize("server", [haproxy, musl, go])
def test_a_server_with_a_graceful_end_loses_no_request(holdport, restarts, server):
    port = holdport.port()
    command, listen, section = server(holdport, port)
    run(holdport, command, listen, section=section)
    inode = holdport.socket("http")["inode"]
    with holdport.load(f"127.0.0.1:{port}", "--rate", 200) as load:
        for _ in range(min(restarts, 20)):
            restart(holdport)
            load.await_calm()
    load.expect(failed=0)
    assert holdport.socket("http")["inode"] == inode


@pytest.mark.load
@pytest.mark.long
@pytest.mark.skipif(not shutil.which("javac"), reason="no Java: contrib/setup java")
def test_java_refuses_nobody(holdport, restarts):
    port = holdport.port()
    (holdport.dir / "Server.java").write_text(JAVA)
    run(holdport, f"java -Xshare:auto {holdport.dir}/Server.java {port}", f"*:{port}")
    inode = holdport.socket("http")["inode"]
    # each of its answers over a connection kept alive waits for an ACK, 40 ms
    with holdport.load(f"127.0.0.1:{port}", "--rate", 50, "--keep-alive", 10) as load:
        for _ in range(min(restarts, 20)):
            restart(holdport)
            load.await_calm()
    load.expect(refused=0, timed_out=0)
    assert holdport.socket("http")["inode"] == inode


@pytest.mark.load
@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_clients_of_postgresql_wait_while_it_is_replaced(holdport, restarts):
    # It locks its data: one ends before the next begins, and the queue is held meanwhile.
    port, data = holdport.port(), holdport.dir / "data"
    holdport.dir.chmod(0o755)
    data.mkdir(mode=0o700)
    shutil.chown(data, "nobody", "nogroup")
    subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                    POSTGRES.parent / "initdb", "--no-sync", "-A", "trust", "-D", data],
                   check=True, stdout=subprocess.DEVNULL, cwd="/")
    run(holdport, f"{POSTGRES} -D {data} -c listen_addresses=127.0.0.1 -p {port} -F "
        "-c unix_socket_directories= -c shared_buffers=1MB -c max_connections=10",
        f"127.0.0.1:{port}", section="ready = listen\nstrategy = replace\nuser = nobody\n"
        "group = nogroup\ndirectory = /\nstop = INT:30s KILL")
    inode = holdport.socket("http")["inode"]
    wants_tls = bytes([0, 0, 0, 8, 4, 210, 22, 47])  # SSLRequest; "N": none here
    with callers(holdport, port, wants_tls, b"N"):
        for _ in range(min(restarts, 20)):
            restart(holdport)
    assert holdport.socket("http")["inode"] == inode
