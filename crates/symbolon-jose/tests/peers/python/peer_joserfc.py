"""joserfc as a peer."""

import warnings
from importlib.metadata import version

from joserfc import jwt
from joserfc.errors import BadSignatureError, ClaimError, SecurityWarning
from joserfc.jwk import generate_key, import_key

from lines import serve, verdict

# That the name EdDSA gives way to Ed25519 (RFC 9864) is known here.
warnings.simplefilter("ignore", SecurityWarning)

KEY_TYPES = {
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "EdDSA": ("OKP", "Ed25519"),
    "Ed25519": ("OKP", "Ed25519"),
}


def about():
    return {"version": version("joserfc")}


def keygen(alg):
    if alg.startswith("HS"):
        key = generate_key("oct", int(alg[2:]), {"kid": "joserfc", "alg": alg})
        jwk = key.as_dict(private=True)
        return {"private_jwk": jwk, "private_pem": None, "public_jwk": jwk, "public_pem": None}
    key = generate_key(*KEY_TYPES.get(alg, ("RSA", 2048)))
    return {
        "private_jwk": key.as_dict(private=True),
        "private_pem": key.as_pem(private=True).decode(),
        "public_jwk": key.as_dict(private=False),
        "public_pem": key.as_pem(private=False).decode(),
    }


def key_of(alg, key):
    if isinstance(key, str):
        return import_key(key, KEY_TYPES.get(alg, ("RSA",))[0])
    return import_key(key)


def sign(alg, key, claims):
    return {"token": jwt.encode({"alg": alg}, claims, key_of(alg, key), algorithms=[alg])}


def verify(alg, key, token, iss, aud, now):
    key = key_of(alg, key)
    rules = jwt.JWTClaimsRegistry(
        now=now,
        iss={"essential": True, "value": iss},
        aud={"essential": True, "value": aud},
        exp={"essential": True},
    )

    def claims():
        claims = jwt.decode(token, key, algorithms=[alg]).claims
        rules.validate(claims)
        return claims

    return verdict(claims, (BadSignatureError, ClaimError))


serve({"about": about, "keygen": keygen, "sign": sign, "verify": verify})
