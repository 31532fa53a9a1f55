"""Fetches the feeds of a list whose turn it is. Run it each minute: python3 turns.py FILE [15m]"""
import json, os, sys
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

API = os.environ.get("API", "http://127.0.0.1:7071") + "/v1"
HEADERS = {"Authorization": "Bearer " + os.environ["TOKEN"]}
AGENT = {"User-Agent": "example/1.0 (+https://reader.example/about)"}
MAX_BYTES = 10_000_000


def post(path, body, type="application/json"):  # What fails is due again in the next minutes.
    return json.load(urlopen(Request(API + path, body, HEADERS | {"Content-Type": type}), timeout=60))


def fetch(url, headers):
    """Returns what came of it, and the content if it may have changed."""
    try:
        with urlopen(Request(url, headers=headers | AGENT), timeout=30) as answer:
            content = answer.read(MAX_BYTES + 1)
            if answer.length or not 0 < len(content) <= MAX_BYTES:
                return {"error": "The content is empty, cut off or too large"}, None
            return {"status": answer.status, "headers": dict(answer.headers)}, content
    except HTTPError as error:  # 304, among others.
        return {"status": error.code, "headers": dict(error.headers)}, None
    except (OSError, HTTPException, ValueError) as error:
        return {"error": str(error)}, None


urls, every = open(sys.argv[1]).read().split(), (sys.argv[2:] or ["15m"])[0]
for turn in post("/due", json.dumps({"urls": urls, "every": every, "limit": 50}).encode()):
    if turn["due"]:
        outcome, content = fetch(turn["url"], turn["headers"])
        if content is not None:
            query = urlencode({"url": turn["url"], "ifChanged": "true"})
            post(f"/updates?{query}", content, "application/octet-stream")
        post("/checked", json.dumps({"url": turn["url"], **outcome}).encode())
