/* SPDX-License-Identifier: Apache-2.0 */
#include "basic/text.h"
#include "connect/rest-calls.h"

static int row(json_t *report, const char *kind, const char *name, const char *message, const char *remedy) {
        _cleanup_free_ char *what = NULL;

        if (asprintf(&what, "%s %s", kind, name) < 0) {
                what = NULL;
                return -ENOMEM;
        }
        return report_add(report, what, true, message, remedy);
}

static bool url_is_open(const RestConnection *c) { return text_starts_with(c->options->url, "http://"); }

/* One page is read as a run would read it: addresses, rights, names, and whether the values can be taken. */
static int page_try(RestConnection *c, const Pair *pair, const Mapping *m, uint64_t *ret_n, bool *ret_exact, Error *error) {
        const ReadPlan plan = {.pair = pair, .mapping = m, .scope = READ_ALL};
        _cleanup_free_ Value *values = calloc(m->n_columns + 1, sizeof(Value));
        _cleanup_(reader_closep) Reader *reader = NULL;
        int r;

        if (!values)
                return -ENOMEM;
        r = rest_reader_open(&c->base, &plan, &reader, error);
        if (r == 0)
                r = rest_reader_next(reader, values, error);
        if (r < 0)
                return r;
        *ret_n = (uint64_t) r;
        *ret_exact = c->numbers_are_texts;
        return 0;
}

static bool has_long_numbers(const ODataSet *set, const Mapping *m) {
        for (size_t i = 0; set && i < m->n_columns; i++) {
                const ODataProperty *p = m->columns[i].join ? NULL : odata_property(set, m->columns[i].name);

                if (p && (p->type == EDM_DECIMAL || p->type == EDM_INT64))
                        return true;
        }
        return false;
}

static int check_strategy(RestConnection *c, const Mapping *m, json_t *report) {
        _cleanup_error_ Error failure = {};
        Value high;
        int r;

        if (m->strategy == DETECT_FEED)
                return report_add(report, "feed", true,
                                  "Changes are read by the service's delta links, if it gives one at the end of the first run", NULL);
        if (m->strategy != DETECT_WATERMARK)
                return 0;
        r = connection_horizon(&c->base, m, &high, &failure);
        if (r < 0)
                return r == -ENOMEM ? r : report_add_error(report, "watermark", &failure);
        if (m->sweep_usec == 0)
                return report_add(report, "watermark", false,
                                  "Nothing proves that a service's stamps are in the order in which they become visible: changes can be missed",
                                  "Add sweep: daily below detect:");
        return report_add(report, "watermark", true,
                          "Works; what a late stamp hides, and deletes, are found by the sweep only", NULL);
}

static int check_source(RestConnection *c, const Pair *pair, const Mapping *m, json_t *report) {
        _cleanup_error_ Error failure = {};
        const ODataSet *set = NULL;
        bool exact = true;
        uint64_t n = 0;
        int r;

        r = page_try(c, pair, m, &n, &exact, &failure);
        if (r < 0) {
                if (failure.id == ERROR_TABLE_MISSING && pair)
                        (void) error_at(&failure, pair->file, m->line, m->column);
                return r == -ENOMEM ? r : report_add_error(report, m->from, &failure);
        }
        if (c->options->protocol == REST_ODATA)
                set = odata_set(c->service, m->from);
        r = row(report, set ? "entity set" : "table", m->from, n > 0 ? "Can be read" : "Can be read; it has no records now", NULL);
        if (r == 0 && has_long_numbers(set, m) && n > 0 && !exact)
                r = row(report, "numbers of", m->from,
                        "Can be read, but the service does not say that it sends decimals and 64-bit numbers as text (IEEE754Compatible): "
                        "more than 15 digits may have been rounded by it",
                        "Compare a long number, or ask the service's maker");
        return r < 0 ? r : check_strategy(c, m, report);
}

static int check_batch(RestConnection *c, const ODataSet *set, json_t *report) {
        _cleanup_arena_ Arena *arena = NULL;
        _cleanup_error_ Error failure = {};
        RestCall calls[2] = {{.method = "GET"}, {.method = "GET"}};
        int r;

        if (c->options->batch_size <= 1)
                return 0;
        r = arena_new(&arena);
        if (r < 0)
                return r;
        calls[0].path = calls[1].path = arena_printf(arena, "%s?$top=1", set->name);
        if (!calls[0].path)
                return -ENOMEM;
        r = rest_calls(c, calls, 2, true, arena, &failure);
        if (r < 0)
                return r == -ENOMEM ? r : report_add_error(report, "$batch", &failure);
        return report_add(report, "$batch", true, c->options->batch_size > 1 ? "Works" : "The service takes no batches: each record is a request",
                          NULL);
}

static int check_target(RestConnection *c, const Pair *pair, const Mapping *m, json_t *report) {
        _cleanup_(table_freep) Table *table = NULL;
        _cleanup_(writer_closep) Writer *writer = NULL;
        _cleanup_error_ Error failure = {};
        size_t n_before = json_array_size(report);
        const ODataSet *set = NULL;
        uint64_t n;
        int r;

        r = c->options->protocol == REST_ODATA ? rest_set(c, m->to, &set, &failure) : 0;
        if (r == 0 && set)
                r = odata_set_table(set, &table);
        if (r == 0 && table)
                r = table_check_target(table, m, report);
        if (r == 0 && json_array_size(report) > n_before && !json_is_true(json_object_get(json_array_get(report, n_before), "ok")))
                return 0;
        if (r == 0)
                r = rest_writer_open(&c->base, m, &writer, &failure);
        if (r == 0)
                r = rest_count(writer, &n, &failure);
        if (r < 0) {
                if (failure.id == ERROR_TABLE_MISSING && pair)
                        (void) error_at(&failure, pair->file, m->line, m->column);
                return r == -ENOMEM ? r : report_add_error(report, m->to, &failure);
        }
        if (set)
                return check_batch(c, set, report);
        return row(report, "table", m->to, "Answers; whether it may be written shows with the first record", NULL);
}

int rest_check(Connection *connection, const Pair *pair, const Mapping *m, bool target, json_t *report, Error *error) {
        RestConnection *c = (RestConnection *) connection;
        int r;

        if (url_is_open(c)) {
                r = report_add(report, "encryption", true, "http: whoever is on the way can read the records and change them", "Use https:// in url:");
                if (r < 0)
                        return r;
        }
        return target ? check_target(c, pair, m, report) : check_source(c, pair, m, report);
}
