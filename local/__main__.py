"""The program of `make run`. Whoever interrupts it before it has begun sees no traceback either."""

import sys

try:
    from local.run import main
except KeyboardInterrupt:
    sys.exit(130)

# A line is seen when it is written, on a pipe too.
sys.stdout.reconfigure(line_buffering=True)
sys.exit(main(sys.argv[1:]))
