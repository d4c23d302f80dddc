/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges of a table's primary key, summed up by the server. A record's columns are hashed as one by hash_record_extended() and the hash is
 * hashed twice more, with two seeds: that hash alone is linear in its columns, so that two records that swap a value would leave
 * the sum as it was. Source: PostgreSQL 15, src/backend/utils/adt/rowtypes.c. Each type's own hash says what counts as
 * equal; types whose hash would take for equal what we do not, or that have none, are hashed as their text. */
#include "connect/postgresql-reader.h"

#include "basic/text.h"
#include "connect/sql.h"

#define HASH_RECORD_VERSION 140000 /* hash_record_extended() is there */

static int no_memory(Error *error) {
        return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for ranges of keys");
}

static char *const *identity_of(const PgReader *r) { return r->sources.own->table->identity; }

static const PgType *column_type(const PgReader *r, const MappingColumn *column) {
        const Mapping *m = r->plan.mapping;

        for (size_t i = 0; column->join && i < m->n_joins; i++)
                if (text_equal(m->joins[i].name, column->join))
                        return pg_table_type(r->sources.joins[i], column->name);
        return pg_table_type(r->sources.own, column->name);
}

/* ---- what is hashed ---- */

/* As the server hashes a value of this kind by itself; other kinds go as text, by the bytes of it. */
static const char *kind_cast(PgKind kind) {
        switch (kind) {
        case PG_SMALLINT:
        case PG_INTEGER:
        case PG_BIGINT:
        case PG_NUMERIC:
        case PG_BOOLEAN:
        case PG_DATE:
        case PG_TIME:
        case PG_TIMESTAMP:
        case PG_TIMESTAMPTZ:
        case PG_UUID:
        case PG_BYTEA:
                return "";
        default:
                return "::text collate \"C\"";
        }
}

static int column_put(FILE *f, const PgReader *r, const MappingColumn *column, bool as_text) {
        _cleanup_free_ char *alias = sql_identifier(column->join ? column->join : SQL_SOURCE),
                            *name = sql_identifier(column->name);
        const char *cast = as_text ? "::text collate \"C\"" : kind_cast(column_type(r, column)->kind);

        if (!alias || !name)
                return -ENOMEM;
        if (as_text) /* injective: null, or how many bytes, and the bytes */
                (void) fprintf(f, "coalesce('V' || octet_length(%s.%s::text) || ':' || %s.%s%s, 'N')", alias, name,
                               alias, name, cast);
        else
                (void) fprintf(f, "%s.%s%s", alias, name, cast);
        return 0;
}

/* One hash of 64 bits of all mapped columns. */
static char *hash_expression(const PgReader *r) {
        bool by_record = PQserverVersion(r->db) >= HASH_RECORD_VERSION;
        const Mapping *m = r->plan.mapping;
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);
        bool failed;

        if (!f)
                return NULL;
        (void) fputs(by_record ? "hash_record_extended(row(" : "hashtextextended(", f);
        failed = m->n_columns == 0 && fputs(by_record ? "" : "''", f) < 0;
        for (size_t i = 0; i < m->n_columns && !failed; i++) {
                (void) fputs(i == 0 ? "" : by_record ? ", " : " || ", f);
                failed = column_put(f, r, m->columns + i, !by_record) < 0;
        }
        (void) fputs(by_record ? "), 1) as tf_hash" : ", 1) as tf_hash", f);
        failed = ferror(f) || failed;
        if (fclose(f) != 0 || failed) {
                free(text);
                return NULL;
        }
        return text;
}

static const char sums[] = "count(*), coalesce(sum(hashint8extended(tf_hash, 1)) % 1152921504606846976, 0)::bigint,"
                           " coalesce(sum(hashint8extended(tf_hash, 2)) % 1152921504606846976, 0)::bigint";

/* ---- ranges ---- */

static int bound_values(PgReader *r, const char *bound, Arena *arena, const Value **ret, Error *error) {
        size_t n = strings_count(identity_of(r));
        Value *values = arena_alloc(arena, n * sizeof(Value));
        int q;

        if (!values)
                return no_memory(error);
        q = key_bound_parse(bound, arena, values, n);
        if (q < 0)
                return q == -ENOMEM ? no_memory(error)
                                    : error_set(error, ERROR_HISTORY_GONE, "Run the pair with --full",
                                                "The primary key of \"%s\" is no longer the one that ranges were "
                                                "cut by",
                                                r->plan.mapping->from);
        *ret = values;
        return 0;
}

static int bounds_make(PgReader *r, const KeyRange *range, Arena *arena, PgBounds *bounds, Error *error) {
        int q = 0;

        if (range->after)
                q = bound_values(r, range->after, arena, &bounds->after, error);
        if (q >= 0 && range->until)
                q = bound_values(r, range->until, arena, &bounds->until, error);
        return q;
}

/* The bound that a row of a binary result is. */
static char *row_bound(PgReader *r, const PGresult *result, int row) {
        Value values[POSITION_KEY_MAX];
        int n = PQnfields(result);

        for (int i = 0; i < n; i++)
                if (pg_decode(pg_table_type(r->sources.own, identity_of(r)[i]), PQgetvalue(result, row, i),
                              (size_t) PQgetlength(result, row, i), false, r->arena, &values[i]) < 0)
                        return NULL;
        return key_bound_format(values, (size_t) n);
}

/* The identity alone, as a mapping without columns: its scan is one of an index. */
static int walk_sql(PgReader *r, const KeyRange *within, uint64_t n_records, Arena *arena, char **ret, Error *error) {
        Mapping bare = {.entity = r->plan.mapping->entity, .from = r->plan.mapping->from};
        ReadPlan plan = {.pair = r->plan.pair, .mapping = &bare, .scope = READ_RANGES};
        PgSources sources = {.own = r->sources.own};
        _cleanup_(pg_scan_done) PgScan scan = {};
        _cleanup_free_ char *names = NULL;
        PgBounds bounds = {};
        int q;

        q = bounds_make(r, within, arena, &bounds, error);
        if (q >= 0)
                q = pg_scan_make(r->db, r->connection->system, &plan, &sources, &bounds, &scan, error);
        for (size_t i = 0; q >= 0 && identity_of(r)[i]; i++) {
                _cleanup_free_ char *name = sql_identifier(identity_of(r)[i]), *before = names;

                if (!name || asprintf(&names, "%s%s%s", before ? before : "", before ? ", " : "", name) < 0) {
                        names = NULL;
                        q = no_memory(error);
                }
        }
        if (q >= 0 && asprintf(ret,
                               "select %s from (select tf_keys.*, row_number() over (order by %s) as tf_number from (%s) tf_keys)"
                               " tf_numbered where tf_number %% %llu = 0 order by tf_number",
                               names, names, scan.sql, (unsigned long long) n_records) < 0) {
                *ret = NULL;
                q = no_memory(error);
        }
        return q;
}

int pg_ranges_plan(Reader *reader, const KeyRange *within, uint64_t n_records, KeyRanges *ret, Error *error) {
        PgReader *r = (PgReader *) reader;
        _cleanup_arena_ Arena *arena = NULL;
        _cleanup_result_ PGresult *result = NULL;
        _cleanup_free_ char *sql = NULL, *after = NULL;
        int q;

        if (arena_new(&arena) < 0 || (within->after && !(after = strdup(within->after))))
                return no_memory(error);
        q = walk_sql(r, within, n_records, arena, &sql, error);
        if (q < 0)
                return q;
        result = PQexecParams(r->db, sql, 0, NULL, NULL, NULL, NULL, 1);
        if (PQresultStatus(result) != PGRES_TUPLES_OK)
                return pg_fail(r->db, result, r->connection->system, "cannot plan ranges", false, error);
        for (int i = 0; i < PQntuples(result); i++) {
                _cleanup_free_ char *until = row_bound(r, result, i);

                if (!until || key_ranges_add(ret, after, until, NULL) < 0)
                        return no_memory(error);
                free(after);
                after = TAKE_PTR(until);
        }
        return key_ranges_add(ret, after, within->until, NULL) < 0 ? no_memory(error) : 0;
}

static void sums_take(const PGresult *result, int row, int column, KeyRange *range) {
        int64_t numbers[KEY_RANGE_SUMS + 1] = {};

        for (int i = 0; i <= KEY_RANGE_SUMS; i++)
                if (text_to_int64(PQgetvalue(result, row, column + i), INT64_MIN, INT64_MAX, &numbers[i]) < 0)
                        numbers[0] = -1;
        range->n_records = (uint64_t) numbers[0];
        for (size_t i = 0; i < KEY_RANGE_SUMS; i++)
                range->sums[i] = (uint64_t) numbers[i + 1] & KEY_RANGE_SUM_MASK;
}

static int rows_get(PgReader *r, const char *sql, int n_rows, PGresult **ret, Error *error) {
        PGresult *result = PQexecParams(r->db, sql, 0, NULL, NULL, NULL, NULL, 0);
        int q;

        if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == n_rows) {
                *ret = result;
                return 0;
        }
        q = pg_fail(r->db, result, r->connection->system, "cannot sum up ranges", false, error);
        PQclear(result);
        return q;
}

/* The first and the last have a bound on one side only: queries of their own. */
static int range_sum(PgReader *r, KeyRange *range, const char *expression, Error *error) {
        _cleanup_(pg_scan_done) PgScan scan = {};
        _cleanup_result_ PGresult *result = NULL;
        PgBounds bounds = {.expression = expression};
        _cleanup_arena_ Arena *arena = NULL;
        _cleanup_free_ char *sql = NULL;
        int q;

        if (arena_new(&arena) < 0)
                return no_memory(error);
        q = bounds_make(r, range, arena, &bounds, error);
        if (q >= 0)
                q = pg_scan_make(r->db, r->connection->system, &r->plan, &r->sources, &bounds, &scan, error);
        if (q >= 0 && asprintf(&sql, "select %s from (%s offset 0) tf_hashed", sums, scan.sql) < 0) {
                sql = NULL;
                q = no_memory(error);
        }
        if (q >= 0)
                q = rows_get(r, sql, 1, &result, error);
        if (q >= 0)
                sums_take(result, 0, 0, range);
        return q;
}

/* An array of one of the identity's columns: of where the ranges begin, or end. */
static int array_put(FILE *f, PgReader *r, const KeyRange *ranges, size_t n_ranges, size_t column, bool until,
                     Error *error) {
        const PgType *type = pg_table_type(r->sources.own, identity_of(r)[column]);
        _cleanup_(copy_buffer_done) CopyBuffer literal = {};
        _cleanup_arena_ Arena *arena = NULL;
        const Value *values;
        int q;

        if (arena_new(&arena) < 0)
                return no_memory(error);
        (void) fputs("array[", f);
        for (size_t i = 0; i < n_ranges; i++) {
                q = bound_values(r, until ? ranges[i].until : ranges[i].after, arena, &values, error);
                if (q < 0)
                        return q;
                literal.size = 0;
                if (pg_literal(type, &values[column], &literal) < 0 || !copy_buffer_reserve(&literal, 1))
                        return no_memory(error);
                literal.bytes[literal.size] = '\0';
                (void) fprintf(f, "%s%s", i > 0 ? ", " : "", literal.bytes);
                arena_reset(arena);
        }
        (void) fputs("]", f);
        return 0;
}

static int arrays_put(FILE *f, PgReader *r, const KeyRange *ranges, size_t n_ranges, Error *error) {
        size_t n = strings_count(identity_of(r));
        int q = 0;

        for (size_t i = 0; q >= 0 && i < n * 2; i++) {
                (void) fputs(i > 0 ? ",\n " : "", f);
                q = array_put(f, r, ranges, n_ranges, i % n, i >= n, error);
        }
        return q;
}

/* The statement of all ranges that have both bounds: the server looks each of them up in the key's index. */
static int sums_put(FILE *f, PgReader *r, const KeyRange *ranges, size_t n_ranges, const char *expression,
                    Error *error) {
        size_t n = strings_count(identity_of(r));
        _cleanup_free_ const char **after = calloc(n + 1, sizeof(char *)), **until = calloc(n + 1, sizeof(char *));
        _cleanup_(pg_scan_done) PgScan scan = {};
        PgBounds bounds = {.after_columns = after, .until_columns = until, .expression = expression};
        char names[POSITION_KEY_MAX * 2][32];
        int q;

        if (!after || !until)
                return no_memory(error);
        for (size_t i = 0; i < n; i++) {
                (void) snprintf(names[i], sizeof(names[i]), "tf_b.a%zu", i);
                (void) snprintf(names[n + i], sizeof(names[n + i]), "tf_b.u%zu", i);
                after[i] = names[i];
                until[i] = names[n + i];
        }
        q = pg_scan_make(r->db, r->connection->system, &r->plan, &r->sources, &bounds, &scan, error);
        if (q < 0)
                return q;
        (void) fputs("select tf_sums.* from unnest(", f);
        q = arrays_put(f, r, ranges, n_ranges, error);
        (void) fputs(") with ordinality as tf_b(", f);
        for (size_t i = 0; i < n * 2; i++)
                (void) fprintf(f, "%s, ", names[i] + strlen("tf_b."));
        (void) fprintf(f,
                       "tf_number) cross join lateral (select %s from (%s offset 0) tf_hashed) tf_sums"
                       " order by tf_b.tf_number",
                       sums, scan.sql);
        return q;
}

/* So many in one statement, whose text is sent whole. */
#define RANGES_OF_A_STATEMENT 1000U

static int some_sum(PgReader *r, KeyRange *ranges, size_t n_ranges, const char *expression, Error *error) {
        _cleanup_result_ PGresult *result = NULL;
        _cleanup_free_ char *sql = NULL;
        size_t size;
        FILE *f = open_memstream(&sql, &size);
        bool failed;
        int q;

        if (!f)
                return no_memory(error);
        q = sums_put(f, r, ranges, n_ranges, expression, error);
        failed = ferror(f);
        if (fclose(f) != 0 || failed)
                return no_memory(error);
        if (q >= 0)
                q = rows_get(r, sql, (int) n_ranges, &result, error);
        for (size_t i = 0; q >= 0 && i < n_ranges; i++)
                sums_take(result, (int) i, 0, ranges + i);
        return q;
}

int pg_ranges_sum(Reader *reader, KeyRange *ranges, size_t n_ranges, Error *error) {
        PgReader *r = (PgReader *) reader;
        _cleanup_free_ char *expression = hash_expression(r);
        size_t n;
        int q;

        if (!expression)
                return no_memory(error);
        /* Never a sort: each range is looked up in the key's index. It lasts as long as the table is large. */
        q = pg_execute(r->db, r->connection->system, "set local enable_sort = off; set local statement_timeout = 0",
                       error);
        for (size_t i = 0; q >= 0 && i < n_ranges; i += n) {
                n = 1;
                if (!ranges[i].after || !ranges[i].until) {
                        q = range_sum(r, ranges + i, expression, error);
                        continue;
                }
                while (n < RANGES_OF_A_STATEMENT && i + n < n_ranges && ranges[i + n].until)
                        n++;
                q = some_sum(r, ranges + i, n, expression, error);
        }
        return q;
}

int pg_reader_range(Reader *reader, const KeyRange *range, Error *error) {
        PgReader *r = (PgReader *) reader;
        _cleanup_arena_ Arena *arena = NULL;
        PgBounds bounds = {};
        int q;

        assert(!r->copying);
        if (arena_new(&arena) < 0)
                return no_memory(error);
        pg_scan_done(&r->scan);
        free(TAKE_PTR(r->fields));
        q = bounds_make(r, range, arena, &bounds, error);
        if (q >= 0)
                q = pg_scan_make(r->db, r->connection->system, &r->plan, &r->sources, &bounds, &r->scan, error);
        return q < 0 ? q : pg_reader_copy(r, error);
}

/* Kinds that the server orders as key_encode() does. Text it orders by a collation. */
static bool kind_is_ordered(PgKind kind) {
        return kind == PG_SMALLINT || kind == PG_INTEGER || kind == PG_BIGINT || kind == PG_DATE ||
               kind == PG_TIMESTAMP || kind == PG_TIMESTAMPTZ || kind == PG_UUID;
}

bool pg_reader_ranges_by_key(const Reader *reader) {
        const PgReader *r = (const PgReader *) reader;
        const Mapping *m = r->plan.mapping;

        if (strings_count(identity_of(r)) != m->n_key)
                return false;
        for (size_t i = 0; i < m->n_key; i++) {
                const MappingColumn *column = m->fields[i].column >= 0 ? m->columns + m->fields[i].column : NULL;

                if (!column || column->join || !text_equal(column->name, identity_of(r)[i]) ||
                    !kind_is_ordered(column_type(r, column)->kind))
                        return false;
        }
        return true;
}
