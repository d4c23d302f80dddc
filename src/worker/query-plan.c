/* SPDX-License-Identifier: Apache-2.0 */
/* The queries a pair runs at its source, how the database runs them, and which of that is refused: sorts of large tables, large tables that
 * are read again for each record, and increments that read a large table whole. A full compare reads everything: that is what it is for. */
#include "worker/run.h"

#include "basic/json.h"
#include "basic/limits.h"
#include "basic/text.h"
#include "basic/timestamp.h"

#include <errno.h>
#include <inttypes.h>

static const char *scope_name(ReadScope scope) { return scope == READ_WATERMARK ? "increment" : "full compare"; }

/* What is wrong with a plan, and the SQL that mends it. 1, or 0 where nothing is. */
static int plan_judge(const json_t *plan, ReadScope scope, char **ret_message, const char **ret_index) {
        const json_t *scan;
        size_t i;

        json_array_foreach(json_object_get(plan, "scans"), i, scan) {
                int64_t n_records = json_member_integer(scan, "records", 0);
                bool repeated = json_member_true(scan, "repeated");

                if (n_records < PLAN_RECORDS_LARGE || (scope == READ_ALL && !repeated))
                        continue;
                *ret_index = json_member_text(scan, "index");
                return asprintf(ret_message, "reads the %" PRId64 " records of %s without an index%s", n_records,
                                json_member_text(scan, "table"), repeated ? ", again for each record" : "") < 0
                               ? -ENOMEM
                               : 1;
        }
        if (json_member_integer(plan, "sorted", 0) < PLAN_RECORDS_LARGE)
                return 0;
        return asprintf(ret_message, "sorts %" PRId64 " records", json_member_integer(plan, "sorted", 0)) < 0 ? -ENOMEM : 1;
}

static int plan_complete(const Mapping *m, ReadScope scope, json_t *plan) {
        _cleanup_free_ char *what = NULL, *message = NULL, *remedy = NULL;
        const char *index = NULL;
        bool ok;
        int wrong;

        wrong = plan_judge(plan, scope, &message, &index);
        if (wrong < 0)
                return wrong;
        ok = !wrong || m->allow_scan;
        if (asprintf(&what, "query of entity %s (%s)", m->entity, scope_name(scope)) < 0) {
                what = NULL;
                return -ENOMEM;
        }
        if (wrong && asprintf(&remedy, "%s%s%sor allow it: detect: {allow_scan: true}", index ? "Let the DBA run: " : "Let the DBA make an index for it; ",
                              index ? index : "", index ? "; " : "") < 0) {
                remedy = NULL;
                return -ENOMEM;
        }
        if (json_put(plan, "what", json_text(what)) < 0 || json_put(plan, "ok", json_boolean(ok)) < 0 ||
            json_put(plan, "entity", json_text(m->entity)) < 0 || json_put(plan, "scope", json_text(scope_name(scope))) < 0 ||
            json_put(plan, "message", json_text(wrong ? message : "Reads as it should")) < 0 ||
            json_put(plan, "remedy", ok ? json_null() : json_text(remedy)) < 0)
                return -ENOMEM;
        return 0;
}

/* Increments are asked for with the last minute: what they read when all is well. */
static int scope_collect(Run *run, const Mapping *m, ReadScope scope, json_t *report, Error *error) {
        const Value now = {.type = VALUE_TIMESTAMP, .integer = timestamp_now()},
                    before = {.type = VALUE_TIMESTAMP, .integer = now.integer - 60 * USEC_PER_SEC};
        const ReadPlan plan = {.pair = run->pair, .mapping = m, .scope = scope, .low = before, .high = now};
        size_t n_before = json_array_size(report);
        _cleanup_error_ Error failure = {0};
        int r;

        r = connection_explain(run->source, &plan, report, &failure);
        if (r < 0 && failure.id == ERROR_NOT_YET)
                return 0; /* the kind cannot tell */
        if (r < 0) {
                error_move(error, &failure);
                return r;
        }
        for (size_t i = n_before; i < json_array_size(report); i++)
                if (plan_complete(m, scope, json_array_get(report, i)) < 0)
                        return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for a query plan");
        return 0;
}

int query_plan_collect(Run *run, const Mapping *m, json_t *report, Error *error) {
        int r = scope_collect(run, m, READ_ALL, report, error);

        return r < 0 || m->strategy != DETECT_WATERMARK ? r : scope_collect(run, m, READ_WATERMARK, report, error);
}

int query_plan_run(Run *run, Error *error) {
        json_t *report = json_array();
        int r = 0;

        json_decref(run->operation->report);
        run->operation->report = report;
        if (!report)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for a query plan");
        for (size_t i = 0; r >= 0 && i < run->pair->n_mappings; i++)
                if (run_has_entity(run, run->pair->mappings + i))
                        r = query_plan_collect(run, run->pair->mappings + i, report, error);
        if (r >= 0 && json_array_size(report) == 0)
                r = report_add(report, "query plan", true, "The source is read as it is; systems of its kind have no queries to explain", NULL);
        return r < 0 ? r : check_verdict(report, error);
}
