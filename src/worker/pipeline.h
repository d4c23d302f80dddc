/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The way of a record, steps 1 to 8, for all entities of an operation. In the worker. */
#include "worker/run.h"

/* Upserts of all entities, parents first; then deletes, children first. Goes on where an earlier attempt of the same operation stopped. */
_must_check_ int pipeline_run(Run *run, Error *error);
