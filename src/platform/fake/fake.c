#include "platform/fake/fake.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "platform/count.h"
#include "platform/platform.h"

struct fake fake;

void fake_reset(void)
{
	memset(&fake, 0, sizeof(fake));
	fake.last_pid = 1000;
}

struct fake_process *fake_process(pid_t pid)
{
	for (size_t i = 0; i < FAKE_PROCESSES; i++)
		if (fake.processes[i].life != FAKE_FREE && fake.processes[i].pid == pid)
			return &fake.processes[i];
	return NULL;
}

void fake_exit(struct fake_process *p, struct process_end end)
{
	p->life = FAKE_ZOMBIE;
	p->end = end;
}

int platform_spawn(const struct spawn *s, struct process *ret, int *ret_report, struct err *err)
{
	struct fake_process *p = fake.processes;

	if (fake.spawn_errno)
		return err_sys(err, fake.spawn_errno, "cannot fork");
	while (p < fake.processes + FAKE_PROCESSES && p->life != FAKE_FREE)
		p++;
	if (p == fake.processes + FAKE_PROCESSES)
		return err_sys(err, EAGAIN, "cannot fork");
	*p = (struct fake_process){ .life = FAKE_ALIVE, .pid = ++fake.last_pid,
				    .exec_errno = -1 };
	p->report = open("/dev/null", O_RDONLY | O_CLOEXEC);
	*ret = (struct process){ .pid = p->pid, .handle = -1 };
	*ret_report = p->report;
	if (s->ret_gate)
		*s->ret_gate = open("/dev/null", O_WRONLY | O_CLOEXEC);
	return 0;
}

enum verdict platform_spawn_verdict(int report, struct spawn_report *ret)
{
	*ret = (struct spawn_report){ .step = "exec", .listener = -1 };
	for (size_t i = 0; i < FAKE_PROCESSES; i++) {
		struct fake_process *p = &fake.processes[i];

		if (p->life == FAKE_FREE || p->report != report)
			continue;
		if (p->exec_errno < 0)
			return p->life == FAKE_ZOMBIE ? VERDICT_RUNS : VERDICT_PENDING;
		ret->why = p->exec_errno;
		return p->exec_errno ? VERDICT_FAILED : VERDICT_RUNS;
	}
	return VERDICT_RUNS;
}

int platform_signal(const struct process *p, int number)
{
	struct fake_process *f = p->pid > 0 ? fake_process(p->pid) : NULL;

	if (p->pid > 0 && !f)
		fake.strangers++;
	if (!f || f->life != FAKE_ALIVE) {
		errno = ESRCH;
		return -1;
	}
	f->signals |= 1UL << number;
	return 0;
}

int platform_signal_group(const struct process *p, int number)
{
	return platform_signal(p, number);
}

int platform_peek(const struct process *p, struct process_end *ret)
{
	struct fake_process *f = fake_process(p->pid);

	if (!f)
		return -1;
	if (f->life == FAKE_ZOMBIE)
		*ret = f->end;
	return f->life == FAKE_ZOMBIE;
}

uint64_t platform_process_born(pid_t pid)
{
	return (uint64_t)pid;
}

int platform_process_find(pid_t pid, uint64_t born, struct process *ret)
{
	if (!fake_process(pid) || born != (uint64_t)pid)
		return -1;
	*ret = (struct process){ .pid = pid, .handle = -1 };
	return 0;
}

uint64_t platform_process_id(const struct process *p)
{
	return (uint64_t)p->pid;
}

int platform_process_known(pid_t pid, uint64_t id, struct process *ret)
{
	return platform_process_find(pid, id, ret);
}

int platform_end_of_stranger(const struct process *p, struct process_end *ret)
{
	(void)p;
	(void)ret;
	return -1;
}

void platform_reap(struct process *p)
{
	struct fake_process *f = fake_process(p->pid);

	if (f)
		f->life = FAKE_FREE;
	else
		fake.strangers++;
	*p = PROCESS_NONE;
}

int platform_find_main(const struct process *worker, const struct main_claim *claim,
		       struct process *ret, struct err *err)
{
	(void)worker;
	(void)claim;
	(void)ret;
	return err_set(err, ENOTSUP, "not in a fake");
}

bool platform_has_ended(const struct process *p)
{
	(void)p;
	return true;
}

void platform_close_on_exec_from(int first)
{
	(void)first;
}

bool platform_can(enum ability a)
{
	return a == CAN_STEER && !fake.cannot_steer;
}

int platform_share(int fd, bool shared, struct err *err)
{
	(void)fd;
	(void)shared;
	(void)err;
	return 0;
}

int platform_deafen(int fd, unsigned number, struct err *err)
{
	(void)fd;
	(void)number;
	(void)err;
	return 0;
}

int platform_hear(int fd, const char *device, struct err *err)
{
	(void)fd;
	(void)device;
	return fake.cannot_steer ? err_sys(err, EPERM, "cannot hear") : 0;
}

bool platform_is_deaf(int fd)
{
	(void)fd;
	return false;
}

bool platform_hears(int fd, const char *device)
{
	(void)fd;
	(void)device;
	return true;
}

int platform_drop_filter(int fd)
{
	(void)fd;
	return 0;
}

int platform_prefer(int fd, unsigned place, struct err *err)
{
	(void)fd;
	(void)place;
	(void)err;
	return 0;
}

bool platform_could(enum ability a)
{
	(void)a;
	return false;
}

void platform_believe(enum ability a)
{
	(void)a;
}

const char *ability_word(enum ability a)
{
	(void)a;
	return "";
}

static int cannot(struct err *err)
{
	return err_set(err, ENOTSUP, "not in a fake");
}

int platform_find_listeners(const struct sockaddr *sa, socklen_t length, int type,
			    struct holder *ret, size_t most, struct err *err)
{
	(void)sa;
	(void)length;
	(void)type;
	(void)ret;
	(void)most;
	return cannot(err);
}

int platform_count_leftovers(struct left_at *at, size_t count, struct err *err)
{
	(void)at;
	(void)count;
	return cannot(err);
}

int platform_find_acceptor(int fd, unsigned long *ret_inode, struct err *err)
{
	(void)fd;
	(void)ret_inode;
	return cannot(err);
}

int platform_holds_socket(pid_t pid, unsigned long inode, struct err *err)
{
	(void)pid;
	(void)inode;
	return cannot(err);
}

int platform_socket_copies(const unsigned long *inodes, size_t count, int ms,
			   socket_copy_fn *see, void *ctx, struct err *err)
{
	(void)inodes;
	(void)count;
	(void)ms;
	(void)see;
	(void)ctx;
	return cannot(err);
}

int platform_count_connections(const struct count_socket *sockets, size_t socket_count,
			       struct count_worker *workers, size_t worker_count, int ms,
			       struct err *err)
{
	(void)sockets;
	(void)ms;
	if (fake.cannot_count)
		return cannot(err);
	fake.counts++;
	for (size_t i = 0; i < worker_count; i++) {
		const struct fake_process *p = fake_process(workers[i].pids[0]);

		workers[i].connections = p ? p->connections : -1;
		workers[i].listens = !p || !p->let_go;
		for (size_t k = 0; workers[i].by_socket && k < socket_count; k++)
			workers[i].by_socket[k] = p && k == p->came_by ? p->connections : 0;
	}
	return 0;
}

pid_t platform_parent(pid_t pid)
{
	(void)pid;
	return 0;
}

int platform_waits_on(pid_t pid, const unsigned long *inodes, size_t count, struct err *err)
{
	(void)pid;
	(void)inodes;
	(void)count;
	return cannot(err);
}

int platform_memory_of(pid_t pid, int64_t *ret, struct err *err)
{
	const struct fake_process *p = fake_process(pid);

	if (!p)
		return cannot(err);
	*ret = p->memory;
	return 0;
}

int platform_below_started_with(pid_t pid, const char *item, struct err *err)
{
	(void)pid;
	(void)item;
	return cannot(err);
}

bool platform_in_our_network(int fd)
{
	(void)fd;
	return true;
}

unsigned long platform_network_namespace(void)
{
	return 0;
}

int platform_bind(int fd, const struct sockaddr *sa, socklen_t length)
{
	(void)fd;
	(void)sa;
	(void)length;
	errno = fake.bind_errno;
	return fake.bind_errno ? -1 : 0;
}

bool platform_has_waiting(int fd)
{
	(void)fd;
	return fake.waiting;
}

int platform_listen(int fd, int backlog)
{
	(void)fd;
	(void)backlog;
	return 0;
}

int platform_choose(int fd, bool datagram, const unsigned *places, size_t count)
{
	(void)fd;
	(void)datagram;
	(void)places;
	(void)count;
	return 0;
}

int platform_socket_owner(int fd, uid_t user)
{
	(void)fd;
	(void)user;
	return 0;
}

/* Nobody sends to it: it need not be found by its name. */
int platform_own_socket(const char *path, int type, mode_t mode, struct err *err)
{
	(void)path;
	(void)type;
	(void)mode;
	(void)err;
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

int platform_output_pipe(int *ret_read, int *ret_write, struct err *err)
{
	(void)ret_read;
	(void)ret_write;
	return cannot(err);
}

int platform_anonymous_file(const char *name)
{
	(void)name;
	return cannot(NULL);
}

int platform_own_image(const char *path)
{
	(void)path;
	return cannot(NULL);
}

int platform_queue(int fd, int *ret_queue, int *ret_backlog)
{
	(void)fd;
	(void)ret_queue;
	(void)ret_backlog;
	return -1;
}

int platform_peer_user(int fd, uid_t *ret)
{
	(void)fd;
	*ret = geteuid();
	return 0;
}

pid_t platform_peer_pid(int fd)
{
	(void)fd;
	return getpid();
}

int platform_peer_in_group(int fd, gid_t group)
{
	(void)fd;
	(void)group;
	return 0;
}

int platform_links_open(void)
{
	return -1;
}

int platform_links_add(int set, const char *path)
{
	(void)set;
	(void)path;
	return -1;
}

void platform_links_remove(int set, int number)
{
	(void)set;
	(void)number;
}

int platform_links_next(int set)
{
	(void)set;
	return -1;
}

int platform_processors(void)
{
	return 2;
}

int platform_hangups_open(void)
{
	return -1;
}

int platform_hangups_add(int set, int fd)
{
	(void)set;
	(void)fd;
	return -1;
}

void platform_hangups_remove(int set, int fd)
{
	(void)set;
	(void)fd;
}

int platform_hangups_next(int set)
{
	(void)set;
	return -1;
}

bool platform_same_file(int a, int b)
{
	return a == b;
}

int platform_each_bound(int port, int type, void (*see)(const struct bound *b, void *ctx),
			void *ctx, struct err *err)
{
	(void)port;
	(void)type;
	(void)see;
	(void)ctx;
	return cannot(err);
}

void platform_name_holders(struct holder *holders, size_t count, int ms)
{
	(void)holders;
	(void)count;
	(void)ms;
}

int platform_reuse_of(const struct holder *h, bool *ret_address, bool *ret_port)
{
	(void)h;
	(void)ret_address;
	(void)ret_port;
	return -1;
}

int platform_end_connections(int port, bool (*end)(const struct bound *b, void *ctx), void *ctx,
			     struct err *err)
{
	(void)port;
	(void)end;
	(void)ctx;
	return cannot(err);
}

int platform_hear_sockets(int port, int type, bool listener, struct err *err)
{
	(void)port;
	(void)type;
	(void)listener;
	return cannot(err);
}

int platform_hear_addresses(struct err *err)
{
	return cannot(err);
}

bool platform_heard(int fd)
{
	(void)fd;
	return false;
}

int platform_first_free_port(void)
{
	return 1024;
}

bool platform_is_ephemeral(int port)
{
	(void)port;
	return false;
}
