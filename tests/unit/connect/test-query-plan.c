/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "basic/json.h"
#include "connect/query-plan.h"

#define T(text) ((char *) (text))

static MappingPair by[] = {{T("owner_id"), T("owner_id")}, {T("Year"), T("tax_year")}};
static char *order[] = {T("-pct"), T("owner_id"), NULL};
static MappingJoin joins[] = {{.name = T("owner"), .from = T("county.owner"), .by = by, .n_by = 2, .order = order, .take_first = true}};
static const Mapping mapping = {.entity = T("parcel"), .from = T("parcel"), .watermark = T("changed_at"), .joins = joins, .n_joins = 1};

static void index_is(const Mapping *m, const char *alias, const char *expected) {
        _cleanup_free_ char *sql = query_plan_index(m, alias);

        if (expected)
                assert_string_equal(sql, expected);
        else
                assert_null(sql);
}

static void test_the_index_that_helps(void **state) {
        const Mapping without = {.from = T("parcel")};

        index_is(&mapping, "source", "create index \"parcel_changed_at\" on \"parcel\" (\"changed_at\")");
        index_is(&mapping, "owner",
                 "create index \"owner_owner_id\" on \"county\".\"owner\" (\"owner_id\", \"Year\", \"pct\" desc, \"owner_id\")");
        index_is(&without, "source", NULL);
        index_is(&without, NULL, NULL);
}

static void test_a_plan_gathers_what_is_said(void **state) {
        json_auto_t *plan = query_plan_new("select 1", "Result");
        const json_t *scan;

        assert_false(json_member_true(plan, "sorts"));
        assert_int_equal(query_plan_sorts(plan, 500), 0);
        assert_int_equal(query_plan_sorts(plan, 20), 0);
        assert_true(json_member_true(plan, "sorts"));
        assert_int_equal(json_member_integer(plan, "sorted", 0), 500);
        assert_int_equal(query_plan_scans(plan, &mapping, "owner", "owner", 7, true), 0);
        scan = json_array_get(json_object_get(plan, "scans"), 0);
        assert_string_equal(json_member_text(scan, "table"), "owner");
        assert_int_equal(json_member_integer(scan, "records", 0), 7);
        assert_true(json_member_true(scan, "repeated"));
        assert_non_null(strstr(json_member_text(scan, "index"), "create index"));
        assert_string_equal(json_member_text(plan, "query"), "select 1");
        assert_string_equal(json_member_text(plan, "plan"), "Result");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_the_index_that_helps),
                cmocka_unit_test(test_a_plan_gathers_what_is_said),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
