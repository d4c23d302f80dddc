/* SPDX-License-Identifier: Apache-2.0 */
#include "http/plane.h"

#include <errno.h>
#include <sys/epoll.h>

#include "basic/event.h"

#define TURN_EVENTS_MAX 256

struct PlaneWatch {
        Plane *plane;
        int fd;
        plane_ready_t ready;
        void *userdata;
};

struct PlaneHook {
        Plane *plane;
        int order;
        plane_hook_t run;
        void *userdata;
        bool due;
        PlaneHook *next;
};

struct Plane {
        sd_event *event;
        int epoll_fd;
        sd_event_source *io, *soon;
        PlaneHook *hooks;                       /* by order */
        struct epoll_event events[TURN_EVENTS_MAX];
        int n_events;                           /* of the turn under way; those of removed watches are emptied */
        bool in_turn;
};

static void plane_soon(Plane *plane) {
        (void) sd_event_source_set_enabled(plane->soon, SD_EVENT_ONESHOT);
}

static void plane_turn(Plane *plane) {
        bool due = false;

        plane->in_turn = true;
        plane->n_events = epoll_wait(plane->epoll_fd, plane->events, TURN_EVENTS_MAX, 0);
        for (int i = 0; i < plane->n_events; i++) {
                PlaneWatch *watch = plane->events[i].data.ptr;

                if (watch)
                        watch->ready(plane->events[i].events, watch->userdata);
        }
        plane->n_events = 0;
        for (PlaneHook *hook = plane->hooks; hook; hook = hook->next)
                if (hook->due) {
                        hook->due = false;
                        hook->run(hook->userdata);
                }
        plane->in_turn = false;
        for (PlaneHook *hook = plane->hooks; hook; hook = hook->next)
                due = due || hook->due;
        if (due)
                plane_soon(plane);
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        plane_turn(userdata);
        return 0;
}

static int on_soon(sd_event_source *source, void *userdata) {
        plane_turn(userdata);
        return 0;
}

int plane_new(sd_event *event, Plane **ret) {
        _cleanup_(plane_freep) Plane *plane = calloc(1, sizeof(Plane));
        int r;

        if (!plane)
                return -ENOMEM;
        plane->event = sd_event_ref(event);
        plane->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        if (plane->epoll_fd < 0)
                return -errno;
        r = sd_event_add_io(event, &plane->io, plane->epoll_fd, EPOLLIN, on_io, plane);
        if (r < 0)
                return r;
        r = sd_event_add_defer(event, &plane->soon, on_soon, plane);
        if (r < 0)
                return r;
        (void) sd_event_source_set_enabled(plane->soon, SD_EVENT_OFF);
        (void) sd_event_source_set_description(plane->io, "plane");
        (void) sd_event_source_set_description(plane->soon, "plane-soon");
        *ret = TAKE_PTR(plane);
        return 0;
}

Plane *plane_free(Plane *plane) {
        if (!plane)
                return NULL;
        assert(!plane->hooks);
        event_source_drop(&plane->io);
        event_source_drop(&plane->soon);
        if (plane->epoll_fd >= 0)
                (void) close(plane->epoll_fd);
        (void) sd_event_unref(plane->event);
        free(plane);
        return NULL;
}

sd_event *plane_event(Plane *plane) {
        return plane->event;
}

int plane_watch(Plane *plane, int fd, uint32_t events, plane_ready_t ready, void *userdata, PlaneWatch **ret) {
        _cleanup_free_ PlaneWatch *watch = calloc(1, sizeof(PlaneWatch));
        struct epoll_event event = { .events = events, .data.ptr = watch };

        if (!watch)
                return -ENOMEM;
        *watch = (PlaneWatch) { plane, fd, ready, userdata };
        if (epoll_ctl(plane->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
                return -errno;
        *ret = TAKE_PTR(watch);
        return 0;
}

int plane_watch_set(PlaneWatch *watch, uint32_t events) {
        struct epoll_event event = { .events = events, .data.ptr = watch };

        return epoll_ctl(watch->plane->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event) < 0 ? -errno : 0;
}

PlaneWatch *plane_unwatch(PlaneWatch *watch) {
        Plane *plane;

        if (!watch)
                return NULL;
        plane = watch->plane;
        (void) epoll_ctl(plane->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
        for (int i = 0; i < plane->n_events; i++)
                if (plane->events[i].data.ptr == watch)
                        plane->events[i].data.ptr = NULL;
        free(watch);
        return NULL;
}

int plane_hook_new(Plane *plane, int order, plane_hook_t run, void *userdata, PlaneHook **ret) {
        PlaneHook *hook = calloc(1, sizeof(PlaneHook)), **place = &plane->hooks;

        if (!hook)
                return -ENOMEM;
        while (*place && (*place)->order <= order)
                place = &(*place)->next;
        *hook = (PlaneHook) { .plane = plane, .order = order, .run = run, .userdata = userdata, .next = *place };
        *place = hook;
        *ret = hook;
        return 0;
}

PlaneHook *plane_hook_free(PlaneHook *hook) {
        PlaneHook **place;

        if (!hook)
                return NULL;
        place = &hook->plane->hooks;
        while (*place != hook)
                place = &(*place)->next;
        *place = hook->next;
        free(hook);
        return NULL;
}

void plane_hook_wake(PlaneHook *hook) {
        hook->due = true;
        if (!hook->plane->in_turn)
                plane_soon(hook->plane);
}
