/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Ownership in words: cleanup attributes, TAKE_PTR, must-check. In every process. */
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define _must_check_ __attribute__((warn_unused_result))
#define _printf_(at, first) __attribute__((format(printf, at, first)))
#define _cleanup_(function) __attribute__((cleanup(function)))
#define _unused_ __attribute__((unused))
#define ELEMENTSOF(array) (sizeof(array) / sizeof((array)[0]))

/* Hands a pointer over: gives its value and leaves NULL behind. */
#define TAKE_PTR(pointer) ({ typeof(pointer) *_place = &(pointer); typeof(pointer) _taken = *_place; *_place = NULL; _taken; })
/* The same for a file descriptor; leaves -EBADF behind. */
#define TAKE_FD(fd) ({ int *_place = &(fd); int _taken = *_place; *_place = -EBADF; _taken; })

/* Defines functionp(type **) for _cleanup_(functionp), calling function(*p) when not NULL. */
#define DEFINE_CLEANUP(type, function) \
        static inline void function##p(type **pointer) { if (*pointer) function(*pointer); }

static inline void freep(void *pointer) { free(*(void **) pointer); }
static inline void closep(int *fd) { if (*fd >= 0) (void) close(*fd); }
static inline void fclosep(FILE **file) { if (*file) (void) fclose(*file); }

#define _cleanup_free_ _cleanup_(freep)
#define _cleanup_close_ _cleanup_(closep)
#define _cleanup_fclose_ _cleanup_(fclosep)

/* Grows *array (of items of item_size bytes, *capacity of them) to hold at least need items; new space is zeroed.
 * 0, or -ENOMEM with the array unchanged. */
_must_check_ int array_grow(void *array, size_t *capacity, size_t need, size_t item_size);
