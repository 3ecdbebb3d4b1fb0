#include <errno.h>
#include <stdio.h>

#include "base/owner.h"
#include "matrix/matrix.h"

bool matrix_is_client(enum matrix_state state)
{
	return state == MATRIX_CONNECTED || state == MATRIX_CONNECTED_SAME;
}

const char *matrix_family_word(enum matrix_kind first, enum matrix_kind second)
{
	static const char *const words[MATRIX_KINDS][MATRIX_KINDS] = {
		[MATRIX_IPV4] = { "ipv4", "ipv4/ipv6", "ipv4/dual-stack" },
		[MATRIX_IPV6] = { "ipv6/ipv4", "ipv6", "ipv6/dual-stack" },
		[MATRIX_DUAL] = { "dual-stack/ipv4", "dual-stack/ipv6", "dual-stack" },
	};

	return words[first][second];
}

const char *matrix_address_word(enum matrix_address address)
{
	static const char *const words[MATRIX_ADDRESSES] = {
		[MATRIX_WILDCARD] = "wildcard",
		[MATRIX_SPECIFIC] = "specific",
		[MATRIX_OTHER] = "other",
	};

	return words[address];
}

const char *matrix_state_word(enum matrix_state state)
{
	static const char *const words[MATRIX_STATES] = {
#define X(name, word) [MATRIX_##name] = word,
		MATRIX_STATE_LIST(X)
#undef X
	};

	return words[state];
}

static const struct {
	const char *word, *letters;
} option_sets[] = {
	{ "none", "-" },
	{ "SO_REUSEADDR", "A" },
	{ "SO_REUSEPORT", "P" },
	{ "SO_REUSEADDR+SO_REUSEPORT", "AP" },
	{ "SO_EXCLUSIVEADDRUSE", "E" },
};

const char *matrix_options_word(unsigned options)
{
	return option_sets[options].word;
}

const char *matrix_options_short(unsigned options)
{
	return option_sets[options].letters;
}

const char *matrix_result_word(int result, char buf[MATRIX_RESULT_SIZE])
{
	static const struct {
		int result;
		const char *word;
	} words[] = {
		{ 0, "ok" },
		{ EADDRINUSE, "EADDRINUSE" },
		{ EADDRNOTAVAIL, "EADDRNOTAVAIL" },
		{ EACCES, "EACCES" },
		{ EPERM, "EPERM" },
		{ EINVAL, "EINVAL" },
		{ ECONNREFUSED, "ECONNREFUSED" },
	};

	if (result == MATRIX_UNTESTED)
		return NULL;
	for (size_t i = 0; i < COUNT(words); i++)
		if (words[i].result == result)
			return words[i].word;
	(void)snprintf(buf, MATRIX_RESULT_SIZE, "errno %d", result);
	return buf;
}
