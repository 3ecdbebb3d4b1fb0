/* A state that somebody wrote: any bytes are refused, or read and written again as
 * they were read. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "keeper/snapshot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int holds)
{
	if (!holds)
		abort();
}

static void write_again(const struct fact *f)
{
	struct str out = { 0 };
	struct fact again;

	fact_begin(&out, f->word);
	for (size_t i = 0; i < f->count; i++)
		fact_text(&out, f->pairs[i].key, f->pairs[i].value);
	must(fact_read(str_text(&out), out.length, &again) == 0);
	must(again.count == f->count);
	for (size_t i = 0; i < f->count; i++)
		must(strcmp(again.pairs[i].value, f->pairs[i].value) == 0);
	fact_fini(&again);
	str_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct snapshot s;

	if (snapshot_read((const char *)data, size, &s, NULL) < 0)
		return 0;
	list_each(b, &s.programs, struct snapshot_block, node) {
		write_again(&b->head);
		for (size_t i = 0; i < b->count; i++)
			write_again(&b->facts[i]);
	}
	snapshot_fini(&s);
	return 0;
}
