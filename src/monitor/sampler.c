/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/sampler.h"

#include "basic/json.h"
#include "basic/text.h"

typedef struct Sample {
        int64_t taken_at;
        json_t *values; /* array, as the answer has it */
} Sample;

struct Sampler {
        Sample *samples; /* ring: `next` is the oldest once it is full */
        size_t n_samples, next;
};

int sampler_new(Sampler **ret) {
        _cleanup_(sampler_freep) Sampler *s = calloc(1, sizeof(Sampler));

        if (!s)
                return -ENOMEM;
        s->samples = calloc(SAMPLER_SAMPLES_MAX, sizeof(Sample));
        if (!s->samples)
                return -ENOMEM;
        *ret = TAKE_PTR(s);
        return 0;
}

Sampler *sampler_free(Sampler *s) {
        if (!s)
                return NULL;
        for (size_t i = 0; i < s->n_samples; i++)
                json_decref(s->samples[i].values);
        free(s->samples);
        free(s);
        return NULL;
}

int sampler_take(Sampler *s, const MetricSet *set, int64_t taken_at) {
        json_t *values = NULL;
        Sample *place = &s->samples[s->next];
        int r;

        r = metric_set_to_json(set, NULL, SAMPLER_SERIES_MAX, &values);
        if (r < 0)
                return r;
        json_decref(place->values);
        *place = (Sample){taken_at, values};
        s->next = (s->next + 1) % SAMPLER_SAMPLES_MAX;
        if (s->n_samples < SAMPLER_SAMPLES_MAX)
                s->n_samples++;
        return 0;
}

static int append_matching(json_t *array, const Sample *sample, const char *prefix, size_t limit) {
        json_t *value;
        size_t i;

        json_array_foreach(sample->values, i, value) {
                const char *name = json_member_text(value, "name");

                if (json_array_size(array) >= limit)
                        return 0;
                if (prefix && (!name || !text_starts_with(name, prefix)))
                        continue;
                if (json_array_append(array, value) < 0)
                        return -ENOMEM;
        }
        return 0;
}

int sampler_list(const Sampler *s, const char *prefix, int64_t from, size_t limit, json_t **ret) {
        json_auto_t *array = json_array();
        int r;

        if (!array)
                return -ENOMEM;
        for (size_t age = 1; age <= s->n_samples && json_array_size(array) < limit; age++) {
                const Sample *sample =
                        &s->samples[(s->next + SAMPLER_SAMPLES_MAX - age) % SAMPLER_SAMPLES_MAX];

                if (sample->taken_at < from)
                        break;
                r = append_matching(array, sample, prefix, limit);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(array);
        return 0;
}

size_t sampler_n_samples(const Sampler *s) { return s->n_samples; }
