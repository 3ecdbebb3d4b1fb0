/* Numbers, durations and sizes as a user writes them. */
#ifndef HOLDPORT_CONFIG_QUANTITY_H
#define HOLDPORT_CONFIG_QUANTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

int number_parse(const char *text, int64_t *ret, struct err *err);
/* "250ms", "1.5s", "2m", "3h", "1d"; a bare number is seconds.  Milliseconds. */
int duration_parse(const char *text, int64_t *ret_ms, struct err *err);
/* Bytes, or K, M, G (1024). */
int size_parse(const char *text, int64_t *ret, struct err *err);

#define SIZE_TEXT_SIZE 32
const char *size_text(int64_t bytes, char buf[SIZE_TEXT_SIZE]);

#endif
