"""Prints the texts of a channel's messages as they come, by httpx-sse: listen.py URL TOKEN"""

import sys
import time

import httpx
from httpx_sse import SSEError, connect_sse

url, token = sys.argv[1:]
headers, pause = {"Authorization": f"Bearer {token}"}, 1.0
with httpx.Client(timeout=15) as client:
    # It does not reconnect by itself: its manual shows how to.
    while True:
        try:
            with connect_sse(client, "GET", url, headers=headers) as source:
                for event in source.iter_sse():
                    if event.id:
                        headers["Last-Event-ID"] = event.id
                    if event.retry is not None:
                        pause = event.retry / 1000
                    # It takes a block without data for a message, too: the first, with `retry` and `id` alone.
                    if event.event == "message" and event.data:
                        print(event.json()["text"], flush=True)
        except (httpx.TransportError, SSEError):
            pass
        time.sleep(pause)
