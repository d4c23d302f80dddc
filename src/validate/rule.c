/* SPDX-License-Identifier: Apache-2.0 */
#include "validate/rule.h"

#include "basic/text.h"
#include "basic/timestamp.h"

/* Of a value in a message; the whole of it is at the source. */
#define MESSAGE_VALUE_BYTES_MAX 200
/* No limit: patterns and enums see the whole value. */
#define TEXT_BYTES_MAX 0

#define USEC_PER_DAY (86400 * USEC_PER_SEC)

/* One field of one record while its constraints are checked. */
typedef struct Rule {
        const MappingField *field;
        const Value *value;
        Arena *arena;
        Finding **findings;
} Rule;

/* The value as it stands in a sentence: text in quotes. */
static const char *value_quoted(const Value *value, Arena *arena) {
        const char *text = value_to_text(value, arena, MESSAGE_VALUE_BYTES_MAX);

        return text && value->type == VALUE_TEXT ? arena_printf(arena, "'%s'", text) : text;
}

static int rule_report(const Rule *rule, const char *name, const char *reason, const char *remedy) {
        const char *text, *quoted, *message;

        text = value_to_text(rule->value, rule->arena, MESSAGE_VALUE_BYTES_MAX);
        quoted = value_quoted(rule->value, rule->arena);
        if (!text || !quoted || !reason || !remedy)
                return -ENOMEM;
        message = arena_printf(rule->arena, "Field '%s': %s %s.", rule->field->name, quoted, reason);
        if (!message)
                return -ENOMEM;
        return finding_add(rule->findings, rule->arena, FINDING_ERROR, name, rule->field->name, text,
                           message, remedy);
}

static bool is_number(const Value *v) {
        return v->type == VALUE_INTEGER || v->type == VALUE_DECIMAL;
}

static Decimal number_of(const Value *v) {
        return v->type == VALUE_DECIMAL ? v->decimal : decimal_from_integer(v->integer);
}

static bool is_instant(const Value *v) {
        return v->type == VALUE_DATE || v->type == VALUE_TIMESTAMP;
}

/* Wide, since a date may be of a year whose microseconds do not fit. */
static __int128 instant_of(const Value *v) {
        return v->type == VALUE_DATE ? (__int128) v->integer * USEC_PER_DAY : v->integer;
}

bool rule_compare(const Value *a, const Value *b, int *ret) {
        if (a->type == VALUE_INTEGER && b->type == VALUE_INTEGER)
                *ret = (a->integer > b->integer) - (a->integer < b->integer);
        else if (is_number(a) && is_number(b)) {
                Decimal left = number_of(a), right = number_of(b);

                *ret = decimal_compare(&left, &right);
        } else if (is_instant(a) && is_instant(b)) {
                __int128 left = instant_of(a), right = instant_of(b);

                *ret = (left > right) - (left < right);
        } else if (a->type == VALUE_TIME && b->type == VALUE_TIME)
                *ret = (a->integer > b->integer) - (a->integer < b->integer);
        else
                return false;
        return true;
}

static int check_limit(const Rule *rule, const Value *limit, bool is_minimum) {
        const char *name = is_minimum ? "minimum" : "maximum", *limit_text;
        int order;

        if (value_is_null(limit))
                return 0;
        if (rule_compare(rule->value, limit, &order) && (is_minimum ? order >= 0 : order <= 0))
                return 0;
        limit_text = value_to_text(limit, rule->arena, MESSAGE_VALUE_BYTES_MAX);
        if (!limit_text)
                return -ENOMEM;
        if (!rule_compare(rule->value, limit, &order))
                return rule_report(
                        rule, name,
                        arena_printf(rule->arena, "is of type %s and cannot be compared with the %s %s",
                                     value_type_to_string(rule->value->type), name, limit_text),
                        "Give the field a type in the mapping that can be compared with the limit.");
        return rule_report(rule, name,
                           arena_printf(rule->arena, "is %s than the %s %s", is_minimum ? "less" : "more",
                                        name, limit_text),
                           arena_printf(rule->arena,
                                        "Correct the value at the source, or change the field's %s.", name));
}

/* The value as patterns and enums see it. */
static int text_of(const Rule *rule, Value *ret) {
        const char *text;

        if (rule->value->type == VALUE_TEXT || rule->value->type == VALUE_JSON) {
                *ret = value_text(rule->value->bytes, rule->value->size);
                return 0;
        }
        text = value_to_text(rule->value, rule->arena, TEXT_BYTES_MAX);
        if (!text)
                return -ENOMEM;
        *ret = value_text(text, strlen(text));
        return 0;
}

static int length_of(const Rule *rule, int64_t *ret_length, const char **ret_unit) {
        Value text;
        int r;

        if (rule->value->type == VALUE_BYTES || rule->value->type == VALUE_GEOMETRY) {
                *ret_length = (int64_t) rule->value->size;
                *ret_unit = "bytes";
                return 0;
        }
        r = text_of(rule, &text);
        if (r < 0)
                return r;
        *ret_length = (int64_t) text_utf8_length(text.bytes, text.size);
        *ret_unit = "characters";
        return 0;
}

static int check_length(const Rule *rule) {
        const MappingField *field = rule->field;
        const char *unit;
        int64_t length;
        int r;

        if (field->min_length < 0 && field->max_length < 0)
                return 0;
        r = length_of(rule, &length, &unit);
        if (r < 0)
                return r;
        if (field->min_length >= 0 && length < field->min_length)
                return rule_report(rule, "min_length",
                                   arena_printf(rule->arena,
                                                "has %lld %s, fewer than the %lld that are required",
                                                (long long) length, unit, (long long) field->min_length),
                                   "Correct the value at the source, or change the field's min_length.");
        if (field->max_length >= 0 && length > field->max_length)
                return rule_report(rule, "max_length",
                                   arena_printf(rule->arena,
                                                "has %lld %s, more than the %lld that are allowed",
                                                (long long) length, unit, (long long) field->max_length),
                                   "Shorten the value at the source, change the field's max_length, "
                                   "or allow the loss with accept: truncates.");
        return 0;
}

static int check_pattern(const Rule *rule) {
        const char *expression = rule->field->pattern_text ? rule->field->pattern_text : "";
        Value text;
        int r;

        if (!rule->field->pattern)
                return 0;
        r = text_of(rule, &text);
        if (r < 0)
                return r;
        r = pattern_match(rule->field->pattern, text.bytes, text.size);
        if (r > 0)
                return 0;
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                /* Neither right nor wrong is known, and what is not known to be right is held. */
                return rule_report(
                        rule, "pattern",
                        arena_printf(rule->arena,
                                     "could not be matched with the pattern %s: it takes too many steps",
                                     expression),
                        "Write the pattern without nested repetitions, such as (a+)+.");
        return rule_report(rule, "pattern",
                           arena_printf(rule->arena, "does not match the pattern %s", expression),
                           "Correct the value at the source, or change the field's pattern.");
}

/* Numbers are in an enum by number: 1.50 is 1.5. */
static bool enum_has_number(char *const *texts, const Value *value) {
        Decimal number = number_of(value), member;

        for (; *texts; texts++)
                if (decimal_parse(*texts, strlen(*texts), &member) >= 0 &&
                    decimal_compare(&number, &member) == 0)
                        return true;
        return false;
}

static bool enum_has_text(char *const *texts, const Value *text) {
        for (; *texts; texts++)
                if (strlen(*texts) == text->size && memcmp(*texts, text->bytes, text->size) == 0)
                        return true;
        return false;
}

/* "A, B, C", the first ten. */
static const char *enum_list(char *const *texts, Arena *arena) {
        const char *list = "";

        for (size_t i = 0; list && texts[i]; i++) {
                if (i == 10)
                        return arena_printf(arena, "%s, …", list);
                list = arena_printf(arena, "%s%s%s", list, i > 0 ? ", " : "", texts[i]);
        }
        return list;
}

static int check_enum(const Rule *rule) {
        const char *list;
        Value text;
        int r;

        if (!rule->field->enumeration)
                return 0;
        if (is_number(rule->value) && enum_has_number(rule->field->enumeration, rule->value))
                return 0;
        r = text_of(rule, &text);
        if (r < 0)
                return r;
        if (enum_has_text(rule->field->enumeration, &text))
                return 0;
        list = enum_list(rule->field->enumeration, rule->arena);
        if (!list)
                return -ENOMEM;
        return rule_report(rule, "enum", arena_printf(rule->arena, "is not one of %s", list),
                           "Correct the value at the source, or add it to the field's enum.");
}

/* What could not be converted is NULL with a finding of its own; that it is missing would mislead. */
static bool has_error(const Finding *findings, const char *field) {
        for (; findings; findings = findings->next)
                if (findings->severity == FINDING_ERROR && text_equal(findings->field, field))
                        return true;
        return false;
}

static int check_required(const Rule *rule) {
        const char *message;

        if (!rule->field->required || has_error(*rule->findings, rule->field->name))
                return 0;
        message = arena_printf(rule->arena, "Field '%s': has no value, but is required.", rule->field->name);
        if (!message)
                return -ENOMEM;
        return finding_add(rule->findings, rule->arena, FINDING_ERROR, "required", rule->field->name, NULL,
                           message, "Fill the value in at the source, or remove required from the field.");
}

int rule_check_field(const MappingField *field, const Value *value, Arena *arena, Finding **findings) {
        const Rule rule = { .field = field, .value = value, .arena = arena, .findings = findings };
        int r;

        if (value_is_null(value))
                return check_required(&rule);
        r = check_limit(&rule, &field->minimum, true);
        if (r < 0)
                return r;
        r = check_limit(&rule, &field->maximum, false);
        if (r < 0)
                return r;
        r = check_length(&rule);
        if (r < 0)
                return r;
        r = check_pattern(&rule);
        if (r < 0)
                return r;
        return check_enum(&rule);
}
