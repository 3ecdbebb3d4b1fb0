/* What proves a worker: a word, or one with something behind it. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/owner.h"
#include "config/option_program.h"
#include "config/quantity.h"

#define WORDS_OF(o) { .key = (o)->key, .late = true, .type = &option_command,   \
		      .offset = (o)->offset + offsetof(struct ready, words) }

static int read_command(const struct option *o, const char *text, const struct reading *r,
			void *object, struct err *err)
{
	const struct option words = WORDS_OF(o);
	struct ready *ready = OPTION_AT(o, object, struct ready);

	if (option_command.read(&words, text, r, object, err) < 0)
		return -1;
	ready->how = READY_EXEC;
	return ready->words.count ? 0 : err_set(err, 0, "a command is needed");
}

/* What a URL has no room for; the rest is seen when it is expanded. */
static int check_http(const char *word, struct err *err)
{
	if (strpbrk(word, " \t\"<>#"))
		return err_set(err, 0, "there is a blank, a quote or a # in \"%.80s\"", word);
	if (*word == '/' && (word[1] != '/' || (word[2] && word[2] != '/')))
		return 0;
	return err_set(err, 0, "a path is needed, as in http:/health, or an address of the worker's "
			       "own with one, as in http://127.0.0.1:81${slot}/health");
}

static int read_http(const struct option *o, const char *text, const struct reading *r,
		     void *object, struct err *err)
{
	const struct option words = WORDS_OF(o);
	struct ready *ready = OPTION_AT(o, object, struct ready);
	char *word = option_expand(&words, text, r, err);

	if (!word || check_http(word, err) < 0) {
		free(word);
		return -1;
	}
	ready->how = READY_HTTP;
	text_list_add_owned(&ready->words, word);
	return 0;
}

static int read_fd(const struct option *o, const char *text, const struct reading *r,
		   void *object, struct err *err)
{
	struct ready *ready = OPTION_AT(o, object, struct ready);
	int64_t n;

	(void)r;
	if (number_parse(text, &n, err) < 0)
		return -1;
	if (n < 3 || n > 1023)
		return err_set(err, 0, "%lld is out of range; it goes from fd:3 to fd:1023, "
				       "behind the sockets", (long long)n);
	*ready = (struct ready){ .how = READY_FD, .fd = (int)n };
	return 0;
}

static int read_delay(const struct option *o, const char *text, const struct reading *r,
		      void *object, struct err *err)
{
	struct ready *ready = OPTION_AT(o, object, struct ready);
	int64_t n;

	(void)r;
	if (duration_parse(text, &n, err) < 0)
		return -1;
	*ready = (struct ready){ .how = READY_DELAY, .delay = n };
	return 0;
}

/* Words of commands, and URLs, are expanded by their own rules. */
static const struct form {
	const char *prefix, *shape;
	bool late;
	int (*read)(const struct option *o, const char *text, const struct reading *r,
		    void *object, struct err *err);
} forms[] = {
	{ "exec:", "exec:COMMAND", true, read_command },
	{ "http:", "http:PATH", true, read_http },
	{ "fd:", "fd:N", false, read_fd },
	{ "delay:", "delay:D", false, read_delay },
};

static const struct form *form_of(const char *text)
{
	for (size_t i = 0; i < COUNT(forms); i++)
		if (strncmp(forms[i].prefix, text, strlen(forms[i].prefix)) == 0)
			return &forms[i];
	return NULL;
}

static void free_ready(const struct option *o, void *object)
{
	text_list_fini(&OPTION_AT(o, object, struct ready)->words);
}

/* The forms of ready that are true once, and say nothing of later. */
static int check_health(const struct option *o, const char *text, struct err *err)
{
	static const struct {
		const char *word, *why;
	} refused[] = {
		{ "notify", "READY=1 is said once; for a worker that has to be heard of again and "
			    "again there is watchdog" },
		{ "fd:", "a line on a descriptor is written once; for a worker that has to be heard "
			 "of again and again there is watchdog" },
		{ "listen", "who has called listen(2) need not accept any more; use tcp" },
		{ "delay:", "to have lived for a while says nothing of now; use tcp, http:PATH or "
			    "exec:COMMAND" },
		{ "auto", "what auto looks at is true once; use tcp, http:PATH or exec:COMMAND" },
	};

	for (size_t i = 0; o->argument && i < COUNT(refused); i++)
		if (strncmp(refused[i].word, text, strlen(refused[i].word)) == 0)
			return err_set(err, 0, "%.80s is for ready: %s", text, refused[i].why);
	return 0;
}

static int read_form(const struct option *o, const struct form *f, const char *text,
		     const struct reading *r, void *object, struct err *err)
{
	if (f->read(o, text + strlen(f->prefix), r, object, err) == 0)
		return 0;
	free_ready(o, object);
	return err_in(err, "%s", f->shape);
}

static int read_plain(const struct option *o, const char *text, const struct reading *r,
		      void *object, struct err *err)
{
	const struct form *f = form_of(text);
	int64_t how;

	if (check_health(o, text, err) < 0)
		return -1;
	if (f)
		return read_form(o, f, text, r, object, err);
	if (option_word_value(o, text, &how, err) < 0)
		return -1;
	*OPTION_AT(o, object, struct ready) = (struct ready){ .how = (enum ready_how)how };
	return 0;
}

static int read_ready(const struct option *o, const char *text, const struct reading *r,
		      void *object, struct err *err)
{
	const struct form *f = form_of(text);
	char *plain;
	int rc;

	if (!*text) {
		*OPTION_AT(o, object, struct ready) = (struct ready){ .how = READY_NONE };
		return 0;
	}
	if (f && f->late)
		return read_form(o, f, text, r, object, err);
	plain = option_expand(o, text, r, err);
	rc = plain ? read_plain(o, plain, r, object, err) : -1;
	free(plain);
	return rc;
}

static void print_words(const struct option *o, const void *object, struct str *out)
{
	const struct option words = WORDS_OF(o);

	str_add(out, "exec:");
	option_command.print(&words, object, out);
}

static void print_ready(const struct option *o, const void *object, struct str *out)
{
	const struct ready *ready = OPTION_AT_CONST(o, object, struct ready);
	char buf[CLOCK_DURATION_SIZE];

	if (ready->how == READY_FD)
		str_addf(out, "fd:%d", ready->fd);
	else if (ready->how == READY_EXEC)
		print_words(o, object, out);
	else if (ready->how == READY_HTTP)
		str_addf(out, "http:%s", ready->words.items[0]);
	else if (ready->how == READY_DELAY)
		str_addf(out, "delay:%s", clock_duration(ready->delay, buf));
	else
		for (const struct option_word *w = o->words; w->word; w++)
			if (w->value == (int64_t)ready->how)
				str_add(out, w->word);
}

const struct option_type option_ready = { "word", true, read_ready, print_ready, free_ready };
