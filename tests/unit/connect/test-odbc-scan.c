/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "basic/text.h"
#include "connect/odbc-scan.h"

#define T(text) ((char *) (text))

/* property_val of PACS: joined with its active supplement, the first owner looked up. */
static Table *table_make(const char *name, const char *const *columns, size_t n_key) {
        Table *t = calloc(1, sizeof(*t));

        assert_non_null(t);
        t->name = strdup(name);
        for (size_t i = 0; columns[i]; i += 2) {
                TableColumn *c = table_column_add(t, columns[i]);

                assert_non_null(c);
                c->type = strdup(columns[i + 1]);
                if (i / 2 < n_key) {
                        assert_int_equal(strings_append(&t->identity, columns[i]), 0);
                        c->key_place = (unsigned) i / 2 + 1;
                }
        }
        return t;
}

static OdbcTable *odbc_make(OdbcFamily family, const char *name, const char *const *columns, size_t n_key) {
        OdbcTable *t = calloc(1, sizeof(*t));

        assert_non_null(t);
        t->table = table_make(name, columns, n_key);
        t->types = calloc(t->table->n_columns, sizeof(OdbcType));
        assert_non_null(t->types);
        for (size_t i = 0; i < t->table->n_columns; i++)
                odbc_type_parse(family, t->table->columns[i].type, &t->types[i]);
        return t;
}

static const char *const own[] = {"prop_val_yr", "numeric(4,0)", "prop_id",   "int", "geo_id",
                                  "varchar(50)", "tsRowVersion", "timestamp", NULL};
static const char *const owner[] = {"owner_id", "int", "prop_id", "int", "pct", "numeric(5,2)", NULL};

static MappingPair by[] = {{T("prop_id"), T("prop_id")}};
static char *order[] = {T("-pct"), NULL};
static MappingJoin join = {.name = T("owner"),
                           .from = T("owner"),
                           .by = by,
                           .n_by = 1,
                           .order = order,
                           .take_first = true,
                           .optional = true};
static MappingColumn columns[] = {{.name = T("geo_id")}, {.join = T("owner"), .name = T("owner_id")}};

static char *make(OdbcFamily family, ReadScope scope, bool resumed, size_t n_page) {
        Mapping mapping = {.entity = T("parcel"),
                           .from = T("dbo.property_val"),
                           .where = T("prop_val_yr = :tax_year"),
                           .joins = &join,
                           .n_joins = 1,
                           .columns = columns,
                           .n_columns = 2,
                           .watermark = T("tsRowVersion"),
                           .strategy = DETECT_WATERMARK};
        Variable variable = {.name = T("tax_year"), .value = value_integer(2026)};
        Pair pair = {.name = T("pacs"), .file = T("pacs.yaml"), .variables = &variable, .n_variables = 1};
        ReadPlan plan = {.pair = &pair,
                         .mapping = &mapping,
                         .scope = scope,
                         .low = {.type = VALUE_BYTES, .bytes = "\0\0\0\0\0\0\7\xd0", .size = 8},
                         .high = {.type = VALUE_BYTES, .bytes = "\0\0\0\0\0\0\7\xd1", .size = 8}};
        Value after[] = {value_integer(2026), value_integer(17)};
        _cleanup_(odbc_sources_done) OdbcSources sources = {};
        _cleanup_(odbc_scan_done) OdbcScan scan = {};
        _cleanup_error_ Error error = {};
        char *sql = NULL;

        sources.own = odbc_make(family, "dbo.property_val", own, 2);
        sources.joins = calloc(1, sizeof(OdbcTable *));
        assert_non_null(sources.joins);
        sources.joins[0] = odbc_make(family, "owner", owner, 1);
        sources.n_joins = 1;
        if (odbc_scan_init(&scan, odbc_dialect_of(family), &plan, &sources, &error) < 0 ||
            odbc_scan_sql(&scan, resumed ? after : NULL, NULL, n_page, &sql, &error) < 0)
                fail_msg("%s", error.detail);
        return sql;
}

static void is(OdbcFamily family, ReadScope scope, bool resumed, size_t n_page, const char *expected) {
        _cleanup_free_ char *sql = make(family, scope, resumed, n_page);

        assert_string_equal(sql, expected);
}

static void test_sqlserver(void **state) {
        is(ODBC_SQLSERVER, READ_WATERMARK, true, 1000,
           "select \"source\".\"geo_id\", \"owner\".\"owner_id\", \"source\".\"prop_val_yr\", "
           "\"source\".\"prop_id\"\n"
           " from \"dbo\".\"property_val\" as \"source\"\n"
           " outer apply (select top (1) \"tf_first\".* from \"owner\" as \"tf_first\" where "
           "\"tf_first\".\"prop_id\" = \"source\".\"prop_id\""
           " order by \"tf_first\".\"pct\" desc, \"tf_first\".\"owner_id\") as \"owner\"\n"
           " where (\n(\nprop_val_yr = (2026)\n)\n"
           " and (\"source\".\"prop_val_yr\" >= 2026 and (\"source\".\"prop_val_yr\" > 2026 or "
           "(\"source\".\"prop_val_yr\" = 2026 and"
           " (\"source\".\"prop_id\" > 17))))\n)\n"
           " and ((\"source\".\"tsRowVersion\" >= 0x00000000000007d0 and \"source\".\"tsRowVersion\" < "
           "0x00000000000007d1))\n"
           " order by \"source\".\"prop_val_yr\", \"source\".\"prop_id\"\n"
           " offset 0 rows fetch next 1000 rows only");
}

static void test_mariadb(void **state) {
        is(ODBC_MARIADB, READ_ALL, false, 50,
           "select \"source\".\"geo_id\", \"owner\".\"owner_id\", \"source\".\"prop_val_yr\", "
           "\"source\".\"prop_id\"\n"
           " from \"dbo\".\"property_val\" as \"source\"\n"
           " left join \"owner\" as \"owner\" on \"owner\".\"owner_id\" = (select \"tf_first\".\"owner_id\" "
           "from \"owner\" as \"tf_first\""
           " where \"tf_first\".\"prop_id\" = \"source\".\"prop_id\" order by \"tf_first\".\"pct\" desc, "
           "\"tf_first\".\"owner_id\" limit 1)\n"
           " where (\n(\nprop_val_yr = (2026)\n)\n)\n"
           " order by \"source\".\"prop_val_yr\", \"source\".\"prop_id\"\n"
           " limit 50");
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_sqlserver), cmocka_unit_test(test_mariadb)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
