/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* THEIR systems: the interface every kind of system implements, one file each. In the worker only; calls
 * block. */
#include "basic/arena.h"
#include "basic/error.h"
#include "model/key-range.h"
#include "connect/table.h"
#include "model/mapping.h"
#include "model/pair.h"
#include "model/record.h"
#include "model/system.h"

typedef struct Connection Connection;   /* to one system; each connector embeds ConnectionBase first */
typedef struct Reader Reader;           /* one scan of one entity at the source */
typedef struct Writer Writer;           /* one entity's table at the target */

typedef enum ConnectorCapability {
        CONNECTOR_READS = 1 << 0, CONNECTOR_WRITES = 1 << 1, CONNECTOR_TRANSACTS = 1 << 2,
        CONNECTOR_RESUMES = 1 << 3,
} ConnectorCapability;

/* Which records a reader gives. */
typedef enum ReadScope {
        READ_ALL,       /* every record, once */
        READ_WATERMARK, /* low ≤ watermark < high */
        /* None before reader_range() says which; ranges are planned and summed up in its snapshot. */
        READ_RANGES,
        /* Every record, for its key alone: looks for deletes. Columns that no field of the key is made of come
         * ABSENT; a kind that gains nothing by that may give them. */
        READ_KEYS,
        /* What log or feed tell after `position`, in their order: the present record of what changed (columns
         * that were not told: ABSENT), and keys that are gone (reader_is_gone()). The end is what was there when
         * it was opened; a reader that waits for more is the kind's own. */
        READ_CHANGES,
} ReadScope;

typedef struct ReadPlan {
        const Pair *pair;               /* for variables */
        const Mapping *mapping;         /* table, joins, where, columns; its strategy */
        ReadScope scope;
        /* READ_WATERMARK: as horizon() gives them; low VALUE_NULL: from the beginning. */
        Value low, high;
        /* Resume after this (of an identical plan), or NULL. READ_CHANGES: as reader_changes_from() or
         * reader_position() gave it, never NULL. */
        const char *position;
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
        unsigned strategies;            /* DETECT_BIT()s; model/system-kind.c has the same, for the daemons */
        DetectStrategy default_strategy;
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
        /* What follows may be NULL; what it means then stands below, at the function of its name. */
        bool (*horizon_is_exact)(const Connection *c, const Mapping *mapping);
        bool (*horizon_holder)(const Connection *c, const char **ret_who, int64_t *ret_age_usec);
        int (*content_digest)(Connection *c, const Mapping *mapping, Digest *ret, Error *error);
        int (*describe)(Connection *c, const Mapping *mapping, const char *table, bool target, Table **ret,
                        Error *error);
        int (*grants)(Connection *c, const Pair *pair, const Mapping *mapping, bool target, json_t *report,
                      Error *error);
        int (*explain)(Connection *c, const ReadPlan *plan, json_t *report, Error *error);
        bool (*reader_is_gone)(const Reader *r);
        const char *(*reader_changes_from)(Reader *r);
        bool (*reader_keys_are_unique)(const Reader *r);
        int (*reader_findings)(Reader *r, const Value *values, Arena *arena, Finding **findings);
        bool (*reader_ranges_by_key)(const Reader *r);
        int (*ranges_plan)(Reader *r, const KeyRange *within, uint64_t n_records, KeyRanges *ret,
                           Error *error);
        int (*ranges_sum)(Reader *r, KeyRange *ranges, size_t n_ranges, Error *error);
        int (*reader_range)(Reader *r, const KeyRange *range, Error *error);
        const struct LogConnector *log;         /* connect/source-log.h */
} Connector;

/* Connectors begin their Connection, Reader and Writer structs with these. */
struct Connection { const Connector *connector; };
struct Reader { const Connector *connector; };
struct Writer { const Connector *connector; };

/* The registry. Some kinds are modules (module.h), which are loaded here. ERROR_NOT_YET: no such kind; ERROR_MODULE. */
_must_check_ int connector_load(const char *kind, const Connector **ret, Error *error);
/* The same; NULL where the kind is not known or cannot be loaded. */
const Connector *connector_find(const char *kind);
const char *const *connector_kinds(void);       /* NULL-terminated names */

/* What systems are told of who connects ("terrafusion-worker OPERATION"): shown in their lists of
 * sessions. */
void connector_name_set(const char *name);
const char *connector_name(void);
/* The pair this process works on. A target whose server outlives us lets one transaction of a pair begin
 * when the one before is over: a COMMIT that was sent before kill -9 may still be at work. "" until it is
 * set; borrowed. */
void connector_pair_set(const char *pair);
const char *connector_pair(void);

/* Opens a system, which must outlive the connection. ERROR_SYSTEM_UNAVAILABLE, ERROR_FILE_FORMAT,
 * ERROR_SYSTEM_READ_ONLY (write wanted but `access: read`, or the file is), ERROR_NOT_YET (unknown kind), ERROR_MODULE. */
_must_check_ int connection_open(const System *system, bool write, Connection **ret, Error *error);
Connection *connection_close(Connection *c);
DEFINE_CLEANUP(Connection, connection_close)
_must_check_ int connection_check(Connection *c, const Pair *pair, const Mapping *mapping, bool target,
                                  json_t *report, Error *error);
/* The proved horizon (algorithms.md §8): every later commit has a stamp ≥ *ret_high; everything below it
 * is visible to a reader opened afterwards. Its bytes live as long as the connection. ERROR_WATERMARK
 * where it cannot be proved, with the remedy. */
_must_check_ int connection_horizon(Connection *c, const Mapping *mapping, Value *ret_high, Error *error);
/* Is the horizon proved, or only bounded, so that a stamp below it may still be committed (MariaDB)? Then
 * the mapping needs a sweep, which finds what was missed. Exact where the kind does not say. */
bool connection_horizon_is_exact(const Connection *c, const Mapping *mapping);
/* Who holds the horizon last taken back ("session 812 of bob (psql, idle in transaction)"), and for how long.
 * Borrowed until the next one is taken. False: nobody, or the kind cannot tell. */
bool connection_horizon_holder(const Connection *c, const char **ret_who, int64_t *ret_age_usec);
/* Strategy `file`: a digest of all that a scan of this mapping would be made of (bytes of the file, of its
 * joins, its layout). Equal digests: equal records. It is taken before the scan and again after it, and
 * counts only where both are equal; what changes meanwhile must change it. The caller adds mapping and
 * variables. ERROR_NOT_YET where the kind has none. */
_must_check_ int connection_content_digest(Connection *c, const Mapping *mapping, Digest *ret, Error *error);
/* One table: mapping->from, a join's from, or, of a target, mapping->to. All its columns, with their types
 * as the system declares them (TableColumn.type), key and indexes. Owned by the caller. ERROR_TABLE_MISSING;
 * ERROR_NOT_YET where the kind cannot tell. */
_must_check_ int connection_describe(Connection *c, const Mapping *mapping, const char *table, bool target,
                                     Table **ret, Error *error);
/* Least privilege: appends {what, ok, message, remedy, sql}: `sql` is what a DBA has to run for what the
 * mapping's strategy needs; ok says whether the login has it. Last one row {what: "strategy", …, strategy,
 * blind}: the strongest that the rights at hand allow, and what it cannot see. ERROR_NOT_YET where the kind
 * cannot tell. */
_must_check_ int connection_grants(Connection *c, const Pair *pair, const Mapping *mapping, bool target,
                                   json_t *report, Error *error);
/* Appends {query, plan, sorts, scans: [{table, records}]} for each query that the plan would run: the text
 * as it is sent, the database's own plan, whether it sorts, and which tables it reads whole without an
 * index. ERROR_NOT_YET where the kind cannot tell. */
_must_check_ int connection_explain(Connection *c, const ReadPlan *plan, json_t *report, Error *error);
/* Waits for a transaction that an earlier worker of the pair left behind; what is read afterwards is what it
 * left. */
_must_check_ int connection_begin(Connection *c, Error *error);
/* After a failure the transaction is rolled back or its fate is unknown: settle. */
_must_check_ int connection_commit(Connection *c, Error *error);
void connection_rollback(Connection *c);

/* A scan in the source's cheapest stable order, one snapshot. Values come in mapping->columns' order.
 * READ_CHANGES: ERROR_HISTORY_GONE where log or feed no longer go back to the position (slot lost or made
 * anew, retention overrun, delta link expired): then nothing was read, and the caller repairs: by digest
 * where the kind can, else in full. */
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
/* READ_CHANGES: the record just given was deleted; only the key's columns have values. */
bool reader_is_gone(const Reader *r);
/* Of a READ_ALL or READ_RANGES reader of a mapping whose strategy is log or feed, after its end: the
 * position from which READ_CHANGES goes on without a gap (what it tells twice is unchanged by then).
 * Borrowed until the next call; NULL where there is none. A kind whose log has to be held from before the
 * snapshot does that in reader_open(). */
const char *reader_changes_from(Reader *r);
/* Does a primary key or unique index of the source keep two of its records from having the same key? False:
 * not known. */
bool reader_keys_are_unique(const Reader *r);
/* What is wrong with the record just given by the source's own words: a text in a column that is declared for numbers. values: as
 * reader_next() gave them. Asked for records that are new or changed only. 0, or -ENOMEM. */
_must_check_ int reader_findings(Reader *r, const Value *values, Arena *arena, Finding **findings);

/* ---- strategy digest: readers of scope READ_RANGES, all within their one snapshot ---- A source has an
 * identity (its primary key) and an order of it, its own: the core never compares two of them. */

/* Cuts what lies within a range (`after` and `until` NULL: everything) into adjacent ranges of about
 * n_records each, in the identity's order: the first begins at within->after, the last ends at
 * within->until. From the database's statistics or by walking an index, never by OFFSET; no range may have
 * many times n_records. Appends to *ret, sums are zero. ERROR_NOT_YET, with what to do, where the table has
 * no identity to cut by. */
_must_check_ int ranges_plan(Reader *r, const KeyRange *within, uint64_t n_records, KeyRanges *ret,
                             Error *error);
/* Fills in n_records and both sums of adjacent ranges in ascending order, at the database. Of each record
 * all mapped columns are hashed, in an encoding that is injective (tag, length, bytes; null differs from
 * every text), non-linear in each column, with two hashes of 60 bits at least: sums[i] is the sum of the
 * i-th over the range's records modulo 2^60. They are compared with what the same connector gave before,
 * with nobody else's. */
_must_check_ int ranges_sum(Reader *r, KeyRange *ranges, size_t n_ranges, Error *error);
/* From here on reader_next() gives the records of this range, then 0; then the next range may be asked
 * for. */
_must_check_ int reader_range(Reader *r, const KeyRange *range, Error *error);
/* Are the bounds the mapping's key? True where the key's fields are the identity's columns one by one, and
 * the source orders them as key_encode() does (integers by number, dates, uuids, text by bytes). Then
 * baseline rows between the bounds which a range did not give are gone; else deletes are looked for by
 * READ_KEYS. */
bool reader_ranges_by_key(const Reader *r);
Reader *reader_close(Reader *r);
DEFINE_CLEANUP(Reader, reader_close)

_must_check_ int writer_open(Connection *c, const Mapping *mapping, Writer **ret, Error *error);
Writer *writer_close(Writer *w);
DEFINE_CLEANUP(Writer, writer_close)
_must_check_ int writer_count(Writer *w, uint64_t *ret, Error *error);  /* rows in the target table */
/* The present records of many keys, as the target stores them. refusal is empty before, and concerns one
 * record; a negative errno concerns all of them. */
_must_check_ int writer_fetch(Writer *w, Arena *arena, RecordFetch *fetches, size_t n_fetches, Error *error);
/* Writes INSERT, UPDATE (only changed fields) and DELETE inside the transaction, each fully or not at all.
 * Without CONNECTOR_TRANSACTS there is none: whatever is not refused is written and durable when it returns,
 * refused records are untouched, and after a negative errno (or kill -9) each record is there or not:
 * worker/settle.c then reads them all and takes each that equals what the journal says was written as
 * written; the others are detected anew. For that, fetch() must find what an interrupted write() left.
 * ABSENT values are left out. Gives the number of refused records, each with its refusal (an INSERT that
 * meets a row, an UPDATE or DELETE that meets none are such): then the caller rolls back. A negative errno:
 * the whole transaction failed. Nothing that concerns a single record is left for commit to find. */
_must_check_ int writer_write(Writer *w, RecordWrite *writes, size_t n_writes, Error *error);
/* Frees the refusals, and the array. */
RecordFetch *fetches_free(RecordFetch *fetches, size_t n_fetches);
RecordWrite *writes_free(RecordWrite *writes, size_t n_writes);
