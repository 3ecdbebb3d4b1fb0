#include "cli/matrix_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text_list.h"

/* "ok", "x", "?"; the few other errors by their name. */
static const char *short_word(const struct matrix_cell *c, char buf[MATRIX_RESULT_SIZE])
{
	if (c->result == MATRIX_UNTESTED)
		return "?";
	if (c->result == EADDRINUSE)
		return "x";
	return c->result == EADDRNOTAVAIL ? "n" : matrix_result_word(c->result, buf);
}

static void add_padded(struct str *out, const char *text, size_t width)
{
	str_add(out, text);
	for (size_t n = strlen(text); n < width; n++)
		str_add(out, " ");
}

static void end_line(struct str *out)
{
	while (out->length && out->data[out->length - 1] == ' ')
		out->data[--out->length] = '\0';
	str_add(out, "\n");
}

enum { STATE_WIDTH = 20, CELL_WIDTH = 3, GAP = 2, SURPRISES_SHOWN = 20 };

static void add_gap(struct str *out, unsigned second)
{
	add_padded(out, "", second + 1 == MATRIX_OPTION_SETS ? GAP : 0);
}

static void add_heads(struct str *out)
{
	add_padded(out, "first", STATE_WIDTH);
	for (unsigned o = 0; o < MATRIX_OPTION_SETS; o++)
		add_padded(out, matrix_options_short(o), MATRIX_OPTION_SETS * CELL_WIDTH + GAP);
	end_line(out);
	add_padded(out, "second", STATE_WIDTH);
	for (unsigned o = 0; o < MATRIX_OPTION_SETS * MATRIX_OPTION_SETS; o++) {
		add_padded(out, matrix_options_short(o % MATRIX_OPTION_SETS), CELL_WIDTH);
		add_gap(out, o % MATRIX_OPTION_SETS);
	}
	end_line(out);
}

/* One table: what is alike elsewhere is printed below the names of all of them. */
struct part {
	struct str titles, body;
	struct matrix_cell last;	/* of the place that was named last */
};

struct parts {
	struct part *items;
	size_t count;
};

static void add_cell(struct str *body, const struct matrix_cell *c)
{
	char buf[MATRIX_RESULT_SIZE];

	if (c->first.options == 0 && c->second.options == 0)
		add_padded(body, matrix_state_word(c->state), STATE_WIDTH);
	add_padded(body, short_word(c, buf), CELL_WIDTH);
	add_gap(body, c->second.options);
	if (c->first.options + 1 == MATRIX_OPTION_SETS && c->second.options + 1 == MATRIX_OPTION_SETS)
		end_line(body);
}

static bool same_families(const struct matrix_cell *a, const struct matrix_cell *b)
{
	return a->first.kind == b->first.kind && a->second.kind == b->second.kind &&
	       matrix_is_client(a->state) == matrix_is_client(b->state);
}

static bool same_place(const struct matrix_cell *a, const struct matrix_cell *b)
{
	return same_families(a, b) && a->first.address == b->first.address &&
	       a->second.address == b->second.address;
}

/* "ipv4/ipv6: wildcard > wildcard, specific; specific > other" */
static void add_title(struct part *p, const struct matrix_cell *c)
{
	bool beside = p->titles.length && same_families(&p->last, c);

	if (!beside)
		str_addf(&p->titles, "%s%s%s: ", p->titles.length ? "\n" : "",
			 matrix_is_client(c->state) ? "clients, " : "",
			 matrix_family_word(c->first.kind, c->second.kind));
	if (beside && p->last.first.address == c->first.address)
		str_addf(&p->titles, ", %s", matrix_address_word(c->second.address));
	else
		str_addf(&p->titles, "%s%s > %s", beside ? "; " : "",
			 matrix_address_word(c->first.address),
			 matrix_address_word(c->second.address));
	p->last = *c;
}

/* Takes the body. */
static void add_part(struct parts *p, const struct matrix_cell *c, struct str *body)
{
	size_t i = 0;

	while (i < p->count && strcmp(str_text(&p->items[i].body), str_text(body)) != 0)
		i++;
	if (i == p->count) {
		p->items = mem_grow(p->items, ++p->count, sizeof(*p->items));
		p->items[i] = (struct part){ .body = *body };
		*body = (struct str){ 0 };
	}
	add_title(&p->items[i], c);
	str_clear(body);
}

static void gather(const struct matrix *m, struct parts *p)
{
	struct matrix_cell c, last;
	struct str body = { 0 };

	for (size_t at = 0; matrix_next(m, &at, &c); last = c) {
		if (body.length && !same_place(&last, &c))
			add_part(p, &last, &body);
		add_cell(&body, &c);
	}
	add_part(p, &last, &body);
	str_fini(&body);
}

static void add_reasons(const struct matrix *m, struct str *out)
{
	struct text_list told = { 0 };
	struct matrix_cell c;

	for (size_t at = 0; matrix_next(m, &at, &c);) {
		if (!c.reason || text_list_has(&told, c.reason))
			continue;
		text_list_add(&told, c.reason);
		str_addf(out, "? %s: %s\n", matrix_state_word(c.state), c.reason);
	}
	if (told.count)
		str_add(out, "\n");
	text_list_fini(&told);
}

static void add_surprise(const struct matrix_cell *c, struct str *out)
{
	char is[MATRIX_RESULT_SIZE], expected[MATRIX_RESULT_SIZE];

	str_addf(out, "  %s: %s > %s, %s, %s then %s: %s instead of %s\n",
		 matrix_family_word(c->first.kind, c->second.kind),
		 matrix_address_word(c->first.address), matrix_address_word(c->second.address),
		 matrix_state_word(c->state), matrix_options_short(c->first.options),
		 matrix_options_short(c->second.options), matrix_result_word(c->result, is),
		 matrix_result_word(matrix_expected(c), expected));
}

static void add_surprises(const struct matrix *m, struct str *out)
{
	size_t tested = 0, surprises = 0;
	struct str list = { 0 };
	struct matrix_cell c;

	for (size_t at = 0; matrix_next(m, &at, &c);) {
		tested += c.result != MATRIX_UNTESTED;
		if (c.result == MATRIX_UNTESTED || c.result == matrix_expected(&c))
			continue;
		if (surprises++ < SURPRISES_SHOWN)
			add_surprise(&c, &list);
	}
	if (surprises)
		str_addf(out, "%zu of %zu binds did not end as holdport expects:\n%s%s", surprises,
			 tested, str_text(&list), surprises > SURPRISES_SHOWN ? "  …\n" : "");
	else if (!tested)
		str_add(out, "Nothing could be tested.\n");
	else
		str_addf(out, "All %zu binds ended as holdport expects.\n", tested);
	str_fini(&list);
}

void matrix_text(const struct matrix *m, struct str *out)
{
	struct parts p = { 0 };

	str_add(out, "A second socket binds beside what a first one left at its port.\n"
		"Options: - none, A SO_REUSEADDR, P SO_REUSEPORT, AP both"
#ifdef SO_EXCLUSIVEADDRUSE
		", E SO_EXCLUSIVEADDRUSE"
#endif
		".\nResults: ok, x EADDRINUSE, n EADDRNOTAVAIL, ? not tested.\n"
		"Of two families or addresses the first is the first socket's.\n\n");
	gather(m, &p);
	for (size_t i = 0; i < p.count; i++) {
		str_addf(out, "%s\n", str_text(&p.items[i].titles));
		add_heads(out);
		str_addf(out, "%s\n", str_text(&p.items[i].body));
		str_fini(&p.items[i].titles);
		str_fini(&p.items[i].body);
	}
	free(p.items);
	add_reasons(m, out);
	add_surprises(m, out);
}
