/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/host.h"

#include <dirent.h>
#include <sys/statvfs.h>

#include "basic/json.h"
#include "basic/text.h"
#include "basic/timestamp.h"

#define PROC_FILE_BYTES_MAX (256U * 1024) /* /proc/stat grows with CPUs and interrupts */

typedef struct CpuTimes {
        uint64_t busy, total;
} CpuTimes; /* clock ticks */

struct Host {
        char *proc, *disk;
        CpuTimes machine;
        uint64_t process_ticks, process_at_usec;
        json_t *cached;
        uint64_t cached_at_usec;
};

int host_new(const char *proc, const char *disk, Host **ret) {
        _cleanup_(host_freep) Host *h = calloc(1, sizeof(Host));

        if (!h)
                return -ENOMEM;
        h->proc = strdup(proc);
        h->disk = strdup(disk);
        if (!h->proc || !h->disk)
                return -ENOMEM;
        *ret = TAKE_PTR(h);
        return 0;
}

Host *host_free(Host *h) {
        if (!h)
                return NULL;
        json_decref(h->cached);
        free(h->proc);
        free(h->disk);
        free(h);
        return NULL;
}

/* Allocated; NULL where it cannot be read. */
static char *proc_read(const Host *h, const char *name) {
        _cleanup_free_ char *path = NULL;
        char *text = NULL;
        size_t size = 0;

        if (asprintf(&path, "%s/%s", h->proc, name) < 0) {
                path = NULL;
                return NULL;
        }
        return file_read(path, PROC_FILE_BYTES_MAX, &text, &size) < 0 ? NULL : text;
}

/* The number after "NAME:" or "NAME " at the start of a line; 0 where there is none. */
static uint64_t line_number(const char *text, const char *name) {
        size_t length = strlen(name);

        for (const char *line = text; line; line = strchr(line, '\n')) {
                line += *line == '\n';
                if (strncmp(line, name, length) == 0 && (line[length] == ':' || line[length] == ' ')) {
                        unsigned long long number = 0;

                        return sscanf(line + length + 1, "%llu", &number) == 1 ? number : 0;
                }
        }
        return 0;
}

static double percent_of(uint64_t part, uint64_t whole) {
        return whole == 0 ? 0.0 : 100.0 * (double) part / (double) whole;
}

/* user nice system idle iowait irq softirq steal: Linux proc(5). */
static CpuTimes cpu_times(const char *stat) {
        unsigned long long t[8] = {};
        CpuTimes times = {};

        if (!stat || sscanf(stat, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &t[0], &t[1], &t[2], &t[3],
                            &t[4], &t[5], &t[6], &t[7]) < 4)
                return times;
        for (size_t i = 0; i < ELEMENTSOF(t); i++)
                times.total += t[i];
        times.busy = times.total - t[3] - t[4];
        return times;
}

static unsigned count_cpus(const char *stat) {
        unsigned n = 0;

        for (const char *line = stat; line; line = strchr(line + 1, '\n'))
                n += strncmp(line + (*line == '\n'), "cpu", 3) == 0 && line[(*line == '\n') + 3] != ' ';
        return n;
}

static int put_cpu(Host *h, json_t *object) {
        _cleanup_free_ char *stat = proc_read(h, "stat");
        CpuTimes now = cpu_times(stat);
        double percent = percent_of(now.busy - h->machine.busy, now.total - h->machine.total);
        uint64_t boot = stat ? line_number(stat, "btime") : 0;
        int r;

        h->machine = now;
        r = json_put(object, "cpu_count", json_integer(count_cpus(stat)));
        if (r < 0)
                return r;
        r = json_put(object, "cpu_percent", json_real(percent));
        if (r < 0)
                return r;
        return json_put(object, "boot_time", json_timestamp((int64_t) boot * USEC_PER_SEC));
}

static int put_memory(Host *h, json_t *object) {
        _cleanup_free_ char *meminfo = proc_read(h, "meminfo");
        uint64_t total = meminfo ? line_number(meminfo, "MemTotal") * 1024 : 0;
        uint64_t available = meminfo ? line_number(meminfo, "MemAvailable") * 1024 : 0;
        uint64_t used = total > available ? total - available : 0;
        json_t *members = json_pack("{s:I, s:I, s:I, s:f}", "memory_total", (json_int_t) total,
                                    "memory_available", (json_int_t) available, "memory_used",
                                    (json_int_t) used, "memory_percent", percent_of(used, total));

        return members ? json_object_update_new(object, members) : -ENOMEM;
}

static int put_disk(Host *h, json_t *object) {
        struct statvfs fs = {};
        uint64_t total, unused, available;
        json_t *members;

        (void) statvfs(h->disk, &fs);
        total = (uint64_t) fs.f_blocks * fs.f_frsize;
        unused = (uint64_t) fs.f_bfree * fs.f_frsize;
        available = (uint64_t) fs.f_bavail * fs.f_frsize;
        members = json_pack("{s:I, s:I, s:I, s:f}", "disk_total", (json_int_t) total, "disk_used",
                            (json_int_t) (total - unused), "disk_free", (json_int_t) available,
                            "disk_percent", percent_of(total - unused, total - unused + available));
        return members ? json_object_update_new(object, members) : -ENOMEM;
}

/* Open sockets of this process: what the original's library counts as connections. */
static unsigned count_sockets(const Host *h) {
        _cleanup_free_ char *path = NULL;
        unsigned n = 0;
        DIR *folder;

        if (asprintf(&path, "%s/self/fd", h->proc) < 0) {
                path = NULL;
                return 0;
        }
        folder = opendir(path);
        for (const struct dirent *entry = folder ? readdir(folder) : NULL; entry; entry = readdir(folder)) {
                char target[8] = "";

                n += readlinkat(dirfd(folder), entry->d_name, target, sizeof(target) - 1) > 0 &&
                     text_starts_with(target, "socket:");
        }
        if (folder)
                (void) closedir(folder);
        return n;
}

/* utime and stime of /proc/self/stat, and starttime; the name may hold spaces, so reading begins after its
 * bracket. */
static uint64_t process_ticks(const char *stat, uint64_t *ret_start) {
        unsigned long long user = 0, kernel = 0, start = 0;
        const char *after = stat ? strrchr(stat, ')') : NULL;

        if (!after ||
            sscanf(after + 1,
                   " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d %*d %*d %llu",
                   &user, &kernel, &start) != 3)
                return 0;
        *ret_start = start;
        return user + kernel;
}

static double process_percent(Host *h, uint64_t now_usec) {
        _cleanup_free_ char *stat = proc_read(h, "self/stat");
        uint64_t start = 0, ticks = process_ticks(stat, &start), per_sec = (uint64_t) sysconf(_SC_CLK_TCK);
        uint64_t since = h->process_at_usec > 0 ? h->process_at_usec
                                                : start * (uint64_t) USEC_PER_SEC / per_sec;
        uint64_t used_usec = (ticks - h->process_ticks) * (uint64_t) USEC_PER_SEC / per_sec;

        h->process_ticks = ticks;
        h->process_at_usec = now_usec;
        return now_usec > since ? percent_of(used_usec, now_usec - since) : 0.0;
}

static int put_process(Host *h, uint64_t now_usec, json_t *object) {
        _cleanup_free_ char *status = proc_read(h, "self/status");
        json_t *members = json_pack("{s:I, s:I, s:f, s:I, s:I}", "process_memory_rss",
                                    (json_int_t) (status ? line_number(status, "VmRSS") * 1024 : 0),
                                    "process_memory_vms",
                                    (json_int_t) (status ? line_number(status, "VmSize") * 1024 : 0),
                                    "process_cpu_percent", process_percent(h, now_usec), "process_threads",
                                    (json_int_t) (status ? line_number(status, "Threads") : 0),
                                    "process_connections", (json_int_t) count_sockets(h));

        return members ? json_object_update_new(object, members) : -ENOMEM;
}

int host_sample(Host *h, uint64_t now_usec, json_t **ret) {
        json_auto_t *object = NULL;

        if (h->cached && now_usec - h->cached_at_usec < HOST_CACHE_USEC) {
                *ret = json_incref(h->cached);
                return 0;
        }
        object = json_pack("{s:o}", "timestamp", json_timestamp(timestamp_now()));
        if (!object || put_cpu(h, object) < 0 || put_memory(h, object) < 0 || put_disk(h, object) < 0 ||
            put_process(h, now_usec, object) < 0)
                return -ENOMEM;
        json_decref(h->cached);
        h->cached = json_incref(object);
        h->cached_at_usec = now_usec;
        *ret = TAKE_PTR(object);
        return 0;
}
