/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "config/yaml.h"

static YamlDocument *parse(const char *text, size_t size, Mistakes *m) {
        YamlDocument *d = NULL;
        int r;

        r = yaml_parse(text, size, "f.yaml", &d, m);
        assert_int_equal(r, d ? 0 : -EBADMSG);
        return d;
}

static void check_refused(const char *text, size_t size, const char *expected) {
        _cleanup_mistakes_ Mistakes m = {};
        _cleanup_yaml_document_ YamlDocument *d = parse(text, size, &m);
        _cleanup_free_ char *line = NULL;

        assert_null(d);
        assert_int_equal(mistakes_count(&m), 1);
        line = error_to_text(&m.errors[0]);
        if (strncmp(line, expected, strlen(expected)) != 0)
                fail_msg("\"%s\" does not begin with \"%s\"", line, expected);
}
#define check_refused_text(text, expected) check_refused(text, sizeof(text) - 1, expected)

static void test_marks(void **state) {
        static const char text[] = "a: 0100\nb:\n  c: [x, \"null\"]\n  \"d\": null\n  e: ~\n  f:\n";
        _cleanup_mistakes_ Mistakes m = {};
        _cleanup_yaml_document_ YamlDocument *d = parse(text, strlen(text), &m);
        const json_t *root = yaml_root(d), *a = json_object_get(root, "a"), *b = json_object_get(root, "b");
        const json_t *c = json_object_get(b, "c"), *quoted = json_array_get(c, 1);

        assert_string_equal(json_string_value(a), "0100");
        assert_int_equal(yaml_node(d, a).place.line, 1);
        assert_int_equal(yaml_node(d, a).place.column, 4);
        assert_int_equal(yaml_place(d, a).column, 1);
        assert_int_equal(yaml_place(d, c).line, 3);
        assert_int_equal(yaml_place(d, c).column, 3);
        assert_int_equal(yaml_place(d, quoted).column, 10);
        assert_false(yaml_is_null(d, quoted));
        assert_true(yaml_node(d, json_array_get(c, 0)).plain);
        assert_true(yaml_is_null(d, json_object_get(b, "d")));
        assert_true(yaml_is_null(d, json_object_get(b, "e")));
        assert_true(yaml_is_null(d, json_object_get(b, "f")));
        assert_true(yaml_is_null(d, NULL));
        assert_int_equal(yaml_node(d, NULL).place.line, 0);
        assert_string_equal(yaml_file(d), "f.yaml");
}

static void test_empty(void **state) {
        _cleanup_mistakes_ Mistakes m = {};
        _cleanup_yaml_document_ YamlDocument *d = parse("# nothing\n", 10, &m);

        assert_true(json_is_object(yaml_root(d)));
        assert_int_equal(yaml_place(d, yaml_root(d)).line, 1);
}

static void test_double(void **state) {
        static const char text[] = "a: {x: 1}\nb: 2\na: {x: 3, y: 4}\na: 5\n";
        _cleanup_mistakes_ Mistakes m = {};
        _cleanup_yaml_document_ YamlDocument *d = parse(text, strlen(text), &m);

        assert_int_equal(m.n_errors, 2);
        assert_string_equal(m.errors[0].detail, "\"a\" stands here twice, first in line 1");
        assert_int_equal(m.errors[0].line, 3);
        assert_int_equal(m.errors[1].line, 4);
        assert_string_equal(json_string_value(json_object_get(json_object_get(yaml_root(d), "a"), "x")),
                            "1");
        assert_int_equal(yaml_place(d, json_object_get(yaml_root(d), "b")).line, 2);
}

static void test_refused(void **state) {
        check_refused_text("a: &x 1\nb: *x\n", "f.yaml:1:4: Anchors and tags are not supported (TF-2000).");
        check_refused_text("b: *x\n", "f.yaml:1:4: An alias (*name) is not supported");
        check_refused_text("a: &x [1]\n", "f.yaml:1:4: Anchors and tags");
        check_refused_text("a: !!int 1\n", "f.yaml:1:4: Anchors and tags");
        check_refused_text("a: 1\n---\nb: 2\n", "f.yaml:3:1: A second document begins here");
        check_refused_text("a:\n\tb: 1\n",
                           "f.yaml:2:1: A tab stands where YAML wants spaces (TF-2000). Indent with spaces");
        check_refused_text("a: 1\nb: \"\xff\"\n",
                           "f.yaml:2:5: A character is not valid UTF-8 (TF-2000). Save the file as UTF-8");
        check_refused_text("ä: \xc3", "f.yaml:1:4: A character is not valid UTF-8");
        check_refused_text("a: \"b\\0c\"\n", "f.yaml:1:4: A text holds a NUL");
        check_refused_text("a: b\0c\n", "f.yaml:1:5: A character that YAML does not allow");
        check_refused_text("{[a]: 1}\n", "f.yaml:1:2: The key of a member has to be a plain text");
        check_refused_text("a: [1\n", "f.yaml:2:1: This is not YAML: ");
        check_refused_text("a: b: c\n", "f.yaml:1:5: This is not YAML: ");
}

static void test_depth(void **state) {
        char text[200];

        memset(text, '[', sizeof text);
        check_refused(text, sizeof text, "f.yaml:1:65: Lists and members are nested more than 64 deep");
}

static void test_load(void **state) {
        _cleanup_mistakes_ Mistakes m = {};
        _cleanup_yaml_document_ YamlDocument *d = NULL;
        char *folder = test_folder_new(), *path = test_file_write(folder, "a.yaml", "a: 1\n");

        assert_int_equal(yaml_load(path, &d, &m), 0);
        assert_string_equal(yaml_file(d), path);
        assert_int_equal(yaml_load("/nowhere/a.yaml", &d, &m), -EBADMSG);
        assert_string_equal(m.errors[0].detail, "The file cannot be read: No such file or directory");
        free(path);
        test_folder_remove(folder);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_marks),   cmocka_unit_test(test_empty), cmocka_unit_test(test_double),
                cmocka_unit_test(test_refused), cmocka_unit_test(test_depth), cmocka_unit_test(test_load),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
