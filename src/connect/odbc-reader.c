/* SPDX-License-Identifier: Apache-2.0 */
/* Drivers keep the whole answer of a query in memory. So a table is read in pages, each behind the last key of the one
 * before, all in one snapshot: memory stays the same, an index gives each page, and a scan resumes anywhere. */
#include "connect/odbc-reader.h"

#include "basic/text.h"
#include "connect/position.h"

#define PAGE_RECORDS_MAX 20000U
#define PAGE_RECORDS_MIN 100U
#define PAGE_BYTES       (4U * 1024 * 1024) /* what a driver may hold of a page */

void odbc_reader_close(Reader *reader) {
        OdbcReader *r = (OdbcReader *) reader;

        odbc_result_done(&r->result);
        if (r->in_snapshot && r->db)
                odbc_rollback_always(r->db);
        if (!r->own && r->db)
                r->connection->scanning = false;
        if (r->own)
                odbc_session_close(r->own);
        odbc_scan_done(&r->scan);
        odbc_sources_done(&r->sources);
        arena_free(r->arena);
        free(r->values);
        free(r->last);
        free(r->position);
        free(r->until);
        free(r);
}

static void readerp(OdbcReader **r) {
        if (*r)
                odbc_reader_close(&(*r)->base);
}

/* The connection's own session where nobody reads with it: servers have few to give. */
static int session_take(OdbcReader *r, Error *error) {
        int q;

        if (r->connection->scanning || r->connection->writes) {
                q = odbc_session_open(r->connection->system, false, &r->own, error);
                if (q < 0)
                        return q;
                r->db = r->own;
        } else {
                r->db = r->connection;
                r->connection->scanning = true;
        }
        r->in_snapshot = true;
        for (size_t i = 0; r->db->dialect->snapshot[i]; i++) {
                q = odbc_execute(r->db, r->db->dialect->snapshot[i], error);
                if (q < 0)
                        return q;
        }
        return 0;
}

/* Which table it is: of another one no place is known. */
static int table_number(const OdbcReader *r, int64_t *ret) {
        const Table *t = r->sources.own->table;
        _cleanup_text_buffer_ TextBuffer b = {};
        Digest digest;
        int q;

        q = text_buffer_printf(&b, "%s\n%s\n", r->connection->system->connection, t->name);
        for (size_t i = 0; i < r->scan.n_identity && q >= 0; i++)
                q = text_buffer_printf(&b, "%s %s\n", t->identity[i],
                                       r->scan.types[r->scan.n_columns + i]->declared);
        if (q < 0)
                return q;
        bytes_digest(b.bytes, b.size, &digest);
        memcpy(ret, digest.bytes, sizeof(*ret));
        return 0;
}

static int position_take(OdbcReader *r, const char *position) {
        Value after[ODBC_KEY_MAX];
        int64_t number, expected;
        int q;

        if (!position || !r->scan.ordered || r->scan.n_identity > ODBC_KEY_MAX)
                return 0;
        q = table_number(r, &expected);
        if (q < 0)
                return q;
        q = position_parse(position, &number, &r->last, &r->last_size);
        if (q < 0)
                return q == -EBADMSG ? 0 : q;
        r->last_capacity = r->last_size;
        r->resumed = number == expected &&
                     position_values(r->last, r->last_size, after, r->scan.n_identity) == 0;
        if (!r->resumed)
                r->last_size = 0;
        return 0;
}

/* Does the database sort to give the identity's order? Then it is read in any order, in one piece. */
static int plan_sorts(OdbcReader *r, const char *sql, bool *ret, Error *error) {
        static const char *const signs[_ODBC_FAMILY_MAX][3] = {
                [ODBC_MARIADB] = {"Using filesort", "Using temporary", NULL},
                [ODBC_POSTGRESQL] = {"\"Sort\"", "\"Incremental Sort\"", NULL},
                [ODBC_SQLITE] = {"USE TEMP B-TREE", NULL, NULL},
        };
        _cleanup_(odbc_rows_done) OdbcRows rows = {};
        _cleanup_free_ char *explain = NULL;
        int q;

        *ret = false;
        if (!r->db->dialect->explain)
                return 0;
        if (asprintf(&explain, "%s%s", r->db->dialect->explain, sql) < 0) {
                explain = NULL;
                return -ENOMEM;
        }
        q = odbc_query(r->db, explain, &rows, error);
        for (size_t i = 0; q >= 0 && i < rows.n_rows * rows.n_columns; i++)
                for (size_t j = 0; rows.cells[i] && signs[r->db->dialect->family][j]; j++)
                        *ret = *ret || strstr(rows.cells[i], signs[r->db->dialect->family][j]);
        return q;
}

/* The mapping's where is all that can still be wrong when tables and columns are known to be there. */
static int where_fail(const OdbcReader *r, int q, Error *failure, Error *error) {
        const Mapping *m = r->plan.mapping;

        if (m->where && failure->detail && error_class(failure->id) == ERROR_CLASS_PERMANENT) {
                q = error_set(error, ERROR_MAPPING,
                              "Correct where: in the mapping; it is the database's own SQL",
                              "%s: Entity \"%s\": %s refuses where: %s", m->where, m->entity,
                              r->db->dialect->name, failure->detail);
                return r->plan.pair ? error_at(error, r->plan.pair->file, m->line, m->column) : q;
        }
        if (error)
                error_move(error, failure);
        return q;
}

static int order_decide(OdbcReader *r, Error *error) {
        _cleanup_error_ Error failure = {};
        _cleanup_free_ char *sql = NULL;
        bool sorts = false;
        int q;

        q = odbc_scan_sql(&r->scan, NULL, NULL, 0, &sql, error);
        if (q < 0)
                return q;
        q = plan_sorts(r, sql, &sorts, &failure);
        if (q < 0)
                return failure.id == ERROR_NONE ? q : where_fail(r, q, &failure, error);
        if (sorts && r->plan.scope != READ_RANGES)
                r->scan.ordered = false;
        if (!r->scan.ordered)
                r->scan.n_identity = 0;
        return 0;
}

static int scan_prepare(OdbcReader *r, Error *error) {
        int q;

        q = odbc_sources_load(r->db, r->plan.pair, r->plan.mapping, NULL, &r->sources, error);
        if (q >= 0)
                q = odbc_scan_init(&r->scan, r->db->dialect, &r->plan, &r->sources, error);
        if (q >= 0)
                q = order_decide(r, error);
        if (q >= 0 && r->plan.scope == READ_RANGES)
                q = odbc_ranges_require(r->db->dialect, &r->sources, error);
        if (q >= 0)
                q = position_take(r, r->plan.position);
        if (q >= 0)
                q = odbc_result_init(&r->result, r->db, r->scan.read, r->scan.n_columns + r->scan.n_identity,
                                     error);
        if (q < 0)
                return q;
        r->values = calloc(r->scan.n_columns + r->scan.n_identity + 1, sizeof(Value));
        r->n_page = PAGE_RECORDS_MIN;
        r->at_end = r->plan.scope == READ_RANGES; /* until a range is asked for */
        return r->values ? 0 : -ENOMEM;
}

int odbc_reader_open(Connection *connection, const ReadPlan *plan, Reader **ret, Error *error) {
        _cleanup_(readerp) OdbcReader *r = calloc(1, sizeof(*r));
        int q;

        if (!r)
                return -ENOMEM;
        r->base.connector = &odbc_connector;
        r->connection = (OdbcConnection *) connection;
        r->result.statement = SQL_NULL_HSTMT;
        r->plan = *plan;
        r->plan.position = NULL;
        q = arena_new(&r->arena);
        if (q >= 0)
                q = session_take(r, error);
        r->plan.position = plan->position;
        if (q >= 0)
                q = scan_prepare(r, error);
        r->plan.position = NULL; /* the caller's */
        if (q < 0)
                return q;
        *ret = &TAKE_PTR(r)->base;
        return 0;
}

static int bound_values(const OdbcReader *r, Value *ret_after, Value *ret_until, bool *ret_has_after) {
        int q = 0;

        *ret_has_after = r->last_size > 0;
        if (r->last_size > 0)
                q = position_values(r->last, r->last_size, ret_after, r->scan.n_identity);
        if (q >= 0 && r->until)
                q = key_bound_parse(r->until, r->arena, ret_until, r->scan.n_identity);
        return q;
}

static int page_open(OdbcReader *r, Error *error) {
        Value after[ODBC_KEY_MAX], until[ODBC_KEY_MAX];
        _cleanup_error_ Error failure = {};
        _cleanup_free_ char *sql = NULL;
        bool has_after;
        int q;

        q = bound_values(r, after, until, &has_after);
        if (q >= 0)
                q = odbc_scan_sql(&r->scan, has_after ? after : NULL, r->until ? until : NULL,
                                  r->scan.ordered ? r->n_page : 0, &sql, error);
        if (q < 0)
                return q;
        odbc_result_close(&r->result);
        q = odbc_result_query(&r->result, sql, &failure);
        if (q < 0)
                return failure.id == ERROR_NONE ? q : where_fail(r, q, &failure, error);
        r->opened = true;
        r->n_in_page = 0;
        r->page_bytes = 0;
        return 0;
}

/* As many records as a driver may hold, by the size of those seen. */
static void page_adapt(OdbcReader *r) {
        uint64_t each = r->page_bytes / (r->n_in_page > 0 ? r->n_in_page : 1) + 1, n = PAGE_BYTES / each;

        if (n > 10 * r->n_page)
                n = 10 * r->n_page;
        r->n_page = n < 1 ? 1 : n > PAGE_RECORDS_MAX ? PAGE_RECORDS_MAX : (size_t) n;
}

static int identity_note(OdbcReader *r) {
        int q = 0;

        r->last_size = 0;
        for (size_t i = 0; i < r->scan.n_identity && q >= 0; i++)
                q = value_encode(&r->values[r->scan.n_columns + i], &r->last, &r->last_size,
                                 &r->last_capacity);
        return q;
}

int odbc_reader_next(Reader *reader, Value *values, Error *error) {
        OdbcReader *r = (OdbcReader *) reader;
        int q;

        if (arena_size_bytes(r->arena) > 0)
                arena_reset(r->arena);
        for (;;) {
                if (r->at_end)
                        return 0;
                if (!r->opened) {
                        q = page_open(r, error);
                        if (q < 0)
                                return q;
                }
                q = odbc_result_next(&r->result, r->arena, r->values, error);
                if (q < 0)
                        return q;
                if (q > 0)
                        break;
                r->opened = false;
                odbc_result_close(&r->result);
                r->at_end = !r->scan.ordered || r->n_in_page < r->n_page;
                page_adapt(r);
        }
        r->n_in_page++;
        r->page_bytes += arena_size_bytes(r->arena) + 8 * r->scan.n_columns;
        memcpy(values, r->values, r->scan.n_columns * sizeof(Value));
        q = identity_note(r);
        return q < 0 ? q : 1;
}

const char *odbc_reader_position(Reader *reader) {
        OdbcReader *r = (OdbcReader *) reader;
        int64_t number;

        if (r->last_size == 0 || r->scan.n_identity == 0 || table_number(r, &number) < 0)
                return NULL;
        free(r->position);
        r->position = position_format(number, r->last, r->last_size);
        return r->position;
}

bool odbc_reader_resumed(const Reader *reader) { return ((const OdbcReader *) reader)->resumed; }

bool odbc_reader_keys_are_unique(const Reader *reader) {
        const OdbcReader *r = (const OdbcReader *) reader;
        const Mapping *m = r->plan.mapping;
        const char *columns[ODBC_KEY_MAX];

        if (m->n_key > ODBC_KEY_MAX)
                return false;
        for (size_t i = 0; i < m->n_key; i++) {
                const MappingField *f = &m->fields[i];

                if (f->column < 0 || m->columns[f->column].join || f->trim || f->lookup)
                        return false;
                columns[i] = m->columns[f->column].name;
        }
        return !r->sources.own->table->is_view && m->n_joins == 0 &&
               table_is_unique(r->sources.own->table, columns, m->n_key);
}
