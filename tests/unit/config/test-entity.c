/* SPDX-License-Identifier: Apache-2.0 */
#include "reading.h"

static void test_long(void **state) {
        _cleanup_pair_ Pair *p = pair_good(
                PAIR_HEAD
                "    aliases: [property]\n"
                "    from: property_val\n"
                "    join:\n"
                "      active: {from: prop_supp_assoc, by: {prop_id: prop_id}, order: [-owner_tax_yr], "
                "take: first, watermark: changed}\n"
                "      roll: {from: roll, by: {year: active.owner_tax_yr, prop_id: prop_id}, optional: "
                "true}\n"
                "    where: \"note <> ':x' and yr = :tax_year and t::text = '' and [a:b] = 1\"\n"
                "    to: parcel_table\n"
                "    key: {id: prop_id}\n"
                "    detect: {strategy: watermark, column: last_update_dt, sweep: daily, sweep_keys: hourly}\n"
                "    deletes: {mark: {status: RETIRED}}\n"
                "    conflicts: source\n"
                "    fields: {status: {value: ACTIVE}, year: active.owner_tax_yr, again: prop_id}\n");
        const Mapping *m = pair_mapping(p, "property");

        assert_non_null(m);
        assert_string_equal(m->to, "parcel_table");
        assert_int_equal(m->line, 6);
        assert_int_equal(m->n_joins, 2);
        assert_true(m->joins[0].take_first);
        assert_string_equal(m->joins[0].order[0], "-owner_tax_yr");
        assert_string_equal(m->joins[0].watermark, "changed");
        assert_true(m->joins[1].optional);
        assert_string_equal(m->joins[1].by[0].left, "year");
        assert_string_equal(m->joins[1].by[0].right, "active.owner_tax_yr");
        assert_int_equal(m->strategy, DETECT_WATERMARK);
        assert_string_equal(m->watermark, "last_update_dt");
        assert_true(m->sweep_usec == 86400000000ULL);
        assert_true(m->sweeps_keys && m->sweep_keys_usec == 3600000000ULL);
        assert_int_equal(m->deletes, DELETES_MARK);
        assert_int_equal(m->n_marks, 1);
        assert_int_equal(m->mark_fields[0], 1);
        assert_memory_equal(m->mark_values[0].bytes, "RETIRED", 7);
        assert_int_equal(m->n_key, 1);
        assert_int_equal(m->n_fields, 4);
        assert_int_equal(m->n_columns, 2);
        assert_int_equal(m->fields[3].column, m->fields[0].column);
        assert_string_equal(m->columns[m->fields[2].column].join, "active");
}

static void test_defaults(void **state) {
        _cleanup_pair_ Pair *p = pair_good(PAIR_HEAD "    {from: a, key: {k: k}}\n");

        assert_int_equal(p->mappings[0].strategy, DETECT_FULL);
        assert_int_equal(p->mappings[0].deletes, DELETES_MIRROR);
        assert_string_equal(p->mappings[0].to, "parcel");
        assert_true(p->mappings[0].sweep_usec == 0);
}

static void test_joins(void **state) {
        pair_bad(PAIR_HEAD
                 "    from: a\n    join:\n      one: {from: t, by: {x: two.y}}\n      two: {from: t, by: "
                 "{}}\n      three: 5\n    key: {k: twox.k}\n    fields: {f: one., g: .x, h: }\n",
                 "p.yaml:9:30: There is no join \"two\" before this (TF-2001). Add the join under join\n"
                 "p.yaml:10:22: \"by\" is empty (TF-2001). Write {column of the joined table: column}\n"
                 "p.yaml:11:7: The join \"three\" wants members with names, not a single value (TF-2001). "
                 "Write members: name, colon, value\n"
                 "p.yaml:12:14: There is no join \"twox\" before this (TF-2001). Did you mean \"two\"?\n"
                 "p.yaml:13:17: \"one.\" names no column (TF-2001). Write a column, or join.column\n"
                 "p.yaml:13:26: \".x\" names no column (TF-2001). Write a column, or join.column\n"
                 "p.yaml:13:30: A column is missing (TF-2001). Write the column of the source\n");
        pair_bad(PAIR_HEAD "    from: a\n    join:\n      one: {from: t, by: {x: y}, take: first}\n      "
                           "two: {from: t, by: {x: y}, order: [a]}\n    key: {k: k}\n",
                 "p.yaml:9:34: \"take: first\" wants an order (TF-2001). Add order: which row is the first "
                 "is chance without it\n"
                 "p.yaml:10:34: \"order\" has no meaning without \"take: first\" (TF-2001). Add take: "
                 "first, or leave the order out\n");
}

static void test_where(void **state) {
        pair_bad(PAIR_HEAD "    {from: a, key: {k: k}, where: 'y = :tax_yaer or z = \":no'}\n",
                 "p.yaml:7:35: There is no variable \"tax_yaer\" (TF-2001). Did you mean \"tax_year\"?\n");
}

static void test_detect(void **state) {
        pair_bad(PAIR_HEAD "    from: a\n    join: {one: {from: t, by: {x: y}}}\n    key: {k: k}\n    "
                           "detect: {strategy: watermark}\n",
                 "p.yaml:8:12: Changes in the joined table of \"one\" would go unseen by the strategy "
                 "\"watermark\" (TF-2001). "
                 "Add sweep: daily under detect, or a watermark to the join\n"
                 "p.yaml:10:5: The strategy \"watermark\" wants a column (TF-2001). Add column: the "
                 "source's column of last changes\n");
        pair_bad(PAIR_HEAD "    {from: a, key: {k: k}, detect: {column: c, sweep: sometimes}}\n",
                 "p.yaml:7:37: \"column\" has no meaning with the strategy \"full\" (TF-2001). Add "
                 "strategy: watermark, or leave the column out\n"
                 "p.yaml:7:55: \"sweep\" cannot be \"sometimes\" (TF-2001). Write hourly, daily, weekly, or "
                 "a duration such as 12h\n");
        pair_bad(PAIR_HEAD "    {from: a, key: {k: k}, detect: {strategy: digest, sweep_keys: always}}\n",
                 "p.yaml:7:55: \"sweep_keys\" has no meaning with the strategy \"digest\", which finds deletes itself "
                 "(TF-2001). Leave it out\n");
        pair_bad(PAIR_HEAD "    {from: a, key: {k: k}, detect: {strategy: watermark, column: c, sweep_keys: often}}\n",
                 "p.yaml:7:81: \"sweep_keys\" cannot be \"often\" (TF-2001). Write always, hourly, daily, weekly, or a "
                 "duration such as 12h\n");
        pair_bad(PAIR_HEAD "    {from: a, key: {k: k}, detect: {strategy: feed}}\n",
                 "p.yaml:7:47: A source of kind \"sqlite\" has no strategy \"feed\" (TF-2002). Use full, "
                 "watermark, digest or file\n");
        pair_bad(PAIR_HEAD "    {from: a, key: {k: k}, detect: {strategy: watermarks}}\n",
                 "p.yaml:7:47: \"strategy\" cannot be \"watermarks\" (TF-2001). Did you mean "
                 "\"watermark\"?\n");
}

static void test_deletes(void **state) {
        pair_bad(PAIR_HEAD "    {from: a, key: {k: k}, deletes: never}\n",
                 "p.yaml:7:37: \"deletes\" cannot be so (TF-2001). Write mirror, ignore, or {mark: {field: "
                 "value}}\n");
        pair_bad(PAIR_HEAD "    {from: a, key: {k: k}, fields: {n: {from: n, type: integer}}, deletes: "
                           "{mark: {k: 1, m: 2, n: x}}}\n",
                 "p.yaml:7:84: The key's field \"k\" cannot be marked (TF-2001). Mark another field\n"
                 "p.yaml:7:90: What is marked has to be a field that living records fill too; there is no "
                 "\"m\" (TF-2001). Did you mean \"k\"?\n"
                 "p.yaml:7:99: The mark of \"n\" is not of the type integer (TF-2001).\n");
}

static void test_not_yet(void **state) {
        pair_bad(PAIR_HEAD "    {from: a, key: {k: k}, conflicts: newest, script: x.lua, rules: [], write: "
                           "append, query: q, confidential: {}}\n",
                 "p.yaml:7:39: \"conflicts: newest\" is not there yet (TF-2002). Write source, or leave it "
                 "out for now\n"
                 "p.yaml:7:47: \"script\" is not there yet (TF-2002). Leave it out for now\n"
                 "p.yaml:7:62: \"rules\" is not there yet (TF-2002). Leave it out for now\n"
                 "p.yaml:7:73: \"write\" is not there yet (TF-2002). Leave it out for now\n"
                 "p.yaml:7:88: \"query\" is not there yet (TF-2002). Leave it out for now\n"
                 "p.yaml:7:98: \"confidential\" is not there yet (TF-2002). Leave it out for now\n");
}

static void test_key(void **state) {
        pair_bad(PAIR_HEAD "    {from: a, key: {}}\n",
                 "p.yaml:7:15: \"key\" is empty (TF-2001). Name the fields that tell records apart\n");
        pair_bad(PAIR_HEAD "    {from: a, key: {k: k}, fields: {k: z}}\n",
                 "p.yaml:7:37: The field \"k\" is part of the key already (TF-2001). Keep one of them\n");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_long),    cmocka_unit_test(test_defaults),
                cmocka_unit_test(test_joins),   cmocka_unit_test(test_where),
                cmocka_unit_test(test_detect),  cmocka_unit_test(test_deletes),
                cmocka_unit_test(test_not_yet), cmocka_unit_test(test_key),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
