"""PyJWT: told what to prepare, then asked for turns. JSON lines in, JSON lines out."""

import json
import sys
import time

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key


def verifying(request):
    """Checks of issuer, audience and times, without leeway; the type is compared by hand."""
    alg, token = request["alg"], request["token"]
    text = request["public"].encode()
    key = text if alg == "HS256" else load_pem_public_key(text)
    rules = {"require": ["exp", "nbf", "iss", "aud"]}

    def work():
        read = jwt.decode_complete(
            token, key, algorithms=[alg], audience=request["audience"], issuer=request["issuer"],
            options=rules,
        )
        if read["header"]["typ"] != "at+jwt":
            raise ValueError("typ")

    return work


def signing(request):
    alg = request["alg"]
    text = request["private"].encode()
    key = text if alg == "HS256" else load_pem_private_key(text, None)
    claims = jwt.decode(request["token"], options={"verify_signature": False})
    header = {"typ": "at+jwt", "kid": "k1"}
    return lambda: jwt.encode(claims, key, algorithm=alg, headers=header)


def turn(work, count):
    start = time.perf_counter_ns()
    for _ in range(count):
        work()
    return {"ns": time.perf_counter_ns() - start}


def main():
    work = None
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "turn":
            answer = turn(work, request["count"])
        else:
            work = verifying(request) if request["do"] == "verify" else signing(request)
            work()  # Or it fails here and not in the figures.
            answer = {"libraries": ["PyJWT"]}
        print(json.dumps(answer), flush=True)


main()
