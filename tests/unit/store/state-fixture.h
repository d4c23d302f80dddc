/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the tests of state.db share. */
#include "place.h"
#include "basic/json.h"
#include "basic/text.h"
#include "store/operations.h"

typedef struct StateFixture {
        char *folder;
        Database *database;
        Error error;
} StateFixture;

#define assert_ok(f, call)                                                                             \
        do {                                                                                           \
                int _r = (call);                                                                       \
                if (_r < 0)                                                                            \
                        fail_msg("%s: %d %s", #call, _r, (f)->error.detail ? (f)->error.detail : "-"); \
        } while (0)

static inline int state_set_up(void **state) {
        StateFixture *f = calloc(1, sizeof(*f));

        place_make();
        f->folder = test_folder_new();
        assert_ok(f, state_open(f->folder, &f->database, &f->error));
        *state = f;
        return 0;
}

static inline int state_tear_down(void **state) {
        StateFixture *f = *state;

        database_close(f->database);
        test_folder_remove(f->folder);
        error_done(&f->error);
        free(f);
        return 0;
}

#define ID_FORMAT "0190a8f0-0000-7000-8000-%012u"

/* Operation number n of a pair, inserted; ids rise with n. */
static inline Operation *operation_of(StateFixture *f, unsigned n, const char *pair, OperationKind kind) {
        Operation *o = operation_new();

        (void) snprintf(o->id, sizeof(o->id), ID_FORMAT, n);
        o->sync_pair_id = strdup(pair);
        o->kind = kind;
        o->created_at = 1000000LL * n;
        assert_ok(f, operation_insert(f->database, o, NULL, &f->error));
        return o;
}

static inline Operation *load(StateFixture *f, const char *id) {
        Operation *o = NULL;

        assert_ok(f, operation_load(f->database, id, &o, &f->error));
        return o;
}
