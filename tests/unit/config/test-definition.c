/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "basic/text.h"
#include "config/pair-file.h"

static System pacs = {.name = (char *) "pacs", .kind = (char *) "sqlite"},
              cama = {.name = (char *) "cama", .kind = (char *) "sqlite", .may_write = true};

/* The definitions of "code" and "name" of a mapping in which one text stands for another. */
static void definitions_of(const char *what, const char *instead, uint64_t ret[static 2]) {
        static const char text[] = "pair: p\nsource: pacs\ntarget: cama\nvariables: {year: 2026}\nentities:\n  hood:\n"
                                   "    from: hoods\n    to: hood\n    where: \"x = 1\"\n    key: {code: hood_cd}\n"
                                   "    fields:\n      name: {from: hood_name, trim: true}\n";
        System *systems[] = {&pacs, &cama};
        const Settings settings = {.systems = systems, .n_systems = 2};
        _cleanup_mistakes_ Mistakes mistakes = {};
        _cleanup_pair_ Pair *pair = NULL;
        _cleanup_free_ char *changed = NULL;
        const char *at = what ? strstr(text, what) : text;
        PairPlaces places;

        assert_non_null(at);
        assert_true(asprintf(&changed, "%.*s%s%s", (int) (at - text), text, what ? instead : "", at + (what ? strlen(what) : 0)) > 0);
        assert_int_equal(pair_parse(changed, strlen(changed), "p.yaml", &settings, &pair, &places, &mistakes), 1);
        for (size_t i = 0; i < 2; i++)
                ret[i] = pair->mappings[0].fields[i].definition;
}

static void test_what_changes_a_definition(void **state) {
        static const struct {
                const char *what, *instead;
                bool code_stays, name_stays;
        } cases[] = {
                {"x = 1", "x = 2", true, true}, /* other records, the same values */
                {"    where:", "    aliases: [neighborhood]\n    where:", true, true},
                {"    where:", "    deletes: ignore\n    where:", true, true},
                {"pair: p\n", "pair: p\nguards: {max_deletes: 5}\n# told\n", true, true},
                {"      name:", "      more: 'other'\n      name:", true, false}, /* fields by index: name is the third now */
                {"trim: true", "trim: false", true, false},
                {"hood_name", "hood_text", true, false},
                {"code: hood_cd", "code: hood_id", false, true},
                {"2026", "2027", false, false},
                {"to: hood\n", "to: hood2\n", false, false},
        };
        uint64_t before[2], now[2];

        definitions_of(NULL, NULL, before);
        assert_true(before[0] != 0 && before[1] != 0 && before[0] != before[1]);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                definitions_of(cases[i].what, cases[i].instead, now);
                if ((now[0] == before[0]) != cases[i].code_stays || (now[1] == before[1]) != cases[i].name_stays)
                        fail_msg("%s for %s", cases[i].instead, cases[i].what);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_what_changes_a_definition)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
