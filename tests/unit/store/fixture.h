/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the tests of the pair's file share: a state folder, an open pair, keys and digests by number. */
#include "place.h"
#include "store/progress.h"

#define OPERATION_1 "0190a8f0-0000-7000-8000-000000000001"
#define OPERATION_2 "0190a8f0-0000-7000-8000-000000000002"

typedef struct Fixture {
        char *folder;
        Progress *progress;
        ProgressEntity *entity;
        Error error;
} Fixture;

#define assert_ok(f, call)                                                                             \
        do {                                                                                           \
                int _r = (call);                                                                       \
                if (_r < 0)                                                                            \
                        fail_msg("%s: %d %s", #call, _r, (f)->error.detail ? (f)->error.detail : "-"); \
        } while (0)

static inline void fixture_open(Fixture *f) {
        assert_ok(f, progress_open(f->folder, "pair", OPERATION_1, &f->progress, &f->error));
        assert_ok(f, progress_entity(f->progress, "parcel", &f->entity, &f->error));
}

/* What a crash leaves: the file as it was last committed. */
static inline void fixture_reopen(Fixture *f) {
        f->progress = progress_close(f->progress);
        fixture_open(f);
}

static inline int fixture_set_up(void **state) {
        Fixture *f = calloc(1, sizeof(*f));

        place_make();
        f->folder = test_folder_new();
        fixture_open(f);
        *state = f;
        return 0;
}

static inline int fixture_tear_down(void **state) {
        Fixture *f = *state;

        progress_close(f->progress);
        test_folder_remove(f->folder);
        error_done(&f->error);
        free(f);
        return 0;
}

/* Keys whose order is that of their numbers; valid until the eighth next call. */
static inline Key key_of(unsigned number) {
        static char texts[8][16];
        static unsigned next;
        char *text = texts[next++ % 8];

        (void) snprintf(text, sizeof(texts[0]), "key-%08u", number);
        return (Key){.bytes = (const uint8_t *) text, .size = strlen(text)};
}

static inline Digest digest_of(unsigned number) {
        Digest d = {};

        memcpy(d.bytes, &number, sizeof(number));
        return d;
}

static inline uint64_t put(Fixture *f, unsigned key, uint64_t batch) {
        Digest source = digest_of(key), target = digest_of(key + 1000000);
        BaselineRow row = {};
        uint64_t number;

        assert_ok(f, baseline_find(f->entity, key_of(key), &row, &f->error));
        number = row.number;
        assert_ok(f, baseline_put(f->entity, key_of(key), &number, batch, &source, &target, &f->error));
        return number;
}

static inline void put_range(Fixture *f, unsigned first, unsigned step, unsigned n, uint64_t batch) {
        assert_ok(f, progress_begin(f->progress, &f->error));
        for (unsigned i = 0; i < n; i++)
                (void) put(f, first + i * step, batch);
        assert_ok(f, progress_commit(f->progress, &f->error));
}
