/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges of a table's primary key, summed up by the database, all in the reader's one snapshot. */
#include "connect/odbc-hash.h"
#include "connect/odbc-reader.h"

#include "basic/text.h"
#include "connect/position.h"

#define RANGES_OF_A_STATEMENT 50U

static int no_memory(Error *error) {
        return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for ranges of keys");
}

static const char *engine_without_snapshot(const OdbcSources *sources) {
        const char *engine = sources->own->engine;

        for (size_t i = 0; !engine && i < sources->n_joins; i++)
                engine = sources->joins[i]->engine;
        return engine;
}

/* Sums that are older or younger than the records that were read could hide a change for ever. */
int odbc_ranges_require(const OdbcDialect *dialect, const OdbcSources *sources, Error *error) {
        size_t n_identity = strings_count(sources->own->table->identity);
        const char *engine = engine_without_snapshot(sources);

        if (!dialect->sums)
                return error_set(error, ERROR_NOT_YET, "Use another strategy: detect: {strategy: full}",
                                 "Strategy digest on %s through ODBC is not there yet", dialect->name);
        if (n_identity == 0 || n_identity > ODBC_KEY_MAX)
                return error_set(error, ERROR_NOT_YET, "Give it a primary key, or use detect: {strategy: full}",
                                 "\"%s\" has no primary key that ranges could be cut by", sources->own->table->name);
        if (engine)
                return error_set(error, ERROR_NOT_YET,
                                 "Let the DBA run: alter table NAME engine = InnoDB, or use detect: {strategy: full}",
                                 "\"%s\", or what it is joined with, is of the storage engine %s: without snapshots sums"
                                 " and records may be of two moments", sources->own->table->name, engine);
        return 0;
}

static int bound_take(const OdbcReader *r, const char *bound, Arena *arena, Value *values, Error *error) {
        int q = key_bound_parse(bound, arena, values, r->scan.n_identity);

        if (q == -EBADMSG)
                return error_set(error, ERROR_HISTORY_GONE, "Run the pair with --full",
                                 "The primary key of \"%s\" is no longer the one that ranges were cut by",
                                 r->plan.mapping->from);
        return q < 0 ? no_memory(error) : 0;
}

/* The place behind which pages begin, as if the record there had been read. */
static int place_set(OdbcReader *r, const char *after, Arena *arena, Error *error) {
        Value values[ODBC_KEY_MAX];
        int q = 0;

        r->last_size = 0;
        if (!after)
                return 0;
        q = bound_take(r, after, arena, values, error);
        for (size_t i = 0; q >= 0 && i < r->scan.n_identity; i++)
                q = value_encode(&values[i], &r->last, &r->last_size, &r->last_capacity) < 0 ? no_memory(error) : 0;
        return q;
}

int odbc_reader_range(Reader *reader, const KeyRange *range, Error *error) {
        OdbcReader *r = (OdbcReader *) reader;
        _cleanup_arena_ Arena *arena = NULL;
        Value until[ODBC_KEY_MAX];
        int q;

        odbc_result_close(&r->result);
        r->opened = false;
        r->at_end = true;
        free(TAKE_PTR(r->until));
        if (arena_new(&arena) < 0 || (range->until && !(r->until = strdup(range->until))))
                return no_memory(error);
        q = range->until ? bound_take(r, range->until, arena, until, error) : 0;
        if (q >= 0)
                q = place_set(r, range->after, arena, error);
        r->at_end = q < 0;
        return q;
}

/* ---- cutting ---- */

static void walk_done(OdbcReader *walk) {
        odbc_result_done(&walk->result);
        odbc_scan_done(&walk->scan);
        arena_free(walk->arena);
        free(walk->values);
        free(walk->last);
        free(walk->until);
}

/* The identity alone, as a mapping without columns: pages of an index. */
static int walk_open(const OdbcReader *r, const Mapping *bare, OdbcReader *walk, Error *error) {
        int q;

        *walk = (OdbcReader){
                .base = r->base,
                .connection = r->connection,
                .db = r->db,
                .plan = {.pair = r->plan.pair, .mapping = bare, .scope = READ_RANGES},
                .sources = {.own = r->sources.own},
                .result = {.statement = SQL_NULL_HSTMT},
                .n_page = r->n_page,
        };
        q = arena_new(&walk->arena);
        if (q >= 0)
                q = odbc_scan_init(&walk->scan, r->db->dialect, &walk->plan, &walk->sources, error);
        if (q >= 0)
                q = odbc_result_init(&walk->result, r->db, walk->scan.read, walk->scan.n_identity, error);
        if (q >= 0 && !(walk->values = calloc(walk->scan.n_identity + 1, sizeof(Value))))
                q = no_memory(error);
        return q;
}

int odbc_ranges_plan(Reader *reader, const KeyRange *within, uint64_t n_records, KeyRanges *ret, Error *error) {
        OdbcReader *r = (OdbcReader *) reader;
        Mapping bare = {.entity = r->plan.mapping->entity, .from = r->plan.mapping->from};
        _cleanup_(walk_done) OdbcReader walk = {.result = {.statement = SQL_NULL_HSTMT}};
        _cleanup_free_ char *after = within->after ? strdup(within->after) : NULL;
        Value none;
        uint64_t n = 0;
        int q;

        if (within->after && !after)
                return no_memory(error);
        q = walk_open(r, &bare, &walk, error);
        if (q >= 0)
                q = odbc_reader_range(&walk.base, within, error);
        while (q >= 0 && (q = odbc_reader_next(&walk.base, &none, error)) > 0) {
                _cleanup_free_ char *until = NULL;

                if (++n % n_records != 0)
                        continue;
                until = key_bound_format(walk.values, walk.scan.n_identity);
                if (!until || key_ranges_add(ret, after, until, NULL) < 0)
                        return no_memory(error);
                free(after);
                after = TAKE_PTR(until);
        }
        if (q < 0)
                return q;
        return key_ranges_add(ret, after, within->until, NULL) < 0 ? no_memory(error) : 0;
}

/* ---- sums ---- */

static int hashes_select(OdbcReader *r, const KeyRange *range, char **ret, Error *error) {
        Value after[ODBC_KEY_MAX], until[ODBC_KEY_MAX];
        _cleanup_arena_ Arena *arena = NULL;
        int q;

        if (arena_new(&arena) < 0)
                return no_memory(error);
        q = range->after ? bound_take(r, range->after, arena, after, error) : 0;
        if (q >= 0 && range->until)
                q = bound_take(r, range->until, arena, until, error);
        return q < 0 ? q : odbc_scan_sql(&r->scan, range->after ? after : NULL, range->until ? until : NULL, 0, ret, error);
}

/* A record without a hash would be missing from the sums, and its changes with it. */
static int hash_missing(const OdbcReader *r, Error *error) {
        return error_set(error, ERROR_SYSTEM_REFUSED,
                         "Raise max_allowed_packet, or leave its largest column out of the mapping",
                         "System \"%s\": %s gives no md5 of a record of \"%s\"", r->connection->system->name,
                         r->db->dialect->name, r->plan.mapping->from);
}

static int sums_take(const OdbcReader *r, const OdbcRows *rows, size_t row, KeyRange *ranges, size_t n_ranges,
                     Error *error) {
        int64_t numbers[3 + KEY_RANGE_SUMS];
        KeyRange *range;

        for (size_t i = 0; i < ELEMENTSOF(numbers); i++) {
                const char *cell = odbc_cell(rows, row, i);

                if (!cell || text_to_int64(cell, 0, INT64_MAX, &numbers[i]) < 0)
                        return error_set(error, ERROR_INTERNAL, "Report it, with the name and version of the driver",
                                         "System \"%s\": \"%s\" is no sum", r->connection->system->name,
                                         cell ? cell : "null");
        }
        if ((size_t) numbers[0] >= n_ranges)
                return error_set(error, ERROR_INTERNAL, "Report it", "There is no range %lld", (long long) numbers[0]);
        if (numbers[1] != numbers[2])
                return hash_missing(r, error);
        range = ranges + numbers[0];
        range->n_records = (uint64_t) numbers[1];
        for (size_t i = 0; i < KEY_RANGE_SUMS; i++)
                range->sums[i] = (uint64_t) numbers[3 + i] & KEY_RANGE_SUM_MASK;
        return 0;
}

static int some_sum(OdbcReader *r, KeyRange *ranges, size_t n_ranges, Error *error) {
        _cleanup_strings_ char **selects = calloc(n_ranges + 1, sizeof(char *));
        _cleanup_(odbc_rows_done) OdbcRows rows = {};
        _cleanup_free_ char *sql = NULL;
        int q = selects ? 0 : no_memory(error);

        for (size_t i = 0; q >= 0 && i < n_ranges; i++)
                q = hashes_select(r, ranges + i, &selects[i], error);
        if (q >= 0)
                q = odbc_sums_sql(r->db->dialect, selects, n_ranges, &sql);
        if (q >= 0)
                q = odbc_query(r->db, sql, &rows, error);
        if (q >= 0 && (rows.n_rows != n_ranges || rows.n_columns != 3 + KEY_RANGE_SUMS))
                q = error_set(error, ERROR_INTERNAL, "Report it", "%zu sums of %zu ranges", rows.n_rows, n_ranges);
        for (size_t i = 0; q >= 0 && i < n_ranges; i++)
                q = sums_take(r, &rows, i, ranges, n_ranges, error);
        return q;
}

int odbc_ranges_sum(Reader *reader, KeyRange *ranges, size_t n_ranges, Error *error) {
        OdbcReader *r = (OdbcReader *) reader;
        _cleanup_free_ char *hash = NULL;
        int q;

        q = odbc_hash_sql(&r->scan, &hash);
        r->scan.expression = hash;
        for (size_t i = 0; q >= 0 && i < n_ranges; i += RANGES_OF_A_STATEMENT)
                q = some_sum(r, ranges + i, n_ranges - i < RANGES_OF_A_STATEMENT ? n_ranges - i : RANGES_OF_A_STATEMENT,
                             error);
        r->scan.expression = NULL;
        return q;
}

/* Kinds that these databases order as key_encode() does. Text they order by a collation, MariaDB a uuid by its parts. */
static bool kind_is_ordered(OdbcFamily family, OdbcKind kind) {
        return kind == ODBC_INTEGER || kind == ODBC_DATE || kind == ODBC_TIMESTAMP ||
               (family == ODBC_POSTGRESQL && kind == ODBC_UUID);
}

bool odbc_reader_ranges_by_key(const Reader *reader) {
        const OdbcReader *r = (const OdbcReader *) reader;
        char *const *identity = r->sources.own->table->identity;
        const Mapping *m = r->plan.mapping;

        if (strings_count(identity) != m->n_key)
                return false;
        for (size_t i = 0; i < m->n_key; i++) {
                const MappingColumn *column = m->fields[i].column >= 0 ? m->columns + m->fields[i].column : NULL;

                if (!column || column->join || table_column(r->sources.own->table, column->name) !=
                                                       table_column(r->sources.own->table, identity[i]) ||
                    !kind_is_ordered(r->db->dialect->family, r->scan.types[m->fields[i].column]->kind))
                        return false;
        }
        return true;
}
