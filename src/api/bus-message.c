/* SPDX-License-Identifier: Apache-2.0 */
#include "api/bus-message.h"

#include <ctype.h>
#include <errno.h>

#include "basic/json.h"
#include "basic/text.h"
#include "basic/timestamp.h"

static const char *const arg_types[_ARG_TYPE_MAX] = {
        [ARG_TEXT] = "s", [ARG_INTEGER] = "x", [ARG_BOOLEAN] = "b", [ARG_OBJECT] = "s", [ARG_TEXTS] = "as",
};

bool arg_is_positional(const Arg *arg) { return arg->required || arg->positional; }

bool command_bus_has_options(const Command *command) {
        for (size_t i = 0; i < command_n_args(command); i++)
                if (!arg_is_positional(command->args + i))
                        return true;
        return false;
}

char *command_bus_signature(const Command *command, const Arg *bound) {
        char signature[COMMAND_ARGS_MAX * 2 + 8] = "";
        size_t n = 0;

        for (size_t i = 0; i < command_n_args(command); i++) {
                const Arg *arg = command->args + i;

                if (arg_is_positional(arg) && arg != bound)
                        n += (size_t) snprintf(signature + n, sizeof(signature) - n, "%s",
                                               arg_types[arg->type]);
        }
        (void) snprintf(signature + n, sizeof(signature) - n, "%s",
                        command_bus_has_options(command) ? "a{sv}" : "");
        return strdup(signature);
}

/* ---- arguments → message ---- */
static int append_texts(const json_t *value, sd_bus_message *m) {
        int r = sd_bus_message_open_container(m, 'a', "s");

        for (size_t i = 0; r >= 0 && i < json_array_size(value); i++)
                r = sd_bus_message_append(m, "s", json_string_value(json_array_get(value, i)));
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_value(const Arg *arg, const json_t *value, sd_bus_message *m) {
        _cleanup_free_ char *text = NULL;

        switch (arg->type) {
        case ARG_INTEGER:
                return sd_bus_message_append(m, "x", (int64_t) json_integer_value(value));
        case ARG_BOOLEAN:
                return sd_bus_message_append(m, "b", (int) json_is_true(value));
        case ARG_TEXTS:
                return append_texts(value, m);
        case ARG_OBJECT:
                text = json_dumps(value, JSON_COMPACT);
                return text ? sd_bus_message_append(m, "s", text) : -ENOMEM;
        default:
                return sd_bus_message_append(m, "s", json_string_value(value) ?: "");
        }
}

static int append_optional(const Arg *arg, const json_t *value, sd_bus_message *m) {
        int r;

        if ((r = sd_bus_message_open_container(m, 'e', "sv")) < 0 ||
            (r = sd_bus_message_append(m, "s", arg->name)) < 0 ||
            (r = sd_bus_message_open_container(m, 'v', arg_types[arg->type])) < 0 ||
            (r = append_value(arg, value, m)) < 0 || (r = sd_bus_message_close_container(m)) < 0)
                return r;
        return sd_bus_message_close_container(m);
}

int command_bus_append(const Command *command, const json_t *given, sd_bus_message *m) {
        json_auto_t *args = NULL;
        int r;

        r = command_check_args(command, given, &args, NULL);
        for (size_t i = 0; r >= 0 && i < command_n_args(command); i++)
                if (arg_is_positional(command->args + i))
                        r = append_value(command->args + i, json_object_get(args, command->args[i].name), m);
        if (r < 0 || !command_bus_has_options(command))
                return r;
        r = sd_bus_message_open_container(m, 'a', "{sv}");
        for (size_t i = 0; r >= 0 && i < command_n_args(command); i++) {
                const json_t *value = json_object_get(args, command->args[i].name);

                if (!arg_is_positional(command->args + i) && value)
                        r = append_optional(command->args + i, value, m);
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

/* ---- message → arguments ---- */
static int read_texts(sd_bus_message *m, json_t **ret) {
        json_auto_t *texts = json_array();
        const char *text;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "s");
        if (r < 0 || !texts)
                return r < 0 ? r : -ENOMEM;
        while ((r = sd_bus_message_read(m, "s", &text)) > 0)
                if (json_array_append_new(texts, json_text(text)) < 0)
                        return -ENOMEM;
        if (r < 0)
                return r;
        *ret = TAKE_PTR(texts);
        return sd_bus_message_exit_container(m);
}

/* What stands next in the message, by its own type: command_check_args() judges it. */
static int read_value(sd_bus_message *m, json_t **ret) {
        union {
                const char *s;
                int64_t x;
                uint64_t t;
                int32_t i;
                uint32_t u;
                int b;
        } v;
        const char *contents;
        char type;
        int r;

        r = sd_bus_message_peek_type(m, &type, &contents);
        if (r <= 0)
                return r < 0 ? r : -ENXIO;
        if (type == 'a' && text_equal(contents, "s"))
                return read_texts(m, ret);
        if (!strchr("soxtiub", type))
                return -EINVAL;
        r = sd_bus_message_read_basic(m, type, &v);
        if (r < 0)
                return r;
        switch (type) {
        case 's':
        case 'o':
                *ret = json_text(v.s);
                break;
        case 'x':
                *ret = json_integer(v.x);
                break;
        case 't':
                *ret = v.t > INT64_MAX ? json_text("too large") : json_integer((json_int_t) v.t);
                break;
        case 'i':
                *ret = json_integer(v.i);
                break;
        case 'u':
                *ret = json_integer(v.u);
                break;
        default:
                *ret = json_boolean(v.b);
                break;
        }
        return *ret ? 0 : -ENOMEM;
}

static int read_optional(sd_bus_message *m, json_t *args) {
        const char *name, *contents;
        json_t *value = NULL;
        char type;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                if ((r = sd_bus_message_read(m, "s", &name)) < 0 ||
                    (r = sd_bus_message_peek_type(m, &type, &contents)) < 0 ||
                    (r = sd_bus_message_enter_container(m, 'v', contents)) < 0 ||
                    (r = read_value(m, &value)) < 0 || (r = json_put(args, name, TAKE_PTR(value))) < 0 ||
                    (r = sd_bus_message_exit_container(m)) < 0 || (r = sd_bus_message_exit_container(m)) < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

int command_bus_read(const Command *command, const Arg *bound, sd_bus_message *m, json_t **ret) {
        json_auto_t *args = json_object();
        int r = 0;

        if (!args)
                return -ENOMEM;
        for (size_t i = 0; i < command_n_args(command); i++) {
                const Arg *arg = command->args + i;
                json_t *value = NULL;

                if (!arg_is_positional(arg) || arg == bound)
                        continue;
                r = read_value(m, &value);
                if (r >= 0 && !arg->required && json_string_length(value) == 0 && json_is_string(value))
                        json_decref(value); /* left out */
                else if (r >= 0)
                        r = json_put(args, arg->name, value);
                if (r < 0)
                        return r;
        }
        r = command_bus_has_options(command) ? read_optional(m, args) : 0;
        if (r < 0)
                return r;
        *ret = TAKE_PTR(args);
        return 0;
}

/* ---- documents → properties ---- */
const char *field_bus_type(FieldType type) {
        switch (type) {
        case FIELD_INTEGER:
                return "x";
        case FIELD_BOOLEAN:
                return "b";
        case FIELD_NUMBER:
                return "d";
        case FIELD_TIMESTAMP:
                return "t";
        case FIELD_TEXTS:
                return "as";
        case FIELD_OBJECT:
        case FIELD_MAP:
                return "a{sv}";
        case FIELD_ARRAY:
                return "av";
        default:
                return "s";
        }
}

static int append_object(const json_t *object, sd_bus_message *m);
static int append_array(const json_t *array, sd_bus_message *m);

static int append_variant(const json_t *value, sd_bus_message *m) {
        int r;

        switch (json_typeof(value)) {
        case JSON_STRING:
                return sd_bus_message_append(m, "v", "s", json_string_value(value));
        case JSON_INTEGER:
                return sd_bus_message_append(m, "v", "x", (int64_t) json_integer_value(value));
        case JSON_REAL:
                return sd_bus_message_append(m, "v", "d", json_real_value(value));
        case JSON_TRUE:
        case JSON_FALSE:
                return sd_bus_message_append(m, "v", "b", (int) json_is_true(value));
        case JSON_NULL:
                return sd_bus_message_append(m, "v", "s", ""); /* of an array: it keeps its place */
        default:
                r = sd_bus_message_open_container(m, 'v', json_is_object(value) ? "a{sv}" : "av");
                if (r >= 0)
                        r = json_is_object(value) ? append_object(value, m) : append_array(value, m);
                return r < 0 ? r : sd_bus_message_close_container(m);
        }
}

static int append_object(const json_t *object, sd_bus_message *m) {
        const char *name;
        json_t *value;
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        json_object_foreach((json_t *) object, name, value) {
                if (r >= 0 && !json_is_null(value)) {
                        r = sd_bus_message_open_container(m, 'e', "sv");
                        if (r >= 0)
                                r = sd_bus_message_append(m, "s", name);
                        if (r >= 0)
                                r = append_variant(value, m);
                        if (r >= 0)
                                r = sd_bus_message_close_container(m);
                }
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_array(const json_t *array, sd_bus_message *m) {
        const json_t *value;
        size_t i;
        int r;

        r = sd_bus_message_open_container(m, 'a', "v");
        json_array_foreach((json_t *) array, i, value) if (r >= 0) r = append_variant(value, m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static uint64_t time_of(const json_t *value) {
        const char *text = json_string_value(value);
        int64_t usec = 0;
        bool has_zone;

        return text && timestamp_parse(text, strlen(text), &usec, &has_zone) >= 0 && usec > 0
                       ? (uint64_t) usec
                       : 0;
}

int field_bus_append(const Field *field, const json_t *document, sd_bus_message *m) {
        const json_t *value = json_object_get(document, field->name);

        switch (field->type) {
        case FIELD_INTEGER:
                return sd_bus_message_append(
                        m, "x", json_is_integer(value) ? (int64_t) json_integer_value(value) : (int64_t) -1);
        case FIELD_BOOLEAN:
                return sd_bus_message_append(m, "b", (int) json_is_true(value));
        case FIELD_NUMBER:
                return sd_bus_message_append(m, "d",
                                             json_is_number(value) ? json_number_value(value) : -1.0);
        case FIELD_TIMESTAMP:
                return sd_bus_message_append(m, "t", time_of(value));
        case FIELD_TEXTS:
                return append_texts(value, m);
        case FIELD_OBJECT:
        case FIELD_MAP:
                return append_object(value, m);
        case FIELD_ARRAY:
                return append_array(value, m);
        default:
                return sd_bus_message_append(m, "s", json_string_value(value) ?: "");
        }
}

char *field_bus_name(const char *field) {
        char *name = strdup(field), *to = name;
        bool is_first = true;

        for (const char *from = name; from && *from; from++) {
                if (*from != '_')
                        *to++ = is_first ? (char) toupper((unsigned char) *from) : *from;
                is_first = *from == '_';
        }
        if (name)
                *to = '\0';
        return name;
}
