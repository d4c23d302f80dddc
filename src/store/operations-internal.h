/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What operations.c and operations-read.c share; inside this room only. */
#include "store/files.h"
#include "store/operations.h"

_must_check_ int operation_not_found(const char *id, Error *error); /* ERROR_NOT_FOUND */
/* Status of an operation. ERROR_NOT_FOUND. */
_must_check_ int operation_read_status(Database *d, const char *id, OperationStatus *ret, Error *error);
