/* A doubly linked ring; the node is a member of its owner (see owner.h).
 * A node that is in no list points at itself, so removing twice is harmless. */
#ifndef HOLDPORT_BASE_LIST_H
#define HOLDPORT_BASE_LIST_H

#include <stdbool.h>

#include "base/owner.h"

struct list {
	struct list *next, *before;
};

static inline void list_init(struct list *l)
{
	l->next = l->before = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

static inline void list_append(struct list *l, struct list *node)
{
	node->next = l;
	node->before = l->before;
	l->before->next = node;
	l->before = node;
}

static inline void list_insert_after(struct list *there, struct list *node)
{
	list_append(there->next, node);
}

static inline void list_remove(struct list *node)
{
	node->before->next = node->next;
	node->next->before = node->before;
	list_init(node);
}

/* for (each entry of type in list) — the safe form allows removing the entry. */
#define list_each(entry, list, type, member)                              \
	for (type *entry = OWNER((list)->next, type, member);             \
	     &entry->member != (list); entry = OWNER(entry->member.next, type, member))

#define list_each_safe(entry, list, type, member)                         \
	for (type *entry = OWNER((list)->next, type, member),             \
		  *entry##_next = OWNER(entry->member.next, type, member); \
	     &entry->member != (list);                                    \
	     entry = entry##_next,                                        \
		  entry##_next = OWNER(entry->member.next, type, member))

#endif
