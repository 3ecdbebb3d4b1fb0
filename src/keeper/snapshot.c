#include "keeper/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/owner.h"

void snapshot_begin(struct str *out)
{
	fact_begin(out, "holdport-state");
	fact_number(out, "format", SNAPSHOT_FORMAT);
	fact_text(out, "version", HOLDPORT_VERSION);
	fact_end(out);
}

void snapshot_end(struct str *out)
{
	size_t length = out->length;

	fact_begin(out, "checkpoint");
	fact_number(out, "length", (int64_t)length);
	fact_end(out);
}

static void block_free(struct snapshot_block *b)
{
	fact_fini(&b->head);
	for (size_t i = 0; i < b->count; i++)
		fact_fini(&b->facts[i]);
	free(b->facts);
	if (b->node.next)
		list_remove(&b->node);
	free(b);
}

/* What a block is about; two with the same value are about the same. */
struct kind {
	const char *word, *by;		/* by NULL: each stands for itself */
	size_t list;			/* in struct snapshot */
	bool whole;			/* of one line: without an `end` */
};

static const struct kind kinds[] = {
	{ "settings", "id", offsetof(struct snapshot, settings), false },
	{ "program", "name", offsetof(struct snapshot, programs), false },
	{ "socket", "held", offsetof(struct snapshot, sockets), true },
	{ "moment", "worker", offsetof(struct snapshot, moments), true },
	{ "event", NULL, offsetof(struct snapshot, events), true },
	{ "request", "name", offsetof(struct snapshot, requests), true },
	{ "asked", "id", offsetof(struct snapshot, asked), true },
};

static struct list *list_of(struct snapshot *s, const struct kind *k)
{
	return (struct list *)(void *)((char *)s + k->list);
}

/* A block says what it is about; those that were read are found by that. */
enum { BUCKETS = 4096 };

struct reading_state {
	struct snapshot *snapshot;
	const struct kind *kind;	/* of the block under way, or NULL */
	struct snapshot_block *block;
	const char *line, *next;	/* that is read */
	struct snapshot_block *buckets[BUCKETS];
};

static struct snapshot_block **bucket_of(struct reading_state *r, const struct kind *k,
					 const char *value)
{
	size_t hash = (size_t)(k - kinds);

	while (*value)
		hash = hash * 33 + (unsigned char)*value++;
	return &r->buckets[hash % BUCKETS];
}

/* Where the block that is about the same hangs; the end of a chain: there is none. */
static struct snapshot_block **find(struct snapshot_block **at, const struct kind *k,
				    const char *value)
{
	for (; *at; at = &(*at)->chain)
		if (fact_is(&(*at)->head, k->word) &&
		    strcmp(fact_get(&(*at)->head, k->by), value) == 0)
			break;
	return at;
}

/* In place of what was said before; `gone` leaves nothing there. */
static void replace(struct snapshot_block **at, struct list *all, struct snapshot_block *b)
{
	struct snapshot_block *old = *at;
	bool gone = fact_bool(&b->head, "gone");

	b->chain = old ? old->chain : NULL;
	list_append(old ? &old->node : all, &b->node);	/* before it: in its place */
	*at = gone ? b->chain : b;
	if (old)
		block_free(old);
	if (gone)
		block_free(b);
}

/* The block under way is whole. */
static void settle(struct reading_state *r)
{
	const struct kind *k = r->kind;
	struct snapshot_block *b = r->block;
	struct list *all = list_of(r->snapshot, k);
	const char *value = k->by ? fact_get(&b->head, k->by) : NULL;

	r->block = NULL;
	b->length = (size_t)(r->next - b->text);
	if (value)
		replace(find(bucket_of(r, k, value), k, value), all, b);
	else if (k->by)
		block_free(b);
	else
		list_append(all, &b->node);
}

/* The word that the line begins with. */
static bool says(const struct reading_state *r, const char *word)
{
	size_t length = strlen(word);

	return (size_t)(r->next - r->line) > length && memcmp(r->line, word, length) == 0 &&
	       (r->line[length] == ' ' || r->line[length] == '\n');
}

static const struct kind *kind_of(const struct reading_state *r)
{
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (says(r, kinds[i].word))
			return &kinds[i];
	return NULL;
}

static void drop_torn(struct reading_state *r)
{
	if (r->block)
		block_free(r->block);
	r->block = NULL;
}

static void begin(struct reading_state *r, const struct kind *k, struct fact *f)
{
	drop_torn(r);
	r->block = MEM_NEW(struct snapshot_block);
	r->block->text = r->line;
	r->block->head = *f;
	r->kind = k;
	*f = (struct fact){ 0 };
	if (k->whole || fact_bool(&r->block->head, "gone"))
		settle(r);
}

static void take_fact(struct reading_state *r, const struct kind *k, struct fact *f)
{
	if (k) {
		begin(r, k, f);
	} else if (fact_is(f, "end") && r->block) {
		settle(r);
	} else if (fact_is(f, "checkpoint")) {
		r->snapshot->checkpoint = (size_t)fact_int(f, "length", 0);
	} else if (fact_is(f, "supervisor")) {
		fact_fini(&r->snapshot->supervisor);
		r->snapshot->supervisor = *f;
		*f = (struct fact){ 0 };
	}
}

/* What stands inside a block is passed over: half of them are not the last word. */
static void take_line(struct reading_state *r)
{
	const struct kind *k = kind_of(r);
	struct fact f;

	if (!k && !says(r, "end") && !says(r, "checkpoint") && !says(r, "supervisor"))
		return;
	if (fact_read(r->line, (size_t)(r->next - r->line) - 1, &f) < 0)
		return;
	take_fact(r, k, &f);
	fact_fini(&f);
}

/* The length of the first line with its end; 0: there is no whole line. */
static size_t line_length(const char *text, size_t length)
{
	const char *end = length ? memchr(text, '\n', length) : NULL;

	return end ? (size_t)(end - text) + 1 : 0;
}

static int check_format(const char *text, size_t length, struct err *err)
{
	struct fact f;
	int64_t format;

	if (!length || fact_read(text, length - 1, &f) < 0)
		return err_set(err, 0, "it does not begin as a state of holdport does");
	format = fact_is(&f, "holdport-state") ? fact_int(&f, "format", -1) : -1;
	fact_fini(&f);
	if (format < 0)
		return err_set(err, 0, "it does not begin as a state of holdport does");
	if (format > SNAPSHOT_FORMAT)
		return err_set(err, 0, "its format is %lld, and we read %d", (long long)format,
			       SNAPSHOT_FORMAT);
	return 0;
}

/* What follows the head of a block, up to its end. */
static void read_facts(struct snapshot_block *b)
{
	const char *at = b->text + line_length(b->text, b->length), *end = b->text + b->length;
	struct fact f;

	for (size_t line; (line = line_length(at, (size_t)(end - at))); at += line) {
		if (fact_read(at, line - 1, &f) < 0)
			continue;
		if (fact_is(&f, "end")) {
			fact_fini(&f);
			return;
		}
		b->facts = mem_grow(b->facts, b->count + 1, sizeof(f));
		b->facts[b->count++] = f;
	}
}

static void read_blocks(struct snapshot *s)
{
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (!kinds[i].whole)
			list_each(b, list_of(s, &kinds[i]), struct snapshot_block, node)
				read_facts(b);
}

int snapshot_read(const char *text, size_t length, struct snapshot *ret, struct err *err)
{
	struct reading_state r = { .snapshot = ret };
	size_t line = line_length(text, length);

	if (check_format(text, line, err) < 0)
		return -1;
	*ret = (struct snapshot){ .length = length, .torn = text[length - 1] != '\n' };
	for (size_t i = 0; i < COUNT(kinds); i++)
		list_init(list_of(ret, &kinds[i]));
	for (; line; line = line_length(text, length)) {
		r.line = text;
		r.next = text += line;
		length -= line;
		take_line(&r);
	}
	drop_torn(&r);
	read_blocks(ret);
	return 0;
}

void snapshot_fini(struct snapshot *s)
{
	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct list *all = list_of(s, &kinds[i]);

		if (!all->next)
			continue;
		list_each_safe(b, all, struct snapshot_block, node)
			block_free(b);
	}
	fact_fini(&s->supervisor);
	free(s->owned);
	*s = (struct snapshot){ 0 };
}

const struct snapshot_block *snapshot_settings(const struct snapshot *s, int64_t id)
{
	list_each(b, &s->settings, struct snapshot_block, node)
		if (fact_int(&b->head, "id", -1) == id)
			return b;
	return NULL;
}
