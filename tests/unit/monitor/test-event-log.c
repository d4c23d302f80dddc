/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "basic/json.h"
#include "basic/text.h"
#include "monitor/event-log.h"

#include <sys/wait.h>

#define ID "0192aaaa-0000-7000-8000-000000000001"
#define REMOTE "/lib/systemd/systemd-journal-remote"

/* Lines of two operations, of a worker that printed without fields, and of systemd. */
static void journal_make(const char *folder, unsigned n) {
        _cleanup_free_ char *command = NULL;
        FILE *f;

        assert_true(asprintf(&command, REMOTE " -o %s/test.journal - 2>/dev/null", folder) > 0);
        f = popen(command, "w");
        assert_non_null(f);
        for (unsigned i = 0; i < n; i++) {
                (void) fprintf(f, "__REALTIME_TIMESTAMP=%llu\n__MONOTONIC_TIMESTAMP=%u\n_BOOT_ID=0123456789abcdef0123456789abcdef\n",
                               1764000000000000ULL + i * 1000000ULL, i + 1);
                if (i % 4 == 1)
                        (void) fprintf(f, "MESSAGE=other %u\nPRIORITY=6\nOPERATION_ID=0192aaaa-0000-7000-8000-000000000002\n\n", i);
                else if (i % 4 == 2)
                        (void) fprintf(f, "MESSAGE=printed %u\nPRIORITY=3\n_SYSTEMD_UNIT=terrafusion-operation@" ID ".service\n\n", i);
                else if (i % 4 == 3)
                        (void) fprintf(f, "MESSAGE=unit %u\nPRIORITY=5\nUNIT=terrafusion-operation@" ID ".service\n\n", i);
                else
                        (void) fprintf(f, "MESSAGE=line %u\nPRIORITY=6\nOPERATION_ID=" ID "\nENTITY=parcel\nATTEMPT=2\n_PID=77\n"
                                       "MESSAGE_ID=403e50f5f9be4573857396edeee57f91\nSYSLOG_IDENTIFIER=terrafusion-worker\nSECRET=x\n\n", i);
        }
        assert_int_equal(pclose(f), 0);
}

static void test_pages(void **state) {
        char *folder = test_folder_new();
        _cleanup_error_ Error e = {};
        _cleanup_free_ char *cursor = NULL;
        json_t *lines = NULL;
        bool more = false;

        if (access(REMOTE, X_OK) < 0)
                skip();         /* the package systemd-journal-remote makes journals out of text */
        journal_make(folder, 12);
        assert_int_equal(event_log_read(folder, ID, NULL, 5, &lines, &more, &e), 0);
        assert_true(more);
        assert_int_equal(json_array_size(lines), 5);
        assert_string_equal(json_member_text(json_array_get(lines, 0), "message"), "line 0");
        assert_string_equal(json_member_text(json_array_get(lines, 0), "time"), "2025-11-24T16:00:00+00:00");
        assert_string_equal(json_member_text(json_array_get(lines, 0), "entity"), "parcel");
        assert_string_equal(json_member_text(json_array_get(lines, 0), "attempt"), "2");
        assert_string_equal(json_member_text(json_array_get(lines, 0), "message_id"), "403e50f5f9be4573857396edeee57f91");
        assert_string_equal(json_member_text(json_array_get(lines, 0), "identifier"), "terrafusion-worker");
        assert_int_equal(json_member_integer(json_array_get(lines, 0), "priority", -1), 6);
        assert_int_equal(json_member_integer(json_array_get(lines, 0), "pid", -1), 77);
        assert_null(json_object_get(json_array_get(lines, 0), "secret"));
        assert_string_equal(json_member_text(json_array_get(lines, 1), "message"), "printed 2");
        assert_string_equal(json_member_text(json_array_get(lines, 2), "message"), "unit 3");
        cursor = strdup(json_member_text(json_array_get(lines, 4), "cursor"));
        assert_string_equal(json_member_text(json_array_get(lines, 4), "message"), "printed 6");
        json_decref(lines);
        assert_int_equal(event_log_read(folder, ID, cursor, 100, &lines, &more, &e), 0);
        assert_false(more);
        assert_int_equal(json_array_size(lines), 4);
        assert_string_equal(json_member_text(json_array_get(lines, 0), "message"), "unit 7");
        json_decref(lines);
        assert_int_equal(event_log_read(folder, "0192aaaa-0000-7000-8000-00000000000f", NULL, 5, &lines, &more, &e), 0);
        assert_int_equal(json_array_size(lines), 0);
        json_decref(lines);
        test_folder_remove(folder);
}

static void test_what_is_no_journal(void **state) {
        char *folder = test_folder_new();
        _cleanup_error_ Error empty = {}, gone = {}, cursor = {};
        json_t *lines = NULL;
        bool more;

        assert_true(event_log_read(folder, ID, NULL, 5, &lines, &more, &empty) < 0);
        assert_int_equal(empty.id, ERROR_NO_JOURNAL);
        assert_non_null(strstr(empty.remedy, "SupplementaryGroups=systemd-journal"));
        assert_true(event_log_read("/nowhere/at/all", ID, NULL, 5, &lines, &more, &gone) < 0);
        assert_int_equal(gone.id, ERROR_NO_JOURNAL);
        if (access(REMOTE, X_OK) < 0)
                skip();
        journal_make(folder, 2);
        assert_true(event_log_read(folder, ID, "no cursor", 5, &lines, &more, &cursor) < 0);
        assert_int_equal(cursor.id, ERROR_ARGUMENT);
        assert_string_equal(cursor.field, "cursor");
        test_folder_remove(folder);
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_pages), cmocka_unit_test(test_what_is_no_journal) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
