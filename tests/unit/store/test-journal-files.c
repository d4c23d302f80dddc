/* SPDX-License-Identifier: Apache-2.0 */
#include "journal-fixture.h"
#include "basic/text.h"
#include "store/journal-internal.h"

static void make(Fixture *f, const char *pair, const char *month) {
        _cleanup_(database_closep) Database *d = NULL;
        _cleanup_free_ char *path = NULL;

        assert_ok(f, store_folder_make(f->folder, "journals", &f->error));
        assert_ok(f, store_database_path(f->folder, PART_JOURNAL, pair, month, &path, &f->error));
        assert_ok(f, database_open(path, journal_migrations, &d, &f->error));
}

static void assert_months(Fixture *f, const char *pair, const char *const *months, size_t n) {
        _cleanup_strings_ char **files = NULL;

        assert_ok(f, journal_files(f->folder, pair, &files, &f->error));
        assert_int_equal(strings_count(files), n);
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *path = NULL;

                assert_ok(f,
                          store_database_path(f->folder, PART_JOURNAL, pair, months[i], &path, &f->error));
                assert_string_equal(files[i], path);
        }
}

static void test_the_oldest_first(void **state) {
        Fixture *f = *state;

        assert_months(f, "pair", NULL, 0);
        make(f, "pair", "2026-02");
        make(f, "pair", "2025-12");
        make(f, "pair", "2026-01");
        assert_months(f, "pair", (const char *const[]){"2025-12", "2026-01", "2026-02"}, 3);
}

/* Names that begin alike, or look like a month, and names too long for an identifier of a server. */
static void test_pairs_are_apart(void **state) {
        static const char a[] = "roll-of-the-county-with-a-very-long-name-indeed-and-some-more-1",
                          b[] = "roll-of-the-county-with-a-very-long-name-indeed-and-some-more-2";
        Fixture *f = *state;

        make(f, "a", "2026-01");
        make(f, "a-2026-01", "2026-02");
        make(f, "a_2026-01", "2026-03");
        make(f, a, "2026-04");
        make(f, b, "2026-05");
        assert_months(f, "a", (const char *const[]){"2026-01"}, 1);
        assert_months(f, "a-2026-01", (const char *const[]){"2026-02"}, 1);
        assert_months(f, "a_2026-01", (const char *const[]){"2026-03"}, 1);
        assert_months(f, a, (const char *const[]){"2026-04"}, 1);
        assert_months(f, b, (const char *const[]){"2026-05"}, 1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_set_up, fixture_tear_down)

int main(void) {
        const struct CMUnitTest tests[] = {TEST(test_the_oldest_first), TEST(test_pairs_are_apart)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
