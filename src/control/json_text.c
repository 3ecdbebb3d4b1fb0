#include "control/json_text.h"

#include <string.h>

#include "base/str.h"

json_t *json_text(const char *text)
{
	json_t *j = text ? json_string(text) : json_null();
	struct str clean = { 0 };

	if (!j) {
		str_add_escaped(&clean, text, strlen(text));
		j = json_string(str_text(&clean));
		str_fini(&clean);
	}
	return j;
}
