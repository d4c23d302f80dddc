/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "detect/change-log.h"
#include "store/quarantine.h"

/* A log whose source has records of a key and two texts; reading by key gives what is there now. */
typedef struct FakeRow {
        const char *key, *a, *b;
} FakeRow;
typedef struct FakeLog {
        LogStream base;
        FakeRow rows[4];
        size_t n_rows, n_read, n_joined;
} FakeLog;

static Value text(const char *t) { return t ? value_text(t, strlen(t)) : value_null(); }

static bool is_key(const Value *v, const char *key) { return v->size == strlen(key) && memcmp(v->bytes, key, v->size) == 0; }

static int fake_read(LogStream *s, size_t mapping, const Value *const *keys, size_t n_keys, log_taker_t take, void *userdata,
                     Error *error) {
        FakeLog *log = (FakeLog *) s;

        log->n_read += n_keys;
        for (size_t i = 0; i < n_keys; i++)
                for (size_t j = 0; j < log->n_rows; j++)
                        if (is_key(keys[i], log->rows[j].key)) {
                                const FakeRow *row = log->rows + j;
                                int r = take(userdata, (const Value[]){text(row->key), text(row->a), text(row->b)}, error);

                                if (r < 0)
                                        return r;
                        }
        return 0;
}

/* Every row joins everything. */
static int fake_read_joined(LogStream *s, size_t mapping, size_t join, const Value *const *values, size_t n_values,
                            log_taker_t take, void *userdata, Error *error) {
        FakeLog *log = (FakeLog *) s;

        log->n_joined += n_values;
        for (size_t j = 0; j < log->n_rows; j++)
                if (take(userdata, (const Value[]){text(log->rows[j].key), VALUE_NONE, VALUE_NONE}, error) < 0)
                        return -ENOMEM;
        return 0;
}

static const LogConnector fake_connector = {.read = fake_read, .read_joined = fake_read_joined};
static MappingColumn columns[] = {{.name = (char[]){"id"}}, {.name = (char[]){"a"}}, {.name = (char[]){"b"}}};
static MappingField fields[] = {
        {.name = (char[]){"id"}, .is_key = true, .column = 0},
        {.name = (char[]){"a"}, .column = 1},
        {.name = (char[]){"b"}, .column = 2},
};
static MappingPair by[] = {{(char[]){"id"}, (char[]){"owner"}}};
static MappingJoin joins[] = {{.name = (char[]){"owner"}, .from = (char[]){"owner"}, .by = by, .n_by = 1}};
static const Mapping mapping = {
        .entity = (char[]){"parcel"}, .columns = columns, .n_columns = 3, .fields = fields, .n_fields = 3, .n_key = 1,
        .joins = joins, .n_joins = 1,
};

static int make_key(const Mapping *m, const Value *source, Arena *arena, Value *ret_key, Finding **findings) {
        *ret_key = *source;
        return is_key(source, "?") ? finding_add(findings, arena, FINDING_ERROR, "type", "id", "?", "No key.", NULL) : 0;
}

typedef struct Fixture {
        char *folder;
        Progress *progress;
        ProgressEntity *entity;
        Pair pair;
        DetectPlan plan;
        FakeLog log;
        ChangeLog *changes;
        Batch batch;
        Error error;
} Fixture;

static int set_up(void **state) {
        Fixture *f = calloc(1, sizeof(*f));

        f->folder = test_folder_new();
        assert_int_equal(progress_open(f->folder, "pair", "018f3c00-0000-7000-8000-000000000001", &f->progress, &f->error), 0);
        assert_int_equal(progress_entity(f->progress, "parcel", &f->entity, &f->error), 0);
        assert_int_equal(arena_new(&f->batch.arena), 0);
        f->log.base.log = &fake_connector;
        f->pair = (Pair){.name = (char[]){"pair"}, .content_hash = 7};
        f->plan = (DetectPlan){.pair = &f->pair, .mapping = &mapping, .entity = f->entity, .make_key = make_key,
                               .held = progress_database(f->progress)};
        assert_int_equal(change_log_new(&f->plan, &f->changes, &f->error), 0);
        *state = f;
        return 0;
}

static int tear_down(void **state) {
        Fixture *f = *state;

        (void) change_log_free(f->changes);
        (void) progress_close(f->progress);
        (void) arena_free(f->batch.arena);
        free(f->batch.changes);
        error_done(&f->error);
        test_folder_remove(f->folder);
        free(f);
        return 0;
}

static void put(Fixture *f, LogEventKind kind, Value key, Value a, Value b) {
        const Value values[] = {key, a, b};
        const LogEvent event = {.kind = kind, .values = values};

        assert_int_equal(change_log_put(f->changes, &event, &f->error), 0);
}

/* Everything in one batch. */
static void take(Fixture *f, uint64_t group_batch, size_t n_changes) {
        assert_int_equal(change_log_begin(f->changes, &f->log.base, 0, &f->error), 0);
        assert_int_equal(change_log_next(f->changes, &f->log.base, 0, group_batch, &f->batch, &f->error), 0);
        assert_int_equal(f->batch.n_changes, n_changes);
}

/* What recording makes of it. */
static void record(Fixture *f, uint64_t number) {
        assert_int_equal(progress_begin(f->progress, &f->error), 0);
        for (size_t i = 0; i < f->batch.n_changes; i++) {
                Change *c = f->batch.changes + i;

                assert_int_equal(baseline_put(f->entity, c->key, &c->number, number, &c->source_digest, &c->source_digest, &f->error), 0);
        }
        assert_int_equal(progress_commit(f->progress, &f->error), 0);
        change_log_clear(f->changes);
}

static size_t gone(Fixture *f) {
        BaselineRow rows[8];
        Key keys[8];
        size_t n = 99;

        assert_int_equal(change_log_gone(f->changes, keys, rows, 8, &n, &f->error), 0);
        return n;
}

static void the_last_word_counts(void **state) {
        Fixture *f = *state;

        put(f, LOG_CHANGED, text("1"), text("x"), text("y"));
        put(f, LOG_CHANGED, text("2"), text("x"), text("y"));
        put(f, LOG_CHANGED, text("1"), text("z"), VALUE_NONE); /* an update that left b out */
        put(f, LOG_GONE, text("2"), VALUE_NONE, VALUE_NONE);
        assert_int_equal(change_log_records(f->changes), 2);
        take(f, 0, 1);
        assert_true(is_key(&f->batch.changes[0].source[1], "z"));
        assert_true(is_key(&f->batch.changes[0].source[2], "y"));
        assert_int_equal(f->log.n_read, 0);
        assert_int_equal(change_log_count_gone(f->changes), 1);
        assert_int_equal(gone(f), 0); /* it never was at the target */
        record(f, 1);
        put(f, LOG_GONE, text("1"), VALUE_NONE, VALUE_NONE);
        take(f, 0, 0);
        assert_int_equal(gone(f), 1);
}

static void equal_records_are_counted_once(void **state) {
        Fixture *f = *state;

        put(f, LOG_CHANGED, text("1"), text("x"), text("y"));
        take(f, 0, 1);
        record(f, 5);
        put(f, LOG_CHANGED, text("1"), text("x"), text("y"));
        take(f, 0, 0);
        assert_int_equal(f->batch.n_unchanged, 1);
        change_log_clear(f->changes);
        put(f, LOG_CHANGED, text("1"), text("x"), text("y")); /* of a group that was applied before a crash */
        take(f, 5, 0);
        assert_int_equal(f->batch.n_read, 0);
}

/* A part of a record that is known goes on as a part, and is not taken for the whole later; of one that is not known there is no rest. */
static void parts_of_records(void **state) {
        Fixture *f = *state;

        f->log.rows[0] = (FakeRow){"2", "now", "whole"};
        f->log.n_rows = 1;
        put(f, LOG_CHANGED, text("1"), text("x"), text("y"));
        take(f, 0, 1);
        record(f, 1);
        put(f, LOG_CHANGED, text("1"), text("new"), VALUE_NONE);
        put(f, LOG_CHANGED, text("2"), text("then"), VALUE_NONE);
        take(f, 0, 2);
        assert_int_equal(f->log.n_read, 1);
        assert_int_equal(f->batch.changes[0].source[2].type, VALUE_ABSENT);
        assert_true(digest_equal(&f->batch.changes[0].source_digest, &DIGEST_UNKNOWN));
        assert_true(is_key(&f->batch.changes[1].source[1], "now"));
        assert_true(is_key(&f->batch.changes[1].source[2], "whole"));
        record(f, 2);
        put(f, LOG_CHANGED, text("1"), text("x"), text("y")); /* as it first was: no longer what is there */
        take(f, 0, 1);
}

/* A part of another record than the one that the target has under this key, or of one whose last change is held. */
static void parts_of_other_records_are_read(void **state) {
        const Value key = text("1");
        Change held = {.kind = CHANGE_HELD};
        Fixture *f = *state;

        f->log.rows[0] = (FakeRow){"1", "now", "whole"};
        f->log.n_rows = 1;
        put(f, LOG_CHANGED, text("1"), text("x"), text("y"));
        take(f, 0, 1);
        record(f, 1);
        put(f, LOG_GONE, text("1"), VALUE_NONE, VALUE_NONE);
        put(f, LOG_CHANGED, text("1"), text("now"), VALUE_NONE);
        take(f, 0, 1);
        assert_int_equal(f->batch.changes[0].source[2].type, VALUE_TEXT);
        assert_true(is_key(&f->batch.changes[0].source[2], "whole"));
        record(f, 2);
        assert_int_equal(key_encode(&key, 1, f->batch.arena, &held.key), 0);
        assert_int_equal(progress_begin(f->progress, &f->error), 0);
        assert_int_equal(quarantine_put(f->plan.held, "018f3c00-0000-7000-8000-000000000001", &mapping, &held, &f->error), 0);
        assert_int_equal(progress_commit(f->progress, &f->error), 0);
        f->log.rows[0] = (FakeRow){"1", "later", "another"};
        put(f, LOG_CHANGED, text("1"), text("later"), VALUE_NONE);
        take(f, 0, 1);
        assert_int_equal(f->batch.changes[0].source[2].type, VALUE_TEXT);
        assert_true(is_key(&f->batch.changes[0].source[2], "another"));
}

static void joined_rows_concern_records(void **state) {
        const Value value = value_text("7", 1);
        const LogEvent event = {.kind = LOG_JOINED, .values = &value};
        Fixture *f = *state;

        f->log.rows[0] = (FakeRow){"1", "x", "y"};
        f->log.n_rows = 1;
        assert_int_equal(change_log_put(f->changes, &event, &f->error), 0);
        assert_int_equal(change_log_records(f->changes), 1);
        take(f, 0, 1);
        assert_int_equal(f->log.n_joined, 1);
        record(f, 1);
        f->log.n_rows = 0; /* it is no longer what the mapping reads */
        put(f, LOG_REREAD, text("1"), VALUE_NONE, VALUE_NONE);
        put(f, LOG_CHANGED, text("1"), text("x"), text("y")); /* what is there when it is read counts */
        take(f, 0, 0);
        assert_int_equal(gone(f), 1);
}

static void a_record_without_a_key_is_held(void **state) {
        Fixture *f = *state;

        put(f, LOG_CHANGED, text("?"), text("x"), text("y"));
        put(f, LOG_CHANGED, text("?"), text("x"), text("z"));
        put(f, LOG_GONE, text("?"), VALUE_NONE, VALUE_NONE);
        take(f, 0, 2);
        assert_int_equal(f->batch.changes[0].kind, CHANGE_HELD);
        assert_int_equal(gone(f), 0);
}

static void batches_have_their_size(void **state) {
        Fixture *f = *state;
        char key[8];

        change_log_free(f->changes);
        f->plan.batch_records = 4;
        assert_int_equal(change_log_new(&f->plan, &f->changes, &f->error), 0);
        for (int i = 0; i < 10; i++) {
                (void) snprintf(key, sizeof(key), "%d", i);
                put(f, LOG_CHANGED, text(key), text("x"), text("y"));
        }
        assert_int_equal(change_log_begin(f->changes, &f->log.base, 0, &f->error), 0);
        for (size_t expected = 4, n = 0; n < 10; n += expected) {
                expected = n == 8 ? 2 : 4;
                assert_int_equal(change_log_next(f->changes, &f->log.base, 0, 0, &f->batch, &f->error), n < 8);
                assert_int_equal(f->batch.n_changes, expected);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(the_last_word_counts, set_up, tear_down),
                cmocka_unit_test_setup_teardown(equal_records_are_counted_once, set_up, tear_down),
                cmocka_unit_test_setup_teardown(parts_of_records, set_up, tear_down),
                cmocka_unit_test_setup_teardown(parts_of_other_records_are_read, set_up, tear_down),
                cmocka_unit_test_setup_teardown(joined_rows_concern_records, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_record_without_a_key_is_held, set_up, tear_down),
                cmocka_unit_test_setup_teardown(batches_have_their_size, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
