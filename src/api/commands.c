/* SPDX-License-Identifier: Apache-2.0 */
#include "api/command.h"

static const char *const kinds[] = { "full", "incremental", "continuous", NULL };
static const char *const statuses[] = { "PENDING", "RUNNING", "COMPLETED", "FAILED", "CANCELLED", NULL };

#define PAGE_ARGS \
        { "limit", ARG_INTEGER, ARG_QUERY, false, "How many at most.", 1, 1000 }, \
        { "offset", ARG_INTEGER, ARG_QUERY, false, "How many to skip.", 0, INT32_MAX }
#define PAIR_NAMED(place, required) { "sync_pair_id", ARG_TEXT, place, required, "A pair's name or alias." }
#define OPERATION_ID { "id", ARG_TEXT, ARG_PATH, true, "The operation's UUID." }
#define PAIR_NAME { "name", ARG_TEXT, ARG_PATH, true, "The pair's name or alias." }
#define SYSTEM_NAME { "name", ARG_TEXT, ARG_PATH, true, "The system's name." }
#define ON(kind, member) .object = OBJECT_##kind, .object_member = member
#define ENTITIES { "entity_types", ARG_TEXTS, ARG_BODY, false, "Entities to sync; omitted: all of the pair." }
#define ALLOW { "allow", ARG_TEXTS, ARG_BODY, false, "Guards that may be exceeded, by name; needs scope admin; it is journalled." }
#define HOURS { "hours", ARG_INTEGER, ARG_BODY, false, "Widens an incremental run to at least that many hours back; never narrows it.", 1, 87600 }
#define PARAMS { "params", ARG_OBJECT, ARG_BODY, false, "Kept with the operation and shown with it." }

const Command commands[_COMMAND_MAX] = {
        [COMMAND_ROOT] = { "root", "What this service is.", "GET", { "/" }, "GetRoot", SCOPE_OPEN, RESULT_OBJECT, 200 },
        [COMMAND_HEALTH_LIVE] = { "health-live", "Whether the process lives.", "GET", { "/health/live" },
                "GetHealthLive", SCOPE_OPEN, RESULT_OBJECT, 200 },
        [COMMAND_HEALTH_READY] = { "health-ready", "Whether it can take work; 503 with the failing checks if not.", "GET",
                { "/health/ready" }, "GetHealthReady", SCOPE_OPEN, RESULT_OBJECT, 200 },
        [COMMAND_HEALTH_STATUS] = { "health-status", "Each check by component.", "GET", { "/health/status" },
                "GetHealthStatus", SCOPE_OPEN, RESULT_OBJECT, 200 },
        [COMMAND_METRICS] = { "metrics", "Samples of the metrics now.", "GET", { "/api/metrics" },
                "GetMetrics", SCOPE_READ, RESULT_ARRAY, 200, {
                { "prefix", ARG_TEXT, ARG_QUERY, false, "Only names that start so." },
                { "hours", ARG_INTEGER, ARG_QUERY, false, "How far back, in hours.", 1, 87600 },
                { "limit", ARG_INTEGER, ARG_QUERY, false, "How many at most.", 1, 10000 } } },
        [COMMAND_METRICS_TEXT] = { "metrics-text", "The metrics as Prometheus text.", "GET", { "/metrics" },
                "GetMetricsText", SCOPE_READ, RESULT_TEXT, 200 },
        [COMMAND_SYSTEM_STATUS] = { "system-status", "The machine and this process: CPU, memory, disk.", "GET", { "/api/system" },
                "GetSystemStatus", SCOPE_READ, RESULT_OBJECT, 200 },
        [COMMAND_OPERATION_LIST] = { "operation-list", "Operations, newest first.", "GET", { "/api/sync/operations" },
                "ListOperations", SCOPE_READ, RESULT_ARRAY, 200, {
                PAIR_NAMED(ARG_QUERY, false),
                { "status", ARG_TEXT, ARG_QUERY, false, "Only those with this status.", 0, 0, statuses },
                { "kind", ARG_TEXT, ARG_QUERY, false, "Only those of this kind.", 0, 0,
                  (const char *const[]) { "full", "incremental", "continuous", "check", "query-plan", "drift-accept", NULL } },
                { "from", ARG_TEXT, ARG_QUERY, false, "Created at or after this time (RFC 3339)." },
                { "to", ARG_TEXT, ARG_QUERY, false, "Created before this time (RFC 3339)." },
                PAGE_ARGS } },
        [COMMAND_OPERATION_START] = { "operation-start", "Starts an operation of a pair.", "POST", { "/api/sync/operations" },
                "StartOperation", SCOPE_OPERATE, RESULT_OPERATION, 202, {
                PAIR_NAMED(ARG_BODY, true),
                { "kind", ARG_TEXT, ARG_BODY, false, "full, incremental, or continuous (follows the log of the source until it is cancelled); omitted: incremental.", 0, 0, kinds,
                  .positional = true },
                ENTITIES, ALLOW, HOURS, PARAMS,
                { "options", ARG_OBJECT, ARG_BODY, false, "Further options of the run." } } },
        [COMMAND_SYNC_FULL] = { "sync-full", "Starts a full sync of a pair.", "POST", { "/api/sync/full" },
                "SyncFull", SCOPE_OPERATE, RESULT_OPERATION, 200, { PAIR_NAMED(ARG_BODY, true), ENTITIES, ALLOW, PARAMS } },
        [COMMAND_SYNC_INCREMENTAL] = { "sync-incremental", "Starts an incremental sync of a pair.", "POST",
                { "/api/sync/incremental" }, "SyncIncremental", SCOPE_OPERATE, RESULT_OPERATION, 200, {
                PAIR_NAMED(ARG_BODY, true), ENTITIES, HOURS, ALLOW, PARAMS } },
        [COMMAND_OPERATION_SHOW] = { "operation-show", "One operation with its progress and results.", "GET",
                { "/api/sync/operations/{id}", "/api/sync/status/{id}" }, "GetOperation", SCOPE_READ, RESULT_OBJECT, 200,
                { OPERATION_ID }, ON(OPERATION, "Get") },
        [COMMAND_OPERATION_CANCEL] = { "operation-cancel", "Cancels an operation that waits or runs.", "POST",
                { "/api/sync/operations/{id}/cancel", "/api/sync/cancel/{id}" }, "CancelOperation", SCOPE_OPERATE, RESULT_OBJECT, 200,
                { OPERATION_ID }, ON(OPERATION, "Cancel") },
        [COMMAND_OPERATION_FINDINGS] = { "operation-findings", "What the rules had to say in an operation.", "GET",
                { "/api/sync/operations/{id}/findings" }, "ListFindings", SCOPE_READ, RESULT_ARRAY, 200, {
                OPERATION_ID, PAGE_ARGS }, ON(OPERATION, "ListFindings"),
                .tells_records = true },
        [COMMAND_OPERATION_CHANGES] = { "operation-changes", "What an operation changed, field by field: before and after.", "GET",
                { "/api/sync/operations/{id}/changes" }, "ListChanges", SCOPE_READ, RESULT_ARRAY, 200, {
                OPERATION_ID, PAGE_ARGS }, ON(OPERATION, "ListChanges"), .tells_records = true },
        [COMMAND_OPERATION_LOG] = { "operation-log", "The journal's lines of an operation, oldest first.", "GET",
                { "/api/sync/operations/{id}/log" }, "GetOperationLog", SCOPE_READ, RESULT_ARRAY, 200, {
                OPERATION_ID, { "limit", ARG_INTEGER, ARG_QUERY, false, "How many lines at most.", 1, 1000 },
                { "cursor", ARG_TEXT, ARG_QUERY, false, "Only lines after the one that has this cursor." } },
                ON(OPERATION, "GetLog"), .tells_records = true },
        [COMMAND_OPERATION_ACTIVE] = { "operation-active", "Operations that run or wait.", "GET", { "/api/sync/active" },
                "ListActive", SCOPE_READ, RESULT_ARRAY, 200 },
        [COMMAND_SYNC_METRICS] = { "sync-metrics", "Totals of the operations of some days.", "GET", { "/api/sync/metrics" },
                "GetSyncMetrics", SCOPE_READ, RESULT_OBJECT, 200, {
                PAIR_NAMED(ARG_QUERY, false),
                { "days", ARG_INTEGER, ARG_QUERY, false, "How many days back; omitted: 7.", 1, 3650 } } },
        [COMMAND_CONFIG_SHOW] = { "config-show", "The configuration in effect, secrets masked.", "GET", { "/api/config" },
                "GetConfig", SCOPE_READ, RESULT_OBJECT, 200 },
        [COMMAND_CONFIG_CHECK] = { "config-check", "Reads configuration and mappings as they are now and tells their mistakes; takes nothing over.", "GET",
                { "/api/config/check" }, "CheckConfig", SCOPE_READ, RESULT_OBJECT, 200 },
        [COMMAND_RELOAD] = { "reload", "Reads configuration and mappings again, as SIGHUP does; tells their mistakes.", "POST",
                { "/api/reload" }, "Reload", SCOPE_ADMIN, RESULT_OBJECT, 200 },
        [COMMAND_PAIR_LIST] = { "pair-list", "The pairs and where they are.", "GET", { "/api/pairs" },
                "ListPairs", SCOPE_READ, RESULT_ARRAY, 200 },
        [COMMAND_PAIR_SHOW] = { "pair-show", "One pair with its entities.", "GET", { "/api/pairs/{name}" },
                "GetPair", SCOPE_READ, RESULT_OBJECT, 200, { PAIR_NAME }, ON(PAIR, "Get") },
        [COMMAND_PAIR_CHECK] = { "pair-check", "Starts a check of a pair: connections, tables, columns.", "POST",
                { "/api/pairs/{name}/check" }, "CheckPair", SCOPE_OPERATE, RESULT_OPERATION, 202,
                { PAIR_NAME, { "grants", ARG_BOOLEAN, ARG_BODY, false,
                               "Only what a DBA has to run for the strategies that the mappings use, and which of it is there." } },
                ON(PAIR, "Check") },
        [COMMAND_PAIR_QUERY_PLAN] = { "pair-query-plan", "Starts telling a pair's queries and how the database will run them.", "POST",
                { "/api/pairs/{name}/query-plan" }, "QueryPlan", SCOPE_OPERATE, RESULT_OPERATION, 202,
                { PAIR_NAME }, ON(PAIR, "QueryPlan") },
        [COMMAND_DRIFT_LIST] = { "drift-list", "Columns that changed under a mapping, those that stop its pair first.", "GET", { "/api/drift" },
                "ListDrift", SCOPE_READ, RESULT_ARRAY, 200, { PAIR_NAMED(ARG_QUERY, false) } },
        [COMMAND_DRIFT_ACCEPT] = { "drift-accept", "Takes a pair's columns as they are now: what changed stops it no longer.", "POST",
                { "/api/pairs/{name}/drift/accept" }, "AcceptDrift", SCOPE_APPROVE, RESULT_OPERATION, 202,
                { PAIR_NAME }, ON(PAIR, "AcceptDrift") },
        [COMMAND_SYSTEM_LIST] = { "system-list", "The systems we read from and write to.", "GET", { "/api/systems" },
                "ListSystems", SCOPE_READ, RESULT_ARRAY, 200 },
        [COMMAND_SYSTEM_SHOW] = { "system-show", "One system.", "GET", { "/api/systems/{name}" },
                "GetSystem", SCOPE_READ, RESULT_OBJECT, 200, { SYSTEM_NAME }, ON(SYSTEM, "Get") },
        [COMMAND_SYSTEM_CHECK] = { "system-check", "Starts a check of a system's connection.", "POST",
                { "/api/systems/{name}/check" }, "CheckSystem", SCOPE_OPERATE, RESULT_OPERATION, 202,
                { SYSTEM_NAME }, ON(SYSTEM, "Check") },
        [COMMAND_QUARANTINE_LIST] = { "quarantine-list", "Records that are held back.", "GET", { "/api/quarantine" },
                "ListQuarantine", SCOPE_READ, RESULT_ARRAY, 200, {
                PAIR_NAMED(ARG_QUERY, false),
                { "entity", ARG_TEXT, ARG_QUERY, false, "Only records of this entity." }, PAGE_ARGS }, .tells_records = true },
        [COMMAND_QUARANTINE_SHOW] = { "quarantine-show", "One held record with its findings.", "GET", { "/api/quarantine/{id}" },
                "GetQuarantined", SCOPE_READ, RESULT_OBJECT, 200, { { "id", ARG_TEXT, ARG_PATH, true, "As the list gives it." } },
                .tells_records = true },
        [COMMAND_DASHBOARD_SUMMARY] = { "dashboard-summary", "Counts for a first look.", "GET", { "/api/dashboard/summary" },
                "GetDashboardSummary", SCOPE_READ, RESULT_OBJECT, 200 },
        [COMMAND_DASHBOARD_PAIRS] = { "dashboard-pairs", "The pairs as the original's dashboard shows them.", "GET",
                { "/api/dashboard/sync-pairs" }, "GetDashboardPairs", SCOPE_READ, RESULT_ARRAY, 200 },
        [COMMAND_DASHBOARD_ERRORS] = { "dashboard-errors", "Operations that failed lately.", "GET",
                { "/api/dashboard/recent-errors" }, "GetDashboardErrors", SCOPE_READ, RESULT_ARRAY, 200,
                { { "limit", ARG_INTEGER, ARG_QUERY, false, "How many at most.", 1, 100 } } },
        [COMMAND_GATEWAY_STATUS] = { "gateway-status", "The gateway, and how the sync service is behind it.", "GET", { "/status" },
                "GetStatus", SCOPE_OPEN, RESULT_OBJECT, 200, .daemon = DAEMON_GATEWAY },
        [COMMAND_SYNC_SERVICE_START] = { "sync-service-start", "Starts the sync service, and answers when it is ready.", "POST",
                { "/start-syncservice" }, "StartSyncService", SCOPE_OPERATE, RESULT_OBJECT, 200, {
                { "restart", ARG_BOOLEAN, ARG_QUERY, false, "Restart it where it runs already.", .positional = true } },
                .daemon = DAEMON_GATEWAY, .also = "GET" },
};
