"""Tokens of an identity provider, sound ones and hostile ones, signed by PyJWT and cryptography: Tests/Fixtures/AdminTokens/tokens.json.

    python -m pip install pyjwt==2.10.1 cryptography && python Tests/Oracles/admin_tokens.py > Tests/Fixtures/AdminTokens/tokens.json

The keys are made anew by each run and thrown away; only their public halves are written.
"""

import base64
import hashlib
import hmac
import json
import sys

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

NOW = 1_800_000_000
SOUND = {"iss": "https://id.example", "aud": "weighbridge", "sub": "ada", "exp": NOW + 300, "iat": NOW - 10, "roles": ["wb-billing", "staff"]}

KEYS = {
    "rs": ("RS256", rsa.generate_private_key(65537, 2048)), "ps": ("PS256", rsa.generate_private_key(65537, 3072)),
    "es": ("ES256", ec.generate_private_key(ec.SECP256R1())), "es3": ("ES384", ec.generate_private_key(ec.SECP384R1())),
    "ed": ("EdDSA", ed25519.Ed25519PrivateKey.generate()),
    "weak": ("RS256", rsa.generate_private_key(65537, 1024)), "other": ("ES256", ec.generate_private_key(ec.SECP256R1())),
}


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def part(value):
    return b64(value if isinstance(value, bytes) else json.dumps(value).encode())


def public(name):
    algorithm, key = KEYS[name]
    kind = {"R": RSAAlgorithm, "P": RSAAlgorithm, "E": ECAlgorithm}[algorithm[0]] if algorithm != "EdDSA" else OKPAlgorithm
    jwk = json.loads(kind.to_jwk(key.public_key()))
    jwk.pop("key_ops", None)
    return {**jwk, "kid": name, "use": "sig", **({"alg": algorithm} if name in ("ps", "weak") else {})}


def sign(claims, name="es", headers=None, algorithm=None):
    return jwt.encode(claims, KEYS[name][1], algorithm=algorithm or KEYS[name][0], headers={"kid": name, **(headers or {})})


def changed(**claims):
    both = {**SOUND, **claims}
    return {key: value for key, value in both.items() if value is not None}


def raw(header, claims, name="es"):
    """Signed whatever header and claims hold."""
    signed = f"{part(header)}.{part(claims)}"
    signature = jwt.get_algorithm_by_name(KEYS[name][0]).sign(signed.encode(), KEYS[name][1])
    return f"{signed}.{b64(signature)}"


def hmac_with_public_key():
    pem = KEYS["rs"][1].public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    signed = f"{part({'alg': 'HS256', 'kid': 'rs'})}.{part(SOUND)}"
    return f"{signed}.{b64(hmac.new(pem, signed.encode(), hashlib.sha256).digest())}"


def spoilt():
    good = sign(SOUND)
    head, claims, signature = good.split(".")
    yield "no algorithm", f"{part({'alg': 'none', 'kid': 'es'})}.{claims}."
    yield "no algorithm, with a signature", f"{part({'alg': 'none', 'kid': 'es'})}.{claims}.{signature}"
    yield "the public key as a shared secret", hmac_with_public_key()
    yield "a key that the token brings along", sign(SOUND, "other", {"kid": "es", "jwk": {k: v for k, v in public("other").items()}})
    yield "a key that the provider no longer has", sign(SOUND, "other")
    yield "a key too short to be trusted", sign(SOUND, "weak")
    yield "an algorithm that the key is not for", sign(SOUND, "ps", algorithm="RS256")
    yield "an algorithm that is not taken", sign(SOUND, "es3")
    yield "changed claims", f"{head}.{part(changed(roles=['wb-owner']))}.{signature}"
    yield "a changed signature", f"{head}.{claims}.{('A' if signature[0] != 'A' else 'B') + signature[1:]}"
    yield "half a signature", f"{head}.{claims}.{signature[:43]}"
    yield "a critical extension", sign(SOUND, headers={"crit": ["b64"], "b64": True})
    yield "another type", sign(SOUND, headers={"typ": "dpop+jwt"})
    yield "no key id", raw({"alg": "ES256"}, SOUND)
    yield "a key id that is no text", raw({"alg": "ES256", "kid": 7}, SOUND)
    yield "an algorithm that is no text", raw({"alg": ["ES256"], "kid": "es"}, SOUND)
    yield "expired", sign(changed(exp=NOW - 61))
    yield "no expiry", sign(changed(exp=None))
    yield "an expiry that is no number", raw({"alg": "ES256", "kid": "es"}, changed(exp="tomorrow"))
    yield "an expiry without bounds", raw({"alg": "ES256", "kid": "es"}, b'{"iss":"https://id.example","aud":"weighbridge","sub":"ada","exp":1e400,"roles":["wb-billing"]}')
    yield "not yet valid", sign(changed(nbf=NOW + 120))
    yield "made in the future", sign(changed(iat=NOW + 120))
    yield "another issuer", sign(changed(iss="https://id.example/"))
    yield "another audience", sign(changed(aud="other"))
    yield "an audience that is no text", raw({"alg": "ES256", "kid": "es"}, changed(aud=["weighbridge", 7]))
    yield "no audience", sign(changed(aud=None))
    yield "nobody's", sign(changed(sub=None))
    yield "an empty name", sign(changed(sub=""))
    yield "a name with a line break", sign(changed(sub="ada\nroot"))
    yield "no role that is known", sign(changed(roles=["staff"]))
    yield "roles that are no texts", sign(changed(roles=[{"name": "wb-owner"}]))
    yield "a claim twice", raw({"alg": "ES256", "kid": "es"}, b'{"iss":"https://id.example","aud":"weighbridge","sub":"ada","exp":1900000000,"roles":["staff"],"roles":["wb-owner"]}')
    yield "claims that are a list", raw({"alg": "ES256", "kid": "es"}, [SOUND])
    yield "claims that are no JSON", raw({"alg": "ES256", "kid": "es"}, b"{]")
    yield "claims of great depth", raw({"alg": "ES256", "kid": "es"}, b"[" * 3000)
    yield "padding", f"{head}.{claims}.{signature}=="
    yield "two parts", f"{head}.{claims}"
    yield "four parts", f"{good}.{signature}"
    yield "an encrypted token's five parts", f"{good}.{signature}.{signature}"
    yield "nothing between its dots", ".."
    yield "too long", sign(changed(note="x" * 9000))


def main():
    sound = [
        {"name": f"signed with {KEYS[name][0]}", "token": sign(SOUND, name), "subject": "ada", "roles": ["billing"]} for name in ("rs", "ps", "es", "ed")
    ]
    sound += [
        {"name": "one audience of several", "token": sign(changed(aud=["other", "weighbridge"])), "subject": "ada", "roles": ["billing"]},
        {"name": "expired within the leeway", "token": sign(changed(exp=NOW - 59)), "subject": "ada", "roles": ["billing"]},
        {"name": "an expiry with a fraction", "token": sign(changed(exp=NOW + 0.5)), "subject": "ada", "roles": ["billing"]},
        {"name": "two roles", "token": sign(changed(roles=["wb-billing", "wb-audit"])), "subject": "ada", "roles": ["auditor", "billing"]},
        {"name": "an access token's type", "token": sign(SOUND, headers={"typ": "at+JWT"}), "subject": "ada", "roles": ["billing"]},
    ]
    # Of no time of making and of the last year that a clock of 32 bits knows: for the running gateway, whose clock is the world's.
    lasting = {
        role: sign(changed(exp=2**32 - 1, iat=None, sub=f"ada {role}", roles=[f"wb-{role}"])) for role in ("owner", "billing", "audit")
    }
    encryption = {**public("other"), "kid": "enc", "use": "enc"}
    keys = [public(name) for name in ("rs", "ps", "es", "es3", "ed", "weak")] + [encryption, {"kty": "oct", "k": "AAAA", "kid": "shared"}, {"kty": "new"}]
    out = {"now": NOW, "keys": {"keys": keys}, "sound": sound, "lasting": lasting, "spoilt": [{"name": name, "token": token} for name, token in spoilt()]}
    json.dump(out, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
