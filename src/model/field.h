/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Field[]: one dumb table of a document's or struct's members. config/check.c checks YAML and JSON against it; the tables
 * of nouns are their JSON members and D-Bus properties. */
#include "basic/alloc.h"

typedef enum FieldType {
        FIELD_NONE, FIELD_TEXT, FIELD_NAME, FIELD_INTEGER, FIELD_BOOLEAN, FIELD_DURATION, FIELD_SIZE, FIELD_SCALAR, FIELD_TEXTS,
        FIELD_OBJECT, FIELD_ARRAY, FIELD_MAP, FIELD_ANY, FIELD_NUMBER, FIELD_TIMESTAMP,        /* the last two of answers only */
} FieldType;

typedef struct Field {
        const char *name;               /* snake_case */
        FieldType type;
        bool required;
        bool not_yet;                   /* known, refused by name for now */
        const struct Field *members;    /* of OBJECT, or of each value of MAP; NULL: free */
        const char *const *choices;     /* allowed texts, NULL-terminated; NULL: any */
        const char *summary;            /* one sentence, with unit */
} Field;                                /* a table ends with FIELD_NONE */
const char *field_type_to_string(FieldType type);       /* "a text", for messages */
