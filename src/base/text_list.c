#include "base/text_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void text_list_add_owned(struct text_list *l, char *text)
{
	l->items = mem_grow(l->items, l->count + 2, sizeof(*l->items));
	l->items[l->count++] = text;
	l->items[l->count] = NULL;
}

void text_list_add(struct text_list *l, const char *text)
{
	text_list_add_owned(l, mem_text(text));
}

void text_list_remove(struct text_list *l, size_t index)
{
	free(l->items[index]);
	memmove(l->items + index, l->items + index + 1, (l->count - index) * sizeof(*l->items));
	l->count--;
}

bool text_list_has(const struct text_list *l, const char *text)
{
	for (size_t i = 0; i < l->count; i++)
		if (strcmp(l->items[i], text) == 0)
			return true;
	return false;
}

bool text_list_same(const struct text_list *a, const struct text_list *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	return true;
}

void text_list_fini(struct text_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->items[i]);
	free(l->items);
	*l = (struct text_list){ 0 };
}
