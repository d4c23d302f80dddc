/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "connect/csv-writer.h"

static void names_the_file_beside(void **state) {
        char *one = csv_staged_path("/srv/roll/parcel.csv"), *other = csv_staged_path("parcel.csv");

        assert_string_equal(one, "/srv/roll/.parcel.csv.terrafusion");
        assert_string_equal(other, ".parcel.csv.terrafusion");
        free(one);
        free(other);
}

static void stages_each_file_once(void **state) {
        CsvStage *one = NULL, *again = NULL, *other = NULL;
        CsvConnection *c;
        Fixture f;

        fixture_init(&f, "csv", NULL);
        f.system.path = f.folder;
        fixture_open(&f, true);
        c = (CsvConnection *) f.connection;
        assert_int_equal(csv_begin(f.connection, &f.error), 0);
        assert_int_equal(csv_stage_find(c, f.path, &one, &f.error), 0);
        assert_int_equal(csv_stage_find(c, f.path, &again, &f.error), 0);
        assert_int_equal(csv_stage_find(c, "/nowhere", &other, &f.error), 0);
        assert_ptr_equal(one, again);
        assert_ptr_not_equal(one, other);
        assert_false(one->has_base);
        /* What was written is gone when the transaction is. */
        one->staged_path = test_file_write(f.folder, ".county.db.terrafusion", "id\n1\n");
        assert_int_equal(csv_rollback(f.connection), 0);
        assert_null(c->stage);
        assert_int_equal(access(f.path, F_OK), -1);
        assert_int_equal(csv_begin(f.connection, &f.error), 0);
        assert_int_equal(csv_stage_find(c, f.path, &one, &f.error), 0);
        one->staged_path = test_file_write(f.folder, ".county.db.terrafusion", "id\n1\n");
        assert_int_equal(csv_commit(f.connection, &f.error), 0);
        assert_int_equal(access(f.path, F_OK), 0);
        fixture_done(&f);
}

static void needs_write_access(void **state) {
        Fixture f;

        fixture_init(&f, "csv", NULL);
        f.system.path = f.folder;
        fixture_open(&f, false);
        assert_true(csv_begin(f.connection, &f.error) < 0);
        assert_error(&f, ERROR_SYSTEM_READ_ONLY, "opened for reading", "access: write");
        fixture_done(&f);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(names_the_file_beside),
                cmocka_unit_test(stages_each_file_once),
                cmocka_unit_test(needs_write_access),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
