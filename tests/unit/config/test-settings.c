/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "basic/text.h"
#include "config/settings.h"
#include <sys/stat.h>

static int setup(void **state) {
        char *folder = test_folder_new();

        assert_int_equal(setenv("CONFIGURATION_DIRECTORY", folder, 1), 0);
        assert_int_equal(setenv("TERRAFUSION_SHARE", "/share", 1), 0);
        assert_int_equal(setenv("STATE_DIRECTORY", "/state:/other", 1), 0);
        (void) unsetenv("RUNTIME_DIRECTORY");
        (void) unsetenv("LOG_LEVEL");
        (void) unsetenv("SYNC_SERVICE_DB_URL");
        *state = folder;
        return 0;
}

static int teardown(void **state) {
        test_folder_remove(*state);
        return 0;
}

static void put(const char *folder, const char *name, const char *text) {
        free(test_file_write(folder, name, text));
}

static Settings *load(Mistakes *m) {
        Settings *s = NULL;

        assert_int_equal(settings_load(&s, m), 0);
        return s;
}

static void check_mistakes(const Mistakes *m, const char *folder, const char *const *expected) {
        size_t n = 0;

        for (; expected[n]; n++) {
                _cleanup_free_ char *text = NULL;
                assert_true(n < m->n_errors);
                text = error_to_text(&m->errors[n]);
                assert_true(text_starts_with(text, folder));
                assert_string_equal(text + strlen(folder), expected[n]);
        }
        assert_int_equal(m->n_errors, n);
}

static void test_defaults(void **state) {
        _cleanup_mistakes_ Mistakes m = {};
        _cleanup_settings_ Settings *s = load(&m);
        _cleanup_free_ char *own = NULL;

        assert_int_equal(mistakes_count(&m), 0);
        assert_int_equal(s->operations_max, 2);
        assert_true(s->worker_memory_bytes == 512ULL << 20);
        assert_string_equal(s->log_level, "info");
        assert_string_equal(s->state_directory, "/state");
        assert_string_equal(s->runtime_directory, "/run/terrafusion");
        assert_true(asprintf(&own, "%s/mappings", (char *) *state) > 0);
        assert_string_equal(s->mapping_directories[0], own);
        assert_string_equal(s->mapping_directories[1], "/share/mappings");
        assert_null(s->mapping_directories[2]);
}

static void test_files(void **state) {
        const char *folder = *state;
        _cleanup_mistakes_ Mistakes m = {};
        _cleanup_settings_ Settings *s = NULL;
        _cleanup_free_ char *drop_ins = NULL, *path = NULL;
        json_auto_t *json = NULL;

        assert_true(asprintf(&drop_ins, "%s/terrafusion.d", folder) > 0);
        assert_int_equal(mkdir(drop_ins, 0700), 0);
        put(folder, "terrafusion.yaml",
            "systems:\n  pacs: {kind: sqlite, path: pacs.db}\n  rolls: {kind: csv, path: /rolls, delimiter: "
            "\";\"}\n"
            "limits: {operations: 3}\nlog_level: debug\n");
        put(drop_ins, "10-a.yaml", "systems: {pacs: {kind: sqlite, path: /b.db, access: write}}\n");
        put(drop_ins, "20-b.yaml", "limits: {operations: 5, worker_memory: 1G}\n");
        put(drop_ins, "30-c.conf", "not: read\n");
        assert_int_equal(setenv("LOG_LEVEL", "WARNING", 1), 0);
        s = load(&m);
        assert_int_equal(mistakes_count(&m), 0);
        assert_int_equal(s->n_systems, 2);
        assert_string_equal(settings_system(s, "pacs")->path, "/b.db");
        assert_true(settings_system(s, "pacs")->may_write);
        assert_string_equal(
                json_string_value(json_object_get(settings_system(s, "rolls")->options, "delimiter")), ";");
        assert_null(json_object_get(settings_system(s, "rolls")->options, "path"));
        assert_int_equal(settings_system(s, "rolls")->line, 3);
        assert_null(settings_system(s, "gis"));
        assert_int_equal(s->operations_max, 5);
        assert_true(s->worker_memory_bytes == 1ULL << 30);
        assert_string_equal(s->log_level, "warning");
        json = settings_to_json(s);
        assert_true(asprintf(&path, "%s/20-b.yaml:1", drop_ins) > 0);
        assert_string_equal(
                json_string_value(json_object_get(json_object_get(json, "origins"), "limits.operations")),
                path);
        assert_int_equal(json_array_size(json_object_get(json, "systems")), 2);
}

static void test_relative_path(void **state) {
        const char *folder = *state;
        _cleanup_mistakes_ Mistakes m = {};
        _cleanup_settings_ Settings *s = NULL;
        _cleanup_free_ char *path = NULL;

        put(folder, "terrafusion.yaml", "systems: {pacs: {kind: sqlite, path: pacs.db}}\n");
        s = load(&m);
        assert_true(asprintf(&path, "%s/pacs.db", folder) > 0);
        assert_string_equal(settings_system(s, "pacs")->path, path);
}

static void test_mistakes(void **state) {
        static const char *const expected[] = {
                "/terrafusion.yaml:2:13: There is no kind of system \"sqlit\" (TF-2000). Did you mean "
                "\"sqlite\"?",
                "/terrafusion.yaml:3:13: Not there yet is the kind \"kafka\" (TF-2002). Use postgresql, "
                "sqlite, odbc, ogr, rest, csv or fixed for now",
                "/terrafusion.yaml:4:53: The delimiter cannot be \"::\" (TF-2000). Write one character, "
                "such as \";\", or tab",
                "/terrafusion.yaml:5:3: A system cannot be named \"D\" (TF-2000). Names begin with a "
                "lower-case letter and go on with a-z, 0-9, _ and -",
                "/terrafusion.yaml:6:22: \"operations\" cannot be \"0\" (TF-2000). Write a number from 1 to "
                "64",
                "/terrafusion.yaml:7:1: \"retention\" is not there yet (TF-2002). Leave it out for now",
                "/terrafusion.yaml:8:1: The configuration has no member \"loglevel\" (TF-2000). Did you "
                "mean \"log_level\"?",
                NULL,
        };
        _cleanup_mistakes_ Mistakes m = {};
        _cleanup_settings_ Settings *s = NULL;

        put(*state, "terrafusion.yaml",
            "systems:\n  a: {kind: sqlit}\n  b: {kind: kafka, path: x}\n"
            "  c: {kind: csv, path: x, access: write, delimiter: \"::\"}\n  D: {kind: csv, path: x}\n"
            "limits: {operations: 0}\nretention: {operations: long}\nloglevel: debug\n");
        s = load(&m);
        check_mistakes(&m, *state, expected);
        assert_int_equal(s->n_systems, 0);
        assert_int_equal(s->operations_max, 2);
}

static void test_postgresql(void **state) {
        static const char *const expected[] = {
                "/terrafusion.yaml:2:3: connection: is missing from a system of kind \"postgresql\" (TF-2000). "
                "Add connection: such as \"host=… dbname=… user=…\"",
                "/terrafusion.yaml:3:25: \"path\" is no member of a system of kind \"postgresql\" (TF-2000). Leave "
                "it out",
                "/terrafusion.yaml:4:3: path: is missing from a system of kind \"sqlite\" (TF-2000). Add path: with "
                "the file or folder",
                "/terrafusion.yaml:4:21: \"connection\" is no member of a system of kind \"sqlite\" (TF-2000). Leave "
                "it out",
                "/terrafusion.yaml:5:30: \"credential\" is no member of a system of kind \"sqlite\" (TF-2000). Leave "
                "it out",
                NULL,
        };
        _cleanup_mistakes_ Mistakes m = {}, wrong = {};
        _cleanup_settings_ Settings *s = NULL, *other = NULL;
        _cleanup_free_ char *text = NULL;
        json_auto_t *shown = NULL;
        const System *cama;

        put(*state, "terrafusion.yaml",
            "systems:\n  cama:\n    kind: postgresql\n    access: write\n"
            "    connection: \"host=cama01 dbname=cama user=tf password=canary\"\n    credential: cama-password\n"
            "    limits: {statement_timeout: 90s}\n  gis: {kind: postgresql, connection: \"dbname=gis\"}\n");
        s = load(&m);
        assert_int_equal(m.n_errors, 0);
        cama = settings_system(s, "cama");
        assert_string_equal(cama->connection, "host=cama01 dbname=cama user=tf password=canary");
        assert_string_equal(cama->credential, "cama-password");
        assert_int_equal(cama->statement_timeout_usec, 90000000);
        assert_null(cama->path);
        assert_int_equal(settings_system(s, "gis")->statement_timeout_usec, 600000000);
        shown = settings_to_json(s);
        text = json_dumps(shown, 0);
        assert_null(strstr(text, "canary"));
        assert_non_null(strstr(text, "host=cama01 dbname=cama user=tf"));
        put(*state, "terrafusion.yaml",
            "systems:\n  a: {kind: postgresql}\n  b: {kind: postgresql, path: x, connection: \"dbname=b\"}\n"
            "  c: {kind: sqlite, connection: \"dbname=c\"}\n  d: {kind: sqlite, path: x, credential: y}\n");
        other = load(&wrong);
        check_mistakes(&wrong, *state, expected);
        assert_int_equal(other->n_systems, 0);
}

static void test_environment(void **state) {
        _cleanup_mistakes_ Mistakes m = {};
        _cleanup_settings_ Settings *s = NULL;

        assert_int_equal(setenv("LOG_LEVEL", "loud", 1), 0);
        assert_int_equal(setenv("SYNC_SERVICE_DB_URL", "sqlite:////var/lib/state.db?secret", 1), 0);
        s = load(&m);
        assert_int_equal(m.n_errors, 2);
        assert_string_equal(m.errors[0].detail, "SYNC_SERVICE_DB_URL names an SQLite file");
        assert_null(strstr(m.errors[0].remedy, "secret"));
        assert_string_equal(m.errors[1].detail, "LOG_LEVEL cannot be \"loud\"");
        assert_string_equal(s->log_level, "info");
        assert_null(s->store_url);
}

static void test_a_store_on_a_server(void **state) {
        static const char url[] = "postgresql://tf:canary@db.example/terrafusion";
        _cleanup_mistakes_ Mistakes m = {};
        _cleanup_settings_ Settings *s = NULL, *other = NULL;
        _cleanup_free_ char *text = NULL;
        json_auto_t *shown = NULL;

        assert_int_equal(setenv("SYNC_SERVICE_DB_URL", url, 1), 0);
        s = load(&m);
        assert_int_equal(m.n_errors, 0);
        assert_string_equal(s->store_url, url);
        shown = settings_to_json(s);
        text = json_dumps(shown, 0);
        assert_null(strstr(text, "canary"));
        assert_int_equal(setenv("SYNC_SERVICE_DB_URL", "postgresql+psycopg2://tf:canary@db/x", 1), 0);
        other = load(&m);
        assert_int_equal(m.n_errors, 1);
        assert_string_equal(m.errors[0].detail,
                            "SYNC_SERVICE_DB_URL is not the address of a PostgreSQL database");
        assert_null(other->store_url);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_defaults, setup, teardown),
                cmocka_unit_test_setup_teardown(test_files, setup, teardown),
                cmocka_unit_test_setup_teardown(test_relative_path, setup, teardown),
                cmocka_unit_test_setup_teardown(test_postgresql, setup, teardown),
                cmocka_unit_test_setup_teardown(test_mistakes, setup, teardown),
                cmocka_unit_test_setup_teardown(test_a_store_on_a_server, setup, teardown),
                cmocka_unit_test_setup_teardown(test_environment, setup, teardown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
