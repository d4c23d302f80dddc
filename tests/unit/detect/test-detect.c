/* SPDX-License-Identifier: Apache-2.0 */
#include "../testing.h"
#include "detect/detect.h"

#define PAIR      "pacs_to_cama"
#define OPERATION "018f3c00-0000-7000-8000-000000000001"

/* A source in memory: records of two texts. The reader gives its values in one buffer that the next record overwrites. */
typedef struct FakeRecord {
        const char *key, *name;
} FakeRecord;
typedef struct FakeSource {
        Connection base;
        const FakeRecord *records;
        size_t n_records;
        size_t failing_record; /* index; n_records: none */
        ReadPlan plan;         /* of the last reader */
        int n_open;
} FakeSource;
typedef struct FakeReader {
        Reader base;
        FakeSource *source;
        size_t at;
        bool resumed;
        char buffer[2][32], position[24];
} FakeReader;

static int fake_reader_open(Connection *c, const ReadPlan *plan, Reader **ret, Error *error) {
        FakeSource *source = (FakeSource *) c;
        FakeReader *reader = calloc(1, sizeof(*reader));

        assert_non_null(reader);
        reader->base = (Reader){c->connector};
        reader->source = source;
        source->plan = *plan;
        source->n_open++;
        if (plan->position && strtoul(plan->position, NULL, 10) <= source->n_records) {
                reader->at = strtoul(plan->position, NULL, 10);
                reader->resumed = true;
        }
        *ret = &reader->base;
        return 0;
}

static Value fake_value(FakeReader *reader, int column, const char *text) {
        if (!text)
                return value_null();
        (void) snprintf(reader->buffer[column], sizeof(reader->buffer[column]), "%s", text);
        return value_text(reader->buffer[column], strlen(text));
}

static int fake_reader_next(Reader *r, Value *values, Error *error) {
        FakeReader *reader = (FakeReader *) r;
        const FakeRecord *record = reader->source->records + reader->at;

        if (reader->at == reader->source->n_records)
                return 0;
        if (reader->at == reader->source->failing_record)
                return error_set(error, ERROR_FILE_FORMAT, "Mend the file.", "Record %zu has three fields",
                                 reader->at);
        reader->at++;
        values[0] = fake_value(reader, 0, record->key);
        values[1] = fake_value(reader, 1, record->name);
        return 1;
}

static const char *fake_reader_position(Reader *r) {
        FakeReader *reader = (FakeReader *) r;

        (void) snprintf(reader->position, sizeof(reader->position), "%zu", reader->at);
        return reader->position;
}

static bool fake_reader_resumed(const Reader *r) { return ((const FakeReader *) r)->resumed; }

static void fake_reader_close(Reader *r) {
        ((FakeReader *) r)->source->n_open--;
        free(r);
}

static const Connector fake_connector = {
        .kind = "fake",
        .capabilities = CONNECTOR_READS | CONNECTOR_RESUMES,
        .reader_open = fake_reader_open,
        .reader_next = fake_reader_next,
        .reader_position = fake_reader_position,
        .reader_resumed = fake_reader_resumed,
        .reader_close = fake_reader_close,
};

static MappingColumn columns[] = {{.name = (char *) "geo_id"}, {.name = (char *) "name"}};
static MappingField fields[] = {
        {.name = (char *) "parcel_number", .is_key = true, .column = 0},
        {.name = (char *) "name", .column = 1},
};
static const Mapping mapping = {
        .entity = (char *) "parcel",
        .columns = columns,
        .n_columns = 2,
        .fields = fields,
        .n_fields = 2,
        .n_key = 1,
};

/* A key of "?" cannot be made; one of "!" can, with a warning. */
static int make_key(const Mapping *m, const Value *source, Arena *arena, Value *ret_key,
                    Finding **findings) {
        bool is_bad = source->type == VALUE_TEXT && source->size == 1 && *source->bytes == '?';
        bool is_odd = source->type == VALUE_TEXT && source->size == 1 && *source->bytes == '!';

        *ret_key = *source;
        if (is_bad)
                return finding_add(findings, arena, FINDING_ERROR, "type", "parcel_number", "?",
                                   "'?' is no number.", "Mend it.");
        return is_odd ? finding_add(findings, arena, FINDING_WARNING, "pattern", "parcel_number", "!",
                                    "'!' is odd.", NULL)
                      : 0;
}

typedef struct Fixture {
        char *folder;
        Progress *progress;
        ProgressEntity *entity;
        Pair pair;
        FakeSource source;
        DetectPlan plan;
        Batch batch;
        uint64_t n_unkeyed;
        Error error;
} Fixture;

static int setup(void **state) {
        Fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        f->folder = test_folder_new();
        assert_int_equal(progress_open(f->folder, PAIR, OPERATION, &f->progress, &f->error), 0);
        assert_int_equal(progress_entity(f->progress, "parcel", &f->entity, &f->error), 0);
        assert_int_equal(arena_new(&f->batch.arena), 0);
        f->source.base = (Connection){&fake_connector};
        f->pair = (Pair){.name = (char *) PAIR, .content_hash = 7};
        f->plan = (DetectPlan){
                .source = &f->source.base,
                .pair = &f->pair,
                .mapping = &mapping,
                .entity = f->entity,
                .make_key = make_key,
        };
        *state = f;
        return 0;
}

static int teardown(void **state) {
        Fixture *f = *state;

        assert_int_equal(f->source.n_open, 0);
        (void) progress_close(f->progress);
        (void) arena_free(f->batch.arena);
        free(f->batch.changes);
        error_done(&f->error);
        test_folder_remove(f->folder);
        free(f);
        return 0;
}

static void source_set(Fixture *f, const FakeRecord *records, size_t n_records) {
        f->source.records = records;
        f->source.n_records = f->source.failing_record = n_records;
}
#define SOURCE_SET(fixture, ...)                               \
        source_set(fixture, (const FakeRecord[]){__VA_ARGS__}, \
                   sizeof((const FakeRecord[]){__VA_ARGS__}) / sizeof(FakeRecord))

static Detector *open_detector(Fixture *f) {
        Detector *d = NULL;

        assert_int_equal(detector_open(&f->plan, &d, &f->error), 0);
        return d;
}

static void next(Fixture *f, Detector *d) {
        assert_int_equal(detect_next(d, &f->batch, &f->n_unkeyed, &f->error), 0);
}

/* What step 8 makes of a batch whose undecided changes were all applied. */
static void record(Fixture *f, uint64_t batch_number) {
        assert_int_equal(progress_begin(f->progress, &f->error), 0);
        for (size_t i = 0; i < f->batch.n_changes; i++) {
                Change *c = f->batch.changes + i;

                if (c->kind != CHANGE_UNDECIDED)
                        continue;
                assert_int_equal(baseline_put(f->entity, c->key, &c->number, batch_number, &c->source_digest,
                                              &c->source_digest, &f->error),
                                 0);
                assert_int_equal(seen_mark(f->entity, c->number), 0);
        }
        assert_int_equal(progress_commit(f->progress, &f->error), 0);
}

static void new_scan(Fixture *f) {
        assert_int_equal(progress_begin(f->progress, &f->error), 0);
        assert_int_equal(seen_reset(f->entity, &f->error), 0);
        assert_int_equal(progress_commit(f->progress, &f->error), 0);
}

/* One whole run in one batch. */
static void run(Fixture *f, uint64_t batch_number) {
        Detector *d = open_detector(f);

        next(f, d);
        assert_true(f->batch.end);
        record(f, batch_number);
        (void) detector_close(d);
}

static uint64_t missing(Fixture *f) {
        uint64_t n = 0;

        assert_int_equal(seen_count_missing(f->entity, &n, &f->error), 0);
        return n;
}

static void assert_counts(const Fixture *f, size_t n_changes, uint64_t n_read, uint64_t n_unchanged) {
        assert_int_equal(f->batch.n_changes, n_changes);
        assert_int_equal(f->batch.n_read, n_read);
        assert_int_equal(f->batch.n_unchanged, n_unchanged);
}

static void assert_key(const Change *c, const char *text, Arena *arena) {
        assert_string_equal(key_to_text(c->key, arena), text);
}

static void test_first_run_gives_everything(void **state) {
        Fixture *f = *state;
        Detector *d;

        SOURCE_SET(f, {"1", "A"}, {"2", NULL}, {"3", "C"});
        d = open_detector(f);
        next(f, d);
        assert_counts(f, 3, 3, 0);
        assert_true(f->batch.end);
        assert_int_equal(f->n_unkeyed, 0);
        for (size_t i = 0; i < 3; i++) {
                const Change *c = f->batch.changes + i;

                assert_int_equal(c->kind, CHANGE_UNDECIDED);
                assert_false(c->in_baseline);
                assert_key(c, f->source.records[i].key, f->batch.arena);
        }
        /* The reader's buffer has been overwritten twice since. */
        assert_memory_equal(f->batch.changes[0].source[1].bytes, "A", 1);
        assert_int_equal(f->batch.changes[1].source[1].type, VALUE_NULL);
        next(f, d);
        assert_counts(f, 0, 0, 0);
        assert_true(f->batch.end);
        (void) detector_close(d);
}

static void test_unchanged_records_do_not_go_on(void **state) {
        Fixture *f = *state;

        SOURCE_SET(f, {"1", "A"}, {"2", "B"});
        run(f, 1);
        new_scan(f);
        run(f, 2);
        assert_counts(f, 0, 2, 2);
        assert_int_equal(missing(f), 0);
}

static void test_changed_new_and_gone(void **state) {
        Fixture *f = *state;
        Digest before;
        const Change *c;

        SOURCE_SET(f, {"1", "A"}, {"2", "B"}, {"3", "C"});
        run(f, 1);
        before = f->batch.changes[1].source_digest;
        new_scan(f);
        SOURCE_SET(f, {"1", "A"}, {"2", "BB"}, {"4", "D"});
        run(f, 2);
        assert_counts(f, 2, 3, 1);
        c = f->batch.changes;
        assert_key(c, "2", f->batch.arena);
        assert_true(c->in_baseline);
        assert_int_equal(c->number, 2);
        assert_true(digest_equal(&c->baseline_target_digest, &before));
        assert_false(digest_equal(&c->source_digest, &before));
        assert_key(c + 1, "4", f->batch.arena);
        assert_int_equal(missing(f), 1);
}

static void test_a_changed_mapping_changes_every_record(void **state) {
        Fixture *f = *state;

        SOURCE_SET(f, {"1", "A"}, {"2", "B"});
        run(f, 1);
        new_scan(f);
        f->pair.content_hash = 8;
        run(f, 2);
        assert_counts(f, 2, 2, 0);
        assert_true(f->batch.changes[0].in_baseline && f->batch.changes[1].in_baseline);
}

static void assert_duplicate(Fixture *f, const Change *c, const char *key) {
        assert_int_equal(c->kind, CHANGE_HELD);
        assert_key(c, key, f->batch.arena);
        assert_non_null(c->findings);
        assert_string_equal(c->findings->rule, "key_unique");
        assert_string_equal(c->findings->field, "parcel_number");
        assert_string_equal(c->findings->value, key);
        assert_string_equal(c->findings->message, "An earlier record of this run has the same key.");
        assert_non_null(strstr(c->findings->remedy, "at the source"));
}

static void test_duplicates_in_one_batch(void **state) {
        Fixture *f = *state;

        SOURCE_SET(f, {"1", "A"}, {"2", "B"}, {"1", "A"}, {"1", "other"});
        run(f, 1);
        assert_counts(f, 4, 4, 0);
        assert_int_equal(f->batch.changes[0].kind, CHANGE_UNDECIDED);
        assert_duplicate(f, f->batch.changes + 2, "1");
        assert_duplicate(f, f->batch.changes + 3, "1");
        assert_int_equal(f->n_unkeyed, 0);
}

static void test_duplicates_across_batches(void **state) {
        Fixture *f = *state;
        Detector *d;

        SOURCE_SET(f, {"1", "A"}, {"2", "B"}, {"1", "C"});
        f->plan.batch_records = 2;
        d = open_detector(f);
        next(f, d);
        assert_counts(f, 2, 2, 0);
        assert_false(f->batch.end);
        record(f, 1);
        next(f, d);
        assert_counts(f, 1, 1, 0);
        assert_duplicate(f, f->batch.changes, "1");
        (void) detector_close(d);
}

static void batches_swap(Fixture *f, Batch *other) {
        Batch batch = f->batch;

        f->batch = *other;
        *other = batch;
}

/* A batch is filled while the one before is at the target and not recorded: its keys are known all the same, also when that
 * is long over. */
static void test_duplicates_of_a_batch_that_is_not_recorded_yet(void **state) {
        Fixture *f = *state;
        Batch other = {0};
        Detector *d;

        SOURCE_SET(f, {"1", "A"}, {"2", "B"}, {"2", "C"}, {"3", "D"}, {"1", "E"}, {"3", "F"}, {"4", "G"}, {"3", "H"});
        f->plan.batch_records = 2;
        assert_int_equal(arena_new(&other.arena), 0);
        d = open_detector(f);
        next(f, d); /* 1, 2 */
        for (unsigned batch = 1; batch < 4; batch++) {
                batches_swap(f, &other);
                next(f, d); /* 2, 3; then 1, 3; then 4, 3 */
                assert_counts(f, 2, 2, 0);
                if (batch == 1)
                        assert_duplicate(f, f->batch.changes, "2");
                if (batch == 2) {
                        assert_duplicate(f, f->batch.changes, "1"); /* recorded by now */
                        assert_duplicate(f, f->batch.changes + 1, "3");
                }
                if (batch == 3) {
                        assert_int_equal(f->batch.changes[0].kind, CHANGE_UNDECIDED);
                        assert_duplicate(f, f->batch.changes + 1, "3");
                }
                batches_swap(f, &other);
                record(f, batch);
                batches_swap(f, &other);
        }
        (void) detector_close(d);
        (void) arena_free(other.arena);
        free(other.changes);
}

/* Also when the first is as it was: else the second would overwrite it. */
static void test_duplicates_of_known_records(void **state) {
        Fixture *f = *state;

        SOURCE_SET(f, {"1", "A"}, {"2", "B"});
        run(f, 1);
        new_scan(f);
        SOURCE_SET(f, {"1", "A"}, {"2", "BB"}, {"1", "C"}, {"2", "BBB"});
        run(f, 2);
        assert_counts(f, 3, 4, 1);
        assert_int_equal(f->batch.changes[0].kind, CHANGE_UNDECIDED);
        assert_duplicate(f, f->batch.changes + 1, "1");
        assert_duplicate(f, f->batch.changes + 2, "2");
        assert_int_equal(missing(f), 0);
}

static void test_records_without_a_key_are_held(void **state) {
        Fixture *f = *state;
        const Change *c;

        SOURCE_SET(f, {NULL, "A"}, {"?", "B"}, {"3", "C"}, {NULL, "D"});
        run(f, 1);
        assert_counts(f, 4, 4, 0);
        assert_int_equal(f->n_unkeyed, 3);
        c = f->batch.changes;
        assert_int_equal(c[0].kind, CHANGE_HELD);
        assert_int_equal(c[0].key.size, 0);
        assert_string_equal(c[0].findings->rule, "required");
        assert_string_equal(c[0].findings->field, "parcel_number");
        assert_string_equal(c[0].findings->message, "The record has no key.");
        assert_int_equal(c[1].kind, CHANGE_HELD);
        assert_string_equal(c[1].findings->rule, "type");
        assert_string_equal(c[1].findings->message, "'?' is no number.");
        assert_string_equal(c[1].findings->remedy, "Mend it.");
        assert_int_equal(c[2].kind, CHANGE_UNDECIDED);
        assert_false(digest_equal(&c[0].source_digest, &c[3].source_digest)); /* they are told apart by it */
        assert_memory_equal(c[0].source[1].bytes, "A", 1);
}

static void test_a_key_with_a_warning_is_usable(void **state) {
        Fixture *f = *state;

        SOURCE_SET(f, {"!", "A"});
        run(f, 1);
        assert_int_equal(f->n_unkeyed, 0);
        assert_int_equal(f->batch.changes[0].kind, CHANGE_UNDECIDED);
}

static void test_settled_rows_are_not_counted_twice(void **state) {
        Fixture *f = *state;

        SOURCE_SET(f, {"1", "A"}, {"2", "B"}, {"3", "C"});
        run(f, 5);
        new_scan(f);
        f->plan.settled_batch = 5;
        SOURCE_SET(f, {"1", "A"}, {"2", "moved on"}, {"3", "C"}, {"4", "D"});
        run(f, 6);
        assert_counts(f, 2, 2, 0);       /* the changed and the new one */
        assert_int_equal(missing(f), 0); /* but seen they are */
        new_scan(f);
        f->plan.settled_batch = 0;
        run(f, 7);
        assert_counts(f, 0, 4, 4);
}

/* A second crash before the scan's position moved: both batches were settled, and the scan meets both again. */
static void test_two_settled_batches(void **state) {
        Fixture *f = *state;

        SOURCE_SET(f, {"1", "A"}, {"2", "B"});
        run(f, 4);
        new_scan(f);
        SOURCE_SET(f, {"1", "A"}, {"2", "B"}, {"3", "C"});
        run(f, 5);
        new_scan(f);
        SOURCE_SET(f, {"1", "A"}, {"2", "B"}, {"3", "C"}, {"4", "D"});
        run(f, 6);
        new_scan(f);
        f->plan.settled_batch = 5;
        run(f, 7);
        assert_counts(f, 0, 2, 2); /* those of batch 4 only */
        assert_int_equal(missing(f), 0);
}

/* A row of no batch (it was equal at the target) is not one of "settled batch none". */
static void test_batch_zero_is_counted(void **state) {
        Fixture *f = *state;

        SOURCE_SET(f, {"1", "A"});
        run(f, 0);
        new_scan(f);
        run(f, 0);
        assert_counts(f, 0, 1, 1);
}

static void test_unchanged_records_are_delivered_on_request(void **state) {
        Fixture *f = *state;
        const Change *c;

        SOURCE_SET(f, {"1", "A"}, {"2", "B"});
        run(f, 1);
        new_scan(f);
        f->plan.deliver_unchanged = true;
        run(f, 2);
        assert_counts(f, 2, 2, 2);
        c = f->batch.changes + 1;
        assert_int_equal(c->kind, CHANGE_NONE);
        assert_key(c, "2", f->batch.arena);
        assert_true(c->in_baseline);
        assert_int_equal(c->number, 2);
        assert_null(c->source);
        assert_null(c->target);
}

/* Settling records what was applied but knows nothing of quarantine: the entry of a record that was mended goes when it is seen. */
static void test_settled_rows_are_delivered_though_not_counted(void **state) {
        Fixture *f = *state;

        SOURCE_SET(f, {"1", "A"});
        run(f, 5);
        new_scan(f);
        f->plan.settled_batch = 5;
        f->plan.deliver_unchanged = true;
        run(f, 6);
        assert_counts(f, 1, 0, 0);
        assert_int_equal(f->batch.changes[0].kind, CHANGE_NONE);
        assert_key(f->batch.changes, "1", f->batch.arena);
}

static void test_resume(void **state) {
        Fixture *f = *state;
        Detector *d;

        SOURCE_SET(f, {"1", "A"}, {"2", "B"}, {"3", "C"});
        f->plan.batch_records = 2;
        d = open_detector(f);
        assert_false(detector_resumed(d));
        next(f, d);
        assert_string_equal(f->batch.position, "2");
        record(f, 1);
        (void) detector_close(d);
        f->plan.position = "2";
        d = open_detector(f);
        assert_true(detector_resumed(d));
        next(f, d);
        assert_counts(f, 1, 1, 0);
        assert_key(f->batch.changes, "3", f->batch.arena);
        assert_string_equal(f->batch.position, "3");
        record(f, 2);
        assert_int_equal(missing(f), 0); /* the marks of before count */
        (void) detector_close(d);
}

static void test_a_position_that_no_longer_fits(void **state) {
        Fixture *f = *state;
        Detector *d;

        SOURCE_SET(f, {"1", "A"});
        f->plan.position = "9";
        d = open_detector(f);
        assert_false(detector_resumed(d));
        next(f, d);
        assert_counts(f, 1, 1, 0);
        (void) detector_close(d);
}

static void test_the_reader_gets_the_plan(void **state) {
        Fixture *f = *state;

        SOURCE_SET(f, {"1", "A"});
        f->plan.scope = READ_WATERMARK;
        f->plan.low = value_integer(5);
        f->plan.high = value_integer(9);
        run(f, 1);
        assert_int_equal(f->source.plan.scope, READ_WATERMARK);
        assert_int_equal(f->source.plan.low.integer, 5);
        assert_int_equal(f->source.plan.high.integer, 9);
        assert_ptr_equal(f->source.plan.mapping, &mapping);
        assert_ptr_equal(f->source.plan.pair, &f->pair);
}

/* Never skipped: a scan with a hole would look like deletes. */
static void test_a_record_that_cannot_be_read_fails_the_scan(void **state) {
        Fixture *f = *state;
        Detector *d;

        SOURCE_SET(f, {"1", "A"}, {"2", "B"});
        f->source.failing_record = 1;
        d = open_detector(f);
        assert_int_equal(detect_next(d, &f->batch, &f->n_unkeyed, &f->error),
                         error_errno(ERROR_FILE_FORMAT));
        assert_string_equal(f->error.detail, "Record 1 has three fields");
        assert_string_equal(f->error.remedy, "Mend the file.");
        (void) detector_close(d);
}

static void test_empty_source(void **state) {
        Fixture *f = *state;

        source_set(f, NULL, 0);
        run(f, 0);
        assert_counts(f, 0, 0, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_first_run_gives_everything),
                TEST(test_unchanged_records_do_not_go_on),
                TEST(test_changed_new_and_gone),
                TEST(test_a_changed_mapping_changes_every_record),
                TEST(test_duplicates_in_one_batch),
                TEST(test_duplicates_across_batches),
                TEST(test_duplicates_of_a_batch_that_is_not_recorded_yet),
                TEST(test_duplicates_of_known_records),
                TEST(test_records_without_a_key_are_held),
                TEST(test_a_key_with_a_warning_is_usable),
                TEST(test_settled_rows_are_not_counted_twice),
                TEST(test_two_settled_batches),
                TEST(test_batch_zero_is_counted),
                TEST(test_unchanged_records_are_delivered_on_request),
                TEST(test_settled_rows_are_delivered_though_not_counted),
                TEST(test_resume),
                TEST(test_a_position_that_no_longer_fits),
                TEST(test_the_reader_gets_the_plan),
                TEST(test_a_record_that_cannot_be_read_fails_the_scan),
                TEST(test_empty_source),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
