/*
 * story.c - see story.h.  Runs in workers; allocates nothing but the zone.
 */
#include "shm/story.h"

#include "shm/slots.h"

#include <string.h>

#define STORY_MAGIC 0x73746f7279303031u
#define STORY_MAX   65536
#define STORY_USUAL 128           /* bytes of texts */

_Static_assert(sizeof(weir_story_t) == 1024, "a story is a KiB");

static const uint16_t story_rooms[WEIR_STORY_TEXTS] = {
    [WEIR_STORY_METHOD] = 15, [WEIR_STORY_HOST] = 63, [WEIR_STORY_TARGET] = 255, [WEIR_STORY_CLIENT] = 47,
    [WEIR_STORY_SERVER] = 47,
    [WEIR_STORY_LOCATION] = 47, [WEIR_STORY_DETAIL] = 47, [WEIR_STORY_PEER ... WEIR_STORY_VERDICT - 1] = 43,
    [WEIR_STORY_VERDICT ... WEIR_STORY_TEXTS - 1] = 31,
};

_Static_assert(15 + 63 + 255 + 4 * 47 + WEIR_STORY_ATTEMPTS * 43
               + WEIR_STORY_VERDICTS * 31 <= sizeof(((weir_story_t *) 0)->bytes), "they fit");

typedef struct { uint64_t magic; uint32_t each, unused; uint64_t unused_too[6]; uint64_t last[WEIR_SLOTS];
                 } stories_head_t;

static struct { stories_head_t *head; weir_zone_t *zone; } stories;

static uint64_t
stories_bytes(uint32_t each)
{
    return sizeof(stories_head_t) + (uint64_t) WEIR_SLOTS * each * sizeof(weir_story_t);
}

static weir_story_t *
stories_at(const stories_head_t *head, uint32_t slot, uint64_t number)
{
    weir_story_t *first = (weir_story_t *) (void *) ((char *) (uintptr_t) head + sizeof(*head));

    return &first[(uint64_t) slot * head->each + number % head->each];
}

bool
weir_stories_start(uint32_t each, weir_error_t *error)
{
    weir_zone_id_t id = { .kind = &weir_stories_zone, .size = stories_bytes(each) };

    if (stories.head != NULL || each == 0) {
        return true;
    }
    stories.zone = weir_zone_take(&id, error);
    if (stories.zone == NULL) {
        return false;
    }
    stories.head = weir_zone_memory(stories.zone);
    stories.head->each = each;
    stories.head->magic = STORY_MAGIC;
    return true;
}

void
weir_stories_end(void)
{
    if (stories.zone != NULL) {
        weir_zone_give_back(stories.zone);
        stories.zone = NULL;
        stories.head = NULL;
    }
}

bool
weir_stories_are_on(void)
{
    return stories.head != NULL;
}

uint32_t
weir_stories_each(void)
{
    return stories.head != NULL ? stories.head->each : 0;
}

weir_story_t *
weir_story_begin(void)
{
    uint32_t      slot = weir_slot();
    weir_story_t *story = stories_at(stories.head, slot, stories.head->last[slot] + 1);

    __atomic_store_n(&story->number, 0, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    memset((char *) story + sizeof(story->number), 0, offsetof(weir_story_t, bytes) - sizeof(story->number));
    story->pid = (uint32_t) weir_slot_mine.pid;
    return story;
}

/* The ring is larger than the caches: of the next story's place what most stories fill is fetched while others work. */
static void
story_prefetch(const weir_story_t *story)
{
    for (size_t at = 0; at < offsetof(weir_story_t, bytes) + STORY_USUAL; at += 64) {
        __builtin_prefetch((const char *) story + at, 1);
    }
}

void
weir_story_end(weir_story_t *story)
{
    uint32_t slot = weir_slot();
    uint64_t number = stories.head->last[slot] + 1;

    weir_assert(story->number == 0);     /* no reader knows it yet */
    __atomic_store_n(&story->number, number, __ATOMIC_RELEASE);
    __atomic_store_n(&stories.head->last[slot], number, __ATOMIC_RELEASE);
    story_prefetch(stories_at(stories.head, slot, number + 1));
}

void
weir_story_put(weir_story_t *story, unsigned which, weir_str_t text)
{
    size_t n = weir_min(text.len, story_rooms[which]);

    if (n != 0) {
        memcpy(story->bytes + story->used, text.at, n);
        story->lengths[which] = (uint16_t) n;
        story->used = (uint16_t) (story->used + n);
    }
}

/* -- reading -- */

uint32_t
weir_stories_slots(const void *memory, uint64_t size)
{
    const stories_head_t *head = memory;

    return size >= sizeof(*head) && head->magic == STORY_MAGIC && head->each != 0 && head->each <= STORY_MAX
           && size == stories_bytes(head->each)
           ? WEIR_SLOTS : 0;
}

uint64_t
weir_stories_last(const void *memory, uint32_t slot)
{
    return __atomic_load_n(&((const stories_head_t *) memory)->last[slot], __ATOMIC_ACQUIRE);
}

uint32_t
weir_stories_kept(const void *memory)
{
    return ((const stories_head_t *) memory)->each;
}

bool
weir_stories_read(const void *memory, uint32_t slot, uint64_t number, weir_story_t *story)
{
    const weir_story_t *at = stories_at(memory, slot, number);

    if (number == 0 || __atomic_load_n(&at->number, __ATOMIC_ACQUIRE) != number) {
        return false;
    }
    memcpy(story, at, sizeof(*story));
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return __atomic_load_n(&at->number, __ATOMIC_RELAXED) == number;
}

weir_str_t
weir_story_text(const weir_story_t *story, unsigned which)
{
    size_t from = 0;

    for (unsigned i = 0; i < which; i++) {
        from += story->lengths[i];
    }
    return from + story->lengths[which] <= sizeof(story->bytes) ? weir_str(story->bytes + from, story->lengths[which])
           : WEIR_STR_NONE;
}

bool
weir_story_is_cut(const weir_story_t *story, unsigned which)
{
    return story->lengths[which] >= story_rooms[which];
}

static void
stories_describe(const void *memory, uint64_t size, weir_buf_t *out)
{
    uint64_t told = 0;

    for (uint32_t slot = 0; slot < weir_stories_slots(memory, size); slot++) {
        told += weir_stories_last(memory, slot);
    }
    weir_buf_printf(out, "told=%llu kept=%u a worker", (unsigned long long) told, weir_stories_kept(memory));
}

const weir_zone_kind_t weir_stories_zone = { .name = "stories", .layout = 2, .describe = stories_describe };
