/* How often in a row somebody was not well.  Pure. */
#ifndef HOLDPORT_HEALTH_VITALS_H
#define HOLDPORT_HEALTH_VITALS_H

#include <stdbool.h>
#include <stdint.h>

struct vitals {
	bool asked;			/* there was an answer */
	bool sick;
	unsigned failed;		/* in a row */
};

/* One wrong answer means little; so many in a row are news, and so is each further
 * round of as many; one right answer ends it. */
enum vitals_news { VITALS_NO_NEWS, VITALS_SICK, VITALS_WELL };
enum vitals_news vitals_note(struct vitals *v, bool well, int64_t failures);

/* "well", "failing" (some answers were wrong), "sick"; NULL: nobody asked yet. */
const char *vitals_word(const struct vitals *v);

#endif
