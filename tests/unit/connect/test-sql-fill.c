/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"

#include "connect/sql.h"

static const Value *find(const void *context, const char *name, size_t size) {
        static const Value year = {.type = VALUE_INTEGER, .integer = 2026}, minus = {.type = VALUE_INTEGER, .integer = -1},
                           rate = {.type = VALUE_DECIMAL, .decimal = {150, 2}},
                           owner = {.type = VALUE_TEXT, .bytes = "O'Hara\\ :year", .size = 13};

        assert_string_equal((const char *) context, "context");
        if (size == 4 && memcmp(name, "year", 4) == 0)
                return &year;
        if (size == 5 && memcmp(name, "minus", 5) == 0)
                return &minus;
        if (size == 4 && memcmp(name, "rate", 4) == 0)
                return &rate;
        return size == 7 && memcmp(name, "owner_1", 7) == 0 ? &owner : NULL;
}

static void filled(const char *where, const char *expected) {
        _cleanup_error_ Error error = {};
        _cleanup_free_ char *text = NULL;

        if (sql_fill(where, find, "context", &text, &error) < 0)
                fail_msg("%s: %s", where, error.detail);
        assert_string_equal(text, expected);
}

static void refused(const char *where, const char *why) {
        _cleanup_error_ Error error = {};
        char *text = NULL;

        assert_true(sql_fill(where, find, "context", &text, &error) < 0);
        assert_int_equal(error.id, ERROR_MAPPING);
        if (!strstr(error.detail, why))
                fail_msg("\"%s\" does not say \"%s\"", error.detail, why);
        assert_null(text);
}

static void variables(void **state) {
        filled("yr = :year", "yr = (2026)");
        filled("a-:minus", "a-(-1)");
        filled(":rate*x>:year", "(1.50)*x>(2026)");
        filled("name=:owner_1", "name='O''Hara\\ :year'");
        filled("", "");
        filled("true", "true");
}

static void what_stays_as_it_is(void **state) {
        filled("a = ':year' and b = :year", "a = ':year' and b = (2026)");
        filled("a = 'it''s :year'", "a = 'it''s :year'");
        filled("a = E'\\' :year' || :year", "a = E'\\' :year' || (2026)");
        filled("a = 'x\\' and b = :year", "a = 'x\\' and b = (2026)"); /* no escape without the E */
        filled("\":year\" = 1", "\":year\" = 1");
        filled("a::text = :year::text", "a::text = (2026)::text");
        filled("a -- :year it's\n = :year", "a -- :year it's\n = (2026)");
        filled("a /* :year /* ' */ :year */ = :year", "a /* :year /* ' */ :year */ = (2026)");
        filled("a = $$ :year $$ and :year", "a = $$ :year $$ and (2026)");
        filled("a = $t$ $$ :year $t$ and :year", "a = $t$ $$ :year $t$ and (2026)");
        filled("a[1:2] = 1", "a[1:2] = 1");
        filled("a$b = :year", "a$b = (2026)");
}

static void mistakes(void **state) {
        refused("yr = :years", "\":years\", which is no variable");
        refused("yr = ':year", "no end");
        refused("a /* :year", "no end");
        refused("a = $x$ :year", "no end");
        refused("\"a = :year", "no end");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(variables),
                cmocka_unit_test(what_stays_as_it_is),
                cmocka_unit_test(mistakes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
