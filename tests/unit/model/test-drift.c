/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "model/drift.h"

static void test_names(void **state) {
        for (int i = 0; i < _DRIFT_KIND_MAX; i++)
                assert_int_equal(drift_kind_from_string(drift_kind_to_string((DriftKind) i)), i);
        assert_int_equal(drift_kind_from_string("changed"), _DRIFT_KIND_INVALID);
        assert_null(drift_kind_to_string(DRIFT_NONE));
}

static void test_types(void **state) {
        static const struct {
                const char *before, *now;
                DriftKind forth, back;
        } cases[] = {
                {"integer", "integer", DRIFT_NONE, DRIFT_NONE},
                {"INTEGER", "int4", DRIFT_NONE, DRIFT_NONE},
                {NULL, NULL, DRIFT_NONE, DRIFT_NONE},
                {NULL, "text", DRIFT_NARROWED, DRIFT_WIDENED},
                {"smallint", "integer", DRIFT_WIDENED, DRIFT_NARROWED},
                {"integer", "bigint", DRIFT_WIDENED, DRIFT_NARROWED},
                {"int(11)", "int(10)", DRIFT_NONE, DRIFT_NONE},
                {"integer", "numeric(10,0)", DRIFT_WIDENED, DRIFT_NARROWED},
                {"integer", "numeric(9)", DRIFT_NARROWED, DRIFT_NARROWED},
                {"bigint", "numeric", DRIFT_WIDENED, DRIFT_NARROWED},
                {"integer", "double precision", DRIFT_NARROWED, DRIFT_NARROWED},
                {"numeric(14,2)", "numeric( 16 , 2 )", DRIFT_WIDENED, DRIFT_NARROWED},
                {"numeric(14,2)", "numeric(14,4)", DRIFT_NARROWED, DRIFT_NARROWED}, /* two digits before the point less */
                {"numeric(14,2)", "numeric(16,4)", DRIFT_WIDENED, DRIFT_NARROWED},
                {"numeric(14,2)", "decimal(14,2)", DRIFT_NONE, DRIFT_NONE},
                {"numeric(14,2)", "numeric", DRIFT_WIDENED, DRIFT_NARROWED},
                {"real", "double precision", DRIFT_WIDENED, DRIFT_NARROWED},
                {"character varying(10)", "VARCHAR(20)", DRIFT_WIDENED, DRIFT_NARROWED},
                {"varchar(10)", "text", DRIFT_WIDENED, DRIFT_NARROWED},
                {"varchar", "text", DRIFT_NONE, DRIFT_NONE},
                {"character(10)", "character(20)", DRIFT_NARROWED, DRIFT_NARROWED}, /* padded: each value becomes another */
                {"text", "integer", DRIFT_NARROWED, DRIFT_NARROWED},
                {"timestamp(3) without time zone", "timestamp without time zone", DRIFT_WIDENED, DRIFT_NARROWED},
                {"timestamp without time zone", "timestamp with time zone", DRIFT_NARROWED, DRIFT_NARROWED},
                {"date", "timestamp without time zone", DRIFT_NARROWED, DRIFT_NARROWED},
                {"enum('a','b')", "enum('a','b','c')", DRIFT_NARROWED, DRIFT_NARROWED},
                {"integer[]", "bigint[]", DRIFT_NARROWED, DRIFT_NARROWED},
                {"geometry(Point,4326)", "geometry(Point,2927)", DRIFT_NARROWED, DRIFT_NARROWED},
                {"numeric(99999999999)", "numeric(1,2,3)", DRIFT_NARROWED, DRIFT_NARROWED},
                {"", "(", DRIFT_NARROWED, DRIFT_NARROWED},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                if (drift_of_types(cases[i].before, cases[i].now) != cases[i].forth ||
                    drift_of_types(cases[i].now, cases[i].before) != cases[i].back)
                        fail_msg("%s, %s", cases[i].before ? cases[i].before : "-", cases[i].now ? cases[i].now : "-");
        }
}

/* Whatever it is called, a type is itself, and no text of the world makes it read beyond its end. */
static void test_odd_texts(void **state) {
        static const char letters[] = "(),0 9a'varchar";
        unsigned seed = 7;

        for (unsigned i = 0; i < 20000; i++) {
                char a[100], b[100];

                for (char *text = a; text; text = text == a ? b : NULL) {
                        size_t n = (seed = seed * 1103515245 + 12345) >> 16 & 63;

                        for (size_t k = 0; k < n; k++)
                                text[k] = letters[((seed = seed * 1103515245 + 12345) >> 16) % (sizeof(letters) - 1)];
                        text[n] = '\0';
                }
                assert_int_equal(drift_of_types(a, a), DRIFT_NONE);
                (void) drift_of_types(a, b);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_types),
                cmocka_unit_test(test_odd_texts),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
