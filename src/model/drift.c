/* SPDX-License-Identifier: Apache-2.0 */
#include "model/drift.h"

#include <ctype.h>

#include "basic/text.h"

static const char *const kinds[_DRIFT_KIND_MAX] = {
        [DRIFT_ADDED] = "added",
        [DRIFT_WIDENED] = "widened",
        [DRIFT_NARROWED] = "narrowed",
        [DRIFT_REMOVED] = "removed",
};

const char *drift_kind_to_string(DriftKind kind) {
        return kind >= 0 && kind < _DRIFT_KIND_MAX ? kinds[kind] : NULL;
}

DriftKind drift_kind_from_string(const char *name) {
        for (int i = 0; i < _DRIFT_KIND_MAX; i++)
                if (text_equal(name, kinds[i]))
                        return (DriftKind) i;
        return _DRIFT_KIND_INVALID;
}

#define UNLIMITED INT64_MAX
#define NAME_MAX_BYTES 64

typedef enum Family { FAMILY_OTHER, FAMILY_INTEGER, FAMILY_DECIMAL, FAMILY_FLOAT, FAMILY_TEXT, FAMILY_TIME } Family;

/* What is known of types by name. size: digits of integers and floats; of texts the length where none is told. */
static const struct {
        const char *name;
        Family family;
        int64_t size;
} known[] = {
        {"tinyint", FAMILY_INTEGER, 2},
        {"smallint", FAMILY_INTEGER, 4},
        {"int2", FAMILY_INTEGER, 4},
        {"mediumint", FAMILY_INTEGER, 6},
        {"integer", FAMILY_INTEGER, 9},
        {"int", FAMILY_INTEGER, 9},
        {"int4", FAMILY_INTEGER, 9},
        {"bigint", FAMILY_INTEGER, 18},
        {"int8", FAMILY_INTEGER, 18},
        {"numeric", FAMILY_DECIMAL, 0},
        {"decimal", FAMILY_DECIMAL, 0},
        {"real", FAMILY_FLOAT, 6},
        {"float4", FAMILY_FLOAT, 6},
        {"double precision", FAMILY_FLOAT, 15},
        {"double", FAMILY_FLOAT, 15},
        {"float8", FAMILY_FLOAT, 15},
        {"character varying", FAMILY_TEXT, UNLIMITED},
        {"varchar", FAMILY_TEXT, UNLIMITED},
        {"nvarchar", FAMILY_TEXT, UNLIMITED},
        {"text", FAMILY_TEXT, UNLIMITED},
        {"longtext", FAMILY_TEXT, UNLIMITED},
        {"timestamp without time zone", FAMILY_TIME, 6},
        {"timestamp with time zone", FAMILY_TIME, 6},
        {"time without time zone", FAMILY_TIME, 6},
        {"datetime2", FAMILY_TIME, 7},
};

typedef struct Type {
        char name[NAME_MAX_BYTES];      /* lower-case, single spaces, without its numbers */
        int64_t arguments[2];
        size_t n_arguments;
        Family family;
        int64_t size;
} Type;

/* "Timestamp (3) with time zone" → "timestamp with time zone", 3. Numbers beyond two, or anything else in brackets (an enum's words), stay
 * in the name. */
static size_t arguments_take(const char *at, Type *t) {
        size_t n = 0, i = 1;
        int64_t values[2] = {};

        for (; n < 2; n++) {
                size_t digits;

                i += strspn(at + i, " ");
                digits = strspn(at + i, "0123456789");
                if (digits == 0 || digits > 9)
                        return 0;
                for (size_t k = 0; k < digits; k++)
                        values[n] = values[n] * 10 + at[i + k] - '0';
                i += digits;
                i += strspn(at + i, " ");
                if (at[i] == ')') {
                        memcpy(t->arguments, values, sizeof(values));
                        t->n_arguments = n + 1;
                        return i + 1;
                }
                if (at[i++] != ',')
                        return 0;
        }
        return 0;
}

static bool type_parse(const char *text, Type *t) {
        size_t n = 0;

        *t = (Type){};
        for (const char *c = text; *c;) {
                size_t used = *c == '(' && t->n_arguments == 0 ? arguments_take(c, t) : 0;

                if (used > 0) {
                        c += used;
                        continue;
                }
                if (n + 2 >= sizeof(t->name))
                        return false; /* too long to be one that is known: compared as it is */
                if (*c != ' ' || (n > 0 && t->name[n - 1] != ' '))
                        t->name[n++] = (char) tolower((unsigned char) *c);
                c++;
        }
        while (n > 0 && t->name[n - 1] == ' ')
                t->name[--n] = '\0';
        for (size_t i = 0; i < ELEMENTSOF(known); i++)
                if (text_equal(known[i].name, t->name)) {
                        t->family = known[i].family;
                        t->size = known[i].size;
                }
        return true;
}

/* Of decimals: digits before and behind the point. */
static void digits_of(const Type *t, int64_t *ret_before, int64_t *ret_behind) {
        *ret_behind = t->n_arguments == 0 ? UNLIMITED : t->n_arguments > 1 ? t->arguments[1] : 0;
        *ret_before = t->n_arguments == 0 ? UNLIMITED : t->arguments[0] - *ret_behind;
}

static bool decimal_holds(const Type *wide, const Type *narrow) {
        int64_t before, behind, narrow_before, narrow_behind;

        digits_of(wide, &before, &behind);
        if (narrow->family == FAMILY_INTEGER)
                return before > narrow->size; /* one digit more than are always whole: 9 of 2147483647 */
        digits_of(narrow, &narrow_before, &narrow_behind);
        return before >= narrow_before && behind >= narrow_behind;
}

static int64_t length_of(const Type *t) { return t->n_arguments > 0 ? t->arguments[0] : t->size; }

/* Does `wide` hold each value of `narrow` as it was? */
static bool type_holds(const Type *wide, const Type *narrow) {
        if (wide->family == FAMILY_DECIMAL && (narrow->family == FAMILY_DECIMAL || narrow->family == FAMILY_INTEGER))
                return decimal_holds(wide, narrow);
        if (wide->family != narrow->family || wide->family == FAMILY_OTHER)
                return false;
        if (wide->family == FAMILY_TIME)
                return text_equal(wide->name, narrow->name) && length_of(wide) >= length_of(narrow);
        if (wide->family == FAMILY_TEXT)
                return length_of(wide) >= length_of(narrow);
        return wide->size >= narrow->size; /* int(11) says how it is shown, not what it holds */
}

static bool type_equal(const Type *a, const Type *b) {
        return text_equal(a->name, b->name) && a->n_arguments == b->n_arguments &&
               memcmp(a->arguments, b->arguments, sizeof(a->arguments)) == 0;
}

DriftKind drift_of_types(const char *before, const char *now) {
        Type old, new;

        if (text_equal(before, now))
                return DRIFT_NONE;
        if (!now)
                return DRIFT_WIDENED; /* a column without a type stores what it is given */
        if (!before || !type_parse(before, &old) || !type_parse(now, &new))
                return DRIFT_NARROWED;
        if (type_equal(&old, &new) || (type_holds(&new, &old) && type_holds(&old, &new)))
                return DRIFT_NONE; /* another word for the same */
        return type_holds(&new, &old) ? DRIFT_WIDENED : DRIFT_NARROWED;
}
