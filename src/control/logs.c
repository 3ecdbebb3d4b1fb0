/* Where the output of a program is to be found. */
#include <string.h>

#include "control/control.h"
#include "control/json_text.h"

static bool has(const json_t *texts, const char *text)
{
	const json_t *one;
	size_t i;

	json_array_foreach((json_t *)texts, i, one)
		if (strcmp(json_string_value(one), text) == 0)
			return true;
	return false;
}

static void add(json_t *texts, const char *text)
{
	json_t *one = json_text(text);

	if (*text && !has(texts, json_string_value(one)))
		(void)json_array_append(texts, one);
	json_decref(one);
}

static void add_of(const struct capture *c, const char *origin, json_t *files, json_t *lines)
{
	struct text_list last = { 0 };
	struct str line = { 0 };

	if (c->stream && c->stream->target.to == LOG_TO_FILE) {
		add(files, c->stream->target.path);
		return;
	}
	capture_last(c, CAPTURE_LINES, &last);
	for (size_t i = 0; i < last.count; i++) {
		str_clear(&line);
		str_addf(&line, "%s: %s", origin, last.items[i]);
		(void)json_array_append_new(lines, json_text(str_text(&line)));
	}
	str_fini(&line);
	text_list_fini(&last);
}

/* Of one that does not run: the files that its settings name by themselves. */
static void add_named(const struct program *p, json_t *files)
{
	const struct program_settings *s = p->wanted->program;
	const char *const paths[] = {
		s->out.file, s->err.file,
		s->out.how == OUTPUT_LOG || s->err.how == OUTPUT_LOG ? s->log_file : NULL,
	};

	for (size_t i = 0; i < COUNT(paths); i++)
		if (paths[i] && !strchr(paths[i], '$'))
			add(files, paths[i]);
}

void describe_logs(struct call *c, json_t *parameters)
{
	struct program *p = named_program(c, json_string_value(json_object_get(parameters, "name")));
	json_t *files, *lines;

	if (!p)
		return;
	files = json_array();
	lines = json_array();
	list_each(g, &p->generations, struct generation, node)
		list_each(m, &g->members, struct member, node) {
			add_of(&m->out, m->name, files, lines);
			add_of(&m->err, m->name, files, lines);
		}
	if (list_empty(&p->generations))
		add_named(p, files);
	for (size_t i = 0; list_empty(&p->generations) && i < p->last_lines.count; i++)
		(void)json_array_append_new(lines, json_text(p->last_lines.items[i]));
	call_reply(c, json_pack("{s:o, s:o}", "files", files, "lines", lines));
}
