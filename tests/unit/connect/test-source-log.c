/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"

#include "connect/source-log.h"

static void names_are_what_a_server_takes(void **state) {
        char name[LOG_NAME_SIZE], other[LOG_NAME_SIZE];

        source_log_name("pacs_to_cama", "machine /var/lib/terrafusion", name);
        assert_memory_equal(name, "terrafusion_pacs_to_cama_", 25);
        assert_int_equal(strlen(name), 33);
        assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(name));
        source_log_name("pacs_to_cama", "another /var/lib/terrafusion", other);
        assert_string_not_equal(name, other);
        source_log_name("Pacs-to.CAMA", "machine /var/lib/terrafusion", other);
        assert_memory_equal(name, other, 25);
        assert_string_not_equal(name, other);
}

/* What is cut off is told apart all the same, and no name is longer than the server's 63 bytes. */
static void long_names_stay_apart(void **state) {
        char one[LOG_NAME_SIZE], two[LOG_NAME_SIZE], pair[200];

        (void) memset(pair, 'a', sizeof(pair));
        pair[sizeof(pair) - 1] = '\0';
        source_log_name(pair, "", one);
        pair[sizeof(pair) - 2] = 'b';
        source_log_name(pair, "", two);
        assert_string_not_equal(one, two);
        assert_true(strlen(one) < 63);
}

static void a_kind_without_a_log_says_so(void **state) {
        static const Connector connector = {.kind = "fake"};
        Connection c = {&connector};
        _cleanup_error_ Error error = {};
        uint64_t lsn;

        assert_int_equal(source_log_now(&c, &lsn, &error), -EOPNOTSUPP);
        assert_int_equal(error.id, ERROR_NOT_YET);
        source_log_release(&c);
        source_log_release(NULL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(names_are_what_a_server_takes),
                cmocka_unit_test(long_names_stay_apart),
                cmocka_unit_test(a_kind_without_a_log_says_so),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
