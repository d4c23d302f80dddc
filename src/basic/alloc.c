/* SPDX-License-Identifier: Apache-2.0 */
#include "basic/alloc.h"

#include <errno.h>

int array_grow(void *array, size_t *capacity, size_t need, size_t item_size) {
        size_t wanted, n_bytes;
        void *old, *grown;

        assert(array && capacity && item_size > 0);
        if (need <= *capacity)
                return 0;
        wanted = *capacity < 4 ? 8 : *capacity;
        while (wanted < need)
                if (__builtin_mul_overflow(wanted, (size_t) 2, &wanted))
                        return -ENOMEM;
        if (__builtin_mul_overflow(wanted, item_size, &n_bytes))
                return -ENOMEM;
        /* The caller's pointer has its own type; copying its bytes keeps clear of aliasing rules. */
        memcpy(&old, array, sizeof(old));
        grown = realloc(old, n_bytes);
        if (!grown)
                return -ENOMEM;
        memset((char *) grown + *capacity * item_size, 0, n_bytes - *capacity * item_size);
        memcpy(array, &grown, sizeof(grown));
        *capacity = wanted;
        return 0;
}
