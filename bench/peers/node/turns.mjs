// jose and fast-jwt: told what to prepare, then asked for turns. JSON lines in, JSON lines out.

import { createPrivateKey, createPublicKey, createSecretKey } from 'node:crypto';
import { createInterface } from 'node:readline';
import { createSigner, createVerifier } from 'fast-jwt';
import { SignJWT, decodeJwt, jwtVerify } from 'jose';

const HEADER = (alg) => ({ alg, typ: 'at+jwt', kid: 'k1' });

/** Checks of issuer, audience, type and times, without leeway and without a cache of verdicts. */
function verifying({ alg, token, public: text, issuer, audience }) {
  const secret = alg === 'HS256';
  const key = secret ? createSecretKey(Buffer.from(text)) : createPublicKey(text);
  const requiredClaims = ['exp', 'nbf', 'iss', 'aud'];
  const fast = createVerifier({
    key: text, algorithms: [alg], allowedIss: issuer, allowedAud: audience, requiredClaims,
    checkTyp: 'at+jwt', cache: false,
  });
  return {
    'fast-jwt': () => fast(token),
    jose: () => jwtVerify(token, key, {
      algorithms: [alg], issuer, audience, requiredClaims, typ: 'at+jwt',
    }),
  };
}

function signing({ alg, token, private: text }) {
  const secret = alg === 'HS256';
  const key = secret ? createSecretKey(Buffer.from(text)) : createPrivateKey(text);
  const claims = decodeJwt(token);
  const fast = createSigner({ key: text, algorithm: alg, kid: 'k1', header: { typ: 'at+jwt' } });
  return {
    'fast-jwt': () => fast(claims),
    jose: () => new SignJWT(claims).setProtectedHeader(HEADER(alg)).sign(key),
  };
}

let libraries = {};

async function turn({ library, count }) {
  const work = libraries[library];
  const start = process.hrtime.bigint();
  if (library === 'jose') {
    for (let at = 0; at < count; at += 1) await work();
  } else {
    for (let at = 0; at < count; at += 1) work();
  }
  return { ns: Number(process.hrtime.bigint() - start) };
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  let answer;
  if (request.do === 'turn') {
    answer = await turn(request);
  } else {
    libraries = request.do === 'verify' ? verifying(request) : signing(request);
    // Each must do its work once, or it fails here and not in the figures.
    for (const work of Object.values(libraries)) await work();
    answer = { libraries: Object.keys(libraries) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
