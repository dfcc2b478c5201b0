/* list.c - the intrusive list. */
#include "base/list.h"

#include "tap.h"

typedef struct { int number; weir_list_t link; } item_t;

static int
joined(const weir_list_t *head)
{
    const weir_list_t *l;
    int                all = 0;

    for (l = head->next; l != head; l = l->next) {
        all = all * 10 + weir_list_entry(l, const item_t, link)->number;
    }
    return all;
}

int
main(void)
{
    weir_list_t head;
    item_t      a = { .number = 1 }, b = { .number = 2 }, c = { .number = 3 };

    weir_list_init(&head);
    ok(weir_list_empty(&head) && !weir_list_linked(&a.link), "empty");
    weir_list_append(&head, &a.link);
    weir_list_append(&head, &b.link);
    weir_list_push(&head, &c.link);
    is_int(joined(&head), 312, "push is first, append is last");
    ok(weir_list_linked(&a.link) && !weir_list_empty(&head), "linked");
    weir_list_remove(&a.link);
    weir_list_remove(&a.link);
    is_int(joined(&head), 32, "removed once, however often it is said");
    ok(!weir_list_linked(&a.link), "and not linked any more");
    weir_list_remove(&b.link);
    weir_list_remove(&c.link);
    ok(weir_list_empty(&head), "empty again");
    return done();
}
