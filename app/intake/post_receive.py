"""The ``post-receive`` script that tells provenote of pushes to a bare git repository."""

from urllib.parse import quote

_SCRIPT = '''\
#!/usr/bin/env python3
"""Tells provenote of every push. Made by provenote; needs Python 3.6 and nothing else.

Save it as hooks/post-receive of the bare repository, and make it executable.
It holds a secret: let nobody but the repository's owner read it.
A push never fails because of it.
"""

import getpass
import hashlib
import hmac
import json
import os
import sys
import urllib.error
import urllib.request
import uuid

ADDRESS = @ADDRESS@
SECRET = @SECRET@
SECONDS = 5


def main():
    for line in sys.stdin:
        fields = line.split()
        if len(fields) == 3:
            tell(*fields)


def tell(before, after, ref):
    try:
        answer = post(before, after, ref)
    except Exception as error:
        # Whatever it is: the push is done, and its author is not to blame.
        warn(error, before, after, ref)
        return
    page = answer.get("links", {}).get("evaluation")
    if page:
        say("evaluating %s: %s" % (ref, page))


def post(before, after, ref):
    body = json.dumps(
        {
            "ref": ref,
            "before": before,
            "after": after,
            "pusher": pusher(),
            # The same for the same update, so that telling it again is harmless.
            "delivery": str(uuid.uuid5(uuid.NAMESPACE_URL, " ".join((ref, before, after)))),
        }
    ).encode()
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "X-Provenote-Signature": "sha256=" + signature,
    }
    request = urllib.request.Request(ADDRESS, data=body, headers=headers)
    with urllib.request.urlopen(request, timeout=SECONDS) as response:
        return json.loads(response.read().decode())


def pusher():
    for variable in ("GL_USERNAME", "GL_USER", "REMOTE_USER", "SUDO_USER"):
        if os.environ.get(variable):
            return os.environ[variable]
    try:
        return getpass.getuser()
    except Exception:
        return "unknown"


def warn(error, before, after, ref):
    detail = str(error)
    if isinstance(error, urllib.error.HTTPError):
        try:
            detail = json.loads(error.read().decode())["error"]["message"]
        except Exception:
            detail = str(error)
    say("warning: the push is done, but provenote was not told of it: " + detail)
    say("to tell it again, run on this machine:")
    update = quoted(" ".join((before, after, ref)))
    say("  printf '%s\\\\n' " + update + " | " + quoted(os.path.abspath(__file__)))


def quoted(text):
    return "'" + text.replace("'", "'\\\\''") + "'"


def say(text):
    print("provenote: " + text, file=sys.stderr, flush=True)


try:
    main()
except Exception as error:
    say("warning: the push is done, but provenote was not told of it: %s" % error)
sys.exit(0)
'''


def post_receive_script(base_url: str, project: str, secret: str) -> str:
    """Return the script for *project*: Python, standard library only, its secret inside."""
    address = f"{base_url.rstrip('/')}/hooks/git/{quote(project, safe='')}"
    return _SCRIPT.replace("@ADDRESS@", repr(address)).replace("@SECRET@", repr(secret))
