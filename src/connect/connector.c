/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/connector.h"

#include "basic/text.h"
#include "connect/csv.h"
#include "connect/fixed.h"
#include "connect/module.h"
#include "connect/postgresql.h"
#include "connect/sqlite.h"

/* A row without a connector is a module; package: what Debian calls the library it needs. */
static const struct {
        const char *kind;
        const Connector *connector;
        const char *package;
} connectors[] = {
        {"csv", &csv_connector, NULL},
        {"fixed", &fixed_connector, NULL},
        {"odbc", NULL, "libodbc2"},
        {"ogr", NULL, "libgdal32"},
        {"postgresql", &postgresql_connector, NULL},
        {"rest", NULL, "libcurl4"},
        {"sqlite", &sqlite_connector, NULL},
};
static const char *const kinds[] = {"csv", "fixed", "odbc", "ogr", "postgresql", "rest", "sqlite", NULL};

int connector_load(const char *kind, const Connector **ret, Error *error) {
        for (size_t i = 0; i < ELEMENTSOF(connectors); i++) {
                if (!text_equal(connectors[i].kind, kind))
                        continue;
                if (!connectors[i].connector)
                        return module_load(kind, connectors[i].package, ret, error);
                *ret = connectors[i].connector;
                return 0;
        }
        return error_set(error, ERROR_NOT_YET, "Use kind: postgresql, sqlite, odbc, rest, csv or fixed", "Kind \"%s\" is not there yet",
                         kind ? kind : "");
}

const Connector *connector_find(const char *kind) {
        const Connector *connector = NULL;

        return connector_load(kind, &connector, NULL) < 0 ? NULL : connector;
}

const char *const *connector_kinds(void) { return kinds; }

static char name_of_client[64] = "terrafusion-worker"; /* PostgreSQL cuts at 63 bytes */

void connector_name_set(const char *name) {
        (void) snprintf(name_of_client, sizeof(name_of_client), "%s", name);
}

const char *connector_name(void) { return name_of_client; }

static const char *pair_of_client = "";

void connector_pair_set(const char *pair) { pair_of_client = pair; }

const char *connector_pair(void) { return pair_of_client; }

int connection_open(const System *system, bool write, Connection **ret, Error *error) {
        const Connector *connector = NULL;
        int r;

        r = connector_load(system->kind, &connector, error);
        if (r < 0) {
                error_prefix(error, "System \"%s\"", system->name);
                (void) error_at(error, system->file, system->line, 0);
                return r;
        }
        if (write && !(connector->capabilities & CONNECTOR_WRITES))
                return error_set(error, ERROR_NOT_YET, "Use a system of kind: postgresql, sqlite, csv or odbc as the target",
                                 "System \"%s\": writing to kind \"%s\" is not there yet", system->name,
                                 system->kind);
        if (write && !system->may_write) {
                r = error_set(error, ERROR_SYSTEM_READ_ONLY,
                              "Give it access: write if it is meant to be a target",
                              "System \"%s\" has access: read", system->name);
                (void) error_at(error, system->file, system->line, 0);
                return r;
        }
        return connector->open(system, write, ret, error);
}

Connection *connection_close(Connection *c) {
        if (c)
                c->connector->close(c);
        return NULL;
}

int connection_check(Connection *c, const Pair *pair, const Mapping *mapping, bool target, json_t *report,
                     Error *error) {
        assert(json_is_array(report));
        return c->connector->check(c, pair, mapping, target, report, error);
}

int connection_horizon(Connection *c, const Mapping *mapping, Value *ret_high, Error *error) {
        if (!(c->connector->strategies & DETECT_BIT(DETECT_WATERMARK)))
                return error_set(error, ERROR_WATERMARK, "Use strategy: full",
                                 "A system of kind \"%s\" has no watermark", c->connector->kind);
        return c->connector->horizon(c, mapping, ret_high, error);
}

bool connection_horizon_holder(const Connection *c, const char **ret_who, int64_t *ret_age_usec) {
        return c->connector->horizon_holder && c->connector->horizon_holder(c, ret_who, ret_age_usec);
}

bool connection_horizon_is_exact(const Connection *c, const Mapping *mapping) {
        return !c->connector->horizon_is_exact || c->connector->horizon_is_exact(c, mapping);
}

static int not_told(const Connection *c, const char *what, Error *error) {
        return error_set(error, ERROR_NOT_YET, NULL, "A system of kind \"%s\" cannot tell %s yet",
                         c->connector->kind, what);
}

int connection_content_digest(Connection *c, const Mapping *mapping, Digest *ret, Error *error) {
        return c->connector->content_digest ? c->connector->content_digest(c, mapping, ret, error)
                                            : not_told(c, "whether its content changed", error);
}

int connection_describe(Connection *c, const Mapping *mapping, const char *table, bool target, Table **ret,
                        Error *error) {
        return c->connector->describe ? c->connector->describe(c, mapping, table, target, ret, error)
                                      : not_told(c, "what its columns are", error);
}

int connection_grants(Connection *c, const Pair *pair, const Mapping *mapping, bool target, json_t *report,
                      Error *error) {
        assert(json_is_array(report));
        return c->connector->grants ? c->connector->grants(c, pair, mapping, target, report, error)
                                    : not_told(c, "which rights are needed", error);
}

int connection_explain(Connection *c, const ReadPlan *plan, json_t *report, Error *error) {
        assert(json_is_array(report));
        return c->connector->explain ? c->connector->explain(c, plan, report, error)
                                     : not_told(c, "how a query is run", error);
}

int connection_begin(Connection *c, Error *error) {
        assert(c->connector->capabilities & CONNECTOR_TRANSACTS);
        return c->connector->begin(c, error);
}

int connection_commit(Connection *c, Error *error) {
        assert(c->connector->capabilities & CONNECTOR_TRANSACTS);
        return c->connector->commit(c, error);
}

void connection_rollback(Connection *c) {
        if (c->connector->capabilities & CONNECTOR_TRANSACTS)
                (void) c->connector->rollback(c);
}

int reader_open(Connection *c, const ReadPlan *plan, Reader **ret, Error *error) {
        return c->connector->reader_open(c, plan, ret, error);
}

int reader_next(Reader *r, Value *values, Error *error) {
        return r->connector->reader_next(r, values, error);
}

const char *reader_position(Reader *r) {
        return r->connector->capabilities & CONNECTOR_RESUMES ? r->connector->reader_position(r) : NULL;
}

bool reader_resumed(const Reader *r) {
        return (r->connector->capabilities & CONNECTOR_RESUMES) && r->connector->reader_resumed(r);
}

bool reader_is_gone(const Reader *r) {
        return r->connector->reader_is_gone && r->connector->reader_is_gone(r);
}

const char *reader_changes_from(Reader *r) {
        return r->connector->reader_changes_from ? r->connector->reader_changes_from(r) : NULL;
}

int reader_findings(Reader *r, const Value *values, Arena *arena, Finding **findings) {
        return r->connector->reader_findings ? r->connector->reader_findings(r, values, arena, findings) : 0;
}

bool reader_keys_are_unique(const Reader *r) {
        return r->connector->reader_keys_are_unique && r->connector->reader_keys_are_unique(r);
}

int ranges_plan(Reader *r, const KeyRange *within, uint64_t n_records, KeyRanges *ret, Error *error) {
        assert(r->connector->strategies & DETECT_BIT(DETECT_DIGEST));
        return r->connector->ranges_plan(r, within, n_records, ret, error);
}

int ranges_sum(Reader *r, KeyRange *ranges, size_t n_ranges, Error *error) {
        assert(r->connector->strategies & DETECT_BIT(DETECT_DIGEST));
        return n_ranges > 0 ? r->connector->ranges_sum(r, ranges, n_ranges, error) : 0;
}

int reader_range(Reader *r, const KeyRange *range, Error *error) {
        assert(r->connector->strategies & DETECT_BIT(DETECT_DIGEST));
        return r->connector->reader_range(r, range, error);
}

bool reader_ranges_by_key(const Reader *r) {
        return r->connector->reader_ranges_by_key && r->connector->reader_ranges_by_key(r);
}

Reader *reader_close(Reader *r) {
        if (r)
                r->connector->reader_close(r);
        return NULL;
}

int writer_open(Connection *c, const Mapping *mapping, Writer **ret, Error *error) {
        assert(c->connector->capabilities & CONNECTOR_WRITES);
        return c->connector->writer_open(c, mapping, ret, error);
}

Writer *writer_close(Writer *w) {
        if (w)
                w->connector->writer_close(w);
        return NULL;
}

int writer_count(Writer *w, uint64_t *ret, Error *error) { return w->connector->count(w, ret, error); }

int writer_fetch(Writer *w, Arena *arena, RecordFetch *fetches, size_t n_fetches, Error *error) {
        return n_fetches > 0 ? w->connector->fetch(w, arena, fetches, n_fetches, error) : 0;
}

int writer_write(Writer *w, RecordWrite *writes, size_t n_writes, Error *error) {
        return n_writes > 0 ? w->connector->write(w, writes, n_writes, error) : 0;
}

RecordFetch *fetches_free(RecordFetch *fetches, size_t n_fetches) {
        for (size_t i = 0; fetches && i < n_fetches; i++)
                error_done(&fetches[i].refusal);
        free(fetches);
        return NULL;
}

RecordWrite *writes_free(RecordWrite *writes, size_t n_writes) {
        for (size_t i = 0; writes && i < n_writes; i++)
                error_done(&writes[i].refusal);
        free(writes);
        return NULL;
}
