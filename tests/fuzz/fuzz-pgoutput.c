/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of pgoutput, each behind its length (two bytes, big-endian): one decoder takes them all, as it does in a
 * session. Whatever comes, it is a message or an error, and what a message borrows lies within its bytes. */
#include "fuzz.h"

#include "connect/copy-binary.h"
#include "connect/pgoutput.h"

static void tuple_check(const PgoutputTuple *tuple, const char *bytes, size_t size) {
        CHECK(tuple->n_fields <= PGOUTPUT_COLUMNS_MAX);
        for (size_t i = 0; i < tuple->n_fields; i++) {
                const PgoutputField *f = tuple->fields + i;

                CHECK((f->bytes != NULL) == (f->kind == PGOUTPUT_TEXT || f->kind == PGOUTPUT_BINARY));
                CHECK(!f->bytes || (f->bytes >= bytes && f->bytes + f->size <= bytes + size));
        }
}

static void message_check(Pgoutput *p, const char *bytes, size_t size) {
        PgFrame frame;

        if (pg_frame_decode(bytes, size, &frame) == 0 && frame.bytes)
                CHECK(frame.bytes + frame.size == bytes + size);
        if (pgoutput_decode(p, bytes, size) < 0)
                return;
        tuple_check(&p->old_row, bytes, size);
        tuple_check(&p->new_row, bytes, size);
        for (size_t i = 0; i < p->n_columns; i++)
                CHECK(p->columns[i].name + strlen(p->columns[i].name) < bytes + size);
        if (p->message.kind == PGOUTPUT_DELETE)
                CHECK(p->message.old_kind != PGOUTPUT_OLD_NONE && p->new_row.n_fields == 0);
        for (size_t i = 0; i < p->message.n_relations; i++)
                CHECK(copy_get32(bytes + 6 + 4 * i) == p->relations[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
        Pgoutput p = {};

        while (size >= 2) {
                size_t n = (size_t) bytes[0] << 8 | bytes[1];

                bytes += 2;
                size -= 2;
                n = n < size ? n : size;
                message_check(&p, (const char *) bytes, n);
                bytes += n;
                size -= n;
        }
        pgoutput_done(&p);
        return 0;
}
