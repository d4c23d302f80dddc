/* SPDX-License-Identifier: Apache-2.0 */
/* From a message of the log to what it means for the mappings: the row itself where the mapping is of one table, else the keys of
 * records that have to be read anew. */
#include "connect/postgresql-log.h"

#include "basic/limits.h"
#include "basic/text.h"

void pg_relation_done(PgRelation *relation) {
        for (size_t i = 0; i < relation->n_uses; i++) {
                free(relation->uses[i].attributes);
                free(relation->uses[i].types);
        }
        free(relation->uses);
        *relation = (PgRelation){};
}

bool *pg_log_key_columns(const Mapping *m) {
        bool *of_key = calloc(m->n_columns + 1, sizeof(bool));

        for (size_t i = 0; of_key && i < m->n_key; i++)
                if (m->fields[i].column >= 0)
                        of_key[m->fields[i].column] = true;
        return of_key;
}

bool pg_log_rereads(const Mapping *m) { return m->n_joins > 0 || m->where; }

static int not_understood(const PgStream *s, const char *what, Error *error) {
        return error_set(error, ERROR_INTERNAL, "Report it, with the version of the server",
                         "System \"%s\": %s in its log cannot be understood", s->connection->system->name, what);
}

/* ---- tables ---- */

static PgRelation *relation_find(PgStream *s, uint32_t id) {
        for (size_t i = 0; i < s->n_relations; i++)
                if (s->relations[i].id == id)
                        return &s->relations[i];
        return NULL;
}

/* Types below their domains, as PgType has them. */
static int base_types(PgStream *s, uint32_t *ret_types, Error *error) {
        static const char sql[] =
                "with recursive resolved (number, type) as ("
                " select number, type from unnest($1::oid[]) with ordinality as asked (type, number)"
                " union all"
                " select r.number, t.typbasetype from resolved r join pg_type t on t.oid = r.type where t.typtype = 'd')"
                " select r.number, t.oid from resolved r join pg_type t on t.oid = r.type where t.typtype <> 'd'";
        _cleanup_result_ PGresult *result = NULL;
        _cleanup_free_ char *array = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&array, &size);
        int r;

        if (!f)
                return -ENOMEM;
        for (size_t i = 0; i < s->decoder.n_columns; i++)
                (void) fprintf(f, "%c%u", i > 0 ? ',' : '{', s->decoder.columns[i].type_oid);
        (void) fputs(s->decoder.n_columns > 0 ? "}" : "{}", f);
        if (fclose(f) != 0)
                return -ENOMEM;
        r = pg_query(s->connection->db, s->connection->system, sql, (const char *const[]){array, NULL}, &result, error);
        for (int i = 0; r >= 0 && i < PQntuples(result); i++) {
                int64_t number = 0, type = 0;

                if (text_to_int64(PQgetvalue(result, i, 0), 1, (int64_t) s->decoder.n_columns, &number) >= 0 &&
                    text_to_int64(PQgetvalue(result, i, 1), 0, UINT32_MAX, &type) >= 0)
                        ret_types[number - 1] = (uint32_t) type;
        }
        return r;
}

static ssize_t attribute_find(const PgStream *s, const char *name) {
        for (size_t i = 0; i < s->decoder.n_columns; i++)
                if (text_equal(s->decoder.columns[i].name, name))
                        return (ssize_t) i;
        return -1;
}

/* One column of a use. A row of an older or newer form of the table is only good for its key. */
static int use_column(PgStream *s, PgUse *use, size_t i, const char *name, const PgTable *t, bool needed,
                      const uint32_t *types, Error *error) {
        const PgType *type = pg_table_type(t, name);
        ssize_t at = attribute_find(s, name);

        if (at >= 0 && type && types[at] == type->oid && type->kind != PG_OTHER) {
                use->attributes[i] = at;
                use->types[i] = type;
                return 0;
        }
        use->attributes[i] = -1;
        use->reread = true;
        if (!needed)
                return 0;
        return error_set(error, ERROR_COLUMN_MISSING, "Run the pair with --full: everything is compared, and the log read from there on",
                         "System \"%s\": column \"%s\" of table %s, which keys are made of, had another type in the log",
                         s->connection->system->name, name, t->table->name);
}

static int use_arrays(PgUse *use, size_t n) {
        use->attributes = calloc(n + 1, sizeof(*use->attributes));
        use->types = calloc(n + 1, sizeof(*use->types));
        return use->attributes && use->types ? 0 : -ENOMEM;
}

static int use_own(PgStream *s, PgUse *use, const PgFollowed *f, const uint32_t *types, Error *error) {
        const Mapping *m = f->mapping;
        int r = use_arrays(use, m->n_columns);

        use->reread = f->reread;
        for (size_t i = 0; r >= 0 && i < m->n_columns; i++) {
                use->attributes[i] = -1;
                if (!m->columns[i].join)
                        r = use_column(s, use, i, m->columns[i].name, f->sources.own, f->of_key[i], types, error);
        }
        return r;
}

static int use_join(PgStream *s, PgUse *use, const PgFollowed *f, const uint32_t *types, Error *error) {
        const MappingJoin *join = &f->mapping->joins[use->join];
        int r = use_arrays(use, join->n_by);

        for (size_t i = 0; r >= 0 && i < join->n_by; i++)
                r = use_column(s, use, i, join->by[i].left, f->sources.joins[use->join], true, types, error);
        return r;
}

static int relation_use(PgStream *s, PgRelation *relation, size_t mapping, ssize_t join, const uint32_t *types, Error *error) {
        PgUse use = {.mapping = mapping, .join = join};
        PgUse *more = reallocarray(relation->uses, relation->n_uses + 1, sizeof(*more));
        int r;

        if (!more)
                return -ENOMEM;
        relation->uses = more;
        r = join < 0 ? use_own(s, &use, s->followed + mapping, types, error)
                     : use_join(s, &use, s->followed + mapping, types, error);
        relation->uses[relation->n_uses++] = use; /* freed with it, also after a failure */
        return r;
}

static int relation_uses(PgStream *s, PgRelation *relation, const uint32_t *types, Error *error) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < s->plan->n_mappings; i++) {
                const PgSources *sources = &s->followed[i].sources;

                if (sources->own->oid == relation->id)
                        r = relation_use(s, relation, i, -1, types, error);
                for (size_t j = 0; r >= 0 && j < sources->n_joins; j++)
                        if (sources->joins[j]->oid == relation->id)
                                r = relation_use(s, relation, i, (ssize_t) j, types, error);
        }
        return r;
}

/* The table may have changed since the stream began. */
static int sources_refresh(PgStream *s, uint32_t id, Error *error) {
        for (size_t i = 0; i < s->plan->n_mappings; i++) {
                PgFollowed *f = s->followed + i;
                PgSources fresh = {};
                bool concerned = f->sources.own->oid == id;
                int r;

                for (size_t j = 0; j < f->sources.n_joins; j++)
                        concerned = concerned || f->sources.joins[j]->oid == id;
                if (!concerned)
                        continue;
                r = pg_sources_load(s->connection->db, s->connection->system, s->plan->pair, f->mapping, NULL, &fresh, error);
                if (r < 0) {
                        pg_sources_done(&fresh);
                        return r;
                }
                /* Types of relations that were described before are borrowed from the old ones. */
                if (array_grow(&s->retired, &s->retired_capacity, s->n_retired + 1, sizeof(*s->retired)) < 0) {
                        pg_sources_done(&fresh);
                        return -ENOMEM;
                }
                s->retired[s->n_retired++] = f->sources;
                f->sources = fresh;
        }
        return 0;
}

static int relation_take(PgStream *s, Error *error) {
        uint32_t id = s->decoder.message.relation;
        _cleanup_free_ uint32_t *types = calloc(s->decoder.n_columns + 1, sizeof(*types));
        PgRelation *relation = relation_find(s, id);
        int r;

        if (!types)
                return -ENOMEM;
        if (relation) { /* told of again: it was altered */
                pg_relation_done(relation);
                r = sources_refresh(s, id, error);
                if (r < 0)
                        return r;
        } else {
                if (array_grow(&s->relations, &s->relations_capacity, s->n_relations + 1, sizeof(*s->relations)) < 0)
                        return -ENOMEM;
                relation = &s->relations[s->n_relations++];
                *relation = (PgRelation){};
        }
        relation->id = id;
        r = base_types(s, types, error);
        return r < 0 ? r : relation_uses(s, relation, types, error);
}

/* ---- changes ---- */

static int event_add(PgStream *s, LogEventKind kind, const PgUse *use, const Value *values) {
        if (array_grow(&s->events, &s->events_capacity, s->n_events + 1, sizeof(*s->events)) < 0)
                return -ENOMEM;
        s->events[s->n_events++] = (LogEvent){
                .kind = kind,
                .mapping = use ? use->mapping : 0,
                .join = use && use->join > 0 ? (size_t) use->join : 0,
                .values = values,
                .position = {s->commit_lsn, s->n_changes},
                .commit_usec = s->commit_usec,
        };
        return 0;
}

/* 1: it has a value or is null; 0: it was not told. */
static int field_take(PgStream *s, const PgUse *use, size_t i, const PgoutputTuple *row, Value *ret, Error *error) {
        const PgoutputField *field;
        int r;

        if (use->attributes[i] < 0 || (size_t) use->attributes[i] >= row->n_fields)
                return 0;
        field = &row->fields[use->attributes[i]];
        if (field->kind == PGOUTPUT_UNCHANGED || field->kind == PGOUTPUT_TEXT)
                return 0; /* as text come types without a binary form: none that is taken from a row */
        if (field->kind == PGOUTPUT_NULL) {
                *ret = value_null();
                return 1;
        }
        r = pg_decode(use->types[i], field->bytes, field->size, s->connection->check_utf8, s->arena, ret);
        return r == -ENOMEM ? r : r < 0 ? not_understood(s, use->types[i]->name, error) : 1;
}

/* The new row, with what was not sent taken from the old one where that is whole. */
static int row_take(PgStream *s, const PgUse *use, size_t n, const bool *mask, const PgoutputTuple *row, bool with_old,
                    Value **ret, Error *error) {
        Value *values = arena_alloc_zero(s->arena, (n + 1) * sizeof(*values)); /* ABSENT */
        int r = 0;

        if (!values)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                if (mask && !mask[i])
                        continue;
                r = field_take(s, use, i, row, values + i, error);
                if (r == 0 && with_old)
                        r = field_take(s, use, i, &s->decoder.old_row, values + i, error);
                if (r < 0)
                        return r;
        }
        *ret = values;
        return 0;
}

static bool values_same(const Value *a, const Value *b, size_t n, const bool *mask) {
        for (size_t i = 0; i < n; i++)
                if ((!mask || mask[i]) && !value_equal(a + i, b + i))
                        return false;
        return true;
}

static bool values_told(const Value *values, size_t n, const bool *mask) {
        for (size_t i = 0; i < n; i++)
                if ((!mask || mask[i]) && values[i].type == VALUE_ABSENT)
                        return false;
        return true;
}

/* A row's large values are not sent when they did not change, unless they are of its identity: so a key is always told. */
static int key_untold(const PgStream *s, const PgUse *use, Error *error) {
        return error_set(error, ERROR_HISTORY_GONE, "Let the table's replica identity have the columns of the key: terrafusionctl check PAIR shows the statement",
                         "System \"%s\": the log of table %s does not tell the key of a changed record",
                         s->connection->system->name, s->followed[use->mapping].mapping->from);
}

static int own_change(PgStream *s, const PgUse *use, Error *error) {
        const PgFollowed *f = s->followed + use->mapping;
        const PgoutputMessage *message = &s->decoder.message;
        bool full = message->old_kind == PGOUTPUT_OLD_FULL;
        size_t n = f->mapping->n_columns;
        Value *old = NULL, *new = NULL;
        bool moved;
        int r = 0;

        if (message->old_kind != PGOUTPUT_OLD_NONE) {
                r = row_take(s, use, n, f->of_key, &s->decoder.old_row, false, &old, error);
                if (r >= 0 && !values_told(old, n, f->of_key))
                        r = key_untold(s, use, error);
        }
        if (r >= 0 && message->kind != PGOUTPUT_DELETE) {
                r = row_take(s, use, n, use->reread ? f->of_key : NULL, &s->decoder.new_row, full, &new, error);
                for (size_t i = 0; r >= 0 && old && i < n; i++) /* a large part of a key that stayed as it was */
                        if (f->of_key[i] && new[i].type == VALUE_ABSENT)
                                new[i] = old[i];
                if (r >= 0 && !values_told(new, n, f->of_key))
                        r = key_untold(s, use, error);
        }
        moved = r >= 0 && old && new && !values_same(old, new, n, f->of_key);
        if (r >= 0 && old && (!new || moved))
                r = event_add(s, use->reread ? LOG_REREAD : LOG_GONE, use, old);
        /* Under its new key it is no part of what the target may still have there. */
        if (r >= 0 && new)
                r = event_add(s, use->reread || (moved && !values_told(new, n, NULL)) ? LOG_REREAD : LOG_CHANGED, use, new);
        return r;
}

/* Whoever joined it before, and whoever joins it now. */
static int joined_change(PgStream *s, const PgUse *use, Error *error) {
        size_t n = s->followed[use->mapping].mapping->joins[use->join].n_by;
        Value *old = NULL, *new = NULL;
        int r = 0;

        if (s->decoder.message.old_kind != PGOUTPUT_OLD_NONE)
                r = row_take(s, use, n, NULL, &s->decoder.old_row, false, &old, error);
        if (r >= 0 && s->decoder.message.kind != PGOUTPUT_DELETE)
                r = row_take(s, use, n, NULL, &s->decoder.new_row, true, &new, error);
        if (r >= 0 && ((old && !values_told(old, n, NULL)) || (new && !values_told(new, n, NULL))))
                r = key_untold(s, use, error);
        if (r >= 0 && old && (!new || !values_same(old, new, n, NULL)))
                r = event_add(s, LOG_JOINED, use, old);
        if (r >= 0 && new)
                r = event_add(s, LOG_JOINED, use, new);
        return r;
}

static int change_take(PgStream *s, size_t bytes, Error *error) {
        const PgRelation *relation = relation_find(s, s->decoder.message.relation);
        int r = 0;

        if (!relation)
                return not_understood(s, "a table that was not described", error);
        if (bytes > RECORD_BYTES_MAX)
                return error_set(error, ERROR_SYSTEM_REFUSED, "Leave its largest column out of the mapping",
                                 "System \"%s\": a change has %zu bytes, the limit is %u", s->connection->system->name, bytes,
                                 RECORD_BYTES_MAX);
        for (size_t i = 0; r >= 0 && i < relation->n_uses; i++) {
                const PgUse *use = relation->uses + i;

                r = use->join < 0 ? own_change(s, use, error) : joined_change(s, use, error);
        }
        return r;
}

static int truncate_take(PgStream *s, Error *error) {
        for (size_t i = 0; i < s->decoder.message.n_relations; i++) {
                const PgRelation *relation = relation_find(s, s->decoder.relations[i]);

                for (size_t j = 0; relation && j < relation->n_uses; j++)
                        if (event_add(s, LOG_TRUNCATED, relation->uses + j, NULL) < 0)
                                return -ENOMEM;
        }
        return 0;
}

int pg_log_message(PgStream *s, const char *bytes, size_t size, Error *error) {
        const PgoutputMessage *message = &s->decoder.message;
        int r = pgoutput_decode(&s->decoder, bytes, size);

        if (r < 0)
                return r == -ENOMEM ? r : not_understood(s, "a message", error);
        switch (message->kind) {
        case PGOUTPUT_BEGIN:
                s->in_transaction = true;
                s->commit_lsn = message->lsn;
                s->commit_usec = message->commit_usec;
                s->n_changes = 0;
                return 0;
        case PGOUTPUT_COMMIT:
                s->in_transaction = false;
                if (message->end_lsn > s->reached)
                        s->reached = message->end_lsn;
                r = event_add(s, LOG_COMMITTED, NULL, NULL);
                if (r >= 0)
                        s->events[s->n_events - 1].position = (LogPosition){message->end_lsn, 0};
                return r;
        case PGOUTPUT_RELATION: return relation_take(s, error);
        case PGOUTPUT_INSERT:
        case PGOUTPUT_UPDATE:
        case PGOUTPUT_DELETE: s->n_changes++; return change_take(s, size, error);
        case PGOUTPUT_TRUNCATE: s->n_changes++; return truncate_take(s, error);
        default: return 0;
        }
}
