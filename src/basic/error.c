/* SPDX-License-Identifier: Apache-2.0 */
#include "basic/error.h"

#include <errno.h>
#include <stdarg.h>

#include "basic/json.h"
#include "basic/text.h"

typedef struct ErrorRow {
        const char *code, *dbus_name, *title;
        int number, http_status, exit_status;
        ErrorClass class;
} ErrorRow;

static const ErrorRow rows[_ERROR_ID_MAX] = {
#define X(id, code_, errno_, class_, http_, dbus_, exit_, title_)                                           \
        [id] = { .code = code_,                                                                             \
                 .dbus_name = "org.terrafusion.Error." dbus_,                                               \
                 .title = title_,                                                                           \
                 .number = errno_,                                                                          \
                 .http_status = http_,                                                                      \
                 .exit_status = exit_,                                                                      \
                 .class = ERROR_CLASS_##class_ },
        ERROR_CODES(X)
#undef X
};

static const ErrorRow *error_row(ErrorId id) {
        /* An id out of range is a bug of ours, yet an error path is the wrong place to die of it. */
        return id > ERROR_NONE && id < _ERROR_ID_MAX ? &rows[id] : &rows[ERROR_INTERNAL];
}

void error_copy(Error *to, const Error *from) {
        Error copy = *from;

        copy.detail = from->detail ? strdup(from->detail) : NULL;
        copy.remedy = from->remedy ? strdup(from->remedy) : NULL;
        copy.field = from->field ? strdup(from->field) : NULL;
        copy.file = from->file ? strdup(from->file) : NULL;
        error_done(to);
        *to = copy;
}

const char *error_code(ErrorId id) {
        return error_row(id)->code;
}

const char *error_title(ErrorId id) {
        return error_row(id)->title;
}

const char *error_dbus_name(ErrorId id) {
        return error_row(id)->dbus_name;
}

int error_errno(ErrorId id) {
        return -error_row(id)->number;
}

int error_http_status(ErrorId id) {
        return error_row(id)->http_status;
}

int error_exit_status(ErrorId id) {
        return error_row(id)->exit_status;
}

ErrorClass error_class(ErrorId id) {
        return error_row(id)->class;
}

ErrorId error_from_code(const char *code) {
        for (ErrorId id = ERROR_NONE + 1; id < _ERROR_ID_MAX; id++)
                if (text_equal(rows[id].code, code))
                        return id;
        return ERROR_NONE;
}

ErrorId error_from_errno(int r) {
        /* Numbers that several rows share, and numbers of system calls that no row has. */
        static const struct {
                int number;
                ErrorId id;
        } chosen[] = {
                { EIO, ERROR_IO },                      { EINVAL, ERROR_ARGUMENT },
                { ENOENT, ERROR_NOT_FOUND },            { EEXIST, ERROR_CONFLICT },
                { ECANCELED, ERROR_CANCELLED },         { EACCES, ERROR_FORBIDDEN },
                { EDQUOT, ERROR_DISK_FULL },            { E2BIG, ERROR_TOO_LARGE },
                { ETIMEDOUT, ERROR_SYSTEM_UNAVAILABLE },{ EHOSTUNREACH, ERROR_SYSTEM_UNAVAILABLE },
                { ENETUNREACH, ERROR_SYSTEM_UNAVAILABLE }, { ECONNRESET, ERROR_SYSTEM_UNAVAILABLE },
                { ECONNREFUSED, ERROR_NOT_CONNECTED },  { EPIPE, ERROR_NOT_CONNECTED },
                { EMFILE, ERROR_TOO_MANY },             { ENFILE, ERROR_TOO_MANY },
        };

        for (size_t i = 0; i < ELEMENTSOF(chosen); i++)
                if (chosen[i].number == -r)
                        return chosen[i].id;
        for (ErrorId id = ERROR_NONE + 1; id < _ERROR_ID_MAX; id++)
                if (rows[id].number == -r)
                        return id;
        return ERROR_INTERNAL;
}

void error_done(Error *e) {
        if (!e)
                return;
        free(e->detail);
        free(e->remedy);
        free(e->field);
        free(e->file);
        *e = (Error) {};
}

int error_set(Error *e, ErrorId id, const char *remedy, const char *format, ...) {
        va_list arguments;

        assert(id > ERROR_NONE && id < _ERROR_ID_MAX);
        if (!e || e->id != ERROR_NONE)
                return error_errno(id);
        e->id = id;
        va_start(arguments, format);
        /* Without memory the row's title stands in for the detail. */
        if (vasprintf(&e->detail, format, arguments) < 0)
                e->detail = NULL;
        va_end(arguments);
        if (remedy)
                e->remedy = strdup(remedy);
        return error_errno(id);
}

int error_at(Error *e, const char *file, unsigned line, unsigned column) {
        if (!e)
                return error_errno(ERROR_INTERNAL);
        if (file && !e->file)
                e->file = strdup(file);
        if (e->line == 0) {
                e->line = line;
                e->column = column;
        }
        return error_errno(e->id);
}

int error_field(Error *e, const char *field) {
        if (!e)
                return error_errno(ERROR_INTERNAL);
        if (field && !e->field)
                e->field = strdup(field);
        return error_errno(e->id);
}

void error_prefix(Error *e, const char *format, ...) {
        _cleanup_free_ char *prefix = NULL;
        char *detail;
        va_list arguments;
        int r;

        if (!e || e->id == ERROR_NONE)
                return;
        va_start(arguments, format);
        r = vasprintf(&prefix, format, arguments);
        va_end(arguments);
        if (r < 0) {
                prefix = NULL;
                return;
        }
        if (asprintf(&detail, "%s: %s", prefix, e->detail ? e->detail : error_title(e->id)) < 0)
                return;
        free(e->detail);
        e->detail = detail;
}

void error_move(Error *to, Error *from) {
        if (!from || to == from)
                return;
        if (to && to->id == ERROR_NONE) {
                error_done(to);
                *to = *from;
                *from = (Error) {};
                return;
        }
        error_done(from);
}

static char *place_to_text(const Error *e) {
        char *text = NULL;
        int r;

        if (!e->file && e->line == 0)
                return strdup("");
        if (!e->file)
                r = asprintf(&text, "line %u, column %u: ", e->line, e->column);
        else if (e->line == 0)
                r = asprintf(&text, "%s: ", e->file);
        else if (e->column == 0)
                r = asprintf(&text, "%s:%u: ", e->file, e->line);
        else
                r = asprintf(&text, "%s:%u:%u: ", e->file, e->line, e->column);
        return r < 0 ? NULL : text;
}

char *error_to_text(const Error *e) {
        _cleanup_free_ char *place = NULL;
        const char *detail;
        char *text;
        size_t size;

        assert(e);
        place = place_to_text(e);
        if (!place)
                return NULL;
        detail = e->detail ? e->detail : error_title(e->id);
        size = strlen(detail);
        if (size > 0 && detail[size - 1] == '.')
                size--; /* the sentence ends after its code */
        if (asprintf(&text, "%s%.*s (%s).%s%s", place, (int) size, detail, error_code(e->id),
                     e->remedy ? " " : "", e->remedy ? e->remedy : "") < 0)
                return NULL;
        return text;
}

static int text_put(json_t *object, const char *name, const char *text) {
        return text ? json_put(object, name, json_text(text)) : 0;
}

int error_to_json(const Error *e, json_t **ret) {
        json_auto_t *object = NULL;

        assert(e && ret);
        object = json_object();
        if (!object)
                return -ENOMEM;
        if (text_put(object, "code", error_code(e->id)) < 0 ||
            text_put(object, "title", error_title(e->id)) < 0 || text_put(object, "detail", e->detail) < 0 ||
            text_put(object, "remedy", e->remedy) < 0 || text_put(object, "field", e->field) < 0 ||
            text_put(object, "file", e->file) < 0)
                return -ENOMEM;
        if (e->line > 0 && json_put(object, "line", json_integer(e->line)) < 0)
                return -ENOMEM;
        if (e->column > 0 && json_put(object, "column", json_integer(e->column)) < 0)
                return -ENOMEM;
        *ret = TAKE_PTR(object);
        return 0;
}

static int member_copy(const json_t *object, const char *name, char **ret) {
        const char *text = json_member_text(object, name);

        if (!text)
                return 0;
        *ret = strdup(text);
        return *ret ? 0 : -ENOMEM;
}

static unsigned member_unsigned(const json_t *object, const char *name) {
        int64_t number = json_member_integer(object, name, 0);

        return number > 0 && number <= INT32_MAX ? (unsigned) number : 0;
}

int error_from_json(const json_t *object, Error *ret) {
        _cleanup_error_ Error e = {};
        const char *code;

        assert(ret);
        code = json_member_text(object, "code");
        if (!code)
                return -EBADMSG;
        e.id = error_from_code(code);
        if (e.id == ERROR_NONE)
                e.id = ERROR_INTERNAL; /* a newer program's code: its detail still tells */
        if (member_copy(object, "detail", &e.detail) < 0 || member_copy(object, "remedy", &e.remedy) < 0 ||
            member_copy(object, "field", &e.field) < 0 || member_copy(object, "file", &e.file) < 0)
                return -ENOMEM;
        e.line = member_unsigned(object, "line");
        e.column = member_unsigned(object, "column");
        *ret = e;
        e = (Error) {};
        return 0;
}
