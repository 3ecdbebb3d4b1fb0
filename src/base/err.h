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

/* All three return -1, so that failing and saying why are one expression. */
int err_set(struct err *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* As err_set(), with ": " and strerror(code) behind the sentence. */
int err_sys(struct err *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Puts "PREFIX: " in front of what is there. */
int err_in(struct err *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
