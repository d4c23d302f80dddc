/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Memory of one batch: allocated piece by piece, freed whole. In the worker. Nothing in it owns anything outside. */
#include "basic/alloc.h"

typedef struct Arena Arena;

_must_check_ int arena_new(Arena **ret);
Arena *arena_free(Arena *a);
DEFINE_CLEANUP(Arena, arena_free)
#define _cleanup_arena_ _cleanup_(arena_freep)
/* Gives size bytes aligned to 16, not zeroed; NULL without memory. size 0 gives a valid pointer. */
void *arena_alloc(Arena *a, size_t size);
void *arena_alloc_zero(Arena *a, size_t size);
void *arena_copy(Arena *a, const void *bytes, size_t size);
char *arena_printf(Arena *a, const char *format, ...) _printf_(2, 3);
size_t arena_size_bytes(const Arena *a);        /* handed out since the last reset */
void arena_reset(Arena *a);                     /* forgets everything, keeps the blocks for reuse up to a bound */
