/* From a document to settings: the steps between reading and use. */
#ifndef HOLDPORT_CONFIG_UNDERSTAND_H
#define HOLDPORT_CONFIG_UNDERSTAND_H

#include "config/document.h"

/* Takes the document.  NULL when anything in it was not right; faults of
 * reading that were added since `before` count as well. */
struct settings *settings_understand(struct document *d, const struct source *main_source,
				     size_t before, struct faults *faults);

/* What stands in [presets.KIND] is said in each section of that kind that does not say it, as
 * far as our own presets are others and know the key. */
#define PRESETS_OF "presets."
void presets_take(struct document *d);

/* One stream, whose includes are checked as keys and not followed. */
struct settings *settings_from_stream(FILE *in, const char *name, struct faults *faults);

/* In the order of the files, from the given fault on. */
void faults_sort(struct faults *f, size_t from);

/* The section that object was read from. */
const struct section *settings_section(const struct settings *s, const void *object);

/* What rows cannot see: one section beside another, accounts, addresses. */
void settings_check(struct settings *s, struct faults *faults);
void check_socket(struct settings *s, const struct section *section, struct faults *faults);
/* Who waits for whom, when all of them are there. */
void check_order(const struct settings *s, struct faults *faults);
void check_program(struct settings *s, const struct section *section, struct faults *faults);
/* user, group, supplementary_groups to numbers. */
void accounts_of_program(struct program_settings *p, const struct section *section,
			 struct faults *faults);
void accounts_of_supervisor(struct supervisor_settings *v, const struct section *section,
			    struct faults *faults);
void accounts_of_socket(struct socket_settings *k, const struct section *section,
			struct faults *faults);

#endif
