/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration: read in the helper thread (files may be slow), made true in the loop. */
#include <systemd/sd-daemon.h>

#include "basic/log.h"
#include "syncd/syncd.h"

typedef struct Reload {
        Syncd *syncd;
        Settings *settings;
        PairSet *pairs;
        Mistakes mistakes;
        bool settings_are_broken;
} Reload;

static Reload *reload_free(Reload *reload) {
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

static void on_reloaded(void *job, int r, Error *error) {
        _cleanup_(reload_freep) Reload *reload = job;
        Syncd *s = reload->syncd;

        (void) sd_notify(false, "READY=1");
        if (r < 0) {
                log_error(MESSAGE_CONFIGURATION, error, "The configuration stays as it was");
                return;
        }
        mistakes_print(&reload->mistakes, stderr);
        if (reload->settings_are_broken) {
                log_event(LOG_ERR, MESSAGE_CONFIGURATION,
                          "terrafusion.yaml has mistakes; the configuration stays as it was.", NULL);
                return;
        }
        syncd_configure(s, TAKE_PTR(reload->settings), TAKE_PTR(reload->pairs), &reload->mistakes);
        log_event(LOG_INFO, MESSAGE_CONFIGURATION, "Read the configuration anew.", NULL);
        schedule_apply(s->schedule, true);
        manager_dispatch(s);
}

int syncd_reload(Syncd *s) {
        _cleanup_(reload_freep) Reload *reload = calloc(1, sizeof(Reload));
        _cleanup_error_ Error error = {};
        int r;

        if (!reload)
                return -ENOMEM;
        reload->syncd = s;
        (void) sd_notify(false, "RELOADING=1");
        r = store_submit(s->store, STORE_FILES, work_reload, on_reloaded, reload, &error);
        if (r < 0) {
                (void) sd_notify(false, "READY=1");
                return log_error(MESSAGE_CONFIGURATION, &error, "The configuration stays as it was");
        }
        (void) TAKE_PTR(reload);
        return 0;
}
