/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "connect/odbc-statement.h"

#define T(text) ((char *) (text))

static MappingField fields[] = {
        {.name = T("year"), .is_key = true}, {.name = T("acres"), .is_key = true}, {.name = T("owner")}};
static const Mapping mapping = {
        .entity = T("parcel"), .to = T("dbo.par\"cel"), .fields = fields, .n_fields = 3, .n_key = 2};

static void is(OdbcFamily family, const char *const *declared, int (*make)(const OdbcStatement *, char **),
               const bool *mask, const char *expected) {
        _cleanup_free_ char *sql = NULL;
        const OdbcType *types[3];
        OdbcType parsed[3];
        OdbcStatement statement = {odbc_dialect_of(family), &mapping, types, mask};

        for (size_t i = 0; i < 3; i++) {
                odbc_type_parse(family, declared[i], &parsed[i]);
                types[i] = &parsed[i];
        }
        assert_int_equal(make(&statement, &sql), 0);
        assert_string_equal(sql, expected);
}

static int fetch_two(const OdbcStatement *s, char **ret) { return odbc_sql_fetch(s, 2, ret); }

static void test_forms(void **state) {
        static const char *const maria[] = {"int(11)", "decimal(10,4)", "varchar(40)"},
                                 *const server[] = {"int", "decimal(10,4)", "nvarchar(40)"},
                                 *const postgres[] = {"integer", "numeric(10,4)", "text"},
                                 *const lite[] = {"integer", "numeric", "text"};
        static const bool all[] = {true, true, true}, owner[] = {false, false, true};

        is(ODBC_MARIADB, maria, odbc_sql_insert, all,
           "insert into \"dbo\".\"par\"\"cel\" (\"year\", \"acres\", \"owner\") values (?, ?, ?)");
        is(ODBC_MARIADB, maria, odbc_sql_update, owner,
           "update \"dbo\".\"par\"\"cel\" set \"owner\" = ? where \"year\" = ? and \"acres\" = cast(? as "
           "decimal(10,4))");
        is(ODBC_MARIADB, maria, odbc_sql_delete, NULL,
           "delete from \"dbo\".\"par\"\"cel\" where \"year\" = ? and \"acres\" = cast(? as decimal(10,4))");
        is(ODBC_SQLSERVER, server, odbc_sql_update, owner,
           "update \"dbo\".\"par\"\"cel\" set \"owner\" = ? where \"year\" = ? and \"acres\" = ?");
        is(ODBC_POSTGRESQL, postgres, odbc_sql_insert, all,
           "insert into \"dbo\".\"par\"\"cel\" (\"year\", \"acres\", \"owner\") values (?, cast(? as "
           "numeric(10,4)), cast(? as text))");
        is(ODBC_SQLSERVER, server, fetch_two, NULL,
           "select 0, \"year\", \"acres\", \"owner\" from \"dbo\".\"par\"\"cel\" where \"year\" = ? and "
           "\"acres\" = ?\n"
           "union all select 1, \"year\", \"acres\", \"owner\" from \"dbo\".\"par\"\"cel\" where \"year\" = "
           "? and \"acres\" = ?");
        is(ODBC_SQLITE, lite, fetch_two, NULL,
           "select 0, quote(\"year\"), quote(\"acres\"), quote(\"owner\") from \"dbo\".\"par\"\"cel\" where "
           "\"year\" = ? and \"acres\" = ?\n"
           "union all select 1, quote(\"year\"), quote(\"acres\"), quote(\"owner\") from "
           "\"dbo\".\"par\"\"cel\" where \"year\" = ? and \"acres\" = ?");
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_forms)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
