/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What every unit test includes: cmocka in the order it wants, and a folder of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

/* A new empty folder under $TMPDIR or /tmp. Allocated; the caller frees the text, test_folder_remove() the folder. */
static inline char *test_folder_new(void) {
        const char *parent = getenv("TMPDIR");
        char *path = NULL;

        assert_true(asprintf(&path, "%s/terrafusion-test-XXXXXX", parent ? parent : "/tmp") > 0);
        assert_non_null(mkdtemp(path));
        return path;
}

static inline void test_folder_remove(char *path) {
        char *command = NULL;

        assert_true(asprintf(&command, "rm -rf -- '%s'", path) > 0);
        assert_int_equal(system(command), 0);
        free(command);
        free(path);
}

/* Writes a text file folder/name; the path is allocated. */
static inline char *test_file_write(const char *folder, const char *name, const char *text) {
        char *path = NULL;
        FILE *file;

        assert_true(asprintf(&path, "%s/%s", folder, name) > 0);
        file = fopen(path, "we");
        assert_non_null(file);
        assert_true(fputs(text, file) >= 0);
        assert_int_equal(fclose(file), 0);
        return path;
}
