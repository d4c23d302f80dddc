/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"

#include <fcntl.h>

#include "basic/limits.h"
#include "connect/ogr-features.h"

typedef struct Fixture {
        char *folder, *path;
        int fd;
        FeatureFile *f;
        Error error;
} Fixture;

static int begin(Fixture *x, const char *text) {
        x->path = test_file_write(x->folder, "f.geojson", text);
        x->fd = open(x->path, O_RDONLY | O_CLOEXEC);
        assert_true(x->fd >= 0);
        return features_open(x->fd, x->path, &x->f, &x->error);
}

static int setup(void **state) {
        Fixture *x = calloc(1, sizeof(*x));

        assert_non_null(x);
        x->folder = test_folder_new();
        x->fd = -EBADF;
        *state = x;
        return 0;
}

static int teardown(void **state) {
        Fixture *x = *state;

        features_close(x->f);
        closep(&x->fd);
        error_done(&x->error);
        test_folder_remove(x->folder);
        free(x->path);
        free(x);
        return 0;
}

static void expect_feature(Fixture *x, const char *text, uint64_t line) {
        const char *bytes;
        size_t size;

        assert_int_equal(features_next(x->f, &bytes, &size, &x->error), 1);
        assert_int_equal(size, strlen(text));
        assert_memory_equal(bytes, text, size);
        assert_int_equal(features_line(x->f), line);
}

static void test_one_after_the_other(void **state) {
        Fixture *x = *state;
        const char *bytes, *crs;
        size_t size;

        assert_int_equal(begin(x, "{ \"name\": \"a }]\\\"\",\n\"crs\": {\"type\":\"name\"}, \"n\":-1.5e3,\"features\" : [\n"
                                  "{\"a\":[1,{\"b\":\"}\"}]}\n,{\"c\":\"\\\\\"} ] , \"more\":[{}] }\n"), 0);
        crs = features_crs(x->f, &size);
        assert_int_equal(size, 15);
        assert_memory_equal(crs, "{\"type\":\"name\"}", size);
        expect_feature(x, "{\"a\":[1,{\"b\":\"}\"}]}", 3);
        expect_feature(x, "{\"c\":\"\\\\\"}", 4);
        assert_int_equal(features_next(x->f, &bytes, &size, &x->error), 0);
        assert_int_equal(features_next(x->f, &bytes, &size, &x->error), 0);
}

static void test_none(void **state) {
        Fixture *x = *state;
        const char *bytes;
        size_t size;

        assert_int_equal(begin(x, "\xEF\xBB\xBF{\"type\":\"FeatureCollection\",\"features\":[]}"), 0);
        assert_null(features_crs(x->f, &size));
        assert_int_equal(features_next(x->f, &bytes, &size, &x->error), 0);
}

static void expect_fault(const char *text, const char *what, unsigned line) {
        void *state;
        const char *bytes;
        size_t size;
        Fixture *x;
        int r;

        (void) setup(&state);
        x = state;
        r = begin(x, text);
        while (r >= 0 && (r = features_next(x->f, &bytes, &size, &x->error)) > 0)
                ;
        assert_int_equal(r, error_errno(ERROR_FILE_FORMAT));
        assert_non_null(strstr(x->error.detail, what));
        assert_int_equal(x->error.line, line);
        (void) teardown(&state);
}

static void test_what_is_no_collection(void **state) {
        expect_fault("", "the file ends", 1);
        expect_fault("[1]", "no JSON object", 1);
        expect_fault("{\"type\":\"Feature\"}", "no FeatureCollection", 1);
        expect_fault("{\"features\":{}}", "no array", 1);
        expect_fault("{\"features\":[\n{\"a\":1},\n{\"b\"", "ends within a value", 3);
        expect_fault("{\"features\":[{} {}]}", "a comma", 1);
        expect_fault("{\"features\":[1]}", "a feature is expected", 1);
        expect_fault("{\"features\":[{}]", "the file ends within the collection", 1);
        expect_fault("{\"features\":[{}]}x", "something follows", 1);
        expect_fault("<html>", "no JSON object", 1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_one_after_the_other, setup, teardown),
                cmocka_unit_test_setup_teardown(test_none, setup, teardown),
                cmocka_unit_test(test_what_is_no_collection),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
