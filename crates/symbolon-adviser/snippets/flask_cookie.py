# Behind a proxy that asks `symbolon guard` for each request and sets these headers itself:
#     symbolon guard --authority {{authority}} --app {{app}} \
#         --client-secret-file FILE --public-url {{public_url}}
#     symbolon guard --print-config nginx        (or caddy, haproxy, traefik)
# Listen where only the proxy gets (127.0.0.1): whoever reaches the app directly could set them too.
from flask import Flask, abort, g, request

app = Flask(__name__)


@app.before_request
def who_is_calling():
    g.user = request.headers.get("X-Auth-User")
    if not g.user:
        abort(401)
    g.roles = set(filter(None, request.headers.get("X-Auth-Roles", "").split(",")))


@app.get("/")
def index():
    return {"user": g.user, "roles": sorted(g.roles)}
