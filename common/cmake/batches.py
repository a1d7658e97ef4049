#!/usr/bin/env python3
"""Says which source files may be compiled as one: the headers that they share are then read once.

1. Files may share a batch unless a name from an unnamed namespace of one is a word of the other, or a name that its
   headers define: there it would be defined twice, or be ambiguous. The same holds for the name of a using-declaration
   that only one of them has.
2. Each file, the longest first, goes into the first batch that has room and no such conflict.

Example: image_source.cpp and image_target.cpp both have an unnamed `read_size`, so they get into different batches.

Usage: batches.py SIZE FILES…     prints a line for each file that is not alone: the number of its batch, then the file
(files that are generated later stay alone)
"""

import functools
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

WORD = re.compile(r"(?<![\w.])(?<!->)(?<!::)[A-Za-z_]\w*")
INCLUDE = re.compile(r'^#include "(.*)"', re.M)
USING = re.compile(r"^ *using ((?:\w*::)+\w+);", re.M)
NO_CODE = re.compile(r'(?m:^ *#include.*)|//.*|"(?:\\.|[^"\\\n])*"')
DEFINED = re.compile(
    r"^(?:(?:class|struct|union|enum(?: class)?) +(?P<type>\w+)"
    r"|using +(?P<alias>\w+) *="
    r"|(?!namespace|using)[A-Za-z_\[][\w:<>,&* \[\]]*?\b(?P<name>\w+) ?[({=;\[])", re.M)


def defined(code):
    return {match["type"] or match["alias"] or match["name"] for match in DEFINED.finditer(code)}


def unnamed_names(text):
    """What a file defines in its unnamed namespaces (whose contents clang-format does not indent)."""
    return set().union(*map(defined, re.findall(r"^namespace \{$(.*?)^\}  // namespace$", text, re.M | re.S)))


@functools.cache
def names_of_header(path):
    """What one of our headers and those that it includes define."""
    if not path.exists():
        return frozenset()
    text = path.read_text()
    return frozenset(defined(NO_CODE.sub(" ", text))) | names_of_headers(text)


def names_of_headers(text):
    return frozenset().union(*(names_of_header(ROOT / header) for header in INCLUDE.findall(text)))


class Source:
    def __init__(self, path):
        self.path = path
        text = Path(path).read_text()
        self.length = len(text)
        self.code = NO_CODE.sub(" ", text)
        self.words = set(WORD.findall(self.code)) | names_of_headers(text)
        self.unnamed = unnamed_names(text)
        self.used = set(USING.findall(self.code))

    def hides(self, other):
        return self.unnamed & other.words or {used.rsplit("::")[-1] for used in self.used - other.used} & other.words

    def conflicts_with(self, other):
        return self.hides(other) or other.hides(self)


def batches(sources, size):
    made = []
    for source in sorted(sources, key=lambda source: (-source.length, source.path)):
        for batch in made:
            if len(batch) < size and not any(source.conflicts_with(other) for other in batch):
                batch.append(source)
                break
        else:
            made.append([source])
    return made


def main():
    size, *paths = sys.argv[1:]
    for number, batch in enumerate(batches([Source(path) for path in paths if Path(path).exists()], int(size))):
        if len(batch) > 1:
            print("".join(f"{number} {source.path}\n" for source in batch), end="")


if __name__ == "__main__":
    main()
