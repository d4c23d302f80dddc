/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "model/finding.h"

static void test_findings(void **state) {
        _cleanup_arena_ Arena *arena = NULL;
        char rule[] = "maximum";
        Finding *findings = NULL;
        json_auto_t *json = NULL;
        const json_t *first;

        assert_int_equal(arena_new(&arena), 0);
        assert_false(findings_hold(findings));
        assert_int_equal(
                finding_add(&findings, arena, FINDING_WARNING, rule, "area", "9", "Too much.", NULL), 0);
        assert_false(findings_hold(findings));
        rule[0] = 'x';
        assert_string_equal(findings->rule, "maximum");
        assert_null(findings->remedy);
        assert_int_equal(finding_add(&findings, arena, FINDING_ERROR, "required", NULL, NULL, "Missing.",
                                     "Fill it in."),
                         0);
        assert_true(findings_hold(findings));
        json = findings_to_json(findings);
        assert_int_equal(json_array_size(json), 2);
        first = json_array_get(json, 0);
        assert_string_equal(json_string_value(json_object_get(first, "severity")), "error");
        assert_string_equal(json_string_value(json_object_get(first, "remedy")), "Fill it in.");
        assert_true(json_is_null(json_object_get(first, "field")));
        assert_string_equal(json_string_value(json_object_get(json_array_get(json, 1), "field")), "area");
}

static void test_severities(void **state) {
        assert_int_equal(finding_severity_from_string("error"), FINDING_ERROR);
        assert_int_equal(finding_severity_from_string("fatal"), _FINDING_SEVERITY_INVALID);
        assert_string_equal(finding_severity_to_string(FINDING_WARNING), "warning");
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_findings),
                                           cmocka_unit_test(test_severities)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
