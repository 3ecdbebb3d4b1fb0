/* logs: what the workers of a program said last, and what they say. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/log_reader.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/session.h"

enum { LINES = 10, LOOK_MS = 100, LOOKS_AN_ASK = 10 };

struct logs {
	const struct request *request;
	struct session session;
	json_t *answer;
	struct log_reader *readers;
	size_t count;
	size_t shown;			/* the reader of what was printed last; count: none */
	bool open;			/* somebody reads what we print */
};

static struct client_call ask(struct logs *l)
{
	return (struct client_call){
		.method = "Logs", .again = true, .on_reply = keep_answer, .ctx = &l->answer,
		.parameters = json_pack("{s:s}", "name", l->request->names[0]),
	};
}

/* Of several files it is told which one speaks, as tail(1) does. */
static void print_of(struct logs *l, size_t reader, struct str *text)
{
	struct str head = { 0 };

	if (!text->length)
		return;
	if (l->count > 1 && l->shown != reader)
		str_addf(&head, "==> %s <==\n", l->readers[reader].path);
	l->shown = reader;
	l->open = (!head.length || output_now(&head)) && output_now(text) && l->open;
	str_clear(text);
	str_fini(&head);
}

static bool is_known(const struct logs *l, const char *path)
{
	for (size_t i = 0; i < l->count; i++)
		if (strcmp(l->readers[i].path, path) == 0)
			return true;
	return false;
}

static void add_readers(struct logs *l)
{
	const json_t *file;
	size_t i;

	json_array_foreach(json_object_get(l->answer, "files"), i, file) {
		const char *path = json_string_value(file);

		if (!path || is_known(l, path))
			continue;
		l->readers = mem_grow(l->readers, l->count + 1, sizeof(*l->readers));
		log_reader_init(&l->readers[l->count++], path);
		l->shown = l->count;
	}
}

/* Lines that the supervisor keeps, of output that goes to no file. */
static void print_kept(struct logs *l, int64_t most)
{
	const json_t *lines = json_object_get(l->answer, "lines");
	size_t count = json_array_size(lines);
	size_t from = (int64_t)count > most ? count - (size_t)most : 0;
	struct str text = { 0 };

	for (size_t i = from; i < count; i++)
		str_addf(&text, "%s\n", json_string_value(json_array_get(lines, i)));
	l->open = output_now(&text);
	str_fini(&text);
}

static int print_last(struct logs *l, int64_t most)
{
	struct str text = { 0 };
	struct err err;
	int code = 0;

	print_kept(l, most);
	for (size_t i = 0; i < l->count && l->open; i++) {
		if (log_reader_last(&l->readers[i], most, &text, &err) < 0)
			code = complain(OUTCOME_NOT_PERMITTED, "%s", err.text);
		print_of(l, i, &text);
	}
	str_fini(&text);
	return code;
}

static void print_more(struct logs *l)
{
	struct str text = { 0 };

	for (size_t i = 0; i < l->count; i++)
		while (l->open && log_reader_more(&l->readers[i], &text))
			print_of(l, i, &text);
	str_fini(&text);
}

/* Until nobody reads it, or the supervisor is gone: then what is left, and the end. */
static void follow(struct logs *l)
{
	struct client_call call;
	struct err err;
	bool there = true;

	while (there && l->open) {
		for (int i = 0; i < LOOKS_AN_ASK && l->open; i++) {
			print_more(l);
			(void)poll(NULL, 0, LOOK_MS);
		}
		call = ask(l);
		there = session_try(&l->session, &call, &err) == 0;
		add_readers(l);
	}
	print_more(l);
}

static int nothing(const struct logs *l, bool follows)
{
	const char *name = l->request->names[0];

	if (follows)
		return complain(OUTCOME_FAILED, "%s: its output goes to no file that could be "
				"followed (stdout = log, or file:/path)", name);
	if (!json_array_size(json_object_get(l->answer, "lines")))
		return complain(OUTCOME_DONE, "%s: no output of it is kept", name);
	return OUTCOME_DONE;
}

static int show(struct logs *l)
{
	const struct request *r = l->request;
	bool follows = option_given(r, OPTION_FOLLOW);
	int code;

	add_readers(l);
	code = print_last(l, r->lines >= 0 ? r->lines : LINES);
	if (!l->count)
		return nothing(l, follows);
	if (!code && follows)
		follow(l);
	return code;
}

int cmd_logs(struct request *r)
{
	struct logs l = { .request = r };
	struct client_call call;
	int code = session_open(&l.session, r);

	if (!code) {
		call = ask(&l);
		code = session_call(&l.session, &call);
	}
	if (!code)
		code = show(&l);
	for (size_t i = 0; i < l.count; i++)
		log_reader_fini(&l.readers[i]);
	free(l.readers);
	json_decref(l.answer);
	session_close(&l.session);
	return code;
}
