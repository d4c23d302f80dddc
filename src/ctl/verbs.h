/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What terrafusionctl can be told to do. */
#include "ctl/client.h"

typedef struct Options {
        bool json;              /* the very JSON of the HTTP API */
        bool full, incremental, continuous, wait;
        bool grants;            /* of check */
        bool log, changes, findings;    /* of show: one of them */
        char **entities, **allow;
        char *pair, *status, *entity;   /* filters of lists */
        int64_t limit;          /* 0: the service's default */
} Options;

typedef struct Verb {
        const char *name, *arguments;
        unsigned n_min, n_max;          /* arguments after the verb */
        CommandId command;              /* whose summary the help shows */
        /* Gives the exit status (0 done, 1 failed, 3 with quarantined records, 4 a guard), or negative with the error set. */
        int (*run)(Client *c, const Options *o, char *const *arguments, unsigned n_arguments, Error *error);
} Verb;
extern const Verb verbs[];              /* ends with a NULL name */
