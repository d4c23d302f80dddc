/* SPDX-License-Identifier: Apache-2.0 */
#include "basic/log.h"

#include <stdarg.h>
#include <sys/stat.h>
#include <sys/uio.h>
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "basic/text.h"
#include "basic/timestamp.h"

#define PAIRS_MAX 16U /* the list of field names has fewer */
#define CONTEXT_MAX 8U

static const char *const id_texts[_LOG_ID_MAX] = {
#define X(id, uuid) [id] = uuid,
        LOG_IDS(X)
#undef X
};

static const struct {
        const char *name;
        int level;
} levels[] = {
        { "debug", LOG_DEBUG },     { "info", LOG_INFO }, { "notice", LOG_NOTICE },
        { "warning", LOG_WARNING }, { "error", LOG_ERR },
};

static int level_max = LOG_INFO;
static const char *program_name;
static bool to_journal;

/* systemd says in JOURNAL_STREAM which device and inode is the journal's stream; a redirected stderr is
 * another. */
static bool stderr_is_journal(void) {
        const char *stream = getenv("JOURNAL_STREAM");
        _cleanup_free_ char *own = NULL;
        struct stat status;

        if (!stream || fstat(STDERR_FILENO, &status) < 0)
                return false;
        if (asprintf(&own, "%ju:%ju", (uintmax_t) status.st_dev, (uintmax_t) status.st_ino) < 0) {
                own = NULL;
                return false;
        }
        return text_equal(stream, own);
}

void log_open(const char *program) {
        const char *level = getenv("LOG_LEVEL");

        program_name = program;
        to_journal = stderr_is_journal();
        if (level && log_set_level(level) < 0)
                log_warning("LOG_LEVEL is \"%s\", which is no level; \"%s\" stays. "
                            "Use debug, info, notice, warning or error.", level, log_level_name());
}

int log_set_level(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(levels); i++)
                if (text_equal_ignoring_case(levels[i].name, name)) {
                        level_max = levels[i].level;
                        return 0;
                }
        return -EINVAL;
}

static const char *level_to_name(int level) {
        for (size_t i = 0; i < ELEMENTSOF(levels); i++)
                if (levels[i].level == level)
                        return levels[i].name;
        return level < LOG_ERR ? "error" : "info";
}

const char *log_level_name(void) {
        return level_to_name(level_max);
}

typedef struct Pair {
        const char *name, *value;
} Pair;

static struct {
        const char *name;
        char *value;
} context[CONTEXT_MAX];

bool log_is_journal(void) {
        return to_journal;
}

const char *log_id_text(LogId id) {
        return id > MESSAGE_NONE && id < _LOG_ID_MAX ? id_texts[id] : NULL;
}

void log_context_set(const char *field, const char *value) {
        size_t i = 0;

        while (i < CONTEXT_MAX - 1 && context[i].name && !text_equal(context[i].name, field))
                i++;
        free(context[i].value);
        context[i].name = field;
        context[i].value = value ? strdup(value) : NULL;
}

/* Behind what the event gives itself. */
static size_t context_add(Pair *pairs, size_t n_pairs) {
        size_t n_given = n_pairs;

        for (size_t i = 0; i < CONTEXT_MAX; i++) {
                bool is_given = !context[i].value;

                for (size_t k = 0; k < n_given; k++)
                        is_given |= text_equal(pairs[k].name, context[i].name);
                if (!is_given && n_pairs < PAIRS_MAX)
                        pairs[n_pairs++] = (Pair) { context[i].name, context[i].value };
        }
        return n_pairs;
}

static void quoted_print(FILE *line, const char *text) {
        fputc('"', line);
        for (const char *c = text; *c; c++)
                if (*c == '"' || *c == '\\')
                        fprintf(line, "\\%c", *c);
                else if (*c == '\n')
                        fputs("\\n", line);
                else if ((unsigned char) *c < 0x20 || *c == 0x7F)
                        fprintf(line, "\\x%02x", (unsigned) *c); /* a terminal obeys no record's content */
                else
                        fputc(*c, line);
        fputc('"', line);
}

static void value_print(FILE *line, const char *text) {
        for (const char *c = text; *c; c++)
                if ((unsigned char) *c <= 0x20 || *c == '"' || *c == '=' || *c == '\\' || *c == 0x7F) {
                        quoted_print(line, text);
                        return;
                }
        fputs(*text ? text : "\"\"", line);
}

static void stderr_write(int level, LogId id, const char *message, const Pair *pairs, size_t n_pairs) {
        _cleanup_free_ char *bytes = NULL;
        char time_text[TIMESTAMP_TEXT_MAX];
        size_t size = 0;
        FILE *line = open_memstream(&bytes, &size);

        if (!line)
                return;
        (void) timestamp_format(timestamp_now(), time_text);
        fprintf(line, "time=%s", time_text);
        if (program_name) {
                fputs(" program=", line);
                value_print(line, program_name);
        }
        fprintf(line, " level=%s message=", level_to_name(level));
        quoted_print(line, message);
        if (id != MESSAGE_NONE)
                fprintf(line, " MESSAGE_ID=%s", id_texts[id]);
        for (size_t i = 0; i < n_pairs; i++) {
                fprintf(line, " %s=", pairs[i].name);
                value_print(line, pairs[i].value);
        }
        fputc('\n', line);
        /* One write, so that lines of several processes do not mix. */
        if (fclose(line) == 0 && write(STDERR_FILENO, bytes, size) < 0)
                return; /* nobody is left to tell */
}

static int field_print(char **place, const char *name, const char *value) {
        if (asprintf(place, "%s=%s", name, value) < 0) {
                *place = NULL;
                return -ENOMEM;
        }
        return 0;
}

static int journal_write(int level, LogId id, const char *message, const Pair *pairs, size_t n_pairs) {
        char *texts[PAIRS_MAX + 4] = {};
        struct iovec fields[PAIRS_MAX + 4];
        size_t n = 0;
        int r;

        r = field_print(&texts[n++], "MESSAGE", message);
        if (r == 0)
                r = asprintf(&texts[n++], "PRIORITY=%i", level) < 0 ? -ENOMEM : 0;
        if (r == 0)
                r = field_print(&texts[n++], "SYSLOG_IDENTIFIER",
                                program_name ? program_name : "terrafusion");
        if (r == 0 && id != MESSAGE_NONE)
                r = field_print(&texts[n++], "MESSAGE_ID", id_texts[id]);
        for (size_t i = 0; r == 0 && i < n_pairs; i++)
                r = field_print(&texts[n++], pairs[i].name, pairs[i].value);
        if (r == 0) {
                for (size_t i = 0; i < n; i++)
                        fields[i] = (struct iovec) { texts[i], strlen(texts[i]) };
                r = sd_journal_sendv(fields, (int) n);
        }
        for (size_t i = 0; i < n; i++)
                free(texts[i]);
        return r;
}

static void event_write(int level, LogId id, const char *message, const Pair *given, size_t n_pairs) {
        Pair pairs[PAIRS_MAX];

        if (n_pairs > 0)
                memcpy(pairs, given, n_pairs * sizeof(Pair));
        n_pairs = context_add(pairs, n_pairs);
        if (to_journal && journal_write(level, id, message, pairs, n_pairs) >= 0)
                return;
        stderr_write(level, id, message, pairs, n_pairs);
}

void log_event(int level, LogId id, const char *message, ...) {
        Pair pairs[PAIRS_MAX];
        size_t n_pairs = 0;
        const char *name;
        va_list arguments;

        if (level > level_max)
                return;
        va_start(arguments, message);
        while ((name = va_arg(arguments, const char *))) {
                const char *value = va_arg(arguments, const char *);

                if (value && n_pairs < PAIRS_MAX)
                        pairs[n_pairs++] = (Pair) { name, value };
        }
        va_end(arguments);
        event_write(level, id, message, pairs, n_pairs);
}

void log_text(int level, const char *format, ...) {
        _cleanup_free_ char *message = NULL;
        va_list arguments;
        int n;

        if (level > level_max)
                return;
        va_start(arguments, format);
        n = vasprintf(&message, format, arguments);
        va_end(arguments);
        if (n < 0)
                message = NULL;
        event_write(level, MESSAGE_NONE, message ? message : format, NULL, 0);
}

int log_error(LogId id, const Error *error, const char *format, ...) {
        _cleanup_free_ char *prefix = NULL, *text = NULL, *message = NULL;
        va_list arguments;
        int n;

        assert(error);
        va_start(arguments, format);
        n = vasprintf(&prefix, format, arguments);
        va_end(arguments);
        if (n < 0)
                prefix = NULL;
        text = error_to_text(error);
        if (!prefix || !text || asprintf(&message, "%s: %s", prefix, text) < 0)
                message = NULL;
        if (LOG_ERR <= level_max)
                event_write(LOG_ERR, id, message ? message : error_title(error->id), NULL, 0);
        return error_errno(error->id);
}

int log_errno(int r, const char *format, ...) {
        _cleanup_free_ char *message = NULL;
        va_list arguments;
        int n;

        va_start(arguments, format);
        n = vasprintf(&message, format, arguments);
        va_end(arguments);
        if (n < 0)
                message = NULL;
        errno = r < 0 ? -r : r;
        log_text(LOG_ERR, "%s: %m", message ? message : format);
        return r;
}
