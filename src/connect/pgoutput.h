/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a PostgreSQL server sends of its log: frames of the replication protocol, and in them the messages of its
 * plugin pgoutput, version 1 (whole transactions, in the order of their commits). Pure: knows no libpq-fe.h. In
 * the worker. Source: PostgreSQL 15 manual, "Streaming Replication Protocol" and "Logical Replication Message
 * Formats".
 *
 * An UPDATE leaves out what it did not change and what lies outside of the row (TOAST): such a field is
 * UNCHANGED, which is neither a value nor null. */
#include "basic/alloc.h"

#define PGOUTPUT_COLUMNS_MAX 1664U /* MaxTupleAttributeNumber; more is no message */
#define PG_FEEDBACK_SIZE     34U

typedef enum PgFrameKind { PG_FRAME_MESSAGE = 'w', PG_FRAME_KEEPALIVE = 'k' } PgFrameKind;
typedef struct PgFrame {
        PgFrameKind kind;
        uint64_t start_lsn; /* of a message */
        uint64_t end_lsn;   /* how far the server has read its log */
        int64_t sent_usec;  /* since 1970 */
        bool reply_wanted;  /* at once, or the server ends the session */
        const char *bytes;  /* of a message; borrowed */
        size_t size;
} PgFrame;
_must_check_ int pg_frame_decode(const char *bytes, size_t size, PgFrame *ret); /* -EBADMSG */
/* What we tell: the log up to flushed is durable here and may be removed there. reply_wanted: the server says at once how far it is. */
void pg_feedback_encode(uint64_t flushed_lsn, int64_t now_usec, bool reply_wanted, char ret[static PG_FEEDBACK_SIZE]);

typedef enum PgoutputKind {
        PGOUTPUT_BEGIN = 'B',
        PGOUTPUT_COMMIT = 'C',
        PGOUTPUT_RELATION = 'R',
        PGOUTPUT_INSERT = 'I',
        PGOUTPUT_UPDATE = 'U',
        PGOUTPUT_DELETE = 'D',
        PGOUTPUT_TRUNCATE = 'T',
        PGOUTPUT_TYPE = 'Y',    /* these three have nothing that we need */
        PGOUTPUT_ORIGIN = 'O',
        PGOUTPUT_LOGICAL = 'M', /* pg_logical_emit_message() */
} PgoutputKind;

typedef enum PgoutputFieldKind {
        PGOUTPUT_NULL = 'n',
        PGOUTPUT_UNCHANGED = 'u',
        PGOUTPUT_TEXT = 't',
        PGOUTPUT_BINARY = 'b',
} PgoutputFieldKind;
typedef struct PgoutputField {
        PgoutputFieldKind kind;
        const char *bytes; /* borrowed from the message; NULL where the kind has none */
        size_t size;
} PgoutputField;
typedef struct PgoutputTuple {
        PgoutputField *fields; /* the decoder's, until its next message */
        size_t n_fields, capacity;
} PgoutputTuple;

typedef struct PgoutputColumn {
        const char *name;  /* borrowed from the message */
        bool is_key;       /* of the replica identity */
        uint32_t type_oid;
        int32_t modifier;
} PgoutputColumn;

/* What the old row of an UPDATE or DELETE tells. */
typedef enum PgoutputOld {
        PGOUTPUT_OLD_NONE = 0,   /* an UPDATE that left the replica identity as it was */
        PGOUTPUT_OLD_KEY = 'K',  /* columns of the replica identity; all others come as null */
        PGOUTPUT_OLD_FULL = 'O', /* every column: REPLICA IDENTITY FULL */
} PgoutputOld;

/* One message. Which members are filled: see their kinds. */
typedef struct PgoutputMessage {
        PgoutputKind kind;
        uint64_t lsn;         /* BEGIN: where its commit stands; COMMIT: the same */
        uint64_t end_lsn;     /* COMMIT: behind it, where the next one may begin */
        int64_t commit_usec;  /* BEGIN, COMMIT: since 1970, by the server's clock */
        uint32_t xid;         /* BEGIN */
        uint32_t relation;    /* RELATION, INSERT, UPDATE, DELETE: the table's number */
        const char *schema, *name; /* RELATION; borrowed */
        char identity;        /* RELATION: 'd' default, 'n' nothing, 'f' full, 'i' index */
        PgoutputOld old_kind; /* UPDATE, DELETE */
        size_t n_relations;   /* TRUNCATE */
} PgoutputMessage;

/* A decoder: what the last message held beside its fixed members. Zeroed to begin with. */
typedef struct Pgoutput {
        PgoutputMessage message;
        PgoutputTuple old_row, new_row;
        PgoutputColumn *columns; /* RELATION */
        size_t n_columns, columns_capacity;
        uint32_t *relations;     /* TRUNCATE */
        size_t relations_capacity;
} Pgoutput;
void pgoutput_done(Pgoutput *p);
/* -EBADMSG: not a message of version 1, or more than one; -ENOMEM. */
_must_check_ int pgoutput_decode(Pgoutput *p, const char *bytes, size_t size);

/* "16/B374D848" */
#define PG_LSN_TEXT_SIZE 18U
void pg_lsn_format(uint64_t lsn, char ret[static PG_LSN_TEXT_SIZE]);
_must_check_ int pg_lsn_parse(const char *text, uint64_t *ret); /* -EBADMSG */
