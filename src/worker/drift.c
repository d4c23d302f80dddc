/* SPDX-License-Identifier: Apache-2.0 */
/* Schema drift: columns and declared types of both sides, as they are and as they were when the entity last ran. What the pair's policy reports
 * is told and remembered; what it stops at ends the operation before a record is read, until the mapping, the table, or somebody's mind
 * has changed (terrafusionctl drift accept). */
#include "worker/run.h"

#include "basic/json.h"
#include "basic/log.h"
#include "basic/text.h"
#include "store/schema.h"
#include "worker/backfill.h"

#include <errno.h>

typedef struct DriftRun {
        Run *run;
        DriftUse use;
        const Mapping *m;
        ProgressEntity *entity;
        EntitySchema schema;
        json_t *now;
        size_t n_stops; /* of all entities */
        Error *first;   /* what the first of them has to say */
} DriftRun;

static int no_memory(const DriftRun *d, Error *error) {
        return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for the columns of entity '%s'", d->m->entity);
}

/* ---- what is there ---- */

static int table_add(DriftRun *d, const char *table, const char *join, bool target, json_t *columns, Error *error) {
        Connection *c = target ? d->run->target : d->run->source;
        _cleanup_(table_freep) Table *t = NULL;
        int r;

        r = connection_describe(c, d->m, table, target, &t, error);
        for (size_t i = 0; r >= 0 && i < t->n_columns; i++) {
                const MappingColumn column = {.join = (char *) join, .name = t->columns[i].name};
                _cleanup_free_ char *name = column_name(&column);

                if (!name || json_put(columns, name, json_text(t->columns[i].type)) < 0)
                        r = no_memory(d, error);
        }
        return r;
}

/* A kind that cannot tell has no drift, and of a table that is gone the check before the run says where it is named. */
static bool is_for_others(const Error *failure) {
        return failure->id == ERROR_NOT_YET || failure->id == ERROR_TABLE_MISSING;
}

static int side_describe(DriftRun *d, bool target, Error *error) {
        const Mapping *m = d->m;
        json_auto_t *columns = json_object();
        _cleanup_error_ Error failure = {};
        int r;

        r = table_add(d, target ? m->to : m->from, NULL, target, columns, &failure);
        for (size_t i = 0; r >= 0 && !target && i < m->n_joins; i++)
                r = table_add(d, m->joins[i].from, m->joins[i].name, target, columns, &failure);
        if (r < 0 && is_for_others(&failure))
                return 0;
        if (r < 0) {
                error_move(error, &failure);
                return r;
        }
        return json_put(d->now, target ? "target" : "source", json_incref(columns)) < 0 ? no_memory(d, error) : 0;
}

/* ---- what the mapping has to do with it ---- */

typedef struct Use {
        bool is_mapped;
        unsigned line, column; /* in the mapping file */
} Use;

static bool name_is(const char *name, const char *join, const char *column) {
        size_t n = join ? strlen(join) : 0;

        if (!join)
                return column && text_equal_ignoring_case(name, column);
        return column && strncmp(name, join, n) == 0 && name[n] == '.' && text_equal_ignoring_case(name + n + 1, column);
}

static bool join_uses(const MappingJoin *j, const char *name) {
        for (size_t i = 0; i < j->n_by; i++)
                if (name_is(name, j->name, j->by[i].left) || text_equal_ignoring_case(name, j->by[i].right))
                        return true;
        for (char *const *order = j->order; order && *order; order++)
                if (name_is(name, j->name, *order + (**order == '-')))
                        return true;
        return name_is(name, j->name, j->watermark);
}

static Use source_use(const Mapping *m, const char *name) {
        for (size_t i = 0; i < m->n_columns; i++)
                if (name_is(name, m->columns[i].join, m->columns[i].name))
                        return (Use){true, m->columns[i].line, m->columns[i].column};
        for (size_t i = 0; i < m->n_joins; i++)
                if (join_uses(m->joins + i, name))
                        return (Use){true, m->joins[i].line, m->joins[i].column};
        return (Use){name_is(name, NULL, m->watermark), m->line, m->column};
}

static Use column_use(const Mapping *m, bool target, const char *name) {
        if (!target)
                return source_use(m, name);
        for (size_t i = 0; i < m->n_fields; i++)
                if (text_equal_ignoring_case(m->fields[i].name, name))
                        return (Use){true, m->fields[i].line, m->fields[i].column_number};
        return (Use){false, m->line, m->column};
}

/* Every record is compared anew in the fields that a column has to do with. */
static int refill_add(DriftRun *d, bool target, const char *name) {
        const Mapping *m = d->m;

        if (!d->schema.refill)
                d->schema.refill = json_array();
        for (size_t i = 0; d->schema.refill && i < m->n_fields; i++) {
                const MappingField *f = m->fields + i;
                const MappingColumn *c = f->column >= 0 ? m->columns + f->column : NULL;
                bool concerned = target ? text_equal_ignoring_case(f->name, name) : c && name_is(name, c->join, c->name);

                if (concerned && json_array_append_new(d->schema.refill, json_text(f->name)) < 0)
                        return -ENOMEM;
        }
        return d->schema.refill ? 0 : -ENOMEM;
}

/* ---- what is said of it ---- */

static char *drift_text(const DriftRun *d, const Drift *drift) {
        const char *system = drift->is_target ? d->run->pair->target : d->run->pair->source,
                   *table = drift->is_target ? d->m->to : d->m->from, *was = drift->before ? drift->before : "without a type",
                   *is = drift->now ? drift->now : "without a type";
        char *text;
        int n;

        if (drift->kind == DRIFT_ADDED)
                n = asprintf(&text, "Entity \"%s\": the column \"%s\", %s, of %s in system \"%s\" is new", d->m->entity,
                             drift->column, is, table, system);
        else if (drift->kind == DRIFT_REMOVED)
                n = asprintf(&text, "Entity \"%s\": the column \"%s\" of %s in system \"%s\", which was %s, is gone", d->m->entity,
                             drift->column, table, system, was);
        else
                n = asprintf(&text, "Entity \"%s\": the column \"%s\" of %s in system \"%s\" was %s and is %s (%s)", d->m->entity,
                             drift->column, table, system, was, is, drift_kind_to_string(drift->kind));
        return n < 0 ? NULL : text;
}

static int drift_report(DriftRun *d, const Drift *drift, const char *text, const char *remedy, Error *error) {
        if (d->use == DRIFT_OF_RUN) {
                if (drift->status == DRIFT_REPORTED)
                        log_event(LOG_NOTICE, MESSAGE_DRIFT, text, "ENTITY", d->m->entity, NULL);
                return 0;
        }
        return report_add(d->run->operation->report, "drift", drift->status != DRIFT_STOPS, text,
                          drift->status == DRIFT_STOPS ? remedy : NULL) < 0
                       ? no_memory(d, error)
                       : 0;
}

static int drift_tell(DriftRun *d, const Drift *drift, Use use, Error *error) {
        _cleanup_free_ char *text = drift_text(d, drift), *remedy = NULL;

        if (asprintf(&remedy,
                     "Mend the mapping or the table; or, if all is as it should be, go on: terrafusionctl drift accept %s",
                     d->run->pair->name) < 0)
                remedy = NULL;
        if (!text || !remedy)
                return no_memory(d, error);
        if (drift->status == DRIFT_STOPS && d->n_stops++ == 0) {
                (void) error_set(d->first, ERROR_DRIFT, remedy, "%s", text);
                (void) error_at(d->first, d->run->pair->file, use.line, use.column);
                (void) error_field(d->first, drift->column);
        }
        return drift_report(d, drift, text, remedy, error);
}

/* ---- one column, one side, one entity ---- */

static bool drift_stops(const DriftRun *d, DriftKind kind, bool is_mapped) {
        return d->use != DRIFT_OF_ACCEPTING && (is_mapped || kind == DRIFT_ADDED) && d->run->pair->drift_stops[kind];
}

static int drift_found(DriftRun *d, bool target, const char *name, DriftKind kind, const json_t *before, const json_t *now,
                       Error *error) {
        Use use = column_use(d->m, target, name);
        Drift drift = {.entity = d->m->entity, .is_target = target, .column = name, .kind = kind,
                       .before = json_string_value(before), .now = json_string_value(now), .is_mapped = use.is_mapped,
                       .status = d->use == DRIFT_OF_ACCEPTING ? DRIFT_ACCEPTED : DRIFT_REPORTED,
                       .accepted_by = d->use == DRIFT_OF_ACCEPTING ? d->run->operation->requested_by : NULL};
        int r;

        if (drift_stops(d, kind, use.is_mapped))
                drift.status = DRIFT_STOPS;
        if (use.is_mapped && refill_add(d, target, name) < 0)
                return no_memory(d, error);
        r = drift_tell(d, &drift, use, error);
        if (r < 0 || d->use == DRIFT_OF_CHECK)
                return r;
        return drift_put(progress_database(d->run->progress), &drift, d->run->operation->id, error);
}

static int side_compare(DriftRun *d, bool target, Error *error) {
        const char *side = target ? "target" : "source", *name;
        json_t *before = json_object_get(d->schema.columns, side), *now = json_object_get(d->now, side), *type;
        int r = 0;

        if (!before || !now)
                return 0;
        json_object_foreach(before, name, type) {
                const json_t *present = json_object_get(now, name);
                DriftKind kind = !present ? DRIFT_REMOVED : drift_of_types(json_string_value(type), json_string_value(present));

                if (kind != DRIFT_NONE && r >= 0)
                        r = drift_found(d, target, name, kind, type, present, error);
        }
        json_object_foreach(now, name, type) {
                if (r >= 0 && !json_object_get(before, name))
                        r = drift_found(d, target, name, DRIFT_ADDED, NULL, type, error);
        }
        return r;
}

/* Which of the two counts from now on: where something stops, all stays as it was known. */
static int columns_save(DriftRun *d, Error *error) {
        json_t *sides = d->now;

        if (d->schema.columns && json_object_update_missing(sides, d->schema.columns) < 0) /* a side that cannot be told now */
                return no_memory(d, error);
        json_decref(d->schema.columns);
        d->schema.columns = json_incref(sides);
        return entity_schema_save(progress_database(d->run->progress), d->m->entity, &d->schema, error);
}

/* A scan that is under way goes on with the columns it began with: what is only reported waits for the next operation. */
static bool scan_is_under_way(const DriftRun *d) {
        return text_equal(checkpoint_get(d->entity)->scan_operation, d->run->operation->id);
}

static int entity_compare(DriftRun *d, Error *error) {
        Database *database = progress_database(d->run->progress);
        size_t n_before = d->n_stops;
        int r = 0;

        if (d->use != DRIFT_OF_CHECK)
                r = drift_forget(database, d->m->entity, DRIFT_STOPS, NULL, error);
        if (r >= 0)
                r = side_compare(d, false, error);
        if (r >= 0)
                r = side_compare(d, true, error);
        if (r < 0 || d->use == DRIFT_OF_CHECK || json_equal(d->schema.columns, d->now))
                return r;
        if (d->n_stops > n_before || scan_is_under_way(d)) /* nothing of it counts as seen */
                return drift_forget(database, d->m->entity, DRIFT_REPORTED, d->run->operation->id, error);
        return columns_save(d, error);
}

static int entity_drift(DriftRun *d, Error *error) {
        Run *run = d->run;
        int r;

        d->now = json_object();
        if (!d->now)
                return no_memory(d, error);
        r = side_describe(d, false, error);
        if (r >= 0)
                r = side_describe(d, true, error);
        if (r >= 0)
                r = progress_entity(run->progress, d->m->entity, &d->entity, error);
        if (r >= 0)
                r = entity_schema_load(progress_database(run->progress), d->m->entity, &d->schema, error);
        if (r < 0)
                return r;
        r = progress_begin(run->progress, error);
        return r < 0 ? r : progress_end(run->progress, entity_compare(d, error), error);
}

int drift_check(Run *run, DriftUse use, Error *error) {
        _cleanup_error_ Error first = {};
        size_t n_stops = 0;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < run->pair->n_mappings; i++) {
                DriftRun d = {.run = run, .use = use, .m = run->pair->mappings + i, .n_stops = n_stops, .first = &first};

                if (!run_has_entity(run, d.m))
                        continue;
                r = entity_drift(&d, error);
                n_stops = d.n_stops;
                json_decref(d.now);
                entity_schema_done(&d.schema);
        }
        if (r < 0 || n_stops == 0 || use != DRIFT_OF_RUN)
                return r;
        if (n_stops > 1)
                error_prefix(&first, "%zu columns changed under the mapping (all: terrafusionctl drift), first", n_stops);
        error_move(error, &first);
        return error_errno(error->id);
}

int drift_accept(Run *run, Error *error) {
        int r;

        json_decref(run->operation->report);
        run->operation->report = json_array();
        if (!run->operation->report)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for a report");
        r = drift_check(run, DRIFT_OF_ACCEPTING, error);
        if (r < 0)
                return r;
        return report_add(run->operation->report, "drift", true,
                          json_array_size(run->operation->report) > 0
                                  ? "Accepted as it is now; the next run writes what the columns have to do with"
                                  : "No column has changed since the last run: nothing to accept",
                          NULL);
}
