/* The types that only [program:NAME] has.  Each fills the field that its row
 * points at and, where there is one, the count beside it. */
#ifndef HOLDPORT_CONFIG_OPTION_PROGRAM_H
#define HOLDPORT_CONFIG_OPTION_PROGRAM_H

#include "config/option.h"

extern const struct option_type option_environment_file, option_limit, option_handoff,
	option_workers, option_exit_codes, option_ready, option_ladder,
	option_level,			/* int64_t; TRAIT_UNSET */
	option_output,			/* struct output; .words */
	option_cpu_max,			/* char *; NULL: empty */
	option_processors, option_capabilities;

#endif
