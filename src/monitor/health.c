/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/health.h"

#include "basic/json.h"
#include "basic/text.h"
#include "basic/timestamp.h"

typedef struct Component {
        char *name, *message;
        bool needed, up;
        int64_t since;
} Component;

struct Health {
        Component *components; /* a handful, in the order of their first report */
        size_t n_components, capacity;
};

int health_new(Health **ret) {
        Health *h = calloc(1, sizeof(Health));

        if (!h)
                return -ENOMEM;
        *ret = h;
        return 0;
}

Health *health_free(Health *h) {
        if (!h)
                return NULL;
        for (size_t i = 0; i < h->n_components; i++) {
                free(h->components[i].name);
                free(h->components[i].message);
        }
        free(h->components);
        free(h);
        return NULL;
}

static Component *component_find(const Health *h, const char *name) {
        for (size_t i = 0; i < h->n_components; i++)
                if (text_equal(h->components[i].name, name))
                        return &h->components[i];
        return NULL;
}

static int component_add(Health *h, const char *name, Component **ret) {
        int r;

        r = array_grow(&h->components, &h->capacity, h->n_components + 1, sizeof(Component));
        if (r < 0)
                return r;
        *ret = &h->components[h->n_components];
        **ret = (Component){.name = strdup(name), .since = timestamp_now()};
        if (!(*ret)->name)
                return -ENOMEM;
        h->n_components++;
        return 0;
}

int health_set(Health *h, const char *name, bool needed, bool up, const char *message) {
        Component *c = component_find(h, name);
        char *copy = NULL;
        int r;

        if (message) {
                copy = strdup(message);
                if (!copy)
                        return -ENOMEM;
        }
        if (!c) {
                r = component_add(h, name, &c);
                if (r < 0) {
                        free(copy);
                        return r;
                }
        } else if (c->up != up)
                c->since = timestamp_now();
        free(c->message);
        c->message = copy;
        c->needed = needed;
        c->up = up;
        return 0;
}

bool health_is_ready(const Health *h) {
        for (size_t i = 0; i < h->n_components; i++)
                if (h->components[i].needed && !h->components[i].up)
                        return false;
        return true;
}

bool health_is_up(const Health *h, const char *name) {
        const Component *c = component_find(h, name);

        return c && c->up;
}

char *health_failures(const Health *h, bool needed_only) {
        char *text = NULL;

        for (const Component *c = h->components; c < h->components + h->n_components; c++) {
                char *longer = NULL;

                if (c->up || (needed_only && !c->needed))
                        continue;
                if (asprintf(&longer, "%s%s%s: %s", text ? text : "", text ? "; " : "", c->name,
                             c->message ? c->message : "down") < 0)
                        longer = NULL;
                free(text);
                text = longer;
                if (!text)
                        return NULL;
        }
        return text;
}

static json_t *component_to_json(const Component *c, bool details) {
        if (!details)
                return json_string(c->up ? "UP" : "DOWN");
        return json_pack("{s:s, s:o, s:o}", "status", c->up ? "UP" : "DOWN", "message",
                         json_text(c->message), "since", json_timestamp(c->since));
}

json_t *health_to_json(const Health *h, bool details) {
        json_auto_t *object = json_object();

        if (!object)
                return NULL;
        for (const Component *c = h->components; c < h->components + h->n_components; c++)
                if (json_put(object, c->name, component_to_json(c, details)) < 0)
                        return NULL;
        return TAKE_PTR(object);
}
