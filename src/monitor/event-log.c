/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/event-log.h"

#include <ctype.h>
#include <systemd/sd-journal.h>
#include <time.h>

#include "basic/json.h"
#include "basic/log-ids.h"
#include "basic/text.h"

#define LINE_BYTES_MAX (64U * 1024U) /* of one field; longer ones are cut */

static const char *const fields[] = {
#define X(name) name,
        LOG_FIELDS(X)
#undef X
};

static uint64_t now_usec(void) {
        struct timespec t;

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000U + (uint64_t) t.tv_nsec / 1000U;
}

static int no_journal(Error *error, const char *why, const char *remedy) {
        return error_set(error, ERROR_NO_JOURNAL, remedy, "The journal cannot be read: %s", why);
}

/* Opening succeeds, too, where nothing can be read: an empty list would be a lie. */
static bool has_files(sd_journal *j, const char *directory) {
        if (directory)
                return sd_journal_seek_head(j) >= 0 && sd_journal_next(j) > 0;
        return sd_journal_has_runtime_files(j) > 0 || sd_journal_has_persistent_files(j) > 0;
}

static int journal_open_at(const char *directory, sd_journal **ret, Error *error) {
        int r;

        r = directory ? sd_journal_open_directory(ret, directory, 0)
                      : sd_journal_open(ret, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
        if (r < 0)
                return no_journal(error, strerror(-r), "See that systemd-journald runs on this machine");
        (void) sd_journal_set_data_threshold(*ret, LINE_BYTES_MAX);
        if (!has_files(*ret, directory))
                return no_journal(
                        error, "no file of it is there, or is readable for the service's user",
                        "Run the service's unit with SupplementaryGroups=systemd-journal, as it is shipped");
        return 0;
}

static int match_add(sd_journal *j, const char *field, const char *before, const char *id,
                     const char *after) {
        _cleanup_free_ char *match = NULL;
        int r;

        if (asprintf(&match, "%s=%s%s%s", field, before, id, after) < 0) {
                match = NULL;
                return -ENOMEM;
        }
        r = sd_journal_add_match(j, match, 0);
        return r < 0 ? r : sd_journal_add_disjunction(j);
}

/* What we logged of it, what its worker wrote besides, and what systemd said of the worker's unit. */
static int matches_add(sd_journal *j, const char *id) {
        int r;

        r = match_add(j, "OPERATION_ID", "", id, "");
        if (r >= 0)
                r = match_add(j, "_SYSTEMD_UNIT", "terrafusion-operation@", id, ".service");
        return r < 0 ? r : match_add(j, "UNIT", "terrafusion-operation@", id, ".service");
}

static int put_field(sd_journal *j, const char *field, const char *name, json_t *line) {
        const char *bytes, *equals;
        size_t size;

        if (sd_journal_get_data(j, field, (const void **) &bytes, &size) < 0)
                return 0;
        equals = memchr(bytes, '=', size);
        if (!equals)
                return 0;
        equals++;
        return json_put(line, name, json_text_n(equals, size - (size_t) (equals - bytes)));
}

static int put_number(sd_journal *j, const char *field, const char *name, json_t *line) {
        const char *text;
        int64_t number;
        int r;

        r = put_field(j, field, name, line);
        text = json_member_text(line, name);
        if (r < 0 || !text)
                return r;
        return json_put(line, name,
                        text_to_int64(text, 0, INT64_MAX, &number) >= 0 ? json_integer(number)
                                                                        : json_null());
}

static int line_read(sd_journal *j, json_t **ret) {
        json_auto_t *line = json_object();
        _cleanup_free_ char *cursor = NULL;
        uint64_t usec = 0;
        int r;

        r = sd_journal_get_cursor(j, &cursor);
        if (r >= 0)
                r = sd_journal_get_realtime_usec(j, &usec);
        if (r < 0)
                return r;
        if (json_put(line, "cursor", json_text(cursor)) < 0 ||
            json_put(line, "time", json_timestamp((int64_t) usec)) < 0 ||
            put_number(j, "PRIORITY", "priority", line) < 0 ||
            put_field(j, "MESSAGE", "message", line) < 0 ||
            put_field(j, "SYSLOG_IDENTIFIER", "identifier", line) < 0 ||
            put_number(j, "_PID", "pid", line) < 0)
                return -ENOMEM;
        for (size_t i = 0; i < ELEMENTSOF(fields); i++) {
                char name[32] = "";

                for (size_t k = 0; fields[i][k] && k + 1 < sizeof(name); k++)
                        name[k] = (char) tolower((unsigned char) fields[i][k]);
                if (put_field(j, fields[i], name, line) < 0)
                        return -ENOMEM;
        }
        *ret = TAKE_PTR(line);
        return 0;
}

/* To the line before the first wanted one. */
static int seek(sd_journal *j, const char *cursor, Error *error) {
        int r;

        if (!cursor)
                return sd_journal_seek_head(j);
        r = sd_journal_seek_cursor(j, cursor);
        if (r < 0) {
                (void) error_set(error, ERROR_ARGUMENT, "Give the cursor of a line as it came",
                                 "\"%.80s\" is no cursor of the journal", cursor);
                return error_field(error, "cursor");
        }
        r = sd_journal_next(j);
        if (r > 0 && sd_journal_test_cursor(j, cursor) <= 0)
                (void) sd_journal_previous(j); /* that line is gone: from the one after it */
        return r < 0 ? r : 0;
}

static int lines_read(sd_journal *j, unsigned limit, json_t *lines, bool *ret_more) {
        uint64_t until = now_usec() + EVENT_LOG_USEC;
        int r;

        *ret_more = false;
        while ((r = sd_journal_next(j)) > 0) {
                json_t *line = NULL;

                *ret_more = json_array_size(lines) >= limit || now_usec() > until;
                if (*ret_more)
                        return 0;
                r = line_read(j, &line);
                if (r == -ENOENT || r == -EBADMSG)
                        continue; /* rotated away, or damaged: the next one may be whole */
                if (r < 0 || json_array_append_new(lines, line) < 0)
                        return r < 0 ? r : -ENOMEM;
        }
        return r;
}

int event_log_read(const char *directory, const char *operation_id, const char *cursor, unsigned limit,
                   json_t **ret, bool *ret_more, Error *error) {
        json_auto_t *lines = json_array();
        sd_journal *j = NULL;
        int r;

        r = journal_open_at(directory, &j, error);
        if (r >= 0)
                r = matches_add(j, operation_id);
        if (r >= 0)
                r = seek(j, cursor, error);
        if (r >= 0)
                r = lines_read(j, limit, lines, ret_more);
        sd_journal_close(j);
        if (r < 0)
                return error->id != ERROR_NONE
                               ? r
                               : no_journal(error, strerror(-r),
                                            "Look whether it is damaged: journalctl --verify");
        if (*ret_more && json_array_size(lines) == 0)
                return error_set(error, ERROR_UNAVAILABLE, "Ask again in a moment",
                                 "The journal took longer than %u s", EVENT_LOG_USEC / 1000000U);
        *ret = TAKE_PTR(lines);
        return 0;
}
