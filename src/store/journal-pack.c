/* SPDX-License-Identifier: Apache-2.0 */
#include "store/journal-pack.h"
#include <endian.h>

#define FORMAT              1U
#define HEADER_SIZE         32U
#define ENTRY_SIZE          41U
#define FILTER_BITS_PER_KEY 10U /* with 7 bits set by each key: one wrong yes in 120 */
#define FILTER_BITS_SET     7U

enum { PACKED_INSERT = 1, PACKED_UPDATE = 2, PACKED_DELETE = 3 };

void journal_pack_done(JournalPack *pack) {
        free(pack->bytes);
        free(pack->filter);
        free(pack->sorted);
        free(pack->values);
        *pack = (JournalPack){};
}

static uint8_t *put_32(uint8_t *at, size_t number) {
        uint32_t word = htole32((uint32_t) number);

        return mempcpy(at, &word, sizeof(word));
}

static uint32_t get_32(const uint8_t *at) {
        uint32_t word;

        memcpy(&word, at, sizeof(word));
        return le32toh(word);
}

static uint64_t get_64(const uint8_t *at) {
        uint64_t word;

        memcpy(&word, at, sizeof(word));
        return le64toh(word);
}

static int compare_by_key(const void *a, const void *b) {
        return key_compare((*(const Change *const *) a)->key, (*(const Change *const *) b)->key);
}

/* Most sources come in the order of their keys: then there is nothing to sort. */
static int pack_sort(JournalPack *pack, const Batch *changes, size_t *ret_keys_size) {
        bool in_order = true;
        size_t keys_size = 0;
        int r;

        r = array_grow(&pack->sorted, &pack->sorted_capacity, changes->n_changes, sizeof(*pack->sorted));
        if (r < 0)
                return r;
        pack->n_entries = 0;
        for (size_t i = 0; i < changes->n_changes; i++) {
                const Change *c = &changes->changes[i];

                if (c->kind != CHANGE_INSERT && c->kind != CHANGE_UPDATE && c->kind != CHANGE_DELETE)
                        continue;
                if (in_order && pack->n_entries > 0)
                        in_order = key_compare(pack->sorted[pack->n_entries - 1]->key, c->key) <= 0;
                pack->sorted[pack->n_entries++] = c;
                keys_size += c->key.size;
        }
        if (!in_order)
                qsort(pack->sorted, pack->n_entries, sizeof(*pack->sorted), compare_by_key);
        *ret_keys_size = keys_size;
        return 0;
}

static int values_append_index(JournalPack *pack, size_t index) {
        int r = array_grow(&pack->values, &pack->values_capacity, pack->values_size + 2, 1);

        if (r < 0)
                return r;
        pack->values[pack->values_size++] = (char) (index & 0xff);
        pack->values[pack->values_size++] = (char) (index >> 8);
        return 0;
}

static int values_append(JournalPack *pack, const Value *values, size_t i) {
        return value_encode(values ? &values[i] : &VALUE_NONE, &pack->values, &pack->values_size,
                            &pack->values_capacity);
}

/* Of an insert nothing: its values are the record itself, or the *before* of the next entry. */
static int pack_values(JournalPack *pack, const Mapping *m, const Change *c) {
        bool update = c->kind == CHANGE_UPDATE;

        if (c->kind == CHANGE_INSERT)
                return 0;
        for (size_t i = 0; i < m->n_fields; i++) {
                if (update ? c->changed && !c->changed[i] : !c->before)
                        continue;
                if (values_append_index(pack, i) < 0 || values_append(pack, c->before, i) < 0 ||
                    (update && values_append(pack, c->target, i) < 0))
                        return -ENOMEM;
        }
        return 0;
}

static uint8_t *put_digest(uint8_t *at, const Change *c, const Digest *digest) {
        if (c->kind == CHANGE_DELETE)
                return (uint8_t *) memset(at, 0, DIGEST_SIZE) + DIGEST_SIZE;
        return mempcpy(at, digest->bytes, DIGEST_SIZE);
}

/* The fixed parts and the keys; the values gather in a buffer of their own, as their size is not known. */
static int pack_entries(JournalPack *pack, const Mapping *m) {
        uint8_t *at = (uint8_t *) pack->bytes + HEADER_SIZE, *keys = at + pack->n_entries * ENTRY_SIZE,
                *key = keys;
        int r;

        pack->values_size = 0;
        for (size_t i = 0; i < pack->n_entries; i++) {
                const Change *c = pack->sorted[i];

                key = mempcpy(key, c->key.bytes, c->key.size);
                r = pack_values(pack, m, c);
                if (r < 0)
                        return r;
                *at++ = c->kind == CHANGE_INSERT   ? PACKED_INSERT
                        : c->kind == CHANGE_UPDATE ? PACKED_UPDATE
                                                   : PACKED_DELETE;
                at = put_32(at, (size_t) (key - keys));
                at = put_32(at, pack->values_size);
                at = put_digest(at, c, &c->source_digest);
                at = put_digest(at, c, &c->target_digest);
        }
        return 0;
}

/* Bits of a key are at first, first + step, first + 2 step …: two numbers of one digest do for seven. */
static void filter_key(Key key, uint64_t *ret_first, uint64_t *ret_step) {
        Digest digest;

        bytes_digest(key.bytes, key.size, &digest);
        *ret_first = get_64(digest.bytes);
        *ret_step = get_64(digest.bytes + 8) | 1;
}

static int filter_begin(JournalPack *pack) {
        int r;

        pack->filter_size = (pack->n_entries * FILTER_BITS_PER_KEY + 63) / 64 * 8;
        r = array_grow(&pack->filter, &pack->filter_capacity, pack->filter_size, 1);
        if (r < 0)
                return r;
        memset(pack->filter, 0, pack->filter_size);
        return 0;
}

static void filter_add(JournalPack *pack, Key key) {
        uint64_t bit, step, n_bits = pack->filter_size * 8;

        filter_key(key, &bit, &step);
        for (unsigned k = 0; k < FILTER_BITS_SET; k++, bit += step)
                pack->filter[bit % n_bits / 8] |= (char) (1U << (bit % n_bits % 8));
}

static int pack_filter(JournalPack *pack) {
        int r;

        r = filter_begin(pack);
        for (size_t i = 0; r == 0 && i < pack->n_entries; i++)
                filter_add(pack, pack->sorted[i]->key);
        return r;
}

bool key_filter_may_have(const void *filter, size_t size, Key key) {
        const uint8_t *bytes = filter;
        uint64_t bit, step;

        if (size == 0)
                return true;
        filter_key(key, &bit, &step);
        for (unsigned k = 0; k < FILTER_BITS_SET; k++, bit += step)
                if ((bytes[bit % (size * 8) / 8] >> (bit % (size * 8) % 8) & 1) == 0)
                        return false;
        return true;
}

static void pack_header(JournalPack *pack, size_t keys_size) {
        uint8_t *at = (uint8_t *) pack->bytes;
        Digest checksum;

        at = put_32(at, FORMAT);
        at = put_32(at, pack->n_entries);
        at = put_32(at, keys_size);
        at = put_32(at, pack->values_size);
        bytes_digest(pack->bytes + HEADER_SIZE, pack->size - HEADER_SIZE, &checksum);
        memcpy(at, checksum.bytes, DIGEST_SIZE);
}

int journal_pack(JournalPack *pack, const Mapping *m, const Batch *changes) {
        size_t keys_size, fixed;
        int r;

        r = pack_sort(pack, changes, &keys_size);
        if (r < 0 || pack->n_entries == 0)
                return r;
        fixed = HEADER_SIZE + pack->n_entries * ENTRY_SIZE + keys_size;
        r = array_grow(&pack->bytes, &pack->capacity, fixed, 1);
        if (r < 0)
                return r;
        r = pack_entries(pack, m);
        if (r < 0)
                return r;
        if (keys_size > UINT32_MAX || pack->values_size > UINT32_MAX || pack->n_entries > UINT32_MAX)
                return -EOVERFLOW;
        pack->size = fixed + pack->values_size;
        r = array_grow(&pack->bytes, &pack->capacity, pack->size, 1);
        if (r < 0)
                return r;
        if (pack->values_size > 0)
                memcpy(pack->bytes + fixed, pack->values, pack->values_size);
        pack_header(pack, keys_size);
        return pack_filter(pack);
}

int journal_unpack(const void *bytes, size_t size, JournalPacked *ret) {
        const uint8_t *at = bytes;
        JournalPacked p;
        Digest checksum;

        if (size < HEADER_SIZE || get_32(at) != FORMAT)
                return -EBADMSG;
        p.n_entries = get_32(at + 4);
        p.keys_size = get_32(at + 8);
        p.values_size = get_32(at + 12);
        /* In 64 bits none of these sums overflows. */
        if ((uint64_t) size !=
            HEADER_SIZE + (uint64_t) p.n_entries * ENTRY_SIZE + p.keys_size + p.values_size)
                return -EBADMSG;
        bytes_digest(at + HEADER_SIZE, size - HEADER_SIZE, &checksum);
        if (memcmp(at + 16, checksum.bytes, DIGEST_SIZE) != 0)
                return -EBADMSG;
        p.entries = at + HEADER_SIZE;
        p.keys = p.entries + p.n_entries * ENTRY_SIZE;
        p.values = p.keys + p.keys_size;
        *ret = p;
        return 0;
}

/* Where a part of entry i begins and ends, `offset` into its fixed part. */
static int unpack_range(const JournalPacked *p, size_t i, size_t offset, size_t limit, size_t *ret_begin,
                        size_t *ret_end) {
        const uint8_t *entry = p->entries + i * ENTRY_SIZE + offset;
        size_t begin = i > 0 ? get_32(entry - ENTRY_SIZE) : 0, end = get_32(entry);

        if (begin > end || end > limit)
                return -EBADMSG;
        *ret_begin = begin;
        *ret_end = end;
        return 0;
}

static int unpack_key(const JournalPacked *p, size_t i, Key *ret) {
        size_t begin, end;
        int r;

        r = unpack_range(p, i, 1, p->keys_size, &begin, &end);
        if (r < 0)
                return r;
        *ret = (Key){.bytes = p->keys + begin, .size = end - begin};
        return 0;
}

/* Two passes: how much there is, then copies; what is kept stays sorted. */
int journal_pack_kept(JournalPack *pack, const JournalPacked *packed, const bool *keep) {
        size_t keys_size = 0, begin = 0, end = 0;
        uint8_t *at, *keys, *key, *value;
        int r;

        pack->n_entries = pack->values_size = 0;
        for (size_t i = 0; i < packed->n_entries; i++) {
                if (!keep[i])
                        continue;
                r = unpack_range(packed, i, 1, packed->keys_size, &begin, &end);
                keys_size += r < 0 ? 0 : end - begin;
                if (r == 0)
                        r = unpack_range(packed, i, 5, packed->values_size, &begin, &end);
                if (r < 0)
                        return r;
                pack->values_size += end - begin;
                pack->n_entries++;
        }
        pack->size = HEADER_SIZE + pack->n_entries * ENTRY_SIZE + keys_size + pack->values_size;
        r = array_grow(&pack->bytes, &pack->capacity, pack->size, 1);
        if (r == 0)
                r = filter_begin(pack);
        if (r < 0)
                return r;
        at = (uint8_t *) pack->bytes + HEADER_SIZE;
        key = keys = at + pack->n_entries * ENTRY_SIZE;
        value = keys + keys_size;
        for (size_t i = 0; i < packed->n_entries; i++) {
                const uint8_t *entry = packed->entries + i * ENTRY_SIZE;

                if (!keep[i])
                        continue;
                (void) unpack_range(packed, i, 1, packed->keys_size, &begin, &end);
                filter_add(pack, (Key) {packed->keys + begin, end - begin});
                key = mempcpy(key, packed->keys + begin, end - begin);
                (void) unpack_range(packed, i, 5, packed->values_size, &begin, &end);
                value = mempcpy(value, packed->values + begin, end - begin);
                *at++ = entry[0];
                at = put_32(at, (size_t) (key - keys));
                at = put_32(at, (size_t) (value - keys) - keys_size);
                at = mempcpy(at, entry + 9, 2 * DIGEST_SIZE);
        }
        pack_header(pack, keys_size);
        return 0;
}

int journal_unpack_entry(const JournalPacked *p, size_t i, const char *const *fields, size_t n_fields,
                         Arena *arena, JournalEntry *ret) {
        static const ChangeKind kinds[] = {
                [PACKED_INSERT] = CHANGE_INSERT,
                [PACKED_UPDATE] = CHANGE_UPDATE,
                [PACKED_DELETE] = CHANGE_DELETE,
        };
        const uint8_t *entry = p->entries + i * ENTRY_SIZE;
        JournalEntry e = {};
        size_t begin, end;
        int r;

        assert(i < p->n_entries);
        if (entry[0] < PACKED_INSERT || entry[0] > PACKED_DELETE)
                return -EBADMSG;
        e.kind = kinds[entry[0]];
        r = unpack_key(p, i, &e.key);
        if (r < 0)
                return r;
        memcpy(e.source_digest.bytes, entry + 9, DIGEST_SIZE);
        memcpy(e.target_digest.bytes, entry + 9 + DIGEST_SIZE, DIGEST_SIZE);
        r = unpack_range(p, i, 5, p->values_size, &begin, &end);
        if (r < 0)
                return r;
        r = journal_values_decode((const char *) p->values + begin, end - begin, fields, n_fields, arena,
                                  &e);
        if (r < 0)
                return r;
        *ret = e;
        return 0;
}

int journal_unpack_find(const JournalPacked *p, Key key, size_t *ret) {
        size_t low = 0, high = p->n_entries;

        while (low < high) {
                size_t middle = low + (high - low) / 2;
                Key found;
                int r;

                r = unpack_key(p, middle, &found);
                if (r < 0)
                        return r;
                r = key_compare(found, key);
                if (r == 0) {
                        *ret = middle;
                        return 1;
                }
                if (r < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return 0;
}

/* One field of an entry: its index, its value before and, for updates, after. Only measures where e has no
 * room yet. */
static int field_decode(const char *bytes, size_t size, const char *const *fields, size_t n_fields,
                        JournalEntry *e, size_t at, size_t *ret_used) {
        bool update = e->kind == CHANGE_UPDATE;
        size_t used = 2, more, index;
        Value before, after;
        int r;

        if (size < 2)
                return -EBADMSG;
        index = (size_t) (uint8_t) bytes[0] | (size_t) (uint8_t) bytes[1] << 8;
        if (index >= n_fields)
                return -EBADMSG;
        r = value_decode(bytes + used, size - used, &before, &more);
        if (r < 0)
                return r;
        used += more;
        if (update) {
                r = value_decode(bytes + used, size - used, &after, &more);
                if (r < 0)
                        return r;
                used += more;
        }
        if (e->fields) {
                e->fields[at] = fields[index];
                e->before[at] = before;
                if (update)
                        e->after[at] = after;
        }
        *ret_used = used;
        return 0;
}

static int fields_count(const char *bytes, size_t size, const char *const *fields, size_t n_fields,
                        JournalEntry *e, size_t *ret) {
        size_t n = 0, used;
        int r;

        for (; size > 0; bytes += used, size -= used, n++) {
                r = field_decode(bytes, size, fields, n_fields, e, 0, &used);
                if (r < 0)
                        return r;
        }
        *ret = n;
        return 0;
}

int journal_values_decode(const char *bytes, size_t size, const char *const *fields, size_t n_fields,
                          Arena *arena, JournalEntry *e) {
        bool update = e->kind == CHANGE_UPDATE;
        size_t n, used;
        int r;

        if (size == 0)
                return 0;
        r = fields_count(bytes, size, fields, n_fields, e, &n);
        if (r < 0)
                return r;
        e->fields = arena_alloc(arena, n * sizeof(*e->fields));
        e->before = arena_alloc(arena, n * sizeof(*e->before));
        if (update)
                e->after = arena_alloc(arena, n * sizeof(*e->after));
        if (!e->fields || !e->before || (update && !e->after))
                return -ENOMEM;
        for (e->n_fields = 0; e->n_fields < n; e->n_fields++, bytes += used, size -= used) {
                r = field_decode(bytes, size, fields, n_fields, e, e->n_fields, &used);
                if (r < 0)
                        return r;
        }
        return 0;
}
