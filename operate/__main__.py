"""The program that the Makefile calls. Whoever interrupts it before it has begun sees no traceback either."""

import sys

try:
    from operate.command import main
except KeyboardInterrupt:
    sys.exit(130)

sys.exit(main(sys.argv[1:]))
