#include "rollout/record.h"

#include "base/mem.h"
#include "keeper/custody.h"

static unsigned number_of(const struct record_settings *s, const struct means *m)
{
	return m ? s->number(m->settings, s->ctx) : 0;
}

void held_record(const struct held *h, const struct record_settings *settings, struct str *out)
{
	struct held_memory m;

	held_remember(h, &m);
	fact_begin(out, "socket");
	fact_number(out, "held", m.kept);
	fact_number(out, "settings", settings->number(h->settings->whole, settings->ctx));
	fact_text(out, "name", h->settings->name);
	fact_number(out, "index", h->index);
	fact_number(out, "slot", h->key.slot);
	fact_number(out, "number", (int64_t)m.number);
	fact_number(out, "leaving", m.leaving);
	fact_number(out, "deaf", m.deaf);
	fact_number(out, "own_path", m.own_path);
	fact_number(out, "inherited", m.inherited);
	fact_number(out, "by_worker", m.by_worker);
	fact_number(out, "inode", (int64_t)h->inode);
	fact_end(out);
}

/* Which sockets a means has: by number, for of two with one address a generation may
 * have the older. */
static void add_held(struct str *out, const struct means *m)
{
	struct str numbers = { 0 };

	for (size_t i = 0; i < m->held_count; i++)
		str_addf(&numbers, "%s%u", i ? "," : "", m->held[i]->kept);
	fact_text(out, "sockets", str_text(&numbers));
	str_fini(&numbers);
}

/* The moment at which a timer is due; 0: it does not run. */
static int64_t due(const struct loop_timer *t, int64_t at)
{
	return loop_timer_runs(t) ? at : 0;
}

static void add_lines(struct str *out, const char *word, const struct text_list *lines)
{
	for (size_t i = 0; i < lines->count; i++) {
		fact_begin(out, word);
		fact_text(out, "text", lines->items[i]);
		fact_end(out);
	}
}

static void add_process(struct str *out, const struct worker_memory *w)
{
	fact_number(out, "pid", w->pid);
	fact_number(out, "born", (int64_t)w->born);
	fact_number(out, "id", (int64_t)w->id);
	if (w->main_pid) {
		fact_number(out, "main", w->main_pid);
		fact_number(out, "main_born", (int64_t)w->main_born);
		fact_number(out, "followed", w->followed);
	}
	fact_text(out, "state", worker_state_word(w->state));
	fact_number(out, "proved", w->proved);
	fact_number(out, "asked", w->asked);
	fact_number(out, "rung", w->rung);
	fact_number(out, "patience_ends", w->patience_ends);
	fact_number(out, "patience_most", w->patience_most);
	fact_number(out, "started", w->started);
	fact_text(out, "reason", w->reason);
}

/* The inode tells what a worker still has of it, should nobody else. */
static void add_kept(struct str *out, const unsigned kept[MEMBER_KEEPS], const struct custody *c)
{
#define X(name, word)                                                                      \
	if (kept[MEMBER_##name]) {                                                         \
		fact_number(out, word, kept[MEMBER_##name]);                               \
		fact_number(out, word "_inode",                                            \
			    (int64_t)custody_inode_of(c, kept[MEMBER_##name]));            \
	}
	MEMBER_KEPT(X)
#undef X
}

/* The file that it was started from is given to the keeper, once for all that have it. */
static void add_executable(struct str *out, const char *of, const struct means *m,
			   struct custody *c)
{
	struct executable_file *f = m ? m->executable.file : NULL;

	if (f && !f->kept)
		f->kept = custody_hold(c, f->fd, "executable");
	if (!f || !f->kept)
		return;
	fact_begin(out, "executable");
	fact_text(out, "of", of);
	fact_number(out, "kept", f->kept);
	fact_text(out, "word", f->word);
	fact_text(out, "path", f->path);
	fact_end(out);
}

static void add_vitals(struct str *out, const struct vitals *v)
{
	fact_number(out, "health_asked", v->asked);
	fact_number(out, "health_failed", v->failed);
	fact_number(out, "sick", v->sick);
}

static void add_member(struct str *out, const struct member *m,
		       const struct record_settings *settings)
{
	struct member_memory mm;

	member_remember(m, &mm);
	fact_begin(out, "worker");
	fact_number(out, "index", mm.index);
	fact_number(out, "slot", mm.slot);
	fact_number(out, "seated", mm.seated);
	fact_number(out, "stale", mm.stale);
	fact_number(out, "settings", number_of(settings, mm.means));
	add_held(out, mm.means);
	add_process(out, &mm.worker);
	fact_text(out, "proved_by", mm.proved_by);
	fact_text(out, "status", mm.status);
	fact_number(out, "errno", mm.error);
	fact_number(out, "reloading", mm.reloading);
	fact_number(out, "reload_began", mm.reload_began);
	fact_number(out, "reloaded", mm.reloaded);
	fact_number(out, "stopping", mm.stopping);
	fact_number(out, "listened", (int64_t)mm.listened);
	fact_number(out, "leaving", mm.leaving);
	fact_number(out, "watchdog", mm.watchdog_ms);
	fact_number(out, "proof_began", mm.proof_began);
	fact_number(out, "spare", mm.spare);
	fact_number(out, "serves_since", mm.serves_since);
	fact_number(out, "renew", mm.renew);
	fact_number(out, "renew_since", mm.renew_since);
	fact_number(out, "renewed", mm.renewed);
	add_vitals(out, &mm.vitals);
	add_kept(out, mm.kept, m->generation->program->rollout->custody);
	fact_end(out);
}

static void add_seat(struct str *out, const struct seat *s)
{
	fact_begin(out, "seat");
	fact_number(out, "index", s->index);
	fact_number(out, "open", s->open);
	fact_number(out, "done", s->done);
	fact_number(out, "done_well", s->done_well);
	fact_number(out, "proved_once", s->proved_once);
	fact_number(out, "failures", s->failures);
	fact_number(out, "again", due(&s->again, s->again_at));
	fact_end(out);
}

static void add_generation(struct str *out, const struct generation *g,
			   const struct record_settings *settings)
{
	fact_begin(out, "generation");
	fact_number(out, "number", g->number);
	fact_number(out, "wish", g->wish);
	fact_text(out, "state", generation_state_word(g->state));
	fact_number(out, "settings", number_of(settings, g->means));
	add_held(out, g->means);
	fact_number(out, "takes_over", g->takes_over);
	fact_text(out, "proved_by", g->proved_by);
	fact_number(out, "hurried", g->hurried);
	fact_number(out, "grouped", g->grouped);
	fact_number(out, "halted", g->halted);
	fact_number(out, "current_since", g->current_since);
	fact_number(out, "deaths", g->deaths);
	fact_number(out, "judged", g->judged);
	fact_text(out, "condemned", g->condemned);
	fact_text(out, "failure", g->failure);
	fact_end(out);
	add_executable(out, "generation", g->means, g->program->rollout->custody);
	add_lines(out, "failure-line", &g->failure_lines);
	for (size_t i = 0; i < g->seat_count; i++)
		add_seat(out, g->seats[i]);
	list_each(m, &g->members, struct member, node)
		add_member(out, m, settings);
}

/* Those that came since are given to the keeper now. */
static void add_store(struct str *out, struct fd_store *s, struct custody *c)
{
	for (size_t i = 0; i < s->count; i++) {
		struct kept_fd *k = &s->items[i];

		if (!k->kept)
			k->kept = custody_hold(c, k->fd, "store");
		if (!k->kept)
			continue;	/* nobody holds it: it goes with us */
		fact_begin(out, "stored");
		fact_text(out, "name", k->name);
		fact_number(out, "watched", k->watched);
		fact_number(out, "kept", k->kept);
		fact_number(out, "inode", (int64_t)custody_inode_of(c, k->kept));
		fact_end(out);
	}
}

static void add_means(struct str *out, const struct program *p,
		      const struct record_settings *settings)
{
	fact_number(out, "wanted", number_of(settings, p->wanted));
	add_held(out, p->wanted);
	fact_number(out, "present", number_of(settings, p->present));
	fact_number(out, "before", number_of(settings, p->before));
}

static void add_wishes(struct str *out, const struct program *p)
{
	fact_number(out, "up", p->up);
	fact_number(out, "asleep", p->asleep);
	fact_number(out, "removed", p->removed);
	fact_number(out, "scale", p->scale);
	fact_number(out, "scale_before", p->scale_before);
	fact_number(out, "scaling", p->scaling);
	fact_number(out, "goes_back", p->goes_back);
	fact_number(out, "wish", p->wish);
	fact_number(out, "done_wish", p->done_wish);
	fact_number(out, "strategy", p->strategy);
}

static void add_history(struct str *out, const struct program *p)
{
	fact_number(out, "current", p->current ? p->current->number : 0);
	fact_number(out, "next", p->next ? p->next->number : 0);
	fact_number(out, "last_number", p->last_number);
	fact_number(out, "failures", p->failures);
	fact_number(out, "took_over", p->took_over);
	fact_number(out, "given_up", p->given_up);
	fact_number(out, "retry", due(&p->retry, p->retry_at));
	fact_number(out, "speaks_notify", p->speaks_notify);
	fact_number(out, "hinted", p->hinted);
	fact_number(out, "restarts", p->restarts);
	add_vitals(out, &p->vitals);
	fact_number(out, "renewals", p->renewals.count);
	fact_number(out, "renewals_last", p->renewals.last);
	fact_number(out, "ended", p->ended);
	fact_number(out, "end_code", p->last_end.code);
	fact_number(out, "end_signal", p->last_end.signal);
	fact_text(out, "last_error", p->last_error);
}

void program_record(struct program *p, const struct record_settings *settings, struct str *out)
{
	fact_begin(out, "program");
	fact_text(out, "name", p->name);
	fact_text(out, "state", program_state_word(p->state));
	add_means(out, p, settings);
	add_wishes(out, p);
	add_history(out, p);
	fact_end(out);
	add_lines(out, "last-line", &p->last_lines);
	add_store(out, &p->kept, p->rollout->custody);
	add_executable(out, "wanted", p->wanted, p->rollout->custody);
	add_executable(out, "present", p->present, p->rollout->custody);
	add_executable(out, "before", p->before, p->rollout->custody);
	list_each(g, &p->generations, struct generation, node)
		add_generation(out, g, settings);
	fact_begin(out, "end");
	fact_end(out);
}

void program_release(struct program *p)
{
	list_each(g, &p->generations, struct generation, node)
		list_each(m, &g->members, struct member, node)
			worker_release(&m->worker);
}
