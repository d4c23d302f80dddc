/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* An ODBC connection string: KEYWORD=value;KEYWORD={value with ; or }} in it};… Keywords are told apart without case.
 * Pure. */
#include "basic/alloc.h"

typedef struct ConnectionPart {
        const char *keyword; /* borrowed from the text */
        size_t keyword_size;
        const char *value; /* as written, with its braces */
        size_t value_size;
} ConnectionPart;

/* Gives the part at *at and moves behind it. 1: a part; 0: the end; -EBADMSG: no "=", or a brace that nothing closes. */
int connection_part_next(const char **at, ConnectionPart *ret);
bool connection_part_is(const ConnectionPart *part, const char *keyword);
/* Value of the first part of that keyword, without braces; NULL where there is none (or without memory). Allocated. */
char *connection_string_find(const char *text, const char *keyword);
/* ";KEYWORD={value}" behind text, braces doubled. Allocated; NULL without memory. */
char *connection_string_add(const char *text, const char *keyword, const char *value);
/* What may be shown: DSN, driver, server, port, socket, database and user of it, in the order of the text. Allocated. */
char *connection_string_shown(const char *text);
