/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Tables and a progress bar for people. In terrafusionctl. */
#include "basic/alloc.h"
#include <jansson.h>

typedef struct Column {
        const char *heading;
        const char *member;     /* of each row; "a.b" of a nested object */
        bool right;             /* numbers */
} Column;

/* The text of a member for people: null and absent are "-", times without fraction and zone, arrays joined by commas. Allocated; NULL without memory. */
char *render_member(const json_t *object, const char *member);
/* Writes a table of an array of objects; columns as wide as their widest cell in characters, the last one cut to the terminal's width (0: never).
 * empty: the sentence where there are no rows. */
void render_table(FILE *f, const json_t *rows, const Column *columns, size_t n_columns, unsigned width, const char *empty);
unsigned render_width(FILE *f);         /* of the terminal in characters; 0 where it is none */
bool render_colours(FILE *f);           /* a terminal, and NO_COLOR is not set */
/* One line, written over the last: "parcel  [#####-----]  51 %  12,345 of 24,000". total 0: unknown. */
void render_progress(FILE *f, const char *label, int64_t n_done, int64_t n_total, unsigned width);
