/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/verbs.h"

#include "basic/json.h"
#include "basic/log.h"
#include "basic/text.h"
#include "ctl/history.h"
#include "ctl/render.h"
#include "ctl/wait.h"
#include "model/operation.h"

#include <errno.h>
#include <inttypes.h>

#define EXIT_QUARANTINED 3
#define EXIT_GUARD 4
#define NO_SUCH_SYSTEM 255
#define PREFIX_MIN 6U           /* characters of an operation's id that are enough where they are unique */

static int print_json(const json_t *document) {
        if (json_dumpf(document, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY) < 0)
                return -EIO;
        (void) fputc('\n', stdout);
        return EXIT_SUCCESS;
}

static int print_list(const Options *o, const json_t *rows, const Column *columns, size_t n_columns, const char *empty) {
        if (o->json)
                return print_json(rows);
        render_table(stdout, rows, columns, n_columns, render_width(stdout), empty);
        return EXIT_SUCCESS;
}

static int verb_status(Client *c, const Options *o, char *const *arguments, unsigned n_arguments, Error *error) {
        static const Column columns[] = { { "COMPONENT", "name", false }, { "STATUS", "status", false }, { "MESSAGE", "message", false } };
        json_auto_t *status = NULL, *active = NULL, *rows = json_array();
        const char *name;
        json_t *value;
        int r;

        r = client_call(c, COMMAND_HEALTH_STATUS, NULL, &status, error);
        if (r < 0)
                return r;
        if (o->json)
                return print_json(status);
        r = client_call(c, COMMAND_OPERATION_ACTIVE, NULL, &active, error);
        if (r < 0 || !rows)
                return r < 0 ? r : -ENOMEM;
        json_object_foreach(json_object_get(status, "components"), name, value) {
                const json_t *state = json_is_object(value) ? json_object_get(value, "status") : value;

                if (json_array_append_new(rows, json_pack("{s:s, s:O?, s:O?}", "name", name, "status", state, "message",
                                                          json_object_get(value, "message"))) < 0)
                        return -ENOMEM;
        }
        (void) printf("Sync service %s: %s, %zu operations active.\n", json_member_text(status, "version") ?: "",
                      json_member_text(status, "status") ?: "?", json_array_size(active));
        render_table(stdout, rows, columns, ELEMENTSOF(columns), render_width(stdout), "No components.");
        return text_equal(json_member_text(status, "status"), "UP") ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int verb_pairs(Client *c, const Options *o, char *const *arguments, unsigned n_arguments, Error *error) {
        static const Column columns[] = {
                { "PAIR", "name", false }, { "SOURCE", "source", false }, { "TARGET", "target", false },
                { "ENTITIES", "entity_names", false }, { "DESCRIPTION", "description", false },
        };
        json_auto_t *rows = NULL;
        json_t *row;
        size_t i;
        int r;

        r = client_call(c, COMMAND_PAIR_LIST, NULL, &rows, error);
        if (r < 0 || o->json)
                return r < 0 ? r : print_json(rows);
        json_array_foreach(rows, i, row) {
                json_t *names = json_array(), *entity;
                size_t k;

                json_array_foreach(json_object_get(row, "entities"), k, entity)
                        (void) json_array_append(names, json_is_object(entity) ? json_object_get(entity, "entity") ?: json_object_get(entity, "name") : entity);
                r = json_put(row, "entity_names", names);
                if (r < 0)
                        return r;
        }
        return print_list(o, rows, columns, ELEMENTSOF(columns), "No pairs. Put mapping files into /etc/terrafusion/mappings.");
}

static int verb_systems(Client *c, const Options *o, char *const *arguments, unsigned n_arguments, Error *error) {
        static const Column columns[] = {
                { "SYSTEM", "name", false }, { "KIND", "kind", false }, { "ACCESS", "access", false }, { "PATH", "path", false },
        };
        json_auto_t *rows = NULL;
        int r;

        r = client_call(c, COMMAND_SYSTEM_LIST, NULL, &rows, error);
        return r < 0 ? r : print_list(o, rows, columns, ELEMENTSOF(columns), "No systems. Add them to /etc/terrafusion/terrafusion.yaml.");
}

static json_t *list_arguments(const Options *o) {
        json_t *args = json_object();

        if (!args)
                return NULL;
        if ((o->pair && json_put(args, "sync_pair_id", json_string(o->pair)) < 0) ||
            (o->limit > 0 && json_put(args, "limit", json_integer(o->limit)) < 0)) {
                json_decref(args);
                return NULL;
        }
        return args;
}

static int verb_operations(Client *c, const Options *o, char *const *arguments, unsigned n_arguments, Error *error) {
        static const Column columns[] = {
                { "OPERATION", "id", false }, { "PAIR", "sync_pair_id", false }, { "KIND", "kind", false }, { "STATUS", "status", false },
                { "STARTED (UTC)", "start_time", false }, { "RECORDS", "records_processed", true }, { "HELD", "records_failed", true },
                { "ERROR", "error_message", false },
        };
        json_auto_t *args = list_arguments(o), *rows = NULL;
        int r;

        if (!args || (o->status && json_put(args, "status", json_string(o->status)) < 0))
                return -ENOMEM;
        r = client_call(c, COMMAND_OPERATION_LIST, args, &rows, error);
        return r < 0 ? r : print_list(o, rows, columns, ELEMENTSOF(columns),
                                      o->pair || o->status ? "No operation is of that pair and status. All: terrafusionctl operations" :
                                                             "No operations yet. Start one: terrafusionctl run PAIR --full");
}

/* A whole id, or the beginning of exactly one of the last operations'. */
static int operation_id_find(Client *c, const char *given, char **ret, Error *error) {
        json_auto_t *args = json_pack("{s:i}", "limit", 1000), *rows = NULL;
        const char *found = NULL;
        const json_t *row;
        size_t i;
        int r;

        if (!uuid_is_valid(given) && strlen(given) >= PREFIX_MIN) {
                r = client_call(c, COMMAND_OPERATION_LIST, args, &rows, error);
                if (r < 0)
                        return r;
                json_array_foreach(rows, i, row)
                        if (text_starts_with(json_member_text(row, "id") ?: "", given)) {
                                if (found)
                                        return error_set(error, ERROR_ARGUMENT, "Give more of it.", "Several operations begin with '%s'", given);
                                found = json_member_text(row, "id");
                        }
        }
        *ret = strdup(found ? found : given);
        return *ret ? 0 : -ENOMEM;
}

static json_t *result_rows(const json_t *operation) {
        json_t *rows = json_array(), *result;
        const char *entity;

        json_object_foreach(json_object_get(operation, "results"), entity, result) {
                json_t *row = json_copy(result);

                if (!row || json_put(row, "entity", json_string(entity)) < 0 || json_array_append_new(rows, row) < 0)
                        return rows;
        }
        return rows;
}

static void print_results(const json_t *operation) {
        static const Column columns[] = {
                { "ENTITY", "entity", false }, { "READ", "processed", true }, { "INSERTED", "inserted", true }, { "UPDATED", "updated", true },
                { "DELETED", "deleted", true }, { "UNCHANGED", "unchanged", true }, { "HELD", "quarantined", true },
        };
        json_auto_t *rows = result_rows(operation);

        render_table(stdout, rows, columns, ELEMENTSOF(columns), 0, "No records yet.");
}

static void print_report(const json_t *operation) {
        const json_t *report = json_object_get(operation, "report"), *row;
        size_t i;

        json_array_foreach((json_t *) report, i, row) {
                bool ok = json_member_true(row, "ok");

                (void) printf("%-8s %s: %s%s%s\n", ok ? "ok" : "MISSING", json_member_text(row, "what") ?: "", json_member_text(row, "message") ?: "",
                              ok ? "" : ". ", ok ? "" : json_member_text(row, "remedy") ?: "");
        }
}

static void print_member(const json_t *object, const char *label, const char *member) {
        _cleanup_free_ char *text = render_member(object, member);

        if (text && !text_equal(text, "-"))
                (void) printf("%-12s %s\n", label, text);
}

/* error_message has the remedy in it, which gets a line of its own here. */
static void print_error(const json_t *operation) {
        const json_t *error = json_object_get(operation, "error");
        const char *message = json_member_text(operation, "error_message"), *remedy = json_member_text(error, "remedy");
        size_t size = message ? strlen(message) : 0, rest = remedy ? strlen(remedy) : 0;

        if (size == 0)
                return;
        if (rest > 0 && rest < size && text_equal(message + size - rest, remedy))
                size -= rest + 1;
        (void) printf("%-12s %.*s\n", "Error", (int) size, message);
        print_member(operation, "Remedy", "error.remedy");
}

static void print_operation(const json_t *operation) {
        print_member(operation, "Operation", "id");
        print_member(operation, "Pair", "sync_pair_id");
        print_member(operation, "Kind", "kind");
        print_member(operation, "Status", "status");
        print_member(operation, "Waiting for", "waiting_for");
        print_member(operation, "Created", "created_at");
        print_member(operation, "Started", "start_time");
        print_member(operation, "Ended", "end_time");
        print_member(operation, "Seconds", "duration_seconds");
        print_member(operation, "Asked by", "requested_by");
        print_error(operation);
        (void) fputc('\n', stdout);
        if (json_array_size(json_object_get(operation, "report")) > 0)
                print_report(operation);
        else
                print_results(operation);
}

static int operation_exit_status(const json_t *operation) {
        const char *status = json_member_text(operation, "status");
        const char *code = json_member_text(json_object_get(operation, "error"), "code");

        if (text_equal(status, "COMPLETED"))
                return json_member_integer(operation, "records_failed", 0) > 0 ? EXIT_QUARANTINED : EXIT_SUCCESS;
        return text_equal(code, error_code(ERROR_GUARD)) || text_equal(code, error_code(ERROR_DRIFT)) ? EXIT_GUARD : EXIT_FAILURE;
}

static int verb_show(Client *c, const Options *o, char *const *arguments, unsigned n_arguments, Error *error) {
        json_auto_t *args = NULL, *operation = NULL;
        _cleanup_free_ char *id = NULL;
        int r;

        r = operation_id_find(c, arguments[0], &id, error);
        if (r < 0)
                return r;
        if (o->log || o->changes || o->findings)
                return history_show(c, o, id, error);
        args = json_pack("{s:s}", "id", id);
        r = client_call(c, COMMAND_OPERATION_SHOW, args, &operation, error);
        if (r < 0 || o->json)
                return r < 0 ? r : print_json(operation);
        print_operation(operation);
        return EXIT_SUCCESS;
}

static int verb_cancel(Client *c, const Options *o, char *const *arguments, unsigned n_arguments, Error *error) {
        json_auto_t *args = NULL, *answer = NULL;
        _cleanup_free_ char *id = NULL;
        int r;

        r = operation_id_find(c, arguments[0], &id, error);
        if (r < 0)
                return r;
        args = json_pack("{s:s}", "id", id);
        r = client_call(c, COMMAND_OPERATION_CANCEL, args, &answer, error);
        if (r < 0 || o->json)
                return r < 0 ? r : print_json(answer);
        (void) printf("%s\n", json_member_text(answer, "message") ?: "Operation cancelled");
        return EXIT_SUCCESS;
}

static json_t *texts_to_json(char *const *texts) {
        json_t *array = json_array();

        for (; array && texts && *texts; texts++)
                if (json_array_append_new(array, json_string(*texts)) < 0) {
                        json_decref(array);
                        return NULL;
                }
        return array;
}

/* PAIR, or PAIR:KIND as the instances of terrafusion-sync@.service name it. */
static int run_start(Client *c, const Options *o, const char *given, json_t **ret, Error *error) {
        const char *colon = strrchr(given, ':'), *kind = colon ? colon + 1 : o->full ? "full" : o->continuous ? "continuous" : "incremental";
        json_auto_t *args = json_pack("{s:s#, s:s}", "sync_pair_id", given, (int) (colon ? colon - given : (ptrdiff_t) strlen(given)),
                                      "kind", kind);

        if (colon && (o->full || o->incremental || o->continuous))
                return error_set(error, ERROR_ARGUMENT, "Leave out one of them", "\"%s\" names the kind already, and so does the option", given);
        if (!args || (o->entities && json_put(args, "entity_types", texts_to_json(o->entities)) < 0) ||
            (o->allow && json_put(args, "allow", texts_to_json(o->allow)) < 0))
                return -ENOMEM;
        return client_call(c, COMMAND_OPERATION_START, args, ret, error);
}

static int verb_run(Client *c, const Options *o, char *const *arguments, unsigned n_arguments, Error *error) {
        json_auto_t *started = NULL, *operation = NULL;
        const char *id;
        int r;

        if (o->wait)
                operation_wait_prepare();
        r = run_start(c, o, arguments[0], &started, error);
        if (r < 0)
                return r;
        id = json_member_text(started, "id");
        if (!id)
                return error_set(error, ERROR_INTERNAL, NULL, "The service started an operation without telling its id");
        if (!o->wait) {
                if (o->json)
                        return print_json(started);
                (void) printf("Started operation %s. Watch it: terrafusionctl show %s\n", id, id);
                return EXIT_SUCCESS;
        }
        r = operation_wait(c, id, arguments[0], &operation, error);
        if (!operation)
                return r;
        if (o->json)
                (void) print_json(operation);
        else
                print_operation(operation);
        return r > 0 ? r : operation_exit_status(operation);
}

/* Starts an operation whose result is a report, and waits for it. Takes over args. 0 and the operation; or what else came of waiting. */
static int report_wait(Client *c, CommandId command, json_t *args, const char *pair, json_t **ret, Error *error) {
        json_auto_t *asked = args, *started = NULL;
        const char *id;
        int r;

        r = asked ? client_call(c, command, asked, &started, error) : -ENOMEM;
        if (r < 0)
                return r;
        id = json_member_text(started, "id");
        return operation_wait(c, id ? id : "", pair, ret, error);
}

/* A script for the DBA: comments say what for, and what is granted already. */
static void print_grants(const json_t *operation) {
        const json_t *row;
        size_t i;

        json_array_foreach(json_object_get(operation, "report"), i, row) {
                const char *sql = json_member_text(row, "sql");

                if (sql)
                        (void) printf("-- %s: %s%s\n%s;\n", json_member_text(row, "what") ?: "", json_member_text(row, "message") ?: "",
                                      json_member_true(row, "ok") ? " (there already)" : "", sql);
                else if (!json_member_text(row, "strategy"))
                        (void) printf("-- %s: %s\n", json_member_text(row, "what") ?: "", json_member_text(row, "message") ?: "");
                else
                        (void) printf("-- %s of %s: %s: %s. It cannot see %s.\n", json_member_text(row, "what") ?: "",
                                      json_member_text(row, "entity") ?: "", json_member_text(row, "message") ?: "",
                                      json_member_text(row, "strategy") ?: "", json_member_text(row, "blind") ?: "");
        }
}

static int check_pair(Client *c, const Options *o, const char *pair, Error *error) {
        json_auto_t *args = json_pack("{s:s}", "name", pair), *operation = NULL;
        int r;

        if (!args || (o->grants && json_put(args, "grants", json_true()) < 0))
                return -ENOMEM;
        r = report_wait(c, COMMAND_PAIR_CHECK, json_incref(args), pair, &operation, error);
        if (r != 0)
                return r;
        if (o->json)
                (void) print_json(operation);
        else if (o->grants && json_array_size(json_object_get(operation, "report")) > 0) {
                (void) printf("-- Pair %s\n", pair);
                print_grants(operation);
        } else {
                (void) printf("Pair %s: %s\n", pair, json_member_text(operation, "error_message") ?: "all is there");
                print_report(operation);
        }
        return operation_exit_status(operation) == EXIT_SUCCESS ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Of systems that have no queries there is only the sentence. */
static void plan_print(const json_t *row, bool is_first) {
        const char *remedy = json_member_text(row, "remedy"), *query = json_member_text(row, "query"),
                   *plan = json_member_text(row, "plan");

        (void) printf("%s%-8s %s: %s%s%s\n", is_first ? "" : "\n", json_member_true(row, "ok") ? "ok" : "REFUSED",
                      json_member_text(row, "what") ?: "", json_member_text(row, "message") ?: "", remedy ? ". " : "",
                      remedy ?: "");
        if (query)
                (void) printf("\n%s\n", query);
        if (plan)
                (void) printf("\n%s\n", plan);
}

static int verb_query_plan(Client *c, const Options *o, char *const *arguments, unsigned n_arguments, Error *error) {
        json_auto_t *operation = NULL;
        const json_t *row;
        size_t i;
        int r;

        r = report_wait(c, COMMAND_PAIR_QUERY_PLAN, json_pack("{s:s}", "name", arguments[0]), arguments[0], &operation, error);
        if (r != 0)
                return r;
        if (o->json)
                (void) print_json(operation);
        else {
                print_error(operation);
                json_array_foreach(json_object_get(operation, "report"), i, row)
                        plan_print(row, i == 0);
        }
        return operation_exit_status(operation) == EXIT_SUCCESS ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int drift_accept(Client *c, const Options *o, const char *pair, Error *error) {
        json_auto_t *operation = NULL;
        int r;

        r = report_wait(c, COMMAND_DRIFT_ACCEPT, json_pack("{s:s}", "name", pair), pair, &operation, error);
        if (r != 0)
                return r;
        if (o->json)
                (void) print_json(operation);
        else {
                if (operation_exit_status(operation) != EXIT_SUCCESS)
                        print_error(operation);
                print_report(operation);
        }
        return operation_exit_status(operation);
}

static int verb_drift(Client *c, const Options *o, char *const *arguments, unsigned n_arguments, Error *error) {
        static const Column columns[] = {
                { "PAIR", "sync_pair_id", false }, { "ENTITY", "entity", false }, { "SIDE", "side", false }, { "COLUMN", "column", false },
                { "CHANGE", "kind", false }, { "WAS", "old_type", false }, { "IS", "new_type", false }, { "STATUS", "status", false },
                { "FOUND (UTC)", "found_at", false },
        };
        json_auto_t *args = list_arguments(o), *rows = NULL;
        int r;

        if (n_arguments == 2 && text_equal(arguments[0], "accept"))
                return drift_accept(c, o, arguments[1], error);
        if (n_arguments > 0 && !(n_arguments == 1 && text_equal(arguments[0], "list")))
                return error_set(error, ERROR_ARGUMENT, NULL, "Usage: terrafusionctl drift [list | accept PAIR]");
        if (!args)
                return -ENOMEM;
        (void) json_object_del(args, "limit");
        r = client_call(c, COMMAND_DRIFT_LIST, args, &rows, error);
        return r < 0 ? r : print_list(o, rows, columns, ELEMENTSOF(columns), "No column has changed under a mapping.");
}

static int print_mistakes(const json_t *mistakes) {
        const json_t *row;
        size_t i;

        json_array_foreach(mistakes, i, row) {
                _cleanup_error_ Error mistake = { 0 };
                _cleanup_free_ char *text = NULL;

                if (error_from_json(row, &mistake) < 0 || !(text = error_to_text(&mistake)))
                        return -ENOMEM;
                (void) fprintf(stderr, "%s\n", text);
        }
        return json_array_size(mistakes) > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* The files as they are now, not as the service last read them. */
static int check_configuration(Client *c, Error *error) {
        json_auto_t *found = NULL;
        int r;

        r = client_call(c, COMMAND_CONFIG_CHECK, NULL, &found, error);
        if (r < 0)
                return r;
        if (!json_member_true(found, "in_force"))
                (void) fputs("The mapping files are not those in force; take them over: terrafusionctl reload\n", stderr);
        return print_mistakes(json_object_get(found, "mistakes"));
}

static int verb_reload(Client *c, const Options *o, char *const *arguments, unsigned n_arguments, Error *error) {
        json_auto_t *answer = NULL;
        int r, status;

        r = client_call(c, COMMAND_RELOAD, NULL, &answer, error);
        if (r < 0)
                return r;
        status = o->json ? print_json(answer) : print_mistakes(json_object_get(answer, "mistakes"));
        if (status < 0)
                return status;
        if (!o->json)
                (void) printf(json_member_true(answer, "in_force") ? "Read again: %" PRId64 " pairs and %" PRId64 " systems are in force.\n" :
                                                                     "The configuration stays as it was: %" PRId64 " pairs, %" PRId64 " systems.\n",
                              json_member_integer(answer, "pairs", 0), json_member_integer(answer, "systems", 0));
        return json_array_size(json_object_get(answer, "mistakes")) > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Of a system: its connection, or with --grants what the pairs need that use it. 1: there is no such system. */
static int check_system(Client *c, const Options *o, const char *name, Error *error) {
        json_auto_t *systems = NULL, *operation = NULL;
        const json_t *system, *found = NULL, *pair;
        int r, status = EXIT_SUCCESS;
        size_t i;

        r = client_call(c, COMMAND_SYSTEM_LIST, NULL, &systems, error);
        if (r < 0)
                return r;
        json_array_foreach(systems, i, system)
                if (text_equal(json_member_text(system, "name"), name))
                        found = system;
        if (!found)
                return NO_SUCH_SYSTEM;
        for (unsigned side = 0; o->grants && side < 2; side++)
                json_array_foreach(json_object_get(found, side ? "target_of" : "source_of"), i, pair) {
                        r = check_pair(c, o, json_string_value(pair), error);
                        if (r < 0 || r == WAIT_INTERRUPTED || r == WAIT_STOPPED)
                                return r;
                        status = r != EXIT_SUCCESS ? EXIT_FAILURE : status;
                }
        if (o->grants)
                return status;
        r = report_wait(c, COMMAND_SYSTEM_CHECK, json_pack("{s:s}", "name", name), name, &operation, error);
        if (r != 0)
                return r;
        if (o->json)
                (void) print_json(operation);
        else
                print_report(operation);
        return operation_exit_status(operation) == EXIT_SUCCESS ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* A pair, or a system where no pair is called so. */
static int check_named(Client *c, const Options *o, const char *name, Error *error) {
        _cleanup_error_ Error unknown = { 0 };
        int r;

        r = check_configuration(c, error);
        if (r < 0)
                return r;
        r = check_pair(c, o, name, &unknown);
        if (r < 0 && unknown.id == ERROR_NOT_FOUND) {
                r = check_system(c, o, name, error);
                if (r != NO_SUCH_SYSTEM)
                        return r;
                r = error_errno(unknown.id);
        }
        if (unknown.id != ERROR_NONE)
                error_move(error, &unknown);
        return r;
}

static int verb_check(Client *c, const Options *o, char *const *arguments, unsigned n_arguments, Error *error) {
        json_auto_t *pairs = NULL;
        int status, r;
        const json_t *pair;
        size_t i;

        if (n_arguments == 1)
                return check_named(c, o, arguments[0], error);
        status = check_configuration(c, error);
        if (status < 0)
                return status;
        r = client_call(c, COMMAND_PAIR_LIST, NULL, &pairs, error);
        if (r < 0)
                return r;
        json_array_foreach(pairs, i, pair) {
                _cleanup_error_ Error failure = { 0 };

                r = check_pair(c, o, json_member_text(pair, "name") ?: "", &failure);
                if (r < 0) {
                        _cleanup_free_ char *text = error_to_text(&failure);

                        (void) fprintf(stderr, "Pair %s: %s\n", json_member_text(pair, "name") ?: "?", text ? text : strerror(-r));
                }
                if (r == WAIT_INTERRUPTED || r == WAIT_STOPPED)
                        return r;
                if (r != EXIT_SUCCESS)
                        status = EXIT_FAILURE;
        }
        return status;
}

static int quarantine_show_one(Client *c, const Options *o, const char *id, Error *error) {
        json_auto_t *args = json_pack("{s:s}", "id", id), *record = NULL;
        const json_t *finding;
        const char *name;
        json_t *value;
        size_t i;
        int r;

        r = client_call(c, COMMAND_QUARANTINE_SHOW, args, &record, error);
        if (r < 0 || o->json)
                return r < 0 ? r : print_json(record);
        print_member(record, "Record", "key");
        print_member(record, "Entity", "entity");
        print_member(record, "Pair", "sync_pair_id");
        print_member(record, "Operation", "operation_id");
        print_member(record, "First seen", "first_seen");
        json_array_foreach(json_object_get(record, "findings"), i, finding) {
                (void) fputc('\n', stdout);
                print_member(finding, "Field", "field");
                print_member(finding, "Value", "value");
                print_member(finding, "Rule", "rule");
                print_member(finding, "Message", "message");
                print_member(finding, "Remedy", "remedy");
        }
        (void) fputs("\nAs the source has it\n", stdout);
        json_object_foreach(json_object_get(record, "source"), name, value)
                print_member(json_object_get(record, "source"), name, name);
        return EXIT_SUCCESS;
}

static int verb_quarantine(Client *c, const Options *o, char *const *arguments, unsigned n_arguments, Error *error) {
        static const Column columns[] = {
                { "ID", "id", false }, { "ENTITY", "entity", false }, { "KEY", "key", false }, { "FIELD", "finding.field", false },
                { "VALUE", "finding.value", false }, { "RULE", "finding.rule", false }, { "MESSAGE", "finding.message", false },
        };
        json_auto_t *args = list_arguments(o), *rows = NULL;
        json_t *row;
        size_t i;
        int r;

        if (n_arguments == 2 && text_equal(arguments[0], "show"))
                return quarantine_show_one(c, o, arguments[1], error);
        if (n_arguments > 0 && !(n_arguments == 1 && text_equal(arguments[0], "list")))
                return error_set(error, ERROR_ARGUMENT, NULL, "Usage: terrafusionctl quarantine [list | show ID]");
        if (!args || (o->entity && json_put(args, "entity", json_string(o->entity)) < 0))
                return -ENOMEM;
        r = client_call(c, COMMAND_QUARANTINE_LIST, args, &rows, error);
        if (r < 0 || o->json)
                return r < 0 ? r : print_json(rows);
        json_array_foreach(rows, i, row) {
                r = json_put(row, "finding", json_deep_copy(json_array_get(json_object_get(row, "findings"), 0)) ?: json_object());
                if (r < 0)
                        return r;
        }
        return print_list(o, rows, columns, ELEMENTSOF(columns), "No record is held in quarantine.");
}

const Verb verbs[] = {
        { "status", "", 0, 0, COMMAND_HEALTH_STATUS, verb_status },
        { "pairs", "", 0, 0, COMMAND_PAIR_LIST, verb_pairs },
        { "systems", "", 0, 0, COMMAND_SYSTEM_LIST, verb_systems },
        { "operations", "", 0, 0, COMMAND_OPERATION_LIST, verb_operations },
        { "run", "PAIR[:KIND]", 1, 1, COMMAND_OPERATION_START, verb_run },
        { "show", "OPERATION", 1, 1, COMMAND_OPERATION_SHOW, verb_show },
        { "cancel", "OPERATION", 1, 1, COMMAND_OPERATION_CANCEL, verb_cancel },
        { "quarantine", "[list | show ID]", 0, 2, COMMAND_QUARANTINE_LIST, verb_quarantine },
        { "check", "[PAIR | SYSTEM]", 0, 1, COMMAND_PAIR_CHECK, verb_check },
        { "query-plan", "PAIR", 1, 1, COMMAND_PAIR_QUERY_PLAN, verb_query_plan },
        { "drift", "[list | accept PAIR]", 0, 2, COMMAND_DRIFT_LIST, verb_drift },
        { "reload", "", 0, 0, COMMAND_RELOAD, verb_reload },
        { 0 },
};
