#include "health/vitals.h"

#include <stddef.h>

enum vitals_news vitals_note(struct vitals *v, bool well, int64_t failures)
{
	bool was_sick = v->sick;

	v->asked = true;
	if (well) {
		v->sick = false;
		v->failed = 0;
		return was_sick ? VITALS_WELL : VITALS_NO_NEWS;
	}
	v->failed++;
	if (v->failed % (unsigned)failures)
		return VITALS_NO_NEWS;
	v->sick = true;
	return VITALS_SICK;
}

const char *vitals_word(const struct vitals *v)
{
	if (!v->asked && !v->failed)
		return NULL;
	return v->sick ? "sick" : v->failed ? "failing" : "well";
}
