/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A source in memory: a number that is the identity, and a value. Ranges are cut, summed up and read as a database would. */
#include "../testing.h"
#include "detect/digest.h"

typedef struct NumbersRecord { int64_t id, value; } NumbersRecord;
typedef struct NumbersSource {
        Connection base;
        NumbersRecord records[400];     /* sorted by id */
        size_t n_records;
        size_t n_summed, n_read;        /* records that were looked at */
        bool by_key;
        ReadScope scope;                /* of the last reader */
} NumbersSource;
typedef struct NumbersReader {
        Reader base;
        NumbersSource *source;
        int64_t after, until;
        size_t at;
        bool keys_only;
} NumbersReader;

static inline int64_t numbers_bound(const char *bound, int64_t none) {
        _cleanup_arena_ Arena *arena = NULL;
        Value value;

        if (!bound)
                return none;
        assert_int_equal(arena_new(&arena), 0);
        assert_int_equal(key_bound_parse(bound, arena, &value, 1), 0);
        return value.integer;
}

static inline int numbers_range(Reader *reader, const KeyRange *range, Error *error) {
        NumbersReader *r = (NumbersReader *) reader;

        r->after = numbers_bound(range->after, INT64_MIN);
        r->until = numbers_bound(range->until, INT64_MAX);
        r->at = 0;
        return 0;
}

static inline int numbers_next(Reader *reader, Value *values, Error *error) {
        NumbersReader *r = (NumbersReader *) reader;

        for (; r->at < r->source->n_records; r->at++) {
                const NumbersRecord *record = r->source->records + r->at;

                if (record->id <= r->after || record->id > r->until)
                        continue;
                r->at++;
                r->source->n_read++;
                values[0] = value_integer(record->id);
                values[1] = r->keys_only ? VALUE_NONE : value_integer(record->value);
                return 1;
        }
        return 0;
}

static inline int numbers_plan(Reader *reader, const KeyRange *within, uint64_t n_records, KeyRanges *ret, Error *error) {
        _cleanup_free_ char *after = within->after ? strdup(within->after) : NULL;
        Value values[2];
        uint64_t n = 0;

        (void) numbers_range(reader, within, error);
        while (numbers_next(reader, values, error) > 0)
                if (++n % n_records == 0) {
                        char *until = key_bound_format(values, 1);

                        assert_int_equal(key_ranges_add(ret, after, until, NULL), 0);
                        free(after);
                        after = until;
                }
        return key_ranges_add(ret, after, within->until, NULL);
}

static inline int numbers_sum(Reader *reader, KeyRange *ranges, size_t n_ranges, Error *error) {
        NumbersReader *r = (NumbersReader *) reader;
        DigestScratch scratch = {};
        Value values[2];
        Digest digest;

        for (size_t i = 0; i < n_ranges; i++) {
                ranges[i].n_records = ranges[i].sums[0] = ranges[i].sums[1] = 0;
                (void) numbers_range(reader, ranges + i, error);
                while (numbers_next(reader, values, error) > 0) {
                        r->source->n_read--;
                        r->source->n_summed++;
                        assert_int_equal(values_digest(values, 2, 0, &scratch, &digest), 0);
                        key_range_add(ranges + i, &digest);
                }
        }
        free(scratch.bytes);
        return 0;
}

static inline int numbers_open(Connection *c, const ReadPlan *plan, Reader **ret, Error *error) {
        NumbersReader *r = calloc(1, sizeof(*r));

        assert_non_null(r);
        r->base = (Reader){c->connector};
        r->source = (NumbersSource *) c;
        r->source->scope = plan->scope;
        r->keys_only = plan->scope == READ_KEYS;
        r->after = INT64_MIN;
        r->until = plan->scope == READ_RANGES ? INT64_MIN : INT64_MAX;
        *ret = &r->base;
        return 0;
}

static inline void numbers_close(Reader *r) { free(r); }
static inline bool numbers_by_key(const Reader *r) { return ((const NumbersReader *) r)->source->by_key; }

static const Connector numbers_connector = {
        .kind = "numbers",
        .capabilities = CONNECTOR_READS,
        .strategies = DETECT_BIT(DETECT_FULL) | DETECT_BIT(DETECT_DIGEST),
        .reader_open = numbers_open,
        .reader_next = numbers_next,
        .reader_close = numbers_close,
        .reader_ranges_by_key = numbers_by_key,
        .ranges_plan = numbers_plan,
        .ranges_sum = numbers_sum,
        .reader_range = numbers_range,
};

static inline void numbers_fill(NumbersSource *source, size_t n) {
        *source = (NumbersSource){.base = {&numbers_connector}, .n_records = n, .by_key = true};
        for (size_t i = 0; i < n; i++)
                source->records[i] = (NumbersRecord){(int64_t) i * 10, (int64_t) i};
}
