/* SPDX-License-Identifier: Apache-2.0 */
/* Any field gives a value or a fault; implied decimals are the same digits with a point. The first byte chooses type and encoding. */
#include "fuzz.h"

#include "connect/fixed-value.h"

static void decimal_is_its_digits(const LayoutField *field, const Value *value) {
        char text[DECIMAL_TEXT_MAX];

        CHECK(value->decimal.scale == (field->has_decimals ? field->decimals : value->decimal.scale));
        CHECK(decimal_digits(&value->decimal) <= DECIMAL_DIGITS_MAX);
        CHECK(decimal_format(&value->decimal, text) < DECIMAL_TEXT_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
        static const ValueType types[] = {VALUE_TEXT, VALUE_INTEGER, VALUE_DECIMAL, VALUE_DATE};
        static const TextEncoding encodings[] = {ENCODING_UTF8, ENCODING_LATIN1, ENCODING_WINDOWS1252, ENCODING_LATIN1};
        LayoutField field;
        FixedFault fault;
        Value value;
        char *text;

        if (size < 2)
                return 0;
        field = (LayoutField){
                .type = types[bytes[0] & 3],
                .to = (uint32_t) size - 1,
                .format = (char *) "%m%d%Y",
                .has_decimals = (bytes[0] & 3) == 2 && bytes[0] & 16,
                .decimals = bytes[0] >> 6,
                .trim = bytes[0] & 32,
        };
        text = malloc(3 * size);
        CHECK(text);
        fault = fixed_value(&field, encodings[bytes[0] >> 2 & 3], (const char *) bytes + 1, text, &value);
        if (fault == FIXED_FINE && value.type == VALUE_TEXT)
                CHECK(text_is_utf8(value.bytes, value.size) && value.size <= 3 * size);
        else if (fault == FIXED_FINE && value.type == VALUE_DECIMAL)
                decimal_is_its_digits(&field, &value);
        free(text);
        return 0;
}
