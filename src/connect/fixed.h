/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Files of fixed-width records, as a layout file describes them, as a source. In the worker. A table is a table of the layout, and the one
 * file of the system's folder that its pattern names. The records' length is checked before anything is read: by the first record and by the file's
 * size. Values come typed, decimals with their implied point; what is no value of its type comes as the text it is, so that the mapping's own type
 * makes a finding of that record. */
#include "connect/connector.h"

extern const Connector fixed_connector;
