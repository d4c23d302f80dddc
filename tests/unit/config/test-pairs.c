/* SPDX-License-Identifier: Apache-2.0 */
#include "reading.h"
#include "config/pairs.h"
#include <sys/stat.h>

#define MAPPING(name, more) \
        "pair: " name "\nsource: pacs\ntarget: cama\n" more "entities: {a: {from: a, key: {k: k}}}\n"

typedef struct Folders {
        char *root, *own, *shipped;
        char *list[3];
        Settings settings;
} Folders;

static int setup(void **state) {
        Folders *f = calloc(1, sizeof *f);

        f->root = test_folder_new();
        assert_true(asprintf(&f->own, "%s/own", f->root) > 0);
        assert_true(asprintf(&f->shipped, "%s/shipped", f->root) > 0);
        assert_int_equal(mkdir(f->own, 0700), 0);
        assert_int_equal(mkdir(f->shipped, 0700), 0);
        f->list[0] = f->own;
        f->list[1] = f->shipped;
        f->settings = settings;
        f->settings.mapping_directories = f->list;
        *state = f;
        return 0;
}

static int teardown(void **state) {
        Folders *f = *state;

        test_folder_remove(f->root);
        free(f->own);
        free(f->shipped);
        free(f);
        return 0;
}

static void put(const char *folder, const char *name, const char *text) {
        free(test_file_write(folder, name, text));
}

static void test_order(void **state) {
        Folders *f = *state;
        _cleanup_mistakes_ Mistakes m = {};
        _cleanup_pairs_ PairSet *set = NULL;
        _cleanup_error_ Error error = {};
        const Pair *pair;

        put(f->own, "one.yaml", MAPPING("one", "depends_on: [two-alias]\n"));
        put(f->own, "two.yaml", MAPPING("two", "aliases: [two-alias]\n"));
        put(f->own, "three.txt", "not read");
        put(f->shipped, "two.yaml", "hidden: by the other\n");
        put(f->shipped, "zero.yaml", MAPPING("zero", ""));
        assert_int_equal(pairs_load(&f->settings, &set, &m), 0);
        assert_int_equal(mistakes_count(&m), 0);
        assert_int_equal(set->n_pairs, 3);
        assert_string_equal(set->pairs[0]->name, "two");
        assert_string_equal(set->pairs[1]->name, "one");
        assert_string_equal(set->pairs[1]->depends_on[0], "two");
        assert_string_equal(set->pairs[2]->name, "zero");
        assert_ptr_equal(pairs_find(set, "two-alias"), set->pairs[0]);
        assert_null(pairs_find(set, NULL));
        assert_int_equal(pairs_get(set, "two", &pair, &error), 0);
        assert_ptr_equal(pair, set->pairs[0]);
        assert_int_equal(pairs_get(set, "tow", &pair, &error), error_errno(ERROR_NOT_FOUND));
        assert_string_equal(error.detail, "There is no pair \"tow\"");
        assert_string_equal(error.remedy, "Did you mean \"two\"?");
}

static void test_broken(void **state) {
        Folders *f = *state;
        _cleanup_mistakes_ Mistakes m = {};
        _cleanup_pairs_ PairSet *set = NULL;
        _cleanup_error_ Error error = {};
        const Pair *pair;

        put(f->own, "bad.yaml", MAPPING("bad", "aliases: [b-1]\nuse: [x]\nnope: 1\n"));
        put(f->own, "good.yaml", MAPPING("good", "depends_on: [bad]\n"));
        put(f->own, "worse.yaml", "a: [\n");
        assert_int_equal(pairs_load(&f->settings, &set, &m), 0);
        assert_int_equal(mistakes_count(&m), 3);
        assert_int_equal(set->n_pairs, 1);
        assert_int_equal(set->n_broken, 2);
        assert_non_null(pairs_find_broken(set, "b-1"));
        assert_non_null(pairs_find_broken(set, "worse"));
        assert_null(pairs_find_broken(set, "good"));
        assert_int_equal(pairs_get(set, "b-1", &pair, &error), error_errno(ERROR_NOT_YET));
        assert_string_equal(error.detail,
                            "The pair \"bad\" has a mistake: \"use\" is not there yet (and 1 more mistake)");
        assert_int_equal(error.line, 5);
}

static void test_names_twice(void **state) {
        Folders *f = *state;
        _cleanup_mistakes_ Mistakes m = {};
        _cleanup_pairs_ PairSet *set = NULL;

        put(f->own, "a.yaml", MAPPING("a", "aliases: [x]\n"));
        put(f->own, "b.yaml", MAPPING("b", "aliases: [x]\n"));
        assert_int_equal(pairs_load(&f->settings, &set, &m), 0);
        assert_int_equal(set->n_pairs, 1);
        assert_int_equal(m.n_errors, 1);
        assert_non_null(strstr(m.errors[0].detail, "A pair is named \"x\" in "));
        assert_non_null(strstr(m.errors[0].file, "b.yaml"));
}

static void test_depends_on(void **state) {
        Folders *f = *state;
        _cleanup_mistakes_ Mistakes m = {};
        _cleanup_pairs_ PairSet *set = NULL;

        put(f->own, "a.yaml", MAPPING("a", "depends_on: [b]\n"));
        put(f->own, "b.yaml", MAPPING("b", "depends_on: [a]\n"));
        put(f->own, "c.yaml", MAPPING("charges", "depends_on: [charge]\n"));
        assert_int_equal(pairs_load(&f->settings, &set, &m), 0);
        assert_int_equal(m.n_errors, 2);
        assert_string_equal(m.errors[0].detail, "There is no pair \"charge\"");
        assert_int_equal(m.errors[0].line, 4);
        assert_string_equal(m.errors[1].detail, "Pairs depend on each other in a circle: a -> b -> a");
        assert_int_equal(set->n_pairs, 1);
        assert_string_equal(set->pairs[0]->name, "b");
}

static void test_nothing(void **state) {
        Folders *f = *state;
        _cleanup_mistakes_ Mistakes m = {};
        _cleanup_pairs_ PairSet *set = NULL;
        _cleanup_error_ Error error = {};
        const Pair *pair;

        f->list[0] = (char *) "/nowhere";
        assert_int_equal(pairs_load(&f->settings, &set, &m), 0);
        assert_int_equal(set->n_pairs, 0);
        assert_true(pairs_get(set, "a", &pair, &error) < 0);
        assert_string_equal(error.remedy, "Put its mapping file into the folder mappings");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_order, setup, teardown),
                cmocka_unit_test_setup_teardown(test_broken, setup, teardown),
                cmocka_unit_test_setup_teardown(test_names_twice, setup, teardown),
                cmocka_unit_test_setup_teardown(test_depends_on, setup, teardown),
                cmocka_unit_test_setup_teardown(test_nothing, setup, teardown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
