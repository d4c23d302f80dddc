/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <math.h>

#include "connect/real.h"

static void reals(void **state) {
        static const struct {
                double number;
                const char *text;
                ValueType type;
        } cases[] = {
                {0.1, "0.1", VALUE_DECIMAL},
                {12.5, "12.5", VALUE_DECIMAL},
                {-0.01, "-0.01", VALUE_DECIMAL},
                {100, "100", VALUE_DECIMAL},
                {-0.0, "0", VALUE_DECIMAL},
                {1e20, "100000000000000000000", VALUE_DECIMAL},
                {1e-10, "0.0000000001", VALUE_DECIMAL},
                {0.1 + 0.2, "0.30000000000000004", VALUE_DECIMAL},
                {123456789012345.67, "123456789012345.67", VALUE_DECIMAL},
                {1.0 / 3, "0.33333333333333331", VALUE_DECIMAL},
                {0.1234567, "0.1234567", VALUE_DECIMAL},
                {1e300, "1e+300", VALUE_TEXT},
                {1e-300, "1e-300", VALUE_TEXT},
                {INFINITY, "inf", VALUE_TEXT},
                {9007199254740993.0, "9007199254740992", VALUE_DECIMAL},
        };
        Fixture f;

        fixture_init(&f, "sqlite", NULL);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char buffer[REAL_TEXT_MAX];
                Value v;

                value_from_real(cases[i].number, buffer, &v);
                assert_value(&f, &v, cases[i].type, cases[i].text);
        }
        fixture_done(&f);
}

/* The shortcut for short decimals gives what printing and parsing gives. */
static void reals_there_and_back(void **state) {
        uint64_t random = 88172645463325252ULL;

        for (unsigned i = 0; i < 20000; i++) {
                char buffer[REAL_TEXT_MAX], expected[REAL_TEXT_MAX], text_of[DECIMAL_TEXT_MAX];
                static const double divisors[] = {1, 10, 100, 1000, 1e5, 3};
                double number;
                Decimal plain;
                Value v;

                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                number = (double) (int64_t) (random >> 16) / divisors[i % ELEMENTSOF(divisors)] /
                         (i % 7 ? 1 : 1e6);
                value_from_real(number, buffer, &v);
                assert_int_equal(v.type, VALUE_DECIMAL);
                decimal_format(&v.decimal, text_of);
                number -= strtod(text_of, NULL);
                assert_true(number <= 0 && number >= 0);
                number += strtod(text_of, NULL);
                snprintf(expected, sizeof(expected), "%.15g", number);
                if (strtod(expected, NULL) < number || strtod(expected, NULL) > number)
                        snprintf(expected, sizeof(expected), "%.17g", number);
                assert_int_equal(decimal_parse(expected, strlen(expected), &plain), 0);
                assert_int_equal(decimal_compare(&plain, &v.decimal), 0);
        }
}

static void four_bytes(void **state) {
        static const struct {
                float number;
                const char *text;
                ValueType type;
        } cases[] = {
                {0.1F, "0.1", VALUE_DECIMAL},         {12.5F, "12.5", VALUE_DECIMAL},
                {16777217.0F, "16777216", VALUE_DECIMAL}, {-0.01F, "-0.01", VALUE_DECIMAL},
                {3.4028235e38F, "3.4028235e+38", VALUE_TEXT}, {NAN, "nan", VALUE_TEXT},
        };
        Fixture f;

        fixture_init(&f, "sqlite", NULL);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char buffer[REAL_TEXT_MAX];
                Value v;

                value_from_real4(cases[i].number, buffer, &v);
                assert_value(&f, &v, cases[i].type, cases[i].text);
        }
        fixture_done(&f);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(reals),
                cmocka_unit_test(reals_there_and_back),
                cmocka_unit_test(four_bytes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
