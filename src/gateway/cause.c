/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cause.h"

#include <signal.h>

#include "basic/text.h"

static char *signal_text(int number, const char *and) {
        const char *name = sigabbrev_np(number);
        char *text;

        return asprintf(&text, "signal %d (%s)%s", number, name ?: "unknown", and) < 0 ? NULL : text;
}

char *cause_text(const char *result, int code, int status) {
        static const struct { const char *result, *text; } texts[] = {
                { "success", "it was asked to end" },
                { "watchdog", "the watchdog: it hung" },
                { "oom-kill", "out of memory" },
                { "timeout", "it took too long to start or to stop" },
                { "protocol", "it did not say that it was ready" },
                { "start-limit-hit", "too many starts in a short time" },
                { "resources", "systemd could not start it" },
                { "exec-condition", "a condition of its unit was not met" },
        };
        char *text;

        if (text_equal(result, "signal") || text_equal(result, "core-dump"))
                return signal_text(status, text_equal(result, "core-dump") ? ", with a core dump" : "");
        if (text_equal(result, "exit-code") && status == EXIT_CONFIGURATION)
                return strdup("exit status 78: it refuses its configuration");
        if (text_equal(result, "exit-code") && code != 0)
                return asprintf(&text, "exit status %d", status) < 0 ? NULL : text;
        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                if (text_equal(result, texts[i].result))
                        return strdup(texts[i].text);
        return strdup(result);
}

const char *cause_result(int code, int status) {
        if (code == CLD_DUMPED)
                return "core-dump";
        if (code == CLD_KILLED)
                return "signal";
        return status == 0 ? "success" : "exit-code";
}
