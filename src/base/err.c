#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void set(struct err *err, int code, const char *format, va_list args)
{
	err->code = code;
	(void)vsnprintf(err->text, sizeof(err->text), format, args);
}

void err_put(struct err *err, int code, const char *format, ...)
{
	va_list args;

	if (!err)
		return;
	va_start(args, format);
	set(err, code, format, args);
	va_end(args);
}

void err_put_sys(struct err *err, int code, const char *format, ...)
{
	va_list args;
	size_t used;

	if (!err)
		return;
	va_start(args, format);
	set(err, code, format, args);
	va_end(args);
	used = strlen(err->text);
	(void)snprintf(err->text + used, sizeof(err->text) - used, ": %s", strerror(code));
}

void err_put_in(struct err *err, const char *format, ...)
{
	char inner[sizeof(err->text)];
	va_list args;
	size_t used;

	if (!err)
		return;
	memcpy(inner, err->text, sizeof(inner));
	va_start(args, format);
	set(err, err->code, format, args);
	va_end(args);
	used = strlen(err->text);
	(void)snprintf(err->text + used, sizeof(err->text) - used, ": %s", inner);
}
