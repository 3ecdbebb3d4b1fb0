/* A list of texts that owns them. */
#ifndef HOLDPORT_BASE_TEXT_LIST_H
#define HOLDPORT_BASE_TEXT_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct text_list {
	char **items;	/* items[count] is NULL once anything was added */
	size_t count;
};

void text_list_add(struct text_list *l, const char *text);	/* copies */
void text_list_add_owned(struct text_list *l, char *text);	/* takes */
void text_list_remove(struct text_list *l, size_t index);
bool text_list_has(const struct text_list *l, const char *text);
bool text_list_same(const struct text_list *a, const struct text_list *b);
void text_list_fini(struct text_list *l);

#endif
