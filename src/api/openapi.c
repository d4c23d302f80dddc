/* SPDX-License-Identifier: Apache-2.0 */
#include "api/openapi.h"

#include <ctype.h>
#include <errno.h>

#include "api/command.h"
#include "basic/json.h"

static json_t *arg_schema(const Arg *arg) {
        static const char *const types[_ARG_TYPE_MAX] = {
                [ARG_TEXT] = "string", [ARG_INTEGER] = "integer", [ARG_BOOLEAN] = "boolean", [ARG_OBJECT] = "object", [ARG_TEXTS] = "array",
        };
        json_t *schema = json_pack("{s:s}", "type", types[arg->type]);

        if (arg->type == ARG_TEXTS)
                (void) json_object_set_new(schema, "items", json_pack("{s:s}", "type", "string"));
        if (arg->maximum > arg->minimum) {
                (void) json_object_set_new(schema, "minimum", json_integer(arg->minimum));
                (void) json_object_set_new(schema, "maximum", json_integer(arg->maximum));
        }
        if (arg->values) {
                json_t *values = json_array();

                for (size_t i = 0; arg->values[i]; i++)
                        (void) json_array_append_new(values, json_string(arg->values[i]));
                (void) json_object_set_new(schema, "enum", values);
        }
        return schema;
}

static json_t *command_body(const Command *command) {
        json_auto_t *properties = json_object(), *required = json_array();

        for (size_t i = 0; i < command_n_args(command); i++) {
                const Arg *arg = command->args + i;
                json_t *schema;

                if (arg->place != ARG_BODY)
                        continue;
                schema = arg_schema(arg);
                (void) json_object_set_new(schema, "description", json_string(arg->summary));
                (void) json_object_set_new(properties, arg->name, schema);
                if (arg->required)
                        (void) json_array_append_new(required, json_string(arg->name));
        }
        if (json_object_size(properties) == 0)
                return NULL;
        return json_pack("{s:b, s:{s:{s:{s:s, s:O, s:O, s:b}}}}", "required", json_array_size(required) > 0, "content", "application/json",
                         "schema", "type", "object", "properties", properties, "required", required, "additionalProperties", 0);
}

static json_t *command_parameters(const Command *command) {
        json_t *parameters = json_array();

        for (size_t i = 0; i < command_n_args(command); i++) {
                const Arg *arg = command->args + i;

                if (arg->place != ARG_BODY)
                        (void) json_array_append_new(parameters, json_pack("{s:s, s:s, s:b, s:s, s:o}", "name", arg->name,
                                "in", arg->place == ARG_PATH ? "path" : "query", "required", (int) arg->required,
                                "description", arg->summary, "schema", arg_schema(arg)));
        }
        return parameters;
}

static json_t *command_document(const Command *command, const char *suffix) {
        static const char *const results[] = { "object", "array", "string", "object" };
        char status[12];
        json_t *document, *body = command_body(command);

        (void) snprintf(status, sizeof(status), "%d", command->status);
        document = json_pack("{s:s+, s:s, s:s, s:o, s:{s:{s:s, s:{s:{s:{s:s}}}}, s:{s:s, s:{s:{s:{s:s}}}}}}",
                "operationId", command->member, suffix, "summary", command->summary, "x-scope", scope_to_string(command->scope),
                "parameters", command_parameters(command), "responses", status, "description", "Done or accepted.",
                "content", command->result == RESULT_TEXT ? "text/plain" : "application/json", "schema", "type", results[command->result],
                "default", "description", "A problem (RFC 9457).", "content", "application/problem+json", "schema", "type", "object");
        (void) json_object_set_new(document, "x-daemon", json_string(daemon_to_string(command->daemon)));
        if (body)
                (void) json_object_set_new(document, "requestBody", body);
        if (command->scope != SCOPE_OPEN)
                (void) json_object_set_new(document, "security", json_pack("[{s:[]}]", "ApiKey"));
        return document;
}

static int path_put(json_t *paths, const Command *command, const char *method, size_t i_path, const char *suffix) {
        json_t *path = json_object_get(paths, command->paths[i_path]);
        char name[8] = "";

        for (size_t k = 0; method[k] && k + 1 < sizeof(name); k++)
                name[k] = (char) tolower((unsigned char) method[k]);
        if (!path) {
                path = json_object();
                if (json_object_set_new(paths, command->paths[i_path], path) < 0)
                        return -ENOMEM;
        }
        return json_object_set_new(path, name, command_document(command, suffix)) < 0 ? -ENOMEM : 0;
}

int openapi_new(const char *version, json_t **ret) {
        json_auto_t *paths = json_object(), *document = NULL;

        for (CommandId id = 0; paths && id < _COMMAND_MAX; id++)
                for (size_t i = 0; i < COMMAND_PATHS_MAX && commands[id].paths[i]; i++) {
                        const Command *command = commands + id;

                        if (path_put(paths, command, command->method, i, i ? "Alias" : "") < 0 ||
                            (command->also && path_put(paths, command, command->also, i, "AlsoAlias") < 0))
                                return -ENOMEM;
                }
        document = json_pack("{s:s, s:{s:s, s:s, s:{s:s}}, s:{s:{s:{s:s, s:s, s:s}}}, s:O}", "openapi", "3.1.0",
                "info", "title", "TerraFusion SyncService", "version", version, "license", "name", "Apache-2.0",
                "components", "securitySchemes", "ApiKey", "type", "apiKey", "in", "header", "name", "X-API-Key", "paths", paths);
        if (!document)
                return -ENOMEM;
        *ret = TAKE_PTR(document);
        return 0;
}
