/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Two ends of one D-Bus connection in one process, without a bus between them. */
#include "../testing.h"
#include <stdbool.h>
#include <sys/socket.h>
#include <systemd/sd-bus.h>

typedef struct BusPair { sd_bus *server, *client; } BusPair;

static inline void bus_pair_pump(BusPair *pair) {
        for (unsigned idle = 0; idle < 3;) {
                bool busy = pair->server && sd_bus_process(pair->server, NULL) > 0;

                busy |= pair->client && sd_bus_process(pair->client, NULL) > 0;
                idle = busy ? 0 : idle + 1;
                if (!busy && pair->client)
                        (void) sd_bus_wait(pair->client, 2000);
        }
}

static inline void bus_pair_open(BusPair *pair) {
        sd_id128_t id;
        int fds[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
        assert_int_equal(sd_id128_randomize(&id), 0);
        assert_true(sd_bus_new(&pair->server) >= 0 && sd_bus_new(&pair->client) >= 0);
        assert_true(sd_bus_set_fd(pair->server, fds[0], fds[0]) >= 0 && sd_bus_set_fd(pair->client, fds[1], fds[1]) >= 0);
        assert_true(sd_bus_set_server(pair->server, 1, id) >= 0);
}

static inline void bus_pair_start(BusPair *pair) {
        assert_true(sd_bus_start(pair->server) >= 0 && sd_bus_start(pair->client) >= 0);
        bus_pair_pump(pair);
}

static inline void bus_pair_close(BusPair *pair) {
        pair->client = sd_bus_flush_close_unref(pair->client);
        pair->server = sd_bus_flush_close_unref(pair->server);
}
