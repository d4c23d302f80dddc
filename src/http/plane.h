/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The data plane: one epoll for many sockets as a single sd-event source, taken in turns. In both daemons.
 * A turn takes up to 256 ready sockets, calls their owners, then runs the hooks that are due, once each: what the sockets of one
 * turn gave is handled together (one run of libmicrohttpd, one send per connection), not socket by socket. */
#include "basic/alloc.h"
#include <systemd/sd-event.h>

typedef struct Plane Plane;
typedef struct PlaneWatch PlaneWatch;
typedef struct PlaneHook PlaneHook;
typedef void (*plane_ready_t)(uint32_t events, void *userdata);
typedef void (*plane_hook_t)(void *userdata);

_must_check_ int plane_new(sd_event *event, Plane **ret);
Plane *plane_free(Plane *plane);        /* watches and hooks are gone before it; takes NULL */
DEFINE_CLEANUP(Plane, plane_free)
sd_event *plane_event(Plane *plane);    /* borrowed */

/* Level-triggered; events as of epoll. The descriptor stays the caller's. */
_must_check_ int plane_watch(Plane *plane, int fd, uint32_t events, plane_ready_t ready, void *userdata, PlaneWatch **ret);
_must_check_ int plane_watch_set(PlaneWatch *watch, uint32_t events);
/* Before the descriptor is closed. Its owner is not called any more, not even in this turn. Takes NULL, gives NULL. */
PlaneWatch *plane_unwatch(PlaneWatch *watch);

/* Hooks run at a turn's end, lower order first: the server takes requests, then their way onwards is sent, all in one turn. */
enum { PLANE_ORDER_SERVER = 0, PLANE_ORDER_UPSTREAM = 10 };
_must_check_ int plane_hook_new(Plane *plane, int order, plane_hook_t run, void *userdata, PlaneHook **ret);
PlaneHook *plane_hook_free(PlaneHook *hook);    /* not from within the hook; takes NULL, gives NULL */
/* It runs at the end of this turn, or (outside of a turn, or where its place in this one is past) in one of its own, soon. */
void plane_hook_wake(PlaneHook *hook);
