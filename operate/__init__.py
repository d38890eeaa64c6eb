"""Operating a stack: what `make start|stop|status|log|doctor|tag|destroy` and `make smoke` run.

Works on AWS with your own credentials, and on the embedded AWS through AWS_ENDPOINT_URL.
"""
