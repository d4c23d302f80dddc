/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/sqlite-value.h"

#include "basic/text.h"
#include "basic/timestamp.h"
#include "basic/uuid.h"

#define REAL_INTEGER_MAX 1000000000000000LL /* 10^15: a float holds every integer below */

ColumnAffinity sqlite_affinity(const char *type, bool strict) {
        if (!type || type[0] == '\0' || strcasestr(type, "blob") || (strict && strcasecmp(type, "any") == 0))
                return strcasestr(type ? type : "", "int") ? COLUMN_NUMERIC : COLUMN_ANY;
        if (strcasestr(type, "int"))
                return COLUMN_NUMERIC;
        if (strcasestr(type, "char") || strcasestr(type, "clob") || strcasestr(type, "text"))
                return COLUMN_TEXT;
        if (strcasestr(type, "real") || strcasestr(type, "floa") || strcasestr(type, "double"))
                return COLUMN_REAL;
        return COLUMN_NUMERIC;
}

int sqlite_identity(Table *t, bool without_rowid) {
        static const char *const names[] = {"rowid", "_rowid_", "oid"};
        int r;

        if (!without_rowid) {
                for (size_t i = 0; i < ELEMENTSOF(names); i++)
                        if (!table_column(t, names[i])) {
                                t->numbered = true;
                                return strings_append(&t->identity, names[i]);
                        }
                return 0;
        }
        for (unsigned place = 1; place <= t->n_columns; place++)
                for (size_t i = 0; i < t->n_columns; i++)
                        if (t->columns[i].key_place == place) {
                                r = strings_append(&t->identity, t->columns[i].name);
                                if (r < 0)
                                        return r;
                        }
        return 0;
}

static int refuse(const TableColumn *column, const char *value, size_t size, const char *why, Error *error) {
        int r;

        r = error_set(error, ERROR_RECORD_REFUSED, "Declare the column TEXT, which keeps every digit",
                      "Column \"%s\" would change the value \"%.*s\": %s", column->name,
                      (int) (size > 80 ? 80 : size), value, why);
        (void) error_field(error, column->name);
        return r;
}

static void store_text(StoredValue *ret, size_t size) {
        ret->type = STORED_TEXT;
        ret->bytes = ret->text;
        ret->size = size;
}

static int store_integer(int64_t number, const TableColumn *column, StoredValue *ret, Error *error) {
        int n = snprintf(ret->text, sizeof(ret->text), "%lld", (long long) number);

        if (column->affinity == COLUMN_REAL && (number >= REAL_INTEGER_MAX || number <= -REAL_INTEGER_MAX))
                return refuse(column, ret->text, (size_t) n, "a REAL column holds 15 digits", error);
        if (column->affinity == COLUMN_TEXT) {
                store_text(ret, (size_t) n);
                return 0;
        }
        ret->type = STORED_INTEGER;
        ret->integer = number;
        return 0;
}

static int store_decimal(const Decimal *decimal, const TableColumn *column, StoredValue *ret, Error *error) {
        Decimal trimmed = decimal_trim(*decimal);
        int64_t integer;

        static_assert(STORED_TEXT_MAX >= DECIMAL_TEXT_MAX, "a decimal's text must fit");
        store_text(ret, decimal_format(decimal, ret->text));
        if (column->affinity == COLUMN_TEXT || column->affinity == COLUMN_ANY)
                return 0;
        if (decimal_to_integer(&trimmed, &integer) == 0)
                return store_integer(integer, column, ret, error);
        if (decimal_digits(&trimmed) > REAL_DIGITS_EXACT)
                return refuse(column, ret->text, ret->size, "it keeps 15 digits of a number", error);
        return 0;
}

/* A numeric column turns text that looks like a number into one; "0100" would come back as 100. */
static int store_plain_text(const Value *v, const TableColumn *column, StoredValue *ret, Error *error) {
        static const char blank[] = " \t\n\v\f\r";
        const char *p = v->bytes, *end = v->bytes + v->size;
        char same[DECIMAL_TEXT_MAX];
        Decimal number;
        int64_t integer;
        size_t n;
        int r;

        ret->type = STORED_TEXT;
        ret->bytes = v->bytes;
        ret->size = v->size;
        if (column->affinity == COLUMN_TEXT || column->affinity == COLUMN_ANY || v->size == 0)
                return 0;
        while (p < end && *p && strchr(blank, *p))
                p++;
        while (end > p && end[-1] && strchr(blank, end[-1]))
                end--;
        /* SQLite takes "12." for a number too. */
        n = (size_t) (end - p);
        r = decimal_parse(p, n > 1 && end[-1] == '.' ? n - 1 : n, &number);
        if (r == -EINVAL)
                return 0;
        if (r < 0)
                return refuse(column, v->bytes, v->size, "it keeps 15 digits of a number", error);
        number = decimal_trim(number);
        n = decimal_format(&number, same);
        if (n != v->size || memcmp(same, v->bytes, n) != 0)
                return refuse(column, v->bytes, v->size, "it makes a number of the text", error);
        if (decimal_digits(&number) <= REAL_DIGITS_EXACT)
                return 0;
        if (column->affinity == COLUMN_REAL || decimal_to_integer(&number, &integer) < 0)
                return refuse(column, v->bytes, v->size, "it keeps 15 digits of a number", error);
        return 0;
}

/* 2026-07-15 12:00:00[.250000], in UTC: the form of SQLite's own date functions. */
static void store_timestamp(int64_t usec, StoredValue *ret) {
        size_t n = timestamp_format(usec, ret->text);

        static_assert(STORED_TEXT_MAX >= TIMESTAMP_TEXT_MAX, "a time's text must fit");
        ret->text[10] = ' ';
        n -= strlen("+00:00");
        ret->text[n] = '\0';
        store_text(ret, n);
}

static void store_uuid(const Value *v, StoredValue *ret) {
        assert(v->size == 16);
        uuid_format((const uint8_t *) v->bytes, ret->text);
        store_text(ret, UUID_TEXT_SIZE - 1);
}

int value_store(const Value *v, const TableColumn *column, StoredValue *ret, Error *error) {
        switch (v->type) {
        case VALUE_INTEGER:
        case VALUE_BOOLEAN:
                return store_integer(v->integer, column, ret, error);
        case VALUE_DECIMAL:
                return store_decimal(&v->decimal, column, ret, error);
        case VALUE_TEXT:
        case VALUE_JSON:
                return store_plain_text(v, column, ret, error);
        case VALUE_DATE:
                store_text(ret, date_format((int32_t) v->integer, ret->text));
                return 0;
        case VALUE_TIME:
                store_text(ret, time_format(v->integer, ret->text));
                return 0;
        case VALUE_TIMESTAMP:
                store_timestamp(v->integer, ret);
                return 0;
        case VALUE_UUID:
                store_uuid(v, ret);
                return 0;
        case VALUE_BYTES:
        case VALUE_GEOMETRY:
                ret->type = STORED_BLOB;
                ret->bytes = v->bytes;
                ret->size = v->size;
                return 0;
        case VALUE_ABSENT:
        case VALUE_NULL:
        case _VALUE_TYPE_MAX:
        case _VALUE_TYPE_INVALID:
                break;
        }
        ret->type = STORED_NULL;
        return 0;
}
