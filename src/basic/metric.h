/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Numbers now: counters and gauges with labels, printed as Prometheus text or JSON samples. In the daemons; one thread. */
#include "basic/alloc.h"
#include <jansson.h>
typedef struct MetricSet MetricSet;
_must_check_ int metric_set_new(MetricSet **ret);
MetricSet *metric_set_free(MetricSet *set);
DEFINE_CLEANUP(MetricSet, metric_set_free)
/* label may be NULL; one label pair at most keeps series few. Out of memory: the sample is dropped (a hint, not a record). */
void metric_add(MetricSet *set, const char *name, const char *label, const char *label_value, double amount);   /* counter */
void metric_gauge(MetricSet *set, const char *name, const char *label, const char *label_value, double value);
_must_check_ int metric_set_to_prometheus(const MetricSet *set, char **ret_text);
/* [{"name","value","tags":{},"timestamp"}], only names that start with prefix (NULL: all), those changed last first, at most limit. */
_must_check_ int metric_set_to_json(const MetricSet *set, const char *prefix, size_t limit, json_t **ret);
