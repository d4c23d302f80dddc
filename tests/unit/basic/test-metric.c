/* SPDX-License-Identifier: Apache-2.0 */
#include "basic/metric.h"
#include "../testing.h"
#include <math.h>

static void test_prometheus(void **state) {
        _cleanup_(metric_set_freep) MetricSet *set = NULL;
        _cleanup_free_ char *text = NULL;

        assert_int_equal(metric_set_new(&set), 0);
        metric_add(set, "tf_requests_total", "status", "200", 1);
        metric_gauge(set, "tf_active", NULL, NULL, 7);
        metric_add(set, "tf_requests_total", "status", "4\"0\\4\n", 2);
        metric_add(set, "tf_requests_total", "status", "200", 1.5);
        metric_gauge(set, "tf_active", NULL, NULL, 3);
        metric_gauge(set, "tf_lag", NULL, NULL, -INFINITY);
        assert_int_equal(metric_set_to_prometheus(set, &text), 0);
        assert_string_equal(text, "# TYPE tf_active gauge\ntf_active 3\n"
                                  "# TYPE tf_lag gauge\ntf_lag -Inf\n"
                                  "# TYPE tf_requests_total counter\n"
                                  "tf_requests_total{status=\"200\"} 2.5\n"
                                  "tf_requests_total{status=\"4\\\"0\\\\4\\n\"} 2\n");
}

static void test_json(void **state) {
        _cleanup_(metric_set_freep) MetricSet *set = NULL;
        json_auto_t *all = NULL, *some = NULL, *one = NULL;
        const json_t *sample;

        assert_int_equal(metric_set_new(&set), 0);
        metric_gauge(set, "a_x", "pair", "p1", 1);
        metric_gauge(set, "b_x", NULL, NULL, 2);
        metric_gauge(set, "a_nan", NULL, NULL, NAN);
        assert_int_equal(metric_set_to_json(set, NULL, 100, &all), 0);
        assert_int_equal(json_array_size(all), 2);
        assert_int_equal(metric_set_to_json(set, "a_", 100, &some), 0);
        assert_int_equal(json_array_size(some), 1);
        sample = json_array_get(some, 0);
        assert_string_equal(json_string_value(json_object_get(sample, "name")), "a_x");
        assert_true(json_real_value(json_object_get(sample, "value")) > 0.99);
        assert_string_equal(json_string_value(json_object_get(json_object_get(sample, "tags"), "pair")),
                            "p1");
        assert_non_null(strstr(json_string_value(json_object_get(sample, "timestamp")), "+00:00"));
        assert_int_equal(metric_set_to_json(set, NULL, 1, &one), 0);
        assert_int_equal(json_array_size(one), 1);
}

static void test_empty_and_bounded(void **state) {
        _cleanup_(metric_set_freep) MetricSet *set = NULL;
        _cleanup_free_ char *text = NULL;
        json_auto_t *all = NULL;

        assert_int_equal(metric_set_new(&set), 0);
        assert_int_equal(metric_set_to_prometheus(set, &text), 0);
        assert_string_equal(text, "");
        for (unsigned i = 0; i < 10100; i++) {
                char value[16];

                (void) snprintf(value, sizeof(value), "%u", i);
                metric_add(set, "n", "i", value, 1);
        }
        assert_int_equal(metric_set_to_json(set, NULL, SIZE_MAX, &all), 0);
        assert_int_equal(json_array_size(all), 10000);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_prometheus),
                cmocka_unit_test(test_json),
                cmocka_unit_test(test_empty_and_bounded),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
