/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/writing.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>

struct Writing {
        Connection *target;
        Writer *writer;
        Batch *batch; /* NULL: it is a fetch */
        Arena *arena;
        RecordFetch *fetches;
        size_t n_fetches;
        pthread_t thread;
        bool has_thread;
        int result;
        Error error;
};

static void *writing_run(void *userdata) {
        Writing *w = userdata;

        w->result = w->batch ? write_batch(w->target, w->writer, w->batch, &w->error)
                             : writer_fetch(w->writer, w->arena, w->fetches, w->n_fetches, &w->error);
        return NULL;
}

/* Signals are for the main thread, which looks between two batches whether it is to stop. */
static bool writing_start(Writing *w) {
        sigset_t all, before;
        int r;

        (void) sigfillset(&all);
        if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
                return false;
        r = pthread_create(&w->thread, NULL, writing_run, w);
        (void) pthread_sigmask(SIG_SETMASK, &before, NULL);
        return r == 0;
}

static int work_begin(const Writing *work, Writing **ret, Error *error) {
        Writing *w = malloc(sizeof(*w));

        if (!w)
                return error_set(error, ERROR_OUT_OF_MEMORY, NULL, "No memory for a batch at the target");
        *w = *work;
        w->has_thread = writing_start(w);
        if (!w->has_thread)
                (void) writing_run(w);
        *ret = w;
        return 0;
}

int writing_begin(Connection *target, Writer *writer, Batch *batch, Writing **ret, Error *error) {
        return work_begin(&(Writing){.target = target, .writer = writer, .batch = batch}, ret, error);
}

int writing_begin_fetch(Writer *writer, Arena *arena, RecordFetch *fetches, size_t n_fetches, Writing **ret, Error *error) {
        return work_begin(&(Writing){.writer = writer, .arena = arena, .fetches = fetches, .n_fetches = n_fetches}, ret, error);
}

int writing_end(Writing *w, Error *error) {
        int r;

        if (w->has_thread)
                (void) pthread_join(w->thread, NULL);
        r = w->result;
        if (error && w->error.id != ERROR_NONE)
                error_move(error, &w->error);
        else
                error_done(&w->error);
        free(w);
        return r;
}
