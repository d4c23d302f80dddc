/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/odbc-type.h"

#include <ctype.h>
#include <strings.h>

/* ---- declarations ---- */

#define MA         (1U << ODBC_MARIADB)
#define PG         (1U << ODBC_POSTGRESQL)
#define MS         (1U << ODBC_SQLSERVER)
#define NOT_SQLITE (MA | PG | MS)

/* The first row that the declaration begins with, as a whole word. */
static const struct {
        const char *word;
        unsigned families;
        OdbcKind kind;
        int64_t minimum, maximum;
} declarations[] = {
        {"tinyint", MA, ODBC_INTEGER, -128, 127},
        {"tinyint", MS, ODBC_INTEGER, 0, 255},
        {"smallint", NOT_SQLITE, ODBC_INTEGER, -32768, 32767},
        {"mediumint", MA, ODBC_INTEGER, -8388608, 8388607},
        {"year", MA, ODBC_INTEGER, 0, 2155},
        {"int", NOT_SQLITE, ODBC_INTEGER, INT32_MIN, INT32_MAX},
        {"integer", NOT_SQLITE, ODBC_INTEGER, INT32_MIN, INT32_MAX},
        {"bigint", NOT_SQLITE, ODBC_INTEGER, INT64_MIN, INT64_MAX},
        {"decimal", NOT_SQLITE, ODBC_DECIMAL, 0, 0},
        {"numeric", NOT_SQLITE, ODBC_DECIMAL, 0, 0},
        {"money", MS, ODBC_DECIMAL, 0, 0},
        {"smallmoney", MS, ODBC_DECIMAL, 0, 0},
        {"float", MA, ODBC_REAL, 0, 0},
        {"float", MS, ODBC_DOUBLE, 0, 0},
        {"real", NOT_SQLITE, ODBC_REAL, 0, 0},
        {"double", NOT_SQLITE, ODBC_DOUBLE, 0, 0},
        {"bit", MA | MS, ODBC_BOOLEAN, 0, 0},
        {"boolean", PG, ODBC_BOOLEAN, 0, 0},
        {"date", NOT_SQLITE, ODBC_DATE, 0, 0},
        {"timestamp", MS, ODBC_ROWVERSION, 0, 0},
        {"rowversion", MS, ODBC_ROWVERSION, 0, 0},
        {"timestamp with", PG, ODBC_TIMESTAMPTZ, 0, 0},
        {"timestamptz", PG, ODBC_TIMESTAMPTZ, 0, 0},
        {"timestamp", MA | PG, ODBC_TIMESTAMP, 0, 0},
        {"datetime", MA | MS, ODBC_TIMESTAMP, 0, 0},
        {"datetime2", MS, ODBC_TIMESTAMP, 0, 0},
        {"smalldatetime", MS, ODBC_TIMESTAMP, 0, 0},
        {"datetimeoffset", MS, ODBC_TIMESTAMPTZ, 0, 0},
        {"time", NOT_SQLITE, ODBC_TIME, 0, 0},
        {"uuid", MA | PG, ODBC_UUID, 0, 0},
        {"uniqueidentifier", MS, ODBC_UUID, 0, 0},
        {"json", PG, ODBC_JSON, 0, 0},
        {"jsonb", PG, ODBC_JSON, 0, 0},
        {"character varying", PG, ODBC_TEXT, 0, 0},
        {"char", MA | MS, ODBC_CHAR, 0, 0},
        {"nchar", MS, ODBC_CHAR, 0, 0},
        {"character", PG, ODBC_CHAR, 0, 0},
        {"varchar", NOT_SQLITE, ODBC_TEXT, 0, 0},
        {"nvarchar", MS, ODBC_TEXT, 0, 0},
        {"text", NOT_SQLITE, ODBC_TEXT, 0, 0},
        {"tinytext", MA, ODBC_TEXT, 0, 0},
        {"mediumtext", MA, ODBC_TEXT, 0, 0},
        {"longtext", MA, ODBC_TEXT, 0, 0},
        {"ntext", MS, ODBC_TEXT, 0, 0},
        {"binary", MA | MS, ODBC_BYTES, 0, 0},
        {"varbinary", MA | MS, ODBC_BYTES, 0, 0},
        {"tinyblob", MA, ODBC_BYTES, 0, 0},
        {"blob", MA, ODBC_BYTES, 0, 0},
        {"mediumblob", MA, ODBC_BYTES, 0, 0},
        {"longblob", MA, ODBC_BYTES, 0, 0},
        {"image", MS, ODBC_BYTES, 0, 0},
        {"bytea", PG, ODBC_BYTES, 0, 0},
        {"geometry", NOT_SQLITE, ODBC_GEOMETRY, 0, 0},
        {"geography", NOT_SQLITE, ODBC_GEOMETRY, 0, 0},
        {"point", MA | PG, ODBC_GEOMETRY, 0, 0},
        {"linestring", MA, ODBC_GEOMETRY, 0, 0},
        {"polygon", MA | PG, ODBC_GEOMETRY, 0, 0},
        {"multipoint", MA, ODBC_GEOMETRY, 0, 0},
        {"multilinestring", MA, ODBC_GEOMETRY, 0, 0},
        {"multipolygon", MA, ODBC_GEOMETRY, 0, 0},
        {"geometrycollection", MA, ODBC_GEOMETRY, 0, 0},
};

static bool begins_with_word(const char *declared, const char *word) {
        size_t n = strlen(word);

        return strncasecmp(declared, word, n) == 0 && !isalnum((unsigned char) declared[n]) &&
               declared[n] != '_';
}

/* "(14,2)": up to two numbers; "(max)" has none. */
static int numbers_find(const char *declared, int numbers[static 2]) {
        const char *at = strchr(declared, '(');
        int n = 0;

        while (at && n < 2 && at[1] >= '0' && at[1] <= '9') {
                numbers[n++] = (int) strtol(at + 1, NULL, 10);
                at = strpbrk(at + 1, ",)");
                if (at && *at == ')')
                        break;
        }
        return n;
}

static void lengths_fill(OdbcFamily family, OdbcType *type, const int *numbers, int n) {
        switch (type->kind) {
        case ODBC_DECIMAL:
                type->precision = n > 0 ? numbers[0] : family == ODBC_POSTGRESQL ? -1 : 10;
                type->scale = n > 1 ? numbers[1] : n > 0 || family != ODBC_POSTGRESQL ? 0 : -1;
                if (strcasestr(type->declared, "money")) {
                        type->precision = 19;
                        type->scale = 4;
                }
                break;
        case ODBC_TIME:
        case ODBC_TIMESTAMP:
        case ODBC_TIMESTAMPTZ:
                type->scale = n > 0                       ? numbers[0]
                              : family == ODBC_MARIADB    ? 0
                              : family == ODBC_POSTGRESQL ? 6
                                                          : 7;
                if (family == ODBC_SQLSERVER && begins_with_word(type->declared, "datetime"))
                        type->scale = 3; /* in steps of 1/300 s */
                if (begins_with_word(type->declared, "smalldatetime"))
                        type->scale = 0;
                break;
        case ODBC_TEXT:
        case ODBC_CHAR:
        case ODBC_BYTES:
                type->length = n > 0 ? (unsigned) numbers[0] : 0;
                break;
        case ODBC_REAL: /* MariaDB's float(53), double with digits to round to */
                if (family == ODBC_MARIADB && n == 1 && numbers[0] > 24)
                        type->kind = ODBC_DOUBLE;
                break;
        case ODBC_DOUBLE:
                if (family == ODBC_SQLSERVER && n == 1 && numbers[0] < 25)
                        type->kind = ODBC_REAL;
                break;
        case ODBC_BOOLEAN: /* of several bits it is no boolean */
                if (family == ODBC_MARIADB && n > 0 && numbers[0] > 1) {
                        type->kind = ODBC_BYTES;
                        type->length = (unsigned) (numbers[0] + 7) / 8;
                }
                break;
        default:
                break;
        }
}

static void unsigned_apply(OdbcType *type) {
        if (type->kind != ODBC_INTEGER || !strcasestr(type->declared, "unsigned"))
                return;
        if (type->maximum == INT64_MAX)
                type->kind = ODBC_BIGINT_UNSIGNED;
        else
                type->maximum = 2 * type->maximum + 1;
        type->minimum = 0;
}

/* By SQLite's own rules of affinity. */
static void sqlite_parse(const char *declared, OdbcType *ret) {
        if (strcasestr(declared, "int")) {
                ret->kind = ODBC_INTEGER;
                ret->minimum = INT64_MIN;
                ret->maximum = INT64_MAX;
        } else if (strcasestr(declared, "char") || strcasestr(declared, "clob") ||
                   strcasestr(declared, "text"))
                ret->kind = ODBC_TEXT;
        else if (strcasestr(declared, "blob"))
                ret->kind = ODBC_BYTES;
        else if (strcasestr(declared, "real") || strcasestr(declared, "floa") ||
                 strcasestr(declared, "doub") || strcasestr(declared, "dec") || strcasestr(declared, "num"))
                ret->kind = ODBC_DOUBLE;
        else
                ret->kind = ODBC_ANY;
}

void odbc_type_parse(OdbcFamily family, const char *declared, OdbcType *ret) {
        int numbers[2], n = numbers_find(declared, numbers);

        *ret = (OdbcType){.kind = ODBC_OTHER, .precision = -1, .scale = -1, .declared = declared};
        if (family == ODBC_SQLITE) {
                sqlite_parse(declared, ret);
                return;
        }
        if (family == ODBC_POSTGRESQL && strstr(declared, "[]"))
                return;
        for (size_t i = 0; i < ELEMENTSOF(declarations); i++)
                if (declarations[i].families & 1U << family &&
                    begins_with_word(declared, declarations[i].word)) {
                        ret->kind = declarations[i].kind;
                        ret->minimum = declarations[i].minimum;
                        ret->maximum = declarations[i].maximum;
                        break;
                }
        /* timestamp(3) with time zone */
        if (family == ODBC_POSTGRESQL && ret->kind == ODBC_TIMESTAMP && strstr(declared, "with time zone"))
                ret->kind = ODBC_TIMESTAMPTZ;
        if (family == ODBC_POSTGRESQL && ret->kind == ODBC_TIME && strstr(declared, "with time zone"))
                ret->kind = ODBC_OTHER;
        lengths_fill(family, ret, numbers, n);
        unsigned_apply(ret);
}

bool odbc_kind_takes(OdbcKind kind, ValueType type) {
        switch (kind) {
        case ODBC_INTEGER:
        case ODBC_BIGINT_UNSIGNED:
        case ODBC_DECIMAL:
        case ODBC_REAL:
        case ODBC_DOUBLE:
                return type == VALUE_INTEGER || type == VALUE_DECIMAL || type == VALUE_BOOLEAN;
        case ODBC_BOOLEAN:
                return type == VALUE_BOOLEAN || type == VALUE_INTEGER;
        case ODBC_DATE:
        case ODBC_TIMESTAMP:
        case ODBC_TIMESTAMPTZ:
                return type == VALUE_DATE || type == VALUE_TIMESTAMP;
        case ODBC_TIME:
                return type == VALUE_TIME;
        case ODBC_UUID:
                return type == VALUE_UUID;
        case ODBC_BYTES:
                return type == VALUE_BYTES || type == VALUE_GEOMETRY;
        case ODBC_ROWVERSION:
        case ODBC_GEOMETRY:
                return false;
        default:
                return type != VALUE_BYTES && type != VALUE_GEOMETRY;
        }
}

/* MariaDB's driver tells floats by six digits, and doubles by all; bits that are not null it may call null. SQLite's tells text
 * of everything, bytes not at all. */
const char *odbc_column_form(OdbcFamily family, const OdbcType *type, const OdbcType **ret_type) {
        static const OdbcType quoted = {
                .kind = ODBC_QUOTED, .precision = -1, .scale = -1, .declared = "literal"};

        *ret_type = type;
        if (family == ODBC_MARIADB && type->kind == ODBC_REAL)
                return "@ + 0e0";
        if (family == ODBC_MARIADB && type->kind == ODBC_BOOLEAN)
                return "@ + 0";
        if (family != ODBC_SQLITE)
                return NULL;
        *ret_type = &quoted;
        return "quote(@)";
}
