# Asks the guard beside it, which knows on the spot:
#     symbolon guard --authority {{authority}} --app {{app}} --client-secret-file FILE
# settings.py: MIDDLEWARE = [..., "project.symbolon.SymbolonMiddleware"]
from http.client import HTTPConnection

from django.http import HttpResponse


class SymbolonMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        guard = HTTPConnection("127.0.0.1", 7310, timeout=3)
        try:
            # For a view that must never be wrong: /check?freshness=live
            guard.request("GET", "/check", headers={
                "Authorization": request.headers.get("Authorization", ""),
                "X-Forwarded-Method": request.method,
                "X-Forwarded-Uri": request.get_full_path(),
            })
            answer = guard.getresponse()
            if answer.status != 200:
                # 401: sign in again. 503: cannot be proved now, try again.
                return HttpResponse(status=answer.status)
            request.login_user = answer.getheader("X-Auth-User")
            roles = answer.getheader("X-Auth-Roles", "")
            request.login_roles = set(filter(None, roles.split(",")))
        except OSError:
            return HttpResponse(status=503)
        finally:
            guard.close()
        return self.get_response(request)
