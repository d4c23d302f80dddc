/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"

#include "monitor/sampler.h"

static void test_newest_first_bounded(void **state) {
        MetricSet *set = NULL;
        json_t *array = NULL;
        Sampler *s = NULL;

        assert_int_equal(metric_set_new(&set), 0);
        assert_int_equal(sampler_new(&s), 0);
        for (unsigned i = 1; i <= SAMPLER_SAMPLES_MAX + 5; i++) {
                metric_gauge(set, "queue_waiting", NULL, NULL, i);
                metric_gauge(set, "other", NULL, NULL, 1);
                assert_int_equal(sampler_take(s, set, i), 0);
        }
        assert_int_equal(sampler_n_samples(s), SAMPLER_SAMPLES_MAX);
        assert_int_equal(sampler_list(s, "queue_", SAMPLER_SAMPLES_MAX + 3, 100, &array), 0);
        assert_int_equal(json_array_size(array), 3);
        assert_int_equal(json_number_value(json_object_get(json_array_get(array, 0), "value")),
                         SAMPLER_SAMPLES_MAX + 5);
        json_decref(array);
        assert_int_equal(sampler_list(s, NULL, 0, 7, &array), 0);
        assert_int_equal(json_array_size(array), 7);
        json_decref(array);
        assert_int_equal(sampler_list(s, "queue_", 0, 100000, &array), 0);
        assert_int_equal(json_array_size(array), SAMPLER_SAMPLES_MAX);
        json_decref(array);
        sampler_free(s);
        metric_set_free(set);
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_newest_first_bounded)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
