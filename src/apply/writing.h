/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A batch on its way into the target, or what the target holds of it on its way here, while the worker prepares or
 * records another: the only thread of a worker, and it only calls write_batch() or writer_fetch(). Until
 * writing_end() nobody else touches the target's connection, the writer, or the batch with its arena. In the
 * worker. */
#include "apply/write.h"

typedef struct Writing Writing;
/* Where no thread can be had the batch is written before it returns. ERROR_OUT_OF_MEMORY. */
_must_check_ int writing_begin(Connection *target, Writer *writer, Batch *batch, Writing **ret, Error *error);
/* The same for writer_fetch(). */
_must_check_ int writing_begin_fetch(Writer *writer, Arena *arena, RecordFetch *fetches, size_t n_fetches, Writing **ret,
                                     Error *error);
/* Waits, frees, and gives what write_batch() or writer_fetch() gave. */
_must_check_ int writing_end(Writing *w, Error *error);
