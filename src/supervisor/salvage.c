#include "supervisor/salvage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "supervisor/supervisor.h"

/* Something that the keeper held; `lost` in the same place says where it is now. */
struct wreck_item {
	unsigned number;		/* in custody */
	const char *what;
	const char *name;		/* of a socket; NULL: of a worker's own */
};

struct wreck {
	struct wreck_item *items;
	struct lost_file *lost;
	size_t count;
	unsigned living;		/* workers */
	struct err why;			/* what one of them did not let us take */
};

static int check_state(int fd, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(err, errno, "it cannot be read");
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 022))
		return err_set(err, EPERM, "it is not a file that only we write");
	return 0;
}

/* -1 with err->code ENOENT: there is none, which is how an orderly end leaves it. */
static int open_state(const char *path, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return err_sys(err, errno, "it cannot be opened");
	if (check_state(fd, err) < 0)
		fd_close(&fd);
	return fd;
}

static int check_boot(const struct supervisor *s, struct err *err)
{
	const char *then = fact_get(&s->memory.before.supervisor, "boot");
	char now[BOOT_ID_SIZE];

	if (!then || !*then || strcmp(then, platform_boot_id(now)) != 0)
		return err_set(err, ENOENT, "it is of another boot of this system");
	return 0;
}

static void add(struct wreck *w, const struct fact *f, const char *number, const char *inode,
		const char *what, const char *name)
{
	int64_t n = fact_int(f, number, 0), file = fact_int(f, inode, 0);
	bool listener = strcmp(what, "listener") == 0;

	if (n <= 0 || n >= CUSTODY_MOST)
		return;
	w->items = mem_grow(w->items, w->count + 1, sizeof(*w->items));
	w->lost = mem_grow(w->lost, w->count + 1, sizeof(*w->lost));
	w->items[w->count] = (struct wreck_item){ (unsigned)n, what, name };
	/* One that is not said is found by no number. */
	w->lost[w->count++] = (struct lost_file){
		.inode = listener ? 0 : file > 0 ? (uint64_t)file : UINT64_MAX, .fd = -1,
	};
}

static void add_sockets(struct wreck *w, const struct snapshot *before)
{
	list_each(b, &before->sockets, struct snapshot_block, node)
		add(w, &b->head, "held", "inode", "socket", fact_get(&b->head, "name"));
}

static bool lives(const struct fact *f, const char *pid, const char *born)
{
	int64_t number = fact_int(f, pid, 0);
	struct process p;

	if (number <= 0 || number > INT32_MAX ||
	    platform_process_find((pid_t)number, (uint64_t)fact_int(f, born, 0), &p) < 0)
		return false;
	fd_close(&p.handle);
	return true;
}

/* It may have what others lost as well: a socket is in all of its program's workers. */
static void take_from(struct wreck *w, const struct fact *f, const char *pid, const char *born)
{
	struct err err;

	if (!lives(f, pid, born))
		return;
	w->living++;
	if (platform_take_back((pid_t)fact_int(f, pid, 0), w->lost, w->count, &err) < 0)
		w->why = err;
}

/* Listeners cannot be told apart but by whose they are: its own are looked for alone. */
static void take_from_worker(struct wreck *w, const struct fact *f)
{
	size_t before = w->count;

#define X(name, word) add(w, f, word, word "_inode", word, NULL);
	MEMBER_KEPT(X)
#undef X
	take_from(w, f, "pid", "born");
	take_from(w, f, "main", "main_born");
	for (size_t i = before; i < w->count; i++)
		if (!w->lost[i].inode)
			w->lost[i].inode = UINT64_MAX;
}

static void take_from_program(struct wreck *w, const struct snapshot_block *b)
{
	for (size_t i = 0; i < b->count; i++)
		if (fact_is(&b->facts[i], "stored"))
			add(w, &b->facts[i], "kept", "inode", "store", NULL);
	for (size_t i = 0; i < b->count; i++)
		if (fact_is(&b->facts[i], "worker"))
			take_from_worker(w, &b->facts[i]);
}

/* A service manager above us stored a copy (deposit.h). */
static void take_left(struct wreck *w, struct inherited *left)
{
	for (size_t i = 0; i < w->count; i++)
		if (w->items[i].name)
			w->lost[i].fd = inherited_take(left, w->lost[i].inode);
}

/* A wrapper may have ended, and what it left has the socket. */
static bool on_copy(const struct socket_copy *copy, void *ctx)
{
	struct wreck *w = ctx;
	struct err err;

	if (copy->pid != getpid() && platform_take_back(copy->pid, w->lost, w->count, &err) < 0)
		w->why = err;
	return false;
}

enum { LOOK_MS = 1000 };

static void look_everywhere(struct wreck *w)
{
	unsigned long *inodes = mem_grow(NULL, w->count + 1, sizeof(*inodes));
	size_t count = 0;

	for (size_t i = 0; i < w->count; i++)
		if (w->items[i].name && w->lost[i].fd < 0)
			inodes[count++] = (unsigned long)w->lost[i].inode;
	if (count)
		(void)platform_socket_copies(inodes, count, LOOK_MS, on_copy, w, NULL);
	free(inodes);
}

static void say_lost(const struct wreck *w, const struct wreck_item *i)
{
	log_warning("socket %s is not taken back: %s; it is bound anew as soon as it can be",
		    i->name, *w->why.text ? w->why.text : "no process has it any more");
}

/* Taken back by one before us, who was killed as well. */
static bool is_kept(const struct custody *c, const struct wreck *w, size_t i)
{
	unsigned number = w->items[i].number;
	int fd = number < c->count ? c->items[number].fd : -1;

	return fd >= 0 && strcmp(c->items[number].what, w->items[i].what) == 0 &&
	       (w->lost[i].inode == UINT64_MAX || w->lost[i].inode == custody_inode(fd));
}

/* True: it is in custody. */
static bool put(struct wreck *w, size_t i, struct custody *c)
{
	const struct wreck_item *item = &w->items[i];
	bool kept = is_kept(c, w, i), there = kept || w->lost[i].fd >= 0;

	if (item->name && !there)
		say_lost(w, item);
	if (kept)
		fd_close(&w->lost[i].fd);
	else
		custody_put(c, item->number, item->what, &w->lost[i].fd);
	return there;
}

/* How many sockets there are. */
static unsigned put_all(struct wreck *w, struct custody *c)
{
	unsigned sockets = 0;

	for (size_t i = 0; i < w->count; i++)
		sockets += put(w, i, c) && w->items[i].name;
	return sockets;
}

static bool take_all(struct supervisor *s)
{
	struct wreck w = { 0 };
	unsigned sockets;
	bool any;

	add_sockets(&w, &s->memory.before);
	take_left(&w, &s->inherited);
	list_each(b, &s->memory.before.programs, struct snapshot_block, node)
		take_from_program(&w, b);
	look_everywhere(&w);
	any = w.living;
	for (size_t i = 0; i < w.count; i++)
		any = any || w.lost[i].fd >= 0 || is_kept(&s->memory.custody, &w, i);
	if (any) {
		sockets = put_all(&w, &s->memory.custody);
		log_notice("the supervisor before this one was killed, keeper and manager: %u of its "
			   "workers live, %u sockets are taken back", w.living, sockets);
	}
	free(w.items);
	free(w.lost);
	return any;
}

static int read_state(struct supervisor *s, const char *path, struct err *err)
{
	int fd = open_state(path, err), rc = -1;

	if (fd >= 0 && memory_read(s, fd, err) == 0 && check_boot(s, err) == 0)
		rc = 0;
	fd_close(&fd);
	return rc;
}

/* `exec` may run another command than the one that was. */
static bool is_wanted(const struct supervisor *s)
{
	return !s->memory.there && !s->one_command;
}

/* Somebody has started us: what ends, or is asked to read its file, is not the one
 * that was. */
static void begin_again(struct supervisor *s, const char *file)
{
	s->file = file;
	s->started = time(NULL);
	s->begin_again = s->was_leaving;
	s->was_leaving = false;
	s->leave_by = 0;
	s->hurried = false;
}

bool salvage(struct supervisor *s, const char *dir)
{
	char *path = mem_format("%s/state", dir);
	const char *file = s->file;
	struct err err = { 0 };
	bool well = false;

	if (!is_wanted(s))
		;
	else if (read_state(s, path, &err) < 0)
		log_line(err.code == ENOENT ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING,
			 "%s is passed over: %s", path, err.text);
	else if (fact_bool(&s->memory.before.supervisor, "one_command") || !take_all(s)) {
		log_info("%s: nothing of what it tells is left", path);
		(void)unlink(path);	/* a successor of ours would not know */
	} else {
		s->memory.there = true;
		well = memory_accept(s, &err) == 0;
		if (!well)
			memory_refuse(s, &err);
	}
	if (well)
		begin_again(s, file);
	else
		snapshot_fini(&s->memory.before);
	free(path);
	return well;
}
