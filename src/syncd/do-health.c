/* SPDX-License-Identifier: Apache-2.0 */
/* How the service and its machine are: from memory, without the store. */
#include "basic/json.h"
#include "basic/log.h"
#include "basic/text.h"
#include "basic/timestamp.h"
#include "build-config.h"
#include "syncd/syncd.h"

#define USEC_PER_HOUR (3600LL * USEC_PER_SEC)

static int no_memory(Error *error) {
        return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for the answer");
}

static double uptime_seconds(const Syncd *s) {
        return (double) (syncd_now_usec(s) - s->started_usec) / USEC_PER_SEC;
}

int do_root(void *daemon, ApiRequest *request, Error *error) {
        const Syncd *s = daemon;

        api_request_reply(request,
                          json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:f}", "name",
                                    "TerraFusion SyncService API", "version", PROJECT_VERSION, "description",
                                    "API for synchronizing data between different systems", "docs_url",
                                    "/docs", "dashboard_url", "/dashboard", "instance", s->instance,
                                    "uptime_seconds", uptime_seconds(s)));
        return 0;
}

int do_health_live(void *daemon, ApiRequest *request, Error *error) {
        api_request_reply(request, json_pack("{s:s, s:o, s:f}", "status", "UP", "timestamp",
                                             json_timestamp(timestamp_now()), "uptime_seconds",
                                             uptime_seconds(daemon)));
        return 0;
}

/* What is looked at when somebody asks; the store's state is as its last job found it. */
static void health_refresh(const Syncd *s) {
        const char *failure = store_thread_failure(s->store);

        (void) health_set(s->health, "state_store", true, !failure, failure);
        (void) health_set(s->health, "queue", true, !s->is_stopping,
                          s->is_stopping ? "The service is stopping" : NULL);
        (void) health_set(s->health, "metrics_collector", false, s->sample != NULL,
                          s->sample ? NULL : "No timer for samples");
        (void) health_set(s->health, "system_monitor", false, s->host != NULL, NULL);
}

int do_health_ready(void *daemon, ApiRequest *request, Error *error) {
        const Syncd *s = daemon;
        _cleanup_free_ char *failures = NULL;

        health_refresh(s);
        if (health_is_ready(s->health)) {
                api_request_reply(request, json_pack("{s:s, s:o}", "status", "READY", "timestamp",
                                                     json_timestamp(timestamp_now())));
                return 0;
        }
        failures = health_failures(s->health, true);
        api_request_header(request, "Retry-After", "5");
        return error_set(error, ERROR_UNAVAILABLE, "Look at /health/status", "Not ready: %s",
                         failures ? failures : "no memory");
}

int do_health_status(void *daemon, ApiRequest *request, Error *error) {
        const Syncd *s = daemon;
        bool details = scopes_allow(api_request_scopes(request), SCOPE_READ), is_ready;
        json_auto_t *object = NULL;

        health_refresh(s);
        is_ready = health_is_ready(s->health);
        object = json_pack("{s:s, s:o, s:s, s:f, s:o}", "status", is_ready ? "UP" : "DOWN", "timestamp",
                           json_timestamp(timestamp_now()), "version", PROJECT_VERSION, "uptime_seconds",
                           uptime_seconds(s), "components", health_to_json(s->health, details));
        if (!object)
                return no_memory(error);
        if (details && (json_put(object, "operations_running",
                                 json_integer((json_int_t) queue_n_running(s->queue))) < 0 ||
                        json_put(object, "operations_waiting",
                                 json_integer((json_int_t) queue_n_waiting(s->queue))) < 0))
                return no_memory(error);
        api_request_reply(request, TAKE_PTR(object));
        return 0;
}

/* Numbers that are asked for rather than counted. */
static void gauges_refresh(Syncd *s) {
        static const struct {
                const char *name, *member;
        } gauges[] = {
                {"terrafusion_system_cpu_percent", "cpu_percent"},
                {"terrafusion_system_memory_percent", "memory_percent"},
                {"terrafusion_system_disk_percent", "disk_percent"},
                {"terrafusion_process_resident_bytes", "process_memory_rss"},
        };
        json_auto_t *host = NULL;

        if (s->host && host_sample(s->host, syncd_now_usec(s), &host) >= 0)
                for (size_t i = 0; i < ELEMENTSOF(gauges); i++)
                        metric_gauge(s->metrics, gauges[i].name, NULL, NULL,
                                     json_number_value(json_object_get(host, gauges[i].member)));
        metric_gauge(s->metrics, "terrafusion_uptime_seconds", NULL, NULL, uptime_seconds(s));
        metric_gauge(s->metrics, "terrafusion_operations_running", NULL, NULL,
                     (double) queue_n_running(s->queue));
        metric_gauge(s->metrics, "terrafusion_operations_waiting", NULL, NULL,
                     (double) queue_n_waiting(s->queue));
        metric_gauge(s->metrics, "terrafusion_store_jobs_waiting", NULL, NULL,
                     (double) store_thread_n_waiting(s->store));
        metric_gauge(s->metrics, "terrafusion_http_requests_answered", NULL, NULL,
                     s->http ? (double) http_server_n_requests(s->http) : 0);
}

static int work_probe(Database *state, void *job, Error *error) {
        return 0; /* that it was opened is all there is to know */
}

static void on_probed(void *job, int r, Error *error) {}

static int on_sample(sd_event_source *source, uint64_t usec, void *userdata) {
        Syncd *s = userdata;

        gauges_refresh(s);
        if (sampler_take(s->sampler, s->metrics, timestamp_now()) < 0)
                log_debug("A sample of the metrics was dropped for want of memory.");
        if (store_submit(s->store, STORE_STATE, work_probe, on_probed, NULL, NULL) < 0)
                log_debug("The state store has too much to do to be probed.");
        return manager_sample(s);
}

int manager_sample(Syncd *s) {
        if (event_timer_set(s->event, &s->sample, SAMPLER_STEP_USEC, "sample", on_sample, s) < 0)
                event_source_drop(&s->sample); /* health says so */
        return 0;
}

int do_metrics(void *daemon, ApiRequest *request, Error *error) {
        Syncd *s = daemon;
        const char *prefix = api_request_text(request, "prefix");
        size_t limit = (size_t) api_request_integer(request, "limit", 100);
        int64_t from = timestamp_now() - api_request_integer(request, "hours", 1) * USEC_PER_HOUR;
        json_auto_t *now = NULL, *before = NULL;

        gauges_refresh(s);
        if (metric_set_to_json(s->metrics, prefix, limit, &now) < 0)
                return no_memory(error);
        if (json_array_size(now) < limit &&
            (sampler_list(s->sampler, prefix, from, limit - json_array_size(now), &before) < 0 ||
             json_array_extend(now, before) < 0))
                return no_memory(error);
        api_request_reply(request, TAKE_PTR(now));
        return 0;
}

int do_metrics_text(void *daemon, ApiRequest *request, Error *error) {
        Syncd *s = daemon;
        _cleanup_free_ char *text = NULL;

        gauges_refresh(s);
        if (metric_set_to_prometheus(s->metrics, &text) < 0)
                return no_memory(error);
        api_request_reply_text(request, "text/plain; version=0.0.4; charset=utf-8", text);
        return 0;
}

int do_system_status(void *daemon, ApiRequest *request, Error *error) {
        Syncd *s = daemon;
        json_t *sample = NULL;

        if (host_sample(s->host, syncd_now_usec(s), &sample) < 0)
                return no_memory(error);
        api_request_reply(request, sample);
        return 0;
}

int do_config_show(void *daemon, ApiRequest *request, Error *error) {
        const Syncd *s = daemon;
        json_auto_t *object = settings_to_json(s->settings);
        const char *environment = getenv("ENVIRONMENT"), *url = getenv("SYNC_SERVICE_DB_URL");
        json_t *original;

        original = json_pack("{s:s, s:s, s:i, s:s, s:b, s:b}", "version", PROJECT_VERSION, "environment",
                             environment ? environment : "development", "api_port", (int) SERVICE_PORT,
                             "logging_level", log_level_name(), "db_url_configured", url && *url,
                             "api_key_configured", s->keys ? !keys_is_default(s->keys) : false);
        if (!object || !original)
                return no_memory(error);
        if (json_object_update_new(object, original) < 0 ||
            json_put(object, "mistakes", json_incref(s->mistakes)) < 0)
                return no_memory(error);
        api_request_reply(request, TAKE_PTR(object));
        return 0;
}
