/* SPDX-License-Identifier: Apache-2.0 */
#include "reading.h"

#define PAIR_WITH(lookup) \
        PAIR_HEAD "    {from: a, key: {k: k}, fields: {f: {from: c, lookup: codes.csv" lookup "}}}\n"

static int read_with(const char *folder, const char *text, Pair **ret, Mistakes *mistakes) {
        char *path = NULL;
        int r;

        assert_true(asprintf(&path, "%s/p.yaml", folder) > 0);
        r = pair_read_text(text, path, ret, mistakes);
        free(path);
        return r;
}

static void check_good(const char *text, LookupOtherwise otherwise, const char *otherwise_text) {
        _cleanup_mistakes_ Mistakes m = {};
        _cleanup_pair_ Pair *p = NULL;
        char *folder = test_folder_new(),
             *path = test_file_write(folder, "codes.csv",
                                     "code,value,note\n2,two\n1,one,x\n\n1,one\n\"a,b\",\n");
        const Lookup *l;

        assert_int_equal(read_with(folder, text, &p, &m), 1);
        l = p->mappings[0].fields[1].lookup;
        assert_string_equal(lookup_find(l, "1", 1), "one");
        assert_string_equal(lookup_find(l, "2", 1), "two");
        assert_string_equal(lookup_find(l, "a,b", 3), "");
        assert_null(lookup_find(l, "code", 4));
        assert_int_equal(l->otherwise, otherwise);
        if (otherwise_text)
                assert_string_equal(l->otherwise_text, otherwise_text);
        else
                assert_null(l->otherwise_text);
        free(path);
        test_folder_remove(folder);
}

static void test_good(void **state) {
        check_good(PAIR_WITH(""), LOOKUP_ERROR, NULL);
        check_good(PAIR_WITH(", otherwise: error"), LOOKUP_ERROR, NULL);
        check_good(PAIR_WITH(", otherwise: null"), LOOKUP_NULL, NULL);
        check_good(PAIR_WITH(", otherwise: keep"), LOOKUP_KEEP, NULL);
        check_good(PAIR_WITH(", otherwise: \"keep\""), LOOKUP_TEXT, "keep");
        check_good(PAIR_WITH(", otherwise: OTHER"), LOOKUP_TEXT, "OTHER");
}

static void check_bad(const char *table, const char *detail, unsigned line) {
        _cleanup_mistakes_ Mistakes m = {};
        _cleanup_pair_ Pair *p = NULL;
        char *folder = test_folder_new(), *path = test_file_write(folder, "codes.csv", table);

        assert_int_equal(read_with(folder, PAIR_WITH(""), &p, &m), 0);
        assert_int_equal(m.n_errors, 1);
        assert_string_equal(m.errors[0].detail, detail);
        assert_int_equal(m.errors[0].line, line);
        assert_string_equal(m.errors[0].file, path);
        assert_non_null(m.errors[0].remedy);
        free(path);
        test_folder_remove(folder);
}

static void test_bad(void **state) {
        check_bad("", "The code table is empty", 0);
        check_bad("code,value\n1,one\n2,two\n1,uno\n", "The code \"1\" has two values", 4);
        check_bad("code,value\n1,one\nalone\n", "A line has one column only", 3);
        check_bad("code,value\n1,\"one\n", "This is not CSV", 2);
        check_bad("code,value\n1,\xff\n", "A character is not valid UTF-8", 2);
}

static void test_missing(void **state) {
        pair_bad(
                PAIR_WITH(""),
                "p.yaml:7:58: The code table codes.csv cannot be read: No such file or directory (TF-2001). "
                "Check the path; it is meant from the mapping file\n");
}

/* The codes are part of the mapping: when they change, every record is compared again. */
static void test_hash(void **state) {
        _cleanup_mistakes_ Mistakes m = {};
        _cleanup_pair_ Pair *a = NULL, *b = NULL;
        char *folder = test_folder_new();

        free(test_file_write(folder, "codes.csv", "code,value\n1,one\n"));
        assert_int_equal(read_with(folder, PAIR_WITH(""), &a, &m), 1);
        free(test_file_write(folder, "codes.csv", "code,value\n1,uno\n"));
        assert_int_equal(read_with(folder, PAIR_WITH(""), &b, &m), 1);
        assert_true(a->content_hash != b->content_hash);
        test_folder_remove(folder);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),
                cmocka_unit_test(test_bad),
                cmocka_unit_test(test_missing),
                cmocka_unit_test(test_hash),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
