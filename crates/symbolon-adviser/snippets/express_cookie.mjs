// Behind a proxy that asks `symbolon guard` for each request and sets these headers itself:
//     symbolon guard --authority {{authority}} --app {{app}} \
//         --client-secret-file FILE --public-url {{public_url}}
//     symbolon guard --print-config nginx        (or caddy, haproxy, traefik)
// Listen where only the proxy gets (127.0.0.1): whoever reaches the app directly could set them too.
import express from "express";

const app = express();

app.use((req, res, next) => {
  req.user = req.get("X-Auth-User");
  if (!req.user) return res.sendStatus(401);
  req.roles = (req.get("X-Auth-Roles") ?? "").split(",").filter(Boolean);
  next();
});

app.get("/", (req, res) => res.json({ user: req.user, roles: req.roles }));

app.listen(3000, "127.0.0.1");
