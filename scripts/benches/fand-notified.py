# Hears what a service tells systemd, and says how often the watchdog was fed: python3 fand-notified.py SOCKET
import signal
import socket
import sys

fed = 0


def end(*_):
    print(fed, flush=True)
    sys.exit(0)


signal.signal(signal.SIGTERM, end)
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(sys.argv[1])
print("ready", flush=True)
while True:
    if b"WATCHDOG=1" in listener.recv(4096):
        fed += 1
