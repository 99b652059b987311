"""Exchanges tokens and keys between symbolon-jose and its peers. Started by ./run.

    exchange.py OURS TARGET [--wrong]

OURS is the built examples/peer.rs, TARGET the folder of the Python environment.
Each pair of programs, each algorithm, both directions; one makes the token and the other takes it:
- the maker's key and the taker's key, each as JWK and as PEM: accepted, with equal claims;
- a flipped bit in the signature, another audience, another issuer, an expired token: refused, for
  that reason and no other.
What a program does not offer is written down here, and fails the run once it is offered.
With --wrong every expectation is turned round for one algorithm, so that every check must fail.
"""

import json
import signal
import subprocess
import sys
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from pathlib import Path

# EdDSA and Ed25519 are two names of one algorithm in a header (RFC 8037, RFC 9864).
ALGORITHMS = (
    *("ES256", "ES384", "EdDSA", "Ed25519"),
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "HS256", "HS384", "HS512"),
)
ISSUER = "https://as.example"
AUDIENCE = "https://api.example"
# PyJWT takes no other clock, so all work with this one.
NOW = int(time.time())
CLAIMS = {
    **{"iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "jti": "t1"},
    **{"exp": NOW + 3600, "nbf": NOW - 60, "iat": NOW - 60},
    "name": '김철수 "Kim" \\ / \u0007 \U0001f511',
    "more": [{"largest": 2**53 - 1, "part": -2.5}, True, None, {}],
}
# Longest run of this program, in seconds. It takes a few.
DEADLINE = 300


@dataclass
class Program:
    """A library behind the lines of examples/peer.rs."""

    name: str
    command: list
    # Its words for each reason to refuse.
    refusals: dict
    # Algorithms that it cannot sign with, and that it cannot verify.
    signs_not: frozenset = frozenset()
    verifies_not: frozenset = frozenset()
    keys: dict = field(default_factory=dict)

    def start(self):
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, what, **request):
        self.process.stdin.write(json.dumps({"do": what, **request}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} ended")
        return json.loads(line)

    def key(self, algorithm):
        """Its key for this algorithm, made once, in all forms."""
        if algorithm not in self.keys:
            made = self.ask("keygen", alg=algorithm)
            if "error" in made:
                raise SystemExit(f"{self.name} makes no key for {algorithm}: {made['error']}")
            for jwk in (made["private_jwk"], made["public_jwk"]):
                # symbolon-jose binds its key to EdDSA; under the newer name it goes without.
                if jwk.get("alg") != algorithm:
                    jwk.pop("alg", None)
            self.keys[algorithm] = made
        return self.keys[algorithm]


def programs(ours, target):
    here = Path(__file__).parent
    python = f"{target}/venv/bin/python"
    return (
        Program(
            "symbolon-jose",
            [ours],
            {
                "signature": "forged.signature",
                "audience": "refused.unexpected aud",
                "issuer": "refused.unexpected iss",
                "expired": "refused.expired exp",
            },
            # It reads both names and writes EdDSA.
            signs_not=frozenset({"Ed25519"}),
        ),
        [
            Program(
                "PyJWT",
                [python, f"{here}/python/peer_pyjwt.py"],
                {
                    "signature": "InvalidSignatureError",
                    "audience": "InvalidAudienceError",
                    "issuer": "InvalidIssuerError",
                    "expired": "ExpiredSignatureError",
                },
                signs_not=frozenset({"Ed25519"}),
                verifies_not=frozenset({"Ed25519"}),
            ),
            Program(
                "joserfc",
                [python, f"{here}/python/peer_joserfc.py"],
                {
                    "signature": "BadSignatureError",
                    "audience": "InvalidClaimError aud",
                    "issuer": "InvalidClaimError iss",
                    "expired": "ExpiredTokenError exp",
                },
            ),
            Program(
                "jose",
                ["node", f"{here}/node/peer_jose.mjs"],
                {
                    "signature": "ERR_JWS_SIGNATURE_VERIFICATION_FAILED",
                    "audience": "ERR_JWT_CLAIM_VALIDATION_FAILED aud",
                    "issuer": "ERR_JWT_CLAIM_VALIDATION_FAILED iss",
                    "expired": "ERR_JWT_EXPIRED exp",
                },
            ),
            Program(
                "jsonwebtoken",
                ["node", f"{here}/node/peer_jsonwebtoken.mjs"],
                {
                    "signature": "invalid signature",
                    "audience": "jwt audience invalid",
                    "issuer": "jwt issuer invalid",
                    "expired": "jwt expired",
                },
                signs_not=frozenset({"EdDSA", "Ed25519"}),
                verifies_not=frozenset({"EdDSA", "Ed25519"}),
            ),
        ],
    )


class Exchange:
    """One algorithm in one direction."""

    def __init__(self, maker, taker, algorithm, wrong):
        self.maker, self.taker, self.algorithm, self.wrong = maker, taker, algorithm, wrong
        self.passed = 0
        self.failures = []
        self.offered = algorithm not in maker.signs_not | taker.verifies_not

    def run(self):
        if not self.offered:
            self.check_absence()
            return self
        for owner in (self.maker, self.taker):
            for form in ("jwk", "pem"):
                key = owner.key(self.algorithm)
                if key[f"private_{form}"] is not None:
                    what = f"{owner.name}'s key as {form.upper()}"
                    self.accepts(what, key[f"private_{form}"], key[f"public_{form}"])
        self.refusals()
        return self

    def accepts(self, what, private, public):
        token, answer = self.exchange(private, public, CLAIMS)
        self.check(what, {"verdict": "accept", "claims": CLAIMS}, answer)
        if token and header(token)["alg"] != self.algorithm:
            self.failures.append(f"{what}: the header says {header(token)['alg']}")

    def refusals(self):
        key = self.maker.key(self.algorithm)
        private, public = key["private_jwk"], key["public_jwk"]
        token, _ = self.exchange(private, public, CLAIMS)
        for place in ("first", "middle", "last"):
            answer = self.verify(flip(token, place), public) if token else None
            self.refuses(f"{place} bit of the signature flipped", "signature", answer)
        for reason, other in (
            ("audience", {"aud": "https://other.example"}),
            ("issuer", {"iss": "https://other.example"}),
            ("expired", {"exp": NOW - 30}),
        ):
            _, answer = self.exchange(private, public, CLAIMS | other)
            self.refuses(f"wrong {reason}", reason, answer)

    def refuses(self, what, reason, answer):
        expected = {"verdict": "reject", "code": self.taker.refusals[reason]}
        self.check(what, expected, answer)

    def exchange(self, private, public, claims):
        made = self.maker.ask("sign", alg=self.algorithm, key=private, claims=claims)
        if "token" not in made:
            return None, made
        return made["token"], self.verify(made["token"], public)

    def verify(self, token, public):
        request = {"token": token, "iss": ISSUER, "aud": AUDIENCE, "now": NOW}
        return self.taker.ask("verify", alg=self.algorithm, key=public, **request)

    def check(self, what, expected, answer):
        if self.wrong:
            turned = {"accept": "reject", "reject": "accept"}
            expected = expected | {"verdict": turned[expected["verdict"]]}
        if answer == expected:
            self.passed += 1
        else:
            self.failures.append(f"{what}: expected {expected}, got {answer}")

    def check_absence(self):
        """What is said not to be offered is not signed under this name, or not accepted."""
        # Of the two only symbolon-jose has a key for it for certain.
        owner = next(one for one in (self.maker, self.taker) if one.name == "symbolon-jose")
        key = owner.key(self.algorithm)
        token, answer = self.exchange(key["private_jwk"], key["public_jwk"], CLAIMS)
        signed = token is not None and header(token)["alg"] == self.algorithm
        if signed and answer.get("verdict") == "accept":
            self.failures.append("is offered now: take it off the list in exchange.py")
        else:
            self.passed += 1

    def word(self):
        if self.failures:
            return "FAILED"
        return "ok" if self.offered else "not offered"


def header(token):
    return json.loads(decode(token.split(".")[0]))


def flip(token, place):
    """The token with one bit of its signature turned over."""
    start, _, signature = token.rpartition(".")
    octets = bytearray(decode(signature))
    index, bit = {
        "first": (0, 0x80),
        "middle": (len(octets) // 2, 0x10),
        "last": (len(octets) - 1, 0x01),
    }[place]
    octets[index] ^= bit
    return f"{start}.{urlsafe_b64encode(octets).decode().rstrip('=')}"


def decode(part):
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def main():
    ours, target, *rest = sys.argv[1:]
    wrong = rest == ["--wrong"]
    signal.alarm(DEADLINE)
    ours, peers = programs(ours, target)
    for program in (ours, *peers):
        program.start()
    titles = [f"{peer.name} {peer.ask('about')['version']}" for peer in peers]

    print(" " * 8 + "".join(f"{title:26}" for title in titles).rstrip())
    print(" " * 8 + "".join(f"{'ours->':13}{'->ours':13}" for _ in peers).rstrip())
    passed, failures = 0, []
    for algorithm in ("ES256",) if wrong else ALGORITHMS:
        words = []
        for peer in peers:
            for maker, taker in ((ours, peer), (peer, ours)):
                done = Exchange(maker, taker, algorithm, wrong).run()
                words.append(done.word())
                passed += done.passed
                place = f"{algorithm}, {maker.name} -> {taker.name}"
                failures += [f"FAILED {place}, {failure}" for failure in done.failures]
        print(f"{algorithm:8}" + "".join(f"{word:13}" for word in words).rstrip(), flush=True)

    for failure in failures:
        print(failure)
    print(f"{passed} passed, {len(failures)} failed")
    for program in (ours, *peers):
        program.process.stdin.close()
        program.process.wait()
    return 1 if failures or not passed else 0


sys.exit(main())
