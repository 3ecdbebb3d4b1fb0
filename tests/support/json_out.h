/* JSON, written by hand: the support programs link nothing. */
#ifndef HOLDPORT_SUPPORT_JSON_OUT_H
#define HOLDPORT_SUPPORT_JSON_OUT_H

#include <stdio.h>

/* A text in quotes; bytes that are not ASCII go out as they are. */
static inline void json_text(FILE *out, const char *text)
{
	fputc('"', out);
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if (*c == '"' || *c == '\\')
			fprintf(out, "\\%c", *c);
		else if (*c < 0x20 || *c == 0x7f)
			fprintf(out, "\\u%04x", *c);
		else
			fputc(*c, out);
	}
	fputc('"', out);
}

#endif
