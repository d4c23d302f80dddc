/* SPDX-License-Identifier: Apache-2.0 */
#include "build-config.h"

#include "api/openapi.h"
#include "basic/json.h"
#include "basic/text.h"
#include "gateway/gateway.h"

#define PAGE(title, body) \
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>" title "</title><h1>" title "</h1>" body "</html>\n"

static const struct { const char *path, *html; } pages[] = {
        { "/dashboard/", PAGE("TerraFusion SyncService",
                "<p>A graphical dashboard is not there yet. What it will show can be had now:</p><ul>"
                "<li><a href=\"/status\">/status</a>: the gateway and the sync service</li>"
                "<li><code>curl -H 'X-API-Key: KEY' localhost:5000/api/sync/operations</code>: operations, newest first</li>"
                "<li><code>curl -H 'X-API-Key: KEY' localhost:5000/api/sync/active</code>: what runs and waits</li>"
                "<li><code>curl -H 'X-API-Key: KEY' localhost:5000/api/quarantine</code>: records held back</li>"
                "<li><code>terrafusionctl status</code>: the same on the command line</li></ul>"
                "<p><a href=\"/api-docs/\">The API</a></p>") },
        { "/api-docs/", PAGE("TerraFusion API",
                "<p>Every path with its arguments is in <a href=\"/openapi.json\">/openapi.json</a> (OpenAPI 3.1).</p>"
                "<p>Send your key in the header <code>X-API-Key</code>. Errors are RFC 9457 problem documents.</p>"
                "<p><a href=\"/dashboard/\">Dashboard</a></p>") },
};

static void root_serve(HttpRequest *q) {
        json_auto_t *root = json_pack("{s:s, s:s, s:s, s:s, s:{s:s, s:s, s:s, s:s}}",
                "service", "TerraFusion SyncService - Gateway", "version", PROJECT_VERSION, "status", "running", "description",
                "This is a gateway to the SyncService API. Access API endpoints at /api/", "links", "dashboard", "/dashboard",
                "api_docs", "/api-docs", "api_status", "/status", "start_service", "/start-syncservice");

        http_reply_json(q, root ? 200 : 503, root);
}

static void openapi_serve(HttpRequest *q) {
        _cleanup_error_ Error e = {};
        json_auto_t *document = NULL;

        if (openapi_new(PROJECT_VERSION, &document) < 0) {
                (void) error_set(&e, ERROR_OUT_OF_MEMORY, "Try again in a moment.", "There was no memory for the document");
                http_reply_problem(q, &e);
        } else
                http_reply_json(q, 200, document);
}

bool page_serve(HttpRequest *q, const char *path) {
        if (text_equal(path, "/"))
                return root_serve(q), true;
        if (text_equal(path, "/openapi.json"))
                return openapi_serve(q), true;
        if (text_equal(path, "/dashboard") || text_equal(path, "/api-docs"))
                return http_reply_redirect(q, text_equal(path, "/dashboard") ? "/dashboard/" : "/api-docs/"), true;
        for (size_t i = 0; i < ELEMENTSOF(pages); i++)
                if (text_equal(path, pages[i].path)) {
                        http_reply_header(q, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'");
                        http_reply_text(q, 200, "text/html; charset=utf-8", pages[i].html);
                        return true;
                }
        return false;
}
