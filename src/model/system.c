/* SPDX-License-Identifier: Apache-2.0 */
#include "model/system.h"
#include "basic/json.h"

const Field system_document_fields[] = {
        {"name", FIELD_TEXT, .summary = "The system's name."},
        {"kind", FIELD_TEXT, .summary = "Which connector it needs."},
        {"access", FIELD_TEXT, .summary = "read or write."},
        {"path", FIELD_TEXT, .summary = "File or folder."},
        {"source_of", FIELD_TEXTS, .summary = "Pairs that read it."},
        {"target_of", FIELD_TEXTS, .summary = "Pairs that write it."},
        {},
};

System *system_free(System *s) {
        if (!s)
                return NULL;
        free(s->name);
        free(s->kind);
        free(s->path);
        free(s->file);
        json_decref(s->options);
        free(s);
        return NULL;
}

json_t *system_to_json(const System *s) {
        json_auto_t *object = json_object();

        if (json_put(object, "name", json_text(s->name)) < 0 ||
            json_put(object, "kind", json_text(s->kind)) < 0 ||
            json_put(object, "access", json_string(s->may_write ? "write" : "read")) < 0 ||
            json_put(object, "path", json_text(s->path)) < 0)
                return NULL;
        return TAKE_PTR(object);
}
