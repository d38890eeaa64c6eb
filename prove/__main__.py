"""The program of `make prove`. Whoever interrupts it before it has begun sees no traceback either."""

import signal
import sys

try:
    from prove.command import main
except KeyboardInterrupt:
    sys.exit(130)

# A closed terminal and a polite kill must delete everything too.
for name in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(name, signal.default_int_handler)
sys.exit(main(sys.argv[1:]))
