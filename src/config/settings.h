/* What a configuration file means, understood and checked.
 *
 * One struct settings is one reading of the file.  It never changes after it
 * was loaded and is shared by reference: the configuration in force holds one,
 * and every generation that was started from it holds one, so that a worker of
 * generation 3 is started again by what generation 3 was given.
 *
 * The fields are filled by the option rows (options_*.c); what a value means
 * for a user is said there, once. */
#ifndef HOLDPORT_CONFIG_SETTINGS_H
#define HOLDPORT_CONFIG_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/log.h"
#include "base/names.h"
#include "base/text_list.h"
#include "socket/address.h"
#include "platform/cgroup.h"
#include "platform/traits.h"

#define TUNE_UNSET (-1)		/* of a number: leave it as the system has it */
enum choice { CHOICE_AUTO = -1, CHOICE_NO = 0, CHOICE_YES = 1 };

/* Where a section or value stands. */
struct place {
	const char *file;	/* owned by the settings */
	unsigned line;
};

struct supervisor_settings {
	char *runtime_dir;
	char *pid_file;			/* NULL: none */
	enum log_level log_level;
	char *log;			/* "stderr", "syslog", "journal" or a path */
	int64_t shutdown_timeout;	/* ms */
	int64_t upgrade_timeout;	/* ms */
	char *cgroup;			/* "auto", "none" or /PATH in the hierarchy */
	char *read_group, *change_group;	/* NULL: nobody beside root and ourselves */
	gid_t read_gid, change_gid;	/* the same, resolved; (gid_t)-1: nobody */
};

struct settings;
struct program_settings;

enum when_down { DOWN_HOLD, DOWN_REFUSE };
enum when_busy { BUSY_WAIT, BUSY_FAIL, BUSY_RESET };

struct socket_settings {
	struct settings *whole;		/* that this is part of; NULL: it stands alone */
	char *name;
	struct place place;
	struct text_list listen;	/* as written, expanded */
	struct address *addresses;	/* the same, understood; one each */
	size_t address_count;
	int type;			/* SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET */
	int64_t backlog;		/* 0: what the system allows */
	int ipv6_only, exclusive, non_blocking;	/* enum choice; non_blocking AUTO: keep */
	/* TUNE_UNSET or a value: */
	int64_t free_bind, transparent, mark, priority, tos, no_delay, defer_accept /* ms */,
		fast_open, keep_alive, keep_alive_idle /* ms */, keep_alive_interval /* ms */,
		keep_alive_probes, receive_buffer, send_buffer, user_timeout /* ms */;
	int mptcp;			/* bool */
	int when_busy;			/* enum when_busy */
	int64_t busy_timeout;		/* ms */
	int reuse_port;			/* bool: one a worker, in one group */
	const struct program_settings *user;	/* the first that names it; NULL: none */
	uid_t worker_uid;		/* of that program; (uid_t)-1: ours */
	int when_down;			/* enum when_down */
	char *bind_device, *congestion;	/* NULL: unset */
	int mode;			/* of a unix path */
	char *owner, *group;		/* NULL: unset */
	uid_t uid;			/* resolved owner and group; (uid_t)-1: unset */
	gid_t gid;
	/* Not read: it is bound when a worker binds it, for all its programs have
	 * handoff = intercept, and it is no group. */
	bool by_worker;
};

/* A rung of a stop ladder.  The last one is always KILL, without patience. */
struct rung {
	int signal;
	int64_t patience;		/* ms; -1 at the last rung */
};

enum handoff {			/* bits of a set */
	HANDOFF_LISTEN_FDS = 1,	/* `auto`: LISTEN_FDS and SERVER_STARTER_PORT */
	HANDOFF_STDIN = 2,
	HANDOFF_NGINX = 4,
	HANDOFF_NONE = 8,
	HANDOFF_EINHORN = 16,
	HANDOFF_PHP_FPM = 32,
	HANDOFF_INTERCEPT = 64,	/* the worker binds, and is given what is held */
	/* those that announce descriptors from 3 on */
	HANDOFF_ANNOUNCES = HANDOFF_LISTEN_FDS | HANDOFF_NGINX | HANDOFF_EINHORN |
			    HANDOFF_PHP_FPM,
};

enum ready_how { READY_AUTO, READY_NOTIFY, READY_FD, READY_LISTEN, READY_TCP, READY_HTTP,
		 READY_EXEC, READY_DELAY, READY_NONE };
struct ready {
	enum ready_how how;
	int fd;				/* READY_FD */
	int64_t delay;			/* ms, READY_DELAY */
	struct text_list words;		/* of the command; what follows http:; late */
};

enum strategy { STRATEGY_ROLLING, STRATEGY_OVERLAP, STRATEGY_REPLACE };
enum on_failure { ON_FAILURE_ROLLBACK, ON_FAILURE_STOP };
enum restart_policy { RESTART_ALWAYS, RESTART_ON_FAILURE, RESTART_NEVER };
enum kill_mode { KILL_MIXED, KILL_GROUP, KILL_PROCESS };
enum start_how { START_AUTO, START_MANUAL, START_ON_DEMAND };
enum output_how { OUTPUT_FORWARD, OUTPUT_INHERIT, OUTPUT_NULL, OUTPUT_STDOUT /* stderr only */,
		  OUTPUT_LOG, OUTPUT_FILE, OUTPUT_SYSLOG, OUTPUT_JOURNAL };
enum log_compress { LOG_COMPRESS_NONE, LOG_COMPRESS_GZIP };
struct output {
	enum output_how how;
	char *file;			/* OUTPUT_FILE: absolute, late; NULL otherwise */
};

struct limit {
	int resource;			/* RLIMIT_… */
	struct rlimit value;
};

struct program_settings {
	char *name;
	struct place place;
	struct text_list command;	/* words; late expansions still in them (expand.h) */
	char *directory;		/* absolute; late */
	bool runtime_directory;
	struct text_list environment;	/* NAME=value, late; environment_file's lines first */
	bool clear_environment;
	char *user, *group;		/* NULL: as ours */
	bool set_user, set_group;
	uid_t uid;
	gid_t gid;
	struct text_list supplementary_groups;	/* as written */
	gid_t *groups;			/* the user's, or supplementary_groups */
	size_t group_count;
	int64_t umask;			/* TUNE_UNSET: as ours */
	struct limit *limits;
	size_t limit_count;
	struct traits traits;
	struct cgroup_limits limits_of_group;
	struct text_list sockets;	/* names of [socket:…] sections, each exists */
	unsigned handoff;		/* a set of enum handoff */
	int64_t workers;		/* auto is resolved when read */
	enum start_how start;
	struct text_list after;		/* names of [program:…] sections, each exists */
	enum restart_policy restart;
	int64_t *success_exit_codes;
	size_t success_exit_code_count;
	int64_t restart_delay, restart_delay_max;	/* ms */
	int64_t start_attempts;		/* 0: never give up */
	struct ready ready;
	int64_t start_timeout;		/* ms */
	int64_t watchdog;		/* ms; 0: none */
	struct ready health;		/* TCP, HTTP, EXEC or NONE */
	int64_t health_interval, health_timeout;	/* ms; the latter for ready = http too */
	int64_t health_failures;
	int64_t rollback_window;	/* ms; 0: none */
	int64_t max_memory;		/* bytes; TUNE_UNSET: however much */
	int64_t max_age;		/* ms; TUNE_UNSET: however old */
	enum strategy strategy;
	int64_t rolling_batch;
	enum on_failure on_failure;
	struct rung *ladder;
	size_t ladder_length;
	enum kill_mode kill_mode;
	int64_t max_generations;
	struct output out, err;
	char *log_file;			/* OUTPUT_LOG: absolute, late; NULL: none */
	int64_t log_max_size;		/* bytes; 0: however large */
	int64_t log_max_age;		/* ms; TUNE_UNSET: however old */
	int64_t log_keep;
	int64_t log_rate, log_burst;	/* lines a second, at once; 0: any */
	enum log_compress log_compress;
	bool log_timestamps, log_prefix;
	int log_facility;		/* as in syslog(3) */
	char *pid_file;			/* NULL: none; late */
};

struct settings {
	unsigned references;
	char *file;			/* absolute; NULL for `exec` */
	struct supervisor_settings supervisor;
	struct socket_settings **sockets;	/* in the order of the file */
	size_t socket_count;
	struct program_settings **programs;	/* likewise */
	size_t program_count;
	struct names socket_names, program_names;	/* the same */
	unsigned number, written;	/* of whoever writes states down; 0: none */
	void *owned;			/* the document that places point into; not for others */
};

/* A fault in a file: what is wrong, where, and what would be right. */
struct fault {
	char *file;
	unsigned line;			/* 0: the file as a whole */
	char *text;
};

struct faults {
	struct fault *items;
	size_t count;
};

void faults_add(struct faults *f, const char *file, unsigned line, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
char *fault_text(const struct fault *f);	/* FILE:LINE: text; the caller owns it */
void faults_print(const struct faults *f, FILE *out);	/* FILE:LINE: text, a line each */
void faults_fini(struct faults *f);

/* Reads, understands and checks; NULL with at least one fault added. */
struct settings *settings_load(const char *file, struct faults *faults);

/* The settings of `holdport exec`: one program, one socket for all addresses
 * (none without addresses).  Keys are program keys, as "KEY" "VALUE" pairs in
 * options; command is NULL-terminated words, taken as they are: a $ in them is
 * a dollar.  The program is named after the command's last path component. */
struct settings *settings_exec(char *const *addresses, char *const *options,
			       char *const *command, const char *runtime_dir,
			       struct faults *faults);

/* What settings_print() wrote as SETTINGS_KEPT, perhaps in another version: what was in
 * force is in force again.  A key that we do not know is passed over where it had its
 * preset, and a fault where it had not.  file as it was there; may be NULL. */
struct settings *settings_restore(FILE *in, const char *file, struct faults *faults);

struct settings *settings_ref(struct settings *s);	/* accepts NULL */
void settings_unref(struct settings *s);	/* accepts NULL */

const struct program_settings *settings_program(const struct settings *s, const char *name);
const struct socket_settings *settings_socket(const struct settings *s, const char *name);
const char *settings_default_file(void);	/* /etc/holdport/holdport.conf */
/* /run/holdport for root, else $XDG_RUNTIME_DIR/holdport, else /tmp/holdport-UID.
 * The caller owns the text. */
char *settings_default_runtime_dir(void);

/* What changing an option costs, and so what a difference costs: the greatest
 * effect among the options that differ. */
#define EFFECTS(X)                                                       \
	X(NONE, "none")		/* nothing differs */                    \
	X(LIVE, "live")		/* taken over by what runs */            \
	X(RESTART, "restart")	/* needs a new generation */             \
	X(REBIND, "rebind")	/* needs a new socket at the address */
enum effect {
#define X(name, word) EFFECT_##name,
	EFFECTS(X)
#undef X
};
const char *effect_word(enum effect e);
/* ret_keys (may be NULL) receives the names of the keys that differ. */
enum effect program_settings_effect(const struct program_settings *was,
				    const struct program_settings *now, struct text_list *ret_keys);
enum effect socket_settings_effect(const struct socket_settings *was,
				   const struct socket_settings *now, struct text_list *ret_keys);

/* The effective settings as a file that could be read again. */
enum settings_text {
	SETTINGS_CHANGED,	/* the keys that differ from their preset */
	SETTINGS_EVERY_KEY,
	SETTINGS_KEPT,		/* for settings_restore(): those that differ, and the presets
				 * once, for another version may have others */
};
void settings_print(const struct settings *s, enum settings_text text, FILE *out);
/* Every option with its meaning, preset and effect: `config --reference`. */
void settings_print_reference(FILE *out);
/* conf/holdport.conf: the same rows as a commented example file. */
void settings_print_example(FILE *out);
/* The same rows as the middle of holdport.conf(5). */
void settings_print_mdoc(FILE *out);

#endif
