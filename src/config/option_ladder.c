/* stop = SIGNAL:PATIENCE … KILL */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/signal_name.h"
#include "config/option_program.h"
#include "config/quantity.h"
#include "config/words.h"

static int ladder_fault(const char *what, const char *word, struct err *err)
{
	return err_set(err, 0, "\"%.80s\": %s; a ladder such as TERM:30s KILL is needed", word,
		       what);
}

static int read_rung(const char *word, bool last, struct rung *ret, struct err *err)
{
	const char *colon = strchr(word, ':');
	char *name = colon ? mem_text_n(word, (size_t)(colon - word)) : mem_text(word);
	int number = signal_number(name);

	free(name);
	*ret = (struct rung){ .signal = number, .patience = -1 };
	if (!number)
		return ladder_fault("there is no such signal", word, err);
	if (last && number != SIGKILL)
		return ladder_fault("the last rung is KILL", word, err);
	if (last && colon)
		return ladder_fault("the last rung has no patience", word, err);
	if (last)
		return 0;
	if (number == SIGKILL)
		return ladder_fault("KILL is the last rung", word, err);
	if (!colon)
		return ladder_fault("every rung but the last has a patience", word, err);
	return duration_parse(colon + 1, &ret->patience, err);
}

static int read_ladder(const struct option *o, const char *text, const struct reading *r,
		       void *object, struct err *err)
{
	struct program_settings *p = object;
	struct text_list words = { 0 };
	struct rung *rungs;
	int rc = 0;

	(void)o;
	(void)r;
	items_split(text, ", \t\n", &words);
	if (!words.count)
		rc = ladder_fault("no rung", text, err);
	rungs = mem_new((words.count + 1) * sizeof(*rungs));
	for (size_t i = 0; i < words.count && rc == 0; i++)
		rc = read_rung(words.items[i], i + 1 == words.count, &rungs[i], err);
	if (rc == 0) {
		free(p->ladder);
		p->ladder = rungs;
		p->ladder_length = words.count;
	} else {
		free(rungs);
	}
	text_list_fini(&words);
	return rc;
}

static void print_ladder(const struct option *o, const void *object, struct str *out)
{
	const struct program_settings *p = object;
	char buf[CLOCK_DURATION_SIZE];

	(void)o;
	for (size_t i = 0; i < p->ladder_length; i++) {
		str_addf(out, "%s%s", i ? " " : "", signal_name(p->ladder[i].signal));
		if (p->ladder[i].patience >= 0)
			str_addf(out, ":%s", clock_duration(p->ladder[i].patience, buf));
	}
}

static void free_ladder(const struct option *o, void *object)
{
	struct program_settings *p = object;

	(void)o;
	free(p->ladder);
	p->ladder = NULL;
	p->ladder_length = 0;
}

const struct option_type option_ladder = { "ladder", false, read_ladder, print_ladder,
					   free_ladder };
