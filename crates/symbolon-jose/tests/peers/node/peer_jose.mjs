// npm jose as a peer.

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as jose from 'jose';
import { serve } from './lines.mjs';

function about() {
  const manifest = new URL('node_modules/jose/package.json', import.meta.url);
  return { version: JSON.parse(readFileSync(manifest, 'utf8')).version };
}

async function keygen({ alg }) {
  if (alg.startsWith('HS')) {
    const k = jose.base64url.encode(randomBytes(Number(alg.slice(2)) / 8));
    const jwk = { kty: 'oct', kid: 'jose', alg, k };
    return { private_jwk: jwk, private_pem: null, public_jwk: jwk, public_pem: null };
  }
  const pair = await jose.generateKeyPair(alg, { extractable: true });
  return {
    private_jwk: await jose.exportJWK(pair.privateKey),
    private_pem: await jose.exportPKCS8(pair.privateKey),
    public_jwk: await jose.exportJWK(pair.publicKey),
    public_pem: await jose.exportSPKI(pair.publicKey),
  };
}

async function sign({ alg, key, claims }) {
  const loaded =
    typeof key === 'string' ? await jose.importPKCS8(key, alg) : await jose.importJWK(key, alg);
  return { token: await new jose.SignJWT(claims).setProtectedHeader({ alg }).sign(loaded) };
}

async function verify({ alg, key, token, iss, aud, now }) {
  const loaded =
    typeof key === 'string' ? await jose.importSPKI(key, alg) : await jose.importJWK(key, alg);
  const expected = {
    algorithms: [alg],
    issuer: iss,
    audience: aud,
    requiredClaims: ['exp'],
    currentDate: new Date(now * 1000),
  };
  try {
    const { payload } = await jose.jwtVerify(token, loaded, expected);
    return { verdict: 'accept', claims: payload };
  } catch (error) {
    if (!(error instanceof jose.errors.JOSEError)) throw error;
    return { verdict: 'reject', code: error.claim ? `${error.code} ${error.claim}` : error.code };
  }
}

await serve({ about, keygen, sign, verify });
