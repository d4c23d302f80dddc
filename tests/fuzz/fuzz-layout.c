/* SPDX-License-Identifier: Apache-2.0 */
/* A layout that is accepted has its fields within the record, apart from each other; else there is a mistake that says why. */
#include "fuzz.h"

#include "config/layout.h"

static void table_is_sound(const LayoutTable *t) {
        CHECK(t->name && t->file && t->record_length > 0);
        for (size_t i = 0; i < t->n_fields; i++) {
                CHECK(t->fields[i].from < t->fields[i].to && t->fields[i].to <= t->record_length);
                CHECK(t->fields[i].decimals <= 37 && (t->fields[i].type != VALUE_DATE || t->fields[i].format));
                for (size_t j = 0; j < i; j++)
                        CHECK(t->fields[i].to <= t->fields[j].from || t->fields[j].to <= t->fields[i].from);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
        _cleanup_mistakes_ Mistakes mistakes = {};
        _cleanup_(layout_freep) Layout *l = NULL;
        int r;

        r = layout_parse((const char *) bytes, size, "layout.yaml", &mistakes, &l);
        CHECK(r == 0 ? l && mistakes_count(&mistakes) == 0 : r == -EINVAL && mistakes_count(&mistakes) > 0);
        for (size_t i = 0; l && i < l->n_tables; i++)
                table_is_sound(&l->tables[i]);
        return 0;
}
