/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What an SQLSTATE means for us: tried again, given up, or of one record (algorithms: transient, permanent,
 * data). Pure; in the worker. */
#include "basic/error.h"

/* The row of error-codes.h, and what the user does (never NULL). sqlstate NULL or empty: the connection was
 * lost. of_record: a change of one record was being written, so that class 22, 23 and 44 concern it. */
ErrorId sqlstate_error(const char *sqlstate, bool of_record, const char **ret_remedy);
