/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Who sent a D-Bus message, and may he: by uid, then by polkit. Never waits; in the daemons. */
#include "basic/alloc.h"
#include <sys/types.h>
#include <systemd/sd-bus.h>

typedef enum AuthorityVerdict {
        AUTHORITY_YES,          /* allowed by polkit, or nothing to ask for */
        AUTHORITY_TRUSTED,      /* root or our own user: may all */
        AUTHORITY_NO,
        AUTHORITY_CHALLENGE,    /* polkit would ask for a password, but the message does not allow that */
        AUTHORITY_AWAY,         /* polkit is not there or does not answer */
        AUTHORITY_BUSY,         /* BUS_QUESTIONS_MAX wait already */
} AuthorityVerdict;

typedef struct Authority Authority;
/* uid: (uid_t) -1 where unknown (verdict AUTHORITY_NO). Called once per question, at once or later. */
typedef void (*authority_done_t)(AuthorityVerdict verdict, uid_t uid, void *userdata);

_must_check_ int authority_new(Authority **ret);
Authority *authority_free(Authority *authority);
DEFINE_CLEANUP(Authority, authority_free)
/* action: of polkit ("org.terrafusion.sync1.operate"); NULL: everyone may. A person is asked for a password only where the message allows it.
 * is_private: the message came by a private socket, whose peer is known by the kernel. */
void authority_ask(Authority *authority, sd_bus_message *message, bool is_private, const char *action, authority_done_t done, void *userdata);
/* Ends all questions that wait for answers of that bus with AUTHORITY_AWAY: before it is closed. */
void authority_forget(Authority *authority, sd_bus *bus);
