/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "worker/run.h"

#define OPERATION "018f3c00-0000-7000-8000-000000000001"

/* A target in memory: whole numbers with a name, NULL where there is no such record. */
static const Connector without_transactions;

typedef struct FakeTarget {
        Connection base;
        Writer writer;
        const char *names[8];
        bool is_away, was_awaited;
} FakeTarget;

static FakeTarget fake;

static int fake_writer_open(Connection *c, const Mapping *mapping, Writer **ret, Error *error) {
        if (fake.is_away)
                return error_set(error, ERROR_SYSTEM_UNAVAILABLE, "Start it.", "The target is away");
        *ret = &fake.writer;
        return 0;
}

static void fake_writer_close(Writer *w) {}

static int fake_begin(Connection *c, Error *error) {
        fake.was_awaited = true;
        return 0;
}

static int fake_rollback(Connection *c) { return 0; }

static int fake_fetch(Writer *w, Arena *arena, RecordFetch *fetches, size_t n_fetches, Error *error) {
        /* What is there says nothing before the dead worker's transaction is over. */
        assert_true(fake.was_awaited || fake.base.connector == &without_transactions);
        for (size_t i = 0; i < n_fetches; i++) {
                const char *name = fake.names[fetches[i].key->integer];

                if (!name)
                        continue;
                fetches[i].values = arena_alloc(arena, 2 * sizeof(Value));
                assert_non_null(fetches[i].values);
                fetches[i].values[0] = *fetches[i].key;
                fetches[i].values[1] = value_text(name, strlen(name));
        }
        return 0;
}

static const Connector fake_connector = {
        .kind = "fake",
        .capabilities = CONNECTOR_WRITES | CONNECTOR_TRANSACTS,
        .writer_open = fake_writer_open,
        .writer_close = fake_writer_close,
        .fetch = fake_fetch,
        .begin = fake_begin,
        .rollback = fake_rollback,
};

static const Connector without_transactions = {
        .kind = "fake",
        .capabilities = CONNECTOR_WRITES,
        .writer_open = fake_writer_open,
        .writer_close = fake_writer_close,
        .fetch = fake_fetch,
};

static MappingField fields[] = {
        {.name = (char *) "id", .is_key = true, .type = VALUE_INTEGER, .min_length = -1, .max_length = -1},
        {.name = (char *) "name", .type = VALUE_TEXT, .min_length = -1, .max_length = -1},
};
static Mapping mappings[] = {{.entity = (char *) "parcel", .fields = fields, .n_fields = 2, .n_key = 1}};

typedef struct Fixture {
        char *folder;
        Pair pair;
        Operation *operation;
        Run run;
        Arena *arena;
        DigestScratch scratch;
        ProgressEntity *entity;
        Error error;
} Fixture;

static int setup(void **state) {
        Fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        fake = (FakeTarget){.base = {&fake_connector}, .writer = {&fake_connector}};
        f->folder = test_folder_new();
        f->pair = (Pair){.name = (char *) "p", .mappings = mappings, .n_mappings = 1};
        f->operation = operation_new();
        assert_non_null(f->operation);
        memcpy(f->operation->id, OPERATION, sizeof(OPERATION));
        f->run = (Run){.pair = &f->pair, .operation = f->operation, .target = &fake.base, .hint_fd = -EBADF};
        assert_int_equal(arena_new(&f->arena), 0);
        assert_int_equal(progress_open(f->folder, "p", OPERATION, &f->run.progress, &f->error), 0);
        assert_int_equal(journal_open(f->folder, "p", &f->run.journal, &f->error), 0);
        assert_int_equal(progress_entity(f->run.progress, "parcel", &f->entity, &f->error), 0);
        *state = f;
        return 0;
}

static int teardown(void **state) {
        Fixture *f = *state;

        (void) journal_close(f->run.journal);
        (void) progress_close(f->run.progress);
        (void) operation_free(f->operation);
        (void) arena_free(f->arena);
        free(f->scratch.bytes);
        error_done(&f->error);
        test_folder_remove(f->folder);
        free(f);
        return 0;
}

static Value *record_make(Fixture *f, int64_t id, const char *name) {
        Value *values = arena_alloc_zero(f->arena, 2 * sizeof(Value));

        assert_non_null(values);
        values[0] = value_integer(id);
        values[1] = value_text(name, strlen(name));
        return values;
}

/* before and after: names, or NULL where there is no record. */
static Change change_make(Fixture *f, int64_t id, const char *before, const char *after) {
        static bool changed[] = {false, true};
        const Value key = value_integer(id);
        Change c = {.kind = !before ? CHANGE_INSERT : after ? CHANGE_UPDATE : CHANGE_DELETE};

        assert_int_equal(key_encode(&key, 1, f->arena, &c.key), 0);
        c.before = before ? record_make(f, id, before) : NULL;
        c.target = after ? record_make(f, id, after) : NULL;
        c.changed = c.kind == CHANGE_UPDATE ? changed : NULL;
        if (after) {
                assert_int_equal(values_digest(c.target, 2, 0, &f->scratch, &c.target_digest), 0);
                c.source_digest = c.target_digest;
        }
        return c;
}

static void journal(Fixture *f, uint64_t number, Change *changes, size_t n_changes) {
        const Batch batch = {.arena = f->arena, .changes = changes, .n_changes = n_changes};

        assert_int_equal(journal_append(f->run.journal, number, OPERATION, mappings, &batch, &f->error), 0);
}

static bool is_in_baseline(Fixture *f, const Change *c, uint64_t batch) {
        BaselineRow row;
        int r;

        r = baseline_find(f->entity, c->key, &row, &f->error);
        assert_true(r >= 0);
        return r > 0 && row.batch == batch && digest_equal(&row.source_digest, &c->source_digest);
}

static const EntityResult *result(Fixture *f) {
        assert_int_equal(result_load(f->run.progress, OPERATION, f->operation, &f->error), 0);
        return operation_result(f->operation, "parcel");
}

static void test_nothing_to_settle(void **state) {
        Fixture *f = *state;

        assert_int_equal(settle(&f->run, &f->error), 0);
        assert_int_equal(progress_last_batch(f->run.progress), 0);
}

static void test_an_applied_batch_is_recorded_once(void **state) {
        Fixture *f = *state;
        Change changes[3];

        changes[0] = change_make(f, 1, NULL, "A");
        changes[1] = change_make(f, 2, "old", "B");
        changes[2] = change_make(f, 3, "C", NULL);
        journal(f, 1, changes, 3);
        fake.names[1] = "A";
        fake.names[2] = "B";
        assert_int_equal(settle(&f->run, &f->error), 0);
        assert_true(is_in_baseline(f, changes, 1));
        assert_true(is_in_baseline(f, changes + 1, 1));
        assert_false(is_in_baseline(f, changes + 2, 1));
        assert_int_equal(progress_last_batch(f->run.progress), 1);
        assert_int_equal(checkpoint_get(f->entity)->settled_batch, 1);
        assert_int_equal(settle(&f->run, &f->error), 0);
        assert_int_equal(result(f)->n_inserted, 1);
        assert_int_equal(result(f)->n_updated, 1);
        assert_int_equal(result(f)->n_deleted, 1);
        assert_int_equal(result(f)->n_read, 2);
}

static void test_a_batch_that_did_not_arrive_is_forgotten(void **state) {
        Fixture *f = *state;
        Change changes[2];

        changes[0] = change_make(f, 2, "old", "B");
        changes[1] = change_make(f, 1, NULL, "A");
        journal(f, 1, changes, 2);
        fake.names[2] = "old";
        assert_int_equal(settle(&f->run, &f->error), 0);
        assert_int_equal(baseline_count(f->entity), 0);
        assert_int_equal(progress_last_batch(f->run.progress), 0);
        assert_int_equal(checkpoint_get(f->entity)->settled_batch, 0);
        journal(f, 1, changes, 2); /* its number is free again */
        assert_int_equal(result(f)->n_inserted, 0);
}

/* A record changed by another hand since tells nothing; the next one does. */
static void test_the_first_record_that_tells_decides(void **state) {
        Fixture *f = *state;
        Change changes[3];

        changes[0] = change_make(f, 1, NULL, "A");
        changes[1] = change_make(f, 2, "old", "B");
        changes[2] = change_make(f, 4, "old", "D");
        journal(f, 1, changes, 3);
        fake.names[1] = "by hand";
        fake.names[2] = "by hand";
        fake.names[4] = "D";
        assert_int_equal(settle(&f->run, &f->error), 0);
        assert_int_equal(baseline_count(f->entity), 3);
        assert_int_equal(progress_last_batch(f->run.progress), 1);
}

static void test_when_none_tells_all_are_detected_anew(void **state) {
        Fixture *f = *state;
        Change change = change_make(f, 1, NULL, "A");

        journal(f, 1, &change, 1);
        fake.names[1] = "by hand";
        assert_int_equal(settle(&f->run, &f->error), 0);
        assert_int_equal(baseline_count(f->entity), 0);
        assert_int_equal(progress_last_batch(f->run.progress), 0);
}

/* Deletes that mark the record at the target: journalled as updates without a source digest. */
static void test_a_marked_record_leaves_the_baseline(void **state) {
        Fixture *f = *state;
        Change change = change_make(f, 1, "LIVE", "RETIRED"), first = change_make(f, 1, NULL, "LIVE");

        journal(f, 1, &first, 1);
        fake.names[1] = "LIVE";
        assert_int_equal(settle(&f->run, &f->error), 0);
        assert_int_equal(baseline_count(f->entity), 1);
        change.source_digest = (Digest){0};
        journal(f, 2, &change, 1);
        fake.names[1] = "RETIRED";
        assert_int_equal(settle(&f->run, &f->error), 0);
        assert_int_equal(baseline_count(f->entity), 0);
        assert_int_equal(result(f)->n_deleted, 1);
        assert_int_equal(result(f)->n_updated, 0);
}

static void test_the_first_settled_batch_of_a_scan_stays(void **state) {
        Fixture *f = *state;
        Change first = change_make(f, 1, NULL, "A"), second = change_make(f, 2, NULL, "B");

        fake.names[1] = "A";
        fake.names[2] = "B";
        journal(f, 1, &first, 1);
        assert_int_equal(settle(&f->run, &f->error), 0);
        journal(f, 2, &second, 1);
        assert_int_equal(settle(&f->run, &f->error), 0);
        assert_int_equal(checkpoint_get(f->entity)->settled_batch, 1);
        assert_int_equal(progress_last_batch(f->run.progress), 2);
}

/* Without transactions each record is settled by itself, and the journal keeps what is at the target. */
static void test_without_transactions_each_record_tells_for_itself(void **state) {
        Fixture *f = *state;
        Change changes[6];
        JournalBatch left = {0};

        changes[0] = change_make(f, 1, NULL, "A");
        changes[1] = change_make(f, 2, NULL, "B"); /* did not arrive */
        changes[2] = change_make(f, 3, "old", "C");
        changes[3] = change_make(f, 4, "old", "D"); /* did not arrive */
        changes[4] = change_make(f, 5, "E", NULL);
        changes[5] = change_make(f, 6, "old", "F"); /* another hand */
        journal(f, 1, changes, 6);
        fake.base.connector = fake.writer.connector = &without_transactions;
        fake.names[1] = "A";
        fake.names[3] = "C";
        fake.names[4] = "old";
        fake.names[6] = "by hand";
        assert_int_equal(settle(&f->run, &f->error), 0);
        assert_int_equal(baseline_count(f->entity), 2);
        assert_true(is_in_baseline(f, changes, 1) && is_in_baseline(f, changes + 2, 1));
        assert_int_equal(progress_last_batch(f->run.progress), 1);
        assert_int_equal(result(f)->n_inserted, 1);
        assert_int_equal(result(f)->n_updated, 1);
        assert_int_equal(result(f)->n_deleted, 1);
        assert_int_equal(journal_unsettled(f->run.journal, 0, f->arena, &left, &f->error), 1);
        assert_int_equal(left.n_entries, 3);
        assert_true(key_equal(left.entries[1].key, changes[2].key));
        assert_int_equal(left.entries[1].n_fields, 1);
        assert_int_equal(left.entries[1].before[0].size, 3);
        assert_int_equal(left.entries[2].kind, CHANGE_DELETE);
        assert_int_equal(left.entries[2].n_fields, 2);
        assert_int_equal(settle(&f->run, &f->error), 0);
        assert_int_equal(result(f)->n_inserted, 1);
}

static void test_without_transactions_nothing_may_have_arrived(void **state) {
        Fixture *f = *state;
        Change change = change_make(f, 1, NULL, "A");

        journal(f, 1, &change, 1);
        fake.base.connector = fake.writer.connector = &without_transactions;
        assert_int_equal(settle(&f->run, &f->error), 0);
        assert_int_equal(baseline_count(f->entity), 0);
        assert_int_equal(progress_last_batch(f->run.progress), 0);
        journal(f, 1, &change, 1); /* its number is free again */
}

static void test_failures_leave_it_unsettled(void **state) {
        Fixture *f = *state;
        Change change = change_make(f, 1, NULL, "A");
        _cleanup_error_ Error gone = {0};

        journal(f, 1, &change, 1);
        fake.names[1] = "A";
        fake.is_away = true;
        assert_int_equal(settle(&f->run, &f->error), error_errno(ERROR_SYSTEM_UNAVAILABLE));
        assert_string_equal(f->error.detail, "The target is away");
        fake.is_away = false;
        f->pair.n_mappings = 0;
        assert_int_equal(settle(&f->run, &gone), error_errno(ERROR_MAPPING));
        assert_string_equal(
                gone.detail,
                "A batch of entity 'parcel' waits to be settled, and the mapping no longer has that entity");
        assert_string_equal(gone.remedy, "Put the entity back, run the pair once, then take it out.");
        f->pair.n_mappings = 1;
        assert_int_equal(settle(&f->run, NULL), 0);
        assert_int_equal(baseline_count(f->entity), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_nothing_to_settle),
                TEST(test_an_applied_batch_is_recorded_once),
                TEST(test_a_batch_that_did_not_arrive_is_forgotten),
                TEST(test_the_first_record_that_tells_decides),
                TEST(test_when_none_tells_all_are_detected_anew),
                TEST(test_a_marked_record_leaves_the_baseline),
                TEST(test_the_first_settled_batch_of_a_scan_stays),
                TEST(test_without_transactions_each_record_tells_for_itself),
                TEST(test_without_transactions_nothing_may_have_arrived),
                TEST(test_failures_leave_it_unsettled),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
