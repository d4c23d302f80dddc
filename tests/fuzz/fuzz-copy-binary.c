/* SPDX-License-Identifier: Apache-2.0 */
/* A number of fields, their kinds (a byte each), then what a server sends: header, records. Whatever comes, it is
 * a record or an error; values that a column gave can be written to it again and come back the same. */
#include "fuzz.h"

#include "connect/postgresql-type.h"

#define FIELDS_MAX 8U

static void value_check(const PgType *type, const CopyField *field, Arena *arena) {
        CopyBuffer b = {};
        Value v, back;

        if (field->size < 0 || pg_decode(type, field->bytes, (size_t) field->size, true, arena, &v) < 0)
                return;
        if (pg_literal(type, &v, &b) == 0)
                CHECK(b.size > strlen(type->name) + 2);
        b.size = 0;
        /* Numbers of too many digits and odd days are read, not written. */
        if (pg_encode(type, "c", &v, &b, NULL) == 0) {
                CHECK((size_t) copy_get32(b.bytes) == b.size - 4);
                CHECK(pg_decode(type, b.bytes + 4, b.size - 4, true, arena, &back) == 0);
                CHECK(value_equal(&v, &back));
        }
        copy_buffer_done(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
        size_t n_fields = size > 0 ? bytes[0] % FIELDS_MAX : 0, at = 1 + n_fields, used;
        CopyField fields[FIELDS_MAX];
        PgType types[FIELDS_MAX];
        Arena *arena = NULL;

        if (size < at || arena_new(&arena) < 0)
                return 0;
        for (size_t i = 0; i < n_fields; i++)
                types[i] = (PgType){.kind = (PgKind) (bytes[1 + i] % _PG_KIND_MAX), .name = (char *) "t", .modifier = -1};
        if (copy_header_skip((const char *) bytes + at, size - at, &used) == 0) {
                at += used;
                if (copy_record_split((const char *) bytes + at, size - at, fields, n_fields) == 1)
                        for (size_t i = 0; i < n_fields; i++)
                                value_check(&types[i], &fields[i], arena);
        }
        arena_free(arena);
        return 0;
}
