/* SPDX-License-Identifier: Apache-2.0 */
#include "model/finding.h"
#include "basic/json.h"
#include "basic/text.h"

static const char *const severities[_FINDING_SEVERITY_MAX] = {
        [FINDING_WARNING] = "warning", [FINDING_ERROR] = "error"};

const char *finding_severity_to_string(FindingSeverity severity) {
        return severity >= 0 && severity < _FINDING_SEVERITY_MAX ? severities[severity] : "unknown";
}

FindingSeverity finding_severity_from_string(const char *name) {
        for (int i = 0; i < _FINDING_SEVERITY_MAX; i++)
                if (text_equal(name, severities[i]))
                        return (FindingSeverity) i;
        return _FINDING_SEVERITY_INVALID;
}

/* Copies a text that may be NULL; false without memory. */
static bool text_into(Arena *arena, const char *text, const char **ret) {
        *ret = text ? arena_copy(arena, text, strlen(text) + 1) : NULL;
        return !text || *ret;
}

int finding_add(Finding **findings, Arena *arena, FindingSeverity severity, const char *rule,
                const char *field, const char *value, const char *message, const char *remedy) {
        Finding *f = arena_alloc_zero(arena, sizeof *f);

        if (!f || !text_into(arena, rule, &f->rule) || !text_into(arena, field, &f->field) ||
            !text_into(arena, value, &f->value) || !text_into(arena, message, &f->message) ||
            !text_into(arena, remedy, &f->remedy))
                return -ENOMEM;
        f->severity = severity;
        f->next = *findings;
        *findings = f;
        return 0;
}

bool findings_hold(const Finding *findings) {
        for (const Finding *f = findings; f; f = f->next)
                if (f->severity == FINDING_ERROR)
                        return true;
        return false;
}

static int finding_to_json(const Finding *f, json_t **ret) {
        json_auto_t *object = json_object();

        if (json_put(object, "severity", json_string(finding_severity_to_string(f->severity))) < 0 ||
            json_put(object, "rule", json_text(f->rule)) < 0 ||
            json_put(object, "field", json_text(f->field)) < 0 ||
            json_put(object, "value", json_text(f->value)) < 0 ||
            json_put(object, "message", json_text(f->message)) < 0 ||
            json_put(object, "remedy", json_text(f->remedy)) < 0)
                return -ENOMEM;
        *ret = TAKE_PTR(object);
        return 0;
}

json_t *findings_to_json(const Finding *findings) {
        json_auto_t *array = json_array();

        for (const Finding *f = findings; f; f = f->next) {
                json_t *object = NULL;
                if (finding_to_json(f, &object) < 0 || json_array_append_new(array, object) < 0)
                        return NULL;
        }
        return TAKE_PTR(array);
}
