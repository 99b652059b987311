# Asks the guard beside it, which knows on the spot:
#     symbolon guard --authority {{authority}} --app {{app}} --client-secret-file FILE
from http.client import HTTPConnection

from flask import Flask, Response, g, request

app = Flask(__name__)


@app.before_request
def who_is_calling():
    guard = HTTPConnection("127.0.0.1", 7310, timeout=3)
    try:
        # For a route that must never be wrong: /check?freshness=live
        guard.request("GET", "/check", headers={
            "Authorization": request.headers.get("Authorization", ""),
            "X-Forwarded-Method": request.method,
            "X-Forwarded-Uri": request.full_path.rstrip("?"),
        })
        answer = guard.getresponse()
        if answer.status != 200:
            # 401: sign in again. 503: cannot be proved now, try again.
            return Response(status=answer.status)
        g.user = answer.getheader("X-Auth-User")
        g.roles = set(filter(None, answer.getheader("X-Auth-Roles", "").split(",")))
    except OSError:
        return Response(status=503)
    finally:
        guard.close()


@app.get("/")
def index():
    return {"user": g.user, "roles": sorted(g.roles)}
