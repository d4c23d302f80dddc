/* SPDX-License-Identifier: Apache-2.0 */
#include "model/system-kind.h"

#include "basic/text.h"

static const SystemKind kinds[] = {
        {"csv", DETECT_BIT(DETECT_FULL) | DETECT_BIT(DETECT_FILE), DETECT_FILE},
        {"fixed", DETECT_BIT(DETECT_FULL) | DETECT_BIT(DETECT_FILE), DETECT_FILE},
        {"odbc", DETECT_BIT(DETECT_FULL) | DETECT_BIT(DETECT_WATERMARK) | DETECT_BIT(DETECT_DIGEST), DETECT_FULL},
        {"ogr", DETECT_BIT(DETECT_FULL) | DETECT_BIT(DETECT_FILE), DETECT_FULL},
        {"postgresql",
         DETECT_BIT(DETECT_FULL) | DETECT_BIT(DETECT_WATERMARK) | DETECT_BIT(DETECT_DIGEST) | DETECT_BIT(DETECT_LOG),
         DETECT_FULL},
        {"rest", DETECT_BIT(DETECT_FULL) | DETECT_BIT(DETECT_WATERMARK) | DETECT_BIT(DETECT_FEED), DETECT_FULL},
        {"sqlite",
         DETECT_BIT(DETECT_FULL) | DETECT_BIT(DETECT_WATERMARK) | DETECT_BIT(DETECT_DIGEST) | DETECT_BIT(DETECT_FILE),
         DETECT_FULL},
};

const SystemKind *system_kind_find(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                if (text_equal(kinds[i].name, name))
                        return kinds + i;
        return NULL;
}

char *detect_strategies_to_text(unsigned strategies) {
        unsigned left = strategies;
        char *text = strdup("");

        for (int i = 0; text && i < _DETECT_STRATEGY_MAX; i++) {
                char *longer = NULL;

                if (!(strategies & DETECT_BIT(i)))
                        continue;
                left &= ~DETECT_BIT(i);
                if (asprintf(&longer, "%s%s%s", text, detect_strategy_to_string(i),
                             !left                  ? ""
                             : (left & (left - 1)) ? ", "
                                                    : " or ") < 0)
                        longer = NULL;
                free(text);
                text = longer;
        }
        return text;
}
