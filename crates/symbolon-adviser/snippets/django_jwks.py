# pip install django "pyjwt[crypto]"
# Checks the signature and the times alone: a login that has ended stays good until its token ends.
# settings.py: MIDDLEWARE = [..., "project.symbolon.SymbolonMiddleware"]
import jwt
from django.http import HttpResponse

ISSUER, APP = "{{authority}}", "{{app}}"
keys = jwt.PyJWKClient(f"{ISSUER}/.well-known/jwks.json")


class SymbolonMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        try:
            if scheme.lower() != "bearer" or jwt.get_unverified_header(token).get("typ") != "at+jwt":
                raise jwt.InvalidTokenError("not an access token")
            request.claims = jwt.decode(
                token,
                keys.get_signing_key_from_jwt(token).key,
                algorithms=["ES256"],
                audience=APP,
                issuer=ISSUER,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
        except jwt.PyJWKClientConnectionError:
            return HttpResponse(status=503)
        except jwt.PyJWTError:
            return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
        return self.get_response(request)
