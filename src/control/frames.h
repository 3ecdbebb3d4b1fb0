/* Bytes from a stranger to requests: frames of varlink, and what is in them.
 *
 * A frame is a JSON object that ends with a NUL byte.  Whatever comes, in
 * whatever pieces, gives requests or the one answer "this is none"; what
 * follows on a connection where one was none cannot be understood either.
 *
 * Work is in proportion to the bytes: none is looked at twice on the way to the
 * end of its frame, none is moved for each frame before it. */
#ifndef HOLDPORT_CONTROL_FRAMES_H
#define HOLDPORT_CONTROL_FRAMES_H

#include <jansson.h>
#include <stdbool.h>

#include "base/str.h"

struct frames {
	struct str in;
	size_t taken;		/* so much of it has been given out */
	size_t searched;	/* up to here there is no end of a frame */
	size_t most;		/* a frame may be so long */
};

struct request {
	json_t *whole;		/* the others point into it */
	const char *method;
	json_t *parameters;	/* an object, or NULL */
	bool more, oneway;
};

enum frame { FRAME_NONE /* complete yet */, FRAME_REQUEST, FRAME_NONSENSE, FRAME_TOO_LONG };

void frames_add(struct frames *f, const char *bytes, size_t length);
/* Gives the next request, to be freed by request_fini(). */
enum frame frames_next(struct frames *f, struct request *ret);
/* Whether a frame has begun that has not been given out. */
bool frames_waiting(const struct frames *f);
/* More than the longest frame waits: read on later. */
bool frames_full(const struct frames *f);
void frames_fini(struct frames *f);

void request_fini(struct request *r);

#endif
