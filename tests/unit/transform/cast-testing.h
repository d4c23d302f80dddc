/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Values and casts in one line each, for the tests of this room. */
#include "../testing.h"

#include "transform/cast.h"

static inline Value text(const char *t) {
        return value_text(t, strlen(t));
}

static inline Value of_type(ValueType type, int64_t integer) {
        return (Value){ .type = type, .integer = integer };
}

static inline Value bytes_of(ValueType type, const char *bytes, size_t size) {
        return (Value){ .type = type, .bytes = bytes, .size = size };
}

static inline Value number(const char *t) {
        Value v = { .type = VALUE_DECIMAL };

        assert_int_equal(decimal_parse(t, strlen(t), &v.decimal), 0);
        return v;
}

/* The cast must be exact, of the type, and read as expected. */
static inline void expect_cast(Arena *arena, Value value, CastShape shape, const char *expected) {
        Value ret = VALUE_NONE;
        const char *shown;

        assert_int_equal(cast_value(&value, &shape, arena, &ret), CAST_EXACT);
        assert_int_equal(ret.type, shape.type);
        shown = value_to_text(&ret, arena, 0);
        assert_non_null(shown);
        assert_string_equal(shown, expected);
}

/* The cast must fail for this reason and leave ret alone. */
static inline void expect_fault(Arena *arena, Value value, CastShape shape, CastFault fault) {
        Value ret = value_integer(4711);

        assert_int_equal(cast_value(&value, &shape, arena, &ret), fault);
        assert_int_equal(ret.type, VALUE_INTEGER);
        assert_int_equal(ret.integer, 4711);
}

static inline int arena_setup(void **state) {
        Arena *arena;

        if (arena_new(&arena) < 0)
                return -1;
        *state = arena;
        return 0;
}

static inline int arena_teardown(void **state) {
        arena_free(*state);
        return 0;
}
