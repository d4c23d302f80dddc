/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Systems of kind postgresql: servers from version 12 on, read by binary COPY from one snapshot, written by
 * binary COPY and by arrays. In the worker. */
#include "connect/connector.h"

extern const Connector postgresql_connector;
