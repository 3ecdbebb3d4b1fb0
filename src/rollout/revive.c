#include "rollout/record.h"

#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/owner.h"
#include "keeper/custody.h"
#include "socket/inherit.h"

struct revival {
	struct rollout *rollout;
	const struct record_settings *settings;
	struct program *program;
	struct generation *generation;	/* whose facts are read */
};

static unsigned natural(const struct fact *f, const char *key)
{
	int64_t n = fact_int(f, key, 0);

	return n > 0 && n <= INT32_MAX ? (unsigned)n : 0;
}

/* NULL: there are none, or not for this program. */
static struct means *means_by(const struct revival *r, const char *name, const struct fact *f,
			      const char *key)
{
	int64_t number = fact_int(f, key, 0);
	struct settings *s = number ? r->settings->find(number, r->settings->ctx) : NULL;
	const struct program_settings *p = s ? settings_program(s, name) : NULL;

	return p ? means_new(s, p, r->rollout->store) : NULL;
}

/* The sockets that it had, where they are other ones than their addresses lead to. */
static void take_held(const struct revival *r, struct means *m, const struct fact *f)
{
	const char *at = fact_get(f, "sockets");

	for (size_t i = 0; m && at && *at && i < m->held_count; i++) {
		char *end;
		struct held *h = store_by_kept(r->rollout->store,
					       (unsigned)strtoul(at, &end, 10));

		if (h)
			means_swap(m, i, h);
		at = *end ? end + 1 : end;
	}
}

static struct means *means_with_sockets(const struct revival *r, const char *name,
					const struct fact *f, const char *key)
{
	struct means *m = means_by(r, name, f, key);

	take_held(r, m, f);
	return m;
}

/* NULL: nothing that these settings have. */
static const struct socket_settings *socket_of(const struct fact *f,
					       const struct record_settings *settings)
{
	struct settings *of = settings->find(fact_int(f, "settings", 0), settings->ctx);
	const char *name = fact_get(f, "name");
	const struct socket_settings *k = of && name ? settings_socket(of, name) : NULL;

	return k && natural(f, "index") < k->address_count ? k : NULL;
}

int slot_revive(struct store *s, const struct fact *f, const struct record_settings *settings,
		int *fd)
{
	const struct socket_settings *k = socket_of(f, settings);
	size_t index = natural(f, "index");
	struct key key;

	if (!natural(f, "slot") || !k)
		return -1;
	key_of_address(k, index, &key);
	key.slot = (int)natural(f, "slot");
	store_give_back(s, fd_take(fd), &key, natural(f, "held"));
	return 0;
}

struct held *held_revive(struct store *s, const struct fact *f,
			 const struct record_settings *settings, int *fd)
{
	const struct socket_settings *k = socket_of(f, settings);
	size_t index = natural(f, "index");
	struct key key;

	if (!k)
		return NULL;
	if (!fact_bool(f, "by_worker"))
		key_of_address(k, index, &key);
	else if (inherited_key(*fd, &key, NULL) < 0)
		return NULL;
	return store_revive(s, &key, k, (unsigned)index, fd_take(fd), &(struct held_memory){
		.kept = natural(f, "held"), .number = natural(f, "number"),
		.leaving = fact_bool(f, "leaving"), .deaf = fact_bool(f, "deaf"),
		.own_path = fact_bool(f, "own_path"), .inherited = fact_bool(f, "inherited"),
		.by_worker = fact_bool(f, "by_worker"),
	});
}

static struct means *memory_by(const struct revival *r, const struct fact *f, const char *key)
{
	struct means *m = means_by(r, r->program->name, f, key), *memory = NULL;

	if (m)
		memory = means_memory(m);
	means_unref(m);
	return memory;
}

static enum generation_state generation_state_of(const struct fact *f)
{
	const char *word = fact_get(f, "state");

	for (int s = 0; word && s < GENERATION_STATE_COUNT; s++)
		if (strcmp(generation_state_word((enum generation_state)s), word) == 0)
			return (enum generation_state)s;
	return GENERATION_DRAINING;
}

/* One that is not known is on its way out. */
static enum worker_state worker_state_of(const struct fact *f)
{
	const char *word = fact_get(f, "state");

	for (int s = 0; word && s < WORKER_GONE; s++)
		if (strcmp(worker_state_word((enum worker_state)s), word) == 0)
			return (enum worker_state)s;
	return WORKER_STOPPING;
}

static void revive_generation(struct revival *r, const struct fact *f)
{
	struct program *p = r->program;
	struct means *m = means_with_sockets(r, p->name, f, "settings");
	struct generation *g;

	if (!m)
		m = means_ref(p->wanted);
	g = generation_new(p, natural(f, "number"), natural(f, "wish"), m);
	means_unref(m);
	g->state = generation_state_of(f);
	g->proved_by = proof_word(fact_get(f, "proved_by"));
	g->hurried = fact_bool(f, "hurried");
	g->grouped = fact_bool(f, "grouped");
	g->halted = fact_bool(f, "halted");
	g->current_since = fact_int(f, "current_since", 0);
	g->deaths = natural(f, "deaths");
	g->judged = fact_bool(f, "judged");
	g->condemned = mem_text(fact_get(f, "condemned"));
	g->takes_over = fact_bool(f, "takes_over");
	g->failure = mem_text(fact_get(f, "failure"));
	r->generation = g;
}

static void revive_failure_line(struct revival *r, const struct fact *f)
{
	if (r->generation && fact_get(f, "text"))
		text_list_add(&r->generation->failure_lines, fact_get(f, "text"));
}

static void revive_last_line(struct revival *r, const struct fact *f)
{
	if (fact_get(f, "text"))
		text_list_add(&r->program->last_lines, fact_get(f, "text"));
}

enum { SEATS_MOST = 4096 };

static void revive_seat(struct revival *r, const struct fact *f)
{
	unsigned index = natural(f, "index");

	if (r->generation && index < SEATS_MOST)
		seat_revive(r->generation, &(struct seat_memory){
			.index = index, .open = fact_bool(f, "open"),
			.done = fact_bool(f, "done"), .done_well = fact_bool(f, "done_well"),
			.proved_once = fact_bool(f, "proved_once"),
			.failures = natural(f, "failures"), .again = fact_int(f, "again", 0),
		});
}

static struct worker_memory worker_of(const struct fact *f)
{
	return (struct worker_memory){
		.pid = (pid_t)natural(f, "pid"), .born = (uint64_t)fact_int(f, "born", 0),
		.id = (uint64_t)fact_int(f, "id", 0),
		.main_pid = (pid_t)natural(f, "main"),
		.main_born = (uint64_t)fact_int(f, "main_born", 0),
		.followed = fact_bool(f, "followed"), .proved = fact_bool(f, "proved"),
		.asked = fact_bool(f, "asked"), .state = worker_state_of(f),
		.rung = natural(f, "rung"), .patience_ends = fact_int(f, "patience_ends", 0),
		.patience_most = fact_int(f, "patience_most", 0),
		.started = (time_t)fact_int(f, "started", 0), .reason = fact_get(f, "reason"),
	};
}

static struct vitals vitals_of(const struct fact *f)
{
	return (struct vitals){ .asked = fact_bool(f, "health_asked"), .sick = fact_bool(f, "sick"),
				.failed = natural(f, "health_failed") };
}

static struct member_memory member_of(const struct fact *f)
{
	return (struct member_memory){
		.worker = worker_of(f), .index = natural(f, "index"),
		.slot = natural(f, "slot"), .seated = fact_bool(f, "seated"),
		.stale = fact_bool(f, "stale"), .status = fact_get(f, "status"),
		.proved_by = fact_get(f, "proved_by"), .error = (int)fact_int(f, "errno", 0),
		.reloading = fact_bool(f, "reloading"), .stopping = fact_bool(f, "stopping"),
		.leaving = fact_bool(f, "leaving"),
		.reload_began = fact_int(f, "reload_began", 0),
		.listened = (uint64_t)fact_int(f, "listened", 0),
		.reloaded = fact_int(f, "reloaded", 0),
		.watchdog_ms = fact_int(f, "watchdog", 0),
		.proof_began = fact_int(f, "proof_began", 0),
		.spare = fact_bool(f, "spare"), .renewed = fact_bool(f, "renewed"),
		.renew = natural(f, "renew"), .renew_since = fact_int(f, "renew_since", 0),
		.serves_since = fact_int(f, "serves_since", 0), .vitals = vitals_of(f),
#define X(name, word) .kept[MEMBER_##name] = natural(f, word),
		MEMBER_KEPT(X)
#undef X
	};
}

static void revive_worker(struct revival *r, const struct fact *f)
{
	struct generation *g = r->generation;
	struct member_memory mm = member_of(f);
	struct means *m;

	if (!g || mm.worker.pid <= 0 || mm.index >= SEATS_MOST)
		return;
	m = means_with_sockets(r, r->program->name, f, "settings");
	mm.means = m ? m : g->means;
	generation_adopt(g, &mm);
	means_unref(m);
}

static void revive_stored(struct revival *r, const struct fact *f)
{
	unsigned number = natural(f, "kept");
	struct fd_store *s = &r->program->kept;
	const char *name = fact_get(f, "name");
	int fd = custody_claim(r->rollout->custody, number, "store");

	if (fd < 0)
		return;
	if (fd_store_put(s, name ? name : "stored", &fd, fact_bool(f, "watched")))
		s->items[s->count - 1].kept = number;
}

static struct means *means_of(const struct revival *r, const char *of)
{
	const struct generation *g = r->generation;

	if (strcmp(of, "wanted") == 0)
		return r->program->wanted;
	if (strcmp(of, "present") == 0)
		return r->program->present;
	if (strcmp(of, "before") == 0)
		return r->program->before;
	return g && g->means != r->program->wanted ? g->means : NULL;
}

static void revive_executable(struct revival *r, const struct fact *f)
{
	const char *of = fact_get(f, "of"), *word = fact_get(f, "word"),
		   *path = fact_get(f, "path");
	struct means *m = of ? means_of(r, of) : NULL;
	unsigned number = natural(f, "kept");
	int fd;

	if (!m || !number || !word || !path)
		return;
	fd = custody_claim(r->rollout->custody, number, "executable");
	executable_revive(&m->executable, word, path, number, &fd);
	fd_close(&fd);
}

static const struct {
	const char *word;
	void (*revive)(struct revival *r, const struct fact *f);
} words[] = {
	{ "generation", revive_generation }, { "failure-line", revive_failure_line },
	{ "seat", revive_seat },	     { "worker", revive_worker },
	{ "stored", revive_stored },	     { "last-line", revive_last_line },
	{ "executable", revive_executable },
};

static void take_wishes(struct program *p, const struct fact *f)
{
	p->up = fact_bool(f, "up");
	p->asleep = fact_bool(f, "asleep");
	p->removed = fact_bool(f, "removed");
	p->scale = fact_int(f, "scale", -1);
	p->scale_before = fact_int(f, "scale_before", -1);
	p->scaling = fact_bool(f, "scaling");
	p->goes_back = fact_bool(f, "goes_back");
	p->wish = natural(f, "wish");
	p->done_wish = natural(f, "done_wish");
	p->strategy = natural(f, "strategy") <= STRATEGY_REPLACE
			      ? (enum strategy)natural(f, "strategy") : STRATEGY_ROLLING;
}

static void take_history(struct program *p, const struct fact *f)
{
	p->last_number = natural(f, "last_number");
	p->failures = natural(f, "failures");
	p->took_over = fact_int(f, "took_over", 0);
	p->given_up = fact_bool(f, "given_up");
	p->speaks_notify = fact_bool(f, "speaks_notify");
	p->hinted = fact_bool(f, "hinted");
	p->restarts = natural(f, "restarts");
	p->vitals = vitals_of(f);
	p->renewals.count = natural(f, "renewals");
	p->renewals.last = fact_int(f, "renewals_last", 0);
	p->ended = fact_bool(f, "ended");
	p->last_end.code = (int)natural(f, "end_code");
	p->last_end.signal = (int)natural(f, "end_signal");
	p->last_error = mem_text(fact_get(f, "last_error"));
}

static struct generation *by_number(const struct program *p, unsigned number)
{
	list_each(g, &p->generations, struct generation, node)
		if (number && g->number == number)
			return g;
	return NULL;
}

static enum program_state state_of(const struct fact *f)
{
	const char *word = fact_get(f, "state");
	enum program_state s = word ? program_state_from_word(word) : PROGRAM_STATE_COUNT;

	return s == PROGRAM_STATE_COUNT ? PROGRAM_STOPPED : s;
}

static void revive_facts(struct revival *r, const struct snapshot_block *b)
{
	for (size_t i = 0; i < b->count; i++)
		for (size_t k = 0; k < COUNT(words); k++)
			if (fact_is(&b->facts[i], words[k].word))
				words[k].revive(r, &b->facts[i]);
}

int program_revive(struct rollout *r, const struct snapshot_block *b,
		   const struct record_settings *settings, struct err *err)
{
	struct revival v = { .rollout = r, .settings = settings };
	const char *name = fact_get(&b->head, "name");
	const struct fact *f = &b->head;
	struct means *wanted = name ? means_with_sockets(&v, name, f, "wanted") : NULL;
	struct program *p;

	if (!wanted)
		return err_set(err, 0, "program %s: its settings are not to be had",
			       name ? name : "?");
	p = v.program = program_new(r, wanted);
	means_unref(wanted);
	p->state = state_of(f);
	take_wishes(p, f);
	take_history(p, f);
	p->present = memory_by(&v, f, "present");
	p->before = memory_by(&v, f, "before");
	revive_facts(&v, b);
	p->current = by_number(p, natural(f, "current"));
	p->next = by_number(p, natural(f, "next"));
	p->bindings_tried = means_bindings(p->wanted);
	p->recorded = str_digest(&(struct str){ .data = (char *)(uintptr_t)b->text,
						  .length = b->length });
	program_resume(p, fact_int(f, "retry", 0));
	return 0;
}
