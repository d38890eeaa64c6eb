"""Operating a deployed stack: what `make start|stop|status|destroy` run.

Works on AWS with your own credentials, and on the embedded AWS through AWS_ENDPOINT_URL.
"""
