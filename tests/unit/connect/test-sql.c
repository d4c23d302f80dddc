/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"

#include "connect/sql.h"

#define T(text) ((char *) (text))

static void assert_taken(char *text, const char *expected) {
        assert_string_equal(text, expected);
        free(text);
}

static void quoting(void **state) {
        assert_taken(sql_identifier("parcel"), "\"parcel\"");
        assert_taken(sql_identifier("a\"b; drop table x"), "\"a\"\"b; drop table x\"");
        assert_taken(sql_identifier("a.b"), "\"a.b\"");
        assert_taken(sql_identifier(""), "\"\"");
        assert_taken(sql_table("parcel"), "\"parcel\"");
        assert_taken(sql_table("main.par\"cel"), "\"main\".\"par\"\"cel\"");
        assert_taken(sql_table(".x"), "\".x\"");
        assert_taken(sql_table("x."), "\"x.\"");
}

static char *rowid[] = {T("rowid"), NULL};
static char *pair_key[] = {T("a"), T("b"), NULL};
static MappingColumn columns[] = {{.name = T("id")}, {.join = T("o"), .name = T("na\"me")}};

static void assert_select(const SqlSelect *select, const char *expected) {
        Error error = {};
        char *sql = NULL;

        if (sql_select(select, &sql, &error) < 0)
                fail_msg("refused: %s", error.detail);
        assert_taken(sql, expected);
}

static void plain_select(void **state) {
        Mapping m = {.entity = T("e"), .from = T("main.parcel"), .columns = columns, .n_columns = 1};
        SqlSelect select = {.mapping = &m, .identity = rowid};

        assert_select(&select, "select \"source\".\"id\", \"source\".\"rowid\"\n from \"main\".\"parcel\" "
                               "as \"source\"\n where 1"
                               "\n order by \"source\".\"rowid\"");
        select.after = true;
        m.where = T("x = :y --");
        assert_select(&select, "select \"source\".\"id\", \"source\".\"rowid\"\n from \"main\".\"parcel\" "
                               "as \"source\"\n where (\nx = :y --\n)"
                               "\n and \"source\".\"rowid\" > @tf_after_0\n order by \"source\".\"rowid\"");
        select.identity = pair_key;
        m.where = NULL;
        assert_select(&select, "select \"source\".\"id\", \"source\".\"a\", \"source\".\"b\"\n from "
                               "\"main\".\"parcel\" as \"source\"\n where 1"
                               "\n and (\"source\".\"a\", \"source\".\"b\") > (@tf_after_0, @tf_after_1)\n "
                               "order by \"source\".\"a\", \"source\".\"b\"");
}

static void joined_select(void **state) {
        char *order[] = {T("-sold"), T("price"), NULL};
        MappingPair by[] = {{T("l"), T("r")}}, by_join[] = {{T("l"), T("p.r")}, {T("m"), T("source.n")}};
        MappingJoin joins[] = {
                {.name = T("p"), .from = T("s.pp"), .by = by, .n_by = 1, .watermark = T("w")},
                {.name = T("o"),
                 .from = T("oo"),
                 .by = by_join,
                 .n_by = 2,
                 .order = order,
                 .take_first = true,
                 .optional = true,
                 .watermark = T("v")},
        };
        Mapping m = {.entity = T("e"),
                     .from = T("t"),
                     .columns = columns,
                     .n_columns = 2,
                     .joins = joins,
                     .n_joins = 2};
        char *const *const identities[] = {rowid, pair_key};
        SqlSelect select = {.mapping = &m, .join_identity = identities};

        assert_select(&select,
                      "select \"source\".\"id\", \"o\".\"na\"\"me\"\n from \"t\" as \"source\""
                      "\n cross join \"s\".\"pp\" as \"p\" on \"p\".\"l\" = \"source\".\"r\""
                      "\n left join \"oo\" as \"o\" on (\"o\".\"a\", \"o\".\"b\") = (select "
                      "\"tf_first\".\"a\", \"tf_first\".\"b\" from \"oo\" as \"tf_first\""
                      " where \"tf_first\".\"l\" = \"p\".\"r\" and \"tf_first\".\"m\" = \"source\".\"n\""
                      " order by \"tf_first\".\"sold\" desc, \"tf_first\".\"price\", \"tf_first\".\"a\", "
                      "\"tf_first\".\"b\" limit 1)"
                      "\n where 1");
        m.n_columns = 1;
        m.n_joins = 1;
        m.watermark = T("u");
        select.by_watermark = true;
        select.has_low = true;
        assert_select(&select, "select \"source\".\"id\"\n from \"t\" as \"source\"\n cross join "
                               "\"s\".\"pp\" as \"p\" on \"p\".\"l\" = \"source\".\"r\"\n where 1"
                               "\n and ((\"source\".\"u\" >= @tf_low and \"source\".\"u\" < @tf_high) or "
                               "(\"p\".\"w\" >= @tf_low and \"p\".\"w\" < @tf_high))");
}

static void refusals(void **state) {
        MappingJoin join = {.name = T("p"), .from = T("pp")};
        Mapping m = {.entity = T("e"),
                     .from = T("t"),
                     .columns = columns,
                     .n_columns = 1,
                     .joins = &join,
                     .n_joins = 1};
        SqlSelect select = {.mapping = &m};
        Error error = {};
        char *sql = NULL;

        assert_true(sql_select(&select, &sql, &error) < 0);
        assert_int_equal(error.id, ERROR_MAPPING);
        assert_non_null(strstr(error.detail, "\"p\" has no by:"));
        error_done(&error);
        m.n_joins = 0;
        select.by_watermark = true;
        assert_true(sql_select(&select, &sql, &error) < 0);
        assert_int_equal(error.id, ERROR_WATERMARK);
        error_done(&error);
        assert_null(sql);
}

static void writing(void **state) {
        MappingField fields[] = {{.name = T("k1")}, {.name = T("k2")}, {.name = T("a")}, {.name = T("b")}};
        Mapping m = {.to = T("t"), .fields = fields, .n_fields = 4, .n_key = 2};
        bool mask[] = {true, true, false, true}, changed[] = {false, false, false, true};
        char *sql = NULL;

        assert_int_equal(sql_insert(&m, mask, &sql), 0);
        assert_taken(sql, "insert into \"t\" (\"k1\", \"k2\", \"b\") values (?, ?, ?)");
        assert_int_equal(sql_update(&m, changed, &sql), 0);
        assert_taken(sql, "update \"t\" set \"b\" = ? where \"k1\" = ? and \"k2\" = ?");
        assert_int_equal(sql_delete(&m, &sql), 0);
        assert_taken(sql, "delete from \"t\" where \"k1\" = ? and \"k2\" = ?");
        assert_int_equal(sql_fetch(&m, &sql), 0);
        assert_taken(sql, "select \"k1\", \"k2\", \"a\", \"b\" from \"t\" where \"k1\" = ? and \"k2\" = ?");
        assert_int_equal(sql_count("s.t", &sql), 0);
        assert_taken(sql, "select count(*) from \"s\".\"t\"");
        assert_int_equal(sql_extremes("t", "c", &sql), 0);
        assert_taken(sql, "select (select min(\"c\") from \"t\"), (select max(\"c\") from \"t\")");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(quoting),  cmocka_unit_test(plain_select), cmocka_unit_test(joined_select),
                cmocka_unit_test(refusals), cmocka_unit_test(writing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
