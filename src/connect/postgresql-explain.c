/* SPDX-License-Identifier: Apache-2.0 */
/* How the server will run a scan: its own plan, what of it sorts, and which tables it reads whole. Nothing of it is run. */
#include "connect/postgresql-database.h"

#include "basic/json.h"
#include "basic/text.h"
#include "connect/query-plan.h"

typedef struct Explain {
        PgConnection *connection;
        const Mapping *mapping;
        json_t *plan;
} Explain;

/* Records of a table as statistics have them; a partitioned table's are those of its parts. */
static int records_estimate(const Explain *x, const json_t *node, int64_t *ret, Error *error) {
        static const char sql[] = "select greatest(coalesce(sum(c.reltuples), 0), 0)::bigint from pg_class c"
                                  " where c.oid = to_regclass(quote_ident($1) || '.' || quote_ident($2))";
        _cleanup_result_ PGresult *result = NULL;
        int r;

        r = pg_query(x->connection->db, x->connection->system, sql,
                     (const char *const[]){json_member_text(node, "Schema") ?: "", json_member_text(node, "Relation Name") ?: "", NULL},
                     &result, error);
        return r < 0 ? r : text_to_int64(PQgetvalue(result, 0, 0), 0, INT64_MAX, ret);
}

static int64_t plan_rows(const json_t *node) {
        return (int64_t) json_number_value(json_object_get(node, "Plan Rows"));
}

static int node_note(const Explain *x, const json_t *node, bool repeated, Error *error) {
        const char *type = json_member_text(node, "Node Type");
        int64_t n_records = 0;
        int r;

        if (type && strstr(type, "Sort"))
                return query_plan_sorts(x->plan, plan_rows(node));
        if (!type || !text_equal(type, "Seq Scan"))
                return 0;
        r = records_estimate(x, node, &n_records, error);
        return r < 0 ? r
                     : query_plan_scans(x->plan, x->mapping, json_member_text(node, "Alias"), json_member_text(node, "Relation Name") ?: "",
                                        n_records, repeated);
}

/* What lies on the inner side of a nested loop, or in a subquery, is run again for each record. */
static int node_walk(const Explain *x, const json_t *node, bool repeated, Error *error) {
        bool is_loop = text_equal(json_member_text(node, "Node Type"), "Nested Loop");
        const json_t *child;
        size_t i;
        int r;

        r = node_note(x, node, repeated, error);
        json_array_foreach(json_object_get(node, "Plans"), i, child) {
                const char *relationship = json_member_text(child, "Parent Relationship"), *type = json_member_text(child, "Node Type");
                bool again = (is_loop && text_equal(relationship, "Inner")) || text_equal(relationship, "SubPlan"),
                     kept = text_equal(type, "Materialize") || text_equal(type, "Hash");

                if (r >= 0)
                        r = node_walk(x, child, (repeated || again) && !kept, error);
        }
        return r;
}

static int explain_text(PgConnection *c, const char *sql, const char *form, PGresult **ret, Error *error) {
        _cleanup_free_ char *question = NULL;

        if (asprintf(&question, "explain %s %s", form, sql) < 0) {
                question = NULL;
                return -ENOMEM;
        }
        return pg_query(c->db, c->system, question, NULL, ret, error);
}

/* The lines for people, as psql shows them. */
static char *lines_join(const PGresult *result) {
        _cleanup_free_ char *text = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&text, &size);

        for (int i = 0; f && i < PQntuples(result); i++)
                (void) fprintf(f, "%s%s", i > 0 ? "\n" : "", PQgetvalue(result, i, 0));
        return f && fclose(f) == 0 ? TAKE_PTR(text) : NULL;
}

static int scan_explain(PgConnection *c, const Mapping *m, const char *sql, json_t *report, Error *error) {
        _cleanup_result_ PGresult *lines = NULL, *tree = NULL;
        json_auto_t *document = NULL, *plan = NULL;
        _cleanup_free_ char *text = NULL;
        Explain x = {.connection = c, .mapping = m};
        int r;

        r = explain_text(c, sql, "", &lines, error);
        if (r >= 0)
                r = explain_text(c, sql, "(format json, verbose)", &tree, error);
        if (r < 0)
                return r;
        text = lines_join(lines);
        document = json_loads(PQgetvalue(tree, 0, 0), 0, NULL);
        x.plan = plan = text && document ? query_plan_new(sql, text) : NULL;
        if (!plan)
                return -ENOMEM;
        r = node_walk(&x, json_object_get(json_array_get(document, 0), "Plan"), false, error);
        return r < 0 ? r : json_array_append(report, plan) < 0 ? -ENOMEM : 0;
}

int pg_explain(Connection *connection, const ReadPlan *plan, json_t *report, Error *error) {
        PgConnection *c = (PgConnection *) connection;
        _cleanup_(pg_sources_done) PgSources sources = {};
        _cleanup_(pg_scan_done) PgScan scan = {};
        int r;

        r = pg_sources_load(c->db, c->system, plan->pair, plan->mapping, NULL, &sources, error);
        if (r >= 0)
                r = pg_scan_make(c->db, c->system, plan, &sources, NULL, &scan, error);
        return r < 0 ? r : scan_explain(c, plan->mapping, scan.sql, report, error);
}
