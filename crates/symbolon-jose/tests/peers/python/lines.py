"""A JSON line in, a JSON line out: what examples/peer.rs speaks, for the Python peers."""

import json
import sys


def serve(handlers):
    """Answers each line with the handler that its "do" names, called with the other members."""
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = handlers[request.pop("do")](**request)
        except Exception as error:  # Whatever a library raises is its answer.
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


def verdict(verify, refusal):
    """The claims that `verify` returns, or the name and claim of the `refusal` that it raises."""
    try:
        return {"verdict": "accept", "claims": verify()}
    except refusal as error:
        words = (type(error).__name__, getattr(error, "claim", ""))
        return {"verdict": "reject", "code": " ".join(words).strip()}
