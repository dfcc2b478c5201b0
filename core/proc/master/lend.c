/*
 * lend.c - while a worker is down, another one takes the connections that wait in its listening sockets.
 *
 * The kernel spreads new connections over all sockets of an address, also over those of a worker that died.  The master
 * has copies of them all: it lends the dead worker's to one that serves (its keeper), which accepts on them beside its
 * own, and asks for them back when the successor serves.  So no connection waits for a back-off.  Runs in the master;
 * what is on its way to a keeper is in its queue.
 */
#include "proc/master/master.h"

#include "log/log.h"

/* It died, and its successor does not serve yet. */
static bool
lend_is_down(const weir_child_t *child)
{
    return child->has_died && child->serial == 0 && !child->leaving && child->cohort == child->master->cohort;
}

static bool
lend_can_keep(const weir_child_t *child)
{
    return child->pid > 0 && child->serial != 0 && !child->leaving && child->channel.fd >= 0;
}

/* How many it keeps for already: the least burdened is chosen. */
static unsigned
lend_count(const weir_child_t *keeper)
{
    const weir_list_t *children = &keeper->master->children;
    unsigned           n = 0;

    for (const weir_list_t *at = children->next; at != children; at = at->next) {
        n += weir_list_entry(at, weir_child_t, link)->keeper == keeper;
    }
    return n;
}

static weir_child_t *
lend_choose(weir_master_t *master)
{
    weir_child_t *best = NULL;

    for (weir_list_t *at = master->children.next; at != &master->children; at = at->next) {
        weir_child_t *child = weir_list_entry(at, weir_child_t, link);

        if (lend_can_keep(child) && (best == NULL || lend_count(child) < lend_count(best))) {
            best = child;
        }
    }
    return best;
}

static void
lend_take_back(weir_child_t *child)
{
    if (child->keeper != NULL && lend_can_keep(child->keeper)) {
        weir_link_return(child->keeper, child->index);
    }
    child->keeper = NULL;
}

static void
lend_out(weir_child_t *child)
{
    weir_child_t *keeper = lend_choose(child->master);

    weir_assert(child->keeper == NULL && keeper != child);
    if (keeper != NULL && weir_link_lend(keeper, child->index)) {
        child->keeper = keeper;
        child->lent = keeper->serial;
        weir_log(WEIR_LOG_INFO, NULL, 0, "worker process %d takes the connections of worker %u, which is down",
                 (int) keeper->pid, child->index);
    }
}

void
weir_lend_settle(weir_master_t *master)
{
    for (weir_list_t *at = master->children.next; at != &master->children; at = at->next) {
        weir_child_t *child = weir_list_entry(at, weir_child_t, link);

        if (!lend_is_down(child)) {
            lend_take_back(child);
            continue;
        }
        if (child->keeper != NULL && lend_can_keep(child->keeper) && child->lent == child->keeper->serial) {
            continue;
        }
        lend_take_back(child);              /* its keeper died, leaves, or has another configuration by now */
        lend_out(child);
    }
}

void
weir_lend_forget(weir_child_t *child)
{
    const weir_list_t *children = &child->master->children;

    lend_take_back(child);
    for (const weir_list_t *at = children->next; at != children; at = at->next) {
        weir_child_t *other = weir_list_entry(at, weir_child_t, link);

        if (other->keeper == child) {
            other->keeper = NULL;
        }
    }
}
