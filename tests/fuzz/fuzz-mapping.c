/* SPDX-License-Identifier: Apache-2.0 */
/* A mapping file of any bytes: either a pair whose indexes are within bounds, or mistakes that each have a place. */
#include "fuzz.h"

#include "basic/text.h"
#include "config/pair-file.h"

static void mapping_check(const Mapping *m) {
        CHECK(m->entity && m->from && m->to);
        CHECK(m->n_key > 0 && m->n_key <= m->n_fields);
        for (size_t i = 0; i < m->n_fields; i++) {
                const MappingField *f = &m->fields[i];
                CHECK(f->is_key == (i < m->n_key));
                CHECK(f->column < (ssize_t) m->n_columns);
                CHECK(f->column >= 0 || f->constant.type != VALUE_ABSENT);
                CHECK(f->precision >= f->scale && f->precision <= DECIMAL_DIGITS_MAX);
        }
        for (size_t i = 0; i < m->n_marks; i++)
                CHECK(m->mark_fields[i] < m->n_fields);
        CHECK(m->strategy == DETECT_FULL || m->watermark);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
        static System source = {.name = (char *) "pacs", .kind = (char *) "sqlite"};
        static System target = {.name = (char *) "cama", .kind = (char *) "sqlite", .may_write = true};
        static System *systems[] = {&source, &target};
        const Settings settings = {.systems = systems, .n_systems = 2};
        _cleanup_mistakes_ Mistakes mistakes = {};
        _cleanup_pair_ Pair *pair = NULL;
        PairPlaces places;
        int r;

        r = pair_parse((const char *) bytes, size, "/nowhere/mapping.yaml", &settings, &pair, &places,
                       &mistakes);
        CHECK(r == 0 || r == 1);
        CHECK((r == 1) == (mistakes_count(&mistakes) == 0));
        for (size_t i = 0; i < mistakes.n_errors; i++)
                CHECK(mistakes.errors[i].detail && mistakes.errors[i].line > 0 &&
                      text_equal(mistakes.errors[i].file, "/nowhere/mapping.yaml"));
        if (r == 0)
                return 0;
        CHECK(pair && pair->name && pair->source && pair->target && pair->n_mappings > 0);
        for (size_t i = 0; i < pair->n_mappings; i++)
                mapping_check(&pair->mappings[i]);
        return 0;
}
