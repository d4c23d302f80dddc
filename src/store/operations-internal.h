/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What operations.c, operations-read.c and checkpoint.c share; inside this room only. */
#include "store/files.h"
#include "store/operations.h"

_must_check_ int operation_not_found(const char *id, Error *error); /* ERROR_NOT_FOUND */
/* Adds the results that s gives: entity, n_read, n_inserted, n_updated, n_deleted, n_unchanged, n_held,
 * n_deletes_withheld, done, diverged. */
_must_check_ int results_take(Statement *s, Operation *o, Error *error);
/* Status of an operation. ERROR_NOT_FOUND. */
_must_check_ int operation_read_status(Database *d, const char *id, OperationStatus *ret, Error *error);
