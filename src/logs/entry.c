#include "logs/entry.h"

#include <string.h>

void entry_take_level(struct entry *e)
{
	const char *t = e->text;

	if (e->length < 3 || t[0] != '<' || t[1] < '0' || t[1] > '7' || t[2] != '>')
		return;
	e->priority = t[1] - '0';
	e->text += 3;
	e->length -= 3;
}

/* "web" of "web/3/0". */
static void add_identity(const struct entry *e, struct str *out)
{
	if (e->identity)
		str_add(out, e->identity);
	else
		str_add_n(out, e->origin, strcspn(e->origin, "/"));
}

/* A NUL would end the line for many that read it. */
static void add_without_nul(struct str *out, const char *text, size_t length)
{
	size_t from = out->length;

	str_add_n(out, text, length);
	for (size_t i = from; i < out->length; i++)
		if (!out->data[i])
			out->data[i] = ' ';
}

void entry_for_syslog(const struct entry *e, struct str *out)
{
	char when[32];
	struct tm tm;

	(void)localtime_r(&e->when, &tm);
	(void)strftime(when, sizeof(when), "%b %e %H:%M:%S", &tm);
	str_addf(out, "<%d>%s ", e->facility | e->priority, when);
	add_identity(e, out);
	str_addf(out, "[%ld]: ", e->pid);
	if (e->prefix && e->origin)
		str_addf(out, "%s: ", e->origin);
	add_without_nul(out, e->text, e->length);
}

/* "3" and "0" of "web/3/0". */
static void add_origin(const struct entry *e, struct str *out)
{
	size_t program = strcspn(e->origin, "/"), generation;
	const char *rest = e->origin + program;

	rest += *rest == '/';
	generation = strcspn(rest, "/");
	str_addf(out, "HOLDPORT_PROGRAM=%.*s\n", (int)program, e->origin);
	str_addf(out, "HOLDPORT_GENERATION=%.*s\n", (int)generation, rest);
	rest += generation;
	str_addf(out, "HOLDPORT_WORKER=%s\n", rest + (*rest == '/'));
}

void entry_for_journal(const struct entry *e, struct str *out)
{
	str_add(out, "SYSLOG_IDENTIFIER=");
	add_identity(e, out);
	str_addf(out, "\nSYSLOG_PID=%ld\nSYSLOG_FACILITY=%d\nPRIORITY=%d\n", e->pid,
		 e->facility >> 3, e->priority);
	if (e->origin)
		add_origin(e, out);
	str_add(out, "MESSAGE=");
	str_add_n(out, e->text, e->length);
	str_add(out, "\n");
}
