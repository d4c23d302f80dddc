/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A layout file of fixed-width records as a Layout. In every process that reads configuration. */
#include "config/mistake.h"
#include "model/layout.h"

/* Reads it; every mistake at once, with file, line and column: fields that lie beyond the record or in each other, unknown types and
 * encodings. -EINVAL after a mistake, -ENOMEM. */
_must_check_ int layout_load(const char *path, Mistakes *mistakes, Layout **ret);
/* The same of bytes that were read of it. */
_must_check_ int layout_parse(const char *bytes, size_t size, const char *path, Mistakes *mistakes, Layout **ret);
