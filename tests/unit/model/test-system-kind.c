/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "model/system-kind.h"

static void test_find(void **state) {
        const SystemKind *kind = system_kind_find("postgresql");

        assert_non_null(kind);
        assert_true(kind->strategies & DETECT_BIT(DETECT_WATERMARK));
        assert_int_equal(kind->default_strategy, DETECT_FULL);
        assert_null(system_kind_find("postgres"));
        assert_null(system_kind_find(NULL));
}

static void text_is(unsigned strategies, const char *wanted) {
        _cleanup_free_ char *text = detect_strategies_to_text(strategies);

        assert_string_equal(text, wanted);
}

static void test_text(void **state) {
        text_is(DETECT_BIT(DETECT_FULL), "full");
        text_is(DETECT_BIT(DETECT_FULL) | DETECT_BIT(DETECT_FEED), "full or feed");
        text_is(DETECT_BIT(DETECT_FULL) | DETECT_BIT(DETECT_WATERMARK) | DETECT_BIT(DETECT_LOG),
                "full, watermark or log");
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_find), cmocka_unit_test(test_text)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
