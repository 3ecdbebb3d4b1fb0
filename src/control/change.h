/* A change that somebody asked for: of which programs, how it ended for each, who waits.
 *
 * One that its asker gave a name is not bound to his connection, nor to this manager, for
 * it is written down: asked for again by that name it is not made again; its outcome is
 * told as soon as it is known, and for a while after that.
 *
 * What was asked is written before what it did to the programs, so a successor knows of
 * each whether it was begun; one that was not is as if nobody had asked. */
#ifndef HOLDPORT_CONTROL_CHANGE_H
#define HOLDPORT_CONTROL_CHANGE_H

#include "control/control.h"

enum {
	CHANGE_NAME_MOST = 64,
	/* Those that nobody waits for now: they, and the programs in them. */
	CHANGES_KEPT = 1024,
};

struct change {
	struct list node;		/* of control->changes, if it has a name */
	struct control *control;
	char *name;			/* NULL: it has none, and ends with its call */
	char *method;
	struct call *call;		/* who waits for it; NULL: nobody, now */
	struct event_listener listener;
	struct list asks;		/* in the end in the order of their results */
	unsigned asked;			/* how many */
	size_t pending;			/* of them without a result, and one while asking */
	bool wait, drained;
};

struct change_ask {
	struct list node;
	struct ask ask;
	struct change *change;
	unsigned number;
	char *name;			/* of the program */
	/* It is done, and waits for those before it to be gone: */
	char *text;
	unsigned most;			/* of the generations that it waits for */
	json_t *result;			/* type Outcome; NULL: not yet */
};

/* Of the parameters; NULL: none.  False: it will not do, and that is answered. */
bool change_name(struct call *c, json_t *parameters, const char **ret);
/* True: the call is answered, or waits for a change that goes on. */
bool change_is_known(struct call *c, json_t *parameters);
/* Then ask for each program with change_ask() (NULL: nobody waits), and end with
 * change_asked(), or with change_free() where nothing was done. */
struct change *change_begin(struct call *c, json_t *parameters);
struct ask *change_ask(const char *program, void *change);
void change_asked(struct change *ch);
void change_free(struct change *ch);

/* Inside: */
struct change *change_new(struct control *control, const char *name, const char *method);
struct change_ask *change_add(struct change *ch, const char *program);
void change_one_less(struct change *ch);
bool change_concerns(const struct change *ch, const char *program);
void change_tell(const struct change *ch, struct call *call);	/* its last answer */
struct call *change_leave(struct change *ch);	/* nobody waits for it; who did */
/* Whether those before it are gone. */
void change_see_drained(struct change_ask *a);

/* change_record.c: as a successor has to know it, and what one knew. */
void change_record(const struct change *ch, struct str *out);
void change_record_ask(const struct change_ask *a, struct str *out);
void change_forget(struct change *ch);	/* a successor does not know it any more */

#endif
