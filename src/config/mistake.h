/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Every mistake of a set of files at once, each with its place. In every process that reads configuration. */
#include "basic/alloc.h"
#include "basic/error.h"

typedef struct Mark { unsigned line, column; } Mark;    /* 1-based; 0: the file as a whole */

typedef struct Mistakes {
        Error *errors;          /* ERROR_CONFIGURATION, ERROR_MAPPING or ERROR_NOT_YET */
        size_t n_errors, capacity;
        size_t n_more;          /* above CONFIG_MISTAKES_MAX, or without memory: counted, not listed */
} Mistakes;
void mistakes_done(Mistakes *m);        /* frees what it holds and leaves it empty */
#define _cleanup_mistakes_ _cleanup_(mistakes_done)

static inline size_t mistakes_count(const Mistakes *m) { return m->n_errors + m->n_more; }
/* Adds one. file may be NULL (the environment). remedy, what the user does, may be NULL. */
void mistake_add(Mistakes *m, ErrorId id, const char *file, Mark place, const char *remedy, const char *format, ...) _printf_(6, 7);
/* One line each, "FILE:LINE:COL: detail (TF-nnnn). remedy", files in the order read, then by place; last how many more there are. */
void mistakes_print(const Mistakes *m, FILE *file);
/* An array of errors as error_to_json() gives them. NULL without memory. */
json_t *mistakes_to_json(const Mistakes *m);
/* Orders those from the index `from` on by line and column. */
void mistakes_sort(Mistakes *m, size_t from);
/* The first from index `from` on, copied, its detail saying how many more there are. 0 where there is none, else its negative errno. */
int mistakes_to_error(const Mistakes *m, size_t from, Error *error);
