/* SPDX-License-Identifier: Apache-2.0 */
#include "basic/error.h"
#include "../testing.h"

static void test_table(void **state) {
        for (ErrorId id = ERROR_NONE + 1; id < _ERROR_ID_MAX; id++) {
                assert_int_equal(error_from_code(error_code(id)), id); /* codes are unique */
                assert_int_equal(error_errno(error_from_errno(error_errno(id))),
                                 error_errno(id) == -ENOENT   ? -ENXIO
                                 : error_errno(id) == -EACCES ? -EPERM
                                                              : error_errno(id));
                assert_true(error_http_status(id) >= 400 && error_http_status(id) < 600);
                assert_true(error_exit_status(id) > 0);
                assert_int_equal(strncmp(error_dbus_name(id), "org.terrafusion.Error.", 22), 0);
                assert_true(strlen(error_title(id)) > 0);
        }
        assert_int_equal(error_from_code("TF-9999"), ERROR_NONE);
        assert_int_equal(error_from_code(NULL), ERROR_NONE);
        assert_int_equal(error_from_errno(-EXDEV), ERROR_INTERNAL);
        assert_int_equal(error_from_errno(-ENOSPC), ERROR_DISK_FULL);
        assert_int_equal(error_from_errno(-EIO), ERROR_IO);
        assert_int_equal(error_class(ERROR_RULE), ERROR_CLASS_RECORD);
        assert_int_equal(error_class(ERROR_SYSTEM_BUSY), ERROR_CLASS_TRANSIENT);
}

static void test_origin_sets_once(void **state) {
        _cleanup_error_ Error e = {};
        _cleanup_free_ char *text = NULL;

        assert_int_equal(error_set(&e, ERROR_MAPPING, "Write text.", "type \"%s\" is unknown.", "txt"),
                         -EINVAL);
        assert_int_equal(error_set(&e, ERROR_IO, "Other.", "later"), -EIO);
        assert_int_equal(e.id, ERROR_MAPPING);
        assert_int_equal(error_at(&e, "a.yaml", 3, 14), -EINVAL);
        assert_int_equal(error_at(&e, "b.yaml", 9, 9), -EINVAL);
        assert_int_equal(error_field(&e, "type"), -EINVAL);
        error_prefix(&e, "pair \"%s\"", "p");
        text = error_to_text(&e);
        assert_string_equal(text, "a.yaml:3:14: pair \"p\": type \"txt\" is unknown (TF-2001). Write text.");
        assert_int_equal(error_set(NULL, ERROR_IO, NULL, "nobody listens"), -EIO);
        error_prefix(NULL, "nothing");
        error_done(NULL);
}

static void text_is(const Error *e, const char *expected) {
        _cleanup_free_ char *text = error_to_text(e);

        assert_string_equal(text, expected);
}

static void test_places(void **state) {
        text_is(&(Error) { .id = ERROR_IO }, "Input or output failed (TF-1002).");
        text_is(&(Error) { .id = ERROR_IO, .file = (char *) "f" }, "f: Input or output failed (TF-1002).");
        text_is(&(Error){ .id = ERROR_IO, .file = (char *) "f", .line = 2 },
                "f:2: Input or output failed (TF-1002).");
        text_is(&(Error){ .id = ERROR_IO, .line = 2, .column = 5 },
                "line 2, column 5: Input or output failed (TF-1002).");
}

static void test_move(void **state) {
        _cleanup_error_ Error from = {}, to = {}, late = {};

        error_set(&from, ERROR_GUARD, NULL, "first");
        error_move(&to, &from);
        assert_int_equal(from.id, ERROR_NONE);
        assert_null(from.detail);
        assert_string_equal(to.detail, "first");
        error_set(&late, ERROR_IO, NULL, "second");
        error_move(&to, &late);
        assert_string_equal(to.detail, "first");
        assert_int_equal(late.id, ERROR_NONE);
        error_move(NULL, &to);
        assert_int_equal(to.id, ERROR_NONE);
}

static void test_json(void **state) {
        _cleanup_error_ Error e = {}, back = { .line = 77 };
        json_auto_t *object = NULL,
                    *newer = json_pack("{s:s, s:s}", "code", "TF-9999", "detail", "from tomorrow");

        error_set(&e, ERROR_ARGUMENT, "Give a number.", "limit is \"%s\"", "ten");
        error_field(&e, "limit");
        assert_int_equal(error_to_json(&e, &object), 0);
        assert_int_equal(json_object_size(object), 5); /* no file, line, column */
        assert_string_equal(json_string_value(json_object_get(object, "title")), "Argument is not valid");
        assert_int_equal(error_from_json(object, &back), 0);
        assert_int_equal(back.id, ERROR_ARGUMENT);
        assert_string_equal(back.detail, "limit is \"ten\"");
        assert_string_equal(back.remedy, "Give a number.");
        assert_string_equal(back.field, "limit");
        assert_null(back.file);
        assert_int_equal(back.line, 0);
        error_done(&back);
        assert_int_equal(error_from_json(newer, &back), 0);
        assert_int_equal(back.id, ERROR_INTERNAL);
        assert_string_equal(back.detail, "from tomorrow");
        assert_int_equal(error_from_json(NULL, &back), -EBADMSG);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_table),  cmocka_unit_test(test_origin_sets_once),
                cmocka_unit_test(test_places), cmocka_unit_test(test_move),
                cmocka_unit_test(test_json),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
