/* `holdport help --complete [COMMAND]`: what a shell may offer. */
#ifndef HOLDPORT_CLI_COMPLETE_H
#define HOLDPORT_CLI_COMPLETE_H

#include "base/str.h"
#include "cli/cli.h"

/* c NULL: every command, "NAME<TAB>HELP".  Otherwise its options,
 * "OPTION<TAB>ARGUMENT<TAB>HELP" (no argument: empty), and first what is no
 * option: "NAME" (of a program) or "COMMAND". */
void complete_print(const struct command *c, struct str *out);

#endif
