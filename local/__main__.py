"""The program of `make run`. Whoever interrupts it before it has begun sees no traceback either."""

import os
import sys

# The embedded AWS has accounts of its own; boto3 would refuse a profile that is not there.
os.environ.pop("AWS_PROFILE", None)

try:
    from local.run import main
except KeyboardInterrupt:
    sys.exit(130)

# A line is seen when it is written, on a pipe too; a terminal of few letters shows ? for an arrow.
sys.stdout.reconfigure(line_buffering=True, errors="replace")
sys.exit(main(sys.argv[1:]))
