// Asks the guard beside it, which knows on the spot:
//     symbolon guard --authority {{authority}} --app {{app}} --client-secret-file FILE
import express from "express";

const app = express();

app.use(async (req, res, next) => {
  let answer;
  try {
    // For a route that must never be wrong: /check?freshness=live
    answer = await fetch("http://127.0.0.1:7310/check", {
      headers: {
        Authorization: req.get("Authorization") ?? "",
        "X-Forwarded-Method": req.method,
        "X-Forwarded-Uri": req.originalUrl,
      },
      redirect: "manual",
      signal: AbortSignal.timeout(3000),
    });
  } catch {
    return res.sendStatus(503);
  }
  // 401: sign in again. 503: cannot be proved now, try again.
  if (answer.status !== 200) return res.sendStatus(answer.status);
  req.user = answer.headers.get("X-Auth-User");
  req.roles = (answer.headers.get("X-Auth-Roles") ?? "").split(",").filter(Boolean);
  next();
});

app.get("/", (req, res) => res.json({ user: req.user, roles: req.roles }));

app.listen(3000, "127.0.0.1");
