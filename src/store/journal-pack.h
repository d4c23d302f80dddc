/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The entries of one journalled batch as one value, sorted by key: no memory is shared with the journal's
 * database, so it can be read by any store. In the worker, reading in syncd too; inside this room only.
 *
 * Format 1, numbers little-endian:
 *    0  1  format          4  4  entries           8  4  bytes of keys      12  4  bytes of values
 *   16  16 bytes_digest() of all that follows
 *   32  41 an entry: kind (1 insert, 2 update, 3 delete), where its key ends among the keys (4), where its
 *       values end among the values (4), source and target digest (16 each; zeros of deletes)
 *       keys, one after the other
 *       values: of an update each changed field, of a delete each field of the record: its index (2) among
 *       the batch's field names, then before and, for updates, after, as value_encode() writes them */
#include "store/journal.h"

/* Reused between batches: start with {}, journal_pack_done() at the end. */
typedef struct JournalPack {
        char *bytes;
        size_t size, capacity;
        char *filter; /* of the keys */
        size_t filter_size, filter_capacity;
        size_t n_entries;
        /* while packing */
        const Change **sorted;
        size_t sorted_capacity;
        char *values;
        size_t values_size, values_capacity;
} JournalPack;
/* Packs the INSERT, UPDATE and DELETE changes; n_entries 0 where there are none. -ENOMEM, -EOVERFLOW
 * (4 GiB). */
_must_check_ int journal_pack(JournalPack *pack, const Mapping *m, const Batch *changes);
void journal_pack_done(JournalPack *pack);
/* Packs anew, from packed bytes that journal_unpack() has read: the entries i with keep[i]. -ENOMEM. */
typedef struct JournalPacked JournalPacked;
_must_check_ int journal_pack_kept(JournalPack *pack, const JournalPacked *packed, const bool *keep);

struct JournalPacked {
        const uint8_t *entries, *keys, *values; /* borrowed */
        size_t n_entries, keys_size, values_size;
};
/* Checks format, sizes and checksum. -EBADMSG. */
_must_check_ int journal_unpack(const void *bytes, size_t size, JournalPacked *ret);
/* Entry i; key and values borrow from the packed bytes, the rest is in the arena. fields: names of the
 * batch's fields. -EBADMSG, -ENOMEM. */
_must_check_ int journal_unpack_entry(const JournalPacked *p, size_t i, const char *const *fields,
                                      size_t n_fields, Arena *arena, JournalEntry *ret);
/* The entry of a key: 1 and its index, or 0. -EBADMSG. */
_must_check_ int journal_unpack_find(const JournalPacked *p, Key key, size_t *ret);
/* May the batch with this filter have an entry of the key? One wrong yes in a hundred, never a wrong no. */
bool key_filter_may_have(const void *filter, size_t size, Key key);

/* The fields of one entry, shared with the format before: fields, before and after of *e from
 * encoded values. */
_must_check_ int journal_values_decode(const char *bytes, size_t size, const char *const *fields,
                                       size_t n_fields, Arena *arena, JournalEntry *e);
