/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A JSON document as a tree in an arena, read strictly (RFC 8259), whose numbers keep their digits: money never
 * goes through a binary float, which jansson's reals would be. Pure; in the worker. */
#include "basic/arena.h"
#include "basic/error.h"

typedef enum JsonKind { JSON_ITEM_NULL, JSON_ITEM_FALSE, JSON_ITEM_TRUE, JSON_ITEM_NUMBER, JSON_ITEM_TEXT,
                        JSON_ITEM_ARRAY, JSON_ITEM_OBJECT } JsonKind;

typedef struct JsonItem JsonItem;
struct JsonItem {
        JsonKind kind;
        bool has_nul;           /* a TEXT with a NUL character in it */
        const char *name;       /* of a member, NUL-terminated; NULL of elements */
        const char *text;       /* TEXT: without escapes, UTF-8, NUL-terminated; NUMBER, ARRAY and OBJECT: as the document
                                   has it, borrowed from its bytes and not terminated */
        size_t size;
        const JsonItem *first, *next;   /* children in order; the next sibling */
        size_t n_children;
};

/* Parses a whole document. bytes must live as long as the tree. memory_max: bytes of the arena that the tree may take.
 * ERROR_FILE_FORMAT with what is wrong and at which byte: no JSON, cut off, members twice, deeper than 64, invalid UTF-8,
 * objects of more than 4096 members, or memory_max exceeded. */
_must_check_ int json_item_parse(const char *bytes, size_t size, size_t memory_max, Arena *arena, const JsonItem **ret,
                                 Error *error);
/* A member by name; NULL where there is none or item is no object (or NULL). */
const JsonItem *json_item_member(const JsonItem *item, const char *name);
/* What a pointer leads to (RFC 6901: "/data/items"; "" is item itself; the first slash may be missing); NULL. */
const JsonItem *json_item_at(const JsonItem *item, const char *pointer);
/* Its text where it is a TEXT, else NULL. */
const char *json_item_text(const JsonItem *item);
static inline bool json_item_is(const JsonItem *item, JsonKind kind) { return item && item->kind == kind; }
