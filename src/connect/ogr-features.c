/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/ogr-features.h"

#include "basic/limits.h"
#include "basic/text.h"

#define PIECE_SIZE 65536U

struct FeatureFile {
        int fd;
        const char *path;
        off_t offset;
        char piece[PIECE_SIZE];
        size_t at, end;
        uint64_t line, feature_line;
        TextBuffer value, crs;
        bool is_first, at_end;
};

FeatureFile *features_close(FeatureFile *f) {
        if (!f)
                return NULL;
        text_buffer_done(&f->value);
        text_buffer_done(&f->crs);
        free(f);
        return NULL;
}

static int fail(const FeatureFile *f, const char *what, Error *error) {
        (void) error_set(error, ERROR_FILE_FORMAT, "Let the program that writes it write it whole, as RFC 7946 has it", "\"%s\": %s", f->path, what);
        return error_at(error, f->path, (unsigned) f->line, 0);
}

/* The next byte, or EOF; -errno below that. */
static int byte_peek(FeatureFile *f) {
        ssize_t n;

        if (f->at < f->end)
                return (unsigned char) f->piece[f->at];
        n = pread(f->fd, f->piece, sizeof(f->piece), f->offset);
        if (n < 0)
                return errno == EINTR ? byte_peek(f) : -EIO - 1000;
        f->offset += n;
        f->at = 0;
        f->end = (size_t) n;
        return n == 0 ? EOF : (unsigned char) f->piece[0];
}

static void byte_skip(FeatureFile *f) { f->line += f->piece[f->at++] == '\n'; }

static int space_skip(FeatureFile *f) {
        int c;

        while ((c = byte_peek(f)) == ' ' || c == '\t' || c == '\n' || c == '\r')
                byte_skip(f);
        return c;
}

static int expect(FeatureFile *f, int wanted, const char *what, Error *error) {
        int c = space_skip(f);

        if (c != wanted)
                return c == EOF ? fail(f, "the file ends within the collection", error) : fail(f, what, error);
        byte_skip(f);
        return 0;
}

/* A whole value as its bytes; whether it is valid JSON is for who parses it. */
static int value_take(FeatureFile *f, TextBuffer *ret, Error *error) {
        bool in_text = false, escaped = false;
        unsigned depth = 0;
        int c = space_skip(f), r;

        text_buffer_reset(ret);
        for (;; c = byte_peek(f)) {
                char byte = (char) c;

                if (c < 0)
                        return fail(f, "the file ends within a value", error);
                if (!in_text && depth == 0 && ret->size > 0 && strchr(",]} \t\r\n", c))
                        return 0;
                r = text_buffer_add(ret, &byte, 1);
                if (r < 0)
                        return r;
                if (ret->size > RECORD_BYTES_MAX)
                        return fail(f, "a feature is larger than a record may be", error);
                byte_skip(f);
                if (in_text) {
                        in_text = escaped || byte != '"';
                        escaped = !escaped && byte == '\\';
                        if (!in_text && depth == 0)
                                return 0;
                        continue;
                }
                in_text = byte == '"';
                depth += byte == '{' || byte == '[';
                if ((byte == '}' || byte == ']') && (depth == 0 || --depth == 0))
                        return 0;
        }
}

/* The members before the features. */
static int members_pass(FeatureFile *f, Error *error) {
        _cleanup_free_ char *name = NULL;
        int r;

        for (;;) {
                r = value_take(f, &f->value, error);
                if (r < 0)
                        return r;
                if (f->value.size < 2 || f->value.bytes[0] != '"')
                        return fail(f, "a member's name is expected", error);
                free(name);
                name = strndup(f->value.bytes + 1, f->value.size - 2);
                if (!name)
                        return -ENOMEM;
                r = expect(f, ':', "a colon is expected", error);
                if (r < 0)
                        return r;
                if (text_equal(name, "features"))
                        return expect(f, '[', "\"features\" is no array", error);
                r = value_take(f, text_equal(name, "crs") ? &f->crs : &f->value, error);
                if (r < 0)
                        return r;
                if (space_skip(f) == '}')
                        return fail(f, "it has no \"features\": it is no FeatureCollection", error);
                r = expect(f, ',', "a comma is expected", error);
                if (r < 0)
                        return r;
        }
}

int features_open(int fd, const char *path, FeatureFile **ret, Error *error) {
        _cleanup_(features_closep) FeatureFile *f = calloc(1, sizeof(*f));
        int r;

        if (!f)
                return -ENOMEM;
        f->fd = fd;
        f->path = path;
        f->line = 1;
        f->is_first = true;
        if (byte_peek(f) == 0xEF && f->end >= 3) /* a byte order mark */
                f->at = 3;
        r = expect(f, '{', "it is no JSON object", error);
        if (r == 0)
                r = members_pass(f, error);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(f);
        return 0;
}

/* Behind the features: other members may follow, then nothing. */
static int rest_check(FeatureFile *f, Error *error) {
        int r = 0;

        f->at_end = true;
        while (r == 0 && space_skip(f) == ',') {
                byte_skip(f);
                r = value_take(f, &f->value, error);
                if (r == 0)
                        r = expect(f, ':', "a colon is expected", error);
                if (r == 0)
                        r = value_take(f, &f->value, error);
        }
        if (r == 0)
                r = expect(f, '}', "the collection does not end as it should", error);
        return r == 0 && space_skip(f) != EOF ? fail(f, "something follows the collection", error) : r;
}

int features_next(FeatureFile *f, const char **ret, size_t *ret_size, Error *error) {
        int c, r;

        if (f->at_end)
                return 0;
        c = space_skip(f);
        if (c == ']') {
                byte_skip(f);
                return rest_check(f, error);
        }
        if (!f->is_first) {
                r = expect(f, ',', "a comma between two features is expected", error);
                if (r < 0)
                        return r;
                c = space_skip(f);
        }
        f->is_first = false;
        f->feature_line = f->line;
        if (c != '{')
                return fail(f, c == EOF ? "the file ends within the collection" : "a feature is expected", error);
        r = value_take(f, &f->value, error);
        if (r < 0)
                return r;
        *ret = f->value.bytes;
        *ret_size = f->value.size;
        return 1;
}

const char *features_crs(const FeatureFile *f, size_t *ret_size) {
        *ret_size = f->crs.size;
        return f->crs.size > 0 ? f->crs.bytes : NULL;
}

uint64_t features_line(const FeatureFile *f) { return f->feature_line; }
