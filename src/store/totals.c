/* SPDX-License-Identifier: Apache-2.0 */
/* The original's totals over finished operations, as GET /api/sync/metrics answers them. */
#include "store/operations-internal.h"
#include "basic/json.h"
#include "basic/timestamp.h"

#define FINISHED                                                                       \
        " o.status in ('COMPLETED', 'FAILED') and (?1 is null or o.sync_pair_id = ?1)" \
        " and (?2 = 0 or o.created_at >= ?2) and (?3 = 0 or o.created_at <= ?3)"

typedef struct Totals {
        int64_t n_operations, n_full, n_incremental, duration_usec, n_timed;
        int64_t n_processed, n_failed;
} Totals;

static void totals_bind(Statement *s, const char *sync_pair_id, int64_t from, int64_t to) {
        statement_bind_text(s, 1, sync_pair_id);
        statement_bind_integer(s, 2, from);
        statement_bind_integer(s, 3, to);
}

static int totals_of_operations(Database *d, const char *sync_pair_id, int64_t from, int64_t to, Totals *t,
                                Error *error) {
        static const char sql[] =
                "select count(*), sum(case when o.kind = 'full' then 1 else 0 end),"
                " sum(case when o.kind = 'incremental' then 1 else 0 end),"
                " cast(sum(case when o.start_time > 0 and o.end_time > 0 then o.end_time - o.start_time"
                " else 0 end) as bigint),"
                " sum(case when o.start_time > 0 and o.end_time > 0 then 1 else 0 end)"
                " from operation o where" FINISHED;
        Statement *s;
        int r;

        r = database_prepare(d, sql, &s, error);
        if (r < 0)
                return r;
        totals_bind(s, sync_pair_id, from, to);
        r = statement_step(s, error);
        if (r < 0)
                return r;
        t->n_operations = statement_integer(s, 0);
        t->n_full = statement_integer(s, 1);
        t->n_incremental = statement_integer(s, 2);
        t->duration_usec = statement_integer(s, 3);
        t->n_timed = statement_integer(s, 4);
        statement_reset(s);
        return 0;
}

static int entity_to_json(const char *entity, int64_t n_processed, int64_t n_failed, json_t *stats) {
        json_auto_t *object = json_object();

        if (json_put(object, "processed", json_integer(n_processed)) < 0 ||
            json_put(object, "succeeded", json_integer(n_processed - n_failed)) < 0 ||
            json_put(object, "failed", json_integer(n_failed)) < 0)
                return -ENOMEM;
        return json_put(stats, entity, TAKE_PTR(object));
}

static int totals_of_entities(Database *d, const char *sync_pair_id, int64_t from, int64_t to, Totals *t,
                              json_t *stats, Error *error) {
        static const char sql[] = "select e.entity, cast(sum(e.n_read) as bigint), cast(sum(e.n_held) as "
                                  "bigint) from operation o join "
                                  "operation_result e on e.operation_id = o.id where" FINISHED
                                  " group by e.entity order by e.entity";
        Statement *s;
        int r;

        r = database_prepare(d, sql, &s, error);
        if (r < 0)
                return r;
        totals_bind(s, sync_pair_id, from, to);
        while ((r = statement_step(s, error)) > 0) {
                int64_t n_processed = statement_integer(s, 1), n_failed = statement_integer(s, 2);

                if (entity_to_json(statement_text(s, 0), n_processed, n_failed, stats) < 0) {
                        statement_reset(s);
                        return store_no_memory(error);
                }
                t->n_processed += n_processed;
                t->n_failed += n_failed;
        }
        return r;
}

static json_t *success_rate(const Totals *t) {
        if (t->n_processed == 0)
                return json_real(0);
        return json_real(100.0 * (double) (t->n_processed - t->n_failed) / (double) t->n_processed);
}

static json_t *average_duration(const Totals *t) {
        if (t->n_timed == 0)
                return json_real(0);
        return json_real((double) t->duration_usec / (double) t->n_timed / USEC_PER_SEC);
}

static int totals_to_json(const Totals *t, int64_t from, int64_t to, json_t *object) {
        if (json_put(object, "start_time", json_timestamp(from)) < 0 ||
            json_put(object, "end_time", json_timestamp(to)) < 0 ||
            json_put(object, "total_operations", json_integer(t->n_operations)) < 0 ||
            json_put(object, "full_syncs", json_integer(t->n_full)) < 0 ||
            json_put(object, "incremental_syncs", json_integer(t->n_incremental)) < 0 ||
            json_put(object, "total_records_processed", json_integer(t->n_processed)) < 0 ||
            json_put(object, "total_records_succeeded", json_integer(t->n_processed - t->n_failed)) < 0 ||
            json_put(object, "total_records_failed", json_integer(t->n_failed)) < 0 ||
            json_put(object, "success_rate", success_rate(t)) < 0 ||
            json_put(object, "avg_duration_seconds", average_duration(t)) < 0)
                return -ENOMEM;
        return 0;
}

int operation_totals(Database *d, const char *sync_pair_id, int64_t from, int64_t to, json_t **ret,
                     Error *error) {
        json_auto_t *object = json_object(), *stats = json_object();
        Totals t = {};
        int r;

        if (!object || !stats)
                return store_no_memory(error);
        r = totals_of_operations(d, sync_pair_id, from, to, &t, error);
        if (r < 0)
                return r;
        r = totals_of_entities(d, sync_pair_id, from, to, &t, stats, error);
        if (r < 0)
                return r;
        if (totals_to_json(&t, from, to, object) < 0 ||
            json_put(object, "entity_stats", TAKE_PTR(stats)) < 0)
                return store_no_memory(error);
        *ret = TAKE_PTR(object);
        return 0;
}
