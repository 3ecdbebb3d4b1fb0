#include "cli/status_text.h"

#include <string.h>

#include "cli/cli.h"
#include "cli/output.h"

const char *age_text(const char *since, time_t now, char buf[AGE_SIZE])
{
	static const struct {
		long seconds;
		char word;
	} units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };
	struct tm utc = { 0 };
	long age, unit = 0;

	buf[0] = '\0';
	if (!since || !strptime(since, "%Y-%m-%dT%H:%M:%S", &utc))
		return buf;
	age = (long)(now - timegm(&utc));
	age = age < 0 ? 0 : age;
	while (unit < 3 && age < units[unit].seconds)
		unit++;
	if (unit == 3)
		(void)snprintf(buf, AGE_SIZE, "%lds", age);
	else
		(void)snprintf(buf, AGE_SIZE, "%ld%c%ld%c", age / units[unit].seconds,
			       units[unit].word,
			       age % units[unit].seconds / units[unit + 1].seconds,
			       units[unit + 1].word);
	return buf;
}

static bool text_is(const json_t *object, const char *key, const char *word)
{
	const char *text = json_text(object, key);

	return text && strcmp(text, word) == 0;
}

/* A cell that stays empty where the number does not apply. */
static void number_cell(struct table *t, const json_t *object, const char *key)
{
	if (json_number(object, key) < 0)
		table_text(t, PAINT_NONE, NULL);
	else
		table_format(t, "%lld", json_number(object, key));
}

static void state_cell(struct table *t, const json_t *object)
{
	const char *state = json_text(object, "state");

	table_text(t, paint_of_state(state), state);
}

static const json_t *current_of(const json_t *program)
{
	const json_t *generation;
	size_t i;

	json_array_foreach(json_object_get(program, "generations"), i, generation)
		if (text_is(generation, "state", "current"))
			return generation;
	return NULL;
}

/* It runs, or does when somebody comes. */
static bool is_well(const json_t *program)
{
	return text_is(program, "state", "running") ||
	       json_is_true(json_object_get(program, "asleep"));
}

/* What a program's line ends with: its trouble, or how its readiness is known. */
static void note_cell(struct table *t, const json_t *program)
{
	const char *error = json_text(program, "last_error");
	const json_t *current = current_of(program);
	const char *proof = current ? json_text(current, "proved_by") : NULL;
	const char *way = json_text(program, "intercept");

	if (error && *error)
		table_text(t, is_well(program) ? PAINT_NONE : PAINT_BAD, error);
	else if (proof && way)
		table_format(t, "proved by %s, intercepted by %s", proof, way);
	else if (proof)
		table_format(t, "proved by %s", proof);
	else
		table_text(t, PAINT_NONE, NULL);
}

enum { P_NAME, P_STATE, P_GENERATION, P_READY, P_RESTARTS, P_PID, P_UP, P_CONNECTIONS, P_NOTE };
static const char program_columns[] = "llrrrrrrl";
static const char *const program_names[] = { "PROGRAM", "STATE", "GEN", "READY", "RESTARTS",
					     "PID", "UP", "CONN", "STATUS" };

/* Of all its workers; empty where that is not known of one of them. */
static void sum_cell(struct table *t, const json_t *generation)
{
	const json_t *workers = json_object_get(generation, "workers"), *worker;
	long long sum = 0, one;
	size_t i;

	json_array_foreach((json_t *)workers, i, worker) {
		one = json_number(worker, "connections");
		sum = one < 0 || sum < 0 ? -1 : sum + one;
	}
	if (sum < 0 || !json_array_size(workers))
		table_text(t, PAINT_NONE, NULL);
	else
		table_format(t, "%lld", sum);
}

static void add_program(struct table *t, const json_t *program)
{
	table_text(t, PAINT_HEAD, json_text(program, "name"));
	state_cell(t, program);
	number_cell(t, program, "generation");
	table_format(t, "%lld/%lld", json_number(program, "ready"),
		     json_number(program, "workers"));
	number_cell(t, program, "restarts");
	for (int i = P_PID; i < P_CONNECTIONS; i++)
		table_text(t, PAINT_NONE, NULL);
	sum_cell(t, current_of(program));
	note_cell(t, program);
}

/* What it says of itself, unless it is not well. */
static void worker_note_cell(struct table *t, const json_t *worker)
{
	const char *health = json_text(worker, "health");

	if (health && !text_is(worker, "health", "well"))
		table_text(t, PAINT_BAD, health);
	else
		table_text(t, PAINT_NONE, json_text(worker, "status"));
}

static void add_worker(struct table *t, const json_t *generation, const json_t *worker, time_t now)
{
	char age[AGE_SIZE];

	table_format(t, "  worker %lld", json_number(worker, "index"));
	state_cell(t, worker);
	number_cell(t, generation, "number");
	table_text(t, PAINT_NONE, NULL);
	table_text(t, PAINT_NONE, NULL);
	number_cell(t, worker, "pid");
	table_text(t, PAINT_NONE, age_text(json_text(worker, "started"), now, age));
	number_cell(t, worker, "connections");
	worker_note_cell(t, worker);
}

/* A generation that is neither the current one nor going says what it is. */
static void add_generation(struct table *t, const json_t *generation)
{
	if (text_is(generation, "state", "current"))
		return;
	table_format(t, "  generation %lld", json_number(generation, "number"));
	state_cell(t, generation);
	number_cell(t, generation, "number");
	for (int i = P_READY; i < P_CONNECTIONS; i++)
		table_text(t, PAINT_NONE, NULL);
	sum_cell(t, generation);
	table_text(t, PAINT_NONE, NULL);
}

static void add_programs(const json_t *programs, time_t now, bool color, struct str *out)
{
	const json_t *program, *generation, *worker;
	struct table t;
	size_t i, k, n;

	table_head(&t, program_columns, program_names);
	json_array_foreach((json_t *)programs, i, program) {
		add_program(&t, program);
		json_array_foreach(json_object_get(program, "generations"), k, generation) {
			add_generation(&t, generation);
			json_array_foreach(json_object_get(generation, "workers"), n, worker)
				add_worker(&t, generation, worker, now);
		}
	}
	table_print(&t, color, out);
	table_fini(&t);
}

void str_add_reason(struct str *note, const json_t *socket)
{
	long long soonest = json_number(socket, "free_after_s");
	long long latest = json_number(socket, "free_before_s");

	if (json_text(socket, "reason"))
		str_add(note, json_text(socket, "reason"));
	if (latest >= 0 && soonest >= 0 && soonest < latest)
		str_addf(note, "%sfree in %lld to %llds", note->length ? "; " : "", soonest,
			 latest);
	else if (latest >= 0 || soonest >= 0)
		str_addf(note, "%sfree in %s%llds", note->length ? "; " : "",
			 latest >= 0 ? "" : "at least ", latest >= 0 ? latest : soonest);
}

static void reason_cell(struct table *t, const json_t *socket)
{
	struct str note = { 0 };

	str_add_reason(&note, socket);
	table_text(t, PAINT_NONE, str_text(&note));
	str_fini(&note);
}

void queue_cell(struct table *t, const json_t *socket)
{
	long long queue = json_number(socket, "queue"), backlog = json_number(socket, "backlog");

	if (queue < 0)
		table_text(t, PAINT_NONE, NULL);
	else if (backlog < 0)
		table_format(t, "%lld", queue);
	else
		table_format(t, "%lld/%lld", queue, backlog);
}

static bool same_address(const json_t *a, const json_t *b)
{
	return a && b && strcmp(json_text(a, "name"), json_text(b, "name")) == 0 &&
	       json_number(a, "index") == json_number(b, "index");
}

/* "http"; "http/2" is a slot of a group: they come one after the other. */
void socket_cell(struct table *t, const json_t *sockets, size_t i)
{
	const json_t *socket = json_array_get(sockets, i);
	struct str name = { 0 };
	size_t slot = 0;

	while (slot < i && same_address(json_array_get(sockets, i - slot - 1), socket))
		slot++;
	str_add(&name, json_text(socket, "name"));
	if (slot || same_address(socket, json_array_get(sockets, i + 1)))
		str_addf(&name, "/%zu", slot);
	table_text(t, PAINT_HEAD, str_text(&name));
	str_fini(&name);
}

static void add_sockets(const json_t *sockets, bool color, struct str *out)
{
	static const char *const names[] = { "SOCKET", "LISTEN", "TYPE", "STATE",
					     "ORIGIN", "QUEUE",	 "REASON" };
	const json_t *socket;
	struct table t;
	size_t i;

	table_head(&t, "lllllrl", names);
	json_array_foreach((json_t *)sockets, i, socket) {
		socket_cell(&t, sockets, i);
		table_text(&t, PAINT_NONE, json_text(socket, "listen"));
		table_text(&t, PAINT_NONE, json_text(socket, "type"));
		state_cell(&t, socket);
		table_text(&t, PAINT_NONE, json_text(socket, "origin"));
		queue_cell(&t, socket);
		reason_cell(&t, socket);
	}
	table_print(&t, color, out);
	table_fini(&t);
}

/* The one that was started. */
static long long face(const json_t *supervisor)
{
	long long keeper = json_number(supervisor, "keeper_pid");

	return keeper >= 0 ? keeper : json_number(supervisor, "manager_pid");
}

static void add_supervisor(const json_t *supervisor, time_t now, struct str *out)
{
	char age[AGE_SIZE];

	str_add(out, "holdport ");
	str_add_json(out, supervisor, "version");
	str_addf(out, ", pid %lld", face(supervisor));
	if (*age_text(json_text(supervisor, "started"), now, age))
		str_addf(out, ", up %s", age);
	if (json_text(supervisor, "config")) {
		str_add(out, ", ");
		str_add_json(out, supervisor, "config");
	}
	str_add(out, "\n");
}

void status_text(const json_t *status, time_t now, bool color, struct str *out)
{
	const json_t *programs = json_object_get(status, "programs");
	const json_t *sockets = json_object_get(status, "sockets");

	add_supervisor(json_object_get(status, "supervisor"), now, out);
	if (json_array_size(programs)) {
		str_add(out, "\n");
		add_programs(programs, now, color, out);
	}
	if (json_array_size(sockets)) {
		str_add(out, "\n");
		add_sockets(sockets, color, out);
	}
}

static bool listens(const json_t *socket)
{
	return text_is(socket, "state", "listening");
}

static bool all_are(bool (*as_it_should)(const json_t *object), const json_t *objects)
{
	const json_t *object;
	size_t i;

	json_array_foreach((json_t *)objects, i, object)
		if (!as_it_should(object))
			return false;
	return true;
}

int status_outcome(const json_t *status)
{
	const json_t *programs = json_object_get(status, "programs");

	/* Only sockets are in the answer when only sockets were named. */
	if (json_array_size(programs))
		return all_are(is_well, programs) ? OUTCOME_DONE : OUTCOME_NOT_RUNNING;
	return all_are(listens, json_object_get(status, "sockets")) ? OUTCOME_DONE
								    : OUTCOME_NOT_RUNNING;
}
