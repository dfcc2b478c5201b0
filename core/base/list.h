/*
 * list.h - intrusive doubly linked list; the head is a node of its own.
 */
#ifndef WEIR_BASE_LIST_H
#define WEIR_BASE_LIST_H

#include "base/base.h"

typedef struct weir_list { struct weir_list *next, *prev; } weir_list_t;

static inline void weir_list_init(weir_list_t *l) { l->next = l->prev = l; }
static inline bool weir_list_empty(const weir_list_t *l) { return l->next == l; }
static inline bool weir_list_linked(const weir_list_t *l) { return l->next != NULL && l->next != l; }

static inline void
weir_list_push(weir_list_t *head, weir_list_t *node)        /* first */
{
    node->next = head->next;
    node->prev = head;
    head->next->prev = node;
    head->next = node;
}

static inline void
weir_list_append(weir_list_t *head, weir_list_t *node)      /* last */
{
    node->prev = head->prev;
    node->next = head;
    head->prev->next = node;
    head->prev = node;
}

static inline void
weir_list_remove(weir_list_t *node)                         /* safe when not linked */
{
    if (node->next == NULL) {
        return;
    }
    node->prev->next = node->next;
    node->next->prev = node->prev;
    node->next = node->prev = NULL;
}

#define weir_list_entry(node, type, member) weir_container_of(node, type, member)

#endif
