#include "cli/sockets_text.h"

#include <string.h>

#include "cli/output.h"
#include "cli/status_text.h"

enum { S_NAME, S_LISTEN, S_TYPE, S_STATE, S_ORIGIN, S_QUEUE, S_PID, S_FD, S_CONNECTIONS,
       S_NOTE };
static const char socket_columns[] = "lllllrrrrl";
static const char *const socket_heads[] = { "SOCKET", "LISTEN", "TYPE", "STATE", "ORIGIN",
					    "QUEUE",  "PID",	"FD",	"CONN",	 "NOTE" };

static void empty_cells(struct table *t, int count)
{
	while (count--)
		table_text(t, PAINT_NONE, NULL);
}

/* Its trouble, or who is connected: "3 established, 1 time_wait". */
static void connections_cell(struct table *t, const json_t *socket)
{
	const json_t *connections = json_object_get(socket, "connections"), *count;
	struct str note = { 0 };
	const char *state;

	str_add_reason(&note, socket);
	json_object_foreach((json_t *)connections, state, count)
		str_addf(&note, "%s%lld %s", note.length ? ", " : "",
			 (long long)json_integer_value(count), state);
	table_text(t, PAINT_NONE, str_text(&note));
	str_fini(&note);
}

static bool same_text(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

/* The first row whose key has this text. */
static const json_t *row_with(const json_t *rows, const char *key, const char *text)
{
	const json_t *row;
	size_t i;

	json_array_foreach((json_t *)rows, i, row)
		if (same_text(json_text(row, key), text))
			return row;
	return NULL;
}

static void holder_cells(struct table *t, const char *holder, const json_t *with_pid)
{
	struct str name = { 0 };

	str_addf(&name, "  %s", holder ? holder : "a stranger");
	table_text(t, holder ? PAINT_NONE : PAINT_BUSY, str_text(&name));
	empty_cells(t, S_PID - S_LISTEN);
	table_format(t, "%lld", json_number(with_pid, "pid"));
	str_fini(&name);
}

static void share_cell(struct table *t, const json_t *share)
{
	if (json_number(share, "connections") < 0)
		empty_cells(t, 1);
	else
		table_format(t, "%lld", json_number(share, "connections"));
}

/* A worker's connections stand beside its first descriptor. */
static void add_copy(struct table *t, const json_t *copy, const json_t *socket)
{
	const char *holder = json_text(copy, "holder");
	bool first = row_with(json_object_get(socket, "copies"), "holder", holder) == copy;

	holder_cells(t, holder, copy);
	table_format(t, "%lld", json_number(copy, "descriptor"));
	share_cell(t, first ? row_with(json_object_get(socket, "workers"), "worker", holder) : NULL);
	table_text(t, PAINT_NONE, json_text(copy, "program"));
}

/* It has let the socket go, but has clients that came by it. */
static void add_share(struct table *t, const json_t *share, const json_t *socket)
{
	const char *worker = json_text(share, "worker");

	if (json_number(share, "connections") <= 0 ||
	    row_with(json_object_get(socket, "copies"), "holder", worker))
		return;
	holder_cells(t, worker, share);
	empty_cells(t, 1);
	share_cell(t, share);
	empty_cells(t, 1);
}

static void add_socket(struct table *t, const json_t *sockets, size_t at)
{
	const json_t *socket = json_array_get(sockets, at);
	const char *state = json_text(socket, "state");
	const json_t *copy, *share;
	size_t i;

	socket_cell(t, sockets, at);
	table_text(t, PAINT_NONE, json_text(socket, "listen"));
	table_text(t, PAINT_NONE, json_text(socket, "type"));
	table_text(t, paint_of_state(state), state);
	table_text(t, PAINT_NONE, json_text(socket, "origin"));
	queue_cell(t, socket);
	empty_cells(t, S_NOTE - S_PID);
	connections_cell(t, socket);
	json_array_foreach(json_object_get(socket, "copies"), i, copy)
		add_copy(t, copy, socket);
	json_array_foreach(json_object_get(socket, "workers"), i, share)
		add_share(t, share, socket);
}

void sockets_text(const json_t *answer, bool color, struct str *out)
{
	const json_t *sockets = json_object_get(answer, "sockets");
	struct table t;

	table_head(&t, socket_columns, socket_heads);
	for (size_t i = 0; i < json_array_size(sockets); i++)
		add_socket(&t, sockets, i);
	if (json_array_size(sockets))
		table_print(&t, color, out);
	else
		str_add(out, "no socket is configured\n");
	table_fini(&t);
	if (json_is_false(json_object_get(answer, "all_seen")))
		str_add(out, "Not every process could be looked at: there may be more copies.\n");
}
