/* SPDX-License-Identifier: Apache-2.0 */
/* The slot of a pair: whose it is, whether it still goes back to where we are, and what is done when it does not. */
#include "worker/follow.h"

#include "basic/log.h"
#include "basic/text.h"

#include <systemd/sd-id128.h>

static int no_memory(const Run *run, Error *error) {
        return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory to follow the log of pair '%s'", run->pair->name);
}

Follow *follow_free(Follow *f) {
        if (!f)
                return NULL;
        source_log_close(f->stream);
        for (size_t i = 0; i < f->n_entities; i++) {
                change_log_free(f->entities[i].changes);
                change_log_free(f->entities[i].again);
        }
        free(f->entities);
        free(f->mappings);
        free(f->commits);
        free(f->delays);
        free(f);
        return NULL;
}
DEFINE_CLEANUP(Follow, follow_free)

static int entities_list(Follow *f, bool *ret_any, Error *error) {
        const Pair *pair = f->run->pair;

        f->entities = calloc(pair->n_mappings + 1, sizeof(*f->entities));
        f->mappings = calloc(pair->n_mappings + 1, sizeof(*f->mappings));
        if (!f->entities || !f->mappings)
                return no_memory(f->run, error);
        for (size_t i = 0; i < pair->n_mappings; i++) {
                const Mapping *m = pair->mappings + i;

                if (m->strategy != DETECT_LOG)
                        continue;
                f->mappings[f->n_entities] = m;
                f->entities[f->n_entities++] = (Followed){.m = m, .is_run = run_has_entity(f->run, m)};
                *ret_any = *ret_any || run_has_entity(f->run, m);
        }
        f->plan = (LogPlan){.pair = pair, .mappings = f->mappings, .n_mappings = f->n_entities, .name = f->slot.name};
        return 0;
}

/* ---- is it still the log we know? ---- */

static int marks_load(Follow *f, uint64_t *ret_furthest, Error *error) {
        *ret_furthest = 0;
        for (size_t i = 0; i < f->n_entities; i++) {
                Followed *one = f->entities + i;
                int r = log_mark_load(f->run->progress, one->m->entity, &one->mark, error);

                if (r < 0)
                        return r;
                one->is_new = r == 0;
                if (r > 0 && one->mark.position.lsn > *ret_furthest)
                        *ret_furthest = one->mark.position.lsn;
        }
        return 0;
}

/* What is wrong with it; NULL: nothing. furthest: the furthest place of our entities; least: what is needed next. */
static const char *slot_fault(const LogSlot *ours, const LogSlot *present, const LogState *state, uint64_t least,
                              uint64_t act_bytes) {
        if (!text_equal(ours->system_id, present->system_id))
                return "another server answers than the one that was followed";
        if (ours->timeline != present->timeline)
                return "the server was restored, or a standby took over";
        if (!state->exists)
                return "the slot is not there any more";
        if (state->is_lost)
                return "the server gave the slot up and removed what it kept";
        if (act_bytes > 0 && state->retained_bytes >= (int64_t) act_bytes)
                return "it kept more of the source's log than slot_guard: act allows";
        if (least > 0 && state->confirmed_lsn > least)
                return "the slot was moved on, or made anew, by another hand";
        return NULL;
}

static int slot_look(Follow *f, const LogSlot *present, const char **ret_fault, Error *error) {
        uint64_t least = 0;
        LogState state;
        int r;

        r = log_mark_least(f->run->progress, &least, error);
        if (r >= 0)
                r = source_log_state(f->run->source, f->slot.name, &state, error);
        if (r >= 0)
                *ret_fault = slot_fault(&f->slot, present, &state, least, f->run->pair->slot_act_bytes);
        return r;
}

static void history_gone_log(const Follow *f, const char *fault) {
        _cleanup_free_ char *text = NULL;

        if (asprintf(&text, "Slot %s of pair %s tells no more where it was left: %s. It is made anew, and everything is compared.",
                     f->slot.name, f->run->pair->name, fault) < 0)
                text = NULL;
        log_event(LOG_WARNING, MESSAGE_LOG_HISTORY_GONE, text ? text : fault, "SYSTEM", f->run->pair->source, NULL);
}

#define RETAINED_WARN_BYTES (4LL * 1024 * 1024 * 1024) /* of the source's log because of us */
#define SAFE_WARN_BYTES     (1LL * 1024 * 1024 * 1024)
#define DROP_TRIES          50U
#define DROP_PAUSE_USEC     100000U

/* The source's disk counts for more than our place in its log. Its server process needs a moment to see that we are gone. */
static int slot_give_up(Follow *f, Error *error) {
        int r = -EBUSY;

        f->stream = source_log_close(f->stream);
        for (unsigned i = 0; i < DROP_TRIES && r < 0; i++) {
                _cleanup_error_ Error failure = {0};

                (void) usleep(i > 0 ? DROP_PAUSE_USEC : 0);
                r = source_log_drop(f->run->source, f->slot.name, &failure);
                if (r < 0 && (i + 1 == DROP_TRIES || failure.id != ERROR_SYSTEM_BUSY)) {
                        error_move(error, &failure);
                        return r;
                }
        }
        return error_set(error, ERROR_HISTORY_GONE, "See why the pair did not keep up; the next run makes a slot and compares everything",
                         "Slot %s was dropped: it kept %lld MiB of the source's log, slot_guard: act is %llu MiB", f->slot.name,
                         (long long) (f->retained_bytes >> 20), (unsigned long long) (f->run->pair->slot_act_bytes >> 20));
}

int slot_watch(Follow *f, Error *error) {
        uint64_t warn = f->run->pair->slot_warn_bytes, act = f->run->pair->slot_act_bytes;
        _cleanup_free_ char *text = NULL;
        LogState state;
        int r;

        r = source_log_state(f->run->source, f->slot.name, &state, error);
        if (r < 0)
                return r;
        f->retained_bytes = state.retained_bytes;
        if (act > 0 && state.retained_bytes >= (int64_t) act)
                return slot_give_up(f, error);
        if (state.retained_bytes < (warn > 0 ? (int64_t) warn : RETAINED_WARN_BYTES) && (state.safe_bytes < 0 || state.safe_bytes > SAFE_WARN_BYTES))
                return 0;
        if (asprintf(&text, "Slot %s keeps %lld MiB of the source's log (wal_status %s).", f->slot.name,
                     (long long) (state.retained_bytes >> 20), state.wal_status) < 0)
                text = NULL;
        log_event(LOG_WARNING, MESSAGE_SLOT_RETAINS, text ? text : "The slot keeps much of the source's log.", "SYSTEM",
                  f->run->pair->source, NULL);
        return 0;
}

/* ---- making it ---- */

static int marks_begin(Follow *f, uint64_t lsn, Error *error) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < f->n_entities; i++) {
                Followed *one = f->entities + i;

                if (!one->is_new)
                        continue;
                one->mark = (LogMark){.position = {lsn, 0}, .reread_until = LOG_SCAN_PENDING};
                if (one->is_run) /* another one begins when it is run */
                        r = log_mark_save(f->run->progress, one->m->entity, &one->mark, error);
        }
        return r;
}

/* What is left of an earlier slot of this name goes first: nobody knows where it is. */
static int slot_make(Follow *f, const LogSlot *present, Error *error) {
        char name[LOG_NAME_SIZE];
        uint64_t lsn;
        int r;

        (void) memcpy(name, f->slot.name, sizeof(name));
        f->slot = *present;
        (void) memcpy(f->slot.name, name, sizeof(name));
        r = source_log_drop(f->run->source, f->slot.name, error);
        if (r >= 0)
                r = source_log_make(f->run->source, &f->plan, &lsn, error);
        if (r < 0)
                return r;
        f->made = true;
        for (size_t i = 0; i < f->n_entities; i++)
                f->entities[i].is_new = true;
        r = progress_begin(f->run->progress, error);
        if (r < 0)
                return r;
        r = log_slot_save(f->run->progress, &f->slot, error);
        if (r >= 0)
                r = marks_begin(f, lsn, error);
        return progress_end(f->run->progress, r, error);
}

/* The slot is there: an entity that is new to it begins at the log's end as it is now. */
static int marks_join(Follow *f, Error *error) {
        bool any = false;
        uint64_t lsn;
        int r;

        for (size_t i = 0; i < f->n_entities; i++)
                any = any || f->entities[i].is_new;
        if (!any)
                return 0;
        r = source_log_now(f->run->source, &lsn, error);
        if (r >= 0)
                r = progress_begin(f->run->progress, error);
        return r < 0 ? r : progress_end(f->run->progress, marks_begin(f, lsn, error), error);
}

static int stream_open(Follow *f, Error *error) {
        uint64_t least = 0;
        int r = log_mark_least(f->run->progress, &least, error);

        return r < 0 ? r : source_log_open(f->run->source, &f->plan, least, &f->stream, error);
}

/* Opened before anything is scanned: what cannot be read on is found out now. */
static int slot_open(Follow *f, const LogSlot *present, Error *error) {
        _cleanup_error_ Error failure = {0};
        int r = stream_open(f, &failure);

        if (r >= 0)
                return 0;
        if (failure.id == ERROR_HISTORY_GONE && !f->made) {
                history_gone_log(f, failure.detail);
                r = slot_make(f, present, error);
                return r < 0 ? r : stream_open(f, error);
        }
        error_move(error, &failure);
        return r;
}

/* Two installations that read one source have a slot each. */
static int slot_name(Follow *f, Error *error) {
        const Settings *settings = f->run->settings;
        const sd_id128_t application = SD_ID128_MAKE(5d, 7e, 2b, 0c, 8f, 41, 4a, 6d, 9b, 13, 6e, f0, 22, c8, 57, a4);
        sd_id128_t machine = {0};
        _cleanup_free_ char *instance = NULL;
        char text[SD_ID128_STRING_MAX];

        (void) sd_id128_get_machine_app_specific(application, &machine);
        if (asprintf(&instance, "%s %s", settings->store_url ? "" : sd_id128_to_string(machine, text),
                     settings->store_url ? settings->store_url : settings->state_directory) < 0) {
                instance = NULL;
                return no_memory(f->run, error);
        }
        source_log_name(f->run->pair->name, instance, f->slot.name);
        return 0;
}

static int slot_prepare(Follow *f, Error *error) {
        const char *fault = NULL;
        LogSlot present = {0};
        uint64_t furthest;
        int r, known;

        known = log_slot_load(f->run->progress, &f->slot, error);
        if (known < 0)
                return known;
        r = known == 0 ? slot_name(f, error) : 0;
        if (r >= 0)
                r = source_log_identify(f->run->source, &present, error);
        if (r >= 0)
                r = source_log_publish(f->run->source, &f->plan, error);
        if (r >= 0)
                r = marks_load(f, &furthest, error);
        if (r >= 0 && known > 0)
                r = slot_look(f, &present, &fault, error);
        if (r < 0)
                return r;
        if (fault)
                history_gone_log(f, fault);
        r = known == 0 || fault ? slot_make(f, &present, error) : marks_join(f, error);
        return r < 0 ? r : slot_open(f, &present, error);
}

/* What is not followed cannot be part of what never ends. */
static int continuous_check(const Run *run, bool any, Error *error) {
        for (size_t i = 0; i < run->pair->n_mappings; i++) {
                const Mapping *m = run->pair->mappings + i;

                if (run->operation->entity_types && run_has_entity(run, m) && m->strategy != DETECT_LOG)
                        return error_set(error, ERROR_MAPPING, "Leave it out, or let detect: {strategy: log} in its mapping",
                                         "Entity '%s' has strategy %s, which cannot be followed continuously", m->entity,
                                         detect_strategy_to_string(m->strategy));
        }
        return any ? 0
                   : error_set(error, ERROR_MAPPING, "Let detect: {strategy: log} in the mappings that are to be followed",
                               "Pair '%s' has no entity of strategy log", run->pair->name);
}

int follow_prepare(Run *run, Follow **ret, Error *error) {
        _cleanup_(follow_freep) Follow *f = calloc(1, sizeof(*f));
        bool any = false;
        int r;

        if (!f)
                return no_memory(run, error);
        f->run = run;
        r = entities_list(f, &any, error);
        if (r >= 0 && run->operation->kind == OPERATION_CONTINUOUS)
                r = continuous_check(run, any, error);
        if (r < 0 || !any)
                return r;
        r = slot_prepare(f, error);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(f);
        return 0;
}

bool follow_entity(Follow *f, const Mapping *m, EntityRun *e) {
        for (size_t i = 0; f && i < f->n_entities; i++) {
                Followed *one = f->entities + i;

                if (one->m != m)
                        continue;
                e->mark = &one->mark;
                e->mark_is_new = one->is_new;
                e->in_log_snapshot = f->made;
                return true;
        }
        return false;
}
