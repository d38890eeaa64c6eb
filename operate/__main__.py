"""The program that the Makefile calls. Whoever interrupts it before it has begun sees no traceback either."""

import sys

try:
    from operate.command import main
except KeyboardInterrupt:
    sys.exit(130)

# A terminal of few letters shows ? for an arrow.
sys.stdout.reconfigure(errors="replace")
sys.exit(main(sys.argv[1:]))
