# Behind a proxy that asks `symbolon guard` for each request and sets these headers itself:
#     symbolon guard --authority {{authority}} --app {{app}} \
#         --client-secret-file FILE --public-url {{public_url}}
#     symbolon guard --print-config nginx        (or caddy, haproxy, traefik)
# Listen where only the proxy gets (127.0.0.1): whoever reaches the app directly could set them too.
# settings.py: MIDDLEWARE = [..., "project.symbolon.SymbolonMiddleware"], in the place of Django's sessions.
from django.http import HttpResponse


class SymbolonMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.login_user = request.headers.get("X-Auth-User")
        if not request.login_user:
            return HttpResponse(status=401)
        roles = request.headers.get("X-Auth-Roles", "")
        request.login_roles = set(filter(None, roles.split(",")))
        return self.get_response(request)
