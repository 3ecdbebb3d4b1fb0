/* holdport-http URL MS [FD | unix:PATH | unix:@NAME]: asks a web server once, and is gone.
 *
 * 0: it answered with a status from 200 to 399.  1: it did not, and a line on standard
 * output says why.  The question goes over the connection that descriptor FD is, or
 * to that unix socket, or to where URL says.
 *
 * What a server sends meets libcurl here, in a process for this one question, and not in
 * the supervisor.  Root becomes nobody before the first byte is read, so much of an
 * answer is read and no more, and after MS it ends, also when nobody waits for it. */
#include <curl/curl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#define UNIX "unix:"

enum { HEAD_MOST = 64 << 10, BODY_MOST = 64 << 10, NOBODY = 65534, GRACE_MS = 500 };

struct answer {
	int fd;				/* the connection, -1: libcurl makes one */
	size_t head, body;		/* bytes so far */
};

/* What is on standard output is out at once; nothing else is left to be done. */
static _Noreturn void leave(const char *why)
{
	if (why)
		(void)dprintf(STDOUT_FILENO, "%s\n", why);
	_exit(why ? 1 : 0);
}

/* A signal that nobody handles: not even a library that hangs outlives it. */
static void end_after(long ms)
{
	const struct itimerval most = { .it_value = { .tv_sec = (ms + GRACE_MS) / 1000,
						      .tv_usec = (ms + GRACE_MS) % 1000 * 1000 } };

	(void)setitimer(ITIMER_REAL, &most, NULL);
}

/* Where there is no such user (a container may map few), we stay who we are. */
static void step_down(void)
{
	if (geteuid() != 0)
		return;
	(void)!setgroups(0, NULL);
	(void)!setgid(NOBODY);
	(void)!setuid(NOBODY);
}

static size_t on_head(char *bytes, size_t one, size_t count, void *ctx)
{
	struct answer *a = ctx;

	(void)bytes;
	a->head += one * count;
	return a->head > HEAD_MOST ? 0 : one * count;
}

/* The status is known by now: what goes on for ever is not read to its end. */
static size_t on_body(char *bytes, size_t one, size_t count, void *ctx)
{
	struct answer *a = ctx;

	(void)bytes;
	a->body += one * count;
	return a->body > BODY_MOST ? 0 : one * count;
}

static curl_socket_t on_open(void *ctx, curlsocktype purpose, struct curl_sockaddr *to)
{
	(void)purpose;
	(void)to;
	return ((struct answer *)ctx)->fd;
}

static int on_opened(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
	(void)ctx;
	(void)fd;
	(void)purpose;
	return CURL_SOCKOPT_ALREADY_CONNECTED;
}

/* The connection is made; what comes over it is read by nobody. */
static int on_connected(void *ctx, char *to, char *from, int to_port, int from_port)
{
	(void)ctx;
	(void)to;
	(void)from;
	(void)to_port;
	(void)from_port;
	step_down();
	return 0;
}

/* The socket of a worker of root's is for root alone. */
static void go_by(CURL *c, const char *path)
{
	if (*path == '@')
		curl_easy_setopt(c, CURLOPT_ABSTRACT_UNIX_SOCKET, path + 1);
	else
		curl_easy_setopt(c, CURLOPT_UNIX_SOCKET_PATH, path);
#if LIBCURL_VERSION_NUM >= 0x075000
	curl_easy_setopt(c, CURLOPT_PREREQFUNCTION, on_connected);
#else
	(void)on_connected;
	step_down();
#endif
}

static void speak_over(CURL *c, struct answer *a)
{
	curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, on_open);
	curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, a);
	curl_easy_setopt(c, CURLOPT_SOCKOPTFUNCTION, on_opened);
}

static void ask(CURL *c, const char *url, long ms, struct answer *a)
{
	curl_easy_setopt(c, CURLOPT_URL, url);
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http");
#else
	curl_easy_setopt(c, CURLOPT_PROTOCOLS, (long)CURLPROTO_HTTP);
#endif
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, ms);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "holdport");
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_head);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, a);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, a);
}

static void choose_way(CURL *c, const char *via, struct answer *a)
{
	if (via && strncmp(via, UNIX, strlen(UNIX)) == 0) {
		go_by(c, via + strlen(UNIX));
		return;
	}
	step_down();
	if (!via)
		return;
	a->fd = atoi(via);
	speak_over(c, a);
}

static _Noreturn void judge(CURL *c, CURLcode rc, const struct answer *a)
{
	char text[64];
	long status = 0;

	(void)curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	if (a->head > HEAD_MOST)
		leave("the head of its answer is larger than 64K");
	if (rc == CURLE_OPERATION_TIMEDOUT)
		leave("did not answer in time");
	if (rc != CURLE_OK && a->body <= BODY_MOST)
		leave(curl_easy_strerror(rc));
	if (status >= 200 && status < 400)
		leave(NULL);
	(void)snprintf(text, sizeof(text), "answered with status %ld", status);
	leave(text);
}

int main(int argc, char **argv)
{
	struct answer a = { .fd = -1 };
	long ms = argc > 2 ? atol(argv[2]) : 0;
	CURL *c;

	if (ms <= 0)
		leave("usage: holdport-http URL MS [FD | unix:PATH]");
	end_after(ms);
	c = curl_global_init(0) == CURLE_OK ? curl_easy_init() : NULL;
	if (!c)
		leave("libcurl cannot be used");
	choose_way(c, argv[3], &a);
	ask(c, argv[1], ms, &a);
	judge(c, curl_easy_perform(c), &a);
}
