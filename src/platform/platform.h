/* What this system can do, in the program's words.
 *
 * The core asks here and offers the next best in the open where the answer is
 * "cannot" (-1 with ENOTSUP in err->code).  Linux is the full implementation;
 * generic/ holds the answer "cannot" for the rest; CMake picks file by file. */
#ifndef HOLDPORT_PLATFORM_PLATFORM_H
#define HOLDPORT_PLATFORM_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "base/err.h"

#define ABILITIES(X)                                                                  \
	X(INTERCEPT_BIND, "intercept_bind", "a bind(2) of a worker's, answered by us")     \
	X(HOLD_PROCESS, "hold_process", "a handle that outlives reuse of a pid")      \
	X(FIND_LISTENER, "find_listener", "who listens at an address")                \
	X(FIND_ACCEPTOR, "find_acceptor", "which process accepted a connection")      \
	X(SEE_WAITING, "see_waiting", "whether a process waits on a socket")          \
	X(COUNT_CONNECTIONS, "count_connections", "which process has which connection") \
	X(STEER, "steer", "new connections from one socket of an address to another")  \
	X(HEAR_SOCKETS, "hear_sockets", "news of a socket that has gone")             \
	X(END_CONNECTIONS, "end_connections", "an end to connections that are left")

enum ability {
#define X(name, word, help) CAN_##name,
	ABILITIES(X)
#undef X
	ABILITY_COUNT
};

const char *ability_word(enum ability a);
bool platform_can(enum ability a);	/* probed once, by trying */
bool platform_could(enum ability a);	/* it was tried, and can */
/* It was, by a process before us that had our rights: it is not tried again. */
void platform_believe(enum ability a);

/* A program that holds a socket. */
struct holder {
	pid_t pid;		/* 0: not visible */
	bool late;		/* the look ended before all processes were seen */
	char program[64];	/* name of its executable; "" not visible */
	uid_t uid;		/* owner of the socket, as the kernel tells */
	unsigned long inode;	/* of the socket */
	int fd;			/* its descriptor there; where the pid is visible */
};

/* Listening (stream) or bound (datagram) sockets that conflict with this
 * address by the kernel's rules (wildcards, dual-stack; the same port).  Returns
 * how many there are and fills at most `most` of them; -1 when it cannot tell. */
int platform_find_listeners(const struct sockaddr *sa, socklen_t length, int type,
			    struct holder *ret, size_t most, struct err *err);

/* Sockets without a listener that are left at an address, counted by TCP state (index
 * as in <netinet/tcp.h>: TCP_ESTABLISHED = 1 … TCP_CLOSING = 11). */
struct left_at {
	const struct sockaddr *sa;	/* TCP; one of another family is passed over */
	unsigned counts[12];		/* out, of each; only on success */
};
/* One look at the system's connections, however many addresses are asked about. */
int platform_count_leftovers(struct left_at *at, size_t count, struct err *err);

/* A socket that has a port: it listens, is bound only, or was left behind. */
struct bound {
	struct sockaddr_storage local;	/* IPv6 link-local: with its interface */
	bool v6only;
	int state;		/* as above; TCP_CLOSE: bound, not listening */
	uid_t uid;
	unsigned long inode;	/* 0: no process has it open */
	int64_t ends_ms;	/* the kernel ends this state then by itself; -1: it does not */
};

/* Shows every socket of both families at this port, 10,000 of them in some 15 ms.
 * 1: all that is known; 0: from a table that does not tell v6only and what is bound
 * only, and may show one twice while others come and go; -1 cannot tell. */
int platform_each_bound(int port, int type, void (*see)(const struct bound *b, void *ctx),
			void *ctx, struct err *err);
/* Fills in pid, program and descriptor of those whose inode a visible process has:
 * of several the oldest.  One walk over all processes, that takes ms of the processor at
 * most, and four times as long: who was not found by then is late. */
void platform_name_holders(struct holder *holders, size_t count, int ms);

/* Whether the socket of a holder that was named has SO_REUSEADDR, SO_REUSEPORT; -1: not
 * visible (other users' only to root). */
int platform_reuse_of(const struct holder *h, bool *ret_address, bool *ret_port);

/* Ends the connections at this port for which `end` is true, without a word to the
 * peer but a reset.  How many that were; -1 (EPERM, ENOTSUP) cannot. */
int platform_end_connections(int port, bool (*end)(const struct bound *b, void *ctx), void *ctx,
			     struct err *err);

/* A descriptor that is readable when something has changed: a socket at this port has
 * gone, or the other end of one, where that is on this host (`listener`: a listener
 * only); an address has come to this host.  Close-on-exec, non-blocking; the caller
 * owns it.  -1: this system has no such news.
 *
 * Not heard of: the end of TIME_WAIT, and of FIN_WAIT_2 once nobody has it open. */
int platform_hear_sockets(int port, int type, bool listener, struct err *err);
int platform_hear_addresses(struct err *err);
/* Takes what is there to read: whether something has changed, or may have, since
 * news was lost. */
bool platform_heard(int fd);

/* The inode of the server's end of a connection that this process made: its
 * addresses are those of `fd` (connected, ours) the other way round.  1 and the
 * inode; 0 while nobody has accepted it; -1 cannot tell. */
int platform_find_acceptor(int fd, unsigned long *ret_inode, struct err *err);

/* Does this process or one below it hold the socket with this inode?  1, 0, -1. */
int platform_holds_socket(pid_t pid, unsigned long inode, struct err *err);
/* Does it, or one below it, wait for clients on it (an accept(2) or recv(2) that
 * blocks, or an epoll set that watches it)?  1, 0, -1. */
int platform_waits_on(pid_t pid, const unsigned long *inodes, size_t count, struct err *err);

/* A descriptor of a socket that a process holds. */
struct socket_copy {
	unsigned long inode;
	pid_t pid;
	int fd;
	char program[64];	/* name of its executable; "" not visible */
};
/* Told of one copy; true: enough. */
typedef bool socket_copy_fn(const struct socket_copy *copy, void *ctx);
/* Every visible copy of sockets with these inodes, by one walk over all processes
 * that takes ms of the processor at most.  1: all were seen; 0: it was cut short, or some processes
 * may not be looked at; -1 cannot tell. */
int platform_socket_copies(const unsigned long *inodes, size_t count, int ms,
			   socket_copy_fn *see, void *ctx, struct err *err);
/* The parent of a process; 0: none, or not visible. */
pid_t platform_parent(pid_t pid);

/* What it and those below it have of memory, without files that are mapped and memory that
 * is shared; pages that a fork(2) has doubled count for each.  0, -1. */
int platform_memory_of(pid_t pid, int64_t *ret, struct err *err);

/* Was a process below it, which runs another executable, started with this item
 * ("NAME=value") in its environment?  1, 0, -1. */
int platform_below_started_with(pid_t pid, const char *item, struct err *err);
/* Is it one of those, by the environment that it was started with?  Items, each ended by NUL. */
typedef bool environment_fn(const char *environment, size_t length, void *ctx);
/* Kills those of the children of a process, and who is below them.  Where it killed somebody,
 * more may have come: it is asked again.  How many it killed, -1. */
int platform_kill_children(pid_t parent, environment_fn *is_one, void *ctx, struct err *err);

/* Identity of the network namespace we are in; 0: this system has none. */
unsigned long platform_network_namespace(void);
/* Whether a socket, of whomever, is in it; true where that is not to be known. */
bool platform_in_our_network(int fd);
/* Connections that wait in a listener's queue and how many may; -1: cannot tell. */
int platform_queue(int fd, int *ret_queue, int *ret_backlog);
/* Somebody waits to be accepted; a datagram waits to be read. */
bool platform_has_waiting(int fd);
/* bind(2), listen(2): here so that a test can script their failures. */
int platform_bind(int fd, const struct sockaddr *sa, socklen_t length);
int platform_listen(int fd, int backlog);

/* A second socket may be bound beside this one, or may not (any more). */
int platform_share(int fd, bool shared, struct err *err);
/* Nothing new comes to it any more.  What waits in its queue stays, and what is on
 * its way to it arrives.  Deaf ones of one number may be of one group, others never
 * are; a number is at most DEAF_MOST. */
#define DEAF_MOST 0x3fffffff
int platform_deafen(int fd, unsigned number, struct err *err);
/* It gets what is new again: on this interface; NULL: on all. */
int platform_hear(int fd, const char *device, struct err *err);
bool platform_is_deaf(int fd);
/* Is it on this interface (NULL: on all)?  True where it cannot be told. */
bool platform_hears(int fd, const char *device);
/* Takes off a filter that somebody put on it: 1; 0: there is none, or it cannot be
 * told; -1 and errno: it stays. */
int platform_drop_filter(int fd);
/* Of sockets that share one and the same address, this one gets all that is new,
 * counted from 0 in the order in which they began to listen.  fd: any of them. */
int platform_prefer(int fd, unsigned place, struct err *err);
/* New connections (datagrams of new senders) of the SO_REUSEPORT group that fd is in
 * go to these places of it only, evenly; count 0: to all.  Places are numbered in the
 * order in which sockets came to listen (datagram: were bound); where one leaves, the
 * last takes its place.  0, or -1 and errno: ENOTSUP where it cannot be steered. */
int platform_choose(int fd, bool datagram, const unsigned *places, size_t count);
/* Whose socket it is: only those of one user may be in a group.  0, or -1 and errno. */
int platform_socket_owner(int fd, uid_t user);

/* A pipe for a worker's output whose write end never meets a closed pipe: the
 * writer holds a reading end as well (facts: anonymous pipes, SIGPIPE). */
int platform_output_pipe(int *ret_read, int *ret_write, struct err *err);

enum { OUTPUT_PIPE_ROOM = 65536 };	/* where it cannot be known */
/* How many bytes fit into a pipe; whoever writes to it may change that. */
int platform_pipe_room(int pipe);

/* When a file was made, by the clock that people set; 0: it cannot be told. */
int64_t platform_file_born(int fd);

/* What a pipe holds, without taking it out. */
struct glass {
	int ends[2];			/* a pipe beside it */
	int away;			/* where what is taken out goes */
};
int platform_look_open(struct glass *g, struct err *err);
void platform_look_close(struct glass *g);
/* How many bytes; 0: nothing now, -1 and errno. */
void platform_look_skip(const struct glass *g, int pipe, size_t count);	/* takes it out */
long platform_look(const struct glass *g, int pipe, char *bytes, size_t most);
/* As that, but of bytes only the last `end` are filled in; all of it is in `copy` as well,
 * to be poured into a file (or away) without coming here.  0 and less: it is not there. */
long platform_look_end(const struct glass *g, const struct glass *copy, int pipe, char *bytes,
		       size_t most, size_t end);
/* The next count bytes of a copy to the end of a file that was not opened to be appended to;
 * fd -1: away.  How many went; -1 and errno. */
long platform_look_pour(const struct glass *copy, int fd, size_t count);

/* A set of descriptors that is readable when something came to one of them since it
 * was last asked for; that there is still something left does not count. */
int platform_edges_open(void);		/* close-on-exec; the caller owns it; -1 and errno */
int platform_edges_add(int set, int fd, void *tag);
void platform_edges_remove(int set, int fd);
void *platform_edges_next(int set);	/* the tag of one; NULL: none */

/* While something is left in a pipe, a write(2) that fills it and waits for more room tells
 * nobody who watches its edges (Linux since 5.5).  Of a pipe that is heard it tells here. */
int platform_stalls_open(void);		/* readable when one did; in each thread made after it */
int platform_stalls_hear(int pipe, int yes);
void platform_stalls_clear(int stalls);

/* A unix socket of our own at a path of our own (control, notification), in place
 * of whatever is there; close-on-exec, non-blocking.  The caller owns it. */
int platform_own_socket(const char *path, int type, mode_t mode, struct err *err);

/* The user at the other end of a unix socket.  0, or -1 and errno. */
int platform_peer_user(int fd, uid_t *ret);
/* Its process; 0: not known. */
pid_t platform_peer_pid(int fd);
/* Whether it was in a group when it connected, its primary one or another.  1, 0,
 * or -1 and errno: cannot tell. */
int platform_peer_in_group(int fd, gid_t group);

/* A set of descriptors that is readable when one of them has hung up; for nothing
 * else.  -1: this system has none, or the descriptor cannot be in one. */
int platform_hangups_open(void);	/* close-on-exec; the caller owns it */
int platform_hangups_add(int set, int fd);
void platform_hangups_remove(int set, int fd);
int platform_hangups_next(int set);	/* one that has; -1: none */
/* Are they two names of the same open file?  False where it cannot be told. */
bool platform_same_file(int a, int b);

/* The first port that may be bound without a privilege, on TCP and UDP. */
int platform_first_free_port(void);
/* Whether outgoing connections may be given this port by the system. */
bool platform_is_ephemeral(int port);

/* A set of files, readable when a name of one was made, removed or moved; when nothing
 * else of it changed either, only now and then.  -1: this system has none. */
int platform_links_open(void);		/* close-on-exec, non-blocking; the caller owns it */
int platform_links_add(int set, const char *path);	/* its number, -1: not watched */
void platform_links_remove(int set, int number);
int platform_links_next(int set);	/* the number of one; -1: no more */

/* Processors that this process may run on. */
int platform_processors(void);

/* Whether programs load a library that LD_PRELOAD names; whether the program in this
 * file does (-1 and why not). */
bool platform_preloads(void);
int platform_preload_reaches(const char *file, struct err *err);
/* Where our own program is; NULL: not known.  The caller frees it. */
char *platform_own_directory(void);

#endif
