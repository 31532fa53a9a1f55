"""Receives what the other servers publish, and loses nothing: python3 consume.py NAME"""
import json, os, sys, time
from http.client import HTTPException
from urllib.request import HTTPError, Request, urlopen

API = os.environ.get("API", "http://127.0.0.1:7071") + "/v1/consumers/" + sys.argv[1]
HEADERS = {"Authorization": "Bearer " + os.environ["TOKEN"], "Content-Type": "application/json"}


def call(method, path, value=None):
    """Returns the status and the lines of the answer. Waits while feedsync is away or busy."""
    request = Request(API + path, value and json.dumps(value).encode(), HEADERS, method=method)
    while True:
        try:
            with urlopen(request, timeout=60) as answer:
                return answer.status, [json.loads(line) for line in answer]
        except HTTPError as error:
            if error.code in (404, 410):
                return error.code, []
            if error.code not in (429, 503):
                sys.exit(error.read().decode())  # 409: another process reads for this consumer.
            time.sleep(int(error.headers.get("Retry-After", 1)))
        except (OSError, HTTPException):  # It is being restarted.
            time.sleep(1)


def handle(update):  # Put your storage here. After a crash, some updates come once more.
    if not update["superseded"]:  # Otherwise a newer one of this feed is known.
        print(update["stream"], update["seq"], update["url"], flush=True)


while True:
    status, lines = call("GET", "/updates?wait=25s")
    if status == 404:  # The consumer is new, or was forgotten because nobody read.
        call("PUT", "", {"from": "newest"})
    for line in lines:  # A gap says which updates are lost to this server.
        handle(line["update"]) if "update" in line else print(line, file=sys.stderr)
    if lines:  # 410: the state was restored; what follows is read again.
        call("POST", "/ack", {"cursor": lines[-1]["cursor"]})
