"""`make prove`: the acceptance test in a real account, and the same program against the embedded AWS.

`plan` says what is created and what it costs, `world` holds what differs between AWS and the embedded one,
`steps` runs and checks, `table` tells, `leave` deletes everything.
"""
