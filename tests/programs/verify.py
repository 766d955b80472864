"""Answers a message of Houston once its signature is verified: verify.py SECRET ID TIMESTAMP SIGNATURE BODY"""

import sys

from standardwebhooks.webhooks import Webhook

secret, identity, timestamp, signature, body = sys.argv[1:]
headers = {"webhook-id": identity, "webhook-timestamp": timestamp, "webhook-signature": signature}
told = Webhook(secret).verify(body, headers)
print("verified: " + told["message"]["text"] if isinstance(told, dict) else told)
