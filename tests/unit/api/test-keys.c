/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "api/command.h"
#include "api/keys.h"

static void test_keys(void **state) {
        _cleanup_(keys_freep) Keys *keys = NULL, *usual = NULL;
        const char *name;
        unsigned scopes = 0;

        (void) setenv("SYNC_SERVICE_API_KEY", "secret", 1);
        assert_int_equal(keys_new(&keys, NULL), 0);
        assert_false(keys_is_default(keys));
        assert_int_equal(keys_check(keys, "secret", NULL, "10.0.0.1", false, 1, &name, &scopes, NULL), 0);
        assert_true(scopes_allow(scopes, SCOPE_ADMIN));
        assert_int_equal(keys_check(keys, NULL, "Bearer secret", "10.0.0.1", false, 1, &name, &scopes, NULL), 0);
        for (unsigned i = 0; i <= KEY_FAILURES_MAX; i++) {
                _cleanup_error_ Error e = {};

                assert_true(keys_check(keys, "wrong", NULL, "10.0.0.2", false, 1000, &name, &scopes, &e) < 0);
                assert_int_equal(e.id, i < KEY_FAILURES_MAX ? ERROR_UNAUTHENTICATED : ERROR_TOO_MANY);
        }
        assert_int_equal(keys_check(keys, "secret", NULL, "10.0.0.2", false, 1000 + 61000000, &name, &scopes, NULL), 0);
        (void) unsetenv("SYNC_SERVICE_API_KEY");
        (void) unsetenv("CREDENTIALS_DIRECTORY");
        assert_int_equal(keys_new(&usual, NULL), 0);
        assert_true(keys_is_default(usual));
        assert_int_equal(keys_check(usual, "dev-api-key", NULL, "127.0.0.1", true, 1, &name, &scopes, NULL), 0);
        assert_true(keys_check(usual, "dev-api-key", NULL, "10.0.0.3", false, 1, &name, &scopes, NULL) < 0);
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_keys) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
