/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "connect/postgresql-statement.h"

static MappingField fields[] = {
        {.name = T("year")}, {.name = T("num\"ber")}, {.name = T("total")}, {.name = T("address")}, {.name = T("note")},
};
static const Mapping mapping = {.fields = fields, .n_fields = 5, .n_key = 2};
static const PgType integer = {.kind = PG_INTEGER, .name = T("integer")}, text = {.kind = PG_TEXT, .name = T("text")},
                    inet = {.kind = PG_OTHER, .name = T("inet")};
static const PgType *const types[] = {&integer, &text, &integer, &inet, &text};

static void statement_is(int (*make)(const PgStatement *, char **), const bool *mask, const char *expected) {
        const PgStatement s = {&mapping, "\"public\".parcel", types, mask};
        _cleanup_free_ char *sql = NULL;

        assert_int_equal(make(&s, &sql), 0);
        assert_string_equal(sql, expected);
}

static void statements(void **state) {
        static const bool insert[] = {true, true, false, true, false}, update[] = {false, false, true, true, false};

        statement_is(pg_sql_copy, insert,
                     "copy \"public\".parcel (\"year\", \"num\"\"ber\", \"address\") from stdin (format binary)");
        statement_is(pg_sql_insert, insert,
                     "insert into \"public\".parcel (\"year\", \"num\"\"ber\", \"address\") overriding system value "
                     "select given.v0, given.v1, given.v2::inet from unnest($1, $2, $3) as given (v0, v1, v2)");
        statement_is(pg_sql_update, update,
                     "update \"public\".parcel as present set \"total\" = given.v2, \"address\" = given.v3::inet from "
                     "unnest($1, $2, $3, $4) as given (v0, v1, v2, v3) where present.\"year\" = given.v0 and "
                     "present.\"num\"\"ber\" = given.v1");
        statement_is(pg_sql_delete, update,
                     "delete from \"public\".parcel as present using unnest($1, $2) as given (v0, v1) where "
                     "present.\"year\" = given.v0 and present.\"num\"\"ber\" = given.v1");
        statement_is(pg_sql_fetch, NULL,
                     "select given.place, present.\"year\", present.\"num\"\"ber\", present.\"total\", "
                     "present.\"address\"::text, present.\"note\" from unnest($1, $2) with ordinality as given (v0, v1, "
                     "place) join \"public\".parcel as present on present.\"year\" = given.v0 and "
                     "present.\"num\"\"ber\" = given.v1");
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(statements)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
