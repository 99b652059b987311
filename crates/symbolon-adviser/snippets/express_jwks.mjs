// npm install express jose
// Checks the signature and the times alone: a login that has ended stays good until its token ends.
import express from "express";
import { createRemoteJWKSet, errors, jwtVerify } from "jose";

const ISSUER = "{{authority}}";
const APP = "{{app}}";
const keys = createRemoteJWKSet(new URL(`${ISSUER}/.well-known/jwks.json`));
const app = express();

app.use(async (req, res, next) => {
  const [scheme, token] = (req.get("Authorization") ?? "").split(" ");
  if (scheme.toLowerCase() !== "bearer" || !token) {
    return res.set("WWW-Authenticate", "Bearer").sendStatus(401);
  }
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer: ISSUER,
      audience: APP,
      typ: "at+jwt",
      algorithms: ["ES256"],
      requiredClaims: ["exp", "iat", "sub"],
    });
    req.claims = payload;
  } catch (error) {
    // Keys that cannot be fetched are no fault of the caller.
    const refused = error instanceof errors.JOSEError && error.code !== "ERR_JWKS_TIMEOUT" && error.code !== "ERR_JOSE_GENERIC";
    return refused ? res.set("WWW-Authenticate", "Bearer").sendStatus(401) : res.sendStatus(503);
  }
  next();
});

app.get("/", (req, res) => res.json({ user: req.claims.sub, roles: req.claims.roles ?? [] }));

app.listen(3000, "127.0.0.1");
