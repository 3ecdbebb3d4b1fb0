/* The answer to Sockets for a person's eyes: a line for each socket, and below it
 * who holds a copy. */
#ifndef HOLDPORT_CLI_SOCKETS_TEXT_H
#define HOLDPORT_CLI_SOCKETS_TEXT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/str.h"

void sockets_text(const json_t *answer, bool color, struct str *out);

#endif
