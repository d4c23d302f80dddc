/* SPDX-License-Identifier: Apache-2.0 */
#include "reading.h"

#define FIELD_LINE(text) PAIR_HEAD "    from: a\n    key: {k: k}\n    fields:\n      f: " text "\n"

static const MappingField *field_of(const Pair *p) { return &p->mappings[0].fields[1]; }

static void test_short(void **state) {
        _cleanup_pair_ Pair *p = pair_good(FIELD_LINE("col"));
        const MappingField *f = field_of(p);

        assert_string_equal(f->name, "f");
        assert_false(f->is_key);
        assert_int_equal(f->column, 1);
        assert_int_equal(f->type, VALUE_ABSENT);
        assert_int_equal(f->minimum.type, VALUE_ABSENT);
        assert_int_equal(f->max_length, -1);
        assert_int_equal(f->line, 10);
        assert_int_equal(f->column_number, 7);
}

static void test_decimal(void **state) {
        _cleanup_pair_ Pair *p = pair_good(
                FIELD_LINE("{from: c, type: \"decimal(14, 2)\", minimum: 0, maximum: 99.50, required: true, "
                           "unique: true, accept: rounds}"));
        const MappingField *f = field_of(p);

        assert_int_equal(f->type, VALUE_DECIMAL);
        assert_int_equal(f->precision, 14);
        assert_int_equal(f->scale, 2);
        assert_int_equal(f->minimum.type, VALUE_DECIMAL);
        assert_int_equal(f->maximum.decimal.scale, 2);
        assert_true(f->required && f->unique);
        assert_int_equal(f->accept, ACCEPT_ROUNDS);
}

static void test_date(void **state) {
        _cleanup_pair_ Pair *p = pair_good(
                FIELD_LINE("{from: c, type: date, format: \"%m/%d/%Y\", null_values: [\"\", "
                           "\"00/00/0000\"], minimum: 1900-01-01, trim: true}"));
        const MappingField *f = field_of(p);

        assert_string_equal(f->format, "%m/%d/%Y");
        assert_string_equal(f->null_values[0], "");
        assert_string_equal(f->null_values[1], "00/00/0000");
        assert_null(f->null_values[2]);
        assert_int_equal(f->minimum.type, VALUE_DATE);
        assert_true(f->minimum.integer == -25567);
        assert_true(f->trim);
}

/* A list of formats: each is checked at its own place. */
static void test_formats(void **state) {
        _cleanup_pair_ Pair *p = pair_good(
                FIELD_LINE("{from: c, type: date, format: [\"%m/%d/%Y %H:%M:%S\", \"%m/%d/%Y\"]}"));
        const MappingField *f = field_of(p);

        assert_string_equal(f->format, "%m/%d/%Y %H:%M:%S");
        assert_string_equal(f->more_formats[0], "%m/%d/%Y");
        assert_null(f->more_formats[1]);
        pair_bad(FIELD_LINE("{from: c, type: date, format: [\"%m\", \"%Q\"]}"),
                 "p.yaml:10:47: \"%Q\" is no format of dates (TF-2001). Use %Y %y %m %d %H %M %S %f %e %b "
                 "%B %p %I %j and what stands between them\n");
}

static void test_text(void **state) {
        _cleanup_pair_ Pair *p = pair_good(FIELD_LINE("{from: c, type: text, min_length: 2, max_length: "
                                                      "120, pattern: \"[A-Z]+\", enum: [A, 0100]}"));
        const MappingField *f = field_of(p);

        assert_int_equal(f->min_length, 2);
        assert_int_equal(f->max_length, 120);
        assert_int_equal(pattern_match(f->pattern, "ABC", 3), 1);
        assert_int_equal(pattern_match(f->pattern, "abc", 3), 0);
        assert_string_equal(f->enumeration[1], "0100");
}

static void test_constants(void **state) {
        _cleanup_pair_ Pair *p = pair_good(
                PAIR_HEAD "    {from: a, key: {k: k}, fields: {a: {value: PACS}, b: {variable: tax_year}, "
                          "c: {variable: code}, d: {value: null}, e: {value: 7, type: text}}}\n");
        const MappingField *f = p->mappings[0].fields;

        assert_int_equal(f[1].column, -1);
        assert_memory_equal(f[1].constant.bytes, "PACS", 4);
        assert_int_equal(f[2].constant.integer, 1996);
        assert_int_equal(f[3].constant.type, VALUE_TEXT);
        assert_memory_equal(f[3].constant.bytes, "01", 2);
        assert_int_equal(f[4].constant.type, VALUE_NULL);
        assert_int_equal(f[5].constant.type, VALUE_TEXT);
}

static void test_geometry(void **state) {
        _cleanup_pair_ Pair *p = pair_good(FIELD_LINE("{from: c, type: geometry, srid: \"EPSG:2927\"}"));

        assert_int_equal(field_of(p)->srid, 2927);
        pair_bad(FIELD_LINE("{from: c, type: text, srid: x}"),
                 "p.yaml:10:32: \"srid\" is for geometry only (TF-2001). Add type: geometry\n"
                 "p.yaml:10:38: \"srid\" cannot be \"x\" (TF-2001). Write a number of the EPSG registry or of Esri's, "
                 "such as EPSG:2927 or ESRI:102748\n");
}

static MappingField geometry_field(const char *text) {
        _cleanup_pair_ Pair *p = pair_good(text);

        return *field_of(p);
}

static void test_kinds_of_geometry(void **state) {
        MappingField f = geometry_field(FIELD_LINE("{from: c, type: geometry, srid: \"ESRI:102748\", kind: multipolygon}"));

        assert_int_equal(f.srid, 102748);
        assert_int_equal(f.geometry.kind, GEOMETRY_MULTI_POLYGON);
        assert_false(f.geometry.has_z || f.geometry.has_m);
        assert_int_equal(f.invalid, RINGS_WARN);
        f = geometry_field(FIELD_LINE("{from: c, type: geometry, kind: \"point zm\", invalid: hold}"));
        assert_int_equal(f.geometry.kind, GEOMETRY_POINT);
        assert_true(f.geometry.has_z && f.geometry.has_m);
        assert_int_equal(f.invalid, RINGS_HOLD);
        pair_bad(FIELD_LINE("{from: c, type: geometry, kind: polygons, srid: \"ESRI:2927\"}"),
                 "p.yaml:10:42: \"kind\" cannot be \"polygons\" (TF-2001). Write point, linestring, polygon, multipoint, "
                 "multilinestring, multipolygon, geometrycollection, or a kind with arcs (curvepolygon, multisurface), and z, "
                 "m or zm behind it\n"
                 "p.yaml:10:58: \"srid\" cannot be \"ESRI:2927\" (TF-2001). Write a number of the EPSG registry or of Esri's, "
                 "such as EPSG:2927 or ESRI:102748\n");
        pair_bad(FIELD_LINE("{from: c, invalid: hold}"),
                 "p.yaml:10:20: \"invalid\" is for geometry only (TF-2001). Add type: geometry\n");
}

static void test_bad_types(void **state) {
        pair_bad(FIELD_LINE("{from: c, type: decimal(14,2), trim: true}"),
                 "p.yaml:10:26: The comma within {…} cuts the type off after \"decimal(14\" (TF-2001). Put "
                 "it in quotes: type: \"decimal(14,2)\"\n");
        pair_bad(FIELD_LINE("{from: c, type: \"decimal(2,14)\"}"),
                 "p.yaml:10:26: There is no type \"decimal(2,14)\" (TF-2001). Write decimal(digits,digits "
                 "after the point), 38 digits at most\n");
        pair_bad(FIELD_LINE("{from: c, type: integerx}"),
                 "p.yaml:10:26: There is no type \"integerx\" (TF-2001). Did you mean \"integer\"?\n");
        pair_bad(FIELD_LINE("{from: c, format: \"%Q\"}"),
                 "p.yaml:10:20: \"format\" is for dates and times only (TF-2001). Add type: date, time or "
                 "timestamp\n"
                 "p.yaml:10:28: \"%Q\" is no format of dates (TF-2001). Use %Y %y %m %d %H %M %S %f %e %b "
                 "%B %p %I %j and what stands between them\n");
}

static void test_bad_bounds(void **state) {
        pair_bad(FIELD_LINE("{from: c, type: text, minimum: 1}"),
                 "p.yaml:10:32: \"minimum\" has no meaning for the type text (TF-2001). Leave it out, or "
                 "give the field a type of numbers or dates\n");
        pair_bad(FIELD_LINE("{from: c, type: date, minimum: 5}"),
                 "p.yaml:10:41: \"minimum\" cannot be \"5\" for the type date (TF-2001).\n");
        pair_bad(FIELD_LINE("{from: c, maximum: many}"),
                 "p.yaml:10:29: \"maximum\" cannot be \"many\" for the type integer or decimal (TF-2001). "
                 "Write a number, or give the field a type\n");
        pair_bad(FIELD_LINE("{from: c, type: date, max_length: 5}"),
                 "p.yaml:10:32: \"max_length\" has no meaning for the type date (TF-2001). Leave it out\n");
        pair_bad(FIELD_LINE("{from: c, min_length: 5, max_length: 2}"),
                 "p.yaml:10:20: \"min_length\" is above \"max_length\" (TF-2001). Exchange them\n");
        pair_bad(FIELD_LINE("{from: c, max_length: -3}"),
                 "p.yaml:10:32: \"max_length\" cannot be \"-3\" (TF-2001). Write a number of characters\n");
}

static void test_bad_pattern(void **state) {
        _cleanup_mistakes_ Mistakes m = {};
        _cleanup_pair_ Pair *p = NULL;

        assert_int_equal(pair_read_text(FIELD_LINE("{from: c, pattern: \"[A-\"}"), "p.yaml", &p, &m), 0);
        assert_int_equal(m.n_errors, 1);
        assert_int_equal(m.errors[0].column, 29);
        assert_non_null(strstr(m.errors[0].detail, "The pattern cannot be used: "));
}

static void test_origins(void **state) {
        pair_bad(FIELD_LINE("{type: text}"), "p.yaml:10:7: The field \"f\" comes from nowhere (TF-2001). "
                                             "Add from: a column, value: a constant, or variable: a name\n");
        pair_bad(FIELD_LINE("{from: c, value: 1}"), "p.yaml:10:7: The field \"f\" comes from 2 places "
                                                    "(TF-2001). Keep one of from, value and variable\n");
        pair_bad(FIELD_LINE("{variable: tax_yer}"),
                 "p.yaml:10:21: There is no variable \"tax_yer\" (TF-2001). Did you mean \"tax_year\"?\n");
        pair_bad(FIELD_LINE("{value: x, type: integer}"),
                 "p.yaml:10:18: \"value\" of \"f\" is not of the type integer (TF-2001). Write a single "
                 "value of that type\n");
        pair_bad(FIELD_LINE("{from: c, otherwise: keep}"),
                 "p.yaml:10:20: \"otherwise\" has no meaning without \"lookup\" (TF-2001). Add a lookup, or "
                 "leave it out\n");
        pair_bad(FIELD_LINE("[c]"),
                 "p.yaml:10:7: A column is missing (TF-2001). Write the column of the source\n");
}

static void test_not_yet(void **state) {
        pair_bad(FIELD_LINE("{from: c, owner: target, expr: point}"),
                 "p.yaml:10:20: \"owner\" is not there yet (TF-2002). Leave it out for now\n"
                 "p.yaml:10:35: \"expr\" is not there yet (TF-2002). Leave it out for now\n");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_short),       cmocka_unit_test(test_decimal),
                cmocka_unit_test(test_date), cmocka_unit_test(test_formats),        cmocka_unit_test(test_text),
                cmocka_unit_test(test_constants),   cmocka_unit_test(test_geometry), cmocka_unit_test(test_kinds_of_geometry),
                cmocka_unit_test(test_bad_types),   cmocka_unit_test(test_bad_bounds),
                cmocka_unit_test(test_bad_pattern), cmocka_unit_test(test_origins),
                cmocka_unit_test(test_not_yet),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
