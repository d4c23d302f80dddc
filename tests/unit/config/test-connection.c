/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "config/connection.h"

static void test_forms(void **state) {
        static const struct {
                const char *text, *detail, *remedy;
        } cases[] = {
                {"host=cama01 dbname=cama user=tf", NULL, NULL},
                {"", NULL, NULL},
                {"user = tf password = 'it\\'s canary' host='a b' port=5433,5434", NULL, NULL},
                {"postgresql://tf:canary@cama01:5433/cama?sslmode=require&target_session_attrs=read-write", NULL, NULL},
                {"postgres://cama01/cama", NULL, NULL},
                {"hots=cama01 dbname=cama", "connection: there is no option \"hots\"", "Did you mean \"host\"?"},
                {"postgresql://cama01/cama?sslmod=require", "connection: there is no option \"sslmod\"", "Did you mean \"sslmode\"?"},
                {"host=cama01 port=five", "connection: the option \"port\" is no number", "Write a number, such as port=5432"},
                {"host=cama01 password=my canary dbname=cama",
                 "connection: what stands at the place of option 3 has no name and value",
                 "Write name=value, values with blanks in 'single quotes'"},
                {"canary", "connection: what stands at the place of option 1 has no name and value",
                 "Write name=value, values with blanks in 'single quotes'"},
                {"=canary", "connection: what stands at the place of option 1 has no name and value",
                 "Write name=value, values with blanks in 'single quotes'"},
                {"password='canary", "connection: the quote of option 1 has no end", "Close it; a quote in a value is \\'"},
                {"postgresql://cama01/cama?sslmode", "connection: an option has no value", "Write ?name=value&name=value"},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *detail = NULL, *remedy = NULL;

                assert_int_equal(connection_mistake(cases[i].text, &detail, &remedy), cases[i].detail ? 1 : 0);
                if (cases[i].detail) {
                        assert_string_equal(detail, cases[i].detail);
                        assert_string_equal(remedy, cases[i].remedy);
                        assert_null(strstr(detail, "canary"));
                }
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_forms)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
