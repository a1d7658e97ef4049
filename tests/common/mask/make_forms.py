#!/usr/bin/env python3
"""Writes forms.json: values as Python, bash, dash and xxd print them, and what a masker has to make of it.

Run it again after a change: tests/common/mask/make_forms.py > tests/common/mask/forms.json
Each entry: case (a line of the list of forms), secret, text, masked (M for a mask).
"""

import base64
import html
import html.entities
import json
import re
import shlex
import subprocess
import sys
import urllib.parse
from xml.sax import saxutils

PEM = "\n".join(
    [
        "-----BEGIN PRIVATE KEY-----",
        "MC4CAQAwBQYDK2VwBCIEIH0y+Qd1Yb8/5sRtW3vKxPz7o9LmGk4JfHhNcUeVaQ2B",
        "u6ZrOe+8i1TgDyKpXwS/fCq0jMvAnLhEoRbI5YtPsWdU3z7NkxVm2GJHaQlF4c9D",
        "Tz1mXq8=",
        "-----END PRIVATE KEY-----",
    ]
)
VALUES = {
    "alphanumeric": "Zk3vQ9rT7mXw2LpB",
    "punctuation": "p@$$'w\"o`r\\d !#&<%;~{x}>/='",
    "unicode": "pässwörd→😀ñ",
    "pem": PEM,
    "json": '{"user": "svc-robot", "password": "hunter22&more/é", "n": [1, true, "third-leaf"]}',
    "four": "x9$Q",
}
entries = []


def add(case, secret, text, masked):
    entries.append({"case": case, "secret": secret, "text": text, "masked": masked})


def whole(case, secret, form, before="<", after=">"):
    add(case, secret, before + form + after, before + "M" + after)


def base64_masked(before, value, after, encode):
    """What is left of base64 if the characters are masked that depend on the value alone."""
    text = encode(before + value + after).decode()
    begin = -(-8 * len(before) // 6)
    end = 8 * len(before + value) // 6
    alone = encode(value).decode()
    if text == alone or not before and text.startswith(alone.rstrip("=")):
        end = max(end, len(alone if text == alone else alone.rstrip("=")))
    return text, text[:begin], text[begin:end], text[end:]


def wrapped(text, columns, line_end):
    return line_end.join(text[i : i + columns] for i in range(0, len(text), columns)) + line_end


def add_base64(name, value):
    data = value.encode()
    for n, (before, after) in enumerate([(b"", b""), (b"", b":::"), (b"x", b"yz:"), (b"xy", b"z::")]):
        for kind, encode in (("base64", base64.b64encode), ("URL-safe base64", base64.urlsafe_b64encode)):
            text, front, inner, back = base64_masked(before, data, after, encode)
            if len(inner) >= 4:
                add(f"{kind}, alignment {len(before)}, {'text around' if after else 'alone'}", value, text, front + "M" + back)
    for columns in (64, 76):
        for line_end in ("\n", "\r\n"):
            for extra in range(0, columns, 7):
                before = b"x" * (3 * (len(data) % 2) + 45 - extra // 2)
                text, front, inner, back = base64_masked(before, data, b"yz:" * 20, base64.b64encode)
                if len(inner) < 4:
                    continue
                lines = wrapped(text, columns, line_end)
                begin = len(front) + len(front) // columns * len(line_end)
                last = len(front) + len(inner) - 1
                end = last + last // columns * len(line_end) + 1
                add(f"base64 wrapped at {columns} columns with {line_end!r}", value, lines, lines[:begin] + "M" + lines[end:])


def add_hex(name, value):
    text = value.encode().hex()
    whole("hex, lower case", value, text)
    whole("hex, upper case", value, text.upper())
    whole("hex, mixed", value, "".join(c.upper() if i % 3 else c for i, c in enumerate(text)))
    for before in (0, 3, 17, 29):
        dump = subprocess.run(["xxd", "-p"], input=b"z" * before + value.encode() + b"zz", capture_output=True).stdout.decode()
        front = 2 * before + 2 * before // 60
        last = 2 * before + len(text) - 1
        add("hex as xxd -p wraps it", value, dump, dump[:front] + "M" + dump[last + last // 60 + 1 :])


def add_percent(name, value):
    quote = urllib.parse.quote
    form = "".join(chr(b) if chr(b).isalnum() and b < 128 else f"%{b:02X}" for b in value.encode())
    whole("percent-encoding of all but letters and digits", value, form)
    for safe in ("", "/", "-_.!~*'()", "-_.!~*'();/?:@&=+$,#"):
        form = quote(value, safe=safe)
        whole("percent-encoding, upper case", value, form)
        whole("percent-encoding, lower case", value, re.sub("%..", lambda m: m[0].lower(), form))
    whole("percent-encoding with + for blanks", value, urllib.parse.quote_plus(value))
    whole("percent-encoding of everything", value, "".join(f"%{b:02X}" for b in value.encode()))
    whole("percent-encoding of everything", value, "".join(f"%{b:02x}" for b in value.encode()))


def add_json(name, value):
    for case, form in (
        ("JSON, ASCII only", json.dumps(value)),
        ("JSON", json.dumps(value, ensure_ascii=False)),
        (r"JSON with \/", json.dumps(value).replace("/", r"\/")),
        ("JSON, safe in HTML", re.sub("[<>&]", lambda m: f"\\u{ord(m[0]):04x}", json.dumps(value))),
        ("JSON, safe in HTML", re.sub("[<>&']", lambda m: f"\\u{ord(m[0]):04X}", json.dumps(value, ensure_ascii=False))),
        ("JSON, upper case", re.sub(r"\\u....", lambda m: "\\u" + m[0][2:].upper(), json.dumps(value))),
        ("JSON, all units", '"' + "".join(f"\\u{u:04x}" for u in units(value)) + '"'),
    ):
        add(case, value, f'{{"key":{form}}}', '{"key":"M"}')


def units(text):
    data = text.encode("utf-16-be")
    return [data[i] << 8 | data[i + 1] for i in range(0, len(data), 2)]


def add_entities(name, value):
    named = "".join(
        f"&{html.entities.codepoint2name[ord(c)]};" if 0xA0 <= ord(c) <= 0xFF else c for c in html.escape(value, quote=False)
    )
    all_named = "".join(
        f"&{html.entities.codepoint2name[ord(c)]};" if ord(c) in html.entities.codepoint2name else c for c in value
    )
    for case, form in (
        ("XML, text", saxutils.escape(value)),
        ("XML, attribute", saxutils.escape(value, {'"': "&quot;"})),
        ("XML, named", saxutils.escape(value, {'"': "&quot;", "'": "&apos;"})),
        ("HTML, hex", html.escape(value)),
        ("HTML, decimal", html.escape(value).replace("&#x27;", "&#39;")),
        ("HTML, named", named),
        ("HTML, named beyond Latin-1, too", all_named),
        ("HTML, hex, and decimal outside ASCII", html.escape(value).encode("ascii", "xmlcharrefreplace").decode()),
        ("XML, decimal outside ASCII", saxutils.escape(value).encode("ascii", "xmlcharrefreplace").decode()),
        ("XML, all decimal", "".join(f"&#{ord(c)};" for c in value)),
        ("XML, all hex", "".join(f"&#x{ord(c):02x};" for c in value)),
        ("XML, all hex, upper case", "".join(f"&#x{ord(c):02X};" for c in value)),
    ):
        whole(case, value, form)


def shell(script, value, program="bash", locale="C.UTF-8"):
    run = subprocess.run([program, "-c", script, program, value], capture_output=True, env={"LC_ALL": locale, "PATH": "/usr/bin:/bin"})
    return (run.stdout + run.stderr).decode().rstrip("\n")


def unquoted(form):
    """What is left if the quotes around it are no part of the value, and what stands around it."""
    for front, back in (("$'", "'"), ("'", "'"), ('"', '"')):
        if form.startswith(front) and form.endswith(back) and len(form) > len(front):
            return front, form[len(front) : -len(back)], back
    return "", form, ""


def add_quoted(case, value, form, before="<", after=">"):
    front, _, back = unquoted(form)
    add(case, value, before + form + after, before + front + "M" + back + after)


def add_shell(name, value):
    add_quoted("shell quoting with '\\''", value, "'" + value.replace("'", r"'\''") + "'")
    add_quoted("shell quoting with '\"'\"'", value, "'" + value.replace("'", "'\"'\"'") + "'")
    whole("shell quoting with a backslash before blanks", value, value.replace(" ", r"\ "))
    add_quoted("shell quoting as printf %q does it", value, shell('printf %q "$1"', value))
    add_quoted("shell quoting as printf %q does it, in the C locale", value, shell('printf %q "$1"', value, locale="C"))
    add_quoted("shell quoting as ${v@Q} does it", value, shell('echo "${1@Q}"', value))
    add_quoted("shell quoting within double quotes", value, '"' + re.sub(r'(["\\$`])', r"\\\1", value) + '"')
    add_quoted("set -x of bash", value, shell('set -x; : "$1"; :', value)[4:-4], "+ : ", "+ :")
    for before in ("+ [[ 0 = ", "+ [[ 0 =~ "):
        traced = shell(f'set -x; {before[2:]}"$1" ]]; :', value).removesuffix("\n+ :")
        add_quoted(f"set -x of bash, {before.split()[-1]}", value, traced[len(before) : -3], before, " ]]")
    add_quoted("set -x of dash", value, shell('set -x; : "$1."; :', value, "dash")[4:-5], "+ : ", ".")
    ansi = "".join({"\n": r"\n", "'": r"\'", "\\": r"\\"}.get(c, c) for c in value)
    add_quoted("shell quoting with $'...'", value, f"$'{ansi}'")


def add_programs(name, value):
    add_quoted("Python repr", value, repr(value), "value=", ",")
    add_quoted("Python ascii()", value, ascii(value), "value=", ",")
    whole("Python repr of bytes", value, repr(value.encode())[2:-1], "value=b'", "',")
    names = {"\n": r"\n", '"': r"\"", "\\": r"\\"}
    whole("C escapes, octal", value, "".join(names.get(chr(b)) or (chr(b) if b < 128 else f"\\{b:03o}") for b in value.encode()), '"', '"')
    whole("C escapes, hex", value, "".join(names.get(chr(b)) or (chr(b) if b < 128 else f"\\x{b:02x}") for b in value.encode()), '"', '"')
    whole("C escapes, everything in hex", value, "".join(f"\\x{b:02x}" for b in value.encode()))
    whole("doubled $", value, value.replace("$", "$$"))
    whole("doubled $ and '", value, value.replace("$", "$$").replace("'", "''"))
    whole("doubled '", value, value.replace("'", "''"))
    whole('doubled "', value, value.replace('"', '""'))


def add_dumps(name, value):
    data = value.encode()
    whole("hex with blanks", value, data.hex(" "))
    whole("hex with colons, upper case", value, data.hex(":").upper())
    dump = subprocess.run(["od", "-An", "-v", "-tx1"], input=data, capture_output=True).stdout.decode()
    add("hex as od -tx1 prints it", value, dump, " M\n")
    whole("C escapes, everything in octal", value, "".join(f"\\{b:03o}" for b in data))
    text = base64.b64encode(data).decode()
    for columns in (12, 64):
        for indent in ("    ", "\t"):
            lines = "".join(f"{indent}{text[i : i + columns]}\n" for i in range(0, len(text), columns))
            add(f"base64 in lines of {columns}, indented by {indent!r}", value, lines, f"{indent}M\n")
    for option in ("-v", "-A"):
        whole(f"cat {option}", value, subprocess.run(["cat", option], input=data, capture_output=True).stdout.decode())
    if value.isascii():
        add("UTF-16, little endian", value, value.encode("utf-16-le").decode("ascii"), "M\0")
        add("UTF-16, big endian", value, value.encode("utf-16-be").decode("ascii"), "\0M")


def add_gaps(name, value):
    value = value.strip()
    for gap, case in (("\x1b[1;31m", "ANSI in the middle"), ("\r", "CR in the middle"), ("\n", "soft wrap in the middle"), ("\r\n", "soft wrap in the middle")):
        for i in range(1, len(value), max(1, len(value) // 12)):
            if "\r" in value[i - 1 : i + 1] or "\n" in value[i - 1 : i + 1]:
                continue
            whole(case, value, value[:i] + gap + value[i:])
    whole("ANSI around each character", value, "\x1b[0m".join(c for c in value.strip()))


def add_lines():
    body = PEM.strip()
    for case, form in (
        ("several lines, exact", PEM.rstrip("\n")),
        ("several lines with CRLF", body.replace("\n", "\r\n")),
        ("several lines with CRCRLF", body.replace("\n", "\r\r\n")),
        ("several lines with blanks for line ends", body.replace("\n", " ")),
        ("several lines without line ends", body.replace("\n", "")),
        (r"several lines with \n", body.replace("\n", r"\n")),
        ("several lines, indented by tabs", body.replace("\n", "\n\t")),
        ("several lines, indented by 2", body.replace("\n", "\n  ")),
        ("several lines, indented by 8, CRLF", body.replace("\n", "\r\n        ")),
    ):
        whole(case, PEM, form)
    whole("one line alone", PEM, body.split("\n")[1])
    add("several lines, numbered", PEM, "\n".join(f"{n}: {line}" for n, line in enumerate(body.split("\n"))),
        "0: -----BEGIN PRIVATE KEY-----\n1: M\n2: M\n3: M\n4: -----END PRIVATE KEY-----")
    braces = "{\n--\n  first-line\n}\n"
    add("lines without content of their own", braces, "{ -- } first-line", "{ -- } M")


def add_trimmed():
    for value, form in (("tr1m-me\n", "tr1m-me"), ("'tr1m-me'", "tr1m-me"), (' "tr1m-me"\r\n', "tr1m-me"), ("\t tr1m me ", "tr1m me")):
        whole("trimmed", value, form)
        whole("trimmed, in JSON", value, json.dumps(form)[1:-1])
        whole("trimmed, percent-encoded", value, urllib.parse.quote(form))
    add("trimmed, with its line end in base64", "tr1m-me\n", base64.b64encode(b"tr1m-me\n").decode(), "Mo=")


def add_leaves():
    for leaf in ("svc-robot", "hunter22&more/é", "third-leaf"):
        whole("a leaf of a JSON value", VALUES["json"], leaf)
        whole("a leaf of a JSON value, in JSON", VALUES["json"], json.dumps(leaf)[1:-1])


for name, value in VALUES.items():
    for add_all in (add_base64, add_hex, add_percent, add_json, add_entities, add_shell, add_programs, add_dumps, add_gaps):
        add_all(name, value)
add_lines()
add_trimmed()
add_leaves()
unique = []
for entry in entries:
    if entry not in unique:
        unique.append(entry)
print("[\n" + ",\n".join(json.dumps(entry) for entry in unique) + "\n]")
print(len(unique), file=sys.stderr)
