/* SPDX-License-Identifier: Apache-2.0 */
#include "transform/transform.h"

#include "transform/convert.h"
#include "transform/lookup.h"

static int field_fill(const Mapping *m, const MappingField *field, const Value *source, Arena *arena,
                      Value *ret, Finding **findings) {
        Value value;
        int r;

        /* A constant is the mapping's own word: nothing to trim and no code. */
        if (field->column < 0)
                return convert_prepared(&field->constant, field, arena, ret, findings);
        assert((size_t) field->column < m->n_columns);
        r = convert_prepare(&source[field->column], field, arena, &value);
        if (r < 0)
                return r;
        if (field->lookup) {
                r = lookup_apply(field, &value, arena, &value, findings);
                if (r < 0)
                        return r;
        }
        return convert_prepared(&value, field, arena, ret, findings);
}

static int fields_fill(const Mapping *m, size_t n_fields, const Value *source, Arena *arena, Value *ret,
                       Finding **findings) {
        int r;

        for (size_t i = 0; i < n_fields; i++) {
                r = field_fill(m, &m->fields[i], source, arena, &ret[i], findings);
                if (r < 0)
                        return r;
        }
        return 0;
}

int transform_keys(const Mapping *m, const Value *source, Arena *arena, Value *ret_key_values,
                   Finding **findings) {
        assert(m && m->n_key <= m->n_fields);
        return fields_fill(m, m->n_key, source, arena, ret_key_values, findings);
}

int transform_record(const Mapping *m, const Value *source, Arena *arena, Value *ret_target,
                     Finding **findings) {
        assert(m);
        return fields_fill(m, m->n_fields, source, arena, ret_target, findings);
}
