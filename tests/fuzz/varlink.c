/* The control socket's bytes from anybody, cut into pieces by their first byte:
 * requests come out, or the one answer that they are none; the pieces do not matter. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "control/frames.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 4096 };

struct heard {
	size_t requests, method_bytes;
	enum frame end;
};

static void take_all(struct frames *f, struct heard *h)
{
	struct request r;

	while (h->end == FRAME_NONE || h->end == FRAME_REQUEST) {
		h->end = frames_next(f, &r);
		if (h->end != FRAME_REQUEST)
			break;
		h->requests++;
		h->method_bytes += strlen(r.method);
		if (r.parameters && !json_is_object(r.parameters))
			abort();
		request_fini(&r);
	}
}

static struct heard hear(const char *bytes, size_t size, size_t piece)
{
	struct frames f = { .most = MOST };
	struct heard h = { .end = FRAME_NONE };

	while (size && h.end == FRAME_NONE) {
		size_t n = size < piece ? size : piece;

		frames_add(&f, bytes, n);
		take_all(&f, &h);
		bytes += n;
		size -= n;
		if (h.end == FRAME_NONE && frames_full(&f))
			abort();
	}
	frames_fini(&f);
	return h;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct heard whole, cut;

	if (size < 2)
		return 0;
	whole = hear((const char *)data + 1, size - 1, size);
	cut = hear((const char *)data + 1, size - 1, 1u + data[0] % 64u);
	if (whole.requests != cut.requests || whole.method_bytes != cut.method_bytes ||
	    whole.end != cut.end)
		abort();
	return 0;
}
