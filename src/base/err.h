/* Why something failed, as one sentence.
 *
 * A function that can fail takes a struct err * as its last argument, fills it
 * and returns -1 (or NULL).  Each caller on the way up may put in front of the
 * sentence where it was (err_in); whoever can act on it logs it, once.
 *
 * No allocation, no ownership: a struct err lives on the stack.  A NULL err is
 * accepted everywhere and means that the caller does not want the sentence. */
#ifndef HOLDPORT_BASE_ERR_H
#define HOLDPORT_BASE_ERR_H

struct err {
	int code;		/* an errno value, or 0 where none fits */
	char text[1024];	/* cut, never overrun */
};

/* All three are -1, so that failing and saying why are one expression; the compiler
 * knows it, and asks for no output that a failure leaves as it was. */
#define err_set(err, code, ...) (err_put(err, code, __VA_ARGS__), err_failed())
/* As err_set(), with ": " and strerror(code) behind the sentence. */
#define err_sys(err, code, ...) (err_put_sys(err, code, __VA_ARGS__), err_failed())
/* Puts "PREFIX: " in front of what is there. */
#define err_in(err, ...) (err_put_in(err, __VA_ARGS__), err_failed())

void err_put(struct err *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void err_put_sys(struct err *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void err_put_in(struct err *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static inline int err_failed(void)
{
	return -1;
}

#endif
