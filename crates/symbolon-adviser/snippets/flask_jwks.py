# pip install flask "pyjwt[crypto]"
# Checks the signature and the times alone: a login that has ended stays good until its token ends.
import jwt
from flask import Flask, Response, g, request

ISSUER, APP = "{{authority}}", "{{app}}"
keys = jwt.PyJWKClient(f"{ISSUER}/.well-known/jwks.json")
app = Flask(__name__)


@app.before_request
def who_is_calling():
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    try:
        if scheme.lower() != "bearer" or jwt.get_unverified_header(token).get("typ") != "at+jwt":
            raise jwt.InvalidTokenError("not an access token")
        g.claims = jwt.decode(
            token,
            keys.get_signing_key_from_jwt(token).key,
            algorithms=["ES256"],
            audience=APP,
            issuer=ISSUER,
            options={"require": ["exp", "iat", "iss", "aud", "sub"]},
        )
    except jwt.PyJWKClientConnectionError:
        return Response(status=503)
    except jwt.PyJWTError:
        return Response(status=401, headers={"WWW-Authenticate": "Bearer"})


@app.get("/")
def index():
    return {"user": g.claims["sub"], "roles": g.claims.get("roles", [])}
