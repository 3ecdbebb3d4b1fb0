#include "health/target.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define UNIX "//unix:"

bool target_is_own(const char *word)
{
	return strncmp(word, "//", 2) == 0;
}

/* //unix:/run/web.sock:/health */
static int make_unix(const char *word, struct target *ret, struct err *err)
{
	const char *at = word + strlen(UNIX), *path = strstr(at, ":/");

	if (!*at || *at == ':' || (path && path == at))
		return err_set(err, 0, "http:%.80s names no unix socket", word);
	ret->via = path ? mem_format("unix:%.*s", (int)(path - at), at) : mem_format("unix:%s", at);
	ret->url = mem_format("http://localhost%s", path ? path + 1 : "/");
	return 0;
}

/* The first of a kind that HTTP is spoken over. */
static const struct address *shared(struct held *const *held, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (held[i]->key.type == SOCK_STREAM)
			return &held[i]->key.address;
	return NULL;
}

int target_make(const char *word, struct held *const *held, size_t count, struct target *ret,
		struct err *err)
{
	const struct address *a = target_is_own(word) ? NULL : shared(held, count);
	char text[ADDRESS_TEXT_SIZE];
	struct address reached;

	*ret = (struct target){ 0 };
	if (strncmp(word, UNIX, strlen(UNIX)) == 0)
		return make_unix(word, ret, err);
	if (target_is_own(word)) {
		ret->url = mem_format("http:%s", word);
		return 0;
	}
	if (!a)
		return err_set(err, 0, "http needs a stream socket among the program's sockets");
	address_reach(a, &reached);
	address_text(&reached, text);
	if (address_port(a) < 0)
		ret->via = mem_text(text);
	ret->url = mem_format("http://%s%s", ret->via ? "localhost" : text, word);
	return 0;
}

void target_fini(struct target *t)
{
	free(t->url);
	free(t->via);
	*t = (struct target){ 0 };
}
