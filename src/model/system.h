/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A system: something to read from or write to. Plain data, owned. */
#include "basic/alloc.h"
#include "model/field.h"
#include "model/layout.h"
#include "model/hours.h"
#include <jansson.h>

typedef struct System {
        char *name;             /* "pacs" */
        char *kind;             /* "postgresql", "sqlite", "odbc", "csv" */
        bool may_write;         /* access: write */
        char *path;             /* sqlite: file; csv: folder or file; else NULL */
        char *connection;       /* postgresql: as libpq reads it, odbc: Driver=…;Server=…; perhaps with a password: never shown; else NULL */
        char *credential;       /* name of its password's file, or NULL */
        uint64_t statement_timeout_usec;        /* limits: statement_timeout; 0: none */
        unsigned connections_max;       /* limits: connections: operations that use it at a time; 0: no limit of its own */
        unsigned throttle;              /* limits: throttle: multiple of its own latency from which on we pause; 0: never */
        Hours hours;            /* when it may be used */
        Layout *layout;  /* fixed: where its records' fields lie, owned; else NULL */
        json_t *options;        /* further members as the file has them (csv: delimiter, encoding, null); never NULL */
        char *file;             /* where it is configured */
        unsigned line;
} System;
System *system_free(System *s);
DEFINE_CLEANUP(System, system_free)
/* name, kind, access, path, hours, connection (host, port, database and user of it alone), credential (its name).
 * Never a secret. */
json_t *system_to_json(const System *s);
/* What of a connection may be shown: "host=… port=… dbname=… user=…", in this order, of either form that libpq
 * reads. Allocated; NULL without memory. What cannot be read is left out. */
char *connection_shown(const char *connection);
/* What a system is shown with: the members above, and source_of and target_of, which syncd adds. A test compares. */
extern const Field system_document_fields[];
