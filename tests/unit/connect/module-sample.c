/* SPDX-License-Identifier: Apache-2.0 */
/* A module that the test of module.c loads; with STALE one that another build made. */
#include "build-config.h"
#include "connect/module.h"

#ifdef STALE
static const Connector stale_connector = {.kind = "stale", .summary = "Of another build"};
extern const Module stale_module;
const Module stale_module = {"0.0.1", sizeof(Connector), &stale_connector};
#else
static const Connector sound_connector = {.kind = "sound", .summary = "As built"};
CONNECTOR_MODULE(sound);
#endif
