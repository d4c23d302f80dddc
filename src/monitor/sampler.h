/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The metrics of the last hours in memory: one sample of each series a minute, bounded. In syncd. Lost at a
 * restart; the numbers that must last are operations in the state store. */
#include "basic/alloc.h"
#include "basic/metric.h"
#include <jansson.h>

#define SAMPLER_STEP_USEC   (60U * 1000U * 1000U)
#define SAMPLER_SAMPLES_MAX (24U * 60U) /* a day of minutes; older ones are overwritten */
#define SAMPLER_SERIES_MAX  200U        /* of one sample: keeps the whole under some 30 MiB at worst */

typedef struct Sampler Sampler;
_must_check_ int sampler_new(Sampler **ret);
Sampler *sampler_free(Sampler *s);
DEFINE_CLEANUP(Sampler, sampler_free)
/* Keeps the set's present values. taken_at: µs since 1970. Without memory the sample is dropped: -ENOMEM. */
_must_check_ int sampler_take(Sampler *s, const MetricSet *set, int64_t taken_at);
/* Samples not older than from, newest first, at most limit, as metric_set_to_json() has them; prefix may be
 * NULL. */
_must_check_ int sampler_list(const Sampler *s, const char *prefix, int64_t from, size_t limit,
                              json_t **ret);
size_t sampler_n_samples(const Sampler *s);
