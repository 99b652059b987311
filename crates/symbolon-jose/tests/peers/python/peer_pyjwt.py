"""PyJWT as a peer. It makes no keys: these come from cryptography, which it works on."""

import json
import os
from base64 import urlsafe_b64encode

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import get_default_algorithms

from lines import serve, verdict


def about():
    return {"version": jwt.__version__}


def keygen(alg):
    if alg.startswith("HS"):
        secret = urlsafe_b64encode(os.urandom(int(alg[2:]) // 8)).decode().rstrip("=")
        jwk = {"kty": "oct", "kid": "pyjwt", "alg": alg, "k": secret}
        return {"private_jwk": jwk, "private_pem": None, "public_jwk": jwk, "public_pem": None}
    if alg == "ES256":
        private = ec.generate_private_key(ec.SECP256R1())
    elif alg == "ES384":
        private = ec.generate_private_key(ec.SECP384R1())
    elif alg == "EdDSA":
        private = ed25519.Ed25519PrivateKey.generate()
    else:
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = private.public_key()
    algorithm = get_default_algorithms()[alg]
    return {
        "private_jwk": json.loads(algorithm.to_jwk(private)),
        "private_pem": private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode(),
        "public_jwk": json.loads(algorithm.to_jwk(public)),
        "public_pem": public.public_bytes(
            serialization.Encoding.PEM,
            serialization.PublicFormat.SubjectPublicKeyInfo,
        ).decode(),
    }


def key_of(alg, key):
    return key if isinstance(key, str) else jwt.PyJWK.from_dict(key, algorithm=alg)


def sign(alg, key, claims):
    return {"token": jwt.encode(claims, key_of(alg, key), algorithm=alg)}


def verify(alg, key, token, iss, aud, now):
    del now  # PyJWT reads its own clock.
    key = key_of(alg, key)
    options = {"require": ["exp", "iss", "aud"], "enforce_minimum_key_length": True}
    return verdict(
        lambda: jwt.decode(token, key, algorithms=[alg], issuer=iss, audience=aud, options=options),
        jwt.InvalidTokenError,
    )


serve({"about": about, "keygen": keygen, "sign": sign, "verify": verify})
