/* SPDX-License-Identifier: Apache-2.0 */
#include "syncd/store-thread.h"

#include <pthread.h>
#include <limits.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>

#include "basic/event.h"
#include "basic/limits.h"
#include "basic/log.h"
#include "store/operations.h"
#include "store/server.h"

#define REOPEN_USEC (1000U * 1000U)
#define WATCH_USEC  (2U * 1000U * 1000U)

typedef struct Job {
        struct Job *next;
        StoreNeed need;
        store_work_t work;
        store_done_t done;
        void *payload;
        int r;
        Error error;
        char *failure; /* of opening the state, or of losing it, by this job */
        bool opened;   /* the state was open after it */
} Job;

typedef struct Jobs {
        Job *first, *last;
} Jobs;

struct StoreThread {
        pthread_t thread;
        pthread_mutex_t mutex; /* guards waiting, finished and stop */
        pthread_cond_t wake;
        Jobs waiting, finished;
        bool stop, started;

        char *state_directory; /* the thread's own from here … */
        Database *state;
        Error refused;         /* of opening it the last time … */
        uint64_t refused_usec; /* … and when, CLOCK_MONOTONIC; to here */

        sd_event *event;                 /* the loop's own */
        sd_event_source *source, *watch; /* watch: only where the store is on a server */
        int event_fd;
        size_t n_waiting;
        char *failure;
};

static void jobs_push(Jobs *jobs, Job *job) {
        job->next = NULL;
        if (jobs->last)
                jobs->last->next = job;
        else
                jobs->first = job;
        jobs->last = job;
}

static Job *jobs_pop(Jobs *jobs) {
        Job *job = jobs->first;

        if (!job)
                return NULL;
        jobs->first = job->next;
        if (!jobs->first)
                jobs->last = NULL;
        return job;
}

static uint64_t now_usec(void) {
        struct timespec now;

        (void) clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t) now.tv_sec * 1000000U + (uint64_t) now.tv_nsec / 1000U;
}

/* The store belongs to one syncd at a time. Another waits and takes over when this one is gone. */
static int state_open_and_hold(StoreThread *t, Error *error) {
        _cleanup_(database_closep) Database *state = NULL;
        _cleanup_free_ char *holder = NULL;
        char host[HOST_NAME_MAX + 1] = "?";
        int r;

        (void) gethostname(host, sizeof(host) - 1);
        if (asprintf(&holder, "terrafusion-syncd on %s, process %d,", host, (int) getpid()) < 0) {
                holder = NULL;
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for the state store");
        }
        r = state_open(t->state_directory, &state, error);
        if (r < 0)
                return r;
        r = database_hold(state, "queue", holder, 0, error);
        if (r < 0)
                return r;
        t->state = TAKE_PTR(state);
        return 0;
}

/* A server that is away is asked once a second at most: whoever asks meanwhile gets the same answer at once. */
static int state_need(StoreThread *t, Error *error) {
        int r;

        if (t->state)
                return 0;
        if (t->refused.id != ERROR_NONE && now_usec() - t->refused_usec < REOPEN_USEC)
                return error_set(error, t->refused.id, t->refused.remedy, "%s", t->refused.detail);
        error_done(&t->refused);
        r = state_open_and_hold(t, error);
        if (r < 0 && error->id != ERROR_NONE) {
                t->refused_usec = now_usec();
                (void) error_set(&t->refused, error->id, error->remedy, "%s", error->detail);
        }
        return r;
}

static void job_run(StoreThread *t, Job *job) {
        if (t->state && database_is_lost(t->state))
                t->state = database_close(t->state);
        if (job->need == STORE_STATE) {
                job->r = state_need(t, &job->error);
                if (job->r < 0) {
                        job->failure = error_to_text(&job->error);
                        return;
                }
        }
        job->r = job->work(job->need == STORE_STATE ? t->state : NULL, job->payload, &job->error);
        if (t->state && database_is_lost(t->state)) {
                t->state = database_close(t->state);
                job->failure = job->error.id != ERROR_NONE ? error_to_text(&job->error) : NULL;
        }
        job->opened = t->state;
}

static void *thread_main(void *userdata) {
        StoreThread *t = userdata;
        uint64_t one = 1;

        (void) pthread_mutex_lock(&t->mutex);
        for (;;) {
                Job *job;

                while (!t->stop && !t->waiting.first)
                        (void) pthread_cond_wait(&t->wake, &t->mutex);
                if (t->stop)
                        break;
                job = jobs_pop(&t->waiting);
                (void) pthread_mutex_unlock(&t->mutex);
                job_run(t, job);
                (void) pthread_mutex_lock(&t->mutex);
                jobs_push(&t->finished, job);
                while (write(t->event_fd, &one, sizeof(one)) < 0 && errno == EINTR)
                        ;
        }
        (void) pthread_mutex_unlock(&t->mutex);
        t->state = database_close(t->state);
        error_done(&t->refused);
        return NULL;
}

static void job_end(StoreThread *t, Job *job) {
        t->n_waiting--;
        if (job->failure || job->opened) {
                free(t->failure);
                t->failure = TAKE_PTR(job->failure);
        }
        job->done(job->payload, job->r, &job->error);
        error_done(&job->error);
        free(job);
}

static int on_finished(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        StoreThread *t = userdata;
        Jobs finished;
        uint64_t count;
        Job *job;

        (void) !read(fd, &count, sizeof(count));
        (void) pthread_mutex_lock(&t->mutex);
        finished = t->finished;
        t->finished = (Jobs){};
        (void) pthread_mutex_unlock(&t->mutex);
        while ((job = jobs_pop(&finished)))
                job_end(t, job);
        return 0;
}

static int work_nothing(Database *state, void *job, Error *error) { return 0; }

static void nothing_done(void *job, int r, Error *error) {}

/* Nobody may ask for long; that the server went away, or is back, is known all the same. */
static int on_watch(sd_event_source *source, uint64_t usec, void *userdata) {
        StoreThread *t = userdata;
        _cleanup_error_ Error error = {};

        if (t->n_waiting == 0 &&
            store_submit(t, STORE_STATE, work_nothing, nothing_done, NULL, &error) < 0)
                log_error(MESSAGE_NONE, &error, "The state store was not looked after");
        return event_timer_set(t->event, &t->watch, WATCH_USEC, "store-watch", on_watch, t);
}

/* Signals are the loop's: the thread has them all blocked. */
static int thread_start(StoreThread *t) {
        sigset_t all, before;
        int r;

        (void) sigfillset(&all);
        (void) pthread_sigmask(SIG_SETMASK, &all, &before);
        r = -pthread_create(&t->thread, NULL, thread_main, t);
        (void) pthread_sigmask(SIG_SETMASK, &before, NULL);
        t->started = r == 0;
        return r;
}

int store_thread_new(sd_event *event, const char *state_directory, StoreThread **ret) {
        _cleanup_(store_thread_freep) StoreThread *t = calloc(1, sizeof(StoreThread));
        int r;

        if (!t)
                return -ENOMEM;
        (void) pthread_mutex_init(&t->mutex, NULL);
        (void) pthread_cond_init(&t->wake, NULL);
        t->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (t->event_fd < 0)
                return -errno;
        t->state_directory = strdup(state_directory);
        if (!t->state_directory)
                return -ENOMEM;
        r = sd_event_add_io(event, &t->source, t->event_fd, EPOLLIN, on_finished, t);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(t->source, "store-thread");
        t->event = event;
        if (store_server_is_used()) {
                r = event_timer_set(event, &t->watch, WATCH_USEC, "store-watch", on_watch, t);
                if (r < 0)
                        return r;
        }
        r = thread_start(t);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(t);
        return 0;
}

static void jobs_end_waiting(StoreThread *t) {
        Job *job;

        while ((job = jobs_pop(&t->finished)))
                job_end(t, job);
        while ((job = jobs_pop(&t->waiting))) {
                job->r = error_set(&job->error, ERROR_UNAVAILABLE, "Ask again in a moment",
                                   "The service is stopping");
                job_end(t, job);
        }
}

StoreThread *store_thread_free(StoreThread *t) {
        if (!t)
                return NULL;
        if (t->started) {
                (void) pthread_mutex_lock(&t->mutex);
                t->stop = true;
                (void) pthread_cond_signal(&t->wake);
                (void) pthread_mutex_unlock(&t->mutex);
                (void) pthread_join(t->thread, NULL);
        }
        jobs_end_waiting(t);
        event_source_drop(&t->source);
        event_source_drop(&t->watch);
        if (t->event_fd >= 0)
                (void) close(t->event_fd);
        (void) pthread_cond_destroy(&t->wake);
        (void) pthread_mutex_destroy(&t->mutex);
        free(t->state_directory);
        free(t->failure);
        free(t);
        return NULL;
}

int store_submit(StoreThread *t, StoreNeed need, store_work_t work, store_done_t done, void *payload,
                 Error *error) {
        Job *job;

        if (t->n_waiting >= STORE_JOBS_MAX || t->stop)
                return error_set(error, ERROR_UNAVAILABLE, "Ask again in a few seconds",
                                 "More than %u queries wait for the state store (STORE_JOBS_MAX)",
                                 STORE_JOBS_MAX);
        job = calloc(1, sizeof(Job));
        if (!job)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for a query");
        *job = (Job){.need = need, .work = work, .done = done, .payload = payload};
        t->n_waiting++;
        (void) pthread_mutex_lock(&t->mutex);
        jobs_push(&t->waiting, job);
        (void) pthread_cond_signal(&t->wake);
        (void) pthread_mutex_unlock(&t->mutex);
        return 0;
}

size_t store_thread_n_waiting(const StoreThread *t) { return t->n_waiting; }

const char *store_thread_failure(const StoreThread *t) { return t->failure; }
