/* SPDX-License-Identifier: Apache-2.0 */
#include "api/authority.h"

#include <errno.h>

#include "basic/limits.h"

#define UID_TIMEOUT_USEC      (10U * 1000U * 1000U)
#define POLKIT_TIMEOUT_USEC   (10U * 1000U * 1000U)
#define PASSWORD_TIMEOUT_USEC (120U * 1000U * 1000U) /* a person types */
#define POLKIT_INTERACTIVE    1U

typedef struct Question {
        struct Question *next;
        Authority *authority;
        sd_bus_message *message;
        sd_bus_slot *slot; /* of the answer that is waited for */
        char *action;
        uid_t uid;
        authority_done_t done;
        void *userdata;
} Question;

struct Authority {
        Question *first;
        unsigned n;
};

int authority_new(Authority **ret) {
        *ret = calloc(1, sizeof(Authority));
        return *ret ? 0 : -ENOMEM;
}

static void question_end(Question *q, AuthorityVerdict verdict) {
        Question **place = &q->authority->first;

        while (*place != q)
                place = &(*place)->next;
        *place = q->next;
        q->authority->n--;
        (void) sd_bus_slot_unref(q->slot);
        q->done(verdict, q->uid, q->userdata);
        (void) sd_bus_message_unref(q->message);
        free(q->action);
        free(q);
}

Authority *authority_free(Authority *authority) {
        while (authority && authority->first)
                question_end(authority->first, AUTHORITY_AWAY);
        free(authority);
        return NULL;
}

void authority_forget(Authority *authority, sd_bus *bus) {
        Question *next;

        for (Question *q = authority->first; q; q = next) {
                next = q->next;
                if (sd_bus_message_get_bus(q->message) == bus)
                        question_end(q, AUTHORITY_AWAY);
        }
}

static int on_checked(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        Question *q = userdata;
        int is_authorized = false, is_challenge = false, r;

        r = sd_bus_message_is_method_error(reply, NULL)
                    ? -EIO
                    : sd_bus_message_enter_container(reply, 'r', "bba{ss}");
        if (r >= 0)
                r = sd_bus_message_read(reply, "bb", &is_authorized, &is_challenge);
        question_end(q, r < 0           ? AUTHORITY_AWAY
                        : is_authorized ? AUTHORITY_YES
                        : is_challenge  ? AUTHORITY_CHALLENGE
                                        : AUTHORITY_NO);
        return 0;
}

static int polkit_ask(Question *q) {
        bool is_interactive = sd_bus_message_get_allow_interactive_authorization(q->message) > 0;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        sd_bus *bus = sd_bus_message_get_bus(q->message);
        int r;

        r = sd_bus_message_new_method_call(bus, &m, "org.freedesktop.PolicyKit1",
                                           "/org/freedesktop/PolicyKit1/Authority",
                                           "org.freedesktop.PolicyKit1.Authority", "CheckAuthorization");
        if (r < 0)
                return r;
        r = sd_bus_message_append(m, "(sa{sv})sa{ss}us", "system-bus-name", 1, "name", "s",
                                  sd_bus_message_get_sender(q->message), q->action, 0,
                                  is_interactive ? POLKIT_INTERACTIVE : 0U, "");
        if (r < 0)
                return r;
        q->slot = sd_bus_slot_unref(q->slot);
        return sd_bus_call_async(bus, &q->slot, m, on_checked, q,
                                 is_interactive ? PASSWORD_TIMEOUT_USEC : POLKIT_TIMEOUT_USEC);
}

static void question_go_on(Question *q) {
        if (q->uid == 0 || q->uid == geteuid())
                question_end(q, AUTHORITY_TRUSTED);
        else if (!q->action)
                question_end(q, AUTHORITY_YES);
        else if (polkit_ask(q) < 0)
                question_end(q, AUTHORITY_AWAY);
}

static int on_uid(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        Question *q = userdata;
        uint32_t uid;

        if (sd_bus_message_is_method_error(reply, NULL) || sd_bus_message_read(reply, "u", &uid) < 0) {
                question_end(q, AUTHORITY_NO); /* the asker is gone */
                return 0;
        }
        q->uid = uid;
        question_go_on(q);
        return 0;
}

/* Not by sd_bus_query_sender_creds(): that waits for the bus. */
static int uid_ask(Question *q) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        sd_bus *bus = sd_bus_message_get_bus(q->message);
        int r;

        r = sd_bus_message_new_method_call(bus, &m, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                           "org.freedesktop.DBus", "GetConnectionUnixUser");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", sd_bus_message_get_sender(q->message));
        return r < 0 ? r : sd_bus_call_async(bus, &q->slot, m, on_uid, q, UID_TIMEOUT_USEC);
}

static uid_t peer_uid(sd_bus *bus) {
        sd_bus_creds *creds = NULL;
        uid_t uid = (uid_t) -1;

        if (sd_bus_get_owner_creds(bus, SD_BUS_CREDS_EUID, &creds) >= 0 &&
            sd_bus_creds_get_euid(creds, &uid) < 0)
                uid = (uid_t) -1;
        (void) sd_bus_creds_unref(creds);
        return uid;
}

void authority_ask(Authority *authority, sd_bus_message *message, bool is_private, const char *action,
                   authority_done_t done, void *userdata) {
        bool is_busy = authority->n >= BUS_QUESTIONS_MAX;
        Question *q = is_busy ? NULL : calloc(1, sizeof(Question));
        char *copy = action ? strdup(action) : NULL;

        if (!q || (action && !copy)) {
                free(q);
                free(copy);
                done(is_busy ? AUTHORITY_BUSY : AUTHORITY_AWAY, (uid_t) -1, userdata);
                return;
        }
        *q = (Question){.next = authority->first,
                        .authority = authority,
                        .message = sd_bus_message_ref(message),
                        .action = copy,
                        .uid = (uid_t) -1,
                        .done = done,
                        .userdata = userdata};
        authority->first = q;
        authority->n++;
        if (!is_private) {
                if (uid_ask(q) < 0)
                        question_end(q, AUTHORITY_NO);
                return;
        }
        q->uid = peer_uid(sd_bus_message_get_bus(message));
        if (q->uid == 0 || q->uid == geteuid())
                question_end(q, AUTHORITY_TRUSTED);
        else
                question_end(q, AUTHORITY_NO);
}
