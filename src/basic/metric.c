/* SPDX-License-Identifier: Apache-2.0 */
#include "basic/metric.h"

#include <math.h>
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "basic/json.h"
#include "basic/text.h"
#include "basic/timestamp.h"

#define SERIES_MAX 10000U /* a label that follows its input must not take the memory */

typedef struct Series {
        UT_hash_handle hh;
        const char *name, *label, *label_value; /* into key, which is "name\0label\0value\0" */
        double number;
        int64_t changed_usec;
        bool is_counter;
        char key[];
} Series;

struct MetricSet {
        Series *series;
};

int metric_set_new(MetricSet **ret) {
        MetricSet *set = calloc(1, sizeof(*set));

        if (!set)
                return -ENOMEM;
        *ret = set;
        return 0;
}

MetricSet *metric_set_free(MetricSet *set) {
        Series *series, *next;

        if (!set)
                return NULL;
        HASH_ITER(hh, set->series, series, next) {
                HASH_DELETE(hh, set->series, series);
                free(series);
        }
        free(set);
        return NULL;
}

static Series *series_new(const char *name, const char *label, const char *label_value,
                          size_t *ret_key_size) {
        size_t n_name = strlen(name) + 1, n_label = strlen(label) + 1, n_value = strlen(label_value) + 1;
        Series *series = calloc(1, sizeof(*series) + n_name + n_label + n_value);

        if (!series)
                return NULL;
        series->name = memcpy(series->key, name, n_name);
        series->label = memcpy(series->key + n_name, label, n_label);
        series->label_value = memcpy(series->key + n_name + n_label, label_value, n_value);
        *ret_key_size = n_name + n_label + n_value;
        return series;
}

static Series *series_get(MetricSet *set, const char *name, const char *label, const char *label_value,
                          bool is_counter) {
        Series *wanted, *series = NULL;
        size_t key_size;

        wanted = series_new(name, label ? label : "", label && label_value ? label_value : "", &key_size);
        if (!wanted)
                return NULL;
        HASH_FIND(hh, set->series, wanted->key, key_size, series);
        if (series || HASH_COUNT(set->series) >= SERIES_MAX) {
                free(wanted);
                return series;
        }
        wanted->is_counter = is_counter;
        HASH_ADD_KEYPTR(hh, set->series, wanted->key, key_size, wanted);
        HASH_FIND(hh, set->series, wanted->key, key_size, series);
        if (!series)
                free(wanted); /* the table could not grow */
        return series;
}

void metric_add(MetricSet *set, const char *name, const char *label, const char *label_value,
                double amount) {
        Series *series = series_get(set, name, label, label_value, true);

        if (!series)
                return;
        series->number += amount;
        series->changed_usec = timestamp_now();
}

void metric_gauge(MetricSet *set, const char *name, const char *label, const char *label_value,
                  double value) {
        Series *series = series_get(set, name, label, label_value, false);

        if (!series)
                return;
        series->number = value;
        series->changed_usec = timestamp_now();
}

static int compare_names(const void *a, const void *b) {
        const Series *left = *(Series *const *) a, *right = *(Series *const *) b;
        int order = strcmp(left->name, right->name);

        if (order == 0)
                order = strcmp(left->label, right->label);
        return order != 0 ? order : strcmp(left->label_value, right->label_value);
}

static int compare_newest(const void *a, const void *b) {
        const Series *left = *(Series *const *) a, *right = *(Series *const *) b;

        if (left->changed_usec != right->changed_usec)
                return left->changed_usec > right->changed_usec ? -1 : 1;
        return compare_names(a, b);
}

static int series_sort(const MetricSet *set, int (*compare)(const void *, const void *), Series ***ret,
                       size_t *ret_n) {
        size_t n = HASH_COUNT(set->series), i = 0;
        Series **sorted = calloc(n + 1, sizeof(*sorted));

        if (!sorted)
                return -ENOMEM;
        for (Series *series = set->series; series; series = series->hh.next)
                sorted[i++] = series;
        qsort(sorted, n, sizeof(*sorted), compare);
        *ret = sorted;
        *ret_n = n;
        return 0;
}

static void label_value_print(FILE *out, const char *text) {
        for (; *text; text++)
                if (*text == '\n')
                        fputs("\\n", out);
                else if (*text == '"' || *text == '\\')
                        fprintf(out, "\\%c", *text);
                else
                        fputc(*text, out);
}

static void number_print(FILE *out, double number) {
        if (isnan(number))
                fputs("NaN", out);
        else if (isinf(number))
                fputs(number < 0 ? "-Inf" : "+Inf", out);
        else
                fprintf(out, "%.15g", number);
}

static void series_print(FILE *out, const Series *series) {
        fputs(series->name, out);
        if (series->label[0] != '\0') {
                fprintf(out, "{%s=\"", series->label);
                label_value_print(out, series->label_value);
                fputs("\"}", out);
        }
        fputc(' ', out);
        number_print(out, series->number);
        fputc('\n', out);
}

int metric_set_to_prometheus(const MetricSet *set, char **ret_text) {
        _cleanup_free_ Series **sorted = NULL;
        _cleanup_free_ char *text = NULL;
        size_t n, size;
        FILE *out;
        int r;

        assert(set && ret_text);
        r = series_sort(set, compare_names, &sorted, &n);
        if (r < 0)
                return r;
        out = open_memstream(&text, &size);
        if (!out)
                return -ENOMEM;
        /* All series of a name must stand together under its type. */
        for (size_t i = 0; i < n; i++) {
                if (i == 0 || !text_equal(sorted[i]->name, sorted[i - 1]->name))
                        fprintf(out, "# TYPE %s %s\n", sorted[i]->name,
                                sorted[i]->is_counter ? "counter" : "gauge");
                series_print(out, sorted[i]);
        }
        r = ferror(out) ? -ENOMEM : 0;
        if (fclose(out) != 0 || r < 0)
                return -ENOMEM;
        *ret_text = TAKE_PTR(text);
        return 0;
}

static int series_to_json(const Series *series, json_t **ret) {
        json_auto_t *object = json_object(), *tags = json_object();
        int r;

        if (!object || !tags)
                return -ENOMEM;
        if (series->label[0] != '\0') {
                r = json_put(tags, series->label, json_text(series->label_value));
                if (r < 0)
                        return r;
        }
        if (json_put(object, "name", json_text(series->name)) < 0 ||
            json_put(object, "value", json_real(series->number)) < 0 ||
            json_put(object, "tags", TAKE_PTR(tags)) < 0 ||
            json_put(object, "timestamp", json_timestamp(series->changed_usec)) < 0)
                return -ENOMEM;
        *ret = TAKE_PTR(object);
        return 0;
}

int metric_set_to_json(const MetricSet *set, const char *prefix, size_t limit, json_t **ret) {
        _cleanup_free_ Series **sorted = NULL;
        json_auto_t *array = NULL;
        size_t n;
        int r;

        assert(set && ret);
        r = series_sort(set, compare_newest, &sorted, &n);
        if (r < 0)
                return r;
        array = json_array();
        if (!array)
                return -ENOMEM;
        for (size_t i = 0; i < n && json_array_size(array) < limit; i++) {
                json_t *object;

                /* JSON has no word for what is not a finite number. */
                if ((prefix && !text_starts_with(sorted[i]->name, prefix)) || !isfinite(sorted[i]->number))
                        continue;
                r = series_to_json(sorted[i], &object);
                if (r < 0)
                        return r;
                if (json_array_append_new(array, object) < 0)
                        return -ENOMEM;
        }
        *ret = TAKE_PTR(array);
        return 0;
}
