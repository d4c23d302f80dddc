/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The CSV connector: a folder of files, or one file, each a table. In the worker. What its options (delimiter, quote, header, columns,
 * encoding, null) do not fix is found out from a file's beginning, and an error where it would be a guess. Every value is TEXT; null
 * is an empty field without quotes, or the text that the option says. */
#include "connect/connector.h"

extern const Connector csv_connector;
