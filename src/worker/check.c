/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/run.h"

#include "basic/json.h"
#include "basic/text.h"

static size_t check_failures(const json_t *report, const json_t **ret_first) {
        size_t n = 0, i;
        const json_t *row;

        *ret_first = NULL;
        json_array_foreach((json_t *) report, i, row) if (!json_member_true(row, "ok")) {
                if (n++ == 0)
                        *ret_first = row;
        }
        return n;
}

static int check_collect(Run *run, json_t *report, Error *error) {
        const json_t *first;
        int r;

        for (size_t i = 0; i < run->pair->n_mappings; i++) {
                const Mapping *m = run->pair->mappings + i;

                if (!run_has_entity(run, m))
                        continue;
                r = connection_check(run->source, run->pair, m, false, report, error);
                if (r < 0)
                        return r;
                r = connection_check(run->target, run->pair, m, true, report, error);
                if (r < 0)
                        return r;
                /* A query over what is not there cannot be explained. */
                r = check_failures(report, &first) > 0 ? 0 : query_plan_collect(run, m, report, error);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* What several entities need is said once. */
static bool grant_is_known(const json_t *report, const json_t *row) {
        const char *sql = json_member_text(row, "sql");
        const json_t *known;
        size_t i;

        json_array_foreach(report, i, known)
                if (sql ? text_equal(json_member_text(known, "sql"), sql) &&
                                  text_equal(json_member_text(known, "what"), json_member_text(row, "what"))
                        : json_equal(known, row))
                        return true;
        return false;
}

/* A script that leaves out a system must not look like a whole one. */
static int grants_untold(const char *system, const char *kind, json_t *report, Error *error) {
        json_auto_t *row = json_pack("{s:o, s:b, s:o}", "what", json_sprintf("rights at system %s", system), "ok", true, "message",
                                     json_sprintf("kind %s cannot tell them; terrafusion-%s(5) says what it needs", kind, kind));

        if (!row || (!grant_is_known(report, row) && json_array_append(report, row) < 0))
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for a check's report");
        return 0;
}

static int side_grants(Run *run, const Mapping *m, bool target, json_t *report, Error *error) {
        json_auto_t *rows = json_array();
        _cleanup_error_ Error failure = {0};
        json_t *row;
        size_t i;
        int r;

        if (!rows)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for a check's report");
        r = connection_grants(target ? run->target : run->source, run->pair, m, target, rows, &failure);
        if (r < 0 && failure.id == ERROR_NOT_YET)
                return grants_untold(target ? run->pair->target : run->pair->source, (target ? run->target : run->source)->connector->kind,
                                     report, error);
        if (r < 0) {
                error_move(error, &failure);
                return r;
        }
        json_array_foreach(rows, i, row) {
                if (!json_member_text(row, "sql") && json_put(row, "entity", json_text(m->entity)) < 0)
                        return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for a check's report");
                if (!grant_is_known(report, row) && json_array_append(report, row) < 0)
                        return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for a check's report");
        }
        return 0;
}

static int grants_collect(Run *run, json_t *report, Error *error) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < run->pair->n_mappings; i++) {
                if (!run_has_entity(run, run->pair->mappings + i))
                        continue;
                r = side_grants(run, run->pair->mappings + i, false, report, error);
                if (r >= 0)
                        r = side_grants(run, run->pair->mappings + i, true, report, error);
        }
        return r;
}

int check_verdict(const json_t *report, Error *error) {
        const json_t *first;
        size_t n = check_failures(report, &first);
        const char *what = first ? json_member_text(first, "what") : NULL,
                   *message = first ? json_member_text(first, "message") : NULL;

        if (n == 0)
                return 0;
        return error_set(error, ERROR_SYSTEM_REFUSED, json_member_text(first, "remedy"), "%s: %s%s",
                         what ? what : "check", message ? message : "not as the mapping needs it",
                         n > 1 ? " (and more: terrafusionctl check)" : "");
}

int check_run(Run *run, Error *error) {
        int r;

        json_decref(run->operation->report);
        run->operation->report = json_array();
        if (!run->operation->report)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for a check's report");
        if (json_member_true(run->operation->parameters, "grants"))
                r = grants_collect(run, run->operation->report, error);
        else
                r = drift_check(run, DRIFT_OF_CHECK, error);
        if (r >= 0 && !json_member_true(run->operation->parameters, "grants"))
                r = check_collect(run, run->operation->report, error);
        if (r < 0)
                return r;
        return check_verdict(run->operation->report, error);
}

int check_preflight(Run *run, Error *error) {
        json_auto_t *report = json_array();
        int r;

        if (!report)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for a check's report");
        r = check_collect(run, report, error);
        if (r < 0)
                return r;
        return check_verdict(report, error);
}

int check_system(Run *run, const char *name, Error *error) {
        const System *system = settings_system(run->settings, name);
        _cleanup_(connection_closep) Connection *connection = NULL;
        _cleanup_error_ Error failure = {0};
        bool ok;

        if (!system)
                return error_set(error, ERROR_NOT_FOUND, "terrafusionctl systems shows them.",
                                 "There is no system '%s'", name);
        ok = connection_open(system, system->may_write, &connection, &failure) >= 0;
        json_decref(run->operation->report);
        run->operation->report = json_pack("[{s:s, s:b, s:s, s:s?}]", "what", name, "ok", ok, "message",
                                           ok ? "can be opened as configured" : failure.detail, "remedy",
                                           failure.remedy);
        if (!ok)
                error_move(error, &failure);
        return ok ? 0 : error_errno(error->id);
}
