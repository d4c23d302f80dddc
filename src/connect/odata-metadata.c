/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/odata-metadata.h"

#include "basic/text.h"
#include "basic/xml.h"

#define BASES_MAX 20U /* of one type: more is a circle */

/* A type as it is written; lists are in the reverse order of the document until they are collected. */
typedef struct Property Property;
struct Property {
        Property *next;
        const char *name, *type, *precision, *scale;
        bool required, computed;
};
typedef struct Constraint Constraint;
struct Constraint { Constraint *next; const char *property, *referenced; };
typedef struct Navigation Navigation;
struct Navigation { Navigation *next; const char *name, *type; Constraint *constraints; };
typedef struct KeyPart KeyPart;
struct KeyPart { KeyPart *next; const char *name; };

typedef enum TypeKind { TYPE_ENTITY, TYPE_COMPLEX, TYPE_ENUM, TYPE_DEFINITION } TypeKind;

typedef struct Type Type;
struct Type {
        Type *next;
        TypeKind kind;
        const char *name, *base;        /* with namespace; of a definition: what it stands for */
        Property *properties;
        Navigation *navigations;
        KeyPart *key;
};
typedef struct Set Set;
struct Set { Set *next; const char *name, *type; };

typedef struct Parser {
        Arena *arena;
        const char *namespace, *alias;  /* of the schema at hand */
        struct { const char *alias, *namespace; } aliases[16];
        size_t n_aliases;
        Type *types, *type;             /* type: the one that is open */
        Set *sets;
        Property *property;             /* the one that is open, or what annotations are about */
        Navigation *navigation;
        const char *target;             /* of the Annotations element that is open */
        bool any;                       /* there was an Edmx element */
} Parser;

#define NEW(p, type) ((type *) arena_alloc_zero((p)->arena, sizeof(type)))

static const char *qualified(Parser *p, const char *name) {
        return arena_printf(p->arena, "%s.%s", p->namespace ? p->namespace : "", name ? name : "");
}

/* A name with an alias for its namespace gets the namespace itself. */
static const char *resolved(const Parser *p, const char *name) {
        const char *dot = strrchr(name, '.');

        for (size_t i = 0; dot && i < p->n_aliases; i++)
                if (strlen(p->aliases[i].alias) == (size_t) (dot - name) &&
                    strncmp(p->aliases[i].alias, name, (size_t) (dot - name)) == 0)
                        return arena_printf(p->arena, "%s%s", p->aliases[i].namespace, dot);
        return name;
}

static bool term_is_computed(const XmlElement *e) {
        const char *term = xml_attribute(e, "Term"), *is = xml_attribute(e, "Bool"),
                   *dot = term ? strrchr(term, '.') : NULL;

        return dot && text_equal(dot, ".Computed") && !text_equal(is, "false");
}

static int schema_begin(Parser *p, const XmlElement *e) {
        p->namespace = xml_attribute(e, "Namespace");
        p->alias = xml_attribute(e, "Alias");
        if (p->alias && p->namespace && p->n_aliases < ELEMENTSOF(p->aliases)) {
                p->aliases[p->n_aliases].alias = p->alias;
                p->aliases[p->n_aliases++].namespace = p->namespace;
        }
        return 0;
}

static int type_begin(Parser *p, const XmlElement *e, TypeKind kind) {
        Type *t = NEW(p, Type);

        if (!t)
                return -ENOMEM;
        t->kind = kind;
        t->name = qualified(p, xml_attribute(e, "Name"));
        t->base = xml_attribute(e, kind == TYPE_DEFINITION ? "UnderlyingType" : "BaseType");
        t->next = p->types;
        p->types = p->type = t;
        return t->name ? 0 : -ENOMEM;
}

static int property_begin(Parser *p, const XmlElement *e) {
        Property *property = NEW(p, Property);
        const char *nullable = xml_attribute(e, "Nullable");

        if (!property)
                return -ENOMEM;
        property->name = xml_attribute(e, "Name");
        property->type = xml_attribute(e, "Type");
        property->precision = xml_attribute(e, "Precision");
        property->scale = xml_attribute(e, "Scale");
        property->required = text_equal(nullable, "false") && !xml_attribute(e, "DefaultValue");
        if (!property->name || !property->type)
                return -EBADMSG;
        property->next = p->type->properties;
        p->type->properties = p->property = property;
        return 0;
}

static int navigation_begin(Parser *p, const XmlElement *e) {
        Navigation *n = NEW(p, Navigation);

        if (!n)
                return -ENOMEM;
        n->name = xml_attribute(e, "Name");
        n->type = xml_attribute(e, "Type");
        if (!n->name || !n->type)
                return -EBADMSG;
        n->next = p->type->navigations;
        p->type->navigations = p->navigation = n;
        return 0;
}

static int constraint_begin(Parser *p, const XmlElement *e) {
        Constraint *c = NEW(p, Constraint);

        if (!c)
                return -ENOMEM;
        c->property = xml_attribute(e, "Property");
        c->referenced = xml_attribute(e, "ReferencedProperty");
        c->next = p->navigation->constraints;
        p->navigation->constraints = c;
        return c->property && c->referenced ? 0 : -EBADMSG;
}

static int key_part_begin(Parser *p, const XmlElement *e) {
        KeyPart *part = NEW(p, KeyPart), **place = &p->type->key;

        if (!part)
                return -ENOMEM;
        part->name = xml_attribute(e, "Name");
        while (*place)
                place = &(*place)->next;
        *place = part;
        return part->name ? 0 : -EBADMSG;
}

static int set_begin(Parser *p, const XmlElement *e) {
        Set *set = NEW(p, Set);

        if (!set)
                return -ENOMEM;
        set->name = xml_attribute(e, "Name");
        set->type = xml_attribute(e, "EntityType");
        set->next = p->sets;
        p->sets = set;
        return set->name && set->type ? 0 : -EBADMSG;
}

static Type *type_find(const Parser *p, const char *name) {
        for (Type *t = p->types; t && name; t = t->next)
                if (text_equal(t->name, name))
                        return t;
        return NULL;
}

/* "Namespace.Type/property" of an Annotations element, whose type may stand behind it in the document: looked up at the end. */
typedef struct Computed Computed;
struct Computed { Computed *next; const char *target; };

static int annotation_begin(Parser *p, const XmlElement *e, Computed **list) {
        Computed *c;

        if (!term_is_computed(e))
                return 0;
        if (p->property) {
                p->property->computed = true;
                return 0;
        }
        if (!p->target)
                return 0;
        c = NEW(p, Computed);
        if (!c)
                return -ENOMEM;
        c->target = p->target;
        c->next = *list;
        *list = c;
        return 0;
}

static int element_begin(Parser *p, const XmlElement *e, Computed **computed) {
        if (text_equal(e->name, "Edmx"))
                p->any = true;
        else if (text_equal(e->name, "Schema"))
                return schema_begin(p, e);
        else if (text_equal(e->name, "EntityType"))
                return type_begin(p, e, TYPE_ENTITY);
        else if (text_equal(e->name, "ComplexType"))
                return type_begin(p, e, TYPE_COMPLEX);
        else if (text_equal(e->name, "EnumType"))
                return type_begin(p, e, TYPE_ENUM);
        else if (text_equal(e->name, "TypeDefinition"))
                return type_begin(p, e, TYPE_DEFINITION);
        else if (text_equal(e->name, "Property") && p->type)
                return property_begin(p, e);
        else if (text_equal(e->name, "NavigationProperty") && p->type)
                return navigation_begin(p, e);
        else if (text_equal(e->name, "ReferentialConstraint") && p->navigation)
                return constraint_begin(p, e);
        else if (text_equal(e->name, "PropertyRef") && p->type)
                return key_part_begin(p, e);
        else if (text_equal(e->name, "EntitySet"))
                return set_begin(p, e);
        else if (text_equal(e->name, "Annotations"))
                p->target = xml_attribute(e, "Target");
        else if (text_equal(e->name, "Annotation"))
                return annotation_begin(p, e, computed);
        return 0;
}

/* Types, properties and targets do not nest; elements within them (annotations) have names of their own. */
static void element_end(Parser *p, const char *name) {
        if (text_equal(name, "EntityType") || text_equal(name, "ComplexType") || text_equal(name, "EnumType") ||
            text_equal(name, "TypeDefinition"))
                p->type = NULL;
        else if (text_equal(name, "Property"))
                p->property = NULL;
        else if (text_equal(name, "NavigationProperty"))
                p->navigation = NULL;
        else if (text_equal(name, "Annotations"))
                p->target = NULL;
}

/* ---- what it all means ---- */

static bool edm_type(const char *name, EdmType *ret) {
        static const struct { const char *name; EdmType type; } types[] = {
                {"Edm.String", EDM_STRING}, {"Edm.Boolean", EDM_BOOLEAN}, {"Edm.Byte", EDM_INTEGER},
                {"Edm.SByte", EDM_INTEGER}, {"Edm.Int16", EDM_INTEGER}, {"Edm.Int32", EDM_INTEGER},
                {"Edm.Int64", EDM_INT64}, {"Edm.Decimal", EDM_DECIMAL}, {"Edm.Double", EDM_DOUBLE},
                {"Edm.Single", EDM_DOUBLE}, {"Edm.Date", EDM_DATE}, {"Edm.TimeOfDay", EDM_TIME_OF_DAY},
                {"Edm.DateTimeOffset", EDM_DATE_TIME_OFFSET}, {"Edm.Guid", EDM_GUID}, {"Edm.Binary", EDM_BINARY},
                {"Edm.Duration", EDM_DURATION}, {"Edm.Stream", EDM_STREAM}};

        for (size_t i = 0; i < ELEMENTSOF(types); i++)
                if (text_equal(types[i].name, name)) {
                        *ret = types[i].type;
                        return true;
                }
        if (text_starts_with(name, "Edm.Geo")) {
                *ret = EDM_GEO;
                return true;
        }
        /* Edm.Untyped, and what a later version may add. */
        *ret = EDM_STRUCTURE;
        return text_starts_with(name, "Edm.") || text_starts_with(name, "Collection(");
}

static EdmType property_type(const Parser *p, const char *name) {
        EdmType type;

        for (unsigned i = 0; i < BASES_MAX; i++) {
                const Type *t;

                if (edm_type(name, &type))
                        return type;
                t = type_find(p, resolved(p, name));
                if (!t || t->kind != TYPE_DEFINITION || !t->base)
                        return t && t->kind == TYPE_ENUM ? EDM_ENUM : EDM_STRUCTURE;
                name = t->base;
        }
        return EDM_STRUCTURE;
}

static int facet(const char *text) {
        int64_t number;

        return text && text_to_int64(text, 0, 1000, &number) == 0 ? (int) number : -1; /* "variable", "floating" */
}

static int property_take(Parser *p, const Property *from, ODataProperty *to) {
        *to = (ODataProperty){.name = from->name, .type = property_type(p, from->type), .required = from->required,
                              .computed = from->computed, .precision = facet(from->precision), .scale = facet(from->scale)};
        if (from->precision && from->scale)
                to->type_name = arena_printf(p->arena, "%s(%s,%s)", from->type, from->precision, from->scale);
        else
                to->type_name = from->type;
        return to->type_name ? 0 : -ENOMEM;
}

static int navigation_take(Parser *p, const Navigation *from, ODataNavigation *to) {
        struct { const char *property, *referenced; } *constraints;
        const char *type = from->type;
        size_t n = 0;

        for (const Constraint *c = from->constraints; c; c = c->next)
                n++;
        constraints = arena_alloc(p->arena, n * sizeof(*constraints));
        if (!constraints)
                return -ENOMEM;
        *to = (ODataNavigation){.name = from->name, .n_constraints = n, .constraints = (void *) constraints};
        for (const Constraint *c = from->constraints; c; c = c->next) {
                constraints[--n].property = c->property;
                constraints[n].referenced = c->referenced;
        }
        if (text_starts_with(type, "Collection(") && type[strlen(type) - 1] == ')') {
                to->is_collection = true;
                type = arena_printf(p->arena, "%.*s", (int) strlen(type) - 12, type + 11);
        }
        to->type_name = type ? resolved(p, type) : NULL;
        return to->type_name ? 0 : -ENOMEM;
}

/* The bases come first, as their properties do. */
static int chain_find(const Parser *p, const char *name, const Type **chain, unsigned *ret_n) {
        unsigned n = 0;

        for (const Type *t = type_find(p, resolved(p, name)); t; t = t->base ? type_find(p, resolved(p, t->base)) : NULL) {
                if (n == BASES_MAX)
                        return -EBADMSG;
                chain[n++] = t;
                if (t->base && !type_find(p, resolved(p, t->base)))
                        return -EBADMSG;
        }
        *ret_n = n;
        return n > 0 ? 0 : -EBADMSG;
}

static int key_take(const KeyPart *part, ODataProperty *properties, size_t n_properties, size_t *ret_n) {
        unsigned place = 0;

        for (; part; part = part->next) {
                bool found = false;

                for (size_t i = 0; i < n_properties; i++)
                        if (text_equal(properties[i].name, part->name)) {
                                properties[i].key_place = ++place;
                                properties[i].required = !properties[i].computed;
                                found = true;
                        }
                if (!found)
                        return -EBADMSG;
        }
        *ret_n = place;
        return 0;
}

static int set_take(Parser *p, const Set *from, ODataSet *to) {
        const Type *chain[BASES_MAX];
        ODataProperty *properties;
        ODataNavigation *navigations;
        size_t n_properties = 0, n_navigations = 0;
        unsigned n;
        int r;

        r = chain_find(p, from->type, chain, &n);
        if (r < 0)
                return r;
        for (unsigned i = 0; i < n; i++) {
                for (const Property *x = chain[i]->properties; x; x = x->next)
                        n_properties++;
                for (const Navigation *x = chain[i]->navigations; x; x = x->next)
                        n_navigations++;
        }
        properties = arena_alloc(p->arena, n_properties * sizeof(*properties));
        navigations = arena_alloc(p->arena, n_navigations * sizeof(*navigations));
        if (!properties || !navigations)
                return -ENOMEM;
        *to = (ODataSet){.name = from->name, .type_name = resolved(p, from->type), .properties = properties,
                         .n_properties = n_properties, .navigations = navigations, .n_navigations = n_navigations};
        for (unsigned i = 0; i < n && r == 0; i++) {
                for (const Property *x = chain[i]->properties; x && r == 0; x = x->next)
                        r = property_take(p, x, &properties[--n_properties]);
                for (const Navigation *x = chain[i]->navigations; x && r == 0; x = x->next)
                        r = navigation_take(p, x, &navigations[--n_navigations]);
        }
        for (unsigned i = n; i-- > 0 && r == 0 && to->n_key == 0;)
                r = key_take(chain[i]->key, properties, to->n_properties, &to->n_key);
        return r;
}

static void computed_mark(Parser *p, const Computed *list) {
        for (; list; list = list->next) {
                const char *slash = strchr(list->target, '/');
                _cleanup_free_ char *name = slash ? strndup(list->target, (size_t) (slash - list->target)) : NULL;
                const Type *t = name ? type_find(p, resolved(p, name)) : NULL;

                for (Property *x = t ? t->properties : NULL; x; x = x->next)
                        if (text_equal(x->name, slash + 1))
                                x->computed = true;
        }
}

static int service_take(Parser *p, const ODataService **ret, Error *error) {
        ODataService *service = NEW(p, ODataService);
        ODataSet *sets;
        size_t n = 0;
        int r;

        for (const Set *s = p->sets; s; s = s->next)
                n++;
        sets = arena_alloc(p->arena, n * sizeof(*sets));
        if (!service || !sets)
                return -ENOMEM;
        *service = (ODataService){.sets = sets, .n_sets = n};
        for (const Set *s = p->sets; s; s = s->next) {
                r = set_take(p, s, &sets[--n]);
                if (r == -EBADMSG)
                        return error_set(error, ERROR_FILE_FORMAT, NULL,
                                         "$metadata does not describe the type \"%s\" of entity set \"%s\"", s->type, s->name);
                if (r < 0)
                        return r;
        }
        *ret = service;
        return 0;
}

int odata_metadata_parse(const char *bytes, size_t size, Arena *arena, const ODataService **ret, Error *error) {
        Parser p = {.arena = arena};
        const char *open[101]; /* as deep as the XML reader goes */
        Computed *computed = NULL;
        XmlReader *reader;
        unsigned depth = 0;
        XmlElement e;
        int event, r;

        r = xml_reader_new(bytes, size, arena, &reader);
        if (r < 0)
                return r;
        while ((event = xml_reader_next(reader, &e, error)) > 0) {
                if (event == XML_END) {
                        element_end(&p, open[--depth]);
                        continue;
                }
                open[depth++] = e.name;
                r = element_begin(&p, &e, &computed);
                if (r == -EBADMSG)
                        return error_set(error, ERROR_FILE_FORMAT, NULL, "$metadata has a <%s> without its name or type (line %u)",
                                         e.name, e.line);
                if (r < 0)
                        return r;
        }
        if (event < 0)
                return event;
        if (!p.any)
                return error_set(error, ERROR_FILE_FORMAT, NULL, "$metadata is not a description of an OData service");
        computed_mark(&p, computed);
        return service_take(&p, ret, error);
}

/* ---- looking ---- */

const ODataSet *odata_set(const ODataService *service, const char *name) {
        for (size_t i = 0; i < service->n_sets; i++)
                if (text_equal(service->sets[i].name, name))
                        return &service->sets[i];
        return NULL;
}

const ODataProperty *odata_property(const ODataSet *set, const char *name) {
        for (size_t i = 0; i < set->n_properties; i++)
                if (text_equal(set->properties[i].name, name))
                        return &set->properties[i];
        return NULL;
}

const ODataProperty *odata_key(const ODataSet *set, unsigned place) {
        for (size_t i = 0; i < set->n_properties; i++)
                if (set->properties[i].key_place == place)
                        return &set->properties[i];
        return NULL;
}

int odata_set_table(const ODataSet *set, Table **ret) {
        _cleanup_(table_freep) Table *t = calloc(1, sizeof(*t));

        if (!t)
                return -ENOMEM;
        t->exact_names = true;
        t->name = strdup(set->name);
        if (!t->name)
                return -ENOMEM;
        for (size_t i = 0; i < set->n_properties; i++) {
                TableColumn *column = table_column_add(t, set->properties[i].name);

                if (!column)
                        return -ENOMEM;
                column->key_place = set->properties[i].key_place;
                column->required = set->properties[i].required;
                column->generated = set->properties[i].computed;
                column->type = strdup(set->properties[i].type_name);
                if (!column->type)
                        return -ENOMEM;
        }
        *ret = TAKE_PTR(t);
        return 0;
}

int odata_set_missing(const ODataService *service, const char *name, const char *system, Error *error) {
        _cleanup_strings_ char **names = NULL;
        int r = 0;

        for (size_t i = 0; i < service->n_sets && r == 0; i++)
                r = strings_append(&names, service->sets[i].name);
        return r < 0 ? r : table_missing("entity set", name, system, names, error);
}
