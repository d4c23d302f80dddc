/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* terrafusion.yaml, terrafusion.d/ and the environment as one struct. In every process but the command line. Plain data, owned. */
#include "config/mistake.h"
#include "model/system.h"

typedef struct Settings {
        System **systems;               /* in the order of the files */
        size_t n_systems;
        unsigned operations_max;        /* limits: operations: workers at a time; 2 */
        uint64_t worker_memory_bytes;   /* limits: worker_memory; 512M */
        char *store_url;                /* $SYNC_SERVICE_DB_URL, a secret; NULL: the state is in files under state_directory */
        char *log_level;                /* "info"; LOG_LEVEL of the environment wins */
        char *configuration_directory;  /* $CONFIGURATION_DIRECTORY or /etc/terrafusion */
        char *state_directory;          /* $STATE_DIRECTORY or /var/lib/terrafusion */
        char *runtime_directory;        /* $RUNTIME_DIRECTORY or /run/terrafusion */
        char **mapping_directories;     /* CONFIGURATION/mappings, then $TERRAFUSION_SHARE/mappings (or that of the installation) */
        json_t *origins;                /* {"limits.operations": "FILE:LINE"} of what files have set */
} Settings;
/* Reads $CONFIGURATION_DIRECTORY/terrafusion.yaml and terrafusion.d/ (*.yaml by name; later ones win; a system is replaced whole). No file
 * at all is fine. Members with mistakes keep their default, systems with mistakes are left out: a daemon may go on where
 * mistakes_count() is 0. Fails with -ENOMEM only. */
_must_check_ int settings_load(Settings **ret, Mistakes *mistakes);
Settings *settings_free(Settings *s);
DEFINE_CLEANUP(Settings, settings_free)
#define _cleanup_settings_ _cleanup_(settings_freep)
const System *settings_system(const Settings *s, const char *name);     /* NULL */
/* {systems: […], limits: {operations, worker_memory}, log_level, paths: {…}, origins}.
 * Never a secret. NULL without memory. */
json_t *settings_to_json(const Settings *s);
