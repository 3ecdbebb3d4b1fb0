#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"

static enum log_level most = LOG_LEVEL_INFO;
static log_sink_fn *sink;
static void *sink_ctx;

void log_to(log_sink_fn *to, void *ctx)
{
	sink = to;
	sink_ctx = ctx;
}

void log_set_level(enum log_level level)
{
	most = level;
}

const char *log_level_word(enum log_level level)
{
	static const char *const words[] = {
#define X(name, word) [LOG_LEVEL_##name] = word,
		LOG_LEVELS(X)
#undef X
	};
	return words[level];
}

/* Whoever does not read our standard error loses lines, and is told how many;
 * workers do not wait for him. */
static void to_stderr(enum log_level level, const char *line)
{
	static unsigned long lost;
	char text[FD_WRITE_MOST];
	int length = lost ? snprintf(text, sizeof(text), "holdport: warning: %lu lines were lost "
				     "here: nobody read them\n", lost) : 0;

	if (length && fd_try_write(STDERR_FILENO, text, (size_t)length))
		lost = 0;
	length = snprintf(text, sizeof(text), "holdport: %s: %s\n", log_level_word(level), line);
	if (lost || !fd_try_write(STDERR_FILENO, text, (size_t)length))
		lost++;
}

void log_line(enum log_level level, const char *format, ...)
{
	char line[4000];
	va_list args;

	if (level > most)
		return;
	va_start(args, format);
	(void)vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (sink)
		sink(level, line, sink_ctx);
	else
		to_stderr(level, line);
}
