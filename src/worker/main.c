/* SPDX-License-Identifier: Apache-2.0 */
/* terrafusion-worker OPERATION: does one operation and ends.
 * Steps: read configuration → load the operation → begin an attempt → open systems → settle → check → pipeline → finish.
 * Exit status: 0 completed, 3 completed with records in quarantine, 1 failed, 4 a guard tripped, 75 try again, 76 when the hours of its systems begin, 78 configuration. */
#include "build-config.h"

#include "basic/json.h"
#include "basic/limits.h"
#include "basic/log.h"
#include "basic/text.h"
#include "config/pairs.h"
#include "store/server.h"
#include "worker/pipeline.h"
#include "worker/tell.h"

#include <errno.h>
#include <signal.h>
#include <systemd/sd-daemon.h>

#define EXIT_TRY_AGAIN   75
#define EXIT_QUARANTINED 3

static int guards_read(Run *run, Error *error) {
        const json_t *allow = json_object_get(run->operation->parameters, "allow"), *item;
        size_t i;

        run->guards.pair = run->pair;
        json_array_foreach((json_t *) allow, i, item) {
                GuardId guard = guard_from_string(json_string_value(item));

                if (guard == _GUARD_INVALID)
                        return error_set(error, ERROR_ARGUMENT, "Guards are " GUARD_NAMES ".",
                                         "There is no guard '%s'",
                                         json_string_value(item) ? json_string_value(item) : "?");
                run->guards.allowed[guard] = true;
                log_event(LOG_WARNING, MESSAGE_GUARD_ALLOWED, "A guard is out of force for this operation.", NULL);
        }
        return 0;
}

static int entities_check(const Run *run, Error *error) {
        for (char *const *name = run->operation->entity_types; name && *name; name++)
                if (!pair_mapping(run->pair, *name))
                        return error_set(error, ERROR_ARGUMENT,
                                         "terrafusionctl pairs shows the entities of each pair.",
                                         "Pair '%s' has no entity '%s'", run->pair->name, *name);
        return 0;
}

static int operation_run(Run *run, Error *error) {
        int r;

        r = entities_check(run, error);
        if (r < 0)
                return r;
        r = guards_read(run, error);
        if (r < 0)
                return r;
        if (!operation_kind_is_check(run->operation->kind)) {
                r = run_check_hours(run, error);
                if (r < 0)
                        return r;
        }
        r = run_open(run, error);
        if (r < 0)
                return r;
        if (run->operation->kind == OPERATION_CHECK)
                return check_run(run, error);
        if (run->operation->kind == OPERATION_QUERY_PLAN)
                return query_plan_run(run, error);
        if (run->operation->kind == OPERATION_DRIFT_ACCEPT)
                return drift_accept(run, error);
        r = settle(run, error);
        if (r < 0)
                return r;
        r = result_load(run->progress, run->operation->id, run->operation, error);
        if (r < 0)
                return r;
        r = drift_check(run, DRIFT_OF_RUN, error);
        if (r < 0)
                return r;
        r = check_preflight(run, error);
        if (r < 0)
                return r;
        return pipeline_run(run, error);
}

static int64_t operation_held(const Operation *o) {
        int64_t n = 0;

        for (size_t i = 0; i < o->n_results; i++)
                n += o->results[i].n_held;
        return n;
}

/* The summary in state.db; it can be recomputed from the pair's file, so a failure here only costs the attempt. */
static int outcome_save(Run *run, const Error *cause, Error *error) {
        const char *id = run->operation->id;
        OperationStatus status = !cause                         ? OPERATION_COMPLETED
                                 : cause->id == ERROR_CANCELLED ? OPERATION_CANCELLED
                                                                : OPERATION_FAILED;
        int r;

        r = operation_save_results(run->state, run->operation, error);
        if (r < 0)
                return r;
        r = operation_attempt_end(run->state, id, cause, error);
        if (r < 0)
                return r;
        if (cause && cause->id == ERROR_HOURS)
                return operation_attempt_forgive(run->state, id, error);
        if (cause && error_class(cause->id) == ERROR_CLASS_TRANSIENT)
                return 0; /* the queue decides about the next attempt */
        return operation_finish(run->state, id, status, cause, error);
}

static int outcome(Run *run, const Error *cause) {
        _cleanup_error_ Error error = {0};
        int r;

        tell_outcome(run, cause);
        r = outcome_save(run, cause, &error);
        if (r < 0) {
                (void) log_error(MESSAGE_NONE, &error, "Could not save the outcome of operation %s",
                                 run->operation->id);
                return EXIT_TRY_AGAIN;
        }
        if (cause)
                return error_exit_status(cause->id);
        return operation_held(run->operation) > 0 ? EXIT_QUARANTINED : EXIT_SUCCESS;
}

/* Each mistake of the pair's own file; those of other pairs are theirs to tell. */
static void broken_pair_print(const PairSet *pairs, const char *name, const Mistakes *mistakes) {
        const BrokenPair *broken = pairs_find_broken(pairs, name);

        for (size_t i = 0; broken && i < mistakes->n_errors; i++) {
                _cleanup_free_ char *text = NULL;

                if (!text_equal(mistakes->errors[i].file, broken->file))
                        continue;
                text = error_to_text(mistakes->errors + i);
                (void) fprintf(stderr, "%s\n", text ? text : error_title(mistakes->errors[i].id));
        }
}

static int attempt_run(Run *run, Error *error) {
        int r;

        free(run->operation->mapping_hash);
        run->operation->mapping_hash = strdup(run->pair->content_hash_text);
        hint_open(run);
        r = operation_run(run, error);
        if (r < 0 && error->id == ERROR_NONE)
                return error_set(error, error_from_errno(r), NULL, "The operation failed: %s", strerror(-r));
        return r;
}

/* The lock comes before the attempt: a second worker for the same operation, started by a syncd that came back meanwhile, ends without a trace.
 * Without pairs the settings have mistakes, and nothing is started. */
static int attempt(Run *run, const PairSet *pairs, const Mistakes *mistakes) {
        const char *name = run->operation->sync_pair_id;
        bool is_system = text_starts_with(name, "system:");
        _cleanup_error_ Error error = {0}, failure = {0};
        int64_t number = 0;
        int r, found;

        if (!pairs)
                found = mistakes_to_error(mistakes, 0, &error);
        else
                found = is_system ? 0 : pairs_get(pairs, name, &run->pair, &error);
        if (run->pair && run_lock(run, &failure) < 0) {
                (void) log_error(MESSAGE_NONE, &failure, "Operation %s waits", run->operation->id);
                if (failure.id == ERROR_ALREADY_RUNNING)
                        return EXIT_TRY_AGAIN;
        }
        r = operation_attempt_begin(run->state, run->operation->id, &number, &error);
        if (r < 0 && found >= 0) {
                (void) log_error(MESSAGE_NONE, &error, "Operation %s cannot begin", run->operation->id);
                run_done(run);
                return error_exit_status(error.id);
        }
        tell_begun(run, number);
        if (failure.id != ERROR_NONE)
                error_move(&error, &failure);
        else if (found >= 0)
                found = is_system ? check_system(run, name + strlen("system:"), &error) : attempt_run(run, &error);
        else if (pairs)
                broken_pair_print(pairs, name, mistakes);
        if (found < 0)
                (void) error_set(&error, ERROR_INTERNAL, NULL, "The operation failed: %s", strerror(-found));
        r = outcome(run, error.id ? &error : NULL);
        run_done(run);
        return r;
}

static int configuration_read(Settings **ret_settings, PairSet **ret_pairs, Mistakes *mistakes) {
        int r;

        r = settings_load(ret_settings, mistakes);
        if (r >= 0 && mistakes_count(mistakes) > 0)
                r = -EINVAL; /* as syncd: settings with mistakes start nothing */
        if (r >= 0)
                r = pairs_load(*ret_settings, ret_pairs,
                               mistakes); /* a broken pair stops only operations of its own */
        if (r < 0)
                mistakes_print(mistakes, stderr);
        return r;
}

/* Mistakes in files are told with the operation. Not those of the environment: they may name another store. */
static bool mistakes_can_be_told(const Settings *settings, const Mistakes *mistakes) {
        for (size_t i = 0; i < mistakes->n_errors; i++)
                if (!mistakes->errors[i].file)
                        return false;
        return settings && mistakes->n_errors > 0;
}

static int signals_set(void) {
        const struct sigaction stop = {.sa_handler = run_request_stop, .sa_flags = SA_RESTART};
        sigset_t none;

        (void) sigemptyset(&none);
        if (sigprocmask(SIG_SETMASK, &none, NULL) < 0 || sigaction(SIGTERM, &stop, NULL) < 0 ||
            sigaction(SIGINT, &stop, NULL) < 0)
                return -errno;
        return 0;
}

/* TERRAFUSION_BATCH_RECORDS: for tests, which need many batches of few records. */
static size_t batch_records(void) {
        const char *text = getenv("TERRAFUSION_BATCH_RECORDS");
        int64_t n;

        return text && text_to_int64(text, 1, BATCH_RECORDS_MAX, &n) >= 0 ? (size_t) n : 0;
}

/* What a DBA sees in the list of sessions. */
static void client_name(const char *id) {
        _cleanup_free_ char *name = NULL;

        if (asprintf(&name, "terrafusion-worker %s", id) < 0)
                name = NULL;
        if (name)
                connector_name_set(name);
}

static int work(const char *id) {
        _cleanup_settings_ Settings *settings = NULL;
        _cleanup_pairs_ PairSet *pairs = NULL;
        _cleanup_operation_ Operation *operation = NULL;
        _cleanup_(database_closep) Database *state = NULL;
        _cleanup_mistakes_ Mistakes mistakes = {0};
        _cleanup_error_ Error error = {0};
        Run run = {.hint_fd = -EBADF};
        int r;

        r = configuration_read(&settings, &pairs, &mistakes);
        if (r < 0 && !mistakes_can_be_told(settings, &mistakes))
                return error_exit_status(ERROR_CONFIGURATION);
        r = store_server_use(settings->store_url, STORE_STATEMENT_MSEC_MAX, &error);
        if (r >= 0)
                r = state_open(settings->state_directory, &state, &error);
        if (r >= 0)
                r = operation_load(state, id, &operation, &error);
        if (r < 0) {
                (void) log_error(MESSAGE_NONE, &error, "Operation %s cannot be loaded", id);
                return error_exit_status(error.id);
        }
        tell_about(operation, 0);
        client_name(id);
        run.operation = operation;
        run.settings = settings;
        run.state = state;
        run.batch_records = batch_records();
        return attempt(&run, pairs, &mistakes);
}

int main(int argc, char *argv[]) {
        if (argc == 2 && text_equal(argv[1], "--version")) {
                (void) printf("terrafusion-worker %s\n", PROJECT_VERSION);
                return EXIT_SUCCESS;
        }
        if (argc != 2 || !uuid_is_valid(argv[1])) {
                (void) fputs("Usage: terrafusion-worker OPERATION\n\n"
                             "Does one operation of the queue. It is started by terrafusion-syncd; people "
                             "use `terrafusionctl run PAIR`.\n",
                             stderr);
                return 2;
        }
        log_open("terrafusion-worker");
        if (signals_set() < 0)
                return EXIT_FAILURE;
        (void) sd_notify(false, "READY=1");
        return work(argv[1]);
}
