/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"

#include "connect/sqlstate.h"

static void state_is(const char *state, bool of_record, ErrorId id, ErrorClass class, const char *remedy) {
        const char *said = NULL;
        ErrorId got = sqlstate_error(state, of_record, &said);

        if (got != id)
                fail_msg("%s is %s, expected %s", state, error_code(got), error_code(id));
        assert_int_equal(error_class(id), class);
        assert_non_null(said);
        if (remedy && !strstr(said, remedy))
                fail_msg("%s: \"%s\" does not say \"%s\"", state, said, remedy);
}

static void transient_ones(void **state) {
        state_is(NULL, true, ERROR_SYSTEM_UNAVAILABLE, ERROR_CLASS_TRANSIENT, "reached");
        state_is("", false, ERROR_SYSTEM_UNAVAILABLE, ERROR_CLASS_TRANSIENT, "reached");
        state_is("08006", true, ERROR_SYSTEM_UNAVAILABLE, ERROR_CLASS_TRANSIENT, NULL);
        state_is("40001", true, ERROR_SYSTEM_BUSY, ERROR_CLASS_TRANSIENT, "another session");
        state_is("40P01", true, ERROR_SYSTEM_BUSY, ERROR_CLASS_TRANSIENT, NULL);
        state_is("53300", false, ERROR_SYSTEM_BUSY, ERROR_CLASS_TRANSIENT, "max_connections");
        state_is("53100", true, ERROR_DISK_FULL, ERROR_CLASS_TRANSIENT, "room");
        state_is("53200", true, ERROR_SYSTEM_BUSY, ERROR_CLASS_TRANSIENT, "memory");
        state_is("55P03", true, ERROR_SYSTEM_BUSY, ERROR_CLASS_TRANSIENT, "pg_locks");
        state_is("57014", true, ERROR_SYSTEM_BUSY, ERROR_CLASS_TRANSIENT, "statement_timeout");
        state_is("57P01", true, ERROR_SYSTEM_UNAVAILABLE, ERROR_CLASS_TRANSIENT, "restarted");
        state_is("57P03", false, ERROR_SYSTEM_UNAVAILABLE, ERROR_CLASS_TRANSIENT, "starting");
        state_is("58030", true, ERROR_IO, ERROR_CLASS_TRANSIENT, "disk");
        state_is("99999", false, ERROR_SYSTEM_BUSY, ERROR_CLASS_TRANSIENT, "log");
}

static void permanent_ones(void **state) {
        state_is("28P01", false, ERROR_SYSTEM_REFUSED, ERROR_CLASS_PERMANENT, "credential");
        state_is("28000", false, ERROR_SYSTEM_REFUSED, ERROR_CLASS_PERMANENT, "pg_hba.conf");
        state_is("3D000", false, ERROR_SYSTEM_REFUSED, ERROR_CLASS_PERMANENT, "dbname=");
        state_is("25006", true, ERROR_SYSTEM_READ_ONLY, ERROR_CLASS_PERMANENT, "primary");
        state_is("42501", true, ERROR_SYSTEM_REFUSED, ERROR_CLASS_PERMANENT, "grant");
        state_is("42P01", true, ERROR_TABLE_MISSING, ERROR_CLASS_PERMANENT, NULL);
        state_is("42703", true, ERROR_COLUMN_MISSING, ERROR_CLASS_PERMANENT, NULL);
        state_is("42601", false, ERROR_SYSTEM_REFUSED, ERROR_CLASS_PERMANENT, "where:");
        state_is("0A000", true, ERROR_SYSTEM_REFUSED, ERROR_CLASS_PERMANENT, NULL);
        state_is("XX001", true, ERROR_SYSTEM_REFUSED, ERROR_CLASS_PERMANENT, "log");
        state_is("25P02", true, ERROR_INTERNAL, ERROR_CLASS_PERMANENT, NULL);
}

static void ones_of_a_record(void **state) {
        static const char *const states[] = {"22001", "22003", "22021", "23502", "23503", "23505", "23514",
                                             "23P01", "44000", "P0001", "54000", "XX000"};

        for (size_t i = 0; i < ELEMENTSOF(states); i++) {
                state_is(states[i], true, ERROR_RECORD_REFUSED, ERROR_CLASS_RECORD, "record");
                /* While nothing of a record is written they concern the whole run. */
                state_is(states[i], false, ERROR_SYSTEM_REFUSED, ERROR_CLASS_PERMANENT, NULL);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(transient_ones),
                cmocka_unit_test(permanent_ones),
                cmocka_unit_test(ones_of_a_record),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
