/* SPDX-License-Identifier: Apache-2.0 */
#include "place.h"

static void test_files(void **state) {
        _cleanup_error_ Error error = {};

        assert_int_equal(store_server_use(NULL, 1000, &error), 0);
        assert_false(store_server_is_used());
        assert_int_equal(store_server_use("", 1000, &error), 0);
        assert_false(store_server_is_used());
        assert_string_equal(store_server_name(), "");
}

static void test_an_address(void **state) {
        static const struct {
                const char *url, *name;
        } rows[] = {
                {"postgresql://tf:canary@db.example/store", "db.example:5432/store"},
                {"postgres://tf:canary@10.0.0.1:5433/store?sslmode=require", "10.0.0.1:5433/store"},
                {"postgresql:///store?host=/run/postgresql", "/run/postgresql:5432/store"},
                {"postgresql://tf@a,b/store?target_session_attrs=read-write", "a,b/store"},
        };
        _cleanup_error_ Error error = {};

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                assert_int_equal(store_server_use(rows[i].url, 1000, &error), 0);
                assert_true(store_server_is_used());
                assert_string_equal(store_server_name(), rows[i].name);
        }
        store_server_done();
        assert_false(store_server_is_used());
}

/* Whatever is wrong with it, it is not repeated: libpq would, password and all. */
static void test_bad_addresses(void **state) {
        static const char *const urls[] = {
                "mysql://tf:canary@db/store",
                "host=db password=canary",
                "postgresql://tf:canary@[::1/store",
                "postgresql://tf:canary%zz@db/store",
                "postgresql://tf:canary@db/store?nonsense=canary",
                "postgresql://tf:canary@db",
                "postgresql://tf:canary@db/store?replication=database",
        };

        for (size_t i = 0; i < ELEMENTSOF(urls); i++) {
                _cleanup_error_ Error error = {};

                assert_int_equal(store_server_use(urls[i], 1000, &error), -EINVAL);
                assert_int_equal(error.id, ERROR_CONFIGURATION);
                assert_non_null(strstr(error.detail, "SYNC_SERVICE_DB_URL"));
                assert_null(strstr(error.detail, "canary"));
                assert_non_null(error.remedy);
                assert_null(strstr(error.remedy, "canary"));
                assert_false(store_server_is_used());
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_files),
                cmocka_unit_test(test_an_address),
                cmocka_unit_test(test_bad_addresses),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
