/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The process on port 5000: keys, pages, the way to syncd, and syncd's revival. In the gateway. */
#include "api/keys.h"
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
} Gateway;

/* HttpServer's handler; userdata is the Gateway. */
void gateway_handle(HttpRequest *request, void *userdata);

/* In status.c: starts (or restarts) syncd, answers the request when it is ready or with what went wrong. */
void status_start(Gateway *gateway, HttpRequest *request, bool restart);
/* In status.c: answers /status with what recovery_view() knows, and whether syncd answers now. */
void status_serve(Gateway *gateway, HttpRequest *request);
/* In pages.c: answers a page of path; false: there is none. */
bool page_serve(HttpRequest *request, const char *path);
