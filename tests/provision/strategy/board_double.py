"""A board with a serial console, without network: board_double.py FOLDER.

Makes a pty, and FOLDER/console as a link to it. A line in the FIFO FOLDER/power ("off", "on", "cycle") switches it. It
has a boot loader that a key stops within 1 s, then a login as root, password "pa ss", then a real shell's commands.
With the file FOLDER/dead it prints nothing.
"""

import os
import re
import select
import subprocess
import sys
import time
import tty

folder = sys.argv[1]
board, terminal = os.openpty()
tty.setraw(terminal)
os.symlink(os.ttyname(terminal), folder + "/console")
os.mkfifo(folder + "/power")
power = os.open(folder + "/power", os.O_RDWR)


class Switched(Exception):
    pass


def say(text):
    if not os.path.exists(folder + "/dead"):
        os.write(board, text.replace("\n", "\r\n").encode())


def wait(seconds):
    """A byte from the console, b"" after the time; raises Switched."""
    ready = select.select([board, power], [], [], seconds)[0]
    if power in ready:
        raise Switched(os.read(power, 100).decode().split()[-1])
    return os.read(board, 1) if board in ready else b""


def line(echo=True):
    text = b""
    while True:
        byte = wait(None)
        if byte in (b"\r", b"\n"):
            say("\n")
            return text.decode()
        text += byte
        if echo:
            say(byte.decode())


def boot():
    say("\nBootROM\nHit any key to stop autoboot: ")
    if wait(1.0):
        while True:
            say("\n=> ")
            command = line()
            if command == "boot":
                break
            if command:
                say("Unknown command '%s'\n" % command)
    say("Starting kernel ...\n")
    while True:
        say("board login: ")
        user = line()
        say("Password: ")
        if user == "root" and line(echo=False) == "pa ss":
            break
        say("Login incorrect\n")
    while True:
        say("# ")
        shell = subprocess.Popen(
            ["/bin/sh", "-c", line()], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=folder,
            env={**os.environ, "TMPDIR": str(folder)},
        )
        while printed := os.read(shell.stdout.fileno(), 1000):
            say(printed.decode(errors="replace"))
        shell.wait()


print("ready ", flush=True)
state = "off"
while True:
    try:
        if state == "off":
            while wait(None):
                pass
        else:
            boot()
    except Switched as switched:
        state = str(switched)
        print("power", state, flush=True)
