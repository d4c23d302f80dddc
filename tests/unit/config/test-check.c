/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "config/check.h"

static const char *const colours[] = {"red", "green", NULL};
static const Field inner[] = {{"x", FIELD_INTEGER, .required = true, .summary = "a number"}, {}};
static const Field table[] = {
        {"name", FIELD_NAME, .required = true, .summary = "its name"},
        {"colour", FIELD_TEXT, .choices = colours},
        {"on", FIELD_BOOLEAN},
        {"after", FIELD_DURATION},
        {"size", FIELD_SIZE},
        {"tags", FIELD_TEXTS},
        {"inner", FIELD_OBJECT, .members = inner},
        {"all", FIELD_MAP, .members = inner},
        {"list", FIELD_ARRAY},
        {"any", FIELD_ANY},
        {"later", FIELD_ANY, .not_yet = true},
        {},
};

static void check(const char *text, const char *expected) {
        _cleanup_mistakes_ Mistakes m = {};
        _cleanup_yaml_document_ YamlDocument *d = NULL;
        char *printed = NULL;
        size_t size;
        FILE *stream;

        assert_int_equal(yaml_parse(text, strlen(text), "f", &d, &m), 0);
        check_object(d, yaml_root(d), table, "The thing", ERROR_CONFIGURATION, &m);
        stream = open_memstream(&printed, &size);
        mistakes_print(&m, stream);
        assert_int_equal(fclose(stream), 0);
        assert_string_equal(printed, expected);
        free(printed);
}

static void test_good(void **state) {
        check("name: a-b\ncolour: red\non: true\nafter: 10min\nsize: 5M\ntags: [a, '']\ninner: {x: "
              "-5}\nall: {p: {x: 1}, q: {x: 2}}\n"
              "list: [[1]]\nany:\n",
              "");
}

static void test_bad(void **state) {
        check("namex: a\n", "f:1:1: The thing has no member \"namex\" (TF-2000). Did you mean \"name\"?\n"
                            "f:1:1: The thing lacks the member \"name\" (TF-2000). Add name: its name\n");
        check("name: A\ncolour: gren\non: yes\n",
              "f:1:7: \"name\" wants a name, not \"A\" (TF-2000). Names begin with a lower-case letter and "
              "go on with a-z, 0-9, _ and -, 63 characters at most\n"
              "f:2:9: \"colour\" cannot be \"gren\" (TF-2000). Did you mean \"green\"?\n"
              "f:3:5: \"on\" wants true or false, not \"yes\" (TF-2000). Write true or false\n");
        check("name: a\nafter: 10\nsize: big\ntags: a\n",
              "f:2:8: \"after\" wants a duration such as 10min, not \"10\" (TF-2000). Write a number with "
              "one of us ms s min h d w y, such as 10min\n"
              "f:3:7: \"size\" wants a size such as 512M, not \"big\" (TF-2000). Write a number with one of "
              "K M G T, such as 512M\n"
              "f:4:7: \"tags\" wants a list of texts, not \"a\" (TF-2000). Write a list in brackets: [one, "
              "two]\n");
        check("name: a\ninner: {y: 1}\nall: {p: 5}\nlist: {}\n",
              "f:2:9: inner has no member \"y\" (TF-2000). Did you mean \"x\"?\n"
              "f:2:1: inner lacks the member \"x\" (TF-2000). Add x: a number\n"
              "f:3:7: \"p\" of \"all\" wants members with names, not a single value (TF-2000). Write members: name, "
              "colon, value\n"
              "f:4:7: \"list\" wants a list, not members with names (TF-2000).\n");
        check("name: a\ninner: 5\n", "f:2:8: \"inner\" wants members with names, not \"5\" (TF-2000). Write members, "
                                    "such as inner: {x: …}\n");
        check("name:\nlater: 1\n", "f:1:1: \"name\" has no value; it wants a name (TF-2000). Write a value, "
                                   "or leave the member out\n"
                                   "f:2:1: \"later\" is not there yet (TF-2002). Leave it out for now\n");
        check("[a]", "f:1:1: The thing wants members with names, not a list (TF-2000). Write members: name, "
                     "colon, value\n");
}

static void test_half_of_decimal(void **state) {
        check("name: a\n2): \n", "f:2:1: The thing has no member \"2)\" (TF-2000). Use one of name, colour, "
                                 "on, after, size, tags, inner, all, list, any\n");
}

static void test_suggestion(void **state) {
        const char *const names[] = {"parcel", "sale"};
        char *near = check_suggestion("parcels", names, 2),
             *far = check_suggestion("neighborhood", names, 2);

        assert_string_equal(near, "Did you mean \"parcel\"?");
        assert_string_equal(far, "Use one of parcel, sale");
        assert_null(check_suggestion("x", names, 0));
        free(near);
        free(far);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),
                cmocka_unit_test(test_bad),
                cmocka_unit_test(test_half_of_decimal),
                cmocka_unit_test(test_suggestion),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
