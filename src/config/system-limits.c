/* SPDX-License-Identifier: Apache-2.0 */
#include "config/system-limits.h"

#include "basic/json.h"
#include "basic/text.h"

#define CONNECTIONS_MAX 64 /* as many workers as there may be */
#define THROTTLE_MAX    100

const Field system_limits_fields[] = {
        {"statement_timeout", FIELD_DURATION, .summary = "of databases: longest time of a statement; of web services: of a request; 10min"},
        {"connections", FIELD_INTEGER, .summary = "operations of ours that use the system at a time"},
        {"throttle", FIELD_INTEGER,
         .summary = "pause when its records take that many times longer to come than at the run's beginning"},
        {},
};

static void number_read(const YamlDocument *d, const json_t *limits, const char *name, int64_t minimum,
                        int64_t maximum, unsigned *ret, Mistakes *mistakes) {
        const json_t *node = json_object_get(limits, name);
        _cleanup_free_ char *remedy = NULL;
        int64_t number;

        if (!check_scalar(node, FIELD_INTEGER))
                return; /* absent, or told already */
        if (text_to_int64(json_string_value(node), minimum, maximum, &number) >= 0) {
                *ret = (unsigned) number;
                return;
        }
        if (asprintf(&remedy, "Write a number from %d to %d", (int) minimum, (int) maximum) < 0)
                remedy = NULL;
        if (mistakes)
                mistake_add(mistakes, ERROR_CONFIGURATION, yaml_file(d), yaml_node(d, node).place, remedy,
                            "\"%s\" cannot be \"%.100s\"", name, json_string_value(node));
}

static void hours_read(const YamlDocument *d, const json_t *node, Hours *ret, Mistakes *mistakes) {
        const char *text = json_string_value(node);

        if (!text || yaml_is_null(d, node) || hours_parse(text, ret) >= 0 || !mistakes)
                return;
        mistake_add(mistakes, ERROR_CONFIGURATION, yaml_file(d), yaml_node(d, node).place,
                    "Write two different local times, hours and minutes of two digits, such as \"20:00-06:00\"; for always "
                    "leave it out",
                    "\"hours\" cannot be \"%.100s\"", text);
}

void system_limits_read(const YamlDocument *d, const json_t *node, System *s, Mistakes *mistakes) {
        const json_t *limits = json_object_get(node, "limits");
        const char *timeout = json_member_text(limits, "statement_timeout");
        uint64_t usec;

        s->statement_timeout_usec = STATEMENT_TIMEOUT_USEC;
        if (timeout && text_to_duration(timeout, &usec) >= 0)
                s->statement_timeout_usec = usec;
        number_read(d, limits, "connections", 1, CONNECTIONS_MAX, &s->connections_max, mistakes);
        number_read(d, limits, "throttle", 2, THROTTLE_MAX, &s->throttle, mistakes);
        hours_read(d, json_object_get(node, "hours"), &s->hours, mistakes);
}
