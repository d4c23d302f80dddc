/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What an operation did, found and said: show --changes, --findings, --log. In terrafusionctl. */
#include "ctl/verbs.h"

/* As the options say; --limit bounds it. Gives the exit status, or negative with the error set. */
_must_check_ int history_show(Client *c, const Options *o, const char *operation_id, Error *error);
