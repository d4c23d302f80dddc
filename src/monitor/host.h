/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The machine and this process, from /proc: what GET /api/system answers. In syncd. */
#include "basic/alloc.h"
#include <jansson.h>

#define HOST_CACHE_USEC (9U * 1000U * 1000U) /* answers younger than the original's 10 s are given again */

typedef struct Host Host;
/* proc: "/proc" (tests: a folder like it). disk: a path on the file system to report, the state directory.
 */
_must_check_ int host_new(const char *proc, const char *disk, Host **ret);
Host *host_free(Host *h);
DEFINE_CLEANUP(Host, host_free)
/* The original's 17 members: bytes, percent, counts. CPU percentages cover the time since the sample before
 * (the first: since boot or the process's start). now_usec: CLOCK_MONOTONIC. A file of /proc that cannot be
 * read gives 0, never a failure. -ENOMEM. */
_must_check_ int host_sample(Host *h, uint64_t now_usec, json_t **ret);
