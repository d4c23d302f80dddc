/* SPDX-License-Identifier: Apache-2.0 */
#include "transform/lookup.h"

/* Codes are short; a longer value is none, and a message need not hold it whole. */
#define CODE_BYTES_MAX 1000

static int code_missing(const MappingField *field, const char *code, Arena *arena, Finding **findings) {
        const char *message, *remedy;

        message = arena_printf(arena, "Field '%s': code '%s' is not in %s.", field->name, code,
                               field->lookup->path);
        remedy = arena_printf(
                arena, "Add the code to %s, correct it at the source, or give the field an otherwise.",
                field->lookup->path);
        if (!message || !remedy)
                return -ENOMEM;
        return finding_add(findings, arena, FINDING_ERROR, "lookup", field->name, code, message, remedy);
}

static int lookup_otherwise(const MappingField *field, const Value *value, Arena *arena, Value *ret,
                            Finding **findings) {
        const Lookup *lookup = field->lookup;
        const char *code;

        switch (lookup->otherwise) {
        case LOOKUP_NULL: *ret = value_null(); return 0;
        case LOOKUP_KEEP: *ret = *value; return 0;
        case LOOKUP_TEXT:
                *ret = value_text(lookup->otherwise_text, strlen(lookup->otherwise_text));
                return 0;
        case LOOKUP_ERROR: break;
        }
        code = value_to_text(value, arena, CODE_BYTES_MAX);
        if (!code)
                return -ENOMEM;
        *ret = value_null();
        return code_missing(field, code, arena, findings);
}

int lookup_apply(const MappingField *field, const Value *value, Arena *arena, Value *ret,
                 Finding **findings) {
        const char *code = value->bytes, *found;
        size_t size = value->size;

        if (value_is_null(value)) {
                *ret = *value;
                return 0;
        }
        if (value->type != VALUE_TEXT) {
                code = value_to_text(value, arena, CODE_BYTES_MAX);
                if (!code)
                        return -ENOMEM;
                size = strlen(code);
        }
        found = lookup_find(field->lookup, code, size);
        if (!found)
                return lookup_otherwise(field, value, arena, ret, findings);
        *ret = value_text(found, strlen(found));
        return 0;
}
