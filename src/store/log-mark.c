/* SPDX-License-Identifier: Apache-2.0 */
#include "store/log-mark.h"

#include "basic/text.h"
#include "store/progress-internal.h"

static int text_keep(char *place, size_t size, const char *text) {
        if (!text || strlen(text) >= size)
                return -EBADMSG;
        memcpy(place, text, strlen(text) + 1);
        return 0;
}

int log_slot_load(Progress *p, LogSlot *ret, Error *error) {
        static const char sql[] = "select system_id, timeline, name from log_slot where id = 1";
        LogSlot slot = {0};
        Statement *s;
        int r;

        r = database_prepare(p->database, sql, &s, error);
        if (r < 0)
                return r;
        r = statement_step(s, error);
        if (r <= 0)
                return r;
        slot.timeline = statement_integer(s, 1);
        r = text_keep(slot.system_id, sizeof(slot.system_id), statement_text(s, 0));
        if (r >= 0)
                r = text_keep(slot.name, sizeof(slot.name), statement_text(s, 2));
        statement_reset(s);
        if (r < 0)
                return error_set(error, ERROR_FILE_FORMAT, "Restore the file from a backup.",
                                 "\"%s\" names a slot that cannot be one", database_path(p->database));
        *ret = slot;
        return 1;
}

static int marks_clear(Progress *p, Error *error) {
        static const char sql[] = "delete from log_mark";
        Statement *s;
        int r;

        r = database_prepare(p->database, sql, &s, error);
        return r < 0 ? r : statement_run(s, error);
}

int log_slot_save(Progress *p, const LogSlot *slot, Error *error) {
        static const char sql[] = "insert into log_slot (id, system_id, timeline, name) values (1, ?1, ?2, ?3) on conflict (id)"
                                  " do update set system_id = excluded.system_id, timeline = excluded.timeline, name = excluded.name";
        Statement *s;
        int r;

        assert(p->in_transaction);
        r = marks_clear(p, error);
        if (r >= 0)
                r = database_prepare(p->database, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_text(s, 1, slot->system_id);
        statement_bind_integer(s, 2, slot->timeline);
        statement_bind_text(s, 3, slot->name);
        return statement_run(s, error);
}

int log_mark_load(Progress *p, const char *entity, LogMark *ret, Error *error) {
        static const char sql[] =
                "select lsn, n, replay_lsn, replay_n, group_batch, reread_until from log_mark where entity = ?";
        Statement *s;
        int r;

        r = database_prepare(p->database, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_text(s, 1, entity);
        r = statement_step(s, error);
        if (r <= 0)
                return r;
        *ret = (LogMark){
                .position = {(uint64_t) statement_integer(s, 0), (uint64_t) statement_integer(s, 1)},
                .replay_until = {(uint64_t) statement_integer(s, 2), (uint64_t) statement_integer(s, 3)},
                .group_batch = (uint64_t) statement_integer(s, 4),
                .reread_until = (uint64_t) statement_integer(s, 5),
        };
        statement_reset(s);
        return 1;
}

int log_mark_save(Progress *p, const char *entity, const LogMark *mark, Error *error) {
        static const char sql[] =
                "insert into log_mark (entity, lsn, n, replay_lsn, replay_n, group_batch, reread_until)"
                " values (?1, ?2, ?3, ?4, ?5, ?6, ?7) on conflict (entity) do update set lsn = excluded.lsn, n = excluded.n,"
                " replay_lsn = excluded.replay_lsn, replay_n = excluded.replay_n, group_batch = excluded.group_batch,"
                " reread_until = excluded.reread_until";
        Statement *s;
        int r;

        assert(p->in_transaction);
        r = database_prepare(p->database, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_text(s, 1, entity);
        statement_bind_integer(s, 2, (int64_t) mark->position.lsn);
        statement_bind_integer(s, 3, (int64_t) mark->position.n);
        statement_bind_integer(s, 4, (int64_t) mark->replay_until.lsn);
        statement_bind_integer(s, 5, (int64_t) mark->replay_until.n);
        statement_bind_integer(s, 6, (int64_t) mark->group_batch);
        statement_bind_integer(s, 7, (int64_t) mark->reread_until);
        return statement_run(s, error);
}

int log_mark_forget(Progress *p, const char *entity, Error *error) {
        static const char sql[] = "delete from log_mark where entity = ?";
        Statement *s;
        int r;

        assert(p->in_transaction);
        r = database_prepare(p->database, sql, &s, error);
        if (r < 0)
                return r;
        statement_bind_text(s, 1, entity);
        return statement_run(s, error);
}

int log_mark_least(Progress *p, uint64_t *ret_lsn, Error *error) {
        static const char sql[] = "select min(lsn), count(*) from log_mark";
        Statement *s;
        int r;

        r = database_prepare(p->database, sql, &s, error);
        if (r < 0)
                return r;
        r = statement_step(s, error);
        if (r <= 0)
                return r;
        r = statement_integer(s, 1) > 0;
        *ret_lsn = (uint64_t) statement_integer(s, 0);
        statement_reset(s);
        return r;
}
