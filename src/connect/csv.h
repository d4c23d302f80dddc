/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The CSV connector: a folder of files with a header row, or one such file, as a source. In the worker.
 * Options of the system: delimiter (one character or "tab"; ","), encoding ("utf-8" or "latin1";
 * "utf-8"), null (the text that means null; without it an empty field without quotes does). Every value
 * is TEXT. */
#include "connect/connector.h"

extern const Connector csv_connector;
