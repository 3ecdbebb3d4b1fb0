#include "cli/event_text.h"

#include <string.h>

#include "cli/output.h"

static void add_number(struct str *out, const char *format, const json_t *event, const char *key)
{
	char text[64];

	if (json_number(event, key) < 0)
		return;
	(void)snprintf(text, sizeof(text), "%s%lld", format, json_number(event, key));
	str_add(out, text);
}

static void add_text(struct str *out, const json_t *event, const char *before)
{
	const char *text = json_text(event, "text");

	if (text && *text) {
		str_add(out, before);
		str_add_json(out, event, "text");
	}
}

void event_sentence(const json_t *event, struct str *out)
{
	const char *what = json_text(event, "what");

	if (what && strcmp(what, "socket") == 0)
		str_add(out, "socket ");
	str_add_json(out, event, "name");
	str_add(out, json_text(event, "name") && *json_text(event, "name") ? ": " : "");
	if (what && strcmp(what, "generation") == 0)
		add_number(out, "generation ", event, "generation");
	if (what && strcmp(what, "worker") == 0)
		add_number(out, "worker ", event, "worker");
	if (what && strcmp(what, "supervisor") == 0)
		str_add(out, "supervisor");
	if (out->length && out->data[out->length - 1] != ' ')
		str_add(out, " ");
	str_add_json(out, event, "state");
	add_text(out, event, ": ");
}

static void pad_to(struct str *out, size_t width)
{
	do
		str_add(out, " ");
	while (out->length < width);
}

void event_row(const json_t *event, struct str *out)
{
	const char *what = json_text(event, "what");
	size_t start = out->length;

	str_add_json(out, event, "time");
	pad_to(out, start + 22);
	str_add_json(out, event, "what");
	pad_to(out, start + 34);
	str_add_json(out, event, "name");
	add_number(out, "/", event, "generation");
	pad_to(out, start + 48);
	str_add_json(out, event, "state");
	if (what && strcmp(what, "worker") == 0) {
		pad_to(out, start + 58);
		add_number(out, "worker ", event, "worker");
		add_number(out, ", pid ", event, "pid");
		add_text(out, event, ": ");
	} else if (json_text(event, "text")) {
		pad_to(out, start + 58);
		add_text(out, event, "");
	}
	str_add(out, "\n");
}
