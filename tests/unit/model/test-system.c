/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "model/system.h"

static void test_json(void **state) {
        _cleanup_(system_freep) System *s = calloc(1, sizeof *s);
        json_auto_t *json = NULL;

        assert_non_null(s);
        s->name = strdup("pacs");
        s->kind = strdup("sqlite");
        s->path = strdup("/srv/pacs.db");
        s->options = json_pack("{s:s}", "password", "secret");
        json = system_to_json(s);
        assert_string_equal(json_string_value(json_object_get(json, "access")), "read");
        assert_string_equal(json_string_value(json_object_get(json, "path")), "/srv/pacs.db");
        assert_null(json_object_get(json, "password"));
        assert_true(json_is_null(json_object_get(json, "hours")));
        assert_int_equal(json_object_size(json), 5);
}

static void shows(const char *connection, const char *expected) {
        _cleanup_free_ char *shown = connection_shown(connection);

        assert_string_equal(shown, expected);
}

static void test_a_connection_shows_no_secret(void **state) {
        shows("host=cama01 dbname=cama user=tf password=canary", "host=cama01 dbname=cama user=tf");
        shows("user = tf password = 'can ary' host='a b' sslpassword=x port=5433", "host='a b' port=5433 user=tf");
        shows("password='it\\'s canary' dbname=x", "dbname=x");
        shows("password=a\\ canary dbname=x", "dbname=x");
        shows("postgresql://tf:canary@cama01:5433/cama?sslmode=require&password=canary",
              "host=cama01:5433 dbname=cama user=tf");
        shows("postgres://cama01,cama02/cama", "host=cama01,cama02 dbname=cama");
        shows("postgresql://tf:c@n@ry@cama01/cama", "host=cama01 dbname=cama user=tf");
        shows("postgresql://tf:c/an@ry@cama01/cama", "");
        shows("canary", "");
        shows("dbname=x canary", "dbname=x");
        shows("", "");
}

static void test_json_of_a_server(void **state) {
        _cleanup_(system_freep) System *s = calloc(1, sizeof *s);
        _cleanup_free_ char *text = NULL;
        json_auto_t *json = NULL;

        assert_non_null(s);
        s->name = strdup("cama");
        s->kind = strdup("postgresql");
        s->connection = strdup("host=cama01 password=canary");
        s->credential = strdup("cama-password");
        s->may_write = true;
        json = system_to_json(s);
        text = json_dumps(json, JSON_SORT_KEYS);
        assert_string_equal(text, "{\"access\": \"write\", \"connection\": \"host=cama01\", \"credential\": "
                                  "\"cama-password\", \"hours\": null, \"kind\": \"postgresql\", \"name\": \"cama\", \"path\": null}");
}

static void test_hours_are_shown(void **state) {
        System s = {.name = (char *) "pacs", .kind = (char *) "csv", .hours = {1200, 360}};
        json_auto_t *json = system_to_json(&s);

        assert_string_equal(json_string_value(json_object_get(json, "hours")), "20:00-06:00");
}

static void test_json_of_odbc(void **state) {
        _cleanup_(system_freep) System *s = calloc(1, sizeof *s);
        json_auto_t *json = NULL;

        assert_non_null(s);
        s->name = strdup("pacs");
        s->kind = strdup("odbc");
        s->connection = strdup("Driver=FreeTDS;Server=pacs01;PWD=canary; host=x;UID=tf");
        json = system_to_json(s);
        assert_string_equal(json_string_value(json_object_get(json, "connection")), "Driver=FreeTDS;Server=pacs01;host=x;UID=tf");
}

static void test_free_of_null(void **state) { assert_null(system_free(NULL)); }

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_json),
                cmocka_unit_test(test_json_of_a_server),
                cmocka_unit_test(test_json_of_odbc),
                cmocka_unit_test(test_a_connection_shows_no_secret),
                cmocka_unit_test(test_hours_are_shown),
                cmocka_unit_test(test_free_of_null),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
