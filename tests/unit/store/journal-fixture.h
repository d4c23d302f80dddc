/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A mapping of three fields and changes by it, for the tests of journal and quarantine. */
#include "fixture.h"
#include "basic/json.h"
#include "store/journal.h"

static MappingField fields[] = {
        {.name = (char[]){"parcel_id"}, .is_key = true},
        {.name = (char[]){"value"}},
        {.name = (char[]){"note"}},
};
static MappingColumn columns[] = {{.name = (char[]){"prop_id"}},
                                  {.join = (char[]){"owner"}, .name = (char[]){"owner_id"}}};
static const Mapping mapping = {
        .entity = (char[]){"parcel"},
        .fields = fields,
        .n_fields = 3,
        .n_key = 1,
        .columns = columns,
        .n_columns = 2,
};

static inline Value text(const char *t) { return value_text(t, strlen(t)); }

/* A change of parcel `id` between two values; memory in the arena. */
static inline Change change_of(Arena *arena, ChangeKind kind, const char *id, const char *before,
                               const char *after) {
        Value *b = arena_alloc_zero(arena, 3 * sizeof(Value)),
              *a = arena_alloc_zero(arena, 3 * sizeof(Value));
        bool *changed = arena_alloc_zero(arena, 3 * sizeof(bool));
        Change c = {.kind = kind, .source_digest = digest_of(1), .target_digest = digest_of(2)};
        Value key = text(id);

        assert_int_equal(key_encode(&key, 1, arena, &c.key), 0);
        a[0] = b[0] = key;
        b[1] = text(before);
        a[1] = text(after);
        b[2] = a[2] = value_null();
        changed[1] = true;
        if (kind != CHANGE_INSERT)
                c.before = b;
        if (kind != CHANGE_DELETE)
                c.target = a;
        if (kind == CHANGE_UPDATE)
                c.changed = changed;
        return c;
}
