/* SPDX-License-Identifier: Apache-2.0 */
#include "api/command.h"

#include <errno.h>

#include "basic/json.h"
#include "basic/text.h"

static const char *const scope_names[_SCOPE_MAX] = { "open", "read", "operate", "approve", "confidential", "admin" };

const char *scope_to_string(Scope scope) {
        return scope_names[scope];
}

unsigned scopes_from_text(const char *text) {
        unsigned scopes = 1U << SCOPE_OPEN;

        for (const char *p = text ?: ""; *p;) {
                size_t n = strcspn(p, ", ");

                for (unsigned i = 0; i < _SCOPE_MAX; i++)
                        if (strlen(scope_names[i]) == n && memcmp(p, scope_names[i], n) == 0)
                                scopes |= 1U << i;
                p += n + (p[n] != '\0');
        }
        return scopes;
}

char *scopes_to_text(unsigned scopes) {
        _cleanup_free_ char *text = NULL;
        bool first = true;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        if (!f)
                return NULL;
        for (unsigned i = 0; i < _SCOPE_MAX; i++)
                if (scopes & 1U << i) {
                        (void) fprintf(f, "%s%s", first ? "" : ",", scope_names[i]);
                        first = false;
                }
        return fclose(f) == 0 ? TAKE_PTR(text) : NULL;
}

bool scopes_allow(unsigned scopes, Scope scope) {
        const unsigned above = 1U << SCOPE_OPERATE | 1U << SCOPE_APPROVE | 1U << SCOPE_CONFIDENTIAL;

        if (scope == SCOPE_OPEN || scopes & (1U << SCOPE_ADMIN | 1U << scope))
                return true;
        return scope == SCOPE_READ && (scopes & above);
}

size_t command_n_args(const Command *command) {
        size_t n = 0;

        while (n < COMMAND_ARGS_MAX && command->args[n].type != ARG_NONE)
                n++;
        return n;
}

const Arg *command_arg(const Command *command, const char *name) {
        for (size_t i = 0; i < command_n_args(command); i++)
                if (text_equal(command->args[i].name, name))
                        return command->args + i;
        return NULL;
}

const char *daemon_to_string(Daemon daemon) {
        return daemon == DAEMON_GATEWAY ? "gateway" : "syncd";
}

CommandId command_by_member(Daemon daemon, const char *member) {
        for (CommandId id = 0; id < _COMMAND_MAX; id++)
                if (commands[id].daemon == daemon && text_equal(commands[id].member, member))
                        return id;
        return _COMMAND_INVALID;
}

CommandId command_by_object_member(Daemon daemon, ObjectKind object, const char *member) {
        for (CommandId id = 0; object != OBJECT_MANAGER && id < _COMMAND_MAX; id++)
                if (commands[id].daemon == daemon && commands[id].object == object && text_equal(commands[id].object_member, member))
                        return id;
        return object == OBJECT_MANAGER ? command_by_member(daemon, member) : _COMMAND_INVALID;
}

const Arg *command_path_arg(const Command *command) {
        for (size_t i = 0; i < command_n_args(command); i++)
                if (command->args[i].place == ARG_PATH)
                        return command->args + i;
        return NULL;
}

CommandId command_by_name(const char *name) {
        for (CommandId id = 0; id < _COMMAND_MAX; id++)
                if (text_equal(commands[id].name, name))
                        return id;
        return _COMMAND_INVALID;
}

static int refuse_unknown(const Command *command, const char *name, Error *error) {
        const char *names[COMMAND_ARGS_MAX];
        size_t n = command_n_args(command);
        _cleanup_free_ char *remedy = NULL;
        const char *near;
        int r;

        for (size_t i = 0; i < n; i++)
                names[i] = command->args[i].name;
        near = text_nearest(name, names, n);
        if ((near ? asprintf(&remedy, "Did you mean \"%s\"?", near) :
                    asprintf(&remedy, n ? "See /openapi.json for what %s takes." : "%s takes no arguments.", command->name)) < 0)
                return -ENOMEM;
        r = error_set(error, ERROR_ARGUMENT, remedy, "\"%.80s\" is no argument of %s", name, command->name);
        (void) error_field(error, name);
        return r;
}

static int refuse_type(const Arg *arg, const char *wanted, Error *error) {
        int r = error_set(error, ERROR_ARGUMENT, arg->summary, "\"%s\" must be %s", arg->name, wanted);

        (void) error_field(error, arg->name);
        return r;
}

static int check_integer(const Arg *arg, const json_t *value, json_t **ret, Error *error) {
        int64_t number;
        int r;

        if (json_is_integer(value))
                number = json_integer_value(value);
        else if (!json_is_string(value) || text_to_int64(json_string_value(value), INT64_MIN, INT64_MAX, &number) < 0)
                return refuse_type(arg, "a whole number", error);
        if (arg->maximum > arg->minimum && (number < arg->minimum || number > arg->maximum)) {
                r = error_set(error, ERROR_ARGUMENT, arg->summary, "\"%s\" must be from %lld to %lld, not %lld", arg->name,
                              (long long) arg->minimum, (long long) arg->maximum, (long long) number);
                (void) error_field(error, arg->name);
                return r;
        }
        *ret = json_integer(number);
        return *ret ? 0 : -ENOMEM;
}

static int check_boolean(const Arg *arg, const json_t *value, json_t **ret, Error *error) {
        const char *text = json_string_value(value);

        if (json_is_boolean(value))
                *ret = json_boolean(json_is_true(value));
        else if (text && (text_equal_ignoring_case(text, "true") || text_equal(text, "1")))
                *ret = json_true();
        else if (text && (text_equal_ignoring_case(text, "false") || text_equal(text, "0")))
                *ret = json_false();
        else
                return refuse_type(arg, "true or false", error);
        return 0;
}

/* The original's names of statuses drifted over its versions; its clients send all of them. */
static const char *text_canonical(const Arg *arg, const char *text) {
        if (text_equal(arg->name, "status") && text_equal_ignoring_case(text, "in_progress"))
                return "RUNNING";
        if (text_equal(arg->name, "status") && text_equal_ignoring_case(text, "canceled"))
                return "CANCELLED";
        for (size_t i = 0; arg->values[i]; i++)
                if (text_equal_ignoring_case(text, arg->values[i]))
                        return arg->values[i];
        return NULL;
}

/* The value that was meant, or all there are. NULL without memory: the sentence does without. */
static char *values_remedy(const Arg *arg, const char *text) {
        _cleanup_free_ char *list = NULL;
        const char *near;
        size_t n = 0;

        while (arg->values[n])
                n++;
        near = text_nearest(text, arg->values, n);
        if (asprintf(&list, near ? "Did you mean \"%s\"?" : "Use one of %s", near ? near : arg->values[0]) < 0) {
                list = NULL;
                return NULL;
        }
        for (size_t i = 1; i < n && !near; i++) {
                char *longer;

                if (asprintf(&longer, "%s, %s", list, arg->values[i]) < 0)
                        return NULL;
                free(list);
                list = longer;
        }
        return TAKE_PTR(list);
}

static int check_text(const Arg *arg, const json_t *value, json_t **ret, Error *error) {
        const char *text = json_string_value(value), *canonical;
        _cleanup_free_ char *remedy = NULL;
        int r;

        if (!text)
                return refuse_type(arg, "a text", error);
        canonical = arg->values ? text_canonical(arg, text) : text;
        if (!canonical) {
                remedy = values_remedy(arg, text);
                r = error_set(error, ERROR_ARGUMENT, remedy, "\"%s\" cannot be \"%.80s\"", arg->name, text);
                (void) error_field(error, arg->name);
                return r;
        }
        *ret = json_string(canonical);
        return *ret ? 0 : -ENOMEM;
}

static int check_texts(const Arg *arg, const json_t *value, json_t **ret, Error *error) {
        json_auto_t *texts = json_array();
        const char *text = json_string_value(value);

        if (!texts)
                return -ENOMEM;
        for (const char *p = text; p && *p;) {
                size_t n = strcspn(p, ",");

                if (n > 0 && json_array_append_new(texts, json_text_n(p, n)) < 0)
                        return -ENOMEM;
                p += n + (p[n] == ',');
        }
        if (!text && !json_is_array(value))
                return refuse_type(arg, "an array of texts", error);
        for (size_t i = 0; i < json_array_size(value); i++) {
                if (!json_is_string(json_array_get(value, i)))
                        return refuse_type(arg, "an array of texts", error);
                if (json_array_append(texts, json_array_get(value, i)) < 0)
                        return -ENOMEM;
        }
        *ret = TAKE_PTR(texts);
        return 0;
}

static int check_value(const Arg *arg, const json_t *value, json_t **ret, Error *error) {
        switch (arg->type) {
        case ARG_INTEGER:
                return check_integer(arg, value, ret, error);
        case ARG_BOOLEAN:
                return check_boolean(arg, value, ret, error);
        case ARG_TEXTS:
                return check_texts(arg, value, ret, error);
        case ARG_OBJECT:
                if (json_is_string(value))
                        return json_parse(json_string_value(value), json_string_length(value), ret, error);
                if (!json_is_object(value))
                        return refuse_type(arg, "an object", error);
                *ret = json_deep_copy(value);
                return *ret ? 0 : -ENOMEM;
        default:
                return check_text(arg, value, ret, error);
        }
}

static int check_given(const Command *command, const json_t *given, json_t *args, Error *error) {
        const char *name;
        json_t *value;
        int r;

        json_object_foreach((json_t *) given, name, value) {
                const Arg *arg = command_arg(command, name);
                json_t *checked = NULL;

                if (!arg)
                        return refuse_unknown(command, name, error);
                if (json_is_null(value))
                        continue;
                r = check_value(arg, value, &checked, error);
                if (r >= 0)
                        r = json_put(args, name, checked);
                if (r < 0)
                        return r;
        }
        return 0;
}

int command_check_args(const Command *command, const json_t *given, json_t **ret, Error *error) {
        json_auto_t *args = json_object();
        int r;

        if (!args)
                return -ENOMEM;
        r = check_given(command, given, args, error);
        if (r < 0)
                return r;
        for (size_t i = 0; i < command_n_args(command); i++) {
                const Arg *arg = command->args + i;
                const char *text = json_member_text(args, arg->name);

                if (!arg->required || (json_object_get(args, arg->name) && !text_equal(text, "")))
                        continue;
                r = error_set(error, ERROR_ARGUMENT, arg->summary, "\"%s\" is required", arg->name);
                (void) error_field(error, arg->name);
                return r;
        }
        *ret = TAKE_PTR(args);
        return 0;
}
