/* SPDX-License-Identifier: Apache-2.0 */
#include "validate/validate.h"

#include "basic/limits.h"
#include "validate/rule.h"
#include "validate/unique.h"

#define MESSAGE_VALUE_BYTES_MAX 200

/* What one unique field has held. */
typedef struct UniqueField {
        size_t index; /* into the mapping's fields */
        Digest digest; /* of the record at hand … */
        bool pending; /* … to be added when the record is right */
        UniqueSet set;
} UniqueField;

struct Validator {
        const Mapping *mapping;
        UniqueField *uniques;
        size_t n_uniques;
        size_t n_values_max; /* per field */
        DigestScratch scratch;
};

int validator_new(const Mapping *m, Validator **ret) {
        _cleanup_validator_ Validator *v = NULL;
        size_t n = 0;

        assert(m && ret);
        v = calloc(1, sizeof(*v));
        if (!v)
                return -ENOMEM;
        v->mapping = m;
        v->n_values_max = UNIQUE_VALUES_MAX;
        for (size_t i = 0; i < m->n_fields; i++)
                n += m->fields[i].unique;
        v->uniques = calloc(n > 0 ? n : 1, sizeof(*v->uniques));
        if (!v->uniques)
                return -ENOMEM;
        for (size_t i = 0; i < m->n_fields; i++)
                if (m->fields[i].unique)
                        v->uniques[v->n_uniques++].index = i;
        *ret = TAKE_PTR(v);
        return 0;
}

Validator *validator_free(Validator *v) {
        if (!v)
                return NULL;
        for (size_t i = 0; i < v->n_uniques; i++)
                unique_set_done(&v->uniques[i].set);
        free(v->uniques);
        free(v->scratch.bytes);
        free(v);
        return NULL;
}

void validator_set_values_max(Validator *v, size_t n_values_max) {
        v->n_values_max = n_values_max;
}

static int unique_report(const MappingField *field, const Value *value, bool full, size_t n_max,
                         Arena *arena, Finding **findings) {
        const char *text = value_to_text(value, arena, MESSAGE_VALUE_BYTES_MAX), *message;

        if (!text)
                return -ENOMEM;
        message = full ? arena_printf(arena,
                                      "Field '%s': '%s' cannot be proved unique, since this run has more "
                                      "than %zu values.",
                                      field->name, text, n_max)
                       : arena_printf(arena, "Field '%s': '%s' occurs in more than one record of this run.",
                                      field->name, text);
        if (!message)
                return -ENOMEM;
        return finding_add(
                findings, arena, FINDING_ERROR, "unique", field->name, text, message,
                full ? "Remove unique from the field and let a unique index of the target watch over it."
                     : "Correct one of the records at the source, or remove unique from the field.");
}

static int unique_check(Validator *v, UniqueField *u, const Value *target, Arena *arena,
                        Finding **findings) {
        const MappingField *field = &v->mapping->fields[u->index];
        const Value *value = &target[u->index];
        bool full;
        int r;

        u->pending = false;
        if (value_is_null(value))
                return 0;
        /* A digest is of the number: 5 and 5.00 are one. */
        r = values_digest(value, 1, 0, &v->scratch, &u->digest);
        if (r < 0)
                return r;
        if (unique_set_has(&u->set, &u->digest))
                return unique_report(field, value, false, 0, arena, findings);
        full = u->set.n >= v->n_values_max;
        if (full)
                return unique_report(field, value, true, v->n_values_max, arena, findings);
        u->pending = true;
        return 0;
}

int validator_check(Validator *v, const Value *target, Arena *arena, Finding **findings) {
        int r;

        for (size_t i = 0; i < v->mapping->n_fields; i++) {
                r = rule_check_field(&v->mapping->fields[i], &target[i], arena, findings);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < v->n_uniques; i++) {
                r = unique_check(v, &v->uniques[i], target, arena, findings);
                if (r < 0)
                        return r;
        }
        if (findings_hold(*findings))
                return 0;
        for (size_t i = 0; i < v->n_uniques; i++) {
                if (!v->uniques[i].pending)
                        continue;
                r = unique_set_add(&v->uniques[i].set, &v->uniques[i].digest);
                if (r < 0)
                        return r;
        }
        return 0;
}
