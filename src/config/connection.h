/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* `connection:` of a PostgreSQL system, looked at before anybody connects: which option is wrong, without repeating what may be a password. */
#include "basic/alloc.h"

/* 0: nothing is wrong with its form. 1: *ret_detail says what is, *ret_remedy what to do (NULL where nothing is known); both allocated. -ENOMEM. */
_must_check_ int connection_mistake(const char *text, char **ret_detail, char **ret_remedy);
