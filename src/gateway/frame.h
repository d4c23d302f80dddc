/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A client's request as it goes on to syncd: framed anew, so that how the client framed it ends here. In the gateway. */
#include "http/server.h"

/* HEAD goes as GET (the answer's body is dropped on our side); keys are left out, identity ("NAME;scopes"), X-Request-Id and
 * X-Forwarded-For are ours. ret: allocated. */
_must_check_ int frame_request(const HttpRequest *request, const char *path, const char *identity, char **ret, size_t *ret_size);
/* A question of the gateway's own. */
_must_check_ int frame_question(const char *path, char **ret, size_t *ret_size);
