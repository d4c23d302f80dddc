/* SPDX-License-Identifier: Apache-2.0 */
#include "basic/arena.h"

#include <errno.h>
#include <stdarg.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void) (address), (void) (size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void) (address), (void) (size))
#endif

#define ALIGNMENT 16U
#define BLOCK_BYTES_MIN (64U * 1024)
#define BLOCK_BYTES_MAX (1024U * 1024)
/* What a reset keeps: a batch and its records' text, so that the next batch touches no allocator. */
#define KEPT_BYTES_MAX (16U * 1024 * 1024)

typedef struct Block Block;
struct Block {
        Block *next;
        size_t size_bytes; /* of bytes[] */
        _Alignas(ALIGNMENT) char bytes[];
};

struct Arena {
        char *position, *end; /* free part of the block in use */
        Block *used;          /* newest first; its head is in use */
        Block *kept;          /* free, all of them of at least BLOCK_BYTES_MIN */
        size_t kept_bytes;
        size_t next_block_bytes;
        size_t size_bytes;
};

int arena_new(Arena **ret) {
        Arena *a;

        assert(ret);
        a = calloc(1, sizeof(*a));
        if (!a)
                return -ENOMEM;
        a->next_block_bytes = BLOCK_BYTES_MIN;
        *ret = a;
        return 0;
}

static void block_free(Block *block) {
        ASAN_UNPOISON_MEMORY_REGION(block->bytes, block->size_bytes);
        free(block);
}

static void blocks_free(Block *block) {
        while (block) {
                Block *next = block->next;

                block_free(block);
                block = next;
        }
}

Arena *arena_free(Arena *a) {
        if (!a)
                return NULL;
        blocks_free(a->used);
        blocks_free(a->kept);
        free(a);
        return NULL;
}

static Block *block_new(size_t size_bytes) {
        Block *block;
        size_t n_bytes;

        if (__builtin_add_overflow(size_bytes, sizeof(Block), &n_bytes))
                return NULL;
        block = malloc(n_bytes);
        if (!block)
                return NULL;
        block->size_bytes = size_bytes;
        ASAN_POISON_MEMORY_REGION(block->bytes, size_bytes);
        return block;
}

/* A piece too large for a common block gets one of its own, put behind the head so that the head's rest
 * stays in use. */
static void *alloc_alone(Arena *a, size_t size) {
        Block *block = block_new(size);

        if (!block)
                return NULL;
        if (a->used) {
                block->next = a->used->next;
                a->used->next = block;
        } else {
                block->next = NULL;
                a->used = block;
        }
        a->size_bytes += size;
        ASAN_UNPOISON_MEMORY_REGION(block->bytes, size);
        return block->bytes;
}

static Block *block_take(Arena *a) {
        Block *block = a->kept;

        if (block) {
                a->kept = block->next;
                a->kept_bytes -= block->size_bytes;
                return block;
        }
        block = block_new(a->next_block_bytes);
        if (block && a->next_block_bytes < BLOCK_BYTES_MAX)
                a->next_block_bytes *= 2;
        return block;
}

static void *alloc_slow(Arena *a, size_t size) {
        Block *block;
        char *bytes;

        if (size > BLOCK_BYTES_MIN / 4)
                return alloc_alone(a, size);
        block = block_take(a);
        if (!block)
                return NULL;
        block->next = a->used;
        a->used = block;
        bytes = block->bytes;
        a->position = bytes + size;
        a->end = bytes + block->size_bytes;
        a->size_bytes += size;
        ASAN_UNPOISON_MEMORY_REGION(bytes, size);
        return bytes;
}

void *arena_alloc(Arena *a, size_t size) {
        size_t rounded;
        char *bytes;

        assert(a);
        if (size > PTRDIFF_MAX)
                return NULL;
        rounded = (size + ALIGNMENT - 1) & ~(size_t) (ALIGNMENT - 1);
        if (rounded == 0)
                rounded = ALIGNMENT;
        if ((size_t) (a->end - a->position) < rounded)
                return alloc_slow(a, rounded);
        bytes = a->position;
        a->position += rounded;
        a->size_bytes += rounded;
        ASAN_UNPOISON_MEMORY_REGION(bytes, size);
        return bytes;
}

void *arena_alloc_zero(Arena *a, size_t size) {
        void *bytes = arena_alloc(a, size);

        return bytes ? memset(bytes, 0, size) : NULL;
}

void *arena_copy(Arena *a, const void *bytes, size_t size) {
        void *copy = arena_alloc(a, size);

        if (copy && size > 0)
                memcpy(copy, bytes, size);
        return copy;
}

char *arena_printf(Arena *a, const char *format, ...) {
        va_list arguments;
        char *text;
        int n;

        va_start(arguments, format);
        n = vsnprintf(NULL, 0, format, arguments);
        va_end(arguments);
        if (n < 0)
                return NULL;
        text = arena_alloc(a, (size_t) n + 1);
        if (!text)
                return NULL;
        va_start(arguments, format);
        (void) vsnprintf(text, (size_t) n + 1, format, arguments);
        va_end(arguments);
        return text;
}

size_t arena_size_bytes(const Arena *a) {
        assert(a);
        return a->size_bytes;
}

void arena_reset(Arena *a) {
        Block *block, *next;

        assert(a);
        for (block = a->used; block; block = next) {
                next = block->next;
                /* A block of one odd piece would be no use to others; too many would hold memory for
                 * nothing. */
                if (block->size_bytes < BLOCK_BYTES_MIN || block->size_bytes > BLOCK_BYTES_MAX ||
                    a->kept_bytes + block->size_bytes > KEPT_BYTES_MAX) {
                        block_free(block);
                        continue;
                }
                ASAN_POISON_MEMORY_REGION(block->bytes, block->size_bytes);
                block->next = a->kept;
                a->kept = block;
                a->kept_bytes += block->size_bytes;
        }
        a->used = NULL;
        a->position = a->end = NULL;
        a->size_bytes = 0;
}
