"""Reads the parts of a Markdown document that the checks look at."""

import re

FENCE = re.compile(r"^(```+)(.*)$")
MARKER = re.compile(r"^<!--\s*not run:(.*?)-->\s*$")


class Block:
    """A fenced block. `info` is what follows the fence: "sh", "text output", "mermaid"."""

    def __init__(self, info, line, text, reason):
        self.info = info
        self.line = line  # of the fence, counted from 1
        self.text = text
        self.reason = reason  # why it is not run; None: it is


def split(text):
    """(prose lines as (number, text), blocks, problems): what is outside of fences, and what is in them."""
    prose, blocks, problems = [], [], []
    fence = None
    reason = None
    for number, line in enumerate(text.splitlines(), 1):
        found = FENCE.match(line)
        if fence is None and found:
            fence, start, content = found.group(1), number, []
            info = found.group(2).strip()
        elif fence is not None and line.rstrip() == fence:
            blocks.append(Block(info, start, "\n".join(content) + "\n", reason))
            fence = reason = None
        elif fence is not None:
            content.append(line)
        else:
            prose.append((number, line))
            marker = MARKER.match(line)
            reason = marker.group(1).strip() if marker else (reason if not line.strip() else None)
            if marker and not reason:
                problems.append((number, "the marker gives no reason: expected <!-- not run: REASON -->"))
    if fence is not None:
        problems.append((start, "the block does not end"))
    return prose, blocks, problems


def anchors(text):
    """The anchors of the headings, as GitHub makes them."""
    seen = {}
    found = set()
    for _, line in split(text)[0]:
        heading = re.match(r"^#{1,6}\s+(.*?)\s*#*$", line)
        if not heading:
            continue
        title = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading.group(1))
        anchor = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        count = seen.get(anchor, 0)
        seen[anchor] = count + 1
        found.add(f"{anchor}-{count}" if count else anchor)
    return found


def section(text, title):
    """The lines below the heading with this title, up to the next one of its level or above."""
    lines, level = [], 0
    for _, line in split(text)[0]:
        heading = re.match(r"^(#{1,6})\s+(.*?)\s*$", line)
        if heading and level and len(heading.group(1)) <= level:
            break
        if heading and not level and heading.group(2) == title:
            level = len(heading.group(1))
        elif level:
            lines.append(line)
    return lines


def rows(lines):
    """The cells of each row of the tables, without headings."""
    result, in_table = [], False
    for line in lines:
        if not line.startswith("|"):
            in_table = False
            continue
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
        if in_table and not all(re.fullmatch(r":?-+:?", cell) for cell in cells):
            result.append(cells)
        in_table = True
    return result


def names(cell):
    """What stands in backticks."""
    return re.findall(r"`([^`]+)`", cell)
