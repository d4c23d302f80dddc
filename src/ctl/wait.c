/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/wait.h"

#include "basic/json.h"
#include "basic/log.h"
#include "basic/text.h"
#include "ctl/render.h"
#include "model/operation.h"

#include <errno.h>
#include <signal.h>

#define POLL_MSEC 200U
#define AWAY_MSEC 1000U
#define AWAY_MAX  60U /* so many times in a row nobody answered */

typedef struct Wait {
        Client *client;
        json_t *args; /* of show and cancel: the id */
        const char *label;
        sigset_t signals;
        unsigned width, n_away;
        bool cancel, is_asked; /* SIGTERM came; the service knows */
} Wait;

static sigset_t wait_signals(void) {
        sigset_t signals;

        (void) sigemptyset(&signals);
        (void) sigaddset(&signals, SIGINT);
        (void) sigaddset(&signals, SIGTERM);
        return signals;
}

void operation_wait_prepare(void) {
        sigset_t signals = wait_signals();

        (void) sigprocmask(SIG_BLOCK, &signals, NULL);
}

static void wait_done(Wait *w) {
        if (w->width > 0)
                (void) fputs("\r\033[K", stderr);
        json_decref(w->args);
}

/* Sleeps, or is woken by a signal: 0, or WAIT_INTERRUPTED. */
static int wait_sleep(Wait *w, unsigned msec) {
        const struct timespec time = {.tv_sec = msec / 1000, .tv_nsec = (long) (msec % 1000) * 1000000};
        int signal_number = sigtimedwait(&w->signals, NULL, &time);

        if (signal_number == SIGTERM)
                w->cancel = true;
        return signal_number == SIGINT ? WAIT_INTERRUPTED : 0;
}

/* 0: the service has answered; 1: it is away, ask again; negative: an answer that is an error. */
static int wait_ask(Wait *w, json_t **ret, Error *error) {
        _cleanup_error_ Error failure = {0};
        json_auto_t *cancelled = NULL;
        int r = 0;

        if (w->cancel && !w->is_asked) {
                r = client_call(w->client, COMMAND_OPERATION_CANCEL, w->args, &cancelled, &failure);
                w->is_asked = r >= 0 ||
                              failure.id == ERROR_CONFLICT; /* over already: the next answer says how */
                if (w->is_asked)
                        error_done(&failure);
        }
        if (r >= 0 || w->is_asked)
                r = client_call(w->client, COMMAND_OPERATION_SHOW, w->args, ret, &failure);
        if (r >= 0) {
                w->n_away = 0;
                return 0;
        }
        if (failure.id != ERROR_NOT_CONNECTED || w->n_away++ >= AWAY_MAX) {
                error_move(error, &failure);
                return r;
        }
        client_done(w->client);
        r = client_open(w->client, NULL);
        if (r < 0)
                log_debug("The service is not back yet: %s", strerror(-r));
        return 1;
}

static int wait_loop(Wait *w, json_t **ret, Error *error) {
        for (;;) {
                json_auto_t *operation = NULL;
                OperationStatus status;
                int r;

                r = wait_ask(w, &operation, error);
                if (r < 0)
                        return r;
                status = operation_status_from_string(json_member_text(operation, "status"));
                if (operation && operation_status_is_final(status)) {
                        *ret = TAKE_PTR(operation);
                        return w->cancel && status == OPERATION_CANCELLED ? WAIT_STOPPED : 0;
                }
                if (operation && w->width > 0)
                        render_progress(stderr, w->label,
                                        json_member_integer(operation, "records_processed", 0),
                                        json_member_integer(operation, "records_total", 0), w->width);
                r = wait_sleep(w, operation ? POLL_MSEC : AWAY_MSEC);
                if (r != 0)
                        return r;
        }
}

int operation_wait(Client *c, const char *id, const char *label, json_t **ret, Error *error) {
        Wait w = {.client = c,
                  .args = json_pack("{s:s}", "id", id),
                  .label = label,
                  .signals = wait_signals(),
                  .width = render_width(stderr)};
        int r;

        if (!w.args)
                return -ENOMEM;
        operation_wait_prepare();
        r = wait_loop(&w, ret, error);
        wait_done(&w);
        if (r == WAIT_INTERRUPTED)
                (void) fprintf(stderr,
                               "terrafusionctl: Stopped waiting; operation %s goes on. Watch it: "
                               "terrafusionctl show %s. "
                               "Stop it: terrafusionctl cancel %s\n",
                               id, id, id);
        return r;
}
