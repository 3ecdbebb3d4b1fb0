/* Bytes to requests, however they come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/owner.h"
#include "control/frames.h"

#define INFO "{\"method\":\"a.B\"}"

static enum frame next(struct frames *f)
{
	struct request r = { 0 };
	enum frame is = frames_next(f, &r);

	if (is == FRAME_REQUEST)
		assert_non_null(r.method);
	request_fini(&r);
	return is;
}

static void a_request_is_what_it_says(void **state)
{
	static const char text[] = "{\"method\":\"a.B\",\"parameters\":{\"n\":7},\"more\":true}";
	struct frames f = { .most = 100 };
	struct request r;

	(void)state;
	frames_add(&f, text, sizeof(text));
	assert_int_equal(frames_next(&f, &r), FRAME_REQUEST);
	assert_string_equal(r.method, "a.B");
	assert_int_equal(json_integer_value(json_object_get(r.parameters, "n")), 7);
	assert_true(r.more && !r.oneway);
	request_fini(&r);
	assert_false(frames_waiting(&f));
	frames_fini(&f);
}

static void pieces_make_the_same_frames(void **state)
{
	static const char text[] = INFO "\0" INFO "\0" INFO;

	(void)state;
	for (size_t piece = 1; piece < sizeof(text); piece++) {
		struct frames f = { .most = 100 };
		int requests = 0;

		for (size_t at = 0; at < sizeof(text); at += piece) {
			size_t left = sizeof(text) - at;

			frames_add(&f, text + at, left < piece ? left : piece);
			while (next(&f) == FRAME_REQUEST)
				requests++;
		}
		assert_int_equal(requests, 3);
		assert_false(frames_waiting(&f));
		frames_fini(&f);
	}
}

static void what_is_no_request_is_told(void **state)
{
	static const char *const none[] = { "", "{", "[]", "7", "{\"method\":7}", "{}", "\xff",
					    "{\"method\":\"a\",\"parameters\":[]}",
					    "{\"method\":\"a\",\"method\":\"b\"}",
					    "{\"method\":\"a\"} x" };

	(void)state;
	for (size_t i = 0; i < COUNT(none); i++) {
		struct frames f = { .most = 100 };

		frames_add(&f, none[i], strlen(none[i]) + 1);
		assert_int_equal(next(&f), FRAME_NONSENSE);
		frames_fini(&f);
	}
}

static void a_frame_is_as_long_as_it_may_be(void **state)
{
	struct frames f = { .most = strlen(INFO) };

	(void)state;
	frames_add(&f, INFO, strlen(INFO));
	assert_int_equal(next(&f), FRAME_NONE);
	frames_add(&f, "\0" INFO " ", strlen(INFO) + 2);
	assert_int_equal(next(&f), FRAME_REQUEST);
	assert_int_equal(next(&f), FRAME_TOO_LONG);	/* before its end has come */
	frames_add(&f, "", 1);
	assert_int_equal(next(&f), FRAME_TOO_LONG);
	frames_fini(&f);
}

/* A million small requests in one heap, and one large one byte by byte: neither
 * takes time in proportion to its square. */
static void work_is_in_proportion_to_the_bytes(void **state)
{
	enum { MANY = 200000, LONG = 1 << 20 };
	struct frames f = { .most = LONG };
	int64_t before = clock_monotonic_ms();
	int requests = 0;

	(void)state;
	for (int i = 0; i < MANY; i++)
		frames_add(&f, INFO, sizeof(INFO));
	while (next(&f) == FRAME_REQUEST)
		requests++;
	assert_int_equal(requests, MANY);
	for (int i = 0; i < LONG; i++) {
		frames_add(&f, "x", 1);
		assert_int_equal(next(&f), FRAME_NONE);
	}
	frames_fini(&f);
	assert_true(clock_monotonic_ms() - before < 20000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_what_it_says),
		cmocka_unit_test(pieces_make_the_same_frames),
		cmocka_unit_test(what_is_no_request_is_told),
		cmocka_unit_test(a_frame_is_as_long_as_it_may_be),
		cmocka_unit_test(work_is_in_proportion_to_the_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
