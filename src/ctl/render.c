/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/render.h"

#include "basic/text.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/ioctl.h>

#define BAR_WIDTH 24U

static const json_t *member_find(const json_t *object, const char *member) {
        const char *dot = strchr(member, '.');
        _cleanup_free_ char *first = NULL;

        if (!dot)
                return json_object_get(object, member);
        first = strndup(member, (size_t) (dot - member));
        return first ? member_find(json_object_get(object, first), dot + 1) : NULL;
}

static bool looks_like_time(const char *text) {
        return strlen(text) >= 19 && text[4] == '-' && text[10] == 'T' && text[13] == ':' && text[16] == ':';
}

static char *render_text(const char *text) {
        char *copy = looks_like_time(text) ? strndup(text, 19) : strdup(text);

        if (copy && looks_like_time(text))
                copy[10] = ' ';
        /* A record's text may hold anything; a terminal is told nothing but letters. */
        for (char *p = copy; p && *p; p++)
                if ((unsigned char) *p < ' ' || *p == 127)
                        *p = ' ';
        return copy;
}

static char *render_value(const json_t *value);

static char *render_array(const json_t *array) {
        char *whole = NULL;
        size_t size = 0, i;
        const json_t *item;
        FILE *f = open_memstream(&whole, &size);

        if (!f)
                return NULL;
        json_array_foreach((json_t *) array, i, item) {
                _cleanup_free_ char *text = render_value(item);

                (void) fprintf(f, "%s%s", i > 0 ? ", " : "", text ? text : "");
        }
        (void) fclose(f);
        return whole;
}

static char *render_value(const json_t *value) {
        char *text = NULL;

        if (json_is_string(value))
                return render_text(json_string_value(value));
        if (json_is_array(value))
                return render_array(value);
        if (!value || json_is_null(value))
                return strdup("-");
        if (json_is_boolean(value))
                return strdup(json_is_true(value) ? "yes" : "no");
        if (json_is_integer(value))
                return asprintf(&text, "%" JSON_INTEGER_FORMAT, json_integer_value(value)) < 0 ? NULL : text;
        if (json_is_real(value))
                return asprintf(&text, "%.1f", json_real_value(value)) < 0 ? NULL : text;
        return json_dumps(value, JSON_COMPACT);
}

char *render_member(const json_t *object, const char *member) {
        return render_value(member_find(object, member));
}

static size_t text_width(const char *text) {
        return text_utf8_length(text, strlen(text));
}

static void cell_write(FILE *f, const char *text, size_t width, bool right, bool last) {
        size_t length = text_width(text), padding = width > length ? width - length : 0;

        if (right)
                (void) fprintf(f, "%*s%s", (int) padding, "", text);
        else
                (void) fprintf(f, "%s%*s", text, last ? 0 : (int) padding, "");
        if (!last)
                (void) fputs("  ", f);
}

/* At most n characters, never cutting one in two. */
static void text_cut(char *text, size_t n) {
        size_t n_characters = 0;

        for (char *p = text; *p; p++)
                if (((unsigned char) *p & 0xC0) != 0x80 && n_characters++ == n) {
                        *p = '\0';
                        return;
                }
}

static void columns_measure(const json_t *rows, const Column *columns, size_t n_columns, size_t *widths) {
        const json_t *row;
        size_t i;

        for (size_t c = 0; c < n_columns; c++)
                widths[c] = text_width(columns[c].heading);
        json_array_foreach((json_t *) rows, i, row)
                for (size_t c = 0; c < n_columns; c++) {
                        _cleanup_free_ char *text = render_member(row, columns[c].member);
                        size_t width = text ? text_width(text) : 0;

                        if (width > widths[c])
                                widths[c] = width;
                }
}

static void row_write(FILE *f, const json_t *row, const Column *columns, size_t n_columns, const size_t *widths, unsigned width) {
        size_t used = 0;

        for (size_t c = 0; c < n_columns; c++) {
                _cleanup_free_ char *text = row ? render_member(row, columns[c].member) : strdup(columns[c].heading);

                if (!text)
                        continue;
                if (c + 1 == n_columns && width > used)
                        text_cut(text, width - used);
                cell_write(f, text, widths[c], columns[c].right, c + 1 == n_columns && !columns[c].right);
                used += widths[c] + 2;
        }
        (void) fputc('\n', f);
}

void render_table(FILE *f, const json_t *rows, const Column *columns, size_t n_columns, unsigned width, const char *empty) {
        _cleanup_free_ size_t *widths = calloc(n_columns, sizeof(size_t));
        const json_t *row;
        size_t i;

        if (!widths)
                return;
        if (json_array_size(rows) == 0) {
                (void) fprintf(f, "%s\n", empty);
                return;
        }
        columns_measure(rows, columns, n_columns, widths);
        row_write(f, NULL, columns, n_columns, widths, width);
        json_array_foreach((json_t *) rows, i, row)
                row_write(f, row, columns, n_columns, widths, width);
}

unsigned render_width(FILE *f) {
        struct winsize size = { 0 };

        return isatty(fileno(f)) && ioctl(fileno(f), TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

bool render_colours(FILE *f) {
        const char *no = getenv("NO_COLOR");

        return isatty(fileno(f)) && (!no || !*no);
}

void render_progress(FILE *f, const char *label, int64_t n_done, int64_t n_total, unsigned width) {
        unsigned filled = n_total > 0 && n_done < n_total ? (unsigned) (n_done * BAR_WIDTH / n_total) : n_total > 0 ? BAR_WIDTH : 0;
        _cleanup_free_ char *line = NULL;
        char bar[BAR_WIDTH + 1];

        for (unsigned i = 0; i < BAR_WIDTH; i++)
                bar[i] = i < filled ? '#' : '-';
        bar[BAR_WIDTH] = '\0';
        if (n_total > 0 ? asprintf(&line, "%s  [%s]  %3d %%  %" PRId64 " of %" PRId64, label, bar,
                                   n_done < n_total ? (int) (n_done * 100 / n_total) : 100, n_done, n_total) < 0
                        : asprintf(&line, "%s  %" PRId64 " records", label, n_done) < 0)
                return;
        if (width > 1)
                text_cut(line, width - 1);
        (void) fprintf(f, "\r%s\033[K", line);
        (void) fflush(f);
}
