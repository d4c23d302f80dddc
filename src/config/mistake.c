/* SPDX-License-Identifier: Apache-2.0 */
#include "config/mistake.h"
#include "basic/limits.h"
#include "basic/text.h"
#include <stdarg.h>

void mistakes_done(Mistakes *m) {
        for (size_t i = 0; i < m->n_errors; i++)
                error_done(&m->errors[i]);
        free(m->errors);
        *m = (Mistakes){};
}

void mistake_add(Mistakes *m, ErrorId id, const char *file, Mark place, const char *remedy,
                 const char *format, ...) {
        _cleanup_free_ char *detail = NULL;
        va_list arguments;
        int n;

        va_start(arguments, format);
        n = vasprintf(&detail, format, arguments);
        va_end(arguments);
        if (n < 0)
                detail = NULL;
        if (!detail || m->n_errors >= CONFIG_MISTAKES_MAX ||
            array_grow(&m->errors, &m->capacity, m->n_errors + 1, sizeof *m->errors) < 0) {
                m->n_more++;
                return;
        }
        m->errors[m->n_errors] = (Error){};
        (void) error_set(&m->errors[m->n_errors], id, remedy, "%s", detail);
        (void) error_at(&m->errors[m->n_errors++], file, place.line, place.column);
}

void mistakes_print(const Mistakes *m, FILE *file) {
        for (size_t i = 0; i < m->n_errors; i++) {
                _cleanup_free_ char *text = error_to_text(&m->errors[i]);
                (void) fprintf(file, "%s\n", text ? text : error_title(m->errors[i].id));
        }
        if (m->n_more > 0)
                (void) fprintf(file, "%zu more mistakes are not listed.\n", m->n_more);
}

json_t *mistakes_to_json(const Mistakes *m) {
        json_auto_t *array = json_array();

        for (size_t i = 0; i < m->n_errors; i++) {
                json_t *object = NULL;
                if (error_to_json(&m->errors[i], &object) < 0 || json_array_append_new(array, object) < 0)
                        return NULL;
        }
        return TAKE_PTR(array);
}

static int place_compare(const void *a, const void *b) {
        const Error *left = a, *right = b;

        if (left->line != right->line)
                return left->line < right->line ? -1 : 1;
        return (left->column > right->column) - (left->column < right->column);
}

void mistakes_sort(Mistakes *m, size_t from) {
        if (from < m->n_errors)
                qsort(m->errors + from, m->n_errors - from, sizeof *m->errors, place_compare);
}

int mistakes_to_error(const Mistakes *m, size_t from, Error *error) {
        size_t n_others = mistakes_count(m) - from;
        const Error *first = m->errors + from;

        if (n_others == 0)
                return 0;
        n_others--;
        if (from >= m->n_errors)
                return error_set(error, ERROR_CONFIGURATION, NULL, "There are too many mistakes to list");
        if (n_others == 0)
                (void) error_set(error, first->id, first->remedy, "%s", first->detail);
        else
                (void) error_set(error, first->id, first->remedy, "%s (and %zu more %s)", first->detail,
                                 n_others, n_others == 1 ? "mistake" : "mistakes");
        return error_at(error, first->file, first->line, first->column);
}
