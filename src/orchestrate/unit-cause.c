/* SPDX-License-Identifier: Apache-2.0 */
#include "orchestrate/unit-cause.h"

#include <signal.h>
#include <string.h>

#include "basic/text.h"

#define MEMORY_REMEDY "Raise limits: worker_memory in terrafusion.yaml, then reload terrafusion-syncd"
#define JOURNAL_REMEDY "Read what the journal says of it: terrafusionctl show OPERATION --log"

/* Statuses that systemd gives a process it could not set up. Source: systemd.exec(5), version 252. */
static const struct {
        int status;
        const char *name, *remedy;
} setups[] = {
        {200, "CHDIR", NULL},
        {203, "EXEC", "Install terrafusion-worker again: its program cannot be run"},
        {217, "USER", "Make the user terrafusion: systemd-sysusers"},
        {226, "NAMESPACE",
         "Look at the folders that ReadWritePaths= and BindPaths= of terrafusion-operation@.service name"},
        {228, "SECCOMP", NULL},
        {238, "STATE_DIRECTORY", "Let /var/lib/terrafusion be a folder of the user terrafusion"},
        {243, "CREDENTIALS", "Look at /etc/terrafusion/credentials: systemd could not load it"},
};

static bool lost(Error *cause, const char *remedy, const char *what) {
        (void) error_set(cause, ERROR_WORKER_LOST, remedy, "%s", what);
        return true;
}

static bool lost_by_signal(int code, int status, Error *cause) {
        const char *name = sigabbrev_np(status);

        (void) error_set(cause, ERROR_WORKER_LOST,
                         code == CLD_DUMPED ? "Report it: a crash is a bug of the service" : JOURNAL_REMEDY,
                         "The worker %s by signal %d (SIG%s)", code == CLD_DUMPED ? "crashed" : "was killed",
                         status, name ? name : "?");
        return true;
}

static bool lost_at_setup(int status, Error *cause) {
        for (size_t i = 0; i < ELEMENTSOF(setups); i++)
                if (setups[i].status == status) {
                        (void) error_set(cause, ERROR_WORKER_LOST,
                                         setups[i].remedy ? setups[i].remedy : JOURNAL_REMEDY,
                                         "systemd could not set the worker up (status %d, %s)", status,
                                         setups[i].name);
                        return true;
                }
        return false;
}

bool process_cause(int code, int status, Error *cause) {
        return code == CLD_EXITED ? false : lost_by_signal(code, status, cause);
}

bool unit_cause(const char *result, int code, int status, Error *cause) {
        if (!result || text_equal(result, "success"))
                return false;
        if (text_equal(result, "oom-kill"))
                return lost(cause, MEMORY_REMEDY,
                            "The worker needed more memory than it may use and was killed (oom-kill)");
        if (text_equal(result, "watchdog"))
                return lost(cause, JOURNAL_REMEDY,
                            "The worker gave no sign of life for too long and was killed (watchdog)");
        if (text_equal(result, "timeout"))
                return lost(cause, JOURNAL_REMEDY, "The worker did not start or stop in time (timeout)");
        if (text_equal(result, "signal") || text_equal(result, "core-dump"))
                return lost_by_signal(text_equal(result, "core-dump") ? CLD_DUMPED : code, status, cause);
        if (text_equal(result, "exit-code"))
                return lost_at_setup(status, cause);
        (void) error_set(cause, ERROR_WORKER_LOST, JOURNAL_REMEDY, "systemd ended the worker: %s", result);
        return true;
}

int refusal_cause(const char *unit, const char *name, const char *text, Error *cause) {
        static const struct {
                const char *name, *remedy;
        } lasting[] = {
                {"org.freedesktop.DBus.Error.AccessDenied",
                 "Let polkit allow it: install /usr/share/polkit-1/rules.d/50-terrafusion.rules and polkitd"},
                {"org.freedesktop.DBus.Error.InteractiveAuthorizationRequired",
                 "Let polkit allow it: install /usr/share/polkit-1/rules.d/50-terrafusion.rules and polkitd"},
                {"org.freedesktop.systemd1.NoSuchUnit", "Install the units, then systemctl daemon-reload"},
                {"org.freedesktop.systemd1.LoadFailed", "Mend it: systemd-analyze verify tells its mistakes"},
                {"org.freedesktop.systemd1.BadUnitSetting", "Mend it: systemd-analyze verify tells its mistakes"},
                {"org.freedesktop.systemd1.UnitMasked",
                 "Unmask it: systemctl unmask terrafusion-operation@.service"},
        };

        for (size_t i = 0; i < ELEMENTSOF(lasting); i++)
                if (text_equal(name, lasting[i].name))
                        return error_set(cause, ERROR_CONFIGURATION, lasting[i].remedy,
                                         "systemd refused to start %s: %s", unit, text ? text : name);
        return error_set(cause, ERROR_SYSTEM_UNAVAILABLE, "Look at systemctl status and the journal of systemd",
                         "systemd did not start %s: %s", unit, text ? text : name ? name : "no answer");
}
