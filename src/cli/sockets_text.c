#include "cli/sockets_text.h"

#include <string.h>

#include "cli/output.h"
#include "cli/status_text.h"

enum { S_NAME, S_LISTEN, S_TYPE, S_STATE, S_ORIGIN, S_QUEUE, S_PID, S_FD, S_NOTE };
static const char socket_columns[] = "lllllrrrl";
static const char *const socket_heads[] = { "SOCKET", "LISTEN", "TYPE", "STATE", "ORIGIN",
				     "QUEUE",  "PID",	 "FD",	 "NOTE" };

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

	if (json_text(socket, "reason"))
		str_add(&note, json_text(socket, "reason"));
	json_object_foreach((json_t *)connections, state, count)
		str_addf(&note, "%s%lld %s", note.length ? ", " : "",
			 (long long)json_integer_value(count), state);
	table_text(t, PAINT_NONE, str_text(&note));
	str_fini(&note);
}

static void add_copy(struct table *t, const json_t *copy)
{
	const char *holder = json_text(copy, "holder");
	struct str name = { 0 };

	str_addf(&name, "  %s", holder ? holder : "a stranger");
	table_text(t, holder ? PAINT_NONE : PAINT_BUSY, str_text(&name));
	empty_cells(t, S_PID - S_LISTEN);
	table_format(t, "%lld", json_number(copy, "pid"));
	table_format(t, "%lld", json_number(copy, "descriptor"));
	table_text(t, PAINT_NONE, json_text(copy, "program"));
	str_fini(&name);
}

static void add_socket(struct table *t, const json_t *socket)
{
	const char *state = json_text(socket, "state");
	const json_t *copy;
	size_t i;

	table_text(t, PAINT_HEAD, json_text(socket, "name"));
	table_text(t, PAINT_NONE, json_text(socket, "listen"));
	table_text(t, PAINT_NONE, json_text(socket, "type"));
	table_text(t, paint_of_state(state), state);
	table_text(t, PAINT_NONE, json_text(socket, "origin"));
	queue_cell(t, socket);
	empty_cells(t, S_NOTE - S_PID);
	connections_cell(t, socket);
	json_array_foreach(json_object_get(socket, "copies"), i, copy)
		add_copy(t, copy);
}

void sockets_text(const json_t *answer, bool color, struct str *out)
{
	const json_t *sockets = json_object_get(answer, "sockets"), *socket;
	struct table t;
	size_t i;

	table_head(&t, socket_columns, socket_heads);
	json_array_foreach((json_t *)sockets, i, socket)
		add_socket(&t, socket);
	if (json_array_size(sockets))
		table_print(&t, color, out);
	else
		str_add(out, "no socket is configured\n");
	table_fini(&t);
	if (json_is_false(json_object_get(answer, "all_seen")))
		str_add(out, "Not every process could be looked at: there may be more copies.\n");
}
