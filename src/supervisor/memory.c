#include "supervisor/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "rollout/record.h"
#include "socket/group.h"
#include "supervisor/supervisor.h"

static void write_text(struct memory *m, const struct str *text)
{
	if (m->into)
		str_add_n(m->into, str_text(text), text->length);
	else
		journal_append(&m->journal, str_text(text), text->length);
}

static void add_line(struct str *out, const char *line, size_t length)
{
	char *text = mem_text_n(line, length);

	fact_begin(out, "line");
	fact_text(out, "text", text);
	fact_end(out);
	free(text);
}

static void add_settings(const struct settings *s, struct str *out)
{
	char *text = NULL;
	size_t length = 0;
	FILE *f = open_memstream(&text, &length);

	settings_print(s, SETTINGS_KEPT, f);
	(void)fclose(f);
	for (const char *line = text, *end; (end = strchr(line, '\n')); line = end + 1)
		add_line(out, line, (size_t)(end - line));
	free(text);
}

static unsigned number_settings(struct settings *s, void *ctx)
{
	struct supervisor *sup = ctx;
	struct memory *m = &sup->memory;
	struct str text = { 0 };

	if (!s->number)
		s->number = ++m->last_settings;
	if (s->written == m->checkpoint)
		return s->number;
	s->written = m->checkpoint;
	fact_begin(&text, "settings");
	fact_number(&text, "id", s->number);
	fact_text(&text, "file", s->file);
	fact_end(&text);
	add_settings(s, &text);
	fact_begin(&text, "end");
	fact_end(&text);
	write_text(m, &text);
	str_fini(&text);
	return s->number;
}

/* True: it is another text than was written last.  Consumes it. */
static bool write_if_new(struct memory *m, struct str *text, uint64_t *written)
{
	uint64_t digest = str_digest(text);
	bool is_new = m->into || *written != digest;

	if (is_new)
		write_text(m, text);
	*written = digest;
	str_fini(text);
	return is_new;
}

static bool write_program(struct supervisor *s, struct program *p)
{
	struct record_settings settings = { .number = number_settings, .ctx = s };
	struct str text = { 0 };

	program_record(p, &settings, &text);
	return write_if_new(&s->memory, &text, &p->recorded);
}

void memory_of_program(struct program *p, void *ctx)
{
	struct supervisor *s = ctx;

	if (write_program(s, p) && journal_is_long(&s->memory.journal))
		memory_checkpoint(s);
	program_release(p);
}

static void write_gone(struct memory *m, const char *what, const char *by, const char *name)
{
	struct str text = { 0 };

	fact_begin(&text, what);
	fact_text(&text, by, name);
	fact_number(&text, "gone", 1);
	fact_end(&text);
	write_text(m, &text);
	str_fini(&text);
}

void memory_of_program_gone(struct supervisor *s, const char *name)
{
	write_gone(&s->memory, "program", "name", name);
}

static void write_socket(struct supervisor *s, const struct held *h)
{
	struct record_settings settings = { .number = number_settings, .ctx = s };
	struct str text = { 0 };

	if (h->kept)
		held_record(h, &settings, &text);
	write_text(&s->memory, &text);
	str_fini(&text);
}

/* Of one that is alone, itself. */
static void write_group(struct supervisor *s, const struct held *leader)
{
	for (size_t i = 0; i < group_size(leader); i++)
		write_socket(s, group_slot(leader, i));
}

static void write_socket_gone(struct memory *m, unsigned number)
{
	struct str text = { 0 };

	fact_begin(&text, "socket");
	fact_number(&text, "held", number);
	fact_number(&text, "gone", 1);
	fact_end(&text);
	write_text(m, &text);
	str_fini(&text);
}

void memory_of_closing(struct supervisor *s, struct held *h)
{
	if (h->stored_inode)
		deposit_take_back(&s->upward.deposit, h->stored_inode);
	h->stored_inode = 0;
	if (!h->kept)
		return;
	write_socket_gone(&s->memory, h->kept);
	custody_drop_now(&s->memory.custody, &h->kept);
}

/* The keeper has what the store has, no more and no less. */
void memory_of_socket(struct supervisor *s, struct held *h)
{
	struct memory *m = &s->memory;

	if (h->fd < 0 || h->kept_inode != h->inode)
		memory_of_closing(s, h);
	if (h->fd < 0)
		return;
	if (!h->kept)
		h->kept = custody_hold(&m->custody, h->fd, "socket");
	else
		custody_moved(&m->custody, h->kept, h->fd);
	h->kept_inode = h->inode;
	if (h->stored_inode != h->inode)
		deposit_put(&s->upward.deposit, h->kept, h->inode);
	h->stored_inode = h->inode;
	write_socket(s, h);
}

static void write_event(struct memory *m, uint64_t number, const char *json)
{
	struct str text = { 0 };

	fact_begin(&text, "event");
	fact_number(&text, "number", (int64_t)number);
	fact_text(&text, "json", json);
	fact_end(&text);
	write_text(m, &text);
	str_fini(&text);
}

void memory_of_event(struct supervisor *s)
{
	const struct events *e = &s->control.events;

	write_event(&s->memory, e->next - 1, events_at(e, e->next - 1));
}

static void add_abilities(struct str *out)
{
	struct str words = { 0 };

	for (int a = 0; a < ABILITY_COUNT; a++)
		if (platform_could((enum ability)a))
			str_addf(&words, "%s ", ability_word((enum ability)a));
	fact_text(out, "abilities", str_text(&words));
	str_fini(&words);
}

static void add_counters(const struct supervisor *s, struct str *out)
{
	fact_number(out, "started", s->started);
	fact_number(out, "reloads", s->reloads);
	fact_number(out, "recoveries", s->recoveries);
	fact_number(out, "upgrades", s->upgrades);
	fact_number(out, "last_settings", s->memory.last_settings);
}

void memory_of_whole(struct supervisor *s)
{
	char boot[BOOT_ID_SIZE];
	struct str text = { 0 };
	unsigned settings = number_settings(s->settings, s);

	fact_begin(&text, "supervisor");
	fact_number(&text, "settings", settings);
	fact_text(&text, "file", s->file);
	fact_number(&text, "one_command", s->one_command);
	fact_text(&text, "boot", platform_boot_id(boot));
	fact_number(&text, "leaving", s->state == MANAGER_LEAVING);
	fact_number(&text, "leave_by", s->leave_by);
	fact_number(&text, "hurried", s->hurried);
	add_counters(s, &text);
	add_abilities(&text);
	upgrade_record(&s->upgrade, &text);
	fact_end(&text);
	(void)write_if_new(&s->memory, &text, &s->memory.said);
}

static void write_all(struct supervisor *s)
{
	const struct events *e = &s->control.events;

	memory_of_whole(s);
	list_each(h, &s->store.sockets, struct held, node)
		write_group(s, h);
	for (uint64_t n = events_first_after(e, 0); n < e->next; n++)
		if (events_at(e, n))
			write_event(&s->memory, n, events_at(e, n));
	if (s->rollout.programs.next)
		list_each(p, &s->rollout.programs, struct program, node)
			(void)write_program(s, p);
	changes_record(&s->control, s->memory.into);
}

void memory_of_request(struct supervisor *s, const struct str *text, bool and_programs)
{
	struct memory *m = &s->memory;
	struct str all = { 0 };

	if (!and_programs) {
		write_text(m, text);
		return;
	}
	m->into = &all;
	str_add_n(&all, str_text(text), text->length);
	list_each(p, &s->rollout.programs, struct program, node)
		if (p->recording.loop)
			(void)write_program(s, p);
	m->into = NULL;
	write_text(m, &all);
	str_fini(&all);
	/* Not in the midst of a program's step. */
	if (journal_is_long(&m->journal))
		memory_checkpoint(s);
}

void memory_of_reload(struct supervisor *s)
{
	struct memory *m = &s->memory;
	struct str text = { 0 };

	m->into = &text;
	list_each(h, &s->store.sockets, struct held, node)
		write_group(s, h);
	list_each(p, &s->rollout.programs, struct program, node)
		(void)write_program(s, p);
	changes_record(&s->control, &text);
	memory_of_whole(s);
	m->into = NULL;
	write_text(m, &text);
	str_fini(&text);
}

void memory_of_upgrade(struct supervisor *s)
{
	struct str moments = { 0 };

	moments_record(&s->rollout, &moments);
	write_text(&s->memory, &moments);
	str_fini(&moments);
	memory_of_whole(s);
}

static void keep_journal(struct memory *m)
{
	if (m->journal_kept)
		custody_replace(&m->custody, m->journal_kept, m->journal.fd);
	else
		m->journal_kept = custody_hold(&m->custody, m->journal.fd, "journal");
}

void memory_checkpoint(struct supervisor *s)
{
	struct memory *m = &s->memory;
	struct str text = { 0 };
	struct err err;

	m->checkpoint++;
	snapshot_begin(&text);
	m->into = &text;
	write_all(s);
	snapshot_end(&text);
	m->into = NULL;
	if (journal_checkpoint(&m->journal, str_text(&text), text.length, &err) < 0)
		log_error("%s; the old one is written on", err.text);
	else
		keep_journal(m);
	str_fini(&text);
}

static void on_executable(unsigned kept, void *ctx)
{
	struct supervisor *s = ctx;

	custody_drop(&s->memory.custody, &kept);
}

/* What an earlier one left is not replaced before it was taken up.  Where it is whole we
 * write behind it, for most of it is as it was. */
static void go_on(struct memory *m)
{
	const struct snapshot *b = &m->before;

	m->anew = m->left < 0 || b->torn || !b->checkpoint ||
		  journal_go_on(&m->journal, &m->left, b->length, b->checkpoint) < 0;
	fd_close(&m->left);
}

/* One that knew no program yet would make a successor believe that there are none: the
 * first checkpoint is written when there is something to go on with. */
void memory_start(struct supervisor *s)
{
	executable_on_close(on_executable, s);
	journal_init(&s->memory.journal,
		     mem_format("%s/state", s->settings->supervisor.runtime_dir));
	go_on(&s->memory);
}

void memory_of_revival(struct supervisor *s)
{
	struct memory *m = &s->memory;

	if (m->anew) {
		memory_checkpoint(s);
		return;
	}
	list_each(b, &m->before.moments, struct snapshot_block, node)
		write_gone(m, "moment", "worker", fact_get(&b->head, "worker"));
	memory_of_whole(s);
}

void memory_stop(struct supervisor *s)
{
	executable_on_close(NULL, NULL);
	journal_close(&s->memory.journal, true);
}
