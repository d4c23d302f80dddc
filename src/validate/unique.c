/* SPDX-License-Identifier: Apache-2.0 */
#include "validate/unique.h"

#define CAPACITY_MIN 16U

/* A free slot is all zeros; the digest of zeros takes the place of its neighbour, which costs nothing but a
 * 2^-128. */
static Digest slot_value(const Digest *digest) {
        static const Digest zero;
        Digest value = *digest;

        if (digest_equal(digest, &zero))
                value.bytes[DIGEST_SIZE - 1] = 1;
        return value;
}

static bool slot_is_free(const Digest *slot) {
        static const Digest zero;

        return digest_equal(slot, &zero);
}

/* The slot that holds the value, or the free one where it belongs. A part is never full. */
static Digest *slot_find(const UniquePart *part, const Digest *value) {
        uint64_t hash;
        size_t at;

        /* The first byte chose the part; the last eight spread within it. */
        memcpy(&hash, value->bytes + DIGEST_SIZE - sizeof(hash), sizeof(hash));
        at = (size_t) (((unsigned __int128) hash * part->capacity) >> 64);
        while (!slot_is_free(&part->slots[at]) && !digest_equal(&part->slots[at], value))
                at = at + 1 < part->capacity ? at + 1 : 0;
        return &part->slots[at];
}

static int part_grow(UniquePart *part) {
        UniquePart larger = { .n = part->n, .capacity = part->capacity + part->capacity / 2 };

        if (larger.capacity < CAPACITY_MIN)
                larger.capacity = CAPACITY_MIN;
        larger.slots = calloc(larger.capacity, sizeof(Digest));
        if (!larger.slots)
                return -ENOMEM;
        for (size_t i = 0; i < part->capacity; i++)
                if (!slot_is_free(&part->slots[i]))
                        *slot_find(&larger, &part->slots[i]) = part->slots[i];
        free(part->slots);
        *part = larger;
        return 0;
}

void unique_set_done(UniqueSet *s) {
        for (size_t i = 0; i < UNIQUE_PARTS; i++)
                free(s->parts[i].slots);
        *s = (UniqueSet){};
}

bool unique_set_has(const UniqueSet *s, const Digest *digest) {
        const UniquePart *part = &s->parts[digest->bytes[0]];
        Digest value = slot_value(digest);

        return part->n > 0 && !slot_is_free(slot_find(part, &value));
}

int unique_set_add(UniqueSet *s, const Digest *digest) {
        UniquePart *part = &s->parts[digest->bytes[0]];
        Digest value = slot_value(digest), *slot;
        int r;

        if ((part->n + 1) * 8 > part->capacity * 7) {
                r = part_grow(part);
                if (r < 0)
                        return r;
        }
        slot = slot_find(part, &value);
        if (!slot_is_free(slot))
                return 0;
        *slot = value;
        part->n++;
        s->n++;
        return 0;
}

size_t unique_set_bytes(const UniqueSet *s) {
        size_t n = 0;

        for (size_t i = 0; i < UNIQUE_PARTS; i++)
                n += s->parts[i].capacity * sizeof(Digest);
        return n;
}
