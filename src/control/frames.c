#include "control/frames.h"

#include <string.h>

void frames_add(struct frames *f, const char *bytes, size_t length)
{
	/* Room is made once in a while, not for each frame. */
	if (f->taken && f->taken >= f->in.length / 2) {
		str_cut(&f->in, f->taken);
		f->searched -= f->taken;
		f->taken = 0;
	}
	str_add_n(&f->in, bytes, length);
}

bool frames_waiting(const struct frames *f)
{
	return f->in.length > f->taken;
}

bool frames_full(const struct frames *f)
{
	return f->in.length - f->taken > f->most;
}

void frames_fini(struct frames *f)
{
	str_fini(&f->in);
	f->taken = f->searched = 0;
}

/* False: it is no request. */
static bool parse(const char *frame, size_t length, struct request *ret)
{
	struct request r = { .whole = json_loadb(frame, length, JSON_REJECT_DUPLICATES, NULL) };

	r.method = json_string_value(json_object_get(r.whole, "method"));
	r.parameters = json_object_get(r.whole, "parameters");
	r.more = json_is_true(json_object_get(r.whole, "more"));
	r.oneway = json_is_true(json_object_get(r.whole, "oneway"));
	if (!r.method || (r.parameters && !json_is_object(r.parameters))) {
		request_fini(&r);
		return false;
	}
	*ret = r;
	return true;
}

enum frame frames_next(struct frames *f, struct request *ret)
{
	const char *end = f->in.length > f->searched
				  ? memchr(f->in.data + f->searched, '\0',
					   f->in.length - f->searched)
				  : NULL;
	size_t begin = f->taken, length;

	if (!end) {
		f->searched = f->in.length;
		return frames_full(f) ? FRAME_TOO_LONG : FRAME_NONE;
	}
	length = (size_t)(end - f->in.data) - begin;
	if (length > f->most)
		return FRAME_TOO_LONG;
	f->taken = f->searched = begin + length + 1;
	if (!parse(f->in.data + begin, length, ret))
		return FRAME_NONSENSE;
	if (!frames_waiting(f))
		frames_fini(f);		/* an idle client costs no memory */
	return FRAME_REQUEST;
}

void request_fini(struct request *r)
{
	json_decref(r->whole);
	*r = (struct request){ 0 };
}
