#include "cli/trial_text.h"

#include <string.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/owner.h"
#include "cli/output.h"

int trial_request(const struct request *r, struct key *ret)
{
	static const struct {
		const char *word;
		int type;
	} types[] = { { "stream", SOCK_STREAM }, { "datagram", SOCK_DGRAM },
		      { "seqpacket", SOCK_SEQPACKET } };
	const char *word = r->type ? r->type : "stream";
	struct err err;

	for (size_t i = 0; i < COUNT(types); i++) {
		if (strcmp(word, types[i].word) != 0)
			continue;
		if (trial_address(r->names[0], types[i].type, ret, &err))
			return complain(OUTCOME_USAGE, "%s", err.text);
		return 0;
	}
	return complain(OUTCOME_USAGE, "\"%s\" is no type of socket (stream, datagram, seqpacket)",
			word);
}

static json_t *text_or_null(const char *text)
{
	return text && *text ? json_string(text) : json_null();
}

static json_t *seconds(int64_t ms, int64_t round)
{
	return ms < 0 ? json_null() : json_integer((ms + round) / 1000);
}

static json_t *blocker_json(const struct blocker *b)
{
	bool seen = b->holder.pid != 0;
	char *user = blocker_user(&b->holder);
	json_t *j = json_pack(
		"{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		"kind", blocker_kind_word(b->kind),
		"state", text_or_null(blocker_state_word(b->state)),
		"count", b->count ? json_integer(b->count) : json_null(),
		"pid", seen ? json_integer(b->holder.pid) : json_null(),
		"program", text_or_null(b->holder.program),
		"descriptor", seen ? json_integer(b->holder.fd) : json_null(),
		"options", text_or_null(trial_options(b)),
		"user", text_or_null(user),
		"free_after_s", seconds(b->after_ms, 0), "free_before_s", seconds(b->before_ms, 999));

	free(user);
	return j;
}

static json_t *can_bind(const struct trial *t)
{
	return t->judgement.answer == NOT_KNOWN ? json_null() :
						  json_boolean(t->judgement.answer == CAN_BIND);
}

json_t *trial_json(const struct trial *t)
{
	json_t *blockers = json_array(), *advice = json_array();
	char address[ADDRESS_TEXT_SIZE];
	struct str text = { 0 };

	for (size_t i = 0; i < t->judgement.count; i++)
		(void)json_array_append_new(blockers, blocker_json(&t->judgement.blockers[i]));
	trial_advice(t, &text);
	if (text.length)
		(void)json_array_append_new(advice, json_string(str_text(&text)));
	str_fini(&text);
	return json_pack("{s:s, s:o, s:o, s:o}",
			 "address", address_text(&t->key.address, address),
			 "can_bind", can_bind(t), "blockers", blockers, "advice", advice);
}

static void add_line(struct str *out, struct str *line)
{
	if (line->length) {
		str_add_escaped(out, str_text(line), line->length);
		str_add(out, "\n");
	}
	str_fini(line);
}

void trial_lines(const struct trial *t, struct str *out)
{
	struct str line = { 0 };

	trial_text(t, &line);
	add_line(out, &line);
	trial_when(t, &line);
	add_line(out, &line);
	trial_advice(t, &line);
	add_line(out, &line);
}

void trial_line(const struct trial *t, struct str *out)
{
	const struct judgement *j = &t->judgement;
	char address[ADDRESS_TEXT_SIZE];
	struct str when = { 0 };

	str_addf(out, "%s:", address_text(&t->key.address, address));
	for (size_t i = 0; i < j->count; i++) {
		const char *state = blocker_state_word(j->blockers[i].state);

		str_addf(out, "%s %u in %s", i ? "," : "", j->blockers[i].count,
			 state ? state : blocker_kind_word(j->blockers[i].kind));
	}
	trial_when(t, &when);
	str_addf(out, "%s%s", when.length ? "; " : "", str_text(&when));
	str_fini(&when);
}
