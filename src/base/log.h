/* What the supervisor says: who, what happened, what follows.
 *
 * One line a call, without a newline.  Where the lines go is the sink's
 * business (logs/sink.h); before one is set they go to standard error. */
#ifndef HOLDPORT_BASE_LOG_H
#define HOLDPORT_BASE_LOG_H

#define LOG_LEVELS(X)              \
	X(ERROR, "error")          \
	X(WARNING, "warning")      \
	X(NOTICE, "notice")        \
	X(INFO, "info")            \
	X(DEBUG, "debug")

enum log_level {
#define X(name, word) LOG_LEVEL_##name,
	LOG_LEVELS(X)
#undef X
	LOG_LEVEL_COUNT
};

typedef void log_sink_fn(enum log_level level, const char *line, void *ctx);

void log_to(log_sink_fn *sink, void *ctx);	/* NULL: standard error */
void log_set_level(enum log_level most);	/* lines beyond it are dropped */
const char *log_level_word(enum log_level level);
void log_line(enum log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#define log_error(...)	 log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...)	 log_line(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...)	 log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)	 log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
