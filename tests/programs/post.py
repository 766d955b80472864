"""Posts to a hook of Houston with programs that others wrote: post.py WHICH URL"""

import sys
from urllib.parse import urlsplit

which, url = sys.argv[1:]
parts = urlsplit(url)
secret = parts.path.removeprefix("/hooks/")


def apprise(address):
    from apprise import Apprise, NotifyType

    sender = Apprise()
    assert sender.add(address), address
    said = sender.notify(title="Backup & restore", body="All is <well>", notify_type=NotifyType.SUCCESS)
    assert said, "it was not sent"


if which == "mattermost":
    apprise(f"mmost://Apprise@{parts.netloc}/{secret}")
elif which == "matrix":
    apprise(f"matrix://Apprise:{secret}@{parts.netloc}/?mode=slack")
elif which == "slack":
    from slack_sdk.webhook import WebhookClient

    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": "From slack_sdk"}},
        {"type": "section", "fields": [{"type": "mrkdwn", "text": "*By*\nAda"}]},
    ]
    answer = WebhookClient(url).send(text="for notifications", blocks=blocks)
    assert (answer.status_code, answer.body) == (200, "ok"), (answer.status_code, answer.body)
