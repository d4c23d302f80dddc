# SPDX-License-Identifier: Apache-2.0
"""A TCP proxy before a PostgreSQL server that loses what the network can lose."""
import socket
import struct
import threading


class Proxy:
    """cut: "before" or "after" the server has got COMMIT number `at` of all connections; the client never hears of it. stall: from then on
    nothing passes either way, and no connection is closed."""

    def __init__(self, port, cut=None, at=0):
        self.port_of_server, self.cut, self.at = port, cut, at
        self.n_commits, self.is_cut, self.stalled = 0, False, False
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.open = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.port_of_server))
            except OSError:
                return
            for one in (client, server):        # small messages would wait for each other's acknowledgement
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.open += [client, server]
            threading.Thread(target=self.upwards, args=(client, server), daemon=True).start()
            threading.Thread(target=self.copy, args=(server, client), daemon=True).start()

    def copy(self, source, sink):
        try:
            while data := source.recv(65536):
                while self.stalled:
                    threading.Event().wait(0.05)
                sink.sendall(data)
        except OSError:
            pass
        self.end(source, sink)

    @staticmethod
    def end(*sockets):
        for one in sockets:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()

    def upwards(self, client, server):
        """Message by message: a length after one byte of kind, none of which the first one has."""
        buffer, is_first = b"", True
        try:
            while data := client.recv(65536):
                while self.stalled:
                    threading.Event().wait(0.05)
                buffer += data
                while len(buffer) >= (4 if is_first else 5):
                    size = struct.unpack_from("!I", buffer, 0 if is_first else 1)[0] + (0 if is_first else 1)
                    if len(buffer) < size:
                        break
                    message, buffer = buffer[:size], buffer[size:]
                    if not is_first and message[:1] == b"Q" and message[5:] == b"commit\0" and self.is_the_one():
                        self.lose(client, server, message)
                        return
                    server.sendall(message)
                    # "May we use TLS?" is answered with one letter and comes again as a first message.
                    is_first = is_first and struct.unpack_from("!I", message, 4)[0] in (80877103, 80877104)
        except OSError:
            pass
        self.end(client, server)

    def is_the_one(self):
        with self.lock:
            self.n_commits += 1
            return self.cut and self.n_commits == self.at

    def lose(self, client, server, message):
        self.is_cut = True
        self.end(client)
        if self.cut == "after":
            server.sendall(message)         # committed, though nobody will hear of it
        self.end(server)

    def close(self):
        self.listener.close()
        self.end(*self.open)
