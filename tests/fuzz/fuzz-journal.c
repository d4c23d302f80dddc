/* SPDX-License-Identifier: Apache-2.0 */
/* A journalled batch of any bytes is read whole or refused: with the checksum set right, as damage alone never
 * comes that far. */
#include "fuzz.h"

#include <errno.h>
#include "store/journal-pack.h"

#define HEADER_SIZE 32U

static const char *const names[] = {"a", "b", "c"};

static void entries_check(const JournalPacked *packed, Arena *arena) {
        for (size_t i = 0; i < packed->n_entries; i++) {
                JournalEntry e;
                size_t at;
                int r;

                r = journal_unpack_entry(packed, i, names, 3, arena, &e);
                CHECK(r == 0 || r == -EBADMSG);
                if (r < 0)
                        continue;
                CHECK(e.key.bytes >= packed->keys && e.key.bytes + e.key.size <= packed->values);
                CHECK(e.n_fields == 0 || (e.fields && e.before && (e.kind != CHANGE_UPDATE || e.after)));
                r = journal_unpack_find(packed, e.key, &at);
                CHECK(r == -EBADMSG || r == 0 || (r == 1 && at < packed->n_entries));
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
        _cleanup_arena_ Arena *arena = NULL;
        _cleanup_free_ uint8_t *copy = malloc(size + 1);
        JournalPacked packed;
        Digest checksum;

        CHECK(copy && arena_new(&arena) == 0);
        memcpy(copy, bytes, size);
        if (size >= HEADER_SIZE) {
                bytes_digest(copy + HEADER_SIZE, size - HEADER_SIZE, &checksum);
                memcpy(copy + 16, checksum.bytes, DIGEST_SIZE);
        }
        if (journal_unpack(copy, size, &packed) == 0)
                entries_check(&packed, arena);
        else
                CHECK(size < HEADER_SIZE || journal_unpack(bytes, size, &packed) == -EBADMSG);
        return 0;
}
