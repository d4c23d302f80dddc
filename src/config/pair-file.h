/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One mapping file as a pair. In syncd and workers. */
#include "config/settings.h"
#include "config/yaml.h"
#include "model/pair.h"
#include "model/record.h"

/* What the readers of one file share. */
typedef struct Reading {
        const YamlDocument *document;
        const Settings *settings;
        Pair *pair;             /* being filled */
        Mistakes *mistakes;
        Digest *hashed;         /* of each text that the content hash is of */
        size_t n_hashed, hashed_capacity;
} Reading;

typedef struct PairPlaces { Mark pair, depends_on; } PairPlaces;       /* for mistakes that show among pairs only */

/* Reads the text of a mapping file. 1: a pair that can run; 0: it has mistakes, and *ret is good for its name and aliases
 * only (NULL where it is no YAML). Fails with -ENOMEM only. */
_must_check_ int pair_parse(const char *bytes, size_t size, const char *file, const Settings *settings, Pair **ret,
                            PairPlaces *ret_places, Mistakes *mistakes);

/* For the readers of its parts. Adds a mistake at the node's key (or value). */
void reading_mistake(Reading *reading, const json_t *node, const char *remedy, const char *format, ...) _printf_(4, 5);
/* The same at the value. */
void reading_mistake_value(Reading *reading, const json_t *node, const char *remedy, const char *format, ...) _printf_(4, 5);
/* Copies of a member's text or texts; NULL stays where it is absent or of another type. -ENOMEM. */
_must_check_ int reading_text(const json_t *object, const char *name, char **ret);
_must_check_ int reading_texts(const json_t *object, const char *name, char ***ret);
/* Adds a text to what the content hash is of. -ENOMEM. */
_must_check_ int reading_hash(Reading *reading, const char *bytes, size_t size);
/* A constant as `value:` has it: of the type where one is told (VALUE_ABSENT: none is), else digits without quotes are INTEGER or
 * DECIMAL (but 0100 is a text), true and false BOOLEAN, nothing or null NULL, and the rest TEXT. ret_bytes owns what ret
 * borrows, or is NULL. -EINVAL: not of that type; -ENOMEM. */
_must_check_ int constant_read(const YamlDocument *d, const json_t *node, ValueType type, Value *ret, char **ret_bytes);
