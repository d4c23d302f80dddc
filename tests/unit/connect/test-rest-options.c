/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/rest-options.h"
#include "../testing.h"
#include "basic/text.h"

static RestOptions *options_of(const char *json, Error *error) {
        static System system = {.name = (char *) "erp", .file = (char *) "terrafusion.yaml", .line = 3};
        RestOptions *o = NULL;

        json_decref(system.options);
        system.options = json_loads(json, 0, NULL);
        assert_non_null(system.options);
        return rest_options_read(&system, &o, error) < 0 ? NULL : o;
}

static void test_defaults(void **state) {
        _cleanup_(rest_options_freep) RestOptions *o = options_of("{\"url\": \"https://h/odata/\"}", NULL);

        assert_string_equal(o->url, "https://h/odata");
        assert_int_equal(o->protocol, REST_ODATA);
        assert_int_equal(o->paging, REST_PAGING_KEY);
        assert_int_equal(o->batch_size, 100);
        assert_int_equal(o->auth, REST_AUTH_NONE);
}

static void test_tables(void **state) {
        _cleanup_(rest_options_freep) RestOptions *o =
                options_of("{\"url\": \"https://h\", \"protocol\": \"json\", \"tables\": {\"a\": {\"path\": \"/x/a\", \"records\": \"/data\", "
                           "\"paging\": \"offset\", \"first_page\": \"0\", \"update\": \"PUT\"}}}", NULL);
        const RestTable *t;

        assert_int_equal(rest_table(o, "a", &t), 0);
        assert_string_equal(t->path, "/x/a");
        assert_int_equal(t->paging, REST_PAGING_OFFSET);
        assert_string_equal(t->page, "offset");
        assert_string_equal(t->size, "limit");
        assert_string_equal(t->insert_method, "POST");
        assert_string_equal(t->update_method, "PUT");
        assert_int_equal(rest_table(o, "b", &t), 0);
        assert_string_equal(t->path, "/b");
        assert_int_equal(t->paging, REST_PAGING_NONE);
}

static void test_auth(void **state) {
        _cleanup_(rest_options_freep) RestOptions *o =
                options_of("{\"url\": \"https://h\", \"auth\": {\"oauth2\": {\"token_url\": \"https://t/x\", \"client_id\": \"c\", \"credential\": \"s\"}}}", NULL);

        assert_int_equal(o->auth, REST_AUTH_OAUTH2);
        assert_string_equal(o->credential, "s");
}

static void refused(const char *json, const char *detail) {
        _cleanup_error_ Error error = {};

        assert_null(options_of(json, &error));
        assert_int_equal(error.id, ERROR_CONFIGURATION);
        if (!strstr(error.detail, detail))
                fail_msg("%s: %s", json, error.detail);
        assert_non_null(error.remedy);
        assert_int_equal(error.line, 3);
}

static void test_refusals(void **state) {
        refused("{}", "the address is none");
        refused("{\"url\": \"ftp://h\"}", "the address is none");
        refused("{\"url\": \"https://\"}", "the address is none");
        refused("{\"url\": \"https://u:p@h/\"}", "user or password");
        refused("{\"url\": \"https://h/?a=1\"}", "parameters");
        refused("{\"url\": \"http://h\", \"auth\": {\"bearer\": {\"credential\": \"s\"}}}", "without encryption");
        refused("{\"url\": \"http://localhost.evil.example\", \"auth\": {\"bearer\": {\"credential\": \"s\"}}}", "without encryption");
        refused("{\"url\": \"https://h\", \"auth\": {}}", "names no way");
        refused("{\"url\": \"https://h\", \"auth\": {\"basic\": {\"credential\": \"s\"}}}", "no user");
        refused("{\"url\": \"https://h\", \"auth\": {\"oauth2\": {\"credential\": \"s\"}}}", "no token_url");
        refused("{\"url\": \"https://h\", \"auth\": {\"oauth2\": {\"credential\": \"s\", \"client_id\": \"c\", \"token_url\": \"http://t/\"}}}", "without encryption");
        refused("{\"url\": \"https://h\", \"protocol\": \"soap\"}", "protocol is unknown");
        refused("{\"url\": \"https://h\", \"page_size\": \"-1\"}", "out of range");
        refused("{\"url\": \"https://h\", \"tables\": {\"a\": {\"paging\": \"cursor\"}}}", "where the cursor is");
}

static void test_safe(void **state) {
        assert_true(rest_url_is_safe("https://h"));
        assert_true(rest_url_is_safe("http://localhost:80/x"));
        assert_true(rest_url_is_safe("http://127.0.0.1"));
        assert_true(rest_url_is_safe("http://[::1]/"));
        assert_false(rest_url_is_safe("http://127.0.0.1.example"));
        assert_false(rest_url_is_safe("http://h"));
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_defaults), cmocka_unit_test(test_tables), cmocka_unit_test(test_auth),
                                           cmocka_unit_test(test_refusals), cmocka_unit_test(test_safe)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
