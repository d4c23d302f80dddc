/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "apply/guard.h"

static Pair pair = {
        .name = (char *) "p",
        .max_deletes = {.is_percent = true, .amount = 200},
        .max_changes = {.is_percent = true, .amount = 1000},
        .max_errors = {.is_percent = false, .amount = 100},
};

static void test_names(void **state) {
        for (int i = 0; i < _GUARD_MAX; i++)
                assert_int_equal(guard_from_string(guard_to_string((GuardId) i)), i);
        assert_string_equal(guard_to_string(GUARD_MAX_DELETES), "max_deletes");
        assert_string_equal(guard_to_string(GUARD_FIRST_WRITE), "first_write");
        assert_int_equal(guard_from_string("max_delete"), _GUARD_INVALID);
        assert_int_equal(guard_from_string(NULL), _GUARD_INVALID);
        assert_null(guard_to_string(_GUARD_MAX));
        assert_null(guard_to_string(_GUARD_INVALID));
}

static void test_limit(void **state) {
        const GuardLimit two_percent = {.is_percent = true, .amount = 200},
                         hundred = {.is_percent = false, .amount = 100};
        const GuardLimit everything = {.is_percent = true, .amount = 10000},
                         nothing = {.is_percent = false, .amount = 0};

        assert_int_equal(guard_limit_allows(&two_percent, 1000), 20);
        assert_int_equal(guard_limit_allows(&two_percent, 149), 2); /* 2.98 is not three */
        assert_int_equal(guard_limit_allows(&two_percent, 7), 1);   /* never below one */
        assert_int_equal(guard_limit_allows(&two_percent, 0), 1);
        assert_int_equal(guard_limit_allows(&hundred, 7), 100);
        assert_int_equal(guard_limit_allows(&nothing, 1000), 0);
        assert_true(guard_limit_allows(&everything, UINT64_MAX) == UINT64_MAX); /* no overflow on the way */
}

static void test_deletes_at_the_limit(void **state) {
        const Guards guards = {.pair = &pair};
        _cleanup_error_ Error error = {0};

        assert_int_equal(guard_deletes(&guards, "parcel", 20, 1000, &error), 0);
        assert_int_equal(error.id, ERROR_NONE);
        assert_int_equal(guard_deletes(&guards, "parcel", 21, 1000, &error), error_errno(ERROR_GUARD));
        assert_int_equal(error.id, ERROR_GUARD);
        assert_string_equal(error.detail, "Guard 'max_deletes': entity 'parcel' would have 21 deletes of "
                                          "1000 records, 20 are allowed.");
        assert_string_equal(error.remedy,
                            "Look whether the source is whole and the right one. "
                            "To go on in spite of it: terrafusionctl run PAIR --allow max_deletes.");
}

static void test_changes_and_errors(void **state) {
        const Guards guards = {.pair = &pair};
        _cleanup_error_ Error changes = {0}, errors = {0};

        assert_int_equal(guard_changes(&guards, "sale", 100, 1000, &changes), 0);
        assert_int_equal(guard_changes(&guards, "sale", 101, 1000, &changes), error_errno(ERROR_GUARD));
        assert_string_equal(changes.detail, "Guard 'max_changes': entity 'sale' would have 101 changes of "
                                            "1000 records, 100 are allowed.");
        assert_non_null(strstr(changes.remedy, "--allow max_changes."));
        assert_int_equal(guard_errors(&guards, "sale", 100, 5, &errors), 0);
        assert_int_equal(guard_errors(&guards, "sale", 101, 5, &errors), error_errno(ERROR_GUARD));
        assert_non_null(
                strstr(errors.detail, "101 records held in quarantine of 5 records, 100 are allowed."));
        assert_non_null(strstr(errors.remedy, "terrafusionctl quarantine"));
}

static void test_empty_source(void **state) {
        const Guards guards = {.pair = &pair};
        _cleanup_error_ Error error = {0};

        assert_int_equal(guard_empty_source(&guards, "parcel", 0, 0, &error), 0); /* it never had any */
        assert_int_equal(guard_empty_source(&guards, "parcel", 1, 5, &error), 0);
        assert_int_equal(guard_empty_source(&guards, "parcel", 0, 5, &error), error_errno(ERROR_GUARD));
        assert_string_equal(error.detail,
                            "Guard 'empty_source': the source of entity 'parcel' has no records, it had 5.");
        assert_non_null(strstr(error.remedy, "--allow empty_source."));
}

static void test_first_write(void **state) {
        const Guards guards = {.pair = &pair};
        _cleanup_error_ Error error = {0};

        assert_int_equal(guard_first_write(&guards, "parcel", 0, &error), 0);
        assert_int_equal(guard_first_write(&guards, "parcel", 3, &error), error_errno(ERROR_GUARD));
        assert_string_equal(
                error.detail,
                "Guard 'first_write': entity 'parcel' was never synced, and its target table holds "
                "3 records already.");
        assert_non_null(strstr(error.remedy, "overwritten"));
        assert_non_null(strstr(error.remedy, "--allow first_write."));
}

/* Each is out of force alone; the others still hold. */
static void test_allowed(void **state) {
        for (int i = 0; i < _GUARD_MAX; i++) {
                Guards guards = {.pair = &pair};
                int n_tripped = 0;

                guards.allowed[i] = true;
                n_tripped += guard_deletes(&guards, "e", 1000, 1000, NULL) < 0;
                n_tripped += guard_changes(&guards, "e", 1000, 1000, NULL) < 0;
                n_tripped += guard_errors(&guards, "e", 1000, 1000, NULL) < 0;
                n_tripped += guard_empty_source(&guards, "e", 0, 1000, NULL) < 0;
                n_tripped += guard_first_write(&guards, "e", 1000, NULL) < 0;
                assert_int_equal(n_tripped, i == GUARD_HOURS ? 5 : 4); /* when it runs, not what it writes */
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_limit),
                cmocka_unit_test(test_deletes_at_the_limit),
                cmocka_unit_test(test_changes_and_errors),
                cmocka_unit_test(test_empty_source),
                cmocka_unit_test(test_first_write),
                cmocka_unit_test(test_allowed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
