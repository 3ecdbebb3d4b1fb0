/* Texts in JSON.  What came from outside may be no UTF-8: then it is escaped
 * (base/str.h), not dropped. */
#ifndef HOLDPORT_CONTROL_JSON_TEXT_H
#define HOLDPORT_CONTROL_JSON_TEXT_H

#include <jansson.h>

json_t *json_text(const char *text);	/* NULL becomes null */

#endif
