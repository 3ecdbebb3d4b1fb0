#include "intercept/path.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/mem.h"

const char *path_asked(const struct asked *asked)
{
	const struct sockaddr_un *un = (const void *)&asked->key.address.sa;

	return un->sun_family == AF_UNIX && un->sun_path[0] ? un->sun_path : NULL;
}

/* What stands behind its last slash. */
static const char *name_in(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool lies_in(const char *path, const struct trap *t)
{
	char *directory = mem_text_n(path, (size_t)(name_in(path) - path));
	struct stat st;
	bool yes = stat(directory, &st) == 0 && st.st_dev == t->device &&
		   st.st_ino == t->directory;

	free(directory);
	return yes;
}

struct held *path_meant(struct store *store, const struct trap *t, const struct asked *asked)
{
	const char *wanted = path_asked(asked), *name = wanted ? name_in(wanted) : "";

	list_each(h, &store->sockets, struct held, node) {
		const char *path = address_path(&h->key.address);

		if (wanted && t->directory && path && strcmp(name_in(path), name) == 0 && lies_in(path, t))
			return h;
	}
	return NULL;
}
