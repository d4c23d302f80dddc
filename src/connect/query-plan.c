/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/query-plan.h"

#include "basic/json.h"
#include "basic/text.h"
#include "connect/sql.h"

json_t *query_plan_new(const char *query, const char *plan) {
        return json_pack("{s:o?, s:o?, s:b, s:i, s:[]}", "query", json_text(query), "plan", json_text(plan), "sorts", 0, "sorted", 0, "scans");
}

int query_plan_sorts(json_t *plan, int64_t n_records) {
        if (json_member_integer(plan, "sorted", 0) > n_records)
                n_records = json_member_integer(plan, "sorted", 0);
        return json_put(plan, "sorts", json_true()) < 0 || json_put(plan, "sorted", json_integer(n_records)) < 0 ? -ENOMEM : 0;
}

int query_plan_scans(json_t *plan, const Mapping *m, const char *alias, const char *table, int64_t n_records, bool repeated) {
        _cleanup_free_ char *index = query_plan_index(m, alias);
        json_t *scan = json_pack("{s:s, s:s?, s:I, s:b, s:s?}", "table", table, "alias", alias, "records", (json_int_t) n_records, "repeated",
                                 (int) repeated, "index", index);

        return json_array_append_new(json_object_get(plan, "scans"), scan) < 0 ? -ENOMEM : 0;
}

static const MappingJoin *join_find(const Mapping *m, const char *alias) {
        for (size_t i = 0; alias && i < m->n_joins; i++)
                if (text_equal(m->joins[i].name, alias))
                        return m->joins + i;
        return NULL;
}

static void name_write(FILE *f, const char *name) {
        _cleanup_free_ char *text = sql_identifier(name);

        (void) fputs(text ? text : "", f);
}

/* Columns of a join's index: those it is looked up by, then those that order its rows. */
static void join_columns_write(FILE *f, const MappingJoin *j) {
        const char *separator = "";

        for (size_t i = 0; i < j->n_by; i++, separator = ", ") {
                (void) fputs(separator, f);
                name_write(f, j->by[i].left);
        }
        for (char *const *order = j->take_first ? j->order : NULL; order && *order; order++, separator = ", ") {
                (void) fputs(separator, f);
                name_write(f, *order + (**order == '-'));
                if (**order == '-')
                        (void) fputs(" desc", f);
        }
}

char *query_plan_index(const Mapping *m, const char *alias) {
        const MappingJoin *join = join_find(m, alias);
        const char *table = join ? join->from : m->from, *dot = strrchr(table, '.');
        _cleanup_free_ char *text = NULL, *name = NULL, *quoted_table = NULL, *quoted_name = NULL;
        size_t size = 0;
        FILE *f;

        if (!join && !m->watermark)
                return NULL;
        if (asprintf(&name, "%s_%s", dot ? dot + 1 : table, join ? (join->n_by > 0 ? join->by[0].left : join->name) : m->watermark) < 0) {
                name = NULL;
                return NULL;
        }
        quoted_name = sql_identifier(name);
        quoted_table = sql_table(table);
        f = open_memstream(&text, &size);
        if (!f)
                return NULL;
        (void) fprintf(f, "create index %s on %s (", quoted_name ? quoted_name : "", quoted_table ? quoted_table : "");
        if (join)
                join_columns_write(f, join);
        else
                name_write(f, m->watermark);
        (void) fputc(')', f);
        return fclose(f) == 0 && quoted_name && quoted_table ? TAKE_PTR(text) : NULL;
}
