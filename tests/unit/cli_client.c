/* Until when the command asks. */
#include "socket_support.h"

#include <stdlib.h>
#include <sys/un.h>

#include "base/mem.h"
#include "cli/client.c"
#include "cli/refusal.c"

/* Nobody accepts, which connect(2) does not wait for. */
static int listener(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

static void the_deadline_stays_when_it_is_asked_again(void **state)
{
	char dir[] = "/tmp/hp-client.XXXXXX", *path;
	struct client c;
	int64_t until;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	path = mem_format("%s/control", dir);
	fd = listener(path);
	assert_int_equal(client_open(&c, dir, 60000, NULL), 0);
	until = c.deadline;
	(void)usleep(2000);		/* a later one would be another */
	assert_int_equal(client_open_again(&c, dir, NULL), 0);
	assert_int_equal(c.deadline, until);
	client_close(&c);
	fd_close(&fd);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_deadline_stays_when_it_is_asked_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
