/* SPDX-License-Identifier: Apache-2.0 */
/* Any value into any type: the answer is of the type or a finding, what is exact survives the way to text and back, and a record
 * without findings meets convert_fetched() as itself. Input: source type, field type, precision, scale, accept, options, bytes. */
#include "fuzz.h"

#include "transform/convert.h"
#include "validate/rule.h"

#define HEADER_BYTES 6U

static Value value_from(uint8_t type, const char *bytes, size_t size) {
        Value v = { .type = (ValueType) (VALUE_NULL + type % (_VALUE_TYPE_MAX - VALUE_NULL)) };
        int64_t integer = 0;

        if (value_type_has_bytes(v.type)) {
                v.bytes = bytes;
                v.size = size;
                return v;
        }
        memcpy(&integer, bytes, size < sizeof(integer) ? size : sizeof(integer));
        switch (v.type) {
        case VALUE_DECIMAL:
                v.decimal = decimal_from_integer(integer);
                v.decimal.scale = size > 8 ? (uint8_t) bytes[8] % (DECIMAL_DIGITS_MAX + 1) : 0;
                break;
        case VALUE_BOOLEAN: v.integer = integer & 1; break;
        case VALUE_DATE: v.integer = integer % 2932897; break;
        case VALUE_TIME: v.integer = (int64_t) ((uint64_t) integer % 86400000000ULL); break;
        default: v.integer = integer;
        }
        return v;
}

/* A value of the field's type, written as text, is read as the same. */
static void check_text(const Value *value, const MappingField *field, Arena *arena) {
        const MappingField as_text = {
                .name = (char *) "f", .type = VALUE_TEXT, .min_length = -1, .max_length = -1
        };
        Finding *findings = NULL;
        Value text, again;

        if (value->type == VALUE_GEOMETRY || value->type == VALUE_BYTES)
                return;
        CHECK(convert_value(value, &as_text, arena, &text, &findings) == 0);
        /* Years after 9999 of integers taken as microseconds have no text that is read back. */
        if (value->type == VALUE_TIMESTAMP || findings)
                return;
        CHECK(convert_fetched(&text, field, arena, &again) == 0);
        CHECK(value_equal(value, &again));
}

static void check_converted(const Value *source, const Value *ret, const MappingField *field, Arena *arena) {
        const MappingField strict = { .name = (char *) "f",
                                      .type = field->type,
                                      .precision = field->precision,
                                      .scale = field->scale,
                                      .min_length = -1,
                                      .max_length = -1 };
        Value again;

        if (value_is_null(ret))
                return;
        CHECK(ret->type == (field->type == VALUE_ABSENT ? source->type : field->type));
        CHECK(convert_fetched(ret, &strict, arena, &again) == 0);
        CHECK(value_equal(ret, &again));
        if (field->type == VALUE_DECIMAL && field->precision > 0)
                CHECK(ret->decimal.scale == field->scale &&
                      decimal_digits(&ret->decimal) <= field->precision);
        if (field->type != VALUE_ABSENT)
                check_text(ret, &strict, arena);
        /* Without accept a number stays the number it was. */
        if (field->accept == ACCEPT_NOTHING &&
            (source->type == VALUE_INTEGER || source->type == VALUE_DECIMAL) &&
            (field->type == VALUE_INTEGER || field->type == VALUE_DECIMAL))
                CHECK(value_equal(source, ret));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
        static char *null_values[] = { (char *) "", (char *) "NULL", (char *) "0", NULL };
        static char *enumeration[] = { (char *) "A", (char *) "1.5", NULL };
        MappingField field = { .name = (char *) "f",
                               .minimum = { .type = VALUE_INTEGER },
                               .min_length = 1,
                               .enumeration = enumeration };
        _cleanup_arena_ Arena *arena = NULL;
        Finding *findings = NULL;
        Value source, ret = VALUE_NONE;

        if (size < HEADER_BYTES)
                return 0;
        CHECK(arena_new(&arena) == 0);
        field.type = (ValueType) (bytes[1] % _VALUE_TYPE_MAX);
        field.type = field.type == VALUE_NULL ? VALUE_ABSENT : field.type;
        field.precision = bytes[2] % (DECIMAL_DIGITS_MAX + 1);
        field.scale = field.precision > 0 ? bytes[3] % (field.precision + 1) : 0;
        field.accept = (FieldAccept) (bytes[4] % 3);
        field.trim = bytes[5] & 1;
        field.null_values = bytes[5] & 2 ? null_values : NULL;
        field.format = (char *) (bytes[5] & 4 ? "%m/%d/%Y" : bytes[5] & 8 ? "%Y%m%d %H:%M:%S.%f" : NULL);
        field.max_length = bytes[5] & 16 ? 5 : -1;
        source = value_from(bytes[0], (const char *) bytes + HEADER_BYTES, size - HEADER_BYTES);

        CHECK(convert_value(&source, &field, arena, &ret, &findings) == 0);
        if (findings && findings->severity == FINDING_WARNING) { /* a ring, which does not keep the geometry out */
                CHECK(ret.type == VALUE_GEOMETRY && !findings->next && findings->remedy);
                findings = NULL;
        }
        if (findings) {
                CHECK(ret.type == VALUE_NULL && !findings->next && findings->remedy &&
                      findings->severity == FINDING_ERROR);
                return 0;
        }
        check_converted(&source, &ret, &field, arena);
        CHECK(rule_check_field(&field, &ret, arena, &findings) == 0);
        return 0;
}
