/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Connectors that need large libraries are shared modules, loaded when a system of their kind is used: the worker
 * starts small without them, and a driver manager that is not installed stops nobody else. A module uses the worker's
 * own basic, model and connect. In the worker only. */
#include "connect/connector.h"

/* What a module exports, as KIND_module: CONNECTOR_MODULE(odbc) beside odbc_connector. */
typedef struct Module {
        const char *version;    /* of the project it was built with */
        size_t connector_bytes; /* size of its Connector: one of another build would be read wrongly */
        const Connector *connector;
} Module;

#define CONNECTOR_MODULE(name)             \
        extern const Module name##_module; \
        const Module name##_module = {PROJECT_VERSION, sizeof(Connector), &name##_connector}

/* Loads connect-KIND.so of $TERRAFUSION_MODULES, or else of the installation's folder, once; it stays until the process
 * ends. package: Debian's name of the library that the module needs, for the remedy. ERROR_MODULE: the file, or a
 * library that it needs, is missing or of another build. */
_must_check_ int module_load(const char *kind, const char *package, const Connector **ret, Error *error);
