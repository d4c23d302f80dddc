/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/source-log.h"

#define NAME_PREFIX   "terrafusion_"
#define NAME_PAIR_MAX 40U /* what is cut off still is in the number behind it */

/* Slots are named by small letters, digits and _. */
void source_log_name(const char *pair, const char *instance, char ret[static LOG_NAME_SIZE]) {
        char *at = stpcpy(ret, NAME_PREFIX);
        Digest of_pair, both[2];

        bytes_digest(pair, strlen(pair), &both[0]);
        bytes_digest(instance, strlen(instance), &both[1]);
        bytes_digest(both, sizeof(both), &of_pair);

        for (size_t i = 0; pair[i] && i < NAME_PAIR_MAX; i++) {
                char c = (char) (pair[i] >= 'A' && pair[i] <= 'Z' ? pair[i] | 0x20 : pair[i]);

                *at++ = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? c : '_';
        }
        (void) snprintf(at, 10, "_%02x%02x%02x%02x", of_pair.bytes[0], of_pair.bytes[1], of_pair.bytes[2], of_pair.bytes[3]);
}

static int source_log_of(const Connection *c, const LogConnector **ret, Error *error) {
        if (!c->connector->log)
                return error_set(error, ERROR_NOT_YET, "Use another strategy",
                                 "Systems of kind %s have no log that can be read", c->connector->kind);
        *ret = c->connector->log;
        return 0;
}

int source_log_identify(Connection *c, LogSlot *ret, Error *error) {
        const LogConnector *log = NULL;
        int r = source_log_of(c, &log, error);

        return r < 0 ? r : log->identify(c, ret, error);
}

int source_log_state(Connection *c, const char *name, LogState *ret, Error *error) {
        const LogConnector *log = NULL;
        int r = source_log_of(c, &log, error);

        return r < 0 ? r : log->state(c, name, ret, error);
}

int source_log_make(Connection *c, const LogPlan *plan, uint64_t *ret_lsn, Error *error) {
        const LogConnector *log = NULL;
        int r = source_log_of(c, &log, error);

        return r < 0 ? r : log->make(c, plan, ret_lsn, error);
}

void source_log_release(Connection *c) {
        if (c && c->connector->log)
                c->connector->log->release(c);
}

int source_log_publish(Connection *c, const LogPlan *plan, Error *error) {
        const LogConnector *log = NULL;
        int r = source_log_of(c, &log, error);

        return r < 0 ? r : log->publish(c, plan, error);
}

int source_log_drop(Connection *c, const char *name, Error *error) {
        const LogConnector *log = NULL;
        int r = source_log_of(c, &log, error);

        return r < 0 ? r : log->drop(c, name, error);
}

int source_log_now(Connection *c, uint64_t *ret_lsn, Error *error) {
        const LogConnector *log = NULL;
        int r = source_log_of(c, &log, error);

        return r < 0 ? r : log->now(c, ret_lsn, error);
}

int source_log_open(Connection *c, const LogPlan *plan, uint64_t from_lsn, LogStream **ret, Error *error) {
        const LogConnector *log = NULL;
        int r = source_log_of(c, &log, error);

        return r < 0 ? r : log->open(c, plan, from_lsn, ret, error);
}

LogStream *source_log_close(LogStream *s) {
        if (s)
                s->log->close(s);
        return NULL;
}

int source_log_next(LogStream *s, unsigned wait_msec, LogEvent *ret, Error *error) {
        return s->log->next(s, wait_msec, ret, error);
}

int source_log_flushed(LogStream *s, uint64_t lsn, Error *error) { return s->log->flushed(s, lsn, error); }

uint64_t source_log_reached(const LogStream *s) { return s->log->reached(s); }

int source_log_read(LogStream *s, size_t mapping, const Value *const *keys, size_t n_keys, log_taker_t take, void *userdata,
             Error *error) {
        return s->log->read(s, mapping, keys, n_keys, take, userdata, error);
}

int source_log_read_joined(LogStream *s, size_t mapping, size_t join, const Value *const *values, size_t n_values,
                    log_taker_t take, void *userdata, Error *error) {
        return s->log->read_joined(s, mapping, join, values, n_values, take, userdata, error);
}
