#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Clients that ask without a pause, each over its own kept connection, for some seconds: load.py PORT SECONDS [PATH [METHOD [BODY]]].
Prints one JSON object: how many were answered, by status; what failed (no answer, or 5xx) and when; the longest wait in ms."""
import json
import os
import select
import socket
import sys
import time

CONNECTIONS = 8
KEY = os.environ.get("SYNC_SERVICE_API_KEY", "dev-api-key")


class Client:
    def __init__(self, port, request, told):
        self.port, self.request, self.told = port, request, told
        self.socket = None

    def ask(self):
        self.since, self.answer = time.monotonic(), b""
        try:
            if self.socket is None:
                self.socket = socket.create_connection(("127.0.0.1", self.port), 5)
            self.socket.sendall(self.request)
        except OSError as error:
            self.end(f"{type(error).__name__}")

    def end(self, failure, status=0):
        """One request is over. Who failed begins a new connection after a moment."""
        wait = time.monotonic() - self.since
        self.told["statuses"][str(status)] = self.told["statuses"].get(str(status), 0) + 1
        self.told["max_ms"] = max(self.told["max_ms"], wait * 1000)
        if wait > 0.02:
            self.told["waits_ms"].append(round(wait * 1000, 1))
        if failure:
            self.told["failed"].append([round(time.time(), 3), failure])
        if status == 0 and self.socket:
            self.socket.close()
            self.socket = None

    def read(self):
        """True: the answer is whole, or there is none."""
        try:
            more = self.socket.recv(65536)
        except OSError as error:
            self.end(type(error).__name__)
            return True
        if not more:
            self.end("closed")
            return True
        self.answer += more
        head, separator, body = self.answer.partition(b"\r\n\r\n")
        if not separator:
            return False
        length = int(next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")).split(b":")[1])
        if len(body) < length:
            return False
        status = int(head.split(b" ")[1])
        self.end(f"{status} {body[:300].decode(errors='replace')}" if status >= 500 else "", status)
        return True


def main(port, seconds, path="/api/sync/active", method="GET", body=""):
    told = {"statuses": {}, "failed": [], "max_ms": 0.0, "waits_ms": []}
    head = f"{method} {path} HTTP/1.1\r\nHost: a\r\nX-API-Key: {KEY}\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    clients = [Client(int(port), (head + "\r\n" + body).encode(), told) for _ in range(CONNECTIONS)]
    end = time.monotonic() + float(seconds)
    for client in clients:
        client.ask()
    while time.monotonic() < end:
        for client in clients:
            if client.socket is None:
                time.sleep(0.005)
                client.ask()
        waiting = {client.socket: client for client in clients if client.socket}
        for ready in select.select(list(waiting), [], [], 0.2)[0]:
            if waiting[ready].read() and waiting[ready].socket:
                waiting[ready].ask()
    unanswered = [client for client in clients if client.socket and time.monotonic() - client.since > 1]
    for client in unanswered:
        client.end("unanswered at the end")
    told["answered"] = sum(told["statuses"].values())
    print(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
