// The stopwatch: from the acknowledged end of all of a person's logins to each app's first refusal.

import { Profile } from './http.mjs';

// Reported, not asserted: a shared machine may be slow. Past this the promise itself would be broken.
const HARD_LIMIT_MS = 1_000;

/**
 * Plays `count` rounds and gives, for each app, the milliseconds of every refusal, and those of the last
 * refusal of each round.
 */
export async function play(count, { apps, person, end }) {
  const perApp = new Map(apps.map((app) => [app.client_id, []]));
  const last = [];
  for (let round = 0; round < count; round += 1) {
    const browsers = [new Profile(), new Profile()];
    for (const browser of browsers) {
      for (const app of apps) await browser.signIn(app.url, person);
    }
    const watched = browsers.flatMap((browser) => apps.map((app) => ({ browser, app })));
    for (const { browser, app } of watched) await expectStatus(200, browser, app, `round ${round} before the end`);

    await end();
    const acknowledged = performance.now();
    const took = await Promise.all(watched.map(({ browser, app }) => untilRefused(browser, app, acknowledged)));

    watched.forEach(({ app }, at) => perApp.get(app.client_id).push(took[at]));
    last.push(Math.max(...took));
    for (const { browser, app } of watched) await expectStatus(401, browser, app, `round ${round} after a refusal`);
  }
  return { perApp, last };
}

async function whoami(browser, app) {
  const { status } = await browser.ask('GET', new URL('/api/whoami', app.url).href);
  return status;
}

async function expectStatus(expected, browser, app, when) {
  const status = await whoami(browser, app);
  if (status !== expected) throw new Error(`${when}: ${app.client_id} answered ${status}, not ${expected}`);
}

async function untilRefused(browser, app, since) {
  for (;;) {
    const status = await whoami(browser, app);
    const now = performance.now() - since;
    if (status === 401) return now;
    if (now > HARD_LIMIT_MS) throw new Error(`${app.client_id} still answers ${status} ${now.toFixed(0)} ms after the end`);
  }
}

/** `p50 1.2 ms, p99 3.4 ms, max 5.6 ms`. */
export function figures(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)].toFixed(1);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms (${sorted.length})`;
}
