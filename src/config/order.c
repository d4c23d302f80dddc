/* SPDX-License-Identifier: Apache-2.0 */
#include "config/order.h"
#include "basic/text.h"

typedef enum Colour { COLOUR_NEW, COLOUR_OPEN, COLOUR_DONE } Colour;

typedef struct Walk {
        const OrderNode *nodes;
        size_t n_nodes;
        Colour *colours;
        size_t *path, n_path; /* nodes that are open, outermost first */
        size_t *order, n_order;
} Walk;

static void walk_done(Walk *w) {
        free(w->colours);
        free(w->path);
        free(w->order);
}

static int cycle_text(const Walk *w, size_t node, char **ret) {
        _cleanup_free_ char *text = NULL;
        size_t size, start = 0;
        FILE *stream = open_memstream(&text, &size);

        if (!stream)
                return -ENOMEM;
        while (w->path[start] != node)
                start++;
        for (size_t i = start; i < w->n_path; i++)
                (void) fprintf(stream, "%s -> ", w->nodes[w->path[i]].name);
        (void) fputs(w->nodes[node].name, stream);
        if (fclose(stream) != 0)
                return -ENOMEM;
        *ret = TAKE_PTR(text);
        return 0;
}

static size_t node_find(const Walk *w, const char *name) {
        for (size_t i = 0; i < w->n_nodes; i++)
                if (text_equal(w->nodes[i].name, name))
                        return i;
        return w->n_nodes;
}

/* Depth first; at most as deep as there are nodes: MAPPING_ENTITIES_MAX, or the number of files. */
static int walk_visit(Walk *w, size_t node, char **ret_cycle) {
        int r;

        if (w->colours[node] == COLOUR_DONE)
                return 0;
        if (w->colours[node] == COLOUR_OPEN) {
                r = cycle_text(w, node, ret_cycle);
                return r < 0 ? r : -ELOOP;
        }
        w->colours[node] = COLOUR_OPEN;
        w->path[w->n_path++] = node;
        for (size_t i = 0; w->nodes[node].depends_on && w->nodes[node].depends_on[i]; i++) {
                size_t other = node_find(w, w->nodes[node].depends_on[i]);
                if (other == w->n_nodes)
                        continue;
                r = walk_visit(w, other, ret_cycle);
                if (r < 0)
                        return r;
        }
        w->n_path--;
        w->colours[node] = COLOUR_DONE;
        w->order[w->n_order++] = node;
        return 0;
}

int order_sort(const OrderNode *nodes, size_t n_nodes, size_t **ret_order, char **ret_cycle) {
        _cleanup_(walk_done) Walk w = {
                .nodes = nodes,
                .n_nodes = n_nodes,
                .colours = calloc(n_nodes + 1, sizeof(Colour)),
                .path = calloc(n_nodes + 1, sizeof(size_t)),
                .order = calloc(n_nodes + 1, sizeof(size_t)),
        };
        int r;

        if (!w.colours || !w.path || !w.order)
                return -ENOMEM;
        for (size_t i = 0; i < n_nodes; i++) {
                r = walk_visit(&w, i, ret_cycle);
                if (r < 0)
                        return r;
        }
        *ret_order = TAKE_PTR(w.order);
        return 0;
}
