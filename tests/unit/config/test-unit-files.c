/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"

#include "basic/text.h"
#include "config/unit-files.h"

static System systems[] = {
        {.name = (char *) "pacs", .kind = (char *) "sqlite", .path = (char *) "/srv/county 100%/pacs.db"},
        {.name = (char *) "cama", .kind = (char *) "sqlite", .path = (char *) "/home/it/\"cama\"/cama.db", .may_write = true},
        {.name = (char *) "list", .kind = (char *) "csv", .path = (char *) "/srv/lists"},
        {.name = (char *) "home", .kind = (char *) "csv", .path = (char *) "/tmp/lists"},
        {.name = (char *) "pg", .kind = (char *) "postgresql", .statement_timeout_usec = 3600000000},
        {.name = (char *) "root", .kind = (char *) "sqlite", .path = (char *) "/root.db"},
        {.name = (char *) "export", .kind = (char *) "csv", .path = (char *) "/srv/export", .may_write = true},
};

static const UnitFile *find(const UnitFiles *u, const char *path) {
        for (size_t i = 0; i < u->n_files; i++)
                if (text_equal(u->files[i].path, path))
                        return u->files + i;
        return NULL;
}

static void test_files(void **state) {
        Pair both = {.name = (char *) "pacs_to_cama", .schedule_incremental = (char *) "*:0/15", .schedule_full = (char *) "Sun 02:00", .file = (char *) "/etc/a%b.yaml"};
        Pair none = {.name = (char *) "other", .file = (char *) "/etc/other.yaml"};
        Pair *pairs[] = {&none, &both};
        System *pointers[7];
        Settings settings = {.systems = pointers, .n_systems = 7, .worker_memory_bytes = 300U << 20};
        PairSet set = {.pairs = pairs, .n_pairs = 2};
        _cleanup_unit_files_ UnitFiles u = {};
        const UnitFile *timer, *drop_in;

        for (size_t i = 0; i < 7; i++)
                pointers[i] = systems + i;
        assert_int_equal(unit_files_make(&settings, &set, &u), 0);
        assert_int_equal(u.n_files, 5);
        timer = find(&u, "terrafusion-sync@pacs_to_cama:incremental.timer");
        assert_non_null(timer);
        assert_true(unit_file_is_timer(timer));
        assert_non_null(strstr(timer->text, "\nOnCalendar=*:0/15\n"));
        assert_non_null(strstr(timer->text, "\nPersistent=yes\n"));
        assert_non_null(strstr(timer->text, "\nSourcePath=/etc/a%%b.yaml\n"));
        assert_non_null(strstr(timer->text, "\nPartOf=terrafusion-syncd.service\n"));
        assert_non_null(strstr(find(&u, "terrafusion-sync@pacs_to_cama:full.timer")->text, "\nOnCalendar=Sun 02:00\n"));
        assert_null(find(&u, "terrafusion.target.wants/terrafusion-sync@pacs_to_cama:full.timer")->text);
        assert_false(unit_file_is_timer(find(&u, "terrafusion.target.wants/terrafusion-sync@pacs_to_cama:full.timer")));
        drop_in = find(&u, "terrafusion-operation@.service.d/50-config.conf");
        assert_false(unit_file_is_timer(drop_in));
        assert_string_equal(strstr(drop_in->text, "[Service]"),
                            "[Service]\n"
                            "MemoryMax=314572800\n"
                            "WatchdogSec=3900\n"
                            "ReadWritePaths=\"-/srv/county 100%%\"\n"
                            "ProtectHome=tmpfs\n"
                            "BindPaths=\"-/home/it/\\\"cama\\\"\"\n"
                            "BindReadOnlyPaths=\"-/tmp/lists\"\n"
                            "ReadWritePaths=\"-/srv/export\"\n");
}

/* Ten minutes, the usual, fit the unit's own patience; none at all means that nobody may say a worker hangs. */
static void test_watchdog(void **state) {
        static const struct {
                const char *kind;
                uint64_t timeout_usec;
                const char *expected;
        } cases[] = {
                {"postgresql", 600000000, NULL}, {"postgresql", 601000000, "WatchdogSec=901\n"},
                {"postgresql", 0, "WatchdogSec=0\n"}, {"odbc", 3600000000, "WatchdogSec=3900\n"},
                {"odbc", 0, "WatchdogSec=0\n"}, {"rest", 3600000000, "WatchdogSec=3900\n"},
                {"ogr", 3600000000, "WatchdogSec=3900\n"}, {"rest", 0, NULL}, {"sqlite", 0, NULL},
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                System system = {.name = (char *) "one", .kind = (char *) cases[i].kind, .statement_timeout_usec = cases[i].timeout_usec};
                System *pointer = &system;
                Settings settings = {.systems = &pointer, .n_systems = 1, .worker_memory_bytes = 1};
                PairSet none = {};
                _cleanup_unit_files_ UnitFiles u = {};
                const char *found;

                assert_int_equal(unit_files_make(&settings, &none, &u), 0);
                found = strstr(u.files[0].text, "WatchdogSec=");
                if (cases[i].expected)
                        assert_string_equal(found, cases[i].expected);
                else
                        assert_null(found);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_files), cmocka_unit_test(test_watchdog)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
