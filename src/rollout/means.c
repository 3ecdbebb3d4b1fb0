#include "rollout/means.h"

#include <stdlib.h>

#include "base/mem.h"
#include "socket/group.h"
#include "socket/rebind.h"

static void take_socket(struct means *m, struct store *store, const struct socket_settings *s)
{
	for (size_t i = 0; i < s->address_count; i++) {
		struct held *h;
		struct key key;

		key_of_address(s, i, &key);
		h = store_claim(store, &key);
		if (!h)
			continue;
		held_ref(h);
		m->held = mem_grow(m->held, m->held_count + 1, sizeof(*m->held));
		m->held[m->held_count++] = h;
	}
}

static struct means *without_sockets(struct settings *settings,
				     const struct program_settings *program)
{
	struct means *m = MEM_NEW(struct means);

	m->references = 1;
	m->settings = settings_ref(settings);
	m->program = program;
	m->executable = EXECUTABLE_NONE;
	return m;
}

struct means *means_new(struct settings *settings, const struct program_settings *program,
			struct store *store)
{
	struct means *m = without_sockets(settings, program);

	for (size_t i = 0; i < program->sockets.count; i++)
		take_socket(m, store, settings_socket(settings, program->sockets.items[i]));
	return m;
}

struct means *means_memory(const struct means *m)
{
	struct means *memory = without_sockets(m->settings, m->program);

	executable_copy(&m->executable, &memory->executable);
	return memory;
}

struct means *means_copy(const struct means *m, bool keep_executable)
{
	struct means *copy = keep_executable ? means_memory(m)
					     : without_sockets(m->settings, m->program);

	copy->held = mem_grow(NULL, m->held_count, sizeof(*m->held));
	for (size_t i = 0; i < m->held_count; i++) {
		held_ref(m->held[i]);
		copy->held[copy->held_count++] = m->held[i];
	}
	return copy;
}

struct means *means_revive(const struct means *memory, struct store *store, struct err *err)
{
	struct means *m = means_new(memory->settings, memory->program, store);
	const struct text_list *names = &m->program->sockets;
	size_t wanted = 0;

	for (size_t i = 0; i < names->count; i++) {
		wanted += settings_socket(m->settings, names->items[i])->address_count;
		if (m->held_count >= wanted)
			continue;
		(void)err_set(err, 0, "it had an address of socket %s that is not held any more; "
				      "put it back into the configuration and reload",
			      names->items[i]);
		means_unref(m);
		return NULL;
	}
	executable_copy(&memory->executable, &m->executable);
	return m;
}

void means_swap(struct means *m, size_t position, struct held *h)
{
	held_ref(h);
	held_unref(m->held[position]);
	m->held[position] = h;
}

struct means *means_ref(struct means *m)
{
	m->references++;
	return m;
}

void means_unref(struct means *m)
{
	if (!m || --m->references)
		return;
	for (size_t i = 0; i < m->held_count; i++)
		held_unref(m->held[i]);
	free(m->held);
	executable_let_go(&m->executable);
	settings_unref(m->settings);
	free(m);
}

unsigned means_bindings(const struct means *m)
{
	unsigned all = 0;

	for (size_t i = 0; i < m->held_count; i++)
		all += m->held[i]->bindings +
		       (m->held[i]->group ? m->held[i]->group->bound_again : 0);
	return all;
}

void means_renew(struct means *m)
{
	for (size_t i = 0; i < m->held_count; i++)
		means_swap(m, i, rebind_if_spoilt(m->held[i]));
}

bool means_has(const struct means *m, const struct held *h)
{
	for (size_t i = 0; i < m->held_count; i++)
		if (m->held[i] == h)
			return true;
	return false;
}

bool means_alike(const struct means *a, const struct means *b)
{
	return a->executable.file == b->executable.file &&
	       program_settings_effect(a->program, b->program, NULL) <= EFFECT_LIVE;
}

bool means_same_sockets(const struct means *a, const struct means *b)
{
	if (a->held_count != b->held_count)
		return false;
	for (size_t i = 0; i < a->held_count; i++)
		if (a->held[i] != b->held[i])
			return false;
	return true;
}

static void note_missing(const struct held *h, bool *bound, struct str *ret_missing)
{
	if (h->state == HELD_LISTENING || held_awaits_worker(h))
		return;
	if (ret_missing)
		str_addf(ret_missing, "%ssocket %s waits: %s", *bound ? "" : "; ",
			 h->settings->name, h->reason ? h->reason : "not bound yet");
	*bound = false;
}

bool held_bound(struct held *const *held, size_t count, struct str *ret_missing)
{
	bool bound = true;

	for (size_t i = 0; i < count; i++)
		note_missing(held[i], &bound, ret_missing);
	return bound;
}

bool means_bound(const struct means *m, struct str *ret_missing)
{
	bool bound = true;

	for (size_t i = 0; i < m->held_count; i++)
		for (size_t k = 0; k < group_size(m->held[i]); k++)
			note_missing(group_slot(m->held[i], k), &bound, ret_missing);
	return bound;
}
