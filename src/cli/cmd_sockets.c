/* sockets: what is held, who is connected, who has a copy. */
#include <string.h>

#include "cli/options.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/sockets_text.h"

int cmd_sockets(struct request *r)
{
	json_t *answer = NULL;
	struct client_call call = { .method = "Sockets", .again = true,
				    .on_reply = keep_answer, .ctx = &answer };
	struct str text = { 0 };
	int code;

	call.parameters = json_pack("{s:o}", "names", names_of(r));
	code = session_ask(r, &call);
	if (!code && option_given(r, OPTION_JSON)) {
		(void)output_json(answer, JSON_INDENT(2));
	} else if (!code) {
		sockets_text(answer, r->color, &text);
		(void)output_now(&text);
	}
	str_fini(&text);
	json_decref(answer);
	return code;
}
