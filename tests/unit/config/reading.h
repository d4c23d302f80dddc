/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What config's tests share: systems without files, one mapping text, and what its mistakes say. */
#include "../testing.h"
#include "config/pair-file.h"

static System pacs = {
        .name = (char *) "pacs", .kind = (char *) "sqlite", .file = (char *) "t.yaml", .line = 7};
static System cama = {.name = (char *) "cama", .kind = (char *) "sqlite", .may_write = true};
static System *systems[] = {&pacs, &cama};
static const Settings settings = {.systems = systems, .n_systems = 2};

/* A pair whose entity "parcel" has these lines, each indented by four spaces. */
#define PAIR_HEAD                                                                                \
        "pair: p\nsource: pacs\ntarget: cama\nvariables: {tax_year: 1996, county: Lucas, code: " \
        "\"01\"}\nentities:\n  parcel:\n"
#define PAIR_HEAD_LINES 6U

static inline int pair_read_text(const char *text, const char *file, Pair **ret, Mistakes *mistakes) {
        PairPlaces places;

        return pair_parse(text, strlen(text), file, &settings, ret, &places, mistakes);
}

/* The text has no mistake; the pair is the caller's. */
static inline Pair *pair_good(const char *text) {
        _cleanup_mistakes_ Mistakes mistakes = {};
        Pair *pair = NULL;
        int r;

        r = pair_read_text(text, "p.yaml", &pair, &mistakes);
        mistakes_print(&mistakes, stderr);
        assert_int_equal(r, 1);
        assert_int_equal(mistakes_count(&mistakes), 0);
        return pair;
}

/* The text has exactly these mistakes, as they are printed. */
static inline void pair_bad(const char *text, const char *expected) {
        _cleanup_mistakes_ Mistakes mistakes = {};
        _cleanup_pair_ Pair *pair = NULL;
        char *printed = NULL;
        size_t size;
        FILE *stream;

        assert_int_equal(pair_read_text(text, "p.yaml", &pair, &mistakes), 0);
        stream = open_memstream(&printed, &size);
        assert_non_null(stream);
        mistakes_print(&mistakes, stream);
        assert_int_equal(fclose(stream), 0);
        assert_string_equal(printed, expected);
        free(printed);
}
