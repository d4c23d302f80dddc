/* SPDX-License-Identifier: Apache-2.0 */
#include "reading.h"

static const char good[] = "pair: p\n"
                           "description: A test\n"
                           "aliases: [p-001]\n"
                           "source: pacs\n"
                           "target: cama\n"
                           "variables: {tax_year: 1996, county: Lucas, on: true}\n"
                           "schedule: {incremental: \"*:0/15\", full: \"Sun 02:00\"}\n"
                           "depends_on: [gis]\n"
                           "guards: {max_deletes: 0.5%, max_changes: 12}\n"
                           "entities:\n"
                           "  sale: {from: sale, key: {id: sale_id}, depends_on: [parcel]}\n"
                           "  parcel: {from: property, key: {id: prop_id}}\n";

static void test_good(void **state) {
        _cleanup_pair_ Pair *p = pair_good(good);

        assert_string_equal(p->name, "p");
        assert_true(pair_is_named(p, "p-001"));
        assert_string_equal(p->schedule_full, "Sun 02:00");
        assert_string_equal(p->depends_on[0], "gis");
        assert_true(p->max_deletes.is_percent);
        assert_int_equal(p->max_deletes.amount, 50);
        assert_false(p->max_changes.is_percent);
        assert_int_equal(p->max_changes.amount, 12);
        assert_int_equal(p->max_errors.amount, 100);
        assert_int_equal(pair_variable(p, "tax_year", 8)->value.integer, 1996);
        assert_memory_equal(pair_variable(p, "county", 6)->value.bytes, "Lucas", 5);
        assert_int_equal(pair_variable(p, "on", 2)->value.type, VALUE_INTEGER);
        assert_int_equal(p->n_mappings, 2);
        assert_string_equal(p->mappings[0].entity, "parcel");
        assert_string_equal(p->mappings[1].entity, "sale");
        assert_string_equal(p->mappings[1].to, "sale");
        assert_int_equal(strlen(p->content_hash_text), 32);
}

static void test_guard_defaults(void **state) {
        _cleanup_pair_ Pair *p = pair_good(PAIR_HEAD "    {from: a, key: {k: k}}\n");

        assert_true(p->max_deletes.is_percent && p->max_deletes.amount == 200);
        assert_true(p->max_changes.is_percent && p->max_changes.amount == 1000);
        assert_true(!p->max_errors.is_percent && p->max_errors.amount == 100);
}

static void test_hash(void **state) {
        _cleanup_pair_ Pair *a = pair_good(PAIR_HEAD "    {from: a, key: {k: k}}\n"),
                            *b = pair_good(PAIR_HEAD "    {from: a, key: {k: k}}\n");
        _cleanup_pair_ Pair *c = pair_good(PAIR_HEAD "    {from: b, key: {k: k}}\n");

        assert_true(a->content_hash == b->content_hash);
        assert_string_equal(a->content_hash_text, b->content_hash_text);
        assert_true(a->content_hash != c->content_hash);
}

/* One line for each of ten mistakes, whatever the others are. */
static void test_ten_mistakes(void **state) {
        pair_bad("pair: p\n"
                 "source: pcas\n"
                 "target: cama\n"
                 "guards: {max_deletes: lots}\n"
                 "use: [rules/roll.yaml]\n"
                 "entities:\n"
                 "  parcel:\n"
                 "    form: property\n"
                 "    key: {id: {from: prop_id, typex: integer}}\n"
                 "    where: \"year = :tax_year\"\n"
                 "    detect: {strategy: watermrk}\n"
                 "    fields:\n"
                 "      value: {from: v, type: decimal(14,2)}\n"
                 "      total: {expr: 'a + b'}\n",
                 "p.yaml:2:9: There is no system \"pcas\" (TF-2001). Did you mean \"pacs\"?\n"
                 "p.yaml:4:23: \"max_deletes\" cannot be \"lots\" (TF-2001). Write a count such as 100, or "
                 "a percentage from 0% to 100% such as 2% or 0.5%\n"
                 "p.yaml:5:1: \"use\" is not there yet (TF-2002). Leave it out for now\n"
                 "p.yaml:7:3: The entity \"parcel\" lacks the member \"from\" (TF-2001). Add from: the "
                 "table or file that is read\n"
                 "p.yaml:8:5: The entity \"parcel\" has no member \"form\" (TF-2001). Did you mean "
                 "\"from\"?\n"
                 "p.yaml:9:31: The field \"id\" has no member \"typex\" (TF-2001). Did you mean \"type\"?\n"
                 "p.yaml:10:12: There is no variable \"tax_year\" (TF-2001). Add it to variables\n"
                 "p.yaml:11:24: \"strategy\" cannot be \"watermrk\" (TF-2001). Did you mean \"watermark\"?\n"
                 "p.yaml:13:30: The comma within {…} cuts the type off after \"decimal(14\" (TF-2001). Put "
                 "it in quotes: type: \"decimal(14,2)\"\n"
                 "p.yaml:14:15: \"expr\" is not there yet (TF-2002). Leave it out for now\n");
}

static void test_systems(void **state) {
        pair_bad("pair: p\nsource: cama\ntarget: pacs\nentities: {a: {from: a, key: {k: k}}}\n",
                 "p.yaml:3:9: The target \"pacs\" may only be read (TF-2001). Set access: write of \"pacs\" "
                 "in t.yaml, line 7, if it may be written\n");
        pair_bad("pair: p\nsource: cama\ntarget: cama\nentities: {a: {from: a, key: {k: k}}}\n",
                 "p.yaml:3:9: Source and target are the same system (TF-2001). Name two systems\n");
}

static void test_entities(void **state) {
        pair_bad("pair: p\nsource: pacs\ntarget: cama\nentities:\n  a: {from: a, key: {k: k}, depends_on: "
                 "[b]}\n  b: {from: a, key: {k: k}, depends_on: [a]}\n",
                 "p.yaml:5:29: Entities depend on each other in a circle: a -> b -> a (TF-2001). Remove one "
                 "of these dependencies\n");
        pair_bad("pair: p\nsource: pacs\ntarget: cama\nentities:\n  parcel: {from: a, key: {k: k}}\n  sale: "
                 "{from: a, key: {k: k}, depends_on: [parcels], aliases: [parcel]}\n",
                 "p.yaml:6:45: There is no entity \"parcels\" in this pair (TF-2001). Did you mean "
                 "\"parcel\"?\n"
                 "p.yaml:6:65: The name \"parcel\" belongs to another entity already (TF-2001). Give it "
                 "another alias\n");
        pair_bad("pair: p\nsource: pacs\ntarget: cama\nentities: {}\n",
                 "p.yaml:4:1: \"entities\" is empty (TF-2001). Name at least one entity\n");
}

static void test_variables(void **state) {
        pair_bad("pair: p\nsource: pacs\ntarget: cama\nvariables: {Year: 1, day: [1], none: "
                 "null}\nentities: {a: {from: a, key: {k: k}}}\n",
                 "p.yaml:4:13: A variable cannot be named \"Year\" (TF-2001). Names begin with a lower-case "
                 "letter and go on with a-z, 0-9 and _\n"
                 "p.yaml:4:27: The variable \"day\" has no value (TF-2001). Write one number or text\n"
                 "p.yaml:4:38: The variable \"none\" has no value (TF-2001). Write one number or text\n");
}

static void test_no_yaml(void **state) {
        pair_bad("a: [", "p.yaml:2:1: This is not YAML: while parsing a flow node, did not find expected "
                         "node content (TF-2001). "
                         "Check quotes, brackets and the indentation of this line and the one before\n");
        pair_bad("", "p.yaml:1:1: The pair lacks the member \"pair\" (TF-2001). Add pair: the name by which "
                     "the pair is run\n"
                     "p.yaml:1:1: The pair lacks the member \"source\" (TF-2001). Add source: the system "
                     "that is read\n"
                     "p.yaml:1:1: The pair lacks the member \"target\" (TF-2001). Add target: the system "
                     "that is written\n"
                     "p.yaml:1:1: The pair lacks the member \"entities\" (TF-2001). Add entities: what is "
                     "read from where and written to where\n");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),      cmocka_unit_test(test_guard_defaults),
                cmocka_unit_test(test_hash),      cmocka_unit_test(test_ten_mistakes),
                cmocka_unit_test(test_systems),   cmocka_unit_test(test_entities),
                cmocka_unit_test(test_variables), cmocka_unit_test(test_no_yaml),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
