/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What every fuzz target includes: libFuzzer's entry point, and a check that stays in every build. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* A property that does not hold ends the process as a crash does, so that the fuzzer keeps the input. */
#define CHECK(expression) \
        do { \
                if (!(expression)) { \
                        fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #expression); \
                        abort(); \
                } \
        } while (0)
