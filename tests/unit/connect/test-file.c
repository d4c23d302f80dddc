/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "connect/file.h"

static void init(Fixture *f) {
        fixture_init(f, "csv", NULL);
        free(f->path);
        f->path = test_file_write(f->folder, "roll.txt", "one\ntwo\n");
        f->system.path = f->folder;
}

static void opens_by_name(void **state) {
        _cleanup_free_ char *path = NULL;
        int fd = -1;
        Fixture f;

        init(&f);
        assert_int_equal(file_table_open(&f.system, true, "roll.txt", &path, &fd, &f.error), 0);
        assert_string_equal(path, f.path);
        (void) close(fd);
        assert_true(file_table_open(&f.system, true, "rol.txt", &path, &fd, &f.error) < 0);
        assert_error(&f, ERROR_TABLE_MISSING, "no file \"rol.txt\"", "\"roll.txt\"");
        assert_true(file_table_open(&f.system, true, "..", &path, &fd, &f.error) < 0);
        assert_error(&f, ERROR_FILE_FORMAT, "is no file", "from:");
        fixture_done(&f);
}

/* Of a file of our own the kernel says that somebody has it open for writing. */
static void tells_a_file_that_is_being_written(void **state) {
        _cleanup_free_ char *path = NULL;
        FILE *writer;
        int fd = -1;
        Fixture f;

        init(&f);
        writer = fopen(f.path, "ae");
        assert_non_null(writer);
        assert_true(file_table_open(&f.system, true, "roll.txt", &path, &fd, &f.error) < 0);
        assert_error(&f, ERROR_SYSTEM_BUSY, "still being written", "rename");
        assert_int_equal(fclose(writer), 0);
        assert_int_equal(file_table_open(&f.system, true, "roll.txt", &path, &fd, &f.error), 0);
        (void) close(fd);
        fixture_done(&f);
}

static void tells_files_apart(void **state) {
        FileIdentity then, now;
        FILE *writer;
        int fd;
        Fixture f;

        init(&f);
        fd = open(f.path, O_RDONLY | O_CLOEXEC);
        assert_int_equal(file_identity_read(fd, &then), 0);
        assert_int_equal(then.size, 8);
        assert_int_equal(file_check_unchanged(fd, &then, f.path, &f.error), 0);
        writer = fopen(f.path, "ae");
        assert_true(fputs("three\n", writer) >= 0);
        assert_int_equal(fclose(writer), 0);
        assert_int_equal(file_identity_read(fd, &now), 0);
        assert_false(file_identity_equal(&then, &now));
        assert_true(file_check_unchanged(fd, &then, f.path, &f.error) < 0);
        assert_error(&f, ERROR_SYSTEM_BUSY, "changed while it was read", "rename");
        (void) close(fd);
        fixture_done(&f);
}

static void digest_of(const char *folder, const char *name, size_t size, char last, Digest *ret) {
        char *path = test_file_write(folder, name, "");
        FILE *file = fopen(path, "we");
        int fd;

        for (size_t i = 0; i + 1 < size; i++)
                fputc((int) ('a' + i % 23), file);
        if (size > 0)
                fputc(last, file);
        assert_int_equal(fclose(file), 0);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        assert_int_equal(file_digest(fd, ret), 0);
        (void) close(fd);
        free(path);
}

static void digests_contents(void **state) {
        static const size_t sizes[] = {0, 1, 1048575, 1048576, 1048577, 2097152};
        char *folder = test_folder_new();
        Digest one, other, earlier = {};

        for (size_t i = 0; i < 6; i++) {
                digest_of(folder, "one", sizes[i], 'x', &one);
                digest_of(folder, "other", sizes[i], 'x', &other);
                assert_true(digest_equal(&one, &other));
                assert_false(digest_equal(&one, &earlier));
                digest_of(folder, "other", sizes[i], 'y', &other);
                assert_int_equal(digest_equal(&one, &other), sizes[i] == 0);
                earlier = one;
        }
        test_folder_remove(folder);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(opens_by_name),
                cmocka_unit_test(tells_a_file_that_is_being_written),
                cmocka_unit_test(tells_files_apart),
                cmocka_unit_test(digests_contents),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
