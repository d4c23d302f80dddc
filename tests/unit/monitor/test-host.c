/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"

#include <math.h>
#include <sys/stat.h>

#include "monitor/host.h"

static const char *const members[] = {
        "timestamp",          "cpu_count",           "cpu_percent",     "memory_total",
        "memory_available",   "memory_used",         "memory_percent",  "disk_total",
        "disk_used",          "disk_free",           "disk_percent",    "process_memory_rss",
        "process_memory_vms", "process_cpu_percent", "process_threads", "process_connections",
        "boot_time",
};

static double number(const json_t *object, const char *name) {
        return json_number_value(json_object_get(object, name));
}

static void test_members_of_this_machine(void **state) {
        json_t *object = NULL;
        Host *h = NULL;

        assert_int_equal(host_new("/proc", "/", &h), 0);
        assert_int_equal(host_sample(h, 1000, &object), 0);
        assert_int_equal(json_object_size(object), sizeof(members) / sizeof(*members));
        for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
                assert_non_null(json_object_get(object, members[i]));
        assert_true(number(object, "memory_total") > number(object, "memory_used"));
        assert_true(number(object, "process_threads") >= 1);
        assert_true(number(object, "process_memory_rss") > 0);
        assert_true(number(object, "disk_total") > 0);
        assert_true(number(object, "cpu_count") >= 1);
        json_decref(object);
        host_free(h);
}

static char *proc_made(const char *cpu) {
        char *folder = test_folder_new(), *path = NULL;

        free(test_file_write(folder, "stat", cpu));
        free(test_file_write(folder, "meminfo",
                             "MemTotal:       1000 kB\nMemFree: 1 kB\nMemAvailable:    250 kB\n"));
        assert_true(asprintf(&path, "%s/self", folder) > 0);
        assert_int_equal(mkdir(path, 0755), 0);
        free(test_file_write(path, "status", "Name:\tx\nVmSize:\t  20 kB\nVmRSS:\t  10 kB\nThreads:\t3\n"));
        free(test_file_write(path, "stat", "1 (a b) S 0 1 1 0 -1 4 0 0 0 0 50 50 0 0 20 0 3 0 100 0 0\n"));
        free(path);
        return folder;
}

static void test_numbers(void **state) {
        char *folder = proc_made(
                "cpu  100 0 100 700 100 0 0 0 0 0\ncpu0 1 0 0 0\ncpu1 1 0 0 0\nintr 5\nbtime 865166400\n");
        json_t *first = NULL, *second = NULL;
        Host *h = NULL;

        assert_int_equal(host_new(folder, "/", &h), 0);
        assert_int_equal(host_sample(h, 1000000 + 2000000, &first), 0);
        assert_true(fabs(number(first, "cpu_percent") - 20.0) < 0.001);
        assert_int_equal(number(first, "cpu_count"), 2);
        assert_int_equal(number(first, "memory_used"), 750 * 1024);
        assert_true(fabs(number(first, "memory_percent") - 75.0) < 0.001);
        assert_int_equal(number(first, "process_memory_rss"), 10240);
        assert_int_equal(number(first, "process_threads"), 3);
        assert_true(fabs(number(first, "process_cpu_percent") - 50.0) <
                    0.001); /* 1 s of the 2 s since its start at 1 s */
        assert_string_equal(json_string_value(json_object_get(first, "boot_time")),
                            "1997-06-01T12:00:00+00:00");
        assert_int_equal(host_sample(h, 3000001, &second), 0);
        assert_ptr_equal(first, second); /* cached */
        json_decref(second);
        free(test_file_write(folder, "stat", "cpu  190 0 100 710 100 0 0 0 0 0\n"));
        assert_int_equal(host_sample(h, 3000000 + HOST_CACHE_USEC, &second), 0);
        assert_true(fabs(number(second, "cpu_percent") - 90.0) < 0.001);
        json_decref(first);
        json_decref(second);
        host_free(h);
        test_folder_remove(folder);
}

static void test_nothing_readable(void **state) {
        json_t *object = NULL;
        Host *h = NULL;

        assert_int_equal(host_new("/nonexistent", "/nonexistent", &h), 0);
        assert_int_equal(host_sample(h, 1, &object), 0);
        assert_true(number(object, "memory_total") < 1);
        json_decref(object);
        host_free(h);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_members_of_this_machine),
                cmocka_unit_test(test_numbers),
                cmocka_unit_test(test_nothing_readable),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
