# SPDX-License-Identifier: Apache-2.0
"""A web service of a test's own, for what no real server at hand does: delta links, tokens, limits, faults.

It follows OData 4.01 (Protocol: 11.3 "Requesting Changes", 8.2.8 preferences, 11.4.1 "Optimistic Concurrency"; JSON Format: 15
"Delta Payload", 19 "Batch Requests") for one entity set, Accounts, and has the same records as plain JSON below /json."""
import gzip
import http.server
import json
import re
import threading
import urllib.parse

METADATA = """<?xml version="1.0"?><edmx:Edmx Version="4.01" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>
<Schema Namespace="erp" xmlns="http://docs.oasis-open.org/odata/ns/edm"><EntityType Name="Account"><Key><PropertyRef Name="account_no"/></Key>
<Property Name="account_no" Type="Edm.String" Nullable="false"/><Property Name="owner_name" Type="Edm.String"/>
<Property Name="balance" Type="Edm.Decimal" Precision="18" Scale="2"/><Property Name="changed" Type="Edm.DateTimeOffset" Precision="6"/></EntityType>
<EntityContainer Name="C"><EntitySet Name="Accounts" EntityType="erp.Account"/></EntityContainer></Schema></edmx:DataServices></edmx:Edmx>"""


class Service:
    """fault(handler, path): called first; True where it has answered by itself."""

    def __init__(self, page=5):
        self.page, self.records, self.log = page, {}, []        # log: (key, deleted) in the order of the changes
        self.versions, self.first_delta = {}, 0                 # delta links below first_delta are gone
        self.requests, self.fault, self.secret, self.tokens = [], None, None, 0
        self.told = {}                                          # of a changed record a delta link tells these members only
        self.authorization = None                               # what each request must have as Authorization
        self.lock = threading.Lock()
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments):
                pass

            def do(self):
                length = int(self.headers.get("Content-Length") or 0)
                self.body = self.rfile.read(length) if length else b""
                service.requests.append((self.command, self.path, dict(self.headers), self.body))
                if service.fault and service.fault(self, self.path):
                    return
                with service.lock:
                    service.answer(self)

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do

            def reply(self, status, body=b"", kind="application/json", **headers):
                body = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", headers.pop("length", len(body)))
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                self.wfile.write(body)

            def cut(self):
                self.close_connection = True
                self.connection.close()

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.origin = f"http://127.0.0.1:{self.server.server_port}"
        self.url = self.origin + "/odata"

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    # ---- the records ----

    def put(self, *records):
        for one in records:
            self.records[one["account_no"]] = {"owner_name": None, "balance": None, "changed": None, **self.records.get(one["account_no"], {}), **one}
            self.versions[one["account_no"]] = self.versions.get(one["account_no"], 0) + 1
            self.log.append((one["account_no"], False))

    def remove(self, key):
        del self.records[key]
        self.log.append((key, True))

    def etag(self, key):
        return f'W/"{self.versions[key]}"'

    @staticmethod
    def key_of(path):
        if found := re.search(r"\('(.*)'\)", urllib.parse.unquote(path.split("?")[0])):
            return found[1].replace("''", "'")
        return urllib.parse.unquote(path.split("/json/accounts/")[1]) if "/json/accounts/" in path else None

    def write(self, method, path, body, if_match):
        """(status, body)"""
        key = self.key_of(path)
        if method == "POST" and key is None:
            if body["account_no"] in self.records:
                return 409, {"error": {"code": "exists", "message": "The account is there already"}}
            if body.get("owner_name") == "refused":
                return 422, {"error": {"code": "rule", "message": "The owner is not accepted"}}
            self.put(body)
            return 201, None
        if key not in self.records:
            return (412 if if_match == "*" else 404), {"error": {"code": "none", "message": "There is no such account"}}
        if if_match not in (None, "*", self.etag(key)):
            return 412, {"error": {"code": "changed", "message": "Precondition Failed"}}
        if method == "DELETE":
            self.remove(key)
        else:
            self.put({"account_no": key, **body})
        return 204, None

    # ---- answers ----

    def is_known(self, h):
        return self.authorization is None or h.headers.get("Authorization") == self.authorization or h.headers.get("X-Key") == self.authorization

    def answer(self, h):
        path = urllib.parse.urlsplit(h.path)
        query = dict(urllib.parse.parse_qsl(path.query))
        if path.path == "/token":
            return self.token(h)
        if not self.is_known(h):
            return h.reply(401, {"error": {"message": f"Not known: {h.headers.get('Authorization')}"}})
        if path.path == "/odata/$metadata":
            return h.reply(200, METADATA, "application/xml")
        if path.path == "/odata/$batch":
            return self.batch(h)
        if path.path == "/odata/Accounts/$count":
            return h.reply(200, str(len(self.records)), "text/plain")
        if path.path.startswith("/json/"):
            return self.json(h, path.path, query)
        if h.command == "GET":
            status, body = self.one(path.path) if self.key_of(path.path) is not None else self.many(h, query)
        else:
            status, body = self.write(h.command, path.path, json.loads(h.body or b"null", parse_float=str), h.headers.get("If-Match"))
        return h.reply(status, b"" if body is None else body)

    def token(self, h):
        form = dict(urllib.parse.parse_qsl(h.body.decode()))
        if form.get("client_secret") != self.secret or form.get("grant_type") != "client_credentials":
            return h.reply(401, {"error": "invalid_client", "error_description": "secret " + form.get("client_secret", "")})
        self.tokens += 1
        self.authorization = f"Bearer token-{self.tokens}"
        return h.reply(200, {"access_token": f"token-{self.tokens}", "token_type": "Bearer", "expires_in": 3600})

    def shown(self, key):
        return {"@odata.etag": self.etag(key), **self.records[key]}

    def one(self, path):
        key = self.key_of(path)
        if key is None:
            return 200, {"value": [self.shown(one) for one in sorted(self.records)[:1]]}
        return (200, self.shown(key)) if key in self.records else (404, {"error": {"message": "There is no such account"}})

    def many(self, h, query):
        prefer = h.headers.get("Prefer") or ""
        if "$deltatoken" in query:
            return self.changes(int(query["$deltatoken"]))
        begin, after = int(query.get("$skiptoken", 0)), re.search(r"account_no gt '(.*?)'\)", query.get("$filter", ""))
        keys = [key for key in sorted(self.records) if not after or key > after[1].replace("''", "'")]
        if low := re.search(r"changed ge (\S+) and changed lt (\S+)", query.get("$filter", "")):
            keys = [key for key in keys if low[1] <= (self.records[key]["changed"] or "") < low[2]]
        body = {"@odata.context": "$metadata#Accounts", "value": [self.shown(key) for key in keys[begin:begin + self.page]]}
        tracked = query.get("tracked") or (str(len(self.log)) if "track-changes" in prefer else None)
        if "$count" in query:
            body["@odata.count"] = len(keys)
        if begin + self.page < len(keys):
            more = {"$skiptoken": begin + self.page, **({"tracked": tracked} if tracked else {}), **({"$filter": query["$filter"]} if after else {})}
            body["@odata.nextLink"] = "Accounts?" + urllib.parse.urlencode(more)
        elif tracked:
            body["@odata.deltaLink"] = f"{self.url}/Accounts?$deltatoken={tracked}"
        return 200, body

    def changes(self, since):
        if since < self.first_delta:
            return 410, {"error": {"code": "gone", "message": "The delta link has expired"}}
        now = {}
        for key, deleted in self.log[since:]:
            now.pop(key, None)
            now[key] = deleted
        keys = list(now)[:self.page]
        value = [{"@removed": {"reason": "deleted"}, "@id": f"Accounts('{urllib.parse.quote(key)}')"} if now[key]
                 else {name: member for name, member in self.shown(key).items() if name in self.told.get(key, [name])} for key in keys]
        if len(keys) < len(now):        # up to the last change of the last key that is told
            told = max(i for i, (key, _) in enumerate(self.log[since:]) if key == keys[-1]) + since + 1
            left = [key for key in list(now)[self.page:] if any(k == key for k, _ in self.log[told:])]
            assert len(left) == len(now) - len(keys)
            return 200, {"value": value, "@odata.nextLink": f"Accounts?$deltatoken={told}"}
        return 200, {"value": value, "@odata.deltaLink": f"Accounts?$deltatoken={len(self.log)}"}

    def batch(self, h):
        responses = []
        for one in json.loads(h.body)["requests"]:
            if one["method"] == "GET":
                status, body = self.one(one["url"].split("?")[0])
            else:
                status, body = self.write(one["method"], one["url"], one.get("body"), one["headers"].get("if-match"))
            responses.append({"id": one["id"], "status": status, **({"body": body} if body is not None else {})})
        return h.reply(200, {"responses": responses})

    # ---- plain JSON ----

    def json(self, h, path, query):
        if path.startswith("/json/accounts/"):
            if h.command == "GET":
                key = self.key_of(path)
                return h.reply(200, self.records[key], ETag=self.etag(key)) if key in self.records else h.reply(404, {"error": "none"})
            status, body = self.write(h.command, path, json.loads(h.body or b"null", parse_float=str), h.headers.get("If-Match"))
            return h.reply(status, b"" if body is None else body)
        if h.command == "POST":
            status, body = self.write("POST", "/json/accounts", json.loads(h.body, parse_float=str), None)
            return h.reply(status, b"" if body is None else body)
        rows = [self.records[key] for key in sorted(self.records)]
        size, headers = int(query.get("limit", self.page)), {}
        begin = (int(query["page"]) - 1) * size if "page" in query else int(query.get("offset", query.get("cursor", 0)))
        part, end = rows[begin:begin + size], begin + size
        if end < len(rows):
            headers["Link"] = f'</json/list?cursor=0>; rel="first", </json/list?cursor={end}>; rel="next"'
        body = {"data": {"items": part}, "meta": {"total": len(rows), "next": str(end) if end < len(rows) else None, "more": end < len(rows)}}
        return h.reply(200, body, **headers)


# ---- faults ----

def html(h, _):
    h.reply(200, "<html><head><title>Log in</title></head><body>Enter your password</body></html>", "text/html")
    return True


def redirect(h, _):
    h.reply(302, b"", Location="https://sso.example/login?ticket=secret")
    return True


def short(h, _):
    h.reply(200, b'{"value": [', length=1000)
    h.cut()
    return True


def truncated(h, _):
    h.reply(200, b'{"value": [{"account_no": "A')
    return True


def bomb(h, _):
    h.reply(200, gzip.compress(b'{"value": [' + b" " * (80 << 20)), Content_Encoding="gzip")
    return True


def reset(h, _):
    h.cut()
    return True
