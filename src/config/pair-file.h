/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One mapping file as a pair. In syncd and workers. */
#include "config/settings.h"
#include "config/yaml.h"
#include "model/pair.h"

/* What the readers of one file share. */
typedef struct Reading {
        const YamlDocument *document;
        const Settings *settings;
        Pair *pair;             /* being filled */
        Mistakes *mistakes;
        char *hashed;           /* texts that the content hash is of */
        size_t hashed_size, hashed_capacity;
} Reading;

/* Reads the text of a mapping file. -EBADMSG: the mistakes tell; -ENOMEM. */
_must_check_ int pair_parse(const char *bytes, size_t size, const char *file, const Settings *settings, Pair **ret, Mistakes *mistakes);

/* For the readers of its parts. Adds a mistake at the node's key (or value). */
void reading_mistake(Reading *reading, const json_t *node, const char *remedy, const char *format, ...) _printf_(4, 5);
/* The same at the value. */
void reading_mistake_value(Reading *reading, const json_t *node, const char *remedy, const char *format, ...) _printf_(4, 5);
/* Copies of a member's text or texts; NULL stays where it is absent or of another type. -ENOMEM. */
_must_check_ int reading_text(const json_t *object, const char *name, char **ret);
_must_check_ int reading_texts(const json_t *object, const char *name, char ***ret);
/* Adds bytes to what the content hash is of. -ENOMEM. */
_must_check_ int reading_hash(Reading *reading, const char *bytes, size_t size);
/* A number or text as `value:` and `variables:` have it: plain digits are INTEGER or DECIMAL, true and false BOOLEAN, null NULL,
 * the rest and all in quotes TEXT. ret_bytes owns the text. -ENOMEM. */
_must_check_ int reading_constant(const Reading *reading, const json_t *node, Value *ret, char **ret_bytes);
