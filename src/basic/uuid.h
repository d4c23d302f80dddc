/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Identifiers of operations: UUIDv7 (RFC 9562), rising within a process. */
#include "basic/alloc.h"
#define UUID_TEXT_SIZE 37
_must_check_ int uuid_new_v7(char ret[static UUID_TEXT_SIZE]);
bool uuid_is_valid(const char *text);           /* lower- or upper-case hex with hyphens */
_must_check_ int uuid_parse(const char *text, size_t n_bytes, uint8_t ret[static 16]);
void uuid_format(const uint8_t bytes[static 16], char ret[static UUID_TEXT_SIZE]);
