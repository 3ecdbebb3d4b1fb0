/* fork_cost CHILDREN: what a program that forks all the time pays for a filter that
 * reports bind(2).
 *
 * A line each pair, until nobody reads them: processor time of a child that becomes
 * true(1), in µs, as its parent pays it and it pays itself, without the filter and
 * with it.  Which of the two comes first changes from pair to pair. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/intercept.h"

static double used_us(int who)
{
	struct rusage u;

	if (getrusage(who, &u) < 0)
		return 0;
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static void fork_one(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		execl("/bin/true", "true", (char *)NULL);
		_exit(1);
	}
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		_exit(1);
}

static _Noreturn void work(int result, int children, const struct filter *f)
{
	double before, each;

	if (f && platform_filter_install(f) < 0)
		_exit(1);
	fork_one();
	before = used_us(RUSAGE_SELF) + used_us(RUSAGE_CHILDREN);
	for (int i = 0; i < children; i++)
		fork_one();
	each = (used_us(RUSAGE_SELF) + used_us(RUSAGE_CHILDREN) - before) / children;
	_exit(write(result, &each, sizeof(each)) == (ssize_t)sizeof(each) ? 0 : 1);
}

static double measure(int children, const struct filter *f)
{
	double each = 0;
	int ends[2];
	pid_t pid;

	if (pipe(ends) < 0 || (pid = fork()) < 0)
		exit(1);
	if (pid == 0)
		work(ends[1], children, f);
	close(ends[1]);
	if (read(ends[0], &each, sizeof(each)) != (ssize_t)sizeof(each))
		exit(1);
	close(ends[0]);
	(void)waitpid(pid, NULL, 0);
	return each;
}

int main(int argc, char **argv)
{
	int children = argc > 1 ? atoi(argv[1]) : 100;
	struct err err;
	const struct filter *f = platform_filter(false, &err);
	double side[2];

	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	(void)signal(SIGPIPE, SIG_DFL);
	if (!f || platform_filter_works(&err) < 0) {
		fprintf(stderr, "fork_cost: %s\n", err.text);
		return 4;
	}
	for (unsigned n = 0;; n++) {
		for (unsigned i = 0; i < 2; i++)
			side[(n + i) % 2] = measure(children, (n + i) % 2 ? f : NULL);
		printf("%.1f %.1f\n", side[0], side[1]);
	}
}
