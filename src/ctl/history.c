/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/history.h"

#include "basic/json.h"
#include "ctl/render.h"

#include <errno.h>
#include <syslog.h>

#define PAGE 1000

static int print_json(const json_t *document) {
        if (json_dumpf(document, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY) < 0)
                return -EIO;
        (void) fputc('\n', stdout);
        return EXIT_SUCCESS;
}

static json_t *page_arguments(const Options *o, const char *id) {
        return json_pack("{s:s, s:I}", "id", id, "limit", (json_int_t) (o->limit > 0 ? o->limit : PAGE));
}

/* ---- log ---- */
/* As journalctl prints them: what is worse stands out. */
static void line_print(const json_t *line, bool colours) {
        _cleanup_free_ char *time = render_member(line, "time"), *message = render_member(line, "message"),
                            *identifier = render_member(line, "identifier");
        int64_t priority = json_member_integer(line, "priority", LOG_INFO);
        const char *on = "";

        if (colours)
                on = priority <= LOG_ERR       ? "\033[1;31m"
                     : priority == LOG_WARNING ? "\033[1;33m"
                     : priority == LOG_NOTICE  ? "\033[1m"
                                               : "";
        (void) printf("%s  %s: %s%s%s\n", time ? time : "", identifier ? identifier : "", on,
                      message ? message : "", *on ? "\033[0m" : "");
}

static int log_show(Client *c, const Options *o, const char *id, Error *error) {
        json_auto_t *args = page_arguments(o, id), *lines = NULL;
        bool colours = render_colours(stdout);
        const json_t *line;
        size_t i, n = 0;
        int r;

        for (;;) {
                const char *cursor;

                json_decref(lines);
                lines = NULL;
                r = args ? client_call(c, COMMAND_OPERATION_LOG, args, &lines, error) : -ENOMEM;
                if (r < 0 || o->json)
                        return r < 0 ? r : print_json(lines);
                json_array_foreach(lines, i, line) line_print(line, colours);
                n += json_array_size(lines);
                cursor = json_member_text(json_array_get(lines, json_array_size(lines) - 1), "cursor");
                if (!cursor || o->limit > 0)
                        break;
                r = json_put(args, "cursor", json_string(cursor));
                if (r < 0)
                        return r;
        }
        if (n == 0)
                (void) puts("The journal has no line of this operation (any more).");
        return EXIT_SUCCESS;
}

/* ---- changes ---- */
static int change_rows(json_t *rows, const json_t *change) {
        json_t *fields = json_object_get(change, "fields"), *value;
        const char *name;

        if (json_object_size(fields) == 0)
                return json_array_append(rows, (json_t *) change);
        json_object_foreach(
                fields, name,
                value) if (json_array_append_new(rows,
                                                 json_pack("{s:O?, s:O?, s:O?, s:s, s:O?, s:O?}", "entity",
                                                           json_object_get(change, "entity"), "key",
                                                           json_object_get(change, "key"), "kind",
                                                           json_object_get(change, "kind"), "field", name,
                                                           "before", json_object_get(value, "before"),
                                                           "after", json_object_get(value, "after"))) <
                           0) return -ENOMEM;
        return 0;
}

static int changes_show(Client *c, const Options *o, const char *id, Error *error) {
        static const Column columns[] = {
                {"ENTITY", "entity", false}, {"KEY", "key", false},       {"CHANGE", "kind", false},
                {"FIELD", "field", false},   {"BEFORE", "before", false}, {"AFTER", "after", false},
        };
        json_auto_t *args = page_arguments(o, id), *changes = NULL, *rows = json_array();
        const json_t *change;
        size_t i;
        int r;

        r = args && rows ? client_call(c, COMMAND_OPERATION_CHANGES, args, &changes, error) : -ENOMEM;
        if (r < 0 || o->json)
                return r < 0 ? r : print_json(changes);
        json_array_foreach(changes, i, change) {
                r = change_rows(rows, change);
                if (r < 0)
                        return -ENOMEM;
        }
        render_table(stdout, rows, columns, ELEMENTSOF(columns), render_width(stdout),
                     "It changed nothing.");
        if (json_array_size(changes) == (size_t) (o->limit > 0 ? o->limit : PAGE))
                (void) printf("There may be more than these %zu.\n", json_array_size(changes));
        return EXIT_SUCCESS;
}

/* ---- findings ---- */
static int findings_show(Client *c, const Options *o, const char *id, Error *error) {
        static const Column columns[] = {
                {"ENTITY", "entity", false},   {"KEY", "key", false},     {"SEVERITY", "severity", false},
                {"FIELD", "field", false},     {"VALUE", "value", false}, {"RULE", "rule", false},
                {"MESSAGE", "message", false},
        };
        json_auto_t *args = page_arguments(o, id), *rows = NULL;
        int r;

        r = args ? client_call(c, COMMAND_OPERATION_FINDINGS, args, &rows, error) : -ENOMEM;
        if (r < 0 || o->json)
                return r < 0 ? r : print_json(rows);
        render_table(stdout, rows, columns, ELEMENTSOF(columns), render_width(stdout), "It found nothing.");
        return EXIT_SUCCESS;
}

int history_show(Client *c, const Options *o, const char *id, Error *error) {
        return o->log       ? log_show(c, o, id, error)
               : o->changes ? changes_show(c, o, id, error)
                            : findings_show(c, o, id, error);
}
