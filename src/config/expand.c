#include "config/expand.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/words.h"

struct expansion {
	expand_name_fn *name;
	void *ctx;
	bool keep_unknown;
	struct str *out;
};

/* The value of one name.  What it holds is text: while a later pass is still
 * to come, its dollars are doubled so that they cannot begin an expansion. */
static int one_name(const struct expansion *e, const char *name, struct err *err)
{
	struct str value = { 0 };
	int rc = e->name(name, e->ctx, &value, err);

	if (rc == 0 && e->keep_unknown)
		str_addf(e->out, "${%s}", name);
	else if (rc == 0)
		rc = err_set(err, 0, "${%.80s}: there is no such expansion here", name);
	else if (rc > 0 && e->keep_unknown)
		str_add_dollars(e->out, str_text(&value));
	else if (rc > 0)
		str_add_n(e->out, str_text(&value), value.length);
	str_fini(&value);
	return rc < 0 ? -1 : 0;
}

/* p stands behind "${".  Returns what follows the brace, NULL on a fault. */
static const char *braces(const struct expansion *e, const char *p, struct err *err)
{
	const char *end = strchr(p, '}');
	char *name;
	int rc;

	if (!end) {
		err_set(err, 0, "\"${%.40s\" has no closing brace; write \"$$\" for a dollar", p);
		return NULL;
	}
	name = mem_text_n(p, (size_t)(end - p));
	if (strstr(name, "${"))
		rc = err_set(err, 0, "\"${%.80s\": one expansion cannot stand inside another",
			     name);
	else
		rc = one_name(e, name, err);
	free(name);
	return rc < 0 ? NULL : end + 1;
}

static const char *dollar(const struct expansion *e, const char *p, struct err *err)
{
	if (p[1] == '{')
		return braces(e, p + 2, err);
	if (p[1] == '$') {
		str_add(e->out, e->keep_unknown ? "$$" : "$");
		return p + 2;
	}
	err_set(err, 0, "a single \"$\" in \"%.40s\"; write \"$$\" for a dollar, ${NAME} to expand",
		p);
	return NULL;
}

int expand(const char *text, expand_name_fn *name, void *ctx, bool keep_unknown,
	   struct str *out, struct err *err)
{
	const struct expansion e = { name, ctx, keep_unknown, out };

	while (text && *text) {
		size_t plain = strcspn(text, "$");

		str_add_n(out, text, plain);
		text += plain;
		if (*text)
			text = dollar(&e, text, err);
	}
	return text ? 0 : -1;
}
