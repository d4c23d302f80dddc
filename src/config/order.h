/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What depends on what: the order in which entities and pairs run. In syncd and workers. */
#include "basic/alloc.h"

typedef struct OrderNode {
        const char *name;
        char *const *depends_on;        /* names, or NULL; those that no node has are passed over */
} OrderNode;
/* ret_order: n_nodes indexes (the caller frees), what is depended on before what depends, otherwise as given.
 * -ELOOP: a cycle, *ret_cycle is its path "a -> b -> a" (the caller frees). -ENOMEM. */
_must_check_ int order_sort(const OrderNode *nodes, size_t n_nodes, size_t **ret_order, char **ret_cycle);
