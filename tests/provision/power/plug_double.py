"""A plug in the network: plug_double.py KIND [stuck] [late].

KIND: tasmota, tasmota-login, shelly, shelly-1 (first generation). Answers as the vendor's documentation says. `stuck`
takes each request and does not switch. `late` fails the first request. Prints its port, then each change.
"""

import http.server
import json
import sys
import urllib.parse

kind = sys.argv[1]
stuck = "stuck" in sys.argv
late = "late" in sys.argv
on = True


def switch(to):
    global on
    if to is not None and not stuck:
        on = to
        print("on" if on else "off", flush=True)


def tasmota(query):
    if kind == "tasmota-login" and query.get("password") != ["pa%ss"]:
        return {"WARNING": "Need user=<username>&password=<password>"}
    words = query["cmnd"][0].split(" ")
    if words[0] not in ("Power1", "Power2"):
        return {"Command": "Unknown"}
    switch({"On": True, "Off": False}.get(words[1]) if len(words) > 1 else None)
    name = "POWER" if kind == "tasmota-login" else words[0].upper()
    return {name: "ON" if on else "OFF"}


def shelly(path, query):
    if path == "/shelly":
        return {"type": "SHPLG-S"} if kind == "shelly-1" else {"id": "shellyplus1-a", "gen": 2}
    if kind == "shelly-1" and path == "/relay/0":
        switch({"on": True, "off": False}.get(query.get("turn", [""])[0]))
        return {"ison": on}
    if kind == "shelly" and path == "/rpc/Switch.Set" and query["id"] == ["0"]:
        was = on
        switch(query["on"] == ["true"])
        return {"was_on": was}
    if kind == "shelly" and path == "/rpc/Switch.GetStatus" and query["id"] == ["0"]:
        return {"id": 0, "output": on}
    return None


class Plug(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        global late
        if late:
            late = False
            self.send_error(503)
            return
        url = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(url.query)
        answer = tasmota(query) if kind.startswith("tasmota") and url.path == "/cm" else shelly(url.path, query)
        self.send_response(404 if answer is None else 200)
        self.end_headers()
        self.wfile.write(json.dumps(answer or {}).encode())

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Plug)
print("port", server.server_port, "", flush=True)
server.serve_forever()
