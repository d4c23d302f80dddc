/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Systems that have a log of changes: what is told of several entities in the order in which it was committed. In the worker;
 * calls block, no longer than they are told to.
 *
 * A kind that has one fills in a LogConnector. Its log is kept for us at the source (a slot) as long as we have not said
 * that we need it no more, so a slot that nobody reads fills the source's disk. */
#include "connect/connector.h"
#include "model/log.h"

typedef struct LogStream LogStream;

/* Which mappings (of one pair) are followed, and what the slot is called. */
typedef struct LogPlan {
        const Pair *pair;
        const Mapping *const *mappings;
        size_t n_mappings;
        const char *name; /* of slot and publication: made by source_log_name() */
} LogPlan;

/* How the slot is. Bytes: -1 where the server does not say. */
typedef struct LogState {
        bool exists, active;
        bool is_lost;                   /* the server removed what we would need next */
        char wal_status[16];            /* as the server says it: reserved, extended, unreserved, lost */
        uint64_t restart_lsn, confirmed_lsn;
        uint64_t now_lsn;               /* the end of the log */
        int64_t retained_bytes;         /* of the log kept at the source because of the slot */
        int64_t safe_bytes;             /* until the server gives the slot up */
} LogState;

typedef enum LogEventKind {
        LOG_IDLE,      /* nothing came in the time given */
        LOG_CHANGED,   /* the present record: all columns that were told */
        LOG_GONE,      /* the record of this key was deleted: the key's columns */
        LOG_REREAD,    /* something of the record of this key changed: read it by source_log_read() (the key's columns) */
        LOG_JOINED,    /* a row of a joined table changed: records are found by source_log_read_joined() (`values` of its by:) */
        LOG_TRUNCATED, /* everything may have changed: compare the whole entity */
        LOG_COMMITTED, /* a transaction ends here: all of it has been told */
} LogEventKind;

typedef struct LogEvent {
        LogEventKind kind;
        size_t mapping;         /* of the plan */
        size_t join;            /* LOG_JOINED: index of the mapping's joins */
        const Value *values;    /* n_columns, those that were not told ABSENT; LOG_JOINED: n_by. Borrowed until the next call */
        LogPosition position;   /* behind it */
        int64_t commit_usec;    /* of its transaction, since 1970 by the source's clock */
        bool more;              /* the same change has more to tell: no place to stop at */
} LogEvent;

/* Takes records that were read: values in the mapping's columns' order, borrowed. A negative errno ends the reading. */
typedef int (*log_taker_t)(void *userdata, const Value *values, Error *error);

typedef struct LogConnector {
        int (*identify)(Connection *c, LogSlot *ret, Error *error);
        int (*state)(Connection *c, const char *name, LogState *ret, Error *error);
        int (*make)(Connection *c, const LogPlan *plan, uint64_t *ret_lsn, Error *error);
        int (*publish)(Connection *c, const LogPlan *plan, Error *error);
        void (*release)(Connection *c);
        int (*drop)(Connection *c, const char *name, Error *error);
        int (*now)(Connection *c, uint64_t *ret_lsn, Error *error);
        int (*open)(Connection *c, const LogPlan *plan, uint64_t from_lsn, LogStream **ret, Error *error);
        void (*close)(LogStream *s);
        int (*next)(LogStream *s, unsigned wait_msec, LogEvent *ret, Error *error);
        int (*flushed)(LogStream *s, uint64_t lsn, Error *error);
        uint64_t (*reached)(const LogStream *s);
        int (*read)(LogStream *s, size_t mapping, const Value *const *keys, size_t n_keys, log_taker_t take, void *userdata,
                    Error *error);
        int (*read_joined)(LogStream *s, size_t mapping, size_t join, const Value *const *values, size_t n_values,
                           log_taker_t take, void *userdata, Error *error);
} LogConnector;

struct LogStream { const LogConnector *log; };

/* The name of an installation's slot for a pair: "terrafusion_pacs_to_cama_1a2b3c4d". Two installations that read one source
 * have two. instance: what tells them apart. */
void source_log_name(const char *pair, const char *instance, char ret[static LOG_NAME_SIZE]);

/* Whose log it is: everything but the name. ERROR_NOT_YET where the kind has none. */
_must_check_ int source_log_identify(Connection *c, LogSlot *ret, Error *error);
_must_check_ int source_log_state(Connection *c, const char *name, LogState *ret, Error *error);
/* Makes slot and publication. Scans that are opened from now on read what was committed before *ret_lsn and nothing
 * else, until source_log_release(): so snapshot and log join without a gap and without telling anything twice. Waits for
 * transactions that are open at the source. ERROR_SYSTEM_REFUSED with the SQL a DBA has to run. */
_must_check_ int source_log_make(Connection *c, const LogPlan *plan, uint64_t *ret_lsn, Error *error);
void source_log_release(Connection *c);
/* Sees to it that exactly the plan's tables are told of; before source_log_open(). */
_must_check_ int source_log_publish(Connection *c, const LogPlan *plan, Error *error);
_must_check_ int source_log_drop(Connection *c, const char *name, Error *error);
/* The end of the log: everything that is committed now stands before it. */
_must_check_ int source_log_now(Connection *c, uint64_t *ret_lsn, Error *error);

/* Begins to read at a place; what was committed before it is not told. ERROR_HISTORY_GONE where the slot cannot. The plan and what
 * it points to must outlive the stream. */
_must_check_ int source_log_open(Connection *c, const LogPlan *plan, uint64_t from_lsn, LogStream **ret, Error *error);
LogStream *source_log_close(LogStream *s);
DEFINE_CLEANUP(LogStream, source_log_close)
/* The next event, or LOG_IDLE after wait_msec. Keeps the session alive. */
_must_check_ int source_log_next(LogStream *s, unsigned wait_msec, LogEvent *ret, Error *error);
/* Everything before lsn is durable here: the source may remove it. */
_must_check_ int source_log_flushed(LogStream *s, uint64_t lsn, Error *error);
/* How far the source has read its log, all of it told: a place that can be recorded where nothing is under way. */
uint64_t source_log_reached(const LogStream *s);
/* The present records of these keys (n_columns values each, of which the key's columns are looked at); who is not given is gone. */
_must_check_ int source_log_read(LogStream *s, size_t mapping, const Value *const *keys, size_t n_keys, log_taker_t take,
                          void *userdata, Error *error);
/* The keys of records that these values of a join's by: reach: the key's columns, others ABSENT. */
_must_check_ int source_log_read_joined(LogStream *s, size_t mapping, size_t join, const Value *const *values, size_t n_values,
                                 log_taker_t take, void *userdata, Error *error);
