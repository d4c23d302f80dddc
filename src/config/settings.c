/* SPDX-License-Identifier: Apache-2.0 */
#include "config/settings.h"
#include "basic/credential.h"
#include "basic/json.h"
#include "basic/text.h"
#include "build-config.h"
#include "config/check.h"
#include "config/connection.h"
#include "config/layout.h"
#include "config/system-limits.h"
#include "config/system-rest.h"
#include <dirent.h>

#define OPERATIONS_AT_ONCE_MAX 64 /* workers: each is a process with its own databases open */

static const char *const kinds[] = {"postgresql", "sqlite", "odbc", "rest", "csv", "fixed", "ogr", NULL};
static const char *const kinds_later[] = {"kafka", NULL};
static const char *const accesses[] = {"read", "write", NULL};
static const char *const log_levels[] = {"debug", "info", "notice", "warning", "error", NULL};

static const Field system_fields[] = {
        {"kind", FIELD_TEXT, .required = true, .summary = "postgresql, sqlite, odbc, rest, csv or fixed"},
        {"access", FIELD_TEXT, .choices = accesses, .summary = "read (the default) or write"},
        {"path", FIELD_TEXT, .summary = "sqlite, csv: the database file, or the folder with the files"},
        {"delimiter", FIELD_TEXT, .summary = "csv: one character, or tab; detected by default"},
        {"quote", FIELD_TEXT, .summary = "csv: one character, or none; detected by default"},
        {"header", FIELD_BOOLEAN, .summary = "csv: whether the first record names the columns; detected by default"},
        {"columns", FIELD_TEXTS, .summary = "csv: the columns' names, with header: false"},
        {"encoding", FIELD_TEXT, .summary = "csv: utf-8, utf-16, latin1 or windows-1252; detected by default"},
        {"layout", FIELD_TEXT, .summary = "fixed: the layout file, from this file or from a folder of mappings"},
        {"null", FIELD_SCALAR, .summary = "csv: the text that means null"},
        {"connection", FIELD_TEXT, .summary = "postgresql: host=… dbname=… user=…, or postgresql://user@host/dbname; odbc: Driver=…;Server=…;Database=…;UID=…"},
        {"srid", FIELD_TEXT, .summary = "ogr: the coordinate system of files that name none: EPSG:2927"},
        {"credential", FIELD_TEXT, .summary = "postgresql, odbc: the file with the password, of the credentials folder"},
        {"limits", FIELD_OBJECT, .members = system_limits_fields},
        {"hours", FIELD_TEXT, .summary = "when it may be used, local time: \"20:00-06:00\""},
        {"protocol", FIELD_TEXT, .choices = system_protocols, .summary = "rest: odata (the default) or json"},
        {"url", FIELD_TEXT, .summary = "rest: where the service is, https://HOST/PATH"},
        {"auth", FIELD_OBJECT, .members = system_auth_fields, .summary = "rest: api_key, basic, bearer or oauth2"},
        {"headers", FIELD_OBJECT, .summary = "rest: sent with each request; never secrets"},
        {"ca_file", FIELD_TEXT, .summary = "rest: certificates of the authorities that are trusted, PEM"},
        {"page_size", FIELD_INTEGER, .summary = "rest: records of a page that are asked for; the service may give fewer"},
        {"batch_size", FIELD_INTEGER, .summary = "rest, odata: requests in one $batch, 100; 1: none"},
        {"paging", FIELD_TEXT, .choices = system_pagings, .summary = "rest, odata: key (the default) or link"},
        {"lag", FIELD_DURATION, .summary = "rest, odata: how far a watermark stays behind the service's clock, 5min"},
        {"tables", FIELD_MAP, .members = system_table_fields, .summary = "rest, json: how each table is asked for"},
        {},
};

static const Field limits_fields[] = {
        {"operations", FIELD_INTEGER, .summary = "operations that run at a time"},
        {"worker_memory", FIELD_SIZE, .summary = "memory of one worker"},
        {},
};

static const Field settings_fields[] = {
        {"systems", FIELD_OBJECT, .summary = "what is read and written"},
        {"limits", FIELD_OBJECT, .members = limits_fields},
        {"retention", FIELD_ANY, .not_yet = true},
        {"log_level", FIELD_TEXT, .choices = log_levels},
        {},
};

Settings *settings_free(Settings *s) {
        if (!s)
                return NULL;
        for (size_t i = 0; i < s->n_systems; i++)
                system_free(s->systems[i]);
        free(s->systems);
        free(s->log_level);
        secret_free(s->store_url);
        free(s->configuration_directory);
        free(s->state_directory);
        free(s->runtime_directory);
        strings_free(s->mapping_directories);
        json_decref(s->origins);
        free(s);
        return NULL;
}

const System *settings_system(const Settings *s, const char *name) {
        for (size_t i = 0; name && i < s->n_systems; i++)
                if (text_equal(s->systems[i]->name, name))
                        return s->systems[i];
        return NULL;
}

/* Reading one file. */

typedef struct File {
        const YamlDocument *document;
        Settings *settings;
        Mistakes *mistakes;
} File;

static void file_mistake(File *f, ErrorId id, Mark place, const char *remedy, const char *detail,
                         const char *value) {
        mistake_add(f->mistakes, id, yaml_file(f->document), place, remedy, "%s \"%.100s\"", detail, value);
}

static int origin_note(File *f, const char *name, const json_t *node) {
        _cleanup_free_ char *place = NULL;

        if (asprintf(&place, "%s:%u", yaml_file(f->document), yaml_place(f->document, node).line) < 0) {
                place = NULL;
                return -ENOMEM;
        }
        return json_put(f->settings->origins, name, json_text(place));
}

/* A relative path is meant from the file that names it. */
static int path_resolve(const char *file, const char *path, char **ret) {
        const char *slash = strrchr(file, '/');
        char *resolved;

        if (*path == '/' || !slash) {
                resolved = strdup(path);
                if (!resolved)
                        return -ENOMEM;
        } else if (asprintf(&resolved, "%.*s/%s", (int) (slash - file), file, path) < 0)
                return -ENOMEM;
        *ret = resolved;
        return 0;
}

static bool choices_contain(const char *const *choices, const char *text) {
        for (; *choices; choices++)
                if (text_equal(*choices, text))
                        return true;
        return false;
}

/* A member that systems of this kind do not have. */
static void member_refuse(File *f, const json_t *node, const char *name, const char *kind) {
        const json_t *member = json_object_get(node, name);
        _cleanup_free_ char *what = NULL;

        if (!member)
                return;
        if (asprintf(&what, "\"%s\" is no member of a system of kind", name) < 0)
                what = NULL;
        file_mistake(f, ERROR_CONFIGURATION, yaml_place(f->document, member), "Leave it out",
                     what ? what : "A member does not belong to the kind", kind);
}

static bool kind_is_server(const char *kind) { return text_equal(kind, "postgresql") || text_equal(kind, "odbc"); }

static const char *connection_example(const char *kind) {
        return text_equal(kind, "odbc") ? "Add connection: such as \"Driver=FreeTDS;Server=…;Database=…;UID=…\""
                                        : "Add connection: such as \"host=… dbname=… user=…\"";
}

/* A system of kind ogr with an address instead of a path: it has url, auth, headers, ca_file and page_size, too. */
static bool is_feature_server(const json_t *node) {
        return text_equal(json_member_text(node, "kind"), "ogr") && json_object_get(node, "url");
}

/* Members that only services have. */
static void system_check_rest(File *f, const json_t *node, const char *kind) {
        static const char *const members[] = {"protocol", "url", "auth", "headers", "ca_file", "page_size", "batch_size", "paging", "lag", "tables"};

        if (text_equal(kind, "rest")) {
                system_rest_check(f->document, node, f->mistakes);
                member_refuse(f, node, "path", kind);
                member_refuse(f, node, "connection", kind);
                return;
        }
        for (size_t i = 0; i < ELEMENTSOF(members) && kind && choices_contain(kinds, kind); i++)
                if (!is_feature_server(node) || i == 0 || i > 4)
                        member_refuse(f, node, members[i], kind);
}

/* Where a system is: a file or folder, or a connection. */
static void system_check_place(File *f, const json_t *node, const char *name, const char *other) {
        const char *kind = json_member_text(node, "kind"), *text = json_member_text(node, name);
        const json_t *member = json_object_get(node, name);

        if (!kind || !choices_contain(kinds, kind))
                return;
        member_refuse(f, node, other, kind);
        if (!member)
                file_mistake(f, ERROR_CONFIGURATION, yaml_place(f->document, node),
                             text_equal(name, "path") ? "Add path: with the file or folder"
                                                      : connection_example(kind),
                             text_equal(name, "path") ? "path: is missing from a system of kind"
                                                      : "connection: is missing from a system of kind",
                             kind);
        else if (text && !*text)
                file_mistake(f, ERROR_CONFIGURATION, yaml_place(f->document, member),
                             text_equal(name, "path") ? "Write the path of the file or folder"
                                                      : connection_example(kind),
                             text_equal(name, "path") ? "The path is empty:" : "The connection is empty:", text);
}

/* Told here with its place; who connects would know neither line nor option. */
static void connection_check(File *f, const json_t *node) {
        const json_t *member = json_object_get(node, "connection");
        _cleanup_free_ char *detail = NULL, *remedy = NULL;

        if (json_is_string(member) && connection_mistake(json_string_value(member), &detail, &remedy) > 0)
                mistake_add(f->mistakes, ERROR_CONFIGURATION, yaml_file(f->document), yaml_node(f->document, member).place, remedy, "%s",
                            detail);
}

static void system_check(File *f, const json_t *node) {
        System limits = {};
        const json_t *kind_node = json_object_get(node, "kind"),
                     *delimiter = json_object_get(node, "delimiter");
        const char *kind = json_string_value(kind_node), *text;
        Mark place = yaml_node(f->document, kind_node).place;

        if (kind && choices_contain(kinds_later, kind))
                file_mistake(f, ERROR_NOT_YET, place, "Use postgresql, sqlite, odbc, ogr, rest, csv or fixed for now",
                             "Not there yet is the kind", kind);
        else if (kind && !choices_contain(kinds, kind)) {
                _cleanup_free_ char *remedy = check_suggestion(kind, kinds, ELEMENTSOF(kinds) - 1);
                file_mistake(f, ERROR_CONFIGURATION, place, remedy, "There is no kind of system", kind);
        }
        text = json_string_value(delimiter);
        if (text && !text_equal(text, "tab") && (strlen(text) != 1 || strchr("\"\r\n", *text)))
                file_mistake(f, ERROR_CONFIGURATION, yaml_node(f->document, delimiter).place,
                             "Write one character, such as \";\", or tab", "The delimiter cannot be",
                             text);
        system_check_rest(f, node, kind);
        if (is_feature_server(node))
                member_refuse(f, node, "path", kind);
        else if (!text_equal(kind, "rest"))
                system_check_place(f, node, kind_is_server(kind) ? "connection" : "path", kind_is_server(kind) ? "path" : "connection");
        if (!kind_is_server(kind)) {
                member_refuse(f, node, "credential", kind);
                if (!text_equal(kind, "rest") && !is_feature_server(node))
                        member_refuse(f, json_object_get(node, "limits"), "statement_timeout", kind);
        }
        system_limits_read(f->document, node, &limits, f->mistakes);
        if (text_equal(kind, "postgresql"))
                connection_check(f, node);
        if (!text_equal(kind, "fixed"))
                member_refuse(f, node, "layout", kind);
        else if (!json_object_get(node, "layout"))
                file_mistake(f, ERROR_CONFIGURATION, yaml_place(f->document, node),
                             "Add layout: such as layouts/pacs-appraisal-export.yaml", "layout: is missing from a system of kind",
                             kind);
        if (text_equal(kind, "fixed") && text_equal(json_member_text(node, "access"), "write"))
                file_mistake(f, ERROR_NOT_YET, yaml_place(f->document, json_object_get(node, "access")),
                             "Leave access out; files of fixed-width records can only be read",
                             "Not there yet is writing to", kind);
}

static int system_options(const json_t *node, json_t **ret) {
        json_auto_t *options = json_deep_copy(node);

        if (!options)
                return -ENOMEM;
        (void) json_object_del(options, "kind");
        (void) json_object_del(options, "access");
        (void) json_object_del(options, "path");
        (void) json_object_del(options, "connection"); /* a password may be in it */
        (void) json_object_del(options, "credential");
        (void) json_object_del(options, "limits");
        (void) json_object_del(options, "hours");
        *ret = TAKE_PTR(options);
        return 0;
}

static int system_place(const YamlDocument *d, const json_t *node, System *s) {
        const char *path = json_member_text(node, "path"), *connection = json_member_text(node, "connection"),
                   *credential = json_member_text(node, "credential");

        system_limits_read(d, node, s, NULL);
        if (connection && !(s->connection = strdup(connection)))
                return -ENOMEM;
        if (credential && !(s->credential = strdup(credential)))
                return -ENOMEM;
        return path ? path_resolve(s->file, path, &s->path) : 0;
}

/* Where it is: meant from the file that names it, else from a folder of mappings, where the shipped ones are. */
static int layout_path(const File *f, const char *name, const char *file, char **ret) {
        int r;

        r = path_resolve(file, name, ret);
        if (r < 0 || *name == '/' || access(*ret, F_OK) == 0)
                return r;
        for (size_t i = 0; f->settings->mapping_directories && f->settings->mapping_directories[i]; i++) {
                char *path = NULL;

                if (asprintf(&path, "%s/%s", f->settings->mapping_directories[i], name) < 0)
                        return -ENOMEM;
                if (access(path, F_OK) == 0) {
                        free(*ret);
                        *ret = path;
                        return 0;
                }
                free(path);
        }
        return 0;
}

/* -EINVAL after a mistake. */
static int system_layout(File *f, const json_t *node, System *s) {
        const char *name = json_member_text(node, "layout");
        _cleanup_free_ char *path = NULL;
        int r;

        if (!text_equal(s->kind, "fixed"))
                return 0;
        r = layout_path(f, name, s->file, &path);
        return r < 0 ? r : layout_load(path, f->mistakes, &s->layout);
}

static int system_read(File *f, const char *name, const json_t *node, System **ret) {
        _cleanup_(system_freep) System *s = calloc(1, sizeof *s);
        int r;

        if (!s)
                return -ENOMEM;
        s->name = strdup(name);
        s->kind = strdup(json_member_text(node, "kind"));
        s->file = strdup(yaml_file(f->document));
        s->line = yaml_place(f->document, node).line;
        s->may_write = text_equal(json_member_text(node, "access"), "write");
        r = system_options(node, &s->options);
        if (r < 0 || !s->name || !s->kind || !s->file)
                return -ENOMEM;
        r = system_place(f->document, node, s);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}

/* Replaces the system of that name, or adds it. Takes over system also on failure. */
static int system_set(Settings *s, System *system) {
        System **systems;

        for (size_t i = 0; i < s->n_systems; i++)
                if (text_equal(s->systems[i]->name, system->name)) {
                        system_free(s->systems[i]);
                        s->systems[i] = system;
                        return 0;
                }
        systems = reallocarray(s->systems, s->n_systems + 1, sizeof *systems);
        if (!systems) {
                system_free(system);
                return -ENOMEM;
        }
        s->systems = systems;
        s->systems[s->n_systems++] = system;
        return 0;
}

static int systems_read(File *f, const json_t *systems) {
        const char *name;
        json_t *node;
        int r;

        json_object_foreach((json_t *) systems, name, node) {
                size_t before = mistakes_count(f->mistakes);
                _cleanup_free_ char *what = NULL;
                System *system = NULL;
                if (asprintf(&what, "system \"%s\"", name) < 0) {
                        what = NULL;
                        return -ENOMEM;
                }
                if (!name_is_valid(name))
                        file_mistake(f, ERROR_CONFIGURATION, yaml_place(f->document, node),
                                     "Names begin with a lower-case letter and go on with a-z, 0-9, _ and -",
                                     "A system cannot be named", name);
                check_object(f->document, node, system_fields, what, ERROR_CONFIGURATION, f->mistakes);
                if (json_is_object(node))
                        system_check(f, node);
                if (mistakes_count(f->mistakes) > before)
                        continue;
                r = system_read(f, name, node, &system);
                if (r < 0)
                        return r;
                r = system_layout(f, node, system);
                if (r < 0) {
                        system_free(system);
                        if (r == -EINVAL)
                                continue;
                        return r;
                }
                r = system_set(f->settings, system);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int limits_read(File *f, const json_t *limits) {
        const json_t *node = json_object_get(limits, "operations");
        const char *text = json_string_value(node);
        uint64_t bytes;
        int64_t number;
        int r;

        if (check_scalar(node, FIELD_INTEGER)) {
                if (text_to_int64(text, 1, OPERATIONS_AT_ONCE_MAX, &number) < 0)
                        file_mistake(f, ERROR_CONFIGURATION, yaml_node(f->document, node).place,
                                     "Write a number from 1 to 64", "\"operations\" cannot be", text);
                else {
                        f->settings->operations_max = (unsigned) number;
                        r = origin_note(f, "limits.operations", node);
                        if (r < 0)
                                return r;
                }
        }
        node = json_object_get(limits, "worker_memory");
        if (!node || text_to_size(json_string_value(node), &bytes) < 0)
                return 0;
        f->settings->worker_memory_bytes = bytes;
        return origin_note(f, "limits.worker_memory", node);
}

static int log_level_read(File *f, const json_t *node) {
        const char *text = json_string_value(node);
        char *level;

        if (!text || !choices_contain(log_levels, text))
                return 0;
        level = strdup(text);
        if (!level)
                return -ENOMEM;
        free(f->settings->log_level);
        f->settings->log_level = level;
        return origin_note(f, "log_level", node);
}

static int settings_read(const char *path, Settings *settings, Mistakes *mistakes) {
        _cleanup_yaml_document_ YamlDocument *document = NULL;
        size_t before = mistakes->n_errors;
        File f = {.settings = settings, .mistakes = mistakes};
        const json_t *root;
        int r;

        r = yaml_load(path, &document, mistakes);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        f.document = document;
        root = yaml_root(document);
        check_object(document, root, settings_fields, "The configuration", ERROR_CONFIGURATION, mistakes);
        r = systems_read(&f, json_object_get(root, "systems"));
        if (r < 0)
                return r;
        r = limits_read(&f, json_object_get(root, "limits"));
        if (r < 0)
                return r;
        mistakes_sort(mistakes, before);
        return log_level_read(&f, json_object_get(root, "log_level"));
}

/* Which files and folders. */

static int is_yaml(const struct dirent *entry) {
        size_t size = strlen(entry->d_name);

        return entry->d_name[0] != '.' && size > 5 && text_equal(entry->d_name + size - 5, ".yaml");
}

static int drop_ins_read(const char *folder, Settings *settings, Mistakes *mistakes) {
        struct dirent **entries = NULL;
        int n = scandir(folder, &entries, is_yaml, alphasort);
        int r = 0;

        for (int i = 0; i < n; i++) {
                _cleanup_free_ struct dirent *entry = entries[i];
                _cleanup_free_ char *path = NULL;
                if (r < 0)
                        continue;
                if (asprintf(&path, "%s/%s", folder, entry->d_name) < 0) {
                        path = NULL;
                        r = -ENOMEM;
                } else
                        r = settings_read(path, settings, mistakes);
        }
        free(entries);
        return r;
}

/* A folder of the environment (the first, systemd may give several), or otherwise. */
static char *directory_of(const char *variable, const char *otherwise) {
        const char *value = getenv(variable);

        return value && *value ? strndup(value, strcspn(value, ":")) : strdup(otherwise);
}

static int directories_set(Settings *s) {
        _cleanup_free_ char *share = directory_of("TERRAFUSION_SHARE", SHAREDIR), *own = NULL,
                            *shipped = NULL;
        int r;

        s->configuration_directory = directory_of("CONFIGURATION_DIRECTORY", "/etc/terrafusion");
        s->state_directory = directory_of("STATE_DIRECTORY", "/var/lib/terrafusion");
        s->runtime_directory = directory_of("RUNTIME_DIRECTORY", "/run/terrafusion");
        if (!share || !s->configuration_directory || !s->state_directory || !s->runtime_directory)
                return -ENOMEM;
        if (asprintf(&own, "%s/mappings", s->configuration_directory) < 0) {
                own = NULL;
                return -ENOMEM;
        }
        if (asprintf(&shipped, "%s/mappings", share) < 0) {
                shipped = NULL;
                return -ENOMEM;
        }
        r = strings_append(&s->mapping_directories, own);
        return r < 0 ? r : strings_append(&s->mapping_directories, shipped);
}

static int settings_new(Settings **ret) {
        _cleanup_settings_ Settings *s = calloc(1, sizeof *s);
        int r;

        if (!s)
                return -ENOMEM;
        s->operations_max = 2;
        s->worker_memory_bytes = 512ULL << 20;
        s->log_level = strdup("info");
        s->origins = json_object();
        r = directories_set(s);
        if (r < 0 || !s->log_level || !s->origins)
                return -ENOMEM;
        *ret = TAKE_PTR(s);
        return 0;
}

/* Only what it is: the store's own room reads the rest. The value is never repeated, it may hold a password.
 * The original's sqlite:// URLs name one file, which is not how the state is kept here. */
static int store_url_read(Settings *s, Mistakes *mistakes) {
        const char *url = getenv("SYNC_SERVICE_DB_URL");

        if (!url || !*url)
                return 0;
        if (!text_starts_with(url, "postgresql://") && !text_starts_with(url, "postgres://")) {
                mistake_add(mistakes, ERROR_CONFIGURATION, NULL, (Mark){},
                            "Write postgresql://USER:PASSWORD@HOST:PORT/DATABASE, or unset it to keep the state in "
                            "files under the state directory",
                            text_starts_with(url, "sqlite:")
                                    ? "SYNC_SERVICE_DB_URL names an SQLite file"
                                    : "SYNC_SERVICE_DB_URL is not the address of a PostgreSQL database");
                return 0;
        }
        s->store_url = strdup(url);
        return s->store_url ? 0 : -ENOMEM;
}

static int environment_read(Settings *s, Mistakes *mistakes) {
        const char *level = getenv("LOG_LEVEL");
        char *lower;
        int r;

        r = store_url_read(s, mistakes);
        if (r < 0)
                return r;
        if (!level || !*level)
                return 0;
        for (size_t i = 0; log_levels[i]; i++) {
                if (!text_equal_ignoring_case(level, log_levels[i]))
                        continue;
                lower = strdup(log_levels[i]);
                if (!lower)
                        return -ENOMEM;
                free(s->log_level);
                s->log_level = lower;
                return json_put(s->origins, "log_level", json_string("LOG_LEVEL"));
        }
        mistake_add(mistakes, ERROR_CONFIGURATION, NULL, (Mark){},
                    "Use one of debug, info, notice, warning, error", "LOG_LEVEL cannot be \"%.100s\"",
                    level);
        return 0;
}

int settings_load(Settings **ret, Mistakes *mistakes) {
        _cleanup_settings_ Settings *s = NULL;
        _cleanup_free_ char *file = NULL, *folder = NULL;
        int r;

        r = settings_new(&s);
        if (r < 0)
                return r;
        if (asprintf(&file, "%s/terrafusion.yaml", s->configuration_directory) < 0) {
                file = NULL;
                return -ENOMEM;
        }
        if (asprintf(&folder, "%s/terrafusion.d", s->configuration_directory) < 0) {
                folder = NULL;
                return -ENOMEM;
        }
        if (access(file, F_OK) == 0) {
                r = settings_read(file, s, mistakes);
                if (r < 0)
                        return r;
        }
        r = drop_ins_read(folder, s, mistakes);
        if (r < 0)
                return r;
        r = environment_read(s, mistakes);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}

/* What GET /api/config shows. */

static json_t *systems_to_json(const Settings *s) {
        json_auto_t *array = json_array();

        for (size_t i = 0; i < s->n_systems; i++)
                if (json_array_append_new(array, system_to_json(s->systems[i])) < 0)
                        return NULL;
        return TAKE_PTR(array);
}

static int limits_to_json(const Settings *s, json_t *object) {
        json_t *limits = json_object();

        if (json_put(object, "limits", limits) < 0 ||
            json_put(limits, "operations", json_integer(s->operations_max)) < 0 ||
            json_put(limits, "worker_memory", json_integer((json_int_t) s->worker_memory_bytes)) < 0)
                return -ENOMEM;
        return 0;
}

static int paths_to_json(const Settings *s, json_t *object) {
        json_t *paths = json_object(), *mappings = json_array();
        int r;

        r = json_put(object, "paths", paths);
        if (r < 0) {
                json_decref(mappings);
                return r;
        }
        if (json_put(paths, "mappings", mappings) < 0 ||
            json_put(paths, "configuration", json_text(s->configuration_directory)) < 0 ||
            json_put(paths, "state", json_text(s->state_directory)) < 0 ||
            json_put(paths, "runtime", json_text(s->runtime_directory)) < 0)
                return -ENOMEM;
        for (size_t i = 0; s->mapping_directories[i]; i++)
                if (json_array_append_new(mappings, json_text(s->mapping_directories[i])) < 0)
                        return -ENOMEM;
        return 0;
}

json_t *settings_to_json(const Settings *s) {
        json_auto_t *object = json_object();

        if (json_put(object, "systems", systems_to_json(s)) < 0 || limits_to_json(s, object) < 0 ||
            json_put(object, "log_level", json_text(s->log_level)) < 0 || paths_to_json(s, object) < 0 ||
            json_put(object, "origins", json_deep_copy(s->origins)) < 0)
                return NULL;
        return TAKE_PTR(object);
}
