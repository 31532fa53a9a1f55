"""Publishes a feed: python3 publish.py URL < feed.xml"""
import os, sys, time, uuid
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

API = os.environ.get("API", "http://127.0.0.1:7071")
TOKEN = os.environ["TOKEN"]


def publish(url, content):
    """Publishes the content, unless it is known already. An answer that is lost is asked for again."""
    target = f"{API}/v1/updates?{urlencode({'url': url, 'ifChanged': 'true'})}"
    headers = {
        "Authorization": f"Bearer {TOKEN}",
        "Content-Type": "application/octet-stream",
        "Idempotency-Key": str(uuid.uuid4()),  # Published once, however often it is sent.
    }
    while True:
        try:
            with urlopen(Request(target, content, headers), timeout=60) as response:
                return response.read().decode()  # 202 is a success, too.
        except HTTPError as error:
            if error.code not in (429, 503):
                sys.exit(error.read().decode())
            time.sleep(int(error.headers.get("Retry-After", 1)))
        except (OSError, HTTPException):  # feedsync is being restarted.
            time.sleep(1)


print(publish(sys.argv[1], sys.stdin.buffer.read()))
