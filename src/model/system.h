/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A system: something to read from or write to. Plain data, owned. */
#include "basic/alloc.h"
#include "model/field.h"
#include <jansson.h>

typedef struct System {
        char *name;             /* "pacs" */
        char *kind;             /* "sqlite", "csv" */
        bool may_write;         /* access: write */
        char *path;             /* sqlite: file; csv: folder or file */
        json_t *options;        /* further members as the file has them (csv: delimiter, encoding, null); never NULL */
        char *file;             /* where it is configured */
        unsigned line;
} System;
System *system_free(System *s);
DEFINE_CLEANUP(System, system_free)
json_t *system_to_json(const System *s);        /* name, kind, access, path; never a secret */
/* What a system is shown with: the members above, and source_of and target_of, which syncd adds. A test compares. */
extern const Field system_document_fields[];
