/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "connect/odbc-hash.h"

#define T(text) ((char *) (text))

static char *hash_of(OdbcFamily family, const char *first, const char *second) {
        MappingColumn columns[] = {{.name = T("a")}, {.join = T("owner"), .name = T("b\"c")}};
        Mapping mapping = {.columns = columns, .n_columns = 2};
        ReadPlan plan = {.mapping = &mapping};
        OdbcType one, two;
        const OdbcType *types[] = {&one, &two};
        OdbcScan scan = {.dialect = odbc_dialect_of(family), .plan = &plan, .types = types, .n_columns = 2};
        char *sql = NULL;

        odbc_type_parse(family, first, &one);
        odbc_type_parse(family, second, &two);
        assert_int_equal(odbc_hash_sql(&scan, &sql), 0);
        return sql;
}

static void test_mariadb(void **state) {
        _cleanup_free_ char *sql = hash_of(ODBC_MARIADB, "int(11)", "float"), *longer = hash_of(ODBC_MARIADB, "date", "longtext");

        assert_string_equal(sql, "md5(concat('',\n case when \"source\".\"a\" is null then 'N' else concat('V',"
                                 " length(cast(\"source\".\"a\" as binary)), ':', cast(\"source\".\"a\" as binary)) end,\n"
                                 " case when \"owner\".\"b\"\"c\" is null then 'N' else concat('V',"
                                 " length(cast(\"owner\".\"b\"\"c\" + 0e0 as binary)), ':',"
                                 " cast(\"owner\".\"b\"\"c\" + 0e0 as binary)) end)) as tf_hash");
        assert_non_null(strstr(longer, "concat('H', length(cast(\"owner\".\"b\"\"c\" as binary)), ':',"
                                       " md5(cast(\"owner\".\"b\"\"c\" as binary)))"));
}

static void test_postgresql(void **state) {
        _cleanup_free_ char *sql = hash_of(ODBC_POSTGRESQL, "integer", "text");

        assert_non_null(strstr(sql, "concat('V', octet_length(cast(\"source\".\"a\" as text)), ':', cast(\"source\".\"a\" as text))"));
        assert_non_null(strstr(sql, "concat('H', octet_length(cast(\"owner\".\"b\"\"c\" as text)), ':', md5("));
}

static void test_sums_are_of_each_range(void **state) {
        char *selects[] = {T("select 1"), T("select 2"), NULL};
        const OdbcDialect dialect = {.sums = "S", .unmerged = " L"};
        _cleanup_free_ char *sql = NULL;

        assert_int_equal(odbc_sums_sql(&dialect, selects, 2, &sql), 0);
        assert_string_equal(sql, "select 0, count(*), count(tf_hash), S from (select 1 L) tf_hashed\n"
                                 "union all select 1, count(*), count(tf_hash), S from (select 2 L) tf_hashed");
        /* Where the database cannot hash, digest is refused by name. */
        assert_null(odbc_dialect_of(ODBC_SQLITE)->sums);
        assert_null(odbc_dialect_of(ODBC_SQLSERVER)->sums);
        assert_non_null(strstr(odbc_dialect_of(ODBC_MARIADB)->sums, "conv(substr(tf_hash, 18, 15), 16, 10)"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_mariadb),
                cmocka_unit_test(test_postgresql),
                cmocka_unit_test(test_sums_are_of_each_range),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
