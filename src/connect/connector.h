/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* THEIR systems: the interface every kind of system implements, one file each. In the worker only; calls
 * block. */
#include "basic/arena.h"
#include "basic/error.h"
#include "model/mapping.h"
#include "model/pair.h"
#include "model/record.h"
#include "model/system.h"

typedef struct Connection Connection;   /* to one system; each connector embeds ConnectionBase first */
typedef struct Reader Reader;           /* one scan of one entity at the source */
typedef struct Writer Writer;           /* one entity's table at the target */

typedef enum ConnectorCapability {
        CONNECTOR_READS = 1 << 0, CONNECTOR_WRITES = 1 << 1, CONNECTOR_TRANSACTS = 1 << 2,
        CONNECTOR_WATERMARK = 1 << 3, CONNECTOR_RESUMES = 1 << 4,
} ConnectorCapability;

typedef struct ReadPlan {
        const Pair *pair;               /* for variables */
        const Mapping *mapping;         /* table, joins, where, columns */
        bool by_watermark;              /* low ≤ watermark < high; else every record */
        Value low, high;                /* as horizon() gives them; low VALUE_NULL: from the beginning */
        const char *position;           /* resume after this (of an identical plan), or NULL */
} ReadPlan;

/* One present record that is asked for, among many. */
typedef struct RecordFetch {
        const Value *key;       /* mapping->n_key values */
        Value *values;          /* out: n_fields raw values in the arena; NULL: there is none */
        Error refusal;          /* out: class RECORD, the target's column cannot hold such a key */
} RecordFetch;

/* One change that is written, among many. */
typedef struct RecordWrite {
        const Change *change;
        Error refusal;          /* out: class RECORD, what the target said of it */
} RecordWrite;

typedef struct Connector {
        const char *kind, *summary;
        unsigned capabilities;
        int (*open)(const System *system, bool write, Connection **ret, Error *error);
        void (*close)(Connection *c);
        /* Checks that table, joins, columns exist for reading (target=false) or writing (target=true);
         * appends {what, ok, message, remedy}. */
        int (*check)(Connection *c, const Pair *pair, const Mapping *mapping, bool target, json_t *report,
                     Error *error);
        int (*horizon)(Connection *c, const Mapping *mapping, Value *ret_high, Error *error);
        int (*reader_open)(Connection *c, const ReadPlan *plan, Reader **ret, Error *error);
        int (*reader_next)(Reader *r, Value *values, Error *error);
        const char *(*reader_position)(Reader *r);
        bool (*reader_resumed)(const Reader *r);
        void (*reader_close)(Reader *r);
        int (*writer_open)(Connection *c, const Mapping *mapping, Writer **ret, Error *error);
        void (*writer_close)(Writer *w);
        int (*count)(Writer *w, uint64_t *ret, Error *error);
        int (*fetch)(Writer *w, Arena *arena, RecordFetch *fetches, size_t n_fetches, Error *error);
        int (*begin)(Connection *c, Error *error);
        int (*write)(Writer *w, RecordWrite *writes, size_t n_writes, Error *error);
        int (*commit)(Connection *c, Error *error);
        int (*rollback)(Connection *c);
} Connector;

/* Connectors begin their Connection, Reader and Writer structs with these. */
struct Connection { const Connector *connector; };
struct Reader { const Connector *connector; };
struct Writer { const Connector *connector; };

/* The registry. NULL where the kind is not known. */
const Connector *connector_find(const char *kind);
const char *const *connector_kinds(void);       /* NULL-terminated names */

/* What systems are told of who connects ("terrafusion-worker OPERATION"): shown in their lists of sessions. */
void connector_name_set(const char *name);
const char *connector_name(void);
/* The pair this process works on. A target whose server outlives us lets one transaction of a pair begin when the
 * one before is over: a COMMIT that was sent before kill -9 may still be at work. "" until it is set; borrowed. */
void connector_pair_set(const char *pair);
const char *connector_pair(void);

/* Opens a system, which must outlive the connection. ERROR_SYSTEM_UNAVAILABLE, ERROR_FILE_FORMAT,
 * ERROR_SYSTEM_READ_ONLY (write wanted but `access: read`, or the file is), ERROR_NOT_YET (unknown kind). */
_must_check_ int connection_open(const System *system, bool write, Connection **ret, Error *error);
Connection *connection_close(Connection *c);
DEFINE_CLEANUP(Connection, connection_close)
_must_check_ int connection_check(Connection *c, const Pair *pair, const Mapping *mapping, bool target,
                                  json_t *report, Error *error);
/* The proved horizon (algorithms.md §8): every later commit has a stamp ≥ *ret_high; everything below it
 * is visible to a reader opened afterwards. Its bytes live as long as the connection. ERROR_WATERMARK
 * where it cannot be proved, with the remedy. */
_must_check_ int connection_horizon(Connection *c, const Mapping *mapping, Value *ret_high, Error *error);
/* Waits for a transaction that an earlier worker of the pair left behind; what is read afterwards is what it left. */
_must_check_ int connection_begin(Connection *c, Error *error);
/* After a failure the transaction is rolled back or its fate is unknown: settle. */
_must_check_ int connection_commit(Connection *c, Error *error);
void connection_rollback(Connection *c);

/* A scan in the source's cheapest stable order, one snapshot. Values come in mapping->columns' order. */
_must_check_ int reader_open(Connection *c, const ReadPlan *plan, Reader **ret, Error *error);
/* 1: a record (values borrowed until the next call); 0: end. A record that cannot be read is an error of
 * the whole scan, never skipped. */
_must_check_ int reader_next(Reader *r, Value *values, Error *error);
/* Where the scan is after the last record, opaque text, borrowed until the next call; NULL where the kind
 * cannot resume. */
const char *reader_position(Reader *r);
/* Whether the scan went on at plan->position. False: there was none, or the source is no longer what the
 * position was taken of (another file, a vacuumed or altered database); then the scan is a whole one,
 * from the first record. */
bool reader_resumed(const Reader *r);
Reader *reader_close(Reader *r);
DEFINE_CLEANUP(Reader, reader_close)

_must_check_ int writer_open(Connection *c, const Mapping *mapping, Writer **ret, Error *error);
Writer *writer_close(Writer *w);
DEFINE_CLEANUP(Writer, writer_close)
_must_check_ int writer_count(Writer *w, uint64_t *ret, Error *error);  /* rows in the target table */
/* The present records of many keys, as the target stores them. refusal is empty before, and concerns one
 * record; a negative errno concerns all of them. */
_must_check_ int writer_fetch(Writer *w, Arena *arena, RecordFetch *fetches, size_t n_fetches, Error *error);
/* Writes INSERT, UPDATE (only changed fields) and DELETE inside the transaction, each fully or not at all. Without
 * CONNECTOR_TRANSACTS there is none: whatever is not refused is written and durable when it returns, refused records
 * are untouched, and after a negative errno (or kill -9) each record is there or not: worker/settle.c then reads them
 * all and takes each that equals what the journal says was written as written; the others are detected anew. For that,
 * fetch() must find what an interrupted write() left.
 * ABSENT values are left out. Gives the number of refused records, each with its refusal (an INSERT that
 * meets a row, an UPDATE or DELETE that meets none are such): then the caller rolls back. A negative errno:
 * the whole transaction failed. Nothing that concerns a single record is left for commit to find. */
_must_check_ int writer_write(Writer *w, RecordWrite *writes, size_t n_writes, Error *error);
/* Frees the refusals, and the array. */
RecordFetch *fetches_free(RecordFetch *fetches, size_t n_fetches);
RecordWrite *writes_free(RecordWrite *writes, size_t n_writes);
