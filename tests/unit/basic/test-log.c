/* SPDX-License-Identifier: Apache-2.0 */
#include "basic/log.h"
#include "../testing.h"
#include <fcntl.h>

/* What write_lines() puts on stderr, without the time before each line. */
static char *stderr_of(void (*write_lines)(void)) {
        FILE *file = tmpfile();
        int before = dup(STDERR_FILENO);
        char *text = calloc(1, 4096);

        assert_non_null(file);
        assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
        write_lines();
        assert_true(dup2(before, STDERR_FILENO) >= 0);
        close(before);
        rewind(file);
        assert_true(fread(text, 1, 4095, file) < 4095);
        fclose(file);
        return text;
}

static void after_time_is(const char *line, const char *expected) {
        assert_int_equal(strncmp(line, "time=20", 7), 0);
        line = strchr(line, ' ');
        assert_non_null(line);
        assert_string_equal(line + 1, expected);
}

static void write_event(void) {
        log_event(LOG_INFO, MESSAGE_STARTED, "Started \"it\".\nReally.", "OPERATION_ID", "0190-a", "ENTITY",
                  NULL, "SYSTEM", "two words", "SYNC_PAIR", "", NULL);
}

static void test_event(void **state) {
        _cleanup_free_ char *text = NULL;

        unsetenv("LOG_LEVEL");
        log_open("unit-test");
        text = stderr_of(write_event);
        after_time_is(text, "program=unit-test level=info message=\"Started \\\"it\\\".\\nReally.\" "
                            "MESSAGE_ID=8bebcea913c3433d9c258e50d86288be OPERATION_ID=0190-a SYSTEM=\"two "
                            "words\" SYNC_PAIR=\"\"\n");
}

static void write_debug(void) {
        log_debug("Step %d.", 3);
}

static void test_levels(void **state) {
        char *text;

        assert_int_equal(log_set_level("loud"), -EINVAL);
        assert_string_equal(log_level_name(), "info");
        text = stderr_of(write_debug);
        assert_string_equal(text, "");
        free(text);
        assert_int_equal(log_set_level("debug"), 0);
        text = stderr_of(write_debug);
        after_time_is(text, "program=unit-test level=debug message=\"Step 3.\"\n");
        free(text);
        assert_int_equal(log_set_level("error"), 0);
        text = stderr_of(write_event);
        assert_string_equal(text, "");
        free(text);
        assert_int_equal(log_set_level("info"), 0);
}

static void write_error(void) {
        _cleanup_error_ Error error = {};

        error_set(&error, ERROR_DISK_FULL, "Free some space.", "write of \x1b[31m failed");
        assert_int_equal(log_error(MESSAGE_NONE, &error, "Pair %s", "p"), -ENOSPC);
}

static void write_errno(void) {
        assert_int_equal(log_errno(-ENOENT, "No %s", "file"), -ENOENT);
}

static void test_errors(void **state) {
        char *text = stderr_of(write_error);

        after_time_is(text, "program=unit-test level=error "
                            "message=\"Pair p: write of \\x1b[31m failed (TF-1003). Free some space.\"\n");
        free(text);
        text = stderr_of(write_errno);
        after_time_is(text,
                      "program=unit-test level=error message=\"No file: No such file or directory\"\n");
        free(text);
}

static void open_with_level(void) {
        setenv("LOG_LEVEL", "shouting", 1);
        setenv("JOURNAL_STREAM", "1:1", 1); /* another file than stderr: stays with lines */
        log_open("unit-test");
        setenv("LOG_LEVEL", "warning", 1);
        log_open("unit-test");
}

static void test_environment(void **state) {
        _cleanup_free_ char *text = stderr_of(open_with_level);

        assert_non_null(strstr(text, "LOG_LEVEL is \\\"shouting\\\""));
        assert_string_equal(log_level_name(), "warning");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_event), cmocka_unit_test(test_levels), cmocka_unit_test(test_errors),
                cmocka_unit_test(test_environment),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
