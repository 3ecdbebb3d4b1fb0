/* What a difference between two readings costs.  Two values are the same if
 * they would be printed the same. */
#include <string.h>

#include "config/option.h"

const char *effect_word(enum effect e)
{
	static const char *const words[] = {
#define X(name, word) [EFFECT_##name] = word,
		EFFECTS(X)
#undef X
	};
	return words[e];
}

static bool same(const struct option *o, const void *was, const void *now)
{
	struct str a = { 0 }, b = { 0 };
	bool yes;

	o->type->print(o, was, &a);
	o->type->print(o, now, &b);
	yes = strcmp(str_text(&a), str_text(&b)) == 0;
	str_fini(&a);
	str_fini(&b);
	return yes;
}

static enum effect difference(const struct option *options, const void *was, const void *now,
			      struct text_list *ret_keys)
{
	enum effect most = EFFECT_NONE;

	for (const struct option *o = options; o->key; o++) {
		if (same(o, was, now))
			continue;
		if (ret_keys)
			text_list_add(ret_keys, o->key);
		most = o->effect > most ? o->effect : most;
	}
	return most;
}

enum effect program_settings_effect(const struct program_settings *was,
				    const struct program_settings *now, struct text_list *ret_keys)
{
	return difference(options_program, was, now, ret_keys);
}

enum effect socket_settings_effect(const struct socket_settings *was,
				   const struct socket_settings *now, struct text_list *ret_keys)
{
	return difference(options_socket, was, now, ret_keys);
}
