/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration: read in the helper thread (files may be slow), made true in the loop. */
#include <systemd/sd-daemon.h>

#include "basic/log.h"
#include "syncd/syncd.h"

typedef struct Reload {
        Syncd *syncd;
        ApiRequest *request; /* a reference, or NULL */
        Settings *settings;
        PairSet *pairs;
        Mistakes mistakes;
        bool settings_are_broken;
} Reload;

static Reload *reload_free(Reload *reload) {
        (void) api_request_unref(reload->request);
        settings_free(reload->settings);
        pairs_free(reload->pairs);
        mistakes_done(&reload->mistakes);
        free(reload);
        return NULL;
}
DEFINE_CLEANUP(Reload, reload_free)

static void pairs_health(Syncd *s, const Mistakes *mistakes) {
        _cleanup_free_ char *message = NULL;
        size_t n = mistakes_count(mistakes);

        if (n > 0 && asprintf(&message,
                              "%zu mistakes in the configuration; `terrafusionctl check` lists them", n) < 0)
                message = NULL;
        (void) health_set(s->health, "configuration", false, n == 0, message);
        metric_gauge(s->metrics, "terrafusion_configuration_mistakes", NULL, NULL, (double) n);
}

void syncd_configure(Syncd *s, Settings *settings, PairSet *pairs, const Mistakes *mistakes) {
        settings_free(s->settings);
        s->settings = settings;
        pairs_free(s->pairs);
        s->pairs = pairs;
        json_decref(s->mistakes);
        s->mistakes = mistakes_to_json(mistakes);
        if (s->queue)
                queue_set_limit(s->queue, settings->operations_max);
        if (!getenv("LOG_LEVEL"))
                (void) log_set_level(settings->log_level);
        error_done(&s->refused);
        pairs_health(s, mistakes);
        publish_configuration(s);
}

static int work_reload(Database *state, void *job, Error *error) {
        Reload *reload = job;
        int r;

        r = settings_load(&reload->settings, &reload->mistakes);
        if (r < 0)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for the configuration");
        reload->settings_are_broken = mistakes_count(&reload->mistakes) > 0;
        r = pairs_load(reload->settings, &reload->pairs, &reload->mistakes);
        return r < 0 ? error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for the mappings") : 0;
}

/* What is in force now, and what was found in the files. */
static void reload_answer(const Reload *reload, bool is_in_force) {
        const Syncd *s = reload->syncd;

        api_request_reply(reload->request,
                          json_pack("{s:b, s:i, s:i, s:o}", "in_force", (int) is_in_force, "pairs", (int) s->pairs->n_pairs, "systems",
                                    (int) s->settings->n_systems, "mistakes", mistakes_to_json(&reload->mistakes)));
}

/* Workers read the files themselves and would refuse them: so nothing begins, and the reason is told at once. */
static void settings_refuse(Syncd *s, const Mistakes *mistakes) {
        error_done(&s->refused);
        (void) mistakes_to_error(mistakes, 0, &s->refused);
        if (s->refused.id == ERROR_NONE)
                (void) error_set(&s->refused, ERROR_CONFIGURATION, NULL, "terrafusion.yaml has mistakes");
        (void) health_set(s->health, "configuration", false, false, "terrafusion.yaml has mistakes; no operation begins until they are mended");
        metric_gauge(s->metrics, "terrafusion_configuration_mistakes", NULL, NULL, (double) mistakes_count(mistakes));
}

static void on_reloaded(void *job, int r, Error *error) {
        _cleanup_(reload_freep) Reload *reload = job;
        Syncd *s = reload->syncd;
        bool is_in_force = r >= 0 && !reload->settings_are_broken;

        (void) sd_notify(false, "READY=1");
        if (r < 0) {
                log_error(MESSAGE_CONFIGURATION, error, "The configuration stays as it was");
                if (reload->request)
                        api_request_fail(reload->request, error);
                return;
        }
        mistakes_print(&reload->mistakes, stderr);
        if (is_in_force) {
                syncd_configure(s, TAKE_PTR(reload->settings), TAKE_PTR(reload->pairs), &reload->mistakes);
                log_event(LOG_INFO, MESSAGE_CONFIGURATION, "Read the configuration anew.", NULL);
                schedule_apply(s->schedule, true);
                manager_dispatch(s);
        } else {
                log_event(LOG_ERR, MESSAGE_CONFIGURATION,
                          "terrafusion.yaml has mistakes; the configuration stays as it was, and no operation begins until they are mended.", NULL);
                settings_refuse(s, &reload->mistakes);
        }
        if (reload->request)
                reload_answer(reload, is_in_force);
}

int syncd_reload(Syncd *s, ApiRequest *request, Error *error) {
        _cleanup_(reload_freep) Reload *reload = calloc(1, sizeof(Reload));
        int r;

        if (!reload)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory to read the configuration");
        reload->syncd = s;
        reload->request = request ? api_request_ref(request) : NULL;
        (void) sd_notify(false, "RELOADING=1");
        r = store_submit(s->store, STORE_FILES, work_reload, on_reloaded, reload, error);
        if (r < 0) {
                (void) sd_notify(false, "READY=1");
                return r;
        }
        (void) TAKE_PTR(reload);
        return 0;
}

int do_reload(void *daemon, ApiRequest *request, Error *error) {
        _cleanup_free_ char *text = NULL;

        if (asprintf(&text, "%s asked over %s to read the configuration again.", api_request_caller(request), api_request_via(request)) < 0)
                text = NULL;
        log_event(LOG_NOTICE, MESSAGE_WRITE_REQUEST, text ? text : "Someone asked to read the configuration again.", "API_KEY_NAME",
                  api_request_caller(request), "REQUEST_ID", api_request_id(request), NULL);
        return syncd_reload(daemon, request, error);
}

/* Is what the files say what is in force? By the pairs: of systems there is no hash, and a changed one is met at the next run. */
static bool pairs_are_in_force(const PairSet *files, const PairSet *in_force) {
        if (files->n_pairs != in_force->n_pairs || files->n_broken != in_force->n_broken)
                return false;
        for (size_t i = 0; i < files->n_pairs; i++) {
                const Pair *pair = pairs_find(in_force, files->pairs[i]->name);

                if (!pair || strcmp(pair->content_hash_text, files->pairs[i]->content_hash_text) != 0)
                        return false;
        }
        return true;
}

static void on_checked(void *job, int r, Error *error) {
        _cleanup_(reload_freep) Reload *reload = job;

        if (r < 0)
                api_request_fail(reload->request, error);
        else
                api_request_reply(reload->request,
                                  json_pack("{s:b, s:o}", "in_force", (int) pairs_are_in_force(reload->pairs, reload->syncd->pairs), "mistakes",
                                            mistakes_to_json(&reload->mistakes)));
}

int do_config_check(void *daemon, ApiRequest *request, Error *error) {
        _cleanup_(reload_freep) Reload *reload = calloc(1, sizeof(Reload));
        Syncd *s = daemon;
        int r;

        if (!reload)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory to read the configuration");
        reload->syncd = s;
        reload->request = api_request_ref(request);
        r = store_submit(s->store, STORE_FILES, work_reload, on_checked, reload, error);
        if (r >= 0)
                (void) TAKE_PTR(reload);
        return r;
}
