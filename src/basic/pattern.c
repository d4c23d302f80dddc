/* SPDX-License-Identifier: Apache-2.0 */
#include "basic/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* A rule of a mapping looks at one short text; a pattern that needs more steps than this for it is a
 * mistake. */
#define MATCH_STEPS_MAX 1000000U
#define HEAP_KIB_MAX (16U * 1024)

struct Pattern {
        pcre2_code *code;
        pcre2_match_data *match;
        pcre2_match_context *context;
};

static char *message_new(int number, size_t offset) {
        PCRE2_UCHAR message[160]; /* PCRE2's messages are shorter; it cuts what does not fit */
        char *text;

        if (pcre2_get_error_message(number, message, sizeof(message)) < 0 && message[0] == '\0')
                return NULL;
        return asprintf(&text, "%s at character %zu", (const char *) message, offset + 1) < 0 ? NULL : text;
}

int pattern_new(const char *expression, Pattern **ret, char **ret_message) {
        _cleanup_(pattern_freep) Pattern *p = NULL;
        PCRE2_SIZE offset = 0;
        int number = 0;

        assert(expression && ret);
        p = calloc(1, sizeof(*p));
        if (!p)
                return -ENOMEM;
        p->code = pcre2_compile((PCRE2_SPTR) expression, PCRE2_ZERO_TERMINATED,
                                PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_NEVER_BACKSLASH_C,
                                &number, &offset, NULL);
        if (!p->code) {
                if (ret_message)
                        *ret_message = message_new(number, offset);
                return -EINVAL;
        }
        p->match = pcre2_match_data_create(1, NULL);
        p->context = pcre2_match_context_create(NULL);
        if (!p->match || !p->context)
                return -ENOMEM;
        (void) pcre2_set_match_limit(p->context, MATCH_STEPS_MAX);
        (void) pcre2_set_heap_limit(p->context, HEAP_KIB_MAX);
        /* Faster where allowed; refused under MemoryDenyWriteExecute=, then the interpreter does it. */
        (void) pcre2_jit_compile(p->code, PCRE2_JIT_COMPLETE);
        *ret = TAKE_PTR(p);
        return 0;
}

Pattern *pattern_free(Pattern *p) {
        if (!p)
                return NULL;
        pcre2_match_context_free(p->context);
        pcre2_match_data_free(p->match);
        pcre2_code_free(p->code);
        free(p);
        return NULL;
}

int pattern_match(const Pattern *p, const char *bytes, size_t size) {
        int r;

        assert(p);
        r = pcre2_match(p->code, (PCRE2_SPTR) (bytes ? bytes : ""), size, 0, 0, p->match, p->context);
        if (r >= 0)
                return 1;
        switch (r) {
        case PCRE2_ERROR_NOMEMORY:
                return -ENOMEM;
        case PCRE2_ERROR_MATCHLIMIT:
        case PCRE2_ERROR_DEPTHLIMIT:
        case PCRE2_ERROR_HEAPLIMIT:
        case PCRE2_ERROR_JIT_STACKLIMIT:
                return -E2BIG;
        default:
                return 0; /* no match, or no UTF-8, which no pattern matches */
        }
}
