/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The one table of what the daemons can be asked: HTTP routes, D-Bus methods, OpenAPI and the command line's help come from it.
 * Paths and members are each daemon's own. */
#include "basic/alloc.h"
#include "basic/error.h"
#include <jansson.h>

typedef enum ArgType { ARG_NONE, ARG_TEXT, ARG_INTEGER, ARG_BOOLEAN, ARG_OBJECT, ARG_TEXTS, _ARG_TYPE_MAX } ArgType;   /* TEXTS: array of texts */
typedef enum ArgPlace { ARG_PATH, ARG_QUERY, ARG_BODY } ArgPlace;

typedef struct Arg {
        const char *name;       /* snake_case; JSON member, query parameter, D-Bus argument, --option */
        ArgType type;
        ArgPlace place;
        bool required;
        const char *summary;    /* one sentence, with unit */
        int64_t minimum, maximum;       /* of integers, where maximum > minimum */
        const char *const *values;      /* of texts: what is allowed (any case, given in this spelling), NULL-terminated; NULL: anything */
        bool positional;        /* on D-Bus it has a place of its own although it may be left out: "" */
} Arg;

typedef enum Scope { SCOPE_OPEN, SCOPE_READ, SCOPE_OPERATE, SCOPE_APPROVE, SCOPE_CONFIDENTIAL, SCOPE_ADMIN, _SCOPE_MAX } Scope;
/* HTTP answers OPERATION with the operation's document, D-Bus with its object path (o); all others are one text (s) on D-Bus: the
 * JSON document that HTTP gives, since those are deep and null is one of their values, or the text. */
typedef enum ResultKind { RESULT_OBJECT, RESULT_ARRAY, RESULT_TEXT, RESULT_OPERATION } ResultKind;

typedef enum Daemon { DAEMON_SYNCD, DAEMON_GATEWAY } Daemon;

/* Objects on the bus. A command about one of them stands there, too, and its path argument is then the object's id. */
typedef enum ObjectKind { OBJECT_MANAGER, OBJECT_OPERATION, OBJECT_PAIR, OBJECT_SYSTEM, _OBJECT_KIND_MAX, _OBJECT_KIND_INVALID = -1 } ObjectKind;

typedef enum CommandId {
        COMMAND_ROOT, COMMAND_HEALTH_LIVE, COMMAND_HEALTH_READY, COMMAND_HEALTH_STATUS,
        COMMAND_METRICS, COMMAND_METRICS_TEXT, COMMAND_SYSTEM_STATUS,
        COMMAND_OPERATION_LIST, COMMAND_OPERATION_START, COMMAND_SYNC_FULL, COMMAND_SYNC_INCREMENTAL,
        COMMAND_OPERATION_SHOW, COMMAND_OPERATION_CANCEL, COMMAND_OPERATION_FINDINGS, COMMAND_OPERATION_CHANGES, COMMAND_OPERATION_LOG,
        COMMAND_OPERATION_ACTIVE,
        COMMAND_SYNC_METRICS, COMMAND_CONFIG_SHOW, COMMAND_CONFIG_CHECK, COMMAND_RELOAD,
        COMMAND_PAIR_LIST, COMMAND_PAIR_SHOW, COMMAND_PAIR_CHECK,
        COMMAND_PAIR_QUERY_PLAN, COMMAND_DRIFT_LIST, COMMAND_DRIFT_ACCEPT,
        COMMAND_SYSTEM_LIST, COMMAND_SYSTEM_SHOW, COMMAND_SYSTEM_CHECK,
        COMMAND_QUARANTINE_LIST, COMMAND_QUARANTINE_SHOW,
        COMMAND_DASHBOARD_SUMMARY, COMMAND_DASHBOARD_PAIRS, COMMAND_DASHBOARD_ERRORS,
        COMMAND_GATEWAY_STATUS, COMMAND_SYNC_SERVICE_START,
        _COMMAND_MAX, _COMMAND_INVALID = -1,
} CommandId;

const char *daemon_to_string(Daemon daemon);    /* "syncd", "gateway" */

#define COMMAND_ARGS_MAX 10
#define COMMAND_PATHS_MAX 2
typedef struct Command {
        const char *name;       /* "operation-start": log lines, ctl, operationId */
        const char *summary;
        const char *method;     /* "GET", "POST" */
        const char *paths[COMMAND_PATHS_MAX];   /* the original's aliases after ours */
        const char *member;     /* "StartOperation" */
        Scope scope;
        ResultKind result;
        int status;             /* of a good answer, unless the handler says another: 200, 202 */
        Arg args[COMMAND_ARGS_MAX];     /* ends at the first ARG_NONE */
        ObjectKind object;      /* where else it stands on the bus than on the manager … */
        const char *object_member;      /* … and how it is called there: "Cancel" */
        Daemon daemon;          /* who answers it */
        const char *also;       /* a second method, where the original's clients use that */
        bool tells_records;     /* gives contents of records: on D-Bus not for everyone */
} Command;
extern const Command commands[_COMMAND_MAX];

const char *scope_to_string(Scope scope);       /* "operate" */
unsigned scopes_from_text(const char *text);    /* "read,operate" → bits 1 << SCOPE_x; unknown ones are left out */
bool scopes_allow(unsigned scopes, Scope scope);        /* admin allows all; operate, approve and confidential allow read */
char *scopes_to_text(unsigned scopes);          /* allocated; NULL without memory */
#define SCOPES_ALL ((1U << _SCOPE_MAX) - 1)

size_t command_n_args(const Command *command);
const Arg *command_arg(const Command *command, const char *name);       /* NULL where unknown */
CommandId command_by_member(Daemon daemon, const char *member);        /* _COMMAND_INVALID where unknown */
/* By the name it has on an object of that kind (OBJECT_MANAGER: as above). */
CommandId command_by_object_member(Daemon daemon, ObjectKind object, const char *member);
const Arg *command_path_arg(const Command *command);    /* the first argument of its path; NULL: none */
CommandId command_by_name(const char *name);

/* Checks the arguments of a call: unknown names are refused with the nearest valid one, types and ranges are checked, required ones
 * must be there. Texts become integers and booleans where the row says so (from a path, a query, the command line); a text
 * with commas becomes ARG_TEXTS. status names get their canonical spelling (in_progress, canceled too); null counts as absent.
 * given: an object, borrowed. ret: new object with typed members. ERROR_ARGUMENT with field and remedy. */
_must_check_ int command_check_args(const Command *command, const json_t *given, json_t **ret, Error *error);
