// npm jsonwebtoken as a peer. It makes and converts no keys: that is node:crypto, which it works on.

import {
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  randomBytes,
} from 'node:crypto';
import { createRequire } from 'node:module';
import jsonwebtoken from 'jsonwebtoken';
import { serve } from './lines.mjs';

const KEY_TYPES = {
  ES256: ['ec', { namedCurve: 'P-256' }],
  ES384: ['ec', { namedCurve: 'P-384' }],
  EdDSA: ['ed25519', {}],
};

function about() {
  return { version: createRequire(import.meta.url)('jsonwebtoken/package.json').version };
}

function keygen({ alg }) {
  if (alg.startsWith('HS')) {
    const secret = createSecretKey(randomBytes(Number(alg.slice(2)) / 8));
    const jwk = { ...secret.export({ format: 'jwk' }), kid: 'jsonwebtoken', alg };
    return { private_jwk: jwk, private_pem: null, public_jwk: jwk, public_pem: null };
  }
  const pair = generateKeyPairSync(...(KEY_TYPES[alg] ?? ['rsa', { modulusLength: 2048 }]));
  return {
    private_jwk: pair.privateKey.export({ format: 'jwk' }),
    private_pem: pair.privateKey.export({ format: 'pem', type: 'pkcs8' }),
    public_jwk: pair.publicKey.export({ format: 'jwk' }),
    public_pem: pair.publicKey.export({ format: 'pem', type: 'spki' }),
  };
}

/** PEM as it is, which jsonwebtoken reads; a JWK through node:crypto. */
function keyOf(key, create) {
  if (typeof key === 'string') return key;
  if (key.kty === 'oct') return createSecretKey(Buffer.from(key.k, 'base64url'));
  return create({ key, format: 'jwk' });
}

function sign({ alg, key, claims }) {
  return { token: jsonwebtoken.sign(claims, keyOf(key, createPrivateKey), { algorithm: alg }) };
}

function verify({ alg, key, token, iss, aud, now }) {
  const loaded = keyOf(key, createPublicKey);
  const expected = { algorithms: [alg], issuer: iss, audience: aud, clockTimestamp: now };
  try {
    return { verdict: 'accept', claims: jsonwebtoken.verify(token, loaded, expected) };
  } catch (error) {
    if (!(error instanceof jsonwebtoken.JsonWebTokenError)) throw error;
    // Its errors have no codes; behind the point stands what was expected.
    return { verdict: 'reject', code: error.message.split('.')[0] };
  }
}

await serve({ about, keygen, sign, verify });
