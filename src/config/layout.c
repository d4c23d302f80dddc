/* SPDX-License-Identifier: Apache-2.0 */
#include "config/layout.h"

#include "basic/json.h"
#include "basic/limits.h"
#include "basic/timestamp.h"
#include "config/check.h"
#include "model/record.h"

#define RECORD_LENGTH_MAX (1024 * 1024) /* bytes: a longer line is no record of a table */

static const char *const types[] = {"text", "integer", "decimal", "date", NULL};

static const Field field_fields[] = {
        {"from", FIELD_INTEGER, .required = true, .summary = "first byte, from 0"},
        {"to", FIELD_INTEGER, .required = true, .summary = "byte behind the last"},
        {"type", FIELD_TEXT, .choices = types, .summary = "text by default"},
        {"decimals", FIELD_INTEGER, .summary = "digits behind a point that is not written"},
        {"format", FIELD_TEXT, .summary = "of dates: %m%d%Y"},
        {"trim", FIELD_BOOLEAN, .summary = "without the blanks around it, true by default"},
        {"null_values", FIELD_TEXTS, .summary = "texts that mean null"},
        {"inferred", FIELD_BOOLEAN, .summary = "no documentation says so"},
        {},
};

static const Field table_fields[] = {
        {"file", FIELD_TEXT, .required = true, .summary = "pattern of the file's name"},
        {"record_length", FIELD_INTEGER, .required = true, .summary = "bytes, without the end of line"},
        {"description", FIELD_TEXT},
        {"fields", FIELD_MAP, .required = true, .members = field_fields},
        {},
};

static const Field layout_fields[] = {
        {"layout", FIELD_TEXT, .required = true, .summary = "its name"},
        {"description", FIELD_TEXT},
        {"encoding", FIELD_TEXT, .summary = "utf-8, latin1 or windows-1252; latin1 by default"},
        {"eol", FIELD_TEXT, .summary = "crlf, lf or none; crlf by default"},
        {"tables", FIELD_MAP, .required = true, .members = table_fields},
        {},
};

typedef struct LayoutFile {
        const YamlDocument *document;
        Mistakes *mistakes;
} LayoutFile;

static void mistake(const LayoutFile *f, const json_t *node, const char *remedy, const char *detail, const char *value) {
        mistake_add(f->mistakes, ERROR_MAPPING, yaml_file(f->document), yaml_place(f->document, node), remedy, "%s \"%.100s\"",
                    detail, value);
}

static int64_t number(const json_t *object, const char *name, int64_t otherwise) {
        const char *text = json_member_text(object, name);
        int64_t n;

        return text && text_to_int64(text, INT64_MIN, INT64_MAX, &n) == 0 ? n : otherwise;
}

static int texts_read(const json_t *node, char ***ret) {
        const json_t *item;
        size_t i;
        int r = 0;

        json_array_foreach(node, i, item) {
                if (r == 0 && json_is_string(item))
                        r = strings_append(ret, json_string_value(item));
        }
        return r;
}

/* What belongs to a type, and what its place is. */
static void field_check(const LayoutFile *f, const char *name, const json_t *node, const LayoutTable *t, LayoutField *field) {
        int64_t from = number(node, "from", -1), to = number(node, "to", -1), decimals = number(node, "decimals", 0);

        if (from < 0 || to <= from || to > t->record_length)
                mistake(f, node, "Write 0 ≤ from < to ≤ record_length; to is the byte behind the last",
                        "There is no such place in the record: field", name);
        else {
                field->from = (uint32_t) from;
                field->to = (uint32_t) to;
        }
        if (field->has_decimals && (field->type != VALUE_DECIMAL || decimals < 0 || decimals > 37))
                mistake(f, node, "Write type: decimal and decimals: from 0 to 37", "decimals: does not fit the field", name);
        if (field->format && (field->type != VALUE_DATE || !timestamp_format_is_valid(field->format)))
                mistake(f, node, "Write type: date and a format such as \"%m%d%Y\"", "format: does not fit the field", name);
        if (field->type == VALUE_DATE && !field->format)
                mistake(f, node, "Write a format such as \"%m%d%Y\"", "There is no format: for the date", name);
        field->decimals = decimals >= 0 && decimals <= 37 ? (uint8_t) decimals : 0;
}

static int field_read(const LayoutFile *f, const char *name, const json_t *node, const LayoutTable *t, LayoutField *field) {
        const char *type = json_member_text(node, "type"), *format = json_member_text(node, "format");

        *field = (LayoutField){
                .name = strdup(name),
                .type = type ? value_type_from_string(type) : VALUE_TEXT,
                .trim = !text_equal(json_member_text(node, "trim"), "false"),
                .has_decimals = json_object_get(node, "decimals") != NULL,
                .inferred = text_equal(json_member_text(node, "inferred"), "true"),
                .format = format ? strdup(format) : NULL,
        };
        if (!field->name || (format && !field->format) ||
            texts_read(json_object_get(node, "null_values"), &field->null_values) < 0)
                return -ENOMEM;
        field_check(f, name, node, t, field);
        return 0;
}

static int fields_read(const LayoutFile *f, const json_t *node, LayoutTable *t) {
        const char *name;
        json_t *member;
        int r;

        t->fields = calloc(json_object_size(node) + 1, sizeof(*t->fields));
        if (!t->fields)
                return -ENOMEM;
        json_object_foreach((json_t *) node, name, member) {
                LayoutField *field = &t->fields[t->n_fields];

                if (!json_is_object(member))
                        continue; /* told by check_object() */
                r = field_read(f, name, member, t, field);
                t->n_fields++;
                if (r < 0)
                        return r;
                for (size_t i = 0; i + 1 < t->n_fields; i++)
                        if (field->from < t->fields[i].to && t->fields[i].from < field->to)
                                mistake(f, member, "Correct from and to: a byte belongs to one field",
                                        "The field lies within another one:", name);
        }
        return 0;
}

static int table_read(const LayoutFile *f, const char *name, const json_t *node, LayoutTable *t) {
        int64_t length = number(node, "record_length", 0);
        const char *file = json_member_text(node, "file");

        t->name = strdup(name);
        t->file = strdup(file ? file : "");
        t->line = yaml_place(f->document, node).line;
        if (!t->name || !t->file)
                return -ENOMEM;
        if (length < 1 || length > RECORD_LENGTH_MAX) {
                mistake(f, node, "Write the record's bytes without the end of line, 1048576 at most",
                        "record_length: is no length for", name);
                return 0;
        }
        t->record_length = (uint32_t) length;
        return fields_read(f, json_object_get(node, "fields"), t);
}

static int head_read(const LayoutFile *f, const json_t *root, Layout *l) {
        const json_t *encoding = json_object_get(root, "encoding"), *end = json_object_get(root, "eol");

        l->encoding = encoding ? text_encoding_from_string(json_string_value(encoding)) : ENCODING_LATIN1;
        if (l->encoding != ENCODING_UTF8 && l->encoding != ENCODING_LATIN1 && l->encoding != ENCODING_WINDOWS1252)
                mistake(f, encoding, "Use one of utf-8, latin1, windows-1252", "Fixed-width records cannot have the encoding",
                        json_string_value(encoding) ? json_string_value(encoding) : "");
        l->end = end ? layout_end_from_string(json_string_value(end)) : LAYOUT_END_CRLF;
        if (l->end < 0)
                mistake(f, end, "Use one of crlf, lf, none", "eol: cannot be",
                        json_string_value(end) ? json_string_value(end) : "");
        return 0;
}

static int layout_read(const LayoutFile *f, const json_t *root, Layout *l) {
        const json_t *tables = json_object_get(root, "tables");
        const char *name;
        json_t *node;
        int r;

        r = head_read(f, root, l);
        if (r < 0)
                return r;
        l->tables = calloc(json_object_size(tables) + 1, sizeof(*l->tables));
        if (!l->tables)
                return -ENOMEM;
        json_object_foreach((json_t *) tables, name, node) {
                if (!json_is_object(node))
                        continue;
                r = table_read(f, name, node, &l->tables[l->n_tables++]);
                if (r < 0)
                        return r;
        }
        return 0;
}

int layout_parse(const char *bytes, size_t size, const char *path, Mistakes *mistakes, Layout **ret) {
        _cleanup_yaml_document_ YamlDocument *document = NULL;
        _cleanup_(layout_freep) Layout *l = calloc(1, sizeof(*l));
        size_t before = mistakes_count(mistakes);
        Digest digest;
        int r;

        if (!l || !(l->path = strdup(path)))
                return -ENOMEM;
        r = yaml_parse(bytes, size, path, &document, mistakes);
        if (r < 0)
                return r == -ENOMEM ? r : -EINVAL;
        check_object(document, yaml_root(document), layout_fields, "the layout", ERROR_MAPPING, mistakes);
        r = layout_read(&(LayoutFile){document, mistakes}, yaml_root(document), l);
        if (r < 0)
                return r;
        if (mistakes_count(mistakes) > before)
                return -EINVAL;
        bytes_digest(bytes, size, &digest);
        memcpy(&l->hash, digest.bytes, sizeof(l->hash));
        *ret = TAKE_PTR(l);
        return 0;
}

int layout_load(const char *path, Mistakes *mistakes, Layout **ret) {
        _cleanup_free_ char *bytes = NULL;
        size_t size;
        int r;

        r = file_read(path, MAPPING_FILE_BYTES_MAX, &bytes, &size);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                mistake_add(mistakes, ERROR_CONFIGURATION, path, (Mark){}, "Check layout: of the system",
                            "The layout file cannot be read: %s", strerror(-r));
                return -EINVAL;
        }
        return layout_parse(bytes, size, path, mistakes, ret);
}
