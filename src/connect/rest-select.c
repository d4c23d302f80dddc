/* SPDX-License-Identifier: Apache-2.0 */
#include "basic/text.h"
#include "connect/rest-connection.h"
#include "connect/rest-value.h"
#include "connect/sql.h"

/* ---- $select and $expand ---- */

static int name_add(TextBuffer *b, size_t from, const char *name) {
        int r = 0;

        if (b->size > from)
                r = text_buffer_add(b, ",", 1);
        return r < 0 ? r : text_buffer_add_url(b, name, strlen(name));
}

static bool column_is_of(const MappingColumn *column, const MappingJoin *join) {
        return join ? text_equal(column->join, join->name) : !column->join || text_equal(column->join, SQL_SOURCE);
}

static int select_add(const RestSelect *s, TextBuffer *b) {
        const Mapping *m = s->plan->mapping;
        size_t from;
        int r;

        r = text_buffer_add(b, "?$select=", 9);
        from = b->size;
        for (unsigned i = 1; i <= s->set->n_key && r == 0; i++)
                r = name_add(b, from, odata_key(s->set, i)->name);
        for (size_t i = 0; i < m->n_columns && r == 0; i++) {
                const ODataProperty *property = column_is_of(&m->columns[i], NULL) ? odata_property(s->set, m->columns[i].name) : NULL;

                if (property && property->key_place == 0 && s->columns[i])
                        r = name_add(b, from, property->name);
        }
        return r;
}

static int expand_add(const RestSelect *s, TextBuffer *b) {
        const Mapping *m = s->plan->mapping;
        int r = 0;

        for (size_t i = 0; i < m->n_joins && r == 0; i++) {
                size_t from;

                r = text_buffer_printf(b, "%s", i == 0 ? "&$expand=" : ",");
                if (r == 0)
                        r = text_buffer_add_url(b, s->navigations[i]->name, strlen(s->navigations[i]->name));
                if (r == 0)
                        r = text_buffer_add(b, "($select=", 9);
                from = b->size;
                for (size_t j = 0; j < m->n_columns && r == 0; j++)
                        if (column_is_of(&m->columns[j], &m->joins[i]))
                                r = name_add(b, from, m->columns[j].name);
                if (r == 0 && b->size == from) /* it only keeps records out that have none */
                        r = name_add(b, from, s->navigations[i]->constraints[0].referenced);
                if (r == 0)
                        r = text_buffer_add(b, ")", 1);
        }
        return r;
}

/* ---- $filter ---- */

static int and_add(TextBuffer *filter) { return filter->size > 0 ? text_buffer_add(filter, " and ", 5) : 0; }

/* Where :NAME begins a variable: its value as a literal. Names of OData have no colon. */
static int variable_add(const Pair *pair, const char *name, size_t size, Arena *arena, TextBuffer *b, Error *error) {
        static const ODataProperty text = {.type = EDM_STRING}, number = {.type = EDM_DECIMAL, .precision = -1, .scale = -1};
        const Variable *variable = pair ? pair_variable(pair, name, size) : NULL;

        if (!variable)
                return error_set(error, ERROR_MAPPING, "Write :NAME and declare NAME under variables:",
                                 "where: names \":%.*s\", which is no variable", (int) size, name);
        return odata_literal(&variable->value, variable->value.type == VALUE_TEXT ? &text : &number, arena, b);
}

static int where_fill(const ReadPlan *plan, Arena *arena, TextBuffer *b, Error *error) {
        bool quoted = false;
        int r = 0;

        for (const char *at = plan->mapping->where; *at && r == 0;) {
                size_t size = 1;

                quoted ^= *at == '\'';
                if (*at != ':' || quoted)
                        r = text_buffer_add(b, at, 1);
                else {
                        size = 1 + strspn(at + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
                        r = variable_add(plan->pair, at + 1, size - 1, arena, b, error);
                }
                at += size;
        }
        return r;
}

static int where_add(const RestSelect *s, Arena *arena, TextBuffer *filter, Error *error) {
        int r;

        if (!s->plan->mapping->where)
                return 0;
        r = text_buffer_add(filter, "(", 1);
        if (r == 0)
                r = where_fill(s->plan, arena, filter, error);
        if (r < 0 && s->plan->pair && r != -ENOMEM)
                return error_at(error, s->plan->pair->file, s->plan->mapping->line, s->plan->mapping->column);
        return r < 0 ? r : text_buffer_add(filter, ")", 1);
}

/* Records without a stamp are of the first run: from the beginning, all. */
static int watermark_add(const RestSelect *s, Arena *arena, TextBuffer *filter) {
        const ReadPlan *plan = s->plan;
        const ODataProperty *p = odata_property(s->set, plan->mapping->watermark);
        bool has_low = !value_is_null(&plan->low);
        int r;

        if (plan->scope != READ_WATERMARK)
                return 0;
        r = and_add(filter);
        if (r == 0)
                r = text_buffer_printf(filter, has_low ? "%s ge " : "(%s lt ", p->name);
        if (r == 0)
                r = odata_literal(has_low ? &plan->low : &plan->high, p, arena, filter);
        if (r == 0)
                r = text_buffer_printf(filter, has_low ? " and %s lt " : " or %s eq null)", p->name);
        return r == 0 && has_low ? odata_literal(&plan->high, p, arena, filter) : r;
}

/* (a gt 1 or a eq 1 and b gt 'x'), in the order of $orderby. */
static int after_add(const RestSelect *s, TextBuffer *filter) {
        int r;

        if (!s->after)
                return 0;
        r = and_add(filter);
        if (r == 0)
                r = text_buffer_add(filter, "(", 1);
        for (unsigned i = 1; i <= s->set->n_key && r == 0; i++) {
                for (unsigned j = 1; j <= i && r == 0; j++)
                        r = text_buffer_printf(filter, "%s%s %s %s", j > 1 ? " and " : i > 1 ? " or " : "", odata_key(s->set, j)->name,
                                               j == i ? "gt" : "eq", s->after[j - 1]);
        }
        return r < 0 ? r : text_buffer_add(filter, ")", 1);
}

static int filter_add(const RestSelect *s, TextBuffer *b, Error *error) {
        _cleanup_text_buffer_ TextBuffer filter = {};
        _cleanup_arena_ Arena *arena = NULL;
        int r;

        r = arena_new(&arena);
        if (r == 0)
                r = where_add(s, arena, &filter, error);
        if (r == 0)
                r = watermark_add(s, arena, &filter);
        if (r == 0)
                r = after_add(s, &filter);
        if (r < 0 || filter.size == 0)
                return r;
        r = text_buffer_add(b, "&$filter=", 9);
        return r < 0 ? r : text_buffer_add_url(b, filter.bytes, filter.size);
}

static int orderby_add(const RestSelect *s, TextBuffer *b) {
        size_t from;
        int r;

        r = text_buffer_add(b, "&$orderby=", 10);
        from = b->size;
        for (unsigned i = 1; i <= s->set->n_key && r == 0; i++)
                r = name_add(b, from, odata_key(s->set, i)->name);
        return r;
}

int odata_select_url(const RestConnection *c, const RestSelect *s, char **ret, Error *error) {
        _cleanup_text_buffer_ TextBuffer b = {};
        int r;

        r = text_buffer_printf(&b, "%s/", c->options->url);
        if (r == 0)
                r = text_buffer_add_url(&b, s->set->name, strlen(s->set->name));
        if (r == 0)
                r = select_add(s, &b);
        if (r == 0)
                r = expand_add(s, &b);
        if (r == 0)
                r = filter_add(s, &b, error);
        if (r == 0 && s->in_key_order && s->set->n_key > 0)
                r = orderby_add(s, &b);
        if (r == 0 && s->count)
                r = text_buffer_add(&b, "&$count=true", 12);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(b.bytes);
        return 0;
}

/* ---- joins ---- */

static bool constraints_match(const ODataNavigation *n, const MappingJoin *join) {
        if (n->n_constraints != join->n_by)
                return false;
        for (size_t i = 0; i < join->n_by; i++) {
                const char *right = text_starts_with(join->by[i].right, SQL_SOURCE ".") ? join->by[i].right + strlen(SQL_SOURCE ".")
                                                                                        : join->by[i].right;
                bool found = false;

                for (size_t j = 0; j < n->n_constraints && !found; j++)
                        found = text_equal(n->constraints[j].property, right) && text_equal(n->constraints[j].referenced, join->by[i].left);
                if (!found)
                        return false;
        }
        return true;
}

int odata_join(const ODataService *service, const ODataSet *set, const MappingJoin *join, const ODataNavigation **ret,
               const ODataSet **ret_set, Error *error) {
        const ODataSet *joined = odata_set(service, join->from);

        for (size_t i = 0; joined && i < set->n_navigations; i++) {
                const ODataNavigation *n = &set->navigations[i];

                if (n->is_collection || !text_equal(n->type_name, joined->type_name) || !constraints_match(n, join))
                        continue;
                *ret = n;
                *ret_set = joined;
                return 0;
        }
        return error_set(error, ERROR_NOT_YET,
                         "Join only along a single-valued navigation whose referential constraint $metadata gives, by just these columns",
                         "Join \"%s\": \"%s\" has no navigation to \"%s\" that does it", join->name, set->name, join->from);
}

int odata_record_path(const ODataSet *set, const Mapping *m, const Value *key, Arena *arena, TextBuffer *b) {
        _cleanup_text_buffer_ TextBuffer literal = {};
        int r;

        r = text_buffer_add_url(b, set->name, strlen(set->name));
        if (r == 0)
                r = text_buffer_add(b, "(", 1);
        for (unsigned place = 1; place <= set->n_key && r == 0; place++) {
                const ODataProperty *p = odata_key(set, place);
                ssize_t field = mapping_field_index(m, p->name);

                if (field < 0 || (size_t) field >= m->n_key)
                        return -ERANGE;
                if (set->n_key > 1)
                        r = text_buffer_printf(b, "%s%s=", place > 1 ? "," : "", p->name);
                text_buffer_reset(&literal);
                if (r == 0)
                        r = odata_literal(key + field, p, arena, &literal);
                if (r == 0)
                        r = text_buffer_add_url(b, literal.bytes, literal.size);
        }
        return r < 0 ? r : text_buffer_add(b, ")", 1);
}
