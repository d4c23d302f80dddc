/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/pgoutput.h"

#include "basic/text.h"
#include "connect/copy-binary.h"

#define USEC_OF_2000   946684800000000LL /* since 1970, from where PostgreSQL counts */
#define FRAME_HEAD     25U
#define KEEPALIVE_SIZE 18U
#define RELATIONS_MAX  65536U /* of one TRUNCATE */

/* What is left of the bytes. The first that are missing spoil all that follow: asked once, at the end. */
typedef struct Cursor {
        const char *at, *end;
        bool broken;
} Cursor;

static const char *take(Cursor *c, size_t n) {
        const char *at = c->at;

        if (c->broken || (size_t) (c->end - c->at) < n) {
                c->broken = true;
                return NULL;
        }
        c->at += n;
        return at;
}

static uint8_t take8(Cursor *c) {
        const char *at = take(c, 1);

        return at ? (uint8_t) *at : 0;
}

static uint16_t take16(Cursor *c) {
        const char *at = take(c, 2);

        return at ? copy_get16(at) : 0;
}

static uint32_t take32(Cursor *c) {
        const char *at = take(c, 4);

        return at ? copy_get32(at) : 0;
}

static uint64_t take64(Cursor *c) {
        const char *at = take(c, 8);

        return at ? copy_get64(at) : 0;
}

static int64_t take_time(Cursor *c) {
        int64_t usec;

        if (__builtin_add_overflow((int64_t) take64(c), USEC_OF_2000, &usec))
                c->broken = true;
        return c->broken ? 0 : usec;
}

static const char *take_text(Cursor *c) {
        const char *end = c->broken ? NULL : memchr(c->at, '\0', (size_t) (c->end - c->at));

        if (!end) {
                c->broken = true;
                return "";
        }
        return take(c, (size_t) (end - c->at) + 1);
}

int pg_frame_decode(const char *bytes, size_t size, PgFrame *ret) {
        Cursor c = {bytes, bytes + size, false};
        PgFrame frame = {.kind = (PgFrameKind) take8(&c)};

        if (frame.kind == PG_FRAME_MESSAGE && size >= FRAME_HEAD) {
                frame.start_lsn = take64(&c);
                frame.end_lsn = take64(&c);
                frame.sent_usec = take_time(&c);
                frame.bytes = c.at;
                frame.size = (size_t) (c.end - c.at);
        } else if (frame.kind == PG_FRAME_KEEPALIVE && size == KEEPALIVE_SIZE) {
                frame.end_lsn = take64(&c);
                frame.sent_usec = take_time(&c);
                frame.reply_wanted = take8(&c) != 0;
        } else
                return -EBADMSG;
        if (c.broken)
                return -EBADMSG;
        *ret = frame;
        return 0;
}

void pg_feedback_encode(uint64_t flushed_lsn, int64_t now_usec, bool reply_wanted, char ret[static PG_FEEDBACK_SIZE]) {
        char *at = ret;

        *at++ = 'r';
        for (size_t i = 0; i < 3; i++) /* written, flushed, applied: all the same to us */
                at = copy_set64(at, flushed_lsn);
        at = copy_set64(at, (uint64_t) (now_usec - USEC_OF_2000));
        *at = reply_wanted;
}

/* ---- messages ---- */

static bool field_kind_is_known(uint8_t kind) {
        return kind == PGOUTPUT_NULL || kind == PGOUTPUT_UNCHANGED || kind == PGOUTPUT_TEXT ||
               kind == PGOUTPUT_BINARY;
}

static int take_tuple(Cursor *c, PgoutputTuple *tuple) {
        size_t n = take16(c);

        if (c->broken || n > PGOUTPUT_COLUMNS_MAX)
                return -EBADMSG;
        if (n > tuple->capacity && array_grow(&tuple->fields, &tuple->capacity, n, sizeof(*tuple->fields)) < 0)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                PgoutputField field = {};
                uint8_t kind = take8(c);

                if (c->broken || !field_kind_is_known(kind))
                        return -EBADMSG;
                field.kind = (PgoutputFieldKind) kind;
                if (kind == PGOUTPUT_TEXT || kind == PGOUTPUT_BINARY) {
                        field.size = take32(c);
                        field.bytes = take(c, field.size);
                }
                if (c->broken)
                        return -EBADMSG;
                tuple->fields[i] = field;
        }
        tuple->n_fields = n;
        return 0;
}

static int take_relation(Cursor *c, Pgoutput *p) {
        size_t n;

        p->message.relation = take32(c);
        p->message.schema = take_text(c);
        p->message.name = take_text(c);
        p->message.identity = (char) take8(c);
        n = take16(c);
        if (c->broken || n > PGOUTPUT_COLUMNS_MAX)
                return -EBADMSG;
        if (n > p->columns_capacity &&
            array_grow(&p->columns, &p->columns_capacity, n, sizeof(*p->columns)) < 0)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                bool is_key = (take8(c) & 1) != 0;
                const char *name = take_text(c);
                uint32_t type = take32(c);

                p->columns[i] = (PgoutputColumn){name, is_key, type, (int32_t) take32(c)};
        }
        p->n_columns = n;
        return 0;
}

static int take_change(Cursor *c, Pgoutput *p) {
        uint8_t next;
        int r;

        p->message.relation = take32(c);
        next = take8(c);
        if (p->message.kind != PGOUTPUT_INSERT && (next == PGOUTPUT_OLD_KEY || next == PGOUTPUT_OLD_FULL)) {
                p->message.old_kind = (PgoutputOld) next;
                r = take_tuple(c, &p->old_row);
                if (r < 0)
                        return r;
                if (p->message.kind == PGOUTPUT_DELETE)
                        return 0;
                next = take8(c);
        }
        return next == 'N' && p->message.kind != PGOUTPUT_DELETE ? take_tuple(c, &p->new_row) : -EBADMSG;
}

static int take_truncate(Cursor *c, Pgoutput *p) {
        size_t n = take32(c);

        (void) take8(c); /* cascade, restart identity: the server did that itself */
        if (c->broken || n > RELATIONS_MAX || n > (size_t) (c->end - c->at) / 4)
                return -EBADMSG;
        if (n > p->relations_capacity &&
            array_grow(&p->relations, &p->relations_capacity, n, sizeof(*p->relations)) < 0)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                p->relations[i] = take32(c);
        p->message.n_relations = n;
        return 0;
}

static int take_message(Cursor *c, Pgoutput *p) {
        PgoutputMessage *m = &p->message;

        switch (m->kind) {
        case PGOUTPUT_BEGIN:
                m->lsn = take64(c);
                m->commit_usec = take_time(c);
                m->xid = take32(c);
                return 0;
        case PGOUTPUT_COMMIT:
                (void) take8(c);
                m->lsn = take64(c);
                m->end_lsn = take64(c);
                m->commit_usec = take_time(c);
                return 0;
        case PGOUTPUT_RELATION: return take_relation(c, p);
        case PGOUTPUT_INSERT:
        case PGOUTPUT_UPDATE:
        case PGOUTPUT_DELETE: return take_change(c, p);
        case PGOUTPUT_TRUNCATE: return take_truncate(c, p);
        case PGOUTPUT_TYPE:
        case PGOUTPUT_ORIGIN:
        case PGOUTPUT_LOGICAL: c->at = c->end; return 0;
        default: return -EBADMSG;
        }
}

int pgoutput_decode(Pgoutput *p, const char *bytes, size_t size) {
        Cursor c = {bytes, bytes + size, false};
        int r;

        p->message = (PgoutputMessage){.kind = (PgoutputKind) take8(&c)};
        p->old_row.n_fields = p->new_row.n_fields = p->n_columns = 0;
        r = take_message(&c, p);
        if (r < 0)
                return r;
        return c.broken || c.at != c.end ? -EBADMSG : 0;
}

void pgoutput_done(Pgoutput *p) {
        free(p->old_row.fields);
        free(p->new_row.fields);
        free(p->columns);
        free(p->relations);
        *p = (Pgoutput){};
}

/* ---- places in the log ---- */

void pg_lsn_format(uint64_t lsn, char ret[static PG_LSN_TEXT_SIZE]) {
        (void) snprintf(ret, PG_LSN_TEXT_SIZE, "%X/%X", (unsigned) (lsn >> 32), (unsigned) lsn);
}

static int hex_take(const char **at, uint64_t *ret) {
        uint64_t number = 0;
        size_t n = strspn(*at, "0123456789ABCDEFabcdef");

        if (n < 1 || n > 8)
                return -EBADMSG;
        for (; n > 0; n--, (*at)++) {
                char c = **at;

                number = number << 4 | (uint64_t) (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
        }
        *ret = number;
        return 0;
}

int pg_lsn_parse(const char *text, uint64_t *ret) {
        uint64_t high, low;

        if (hex_take(&text, &high) < 0 || *text++ != '/' || hex_take(&text, &low) < 0 || *text)
                return -EBADMSG;
        *ret = high << 32 | low;
        return 0;
}
