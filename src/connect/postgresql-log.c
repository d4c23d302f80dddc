/* SPDX-License-Identifier: Apache-2.0 */
/* The session that follows the log. Its server waits for no answer of ours (wal_sender_timeout is off for it): a batch may take as
 * long as it takes. That we are gone it learns from the socket. */
#include "connect/postgresql-log.h"

#include <poll.h>
#include <time.h>

#include "basic/text.h"
#include "basic/timestamp.h"

#define TELL_MSEC        1000 /* how often the server hears how far we are, at least */
#define ASK_MSEC         5U   /* without anything new, before it is asked how far it is */
#define SLOT_BUSY_MSEC   20000
#define SLOT_BUSY_PAUSE  100

static int64_t now_msec(void) {
        struct timespec now;

        (void) clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void stream_close(LogStream *stream) {
        PgStream *s = (PgStream *) stream;

        PQfreemem(s->message);
        PQfinish(s->db);
        for (size_t i = 0; s->followed && i < s->plan->n_mappings; i++) {
                pg_sources_done(&s->followed[i].sources);
                free(s->followed[i].of_key);
        }
        free(s->followed);
        for (size_t i = 0; i < s->n_retired; i++)
                pg_sources_done(&s->retired[i]);
        free(s->retired);
        for (size_t i = 0; i < s->n_relations; i++)
                pg_relation_done(&s->relations[i]);
        free(s->relations);
        pgoutput_done(&s->decoder);
        arena_free(s->arena);
        free(s->events);
        free(s);
}

static void streamp(PgStream **s) {
        if (*s)
                stream_close(&(*s)->base);
}

static int followed_load(PgStream *s, Error *error) {
        s->followed = calloc(s->plan->n_mappings + 1, sizeof(*s->followed));
        if (!s->followed)
                return -ENOMEM;
        for (size_t i = 0; i < s->plan->n_mappings; i++) {
                PgFollowed *f = s->followed + i;
                int r;

                f->mapping = s->plan->mappings[i];
                f->reread = pg_log_rereads(f->mapping);
                f->of_key = pg_log_key_columns(f->mapping);
                if (!f->of_key)
                        return -ENOMEM;
                r = pg_sources_load(s->connection->db, s->connection->system, s->plan->pair, f->mapping, NULL, &f->sources,
                                    error);
                if (r >= 0)
                        r = pg_log_check_mapping(s->connection, s->plan->pair, f->mapping, &f->sources, NULL, error);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* The slot or its publication is not what it was, or the server removed what we need. */
static bool is_history_gone(const PGresult *result) {
        const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;

        return text_equal(state, "42704") || text_equal(state, "55000") || text_equal(state, "58P01");
}

static int stream_fail(PgStream *s, const PGresult *result, const char *what, Error *error) {
        if (is_history_gone(result))
                return error_set(error, ERROR_HISTORY_GONE, "Nothing: everything is compared, and a new slot made",
                                 "System \"%s\": slot %s cannot be read on: %s", s->connection->system->name, s->plan->name,
                                 PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
        return pg_fail(s->db, result, s->connection->system, what, false, error);
}

/* A worker that was killed a moment ago may still have the slot: its server process ends when it sees that. */
static int replication_start(PgStream *s, uint64_t from_lsn, Error *error) {
        int64_t end = now_msec() + SLOT_BUSY_MSEC;
        char lsn[PG_LSN_TEXT_SIZE], sql[256];

        pg_lsn_format(from_lsn, lsn);
        (void) snprintf(sql, sizeof(sql),
                        "START_REPLICATION SLOT \"%s\" LOGICAL %s (proto_version '1', publication_names '\"%s\"', binary 'true')",
                        s->plan->name, lsn, s->plan->name);
        for (;;) {
                _cleanup_result_ PGresult *result = PQexec(s->db, sql);
                const struct timespec pause = {.tv_nsec = SLOT_BUSY_PAUSE * 1000000L};

                if (PQresultStatus(result) == PGRES_COPY_BOTH)
                        return 0;
                if (!text_equal(PQresultErrorField(result, PG_DIAG_SQLSTATE), "55006") || now_msec() > end)
                        return stream_fail(s, result, "cannot follow the log", error);
                (void) nanosleep(&pause, NULL);
        }
}

static int stream_open(Connection *connection, const LogPlan *plan, uint64_t from_lsn, LogStream **ret, Error *error) {
        _cleanup_(streamp) PgStream *s = calloc(1, sizeof(*s));
        int r;

        if (!s)
                return -ENOMEM;
        s->base.log = &postgresql_log;
        s->connection = (PgConnection *) connection;
        s->plan = plan;
        s->flushed = from_lsn; /* what the server has read comes from the server */
        r = arena_new(&s->arena);
        if (r >= 0)
                r = followed_load(s, error);
        if (r >= 0)
                r = pg_log_session(s->connection, &s->db, error);
        if (r >= 0)
                r = replication_start(s, from_lsn, error);
        if (r < 0)
                return r;
        s->told_msec = now_msec();
        *ret = &TAKE_PTR(s)->base;
        return 0;
}

static int feedback_send(PgStream *s, bool reply_wanted, Error *error) {
        char bytes[PG_FEEDBACK_SIZE];

        pg_feedback_encode(s->flushed, timestamp_now(), reply_wanted, bytes);
        if (PQputCopyData(s->db, bytes, sizeof(bytes)) != 1 || PQflush(s->db) != 0)
                return pg_fail(s->db, NULL, s->connection->system, "cannot follow the log", false, error);
        s->told_msec = now_msec();
        return 0;
}

/* Only at a keepalive between transactions has everything before its place been told. */
static int frame_take(PgStream *s, int size, Error *error) {
        PgFrame frame;

        if (pg_frame_decode(s->message, (size_t) size, &frame) < 0)
                return error_set(error, ERROR_INTERNAL, "Report it, with the version of the server",
                                 "System \"%s\": a message of its log cannot be understood", s->connection->system->name);
        if (frame.kind == PG_FRAME_MESSAGE)
                return pg_log_message(s, frame.bytes, frame.size, error);
        if (!s->in_transaction && frame.end_lsn > s->reached) {
                s->reached = frame.end_lsn;
                s->has_moved = true;
        }
        return frame.reply_wanted ? feedback_send(s, false, error) : 0;
}

static int copy_ended(PgStream *s, int size, Error *error) {
        _cleanup_result_ PGresult *result = size == -1 ? PQgetResult(s->db) : NULL;

        if (result && PQresultStatus(result) == PGRES_COMMAND_OK)
                return error_set(error, ERROR_SYSTEM_UNAVAILABLE, "Nothing: it is tried again",
                                 "System \"%s\": the server ended its log", s->connection->system->name);
        return stream_fail(s, result, "cannot follow the log", error);
}

static int socket_wait(PgStream *s, int64_t msec, Error *error) {
        struct pollfd poller = {.fd = PQsocket(s->db), .events = POLLIN};

        if (msec > 0 && poll(&poller, 1, (int) msec) < 0 && errno != EINTR)
                return -errno;
        if (PQconsumeInput(s->db) != 1)
                return pg_fail(s->db, NULL, s->connection->system, "cannot follow the log", false, error);
        return 0;
}

/* What libpq has read already: 1: a frame was taken; 0: it has no whole one. */
static int frame_next(PgStream *s, Error *error) {
        int size, r;

        PQfreemem(TAKE_PTR(s->message));
        size = PQgetCopyData(s->db, &s->message, 1);
        if (size < 0)
                return copy_ended(s, size, error);
        r = size > 0 ? frame_take(s, size, error) : 0;
        return r < 0 ? r : size > 0;
}

/* Until when the socket may be waited for: the server is asked how far it is where nothing came for a moment. */
static int64_t wait_end(PgStream *s, int64_t start, int64_t end, bool *asked, Error *error) {
        int64_t now = now_msec(), ask = start + ASK_MSEC;

        if (!*asked && now >= ask && now < end) {
                *asked = true;
                if (feedback_send(s, true, error) < 0)
                        return -1;
        } else if (now - s->told_msec >= TELL_MSEC && feedback_send(s, false, error) < 0)
                return -1;
        return *asked || end < ask ? end : ask;
}

/* 1: events are there; 0: the time is up, or the server has told that there is nothing more. */
static int events_wait(PgStream *s, unsigned wait_msec, Error *error) {
        int64_t start = now_msec(), end = start + wait_msec;
        bool asked = false, looked = false;
        int r;

        while (s->event_at == s->n_events) {
                int64_t until, now;

                r = frame_next(s, error);
                if (r < 0)
                        return r;
                if (r > 0)
                        continue;
                now = now_msec();
                if ((looked && now >= end) || s->has_moved) {
                        s->has_moved = false;
                        return 0;
                }
                until = wait_end(s, start, end, &asked, error);
                if (until < 0)
                        return -EIO;
                r = socket_wait(s, until - now, error);
                if (r < 0)
                        return r;
                looked = true;
        }
        return 1;
}

static int stream_next(LogStream *stream, unsigned wait_msec, LogEvent *ret, Error *error) {
        PgStream *s = (PgStream *) stream;
        int r;

        if (s->event_at == s->n_events) {
                s->event_at = s->n_events = 0;
                arena_reset(s->arena);
        }
        r = events_wait(s, wait_msec, error);
        if (r < 0)
                return r;
        if (r == 0)
                *ret = (LogEvent){.kind = LOG_IDLE};
        else {
                *ret = s->events[s->event_at++];
                ret->more = s->event_at < s->n_events;
        }
        return 0;
}

static int stream_flushed(LogStream *stream, uint64_t lsn, Error *error) {
        PgStream *s = (PgStream *) stream;

        if (lsn <= s->flushed)
                return 0;
        s->flushed = lsn;
        return feedback_send(s, false, error);
}

static uint64_t stream_reached(const LogStream *stream) {
        const PgStream *s = (const PgStream *) stream;

        return s->in_transaction || s->event_at < s->n_events ? 0 : s->reached;
}

const LogConnector postgresql_log = {
        .identify = pg_log_identify,
        .state = pg_log_state,
        .make = pg_log_make,
        .publish = pg_log_publish,
        .release = pg_log_release,
        .drop = pg_log_drop,
        .now = pg_log_now,
        .open = stream_open,
        .close = stream_close,
        .next = stream_next,
        .flushed = stream_flushed,
        .reached = stream_reached,
        .read = pg_log_read,
        .read_joined = pg_log_read_joined,
};
