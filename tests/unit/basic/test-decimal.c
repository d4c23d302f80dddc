/* SPDX-License-Identifier: Apache-2.0 */
#include "basic/decimal.h"
#include "../testing.h"

#define NINES_38 "99999999999999999999999999999999999999"

static Decimal number(const char *text) {
        Decimal d;

        assert_int_equal(decimal_parse(text, strlen(text), &d), 0);
        return d;
}

static void text_is(Decimal d, const char *expected) {
        char buffer[DECIMAL_TEXT_MAX];

        assert_int_equal(decimal_format(&d, buffer), strlen(expected));
        assert_string_equal(buffer, expected);
}

static void test_parse_and_format(void **state) {
        static const struct {
                const char *text, *expected;
                unsigned scale;
        } cases[] = {
                { "0", "0", 0 },
                { "-0", "0", 0 },
                { "-0.00", "0.00", 2 },
                { "12.50", "12.50", 2 },
                { "+7", "7", 0 },
                { "-12.5", "-12.5", 1 },
                { "007.10", "7.10", 2 },
                { ".5", "0.5", 1 },
                { "-.05", "-0.05", 2 },
                { "1e3", "1000", 0 },
                { "1.5E+1", "15", 0 },
                { "12e-3", "0.012", 3 },
                { "0e99999999999", "0", 0 },
                { "1.20e1", "12.0", 1 },
                { "9223372036854775808", "9223372036854775808", 0 },
                { "18446744073709551616.5", "18446744073709551616.5", 1 },
                { "9999999999999999999", "9999999999999999999", 0 },
                { "1000000000000000000", "1000000000000000000", 0 },
                { "100000000000000000000000000000000001", "100000000000000000000000000000000001", 0 },
                { NINES_38, NINES_38, 0 },
                { "-" NINES_38, "-" NINES_38, 0 },
                { "-0." NINES_38, "-0." NINES_38, 38 },
                { "0.00000000000000000000000000000000000001", "0.00000000000000000000000000000000000001",
                  38 },
                { "1e-38", "0.00000000000000000000000000000000000001", 38 },
                { "1e37", "10000000000000000000000000000000000000", 0 },
                { "00000000000000000000000000000000000000000000000000001", "1", 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Decimal d = number(cases[i].text);

                assert_int_equal(d.scale, cases[i].scale);
                text_is(d, cases[i].expected);
                text_is(number(cases[i].expected), cases[i].expected);
        }
}

static void test_parse_refuses(void **state) {
        static const char *const wrong[] = { "",
                                             "-",
                                             "+",
                                             ".",
                                             "5.",
                                             "-.",
                                             "1.2.3",
                                             "1,000",
                                             " 1",
                                             "1 ",
                                             "--1",
                                             "0x10",
                                             "1e",
                                             "1e+",
                                             "e5",
                                             "NaN",
                                             "1e1.5",
                                             "1.e5",
                                             "12345678901234567890.",
                                             "1234567890123456789012x" };
        static const char *const large[] = { NINES_38 "0",     "1e38",
                                             "-1e38",          "1e-39",
                                             "1e999999999999", "1e-999999999999",
                                             ("10" NINES_38), "0.000000000000000000000000000000000000001" };
        Decimal d = { .coefficient = 42, .scale = 3 };

        for (size_t i = 0; i < ELEMENTSOF(wrong); i++)
                assert_int_equal(decimal_parse(wrong[i], strlen(wrong[i]), &d), -EINVAL);
        for (size_t i = 0; i < ELEMENTSOF(large); i++)
                assert_int_equal(decimal_parse(large[i], strlen(large[i]), &d), -ERANGE);
        assert_int_equal(decimal_parse("1\0", 2, &d), -EINVAL);
        assert_true(d.coefficient == 42 && d.scale == 3);
        assert_int_equal(decimal_parse("1234", 2, &d), 0);
        text_is(d, "12");
}

static void test_compare(void **state) {
        /* Rising; equal ones stand in the same row. */
        static const char *const rising[][2] = {
                { "-" NINES_38, "-" NINES_38 },
                { "-2", "-2.000" },
                { "-1.51", "-1.510" },
                { "-1.5", "-1.50" },
                { "0", "-0.000" },
                { "0.00000000000000000000000000000000000001", "1e-38" },
                { "1.5", "1.50" },
                { "1.51", "1.510" },
                { "10", "1e1" },
                { NINES_38, NINES_38 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rising); i++)
                for (size_t j = 0; j < ELEMENTSOF(rising); j++) {
                        Decimal a = number(rising[i][0]), b = number(rising[j][1]);

                        assert_int_equal(decimal_compare(&a, &b), i < j ? -1 : i > j);
                }
}

static void round_is(const char *text, uint8_t scale, const char *expected, bool expect_exact) {
        Decimal d = number(text), rounded;
        bool exact;

        assert_int_equal(decimal_round(&d, scale, &rounded, &exact), 0);
        text_is(rounded, expected);
        assert_int_equal(rounded.scale, scale);
        assert_int_equal(exact, expect_exact);
        assert_int_equal(decimal_rescale(&d, scale, &rounded), expect_exact ? 0 : -ERANGE);
}

static void test_round_half_to_even(void **state) {
        Decimal d = number("99999999999999999999999999999999999999"), rounded;

        round_is("0.5", 0, "0", false);
        round_is("1.5", 0, "2", false);
        round_is("2.5", 0, "2", false);
        round_is("-2.5", 0, "-2", false);
        round_is("-3.5", 0, "-4", false);
        round_is("2.51", 0, "3", false);
        round_is("2.49", 0, "2", false);
        round_is("-0.4", 0, "0", false);
        round_is("1.005", 2, "1.00", false);
        round_is("1.015", 2, "1.02", false);
        round_is("9.99", 1, "10.0", false);
        round_is("12.500", 1, "12.5", true);
        round_is("12.5", 4, "12.5000", true);
        round_is("0.99999999999999999999999999999999999999", 0, "1", false);
        round_is("9999999999999999999999999999999999999.9", 0, "10000000000000000000000000000000000000",
                 false);
        assert_int_equal(decimal_round(&d, 1, &rounded, NULL), -ERANGE);
        assert_int_equal(decimal_round(&d, 39, &rounded, NULL), -ERANGE);
        d = number("0");
        assert_int_equal(decimal_rescale(&d, 38, &rounded), 0);
        text_is(rounded, "0.00000000000000000000000000000000000000");
}

static void test_add_and_multiply(void **state) {
        Decimal a = number("0.1"), b = number("0.20"), ret, most = number(NINES_38), one = number("1"),
                least = number("-" NINES_38);

        assert_int_equal(decimal_add(&a, &b, &ret), 0);
        text_is(ret, "0.30");
        assert_int_equal(decimal_multiply(&a, &b, &ret), 0);
        text_is(ret, "0.020");
        assert_int_equal(decimal_add(&most, &one, &ret), -ERANGE);
        assert_int_equal(decimal_add(&most, &most, &ret), -ERANGE);
        assert_int_equal(decimal_add(&most, &least, &ret), 0);
        text_is(ret, "0");
        assert_int_equal(decimal_add(&most, &a, &ret), -ERANGE);
        assert_int_equal(decimal_multiply(&most, &least, &ret), -ERANGE);
        assert_int_equal(decimal_multiply(&least, &one, &ret), 0);
        text_is(ret, "-" NINES_38);
        a = number("1234567.89");
        b = number("-0.0125");
        assert_int_equal(decimal_multiply(&a, &b, &ret), 0);
        text_is(ret, "-15432.098625");
        /* Zeros behind the point do not stand in the way. */
        a = number("1.50000000000000000000");
        assert_int_equal(decimal_multiply(&a, &a, &ret), 0);
        text_is(ret, "2.25");
        a = number("1e-20");
        assert_int_equal(decimal_multiply(&a, &a, &ret), -ERANGE);
}

static void test_integers(void **state) {
        static const int64_t integers[] = { 0, 1, -1, INT64_MAX, INT64_MIN, 1000000000000000000 };
        Decimal d;
        int64_t integer = 5;

        for (size_t i = 0; i < ELEMENTSOF(integers); i++) {
                d = decimal_from_integer(integers[i]);
                assert_int_equal(decimal_to_integer(&d, &integer), 0);
                assert_true(integer == integers[i]);
        }
        d = number("12.00");
        assert_int_equal(decimal_to_integer(&d, &integer), 0);
        assert_int_equal(integer, 12);
        d = number("12.01");
        assert_int_equal(decimal_to_integer(&d, &integer), -ERANGE);
        d = number("9223372036854775808");
        assert_int_equal(decimal_to_integer(&d, &integer), -ERANGE);
        d = number("-9223372036854775809");
        assert_int_equal(decimal_to_integer(&d, &integer), -ERANGE);
        assert_int_equal(integer, 12);
}

static void test_digits_and_trim(void **state) {
        static const struct {
                const char *text;
                unsigned n;
        } cases[] = { { "0", 1 },
                      { "9", 1 },
                      { "10", 2 },
                      { "-999", 3 },
                      { "0.001", 1 },
                      { "9999999999999999999", 19 },
                      { "10000000000000000000", 20 },
                      { NINES_38, 38 } };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Decimal d = number(cases[i].text);

                assert_int_equal(decimal_digits(&d), cases[i].n);
        }
        text_is(decimal_trim(number("12.5000")), "12.5");
        text_is(decimal_trim(number("100.00")), "100");
        text_is(decimal_trim(number("0.000")), "0");
        text_is(decimal_trim(number("-120")), "-120");
}

/* Numbers of every length and scale: format and parse give the same again, and adding agrees with integers.
 */
static void test_properties(void **state) {
        uint64_t seed = 20240601;

        for (unsigned i = 0; i < 20000; i++) {
                char buffer[DECIMAL_TEXT_MAX];
                Decimal d = {}, back, twice;
                unsigned n_digits, scale;

                seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
                n_digits = 1 + (unsigned) (seed >> 33) % 38;
                scale = (unsigned) (seed >> 40) % 39;
                for (unsigned j = 0; j < n_digits; j++) {
                        seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
                        d.coefficient = d.coefficient * 10 + (int) ((seed >> 40) % 10);
                }
                d.coefficient = seed & (1ULL << 50) ? -d.coefficient : d.coefficient;
                d.scale = (uint8_t) scale;
                assert_int_equal(decimal_parse(buffer, decimal_format(&d, buffer), &back), 0);
                assert_true(back.coefficient == d.coefficient && back.scale == d.scale);
                back = decimal_trim(d);
                assert_int_equal(decimal_compare(&back, &d), 0);
                if (decimal_add(&d, &d, &twice) == 0)
                        assert_true(twice.coefficient == d.coefficient * 2);
                else
                        assert_int_equal(decimal_digits(&d), 38);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse_and_format),   cmocka_unit_test(test_parse_refuses),
                cmocka_unit_test(test_compare),            cmocka_unit_test(test_round_half_to_even),
                cmocka_unit_test(test_add_and_multiply),   cmocka_unit_test(test_integers),
                cmocka_unit_test(test_digits_and_trim),    cmocka_unit_test(test_properties),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
