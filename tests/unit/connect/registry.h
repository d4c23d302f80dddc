/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What is asked of every connector, of the modules' too: what it says it can do is there, and the daemons know the same. */
#include "connect/connector.h"
#include "model/system-kind.h"

static inline void assert_connector(const Connector *connector, const char *kind) {
        unsigned capabilities = connector->capabilities, strategies = connector->strategies;

        assert_string_equal(connector->kind, kind);
        assert_non_null(connector->summary);
        assert_true(capabilities & CONNECTOR_READS);
        assert_non_null(connector->reader_open);
        assert_int_equal(!!(capabilities & CONNECTOR_WRITES), connector->writer_open != NULL);
        assert_int_equal(!!(capabilities & CONNECTOR_TRANSACTS),
                         connector->begin && connector->commit && connector->rollback);
        assert_int_equal(!!(capabilities & CONNECTOR_RESUMES),
                         connector->reader_position && connector->reader_resumed);
        assert_int_equal(!!(strategies & DETECT_BIT(DETECT_WATERMARK)), connector->horizon != NULL);
        assert_int_equal(!!(strategies & DETECT_BIT(DETECT_FILE)), connector->content_digest != NULL);
        assert_int_equal(!!(strategies & DETECT_BIT(DETECT_DIGEST)),
                         connector->ranges_plan && connector->ranges_sum && connector->reader_range);
        assert_true(strategies & DETECT_BIT(DETECT_FULL));
        assert_true(strategies & DETECT_BIT(connector->default_strategy));
        assert_non_null(system_kind_find(kind));
        assert_int_equal(system_kind_find(kind)->strategies, strategies);
        assert_int_equal(system_kind_find(kind)->default_strategy, connector->default_strategy);
}
