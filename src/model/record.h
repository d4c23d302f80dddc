/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Records, keys and digests; a Change is what one operation does to one record. Plain data in the batch's arena. */
#include "model/finding.h"
#include "model/log.h"
#include "model/value.h"

#define DIGEST_SIZE 16
typedef struct Digest { uint8_t bytes[DIGEST_SIZE]; } Digest;   /* XXH3-128; not for secrets */
/* Of a record that is not known whole (a change that left out what it did not change): equals that of no record. */
#define DIGEST_UNKNOWN ((Digest) { { 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255 } })
static inline bool digest_equal(const Digest *a, const Digest *b) { return memcmp(a->bytes, b->bytes, DIGEST_SIZE) == 0; }

/* Digest of n values in their injective encoding (type, length, bytes; decimals without trailing zeros, geometries in their normal form), seeded so
 * that a changed mapping changes every digest. scratch is reused between calls (start with NULL, 0; the caller frees). -ENOMEM. */
typedef struct DigestScratch { char *bytes; size_t capacity; } DigestScratch;
_must_check_ int values_digest(const Value *values, size_t n_values, uint64_t seed, DigestScratch *scratch, Digest *ret);
/* Digest of plain bytes. */
void bytes_digest(const void *bytes, size_t size, Digest *ret);

/* A key: its values in an encoding whose byte order is the values' order (integers by number, text by bytes), injective.
 * Integer and integral decimal keys encode alike. Written into the arena. A NULL in a key is -EINVAL. */
typedef struct Key { const uint8_t *bytes; size_t size; } Key;
_must_check_ int key_encode(const Value *values, size_t n_values, Arena *arena, Key *ret);
/* The same into a reused scratch; ret borrows it until the next call. The hot path of detection. */
_must_check_ int key_encode_scratch(const Value *values, size_t n_values, DigestScratch *scratch, Key *ret);
_must_check_ int key_decode(Key key, Arena *arena, Value *ret_values, size_t n_values);        /* -EBADMSG */
static inline bool key_equal(Key a, Key b) { return a.size == b.size && memcmp(a.bytes, b.bytes, a.size) == 0; }
int key_compare(Key a, Key b);
const char *key_to_text(Key key, Arena *arena);         /* "LC-00001", parts joined by "|"; for people */

typedef enum ChangeKind {
        CHANGE_UNDECIDED,       /* detected, not yet planned */
        CHANGE_NONE,            /* target already holds it */
        CHANGE_INSERT, CHANGE_UPDATE, CHANGE_DELETE,
        CHANGE_HELD,            /* in quarantine */
        _CHANGE_KIND_MAX, _CHANGE_KIND_INVALID = -1,
} ChangeKind;
const char *change_kind_to_string(ChangeKind kind);

typedef struct Change {
        ChangeKind kind;
        Key key;                        /* of the target record; empty where it could not be made (then CHANGE_HELD) */
        uint64_t number;                /* of its baseline row; 0: has none yet */
        bool in_baseline;
        Digest source_digest;           /* of the source record; zero for deletes */
        Digest target_digest;           /* of the record as we leave it; zero for deletes */
        Digest baseline_target_digest;  /* as we last left it; valid when in_baseline */
        const Value *source;            /* mapping->n_columns values; NULL for deletes */
        Value *target;                  /* mapping->n_fields values; the key's fields first; NULL for deletes of `mirror` */
        Value *before;                  /* the target's present record in mapping->n_fields values, NULL where it has none */
        bool is_backfill;               /* its source is as it was: only the fields of the backfill are compared with the target */
        bool *changed;                  /* updates: n_fields flags of what differs */
        size_t range;                   /* strategy digest: index of the range of identities that it was read in */
        Finding *findings;              /* list; error findings hold the record */
        bool again;                     /* it has to be read whole: the target lacks what the change left out. Then CHANGE_NONE, without target */
} Change;

/* The changes of one step through the pipeline. Everything lives in arena. */
typedef struct Batch {
        Arena *arena;
        Change *changes;
        size_t n_changes, capacity;
        uint64_t n_read;                /* records seen at the source for this batch, unchanged ones included */
        uint64_t n_unchanged;           /* of those: equal to the baseline by digest */
        const char *position;           /* opaque source position after the batch; in arena */
        LogPosition log_until;          /* of a batch that came from the source's log: where its group ends; else zero */
        bool end;                       /* the source has no more */
} Batch;
