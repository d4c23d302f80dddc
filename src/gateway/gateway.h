/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The process on port 5000: keys, pages, the way to syncd, and syncd's revival. In the gateway. */
#include "api/keys.h"
#include "api/over-bus.h"
#include "api/over-http.h"
#include "gateway/proxy.h"
#include "gateway/recovery.h"
#include "gateway/standalone.h"
#include "http/server.h"

typedef struct Gateway {
        sd_event *event;
        HttpServer *server;
        Keys *keys;
        Proxy *proxy;
        Standalone *standalone; /* NULL: systemd runs syncd */
        Recovery *recovery;
        Api api;
        OverHttp *over_http;    /* for its own rows */
        OverBus *bus;
} Gateway;

extern const api_handler_t gateway_handlers[_COMMAND_MAX];

/* HttpServer's handler; userdata is the Gateway. */
void gateway_handle(HttpRequest *request, void *userdata);

/* In status.c: the gateway's rows of the command table, over HTTP and D-Bus. The first starts (or restarts) syncd and answers when it is ready
 * or with what went wrong; the other tells what recovery_view() knows, and whether syncd answers now. */
int do_sync_service_start(void *daemon, ApiRequest *request, Error *error);
int do_gateway_status(void *daemon, ApiRequest *request, Error *error);
json_t *gateway_document(const Gateway *gateway);       /* what D-Bus shows of it; NULL without memory */
/* In bus.c: org.terrafusion.Gateway1 on the system bus, when there is one, and on the private socket gateway1.bus of the runtime directory. */
_must_check_ int bus_open(Gateway *gateway, const char *runtime, Error *error);
/* In pages.c: answers a page of path; false: there is none. */
bool page_serve(HttpRequest *request, const char *path);
