/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"

#include "config/layout.h"

#define HEAD "layout: small\nencoding: windows-1252\neol: lf\ntables:\n  land:\n    file: \"*_LAND.TXT\"\n    record_length: 20\n    fields:\n"

static void parse(const char *text, Mistakes *m, Layout **ret) {
        int r = layout_parse(text, strlen(text), "/l/small.yaml", m, ret);

        assert_int_equal(r, mistakes_count(m) > 0 ? -EINVAL : 0);
}

static void reads(void **state) {
        _cleanup_mistakes_ Mistakes m = {};
        _cleanup_(layout_freep) Layout *l = NULL, *other = NULL;
        const LayoutTable *t;

        parse(HEAD "      id: {from: 0, to: 4, type: integer}\n      value: {from: 4, to: 12, type: decimal, decimals: 2}\n"
                   "      sold: {from: 12, to: 20, type: date, format: \"%m%d%Y\", null_values: [\"00000000\"], inferred: true}\n",
              &m, &l);
        assert_non_null(l);
        assert_int_equal(l->encoding, ENCODING_WINDOWS1252);
        assert_int_equal(l->end, LAYOUT_END_LF);
        t = layout_table(l, "land");
        assert_string_equal(t->file, "*_LAND.TXT");
        assert_int_equal(t->record_length, 20);
        assert_int_equal(t->n_fields, 3);
        assert_int_equal(t->fields[1].type, VALUE_DECIMAL);
        assert_int_equal(t->fields[1].decimals, 2);
        assert_true(t->fields[1].has_decimals && t->fields[1].trim && !t->fields[1].inferred);
        assert_int_equal(t->fields[2].from, 12);
        assert_string_equal(t->fields[2].null_values[0], "00000000");
        assert_true(t->fields[2].inferred);
        parse(HEAD "      id: {from: 0, to: 5, type: integer}\n", &m, &other);
        assert_int_not_equal(l->hash, other->hash);
}

static void refuse(const char *text, const char *expected) {
        _cleanup_mistakes_ Mistakes m = {};
        Layout *l = NULL;
        char *line;

        parse(text, &m, &l);
        assert_null(l);
        assert_true(m.n_errors > 0);
        line = error_to_text(&m.errors[0]);
        if (!strstr(line, expected))
                fail_msg("\"%s\" does not say \"%s\"", line, expected);
        free(line);
}

static void refuses(void **state) {
        refuse(HEAD "      id: {from: 0, to: 21}\n", "small.yaml:9:7: There is no such place in the record: field \"id\"");
        refuse(HEAD "      id: {from: 4, to: 4}\n", "from < to");
        refuse(HEAD "      id: {from: -1, to: 4}\n", "from < to");
        refuse(HEAD "      id: {from: 0, to: 4}\n      x: {from: 3, to: 5}\n", "small.yaml:10:7: The field lies within another one: \"x\"");
        refuse(HEAD "      id: {from: 0, to: 4, decimals: 2}\n", "decimals: does not fit");
        refuse(HEAD "      id: {from: 0, to: 4, type: decimal, decimals: 40}\n", "decimals: does not fit");
        refuse(HEAD "      id: {from: 0, to: 4, type: date}\n", "no format:");
        refuse(HEAD "      id: {from: 0, to: 4, type: date, format: \"%Q\"}\n", "format: does not fit");
        refuse(HEAD "      id: {from: 0, to: 4, type: uuid}\n", "\"type\" cannot be \"uuid\"");
        refuse(HEAD "      id: {from: 0, too: 4}\n", "Did you mean \"to\"?");
        refuse("layout: x\nencoding: utf-16\ntables: {}\n", "cannot have the encoding \"utf-16\"");
        refuse("layout: x\neol: cr\ntables: {}\n", "eol: cannot be \"cr\"");
        refuse("layout: x\ntables: {a: {file: x, record_length: 0, fields: {}}}\n", "record_length: is no length for \"a\"");
        refuse("layout: x\n", "\"tables\"");
}

/* What is shipped is right. */
static void reads_the_shipped_one(void **state) {
        const char *source = getenv("TERRAFUSION_SOURCE");
        _cleanup_mistakes_ Mistakes m = {};
        _cleanup_(layout_freep) Layout *l = NULL;
        char *path;

        assert_true(asprintf(&path, "%s/mappings/layouts/pacs-appraisal-export.yaml", source ? source : SOURCE_ROOT) > 0);
        assert_int_equal(layout_load(path, &m, &l), 0);
        free(path);
        assert_int_equal(l->n_tables, 7);
        assert_int_equal(layout_table(l, "appraisal_info")->record_length, 9247);
        assert_int_equal(layout_table(l, "appraisal_entity_info")->record_length, 2750);
        assert_int_equal(layout_table(l, "appraisal_land_detail")->record_length, 199);
        assert_int_equal(layout_table(l, "appraisal_improvement_detail")->record_length, 622);
        assert_int_equal(layout_load("/nowhere.yaml", &m, &l), -EINVAL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(reads),
                cmocka_unit_test(refuses),
                cmocka_unit_test(reads_the_shipped_one),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
