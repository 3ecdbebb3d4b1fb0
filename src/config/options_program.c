/* The rows of [program:NAME]. */
#include <stddef.h>
#include <sys/resource.h>
#include <syslog.h>

#include "config/option.h"
#include "config/option_program.h"

#define SELF struct program_settings
#define FIELD_AS(name, f, T, t) .key = name, .type = &(t), .offset = OPTION_FIELD(SELF, f, T)
#define FIELD(f, T, t)	FIELD_AS(#f, f, T, t)
#define NUMBER(f)	FIELD(f, int64_t, option_number)
#define DURATION(f)	FIELD(f, int64_t, option_duration), .max = 365LL * 86400000
#define WORDS(f, T, w)	FIELD(f, T, option_words), .words = (w)
#define TEXT(f)		FIELD(f, char *, option_text)
#define LIST(f)		FIELD(f, struct text_list, option_list)
#define LIMIT(name, number, what)                                              \
	{ FIELD_AS("limit_" name, limits, struct limit *, option_limit),       \
	  .preset = "", .argument = (number), .effect = EFFECT_RESTART,        \
	  .help = "Resource limit, soft or soft:hard: " what "." }

/* clang-format off */
static const struct option_word starts[] = {
	{ "auto", START_AUTO }, { "manual", START_MANUAL }, { "on-demand", START_ON_DEMAND },
	{ NULL, 0 },
};
static const struct option_word restarts[] = {
	{ "always", RESTART_ALWAYS }, { "on-failure", RESTART_ON_FAILURE },
	{ "never", RESTART_NEVER }, { NULL, 0 },
};
static const struct option_word io_classes[] = {
	{ "inherit", IO_INHERIT }, { "realtime", IO_REALTIME }, { "best-effort", IO_BEST_EFFORT },
	{ "idle", IO_IDLE }, { NULL, 0 },
};
static const struct option_word strategies[] = {
	{ "rolling", STRATEGY_ROLLING }, { "overlap", STRATEGY_OVERLAP },
	{ "replace", STRATEGY_REPLACE }, { NULL, 0 },
};
static const struct option_word failures[] = {
	{ "rollback", ON_FAILURE_ROLLBACK }, { "stop", ON_FAILURE_STOP }, { NULL, 0 },
};
static const struct option_word kill_modes[] = {
	{ "mixed", KILL_MIXED }, { "group", KILL_GROUP }, { "process", KILL_PROCESS }, { NULL, 0 },
};
static const struct option_word outs[] = {
	{ "forward", OUTPUT_FORWARD }, { "inherit", OUTPUT_INHERIT }, { "null", OUTPUT_NULL },
	{ "log", OUTPUT_LOG }, { "file:/path", OUTPUT_FILE }, { "syslog", OUTPUT_SYSLOG },
	{ "journal", OUTPUT_JOURNAL }, { NULL, 0 },
};
static const struct option_word errs[] = {
	{ "stdout", OUTPUT_STDOUT }, { "forward", OUTPUT_FORWARD }, { "inherit", OUTPUT_INHERIT },
	{ "null", OUTPUT_NULL }, { "log", OUTPUT_LOG }, { "file:/path", OUTPUT_FILE },
	{ "syslog", OUTPUT_SYSLOG }, { "journal", OUTPUT_JOURNAL }, { NULL, 0 },
};
static const struct option_word facilities[] = {
	{ "daemon", LOG_DAEMON }, { "user", LOG_USER }, { "mail", LOG_MAIL }, { "news", LOG_NEWS },
	{ "uucp", LOG_UUCP }, { "cron", LOG_CRON }, { "lpr", LOG_LPR }, { "ftp", LOG_FTP },
	{ "auth", LOG_AUTH }, { "authpriv", LOG_AUTHPRIV }, { "local0", LOG_LOCAL0 },
	{ "local1", LOG_LOCAL1 }, { "local2", LOG_LOCAL2 }, { "local3", LOG_LOCAL3 },
	{ "local4", LOG_LOCAL4 }, { "local5", LOG_LOCAL5 }, { "local6", LOG_LOCAL6 },
	{ "local7", LOG_LOCAL7 }, { NULL, 0 },
};
static const struct option_word compressions[] = {
	{ "none", LOG_COMPRESS_NONE }, { "gzip", LOG_COMPRESS_GZIP }, { NULL, 0 },
};
static const struct option_word handoffs[] = {
	{ "auto", HANDOFF_LISTEN_FDS }, { "stdin", HANDOFF_STDIN }, { "nginx", HANDOFF_NGINX },
	{ "einhorn", HANDOFF_EINHORN }, { "php-fpm", HANDOFF_PHP_FPM },
	{ "intercept", HANDOFF_INTERCEPT }, { "none", HANDOFF_NONE }, { NULL, 0 },
};
static const struct option_word readies[] = {
	{ "auto", READY_AUTO }, { "notify", READY_NOTIFY }, { "fd:N", READY_FD },
	{ "listen", READY_LISTEN }, { "tcp", READY_TCP }, { "http:PATH", READY_HTTP },
	{ "exec:COMMAND", READY_EXEC },
	{ "delay:D", READY_DELAY }, { NULL, 0 },
};
static const struct option_word healths[] = {
	{ "tcp", READY_TCP }, { "http:PATH", READY_HTTP }, { "exec:COMMAND", READY_EXEC }, { NULL, 0 },
};

const struct option options_program[] = {
	{ FIELD(command, struct text_list, option_command), .preset = "", .late = true,
	  .effect = EFFECT_RESTART,
	  .help = "The program and its arguments: words as a shell splits them (quotes, "
		  "backslash), but no shell; use sh -c for one. Required." },
	{ FIELD(directory, char *, option_path), .preset = "${here}", .late = true,
	  .effect = EFFECT_RESTART, .help = "The working directory." },
	{ FIELD(runtime_directory, bool, option_bool), .preset = "no", .effect = EFFECT_RESTART,
	  .help = "Whether it has a directory of its own below runtime_dir, for its user alone "
		  "(mode 0700), named by the variable RUNTIME_DIRECTORY. All of its workers share "
		  "it; it is removed, with all that is in it, when the program is stopped." },
	{ FIELD_AS("environment_file", environment, struct text_list, option_environment_file),
	  .preset = "", .effect = EFFECT_RESTART,
	  .help = "A file of NAME=value lines for the environment, taken as they are; empty "
		  "lines and lines that begin with # do not count. Read at start and reload." },
	{ FIELD(environment, struct text_list, option_lines), .preset = "", .late = true,
	  .effect = EFFECT_RESTART,
	  .help = "NAME=value, one a line; stands above environment_file." },
	{ FIELD(clear_environment, bool, option_bool), .preset = "no", .effect = EFFECT_RESTART,
	  .help = "Whether the supervisor's own environment is kept from the program." },
	{ TEXT(user), .preset = "", .effect = EFFECT_RESTART,
	  .help = "Who the program runs as, a name or a number. Empty: as the supervisor." },
	{ TEXT(group), .preset = "", .effect = EFFECT_RESTART,
	  .help = "Its group, a name or a number. Empty: the user's." },
	{ LIST(supplementary_groups), .preset = "", .effect = EFFECT_RESTART,
	  .help = "Its other groups, a list. Empty: the user's." },
	{ FIELD(umask, int64_t, option_mask), .preset = "", .effect = EFFECT_RESTART,
	  .help = "The file mode mask, in octal. Empty: the supervisor's." },
	LIMIT("as", RLIMIT_AS, "address space in bytes"),
	LIMIT("core", RLIMIT_CORE, "size of a core file in bytes"),
	LIMIT("cpu", RLIMIT_CPU, "processor time in seconds"),
	LIMIT("data", RLIMIT_DATA, "data segment in bytes"),
	LIMIT("fsize", RLIMIT_FSIZE, "size of a file in bytes"),
	LIMIT("memlock", RLIMIT_MEMLOCK, "locked memory in bytes"),
	LIMIT("nofile", RLIMIT_NOFILE, "open descriptors"),
	LIMIT("nproc", RLIMIT_NPROC, "processes of the user"),
	LIMIT("stack", RLIMIT_STACK, "stack in bytes"),
	LIMIT("rss", RLIMIT_RSS, "resident memory in bytes (not enforced by Linux)"),
#ifdef RLIMIT_LOCKS
	LIMIT("locks", RLIMIT_LOCKS, "file locks (not enforced by Linux)"),
	LIMIT("sigpending", RLIMIT_SIGPENDING, "queued signals"),
	LIMIT("msgqueue", RLIMIT_MSGQUEUE, "bytes in POSIX message queues"),
	LIMIT("nice", RLIMIT_NICE, "ceiling of the nice value, as 20 minus it"),
	LIMIT("rtprio", RLIMIT_RTPRIO, "real-time priority"),
	LIMIT("rttime", RLIMIT_RTTIME, "real-time processor time in microseconds"),
#endif
	{ FIELD_AS("nice", traits.nice, int64_t, option_level), .preset = "", .min = -20,
	  .max = 19, .effect = EFFECT_RESTART,
	  .help = "Scheduling priority, -20 (first) to 19. Empty: the supervisor's." },
	{ FIELD_AS("oom_score_adj", traits.oom_score_adj, int64_t, option_level), .preset = "",
	  .min = -1000, .max = 1000, .effect = EFFECT_RESTART,
	  .help = "How soon it is killed when memory runs out, -1000 (never) to 1000 (first), as "
		  "in proc(5). Empty: as the supervisor." },
	{ FIELD_AS("cpu_affinity", traits.processors, struct processor_set, option_processors),
	  .preset = "", .effect = EFFECT_RESTART,
	  .help = "The processors that it may run on, such as 0-3, 7. Empty: as the supervisor." },
	{ FIELD_AS("io_class", traits.io_class, enum io_class, option_words),
	  .preset = "inherit", .words = io_classes, .effect = EFFECT_RESTART,
	  .help = "Priority of its input and output, as in ionice(1): realtime, best-effort, idle; "
		  "inherit: the supervisor's." },
	{ FIELD_AS("io_priority", traits.io_priority, int64_t, option_number), .preset = "4",
	  .max = 7, .effect = EFFECT_RESTART,
	  .help = "Its place in io_class realtime or best-effort, 0 (first) to 7." },
	{ FIELD_AS("no_new_privileges", traits.no_new_privileges, bool, option_bool),
	  .preset = "no", .effect = EFFECT_RESTART,
	  .help = "Whether set-user-id bits and file capabilities do nothing for it and all "
		  "below it." },
	{ FIELD_AS("capabilities", traits.capabilities, struct capability_set,
		   option_capabilities), .preset = "", .effect = EFFECT_RESTART,
	  .help = "The capabilities that it has, also as another user than root, and beyond which "
		  "nothing below it can go: names such as net_bind_service, a list, or none. "
		  "Empty: what its user has." },
	{ FIELD_AS("memory_max", limits_of_group.memory_max, int64_t, option_size), .preset = "",
	  .max = INT64_MAX / 2, .effect = EFFECT_RESTART,
	  .help = "How much memory the workers of a generation may have together, as in cgroups(7); "
		  "beyond it the kernel ends one of them. Empty: no limit." },
	{ FIELD_AS("cpu_weight", limits_of_group.cpu_weight, int64_t, option_number), .preset = "",
	  .min = 1, .max = 10000, .effect = EFFECT_RESTART,
	  .help = "Their share of the processors beside others, 1 to 10000; the system's is 100. "
		  "Empty: that." },
	{ FIELD_AS("cpu_max", limits_of_group.cpu_max, char *, option_cpu_max), .preset = "",
	  .effect = EFFECT_RESTART,
	  .help = "How much of the processors they may use: microseconds in a period, and the "
		  "period if it is not 100000, such as 50000 100000 for half of one. Empty: all." },
	{ FIELD_AS("pids_max", limits_of_group.pids_max, int64_t, option_number), .preset = "",
	  .min = 1, .max = 4194304, .effect = EFFECT_RESTART,
	  .help = "How many processes and threads they may be. Empty: no limit." },
	{ LIST(sockets), .preset = "", .effect = EFFECT_RESTART,
	  .help = "The [socket:NAME] sections that the program serves, a list in the order in "
		  "which it gets them." },
	{ FIELD(handoff, unsigned, option_handoff), .preset = "auto", .words = handoffs,
	  .effect = EFFECT_RESTART,
	  .help = "How the program is told of its sockets, a list. auto: LISTEN_FDS and "
		  "SERVER_STARTER_PORT; stdin: the first one is descriptor 0; nginx: the NGINX "
		  "variable; einhorn: EINHORN_FD_0 and so on, with a socket for the acknowledgement; "
		  "php-fpm: the FPM_SOCKETS variable; intercept, which stands alone: it binds for "
		  "itself, and its bind(2) is answered with the held socket; none: not at all." },
	{ FIELD(workers, int64_t, option_workers), .preset = "1", .max = 1000,
	  .effect = EFFECT_LIVE,
	  .help = "How many processes share the sockets: 0 to 1000, or auto (one a processor, "
		  "counted at start and reload)." },
	{ WORDS(start, enum start_how, starts), .preset = "auto", .effect = EFFECT_LIVE,
	  .help = "auto: with the supervisor; manual: when asked to; on-demand: when the first "
		  "client comes to one of its sockets, and again after its workers have ended "
		  "by themselves with an exit code that is no failure." },
	{ LIST(after), .preset = "", .effect = EFFECT_LIVE,
	  .help = "Programs, a list, that it follows: its first start waits until those of them "
		  "that are starting are proved, or have failed to come up once; and those of "
		  "them that are stopped together with it stop when it is gone. It does not "
		  "start them." },
	{ WORDS(restart, enum restart_policy, restarts), .preset = "always",
	  .effect = EFFECT_LIVE,
	  .help = "Whether a worker that ends by itself is replaced: always, on-failure "
		  "(success_exit_codes says what is none) or never." },
	{ FIELD(success_exit_codes, int64_t *, option_exit_codes), .preset = "0", .max = 255,
	  .effect = EFFECT_LIVE, .help = "Exit codes that are no failure, a list." },
	{ DURATION(restart_delay), .preset = "100ms", .effect = EFFECT_LIVE,
	  .help = "Pause before a worker that was never proved is started again; doubled after "
		  "each failure. One that was proved is replaced at once." },
	{ DURATION(restart_delay_max), .preset = "30s", .effect = EFFECT_LIVE,
	  .help = "The longest such pause." },
	{ NUMBER(start_attempts), .preset = "0", .max = 1000000, .effect = EFFECT_LIVE,
	  .help = "Attempts in a row that were never proved, after which the program counts as "
		  "failed. 0: never give up." },
	{ FIELD(ready, struct ready, option_ready), .preset = "auto", .words = readies,
	  .effect = EFFECT_LIVE,
	  .help = "What proves that a worker serves. auto: READY=1, listening (handoff = "
		  "intercept), being seen waiting on a held socket, or living for 1s; notify: "
		  "READY=1; fd:N: a new line on descriptor N; listen: it has called listen(2) "
		  "on all of its sockets (handoff = intercept); tcp: a connection that it accepts; "
		  "http:PATH: its answer over such a connection has a status from 200 to 399, or "
		  "with http://ADDRESS/PATH the answer at an address of its own; exec:COMMAND: the command ends "
		  "with 0 (words as in command; tried again until then); delay:D: living that "
		  "long." },
	{ DURATION(start_timeout), .preset = "60s", .min = 1, .effect = EFFECT_LIVE,
	  .help = "How long a worker may take to be proved." },
	{ DURATION(watchdog), .preset = "0s", .effect = EFFECT_RESTART,
	  .help = "A worker that serves must say WATCHDOG=1 at least this often, or it is "
		  "replaced. 0: it need not." },
	{ FIELD(health, struct ready, option_ready), .preset = "", .words = healths, .argument = 1,
	  .effect = EFFECT_LIVE,
	  .help = "How a worker that serves is asked whether it is well. tcp: somebody accepts a "
		  "connection to the program's TCP socket; http:PATH: an answer there has a status "
		  "from 200 to 399; http://ADDRESS/PATH: the same at ADDRESS, of each worker if "
		  "${slot} or ${worker} is in it; exec:COMMAND: the command, for each worker, ends "
		  "with 0. One that is not well is replaced. Empty: it is not asked." },
	{ DURATION(health_interval), .preset = "10s", .min = 100, .effect = EFFECT_LIVE,
	  .help = "From an answer to the next question; at least 100ms." },
	{ DURATION(health_timeout), .preset = "3s", .min = 10, .effect = EFFECT_LIVE,
	  .help = "How long an answer is waited for, also that of ready = http:PATH; at least "
		  "10ms. None in time is a wrong one." },
	{ NUMBER(health_failures), .preset = "3", .min = 1, .max = 1000, .effect = EFFECT_LIVE,
	  .help = "Wrong answers in a row that are a reason to replace a worker." },
	{ DURATION(rollback_window), .preset = "0s", .effect = EFFECT_LIVE,
	  .help = "A new generation that is not well (health), or of which three workers have ended "
		  "badly, within this time of becoming current goes back by itself to the settings "
		  "and the executable of the one before. 0: only by hand." },
	{ DURATION(max_age), .preset = "", .min = 1000, .effect = EFFECT_LIVE,
	  .help = "How long a worker may serve until another one takes its place, less up to a "
		  "tenth, so that those that came together do not go together; at least 1s. One at "
		  "a time, the new one proved before the old one is told to stop (with strategy = "
		  "replace: after it). Empty: however long." },
	{ FIELD(max_memory, int64_t, option_size), .preset = "", .min = 1 << 20,
	  .max = INT64_MAX / 2, .effect = EFFECT_LIVE,
	  .help = "How much memory a worker may have, with the processes below it, until another "
		  "one takes its place as with max_age; at least 1M. Mapped files and shared memory do not "
		  "count. Looked at 1s after a generation has become current, then less often, up to "
		  "every 30s. Empty: however much." },
	{ WORDS(strategy, enum strategy, strategies), .preset = "rolling", .effect = EFFECT_LIVE,
	  .help = "A restart's order. rolling: slot by slot, the new one proved before the old "
		  "one is told to stop; overlap: the whole new generation, then the old one "
		  "drains; replace: stop, then start, while clients queue in the held socket." },
	{ NUMBER(rolling_batch), .preset = "1", .min = 1, .max = 1000, .effect = EFFECT_LIVE,
	  .help = "Slots that a rolling restart changes at a time." },
	{ WORDS(on_failure, enum on_failure, failures), .preset = "rollback",
	  .effect = EFFECT_LIVE,
	  .help = "A restart that fails half way. rollback: the changed slots go back; stop: it "
		  "stays as it is." },
	{ FIELD_AS("stop", ladder, struct rung *, option_ladder), .preset = "TERM:30s KILL",
	  .effect = EFFECT_LIVE,
	  .help = "How a worker is stopped: SIGNAL:PATIENCE rungs, the last one KILL. One that "
		  "has no listener and no connection left after the first gets the next at "
		  "once. With handoff = nginx or php-fpm the preset is QUIT:30s KILL." },
	{ WORDS(kill_mode, enum kill_mode, kill_modes), .preset = "mixed", .effect = EFFECT_LIVE,
	  .help = "Who gets the signals of stop. mixed: the main process, but KILL the whole "
		  "group; group: always the group; process: always the main process. But for process, "
		  "what a generation has left behind is ended when its last worker is gone, also "
		  "what has left the group." },
	{ NUMBER(max_generations), .preset = "4", .min = 1, .max = 1000, .effect = EFFECT_LIVE,
	  .help = "Generations at a time, draining ones included; beyond it the oldest goes to "
		  "its next rung at once." },
	{ FIELD_AS("stdout", out, struct output, option_output), .preset = "forward",
	  .words = outs, .late = true, .effect = EFFECT_RESTART,
	  .help = "forward: to the supervisor's standard error, each line with program and "
		  "worker in front; inherit: the supervisor's own; null: nowhere; log: to "
		  "log_file; file:/path: to that file, as it comes; syslog, journal: a line "
		  "each, under the program's name." },
	{ FIELD_AS("stderr", err, struct output, option_output), .preset = "stdout",
	  .words = errs, .late = true, .effect = EFFECT_RESTART,
	  .help = "stdout: where that goes; or forward, inherit, null, log, file:/path, "
		  "syslog, journal." },
	{ FIELD(log_file, char *, option_path), .preset = "", .late = true,
	  .effect = EFFECT_RESTART,
	  .help = "The file of stdout = log; ${worker} in its name gives each a file of its "
		  "own. Its directory must be there." },
	{ FIELD(log_max_size, int64_t, option_size), .preset = "10M", .max = INT64_MAX / 2,
	  .effect = EFFECT_RESTART,
	  .help = "How large a file of log or file:/path may become before it is moved to "
		  "FILE.1, and that to FILE.2. 0: however large." },
	{ DURATION(log_max_age), .preset = "", .min = 1000, .effect = EFFECT_RESTART,
	  .help = "How old such a file may become before the next line moves it likewise; at "
		  "least 1s. Empty: however old." },
	{ NUMBER(log_keep), .preset = "5", .max = 1000, .effect = EFFECT_RESTART,
	  .help = "How many such older files are kept beside it." },
	{ WORDS(log_compress, enum log_compress, compressions), .preset = "none",
	  .effect = EFFECT_RESTART,
	  .help = "gzip: from FILE.2 on older files are packed, as FILE.2.gz; none: they are "
		  "not." },
	{ FIELD(log_timestamps, bool, option_bool), .preset = "yes", .effect = EFFECT_RESTART,
	  .help = "Whether each line in log_file begins with the time at which it was read, "
		  "as in RFC 3339, UTC." },
	{ FIELD(log_prefix, bool, option_bool), .preset = "no", .effect = EFFECT_RESTART,
	  .help = "Whether each line in log_file, and in syslog, has program, generation and "
		  "worker in front." },
	{ NUMBER(log_rate), .preset = "0", .max = 1000000000, .effect = EFFECT_RESTART,
	  .help = "How many lines a second all workers of the program may say, wherever these go "
		  "but with inherit and null. Those beyond it are dropped, and it is said there "
		  "how many they were. 0: any number." },
	{ NUMBER(log_burst), .preset = "0", .max = 1000000000, .effect = EFFECT_RESTART,
	  .help = "How many lines at once log_rate lets through. 0: as many as in a second." },
	{ WORDS(log_facility, int, facilities), .preset = "daemon", .effect = EFFECT_RESTART,
	  .help = "Under which facility lines go to syslog and the journal. A line that begins "
		  "with <0> to <7> has that priority, any other one is info." },
	{ FIELD(pid_file, char *, option_path), .preset = "", .late = true,
	  .effect = EFFECT_RESTART,
	  .help = "A file that holds the pid of a worker while it runs; ${worker} in its name "
		  "tells several apart." },
	{ 0 },
};

const char *const program_not_yet[] = {
	NULL,
};
/* clang-format on */
