/* SPDX-License-Identifier: Apache-2.0 */
#include "config/pairs.h"
#include "basic/limits.h"
#include "basic/text.h"
#include "config/check.h"
#include "config/order.h"
#include "config/pair-file.h"
#include <dirent.h>

/* A file that was read. */
typedef struct Loaded {
        Pair *pair; /* NULL where it is no YAML */
        char *file;
        PairPlaces places;
        bool is_broken;
        Error first; /* its first mistake */
} Loaded;

typedef struct Loading {
        const Settings *settings;
        Mistakes *mistakes;
        Loaded *items;
        size_t n_items, capacity;
        char **names; /* of files that were read: they hide those of the same name in later folders */
} Loading;

static void loading_done(Loading *l) {
        for (size_t i = 0; i < l->n_items; i++) {
                pair_free(l->items[i].pair);
                free(l->items[i].file);
                error_done(&l->items[i].first);
        }
        free(l->items);
        strings_free(l->names);
}

PairSet *pairs_free(PairSet *set) {
        if (!set)
                return NULL;
        for (size_t i = 0; i < set->n_pairs; i++)
                pair_free(set->pairs[i]);
        free(set->pairs);
        for (size_t i = 0; i < set->n_broken; i++) {
                free(set->broken[i].name);
                strings_free(set->broken[i].aliases);
                free(set->broken[i].file);
                error_done(&set->broken[i].first);
        }
        free(set->broken);
        free(set);
        return NULL;
}

/* Takes the mistakes from `from` on as those of the item. */
static void loaded_break(Loading *l, Loaded *item, size_t from) {
        item->is_broken = true;
        (void) mistakes_to_error(l->mistakes, from, &item->first);
}

static int file_parse(Loading *l, Loaded *item) {
        _cleanup_free_ char *bytes = NULL;
        size_t size, from = l->mistakes->n_errors;
        int r;

        r = file_read(item->file, MAPPING_FILE_BYTES_MAX, &bytes, &size);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                mistake_add(l->mistakes, ERROR_MAPPING, item->file, (Mark){},
                            "Check that the file may be read, and has 4 MiB at most",
                            "The file cannot be read: %s", strerror(-r));
                loaded_break(l, item, from);
                return 0;
        }
        r = pair_parse(bytes, size, item->file, l->settings, &item->pair, &item->places, l->mistakes);
        if (r == 0)
                loaded_break(l, item, from);
        return r < 0 ? r : 0;
}

static int file_load(Loading *l, const char *folder, const char *name) {
        Loaded *item;
        int r;

        if (l->names && strings_contain(l->names, name))
                return 0;
        r = strings_append(&l->names, name);
        if (r < 0)
                return r;
        r = array_grow(&l->items, &l->capacity, l->n_items + 1, sizeof *l->items);
        if (r < 0)
                return r;
        item = &l->items[l->n_items++];
        if (asprintf(&item->file, "%s/%s", folder, name) < 0) {
                item->file = NULL;
                return -ENOMEM;
        }
        return file_parse(l, item);
}

static int is_yaml(const struct dirent *entry) {
        size_t size = strlen(entry->d_name);

        return entry->d_name[0] != '.' && size > 5 && text_equal(entry->d_name + size - 5, ".yaml");
}

static int folder_load(Loading *l, const char *folder) {
        struct dirent **entries = NULL;
        int n = scandir(folder, &entries, is_yaml, alphasort);
        int r = 0;

        for (int i = 0; i < n; i++) {
                _cleanup_free_ struct dirent *entry = entries[i];
                if (r >= 0)
                        r = file_load(l, folder, entry->d_name);
        }
        free(entries);
        return r;
}

/* What shows among pairs only: names that two have, depends_on. */

static const char *name_in_common(const Pair *a, const Pair *b) {
        if (a->name && pair_is_named(b, a->name))
                return a->name;
        for (size_t i = 0; a->aliases && a->aliases[i]; i++)
                if (pair_is_named(b, a->aliases[i]))
                        return a->aliases[i];
        return NULL;
}

static void names_check(Loading *l) {
        for (size_t i = 1; i < l->n_items; i++)
                for (size_t j = 0; j < i && l->items[i].pair; j++) {
                        Loaded *later = &l->items[i], *earlier = &l->items[j];
                        size_t from = l->mistakes->n_errors;
                        const char *name = earlier->pair ? name_in_common(later->pair, earlier->pair) : NULL;
                        if (!name)
                                continue;
                        mistake_add(l->mistakes, ERROR_MAPPING, later->file, later->places.pair,
                                    "Give one of them another name",
                                    "A pair is named \"%.100s\" in %s already", name, earlier->file);
                        loaded_break(l, later, from);
                        break;
                }
}

static Loaded *loading_find(const Loading *l, const char *name) {
        for (size_t i = 0; i < l->n_items; i++)
                if (l->items[i].pair && pair_is_named(l->items[i].pair, name))
                        return &l->items[i];
        return NULL;
}

static char *pair_suggestion(Pair *const *pairs, size_t n_pairs, const char *name) {
        _cleanup_free_ const char **names = calloc(n_pairs + 1, sizeof *names);

        for (size_t i = 0; names && i < n_pairs; i++)
                names[i] = pairs[i]->name;
        return names ? check_suggestion(name, names, n_pairs) : NULL;
}

static char *loading_suggestion(const Loading *l, const Loaded *item, const char *name) {
        _cleanup_free_ Pair **pairs = calloc(l->n_items + 1, sizeof *pairs);
        size_t n = 0;

        for (size_t i = 0; pairs && i < l->n_items; i++)
                if (&l->items[i] != item && l->items[i].pair && l->items[i].pair->name)
                        pairs[n++] = l->items[i].pair;
        return pairs ? pair_suggestion(pairs, n, name) : NULL;
}

/* Aliases become names, so that the order and everyone later compare names only. */
static int depends_on_check(Loading *l, Loaded *item) {
        size_t from = l->mistakes->n_errors;
        char **depends_on = item->pair->depends_on;

        for (size_t i = 0; depends_on && depends_on[i]; i++) {
                const Loaded *other = loading_find(l, depends_on[i]);
                _cleanup_free_ char *remedy = NULL;
                char *name;
                if (!other) {
                        remedy = loading_suggestion(l, item, depends_on[i]);
                        mistake_add(l->mistakes, ERROR_MAPPING, item->file, item->places.depends_on, remedy,
                                    "There is no pair \"%.100s\"", depends_on[i]);
                        loaded_break(l, item, from);
                        continue;
                }
                if (!other->pair->name)
                        continue;
                name = strdup(other->pair->name);
                if (!name)
                        return -ENOMEM;
                free(depends_on[i]);
                depends_on[i] = name;
        }
        return 0;
}

static int cycle_break(Loading *l, const char *cycle) {
        _cleanup_free_ char *name = strndup(cycle, strcspn(cycle, " "));
        size_t from = l->mistakes->n_errors;
        Loaded *item;

        if (!name)
                return -ENOMEM;
        item = loading_find(l, name);
        mistake_add(l->mistakes, ERROR_MAPPING, item ? item->file : NULL,
                    item ? item->places.depends_on : (Mark){}, "Remove one of these dependencies",
                    "Pairs depend on each other in a circle: %s", cycle);
        if (item)
                loaded_break(l, item, from);
        return 0;
}

/* Gives the indexes of the items in order; items of a cycle are broken until none is left. */
static int loading_order(Loading *l, size_t **ret, size_t *ret_n) {
        _cleanup_free_ OrderNode *nodes = calloc(l->n_items + 1, sizeof *nodes);
        _cleanup_free_ size_t *places = calloc(l->n_items + 1, sizeof *places);
        size_t *order = NULL, n;
        int r;

        if (!nodes || !places)
                return -ENOMEM;
        do {
                _cleanup_free_ char *cycle = NULL;
                n = 0;
                for (size_t i = 0; i < l->n_items; i++)
                        if (!l->items[i].is_broken) {
                                nodes[n] = (OrderNode){l->items[i].pair->name, l->items[i].pair->depends_on};
                                places[n++] = i;
                        }
                r = order_sort(nodes, n, &order, &cycle);
                if (r == -ELOOP && cycle_break(l, cycle) < 0)
                        return -ENOMEM;
        } while (r == -ELOOP);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++)
                order[i] = places[order[i]];
        *ret = order;
        *ret_n = n;
        return 0;
}

/* The set. */

static char *file_stem(const char *file) {
        const char *slash = strrchr(file, '/'), *name = slash ? slash + 1 : file;

        return strndup(name, strlen(name) - strlen(".yaml"));
}

static int broken_set(Loaded *item, BrokenPair *broken) {
        if (item->pair) {
                broken->name = item->pair->name && name_is_valid(item->pair->name)
                                       ? TAKE_PTR(item->pair->name)
                                       : NULL;
                broken->aliases = TAKE_PTR(item->pair->aliases);
        }
        if (!broken->name)
                broken->name = file_stem(item->file);
        broken->file = TAKE_PTR(item->file);
        error_move(&broken->first, &item->first);
        return broken->name ? 0 : -ENOMEM;
}

static int set_new(Loading *l, PairSet **ret) {
        _cleanup_pairs_ PairSet *set = calloc(1, sizeof *set);
        _cleanup_free_ size_t *order = NULL;
        size_t n = 0;
        int r;

        if (!set)
                return -ENOMEM;
        r = loading_order(l, &order, &n);
        if (r < 0)
                return r;
        set->pairs = calloc(l->n_items + 1, sizeof *set->pairs);
        set->broken = calloc(l->n_items + 1, sizeof *set->broken);
        if (!set->pairs || !set->broken)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                set->pairs[set->n_pairs++] = TAKE_PTR(l->items[order[i]].pair);
        for (size_t i = 0; i < l->n_items; i++)
                if (l->items[i].is_broken) {
                        r = broken_set(&l->items[i], &set->broken[set->n_broken++]);
                        if (r < 0)
                                return r;
                }
        *ret = TAKE_PTR(set);
        return 0;
}

static int item_compare(const void *a, const void *b) {
        const Loaded *left = a, *right = b;

        return strcmp(left->pair && left->pair->name ? left->pair->name : left->file,
                      right->pair && right->pair->name ? right->pair->name : right->file);
}

int pairs_load(const Settings *settings, PairSet **ret, Mistakes *mistakes) {
        _cleanup_(loading_done) Loading l = {.settings = settings, .mistakes = mistakes};
        int r;

        for (size_t i = 0; settings->mapping_directories && settings->mapping_directories[i]; i++) {
                r = folder_load(&l, settings->mapping_directories[i]);
                if (r < 0)
                        return r;
        }
        names_check(&l);
        for (size_t i = 0; i < l.n_items; i++)
                if (!l.items[i].is_broken) {
                        r = depends_on_check(&l, &l.items[i]);
                        if (r < 0)
                                return r;
                }
        if (l.n_items > 0)
                qsort(l.items, l.n_items, sizeof *l.items, item_compare);
        return set_new(&l, ret);
}

const Pair *pairs_find(const PairSet *set, const char *name_or_alias) {
        for (size_t i = 0; i < set->n_pairs; i++)
                if (pair_is_named(set->pairs[i], name_or_alias))
                        return set->pairs[i];
        return NULL;
}

const BrokenPair *pairs_find_broken(const PairSet *set, const char *name_or_alias) {
        for (size_t i = 0; name_or_alias && i < set->n_broken; i++)
                if (text_equal(set->broken[i].name, name_or_alias) ||
                    (set->broken[i].aliases && strings_contain(set->broken[i].aliases, name_or_alias)))
                        return &set->broken[i];
        return NULL;
}

int pairs_get(const PairSet *set, const char *name_or_alias, const Pair **ret, Error *error) {
        const Pair *pair = pairs_find(set, name_or_alias);
        const BrokenPair *broken;
        _cleanup_free_ char *remedy = NULL;

        if (pair) {
                *ret = pair;
                return 0;
        }
        broken = pairs_find_broken(set, name_or_alias);
        if (broken && broken->first.id != ERROR_NONE) {
                (void) error_set(error, broken->first.id, broken->first.remedy,
                                 "The pair \"%s\" has a mistake: %s", broken->name,
                                 broken->first.detail ? broken->first.detail
                                                      : error_title(broken->first.id));
                return error_at(error, broken->first.file, broken->first.line, broken->first.column);
        }
        if (broken)
                return error_set(error, ERROR_MAPPING, "Run terrafusionctl check to see them",
                                 "The pair \"%s\" has mistakes", broken->name);
        remedy = name_or_alias ? pair_suggestion(set->pairs, set->n_pairs, name_or_alias) : NULL;
        return error_set(error, ERROR_NOT_FOUND,
                         remedy ? remedy : "Put its mapping file into the folder mappings",
                         "There is no pair \"%.100s\"", name_or_alias ? name_or_alias : "");
}
