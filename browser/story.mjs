// Plays the demo in a real Chromium, as README.md tells it:
//   sign in on two browsers; sign out everywhere; change an app's shape under people's feet.
//
//   node browser/story.mjs [path of the binary]
//
// Leaves build/browser.log and build/screenshots/*.png. Exit code 0: everything held.

import { createWriteStream, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { adviser, advisedInConsole } from './adviser.mjs';
import { startDemo } from './demo.mjs';
import { Profile, hangUp } from './http.mjs';
import { figures, play } from './rounds.mjs';
import { Stage } from './stage.mjs';

const ROUNDS = 50;
const root = fileURLToPath(new URL('..', import.meta.url));
const build = `${root}build`;

mkdirSync(build, { recursive: true });
const log = createWriteStream(`${build}/browser.log`);
let passed = 0;

function say(line) {
  console.log(line);
  log.write(`${line}\n`);
}

/** One thing that has to hold. */
function holds(what, is, otherwise = '') {
  if (!is) throw new Error(`does not hold: ${what}${otherwise && ` (${otherwise})`}`);
  passed += 1;
  say(`  ok  ${what}`);
}

const demo = await startDemo(process.argv[2] ?? `${root}target/debug/symbolon`, log).catch((error) => {
  say(`FAILED: ${error.message}`);
  process.exit(1);
});
say(`the demo is ready ${demo.readyAfter.toFixed(0)} ms after its start: ${demo.authority}`);
const stage = await Stage.open({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  pictures: `${build}/screenshots`,
  log,
});

let failure;
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await demo.stop();
    process.exit(1);
  });
}

try {
  await story();
  holds('no page complained or was wider than a phone', stage.complaints.length === 0, `\n  ${stage.complaints.join('\n  ')}`);
} catch (error) {
  failure = error;
  say(`FAILED: ${error.stack ?? error}`);
  await stage.lastLook();
} finally {
  await stage.close();
  hangUp();
  const { how, left } = await demo.stop();
  say(`the demo ended (${how}); ports still answered: ${left.join(', ') || 'none'}`);
  if (left.length > 0) failure ??= new Error('the demo left something running');
}
say(`browser: ${passed} passed, ${failure ? 1 : 0} failed`);
await new Promise((done) => log.end(done));
process.exitCode = failure ? 1 : 0;

async function story() {
  const app = (shape) => demo.apps.find((one) => one.shape === shape);
  const person = (name) => demo.people.find((one) => one.identifier === name);
  const [office, dashboard] = [app('session'), app('jwt')];
  const [alice, bob, admin] = ['alice', 'bob', 'admin'].map(person);

  say('a cookie that was there before sign-in');
  await fixation(office, alice, bob);

  say('alice signs in on two browsers');
  const english = await stage.profile('en-US');
  const korean = await stage.profile('ko-KR');
  for (const page of [english, korean]) {
    await page.goto(office.url);
    holds(`${page.language}: Back office sends to the sign-in page`, onSignIn(page), page.url());
    await stage.picture(page, 'sign-in');
    await submitSignIn(page, { ...alice, password: 'not her password' });
    holds(`${page.language}: a wrong password stays there`, onSignIn(page), page.url());
    await stage.picture(page, 'sign-in-refused');
    const remember = page === korean;
    await submitSignIn(page, alice, remember);
    await isIn(page, office, 'session');
    await cookiesOutlive(page, office, remember);
    await stage.picture(page, 'back-office-session');
    page.visited.length = 0;
    await page.goto(dashboard.url);
    await isIn(page, dashboard, 'jwt');
    holds(`${page.language}: Dashboard asked for no password`, !page.visited.some(isSignIn), page.visited.join(' '));
    await stage.picture(page, 'dashboard-jwt');
    await page.goto(new URL('/account', demo.authority).href);
    await stage.picture(page, 'account');
  }
  await stage.pictureInTheDark(english, 'account');
  await english.goto(dashboard.url);
  await stage.pictureInTheDark(english, 'dashboard-jwt');

  say('somebody asks the adviser');
  for (const locale of ['en-US', 'ko-KR']) {
    await adviser(await stage.profile(locale), { authority: demo.authority, stage, holds });
  }

  say('an administrator looks around');
  const console_ = await stage.profile('en-US');
  const koreanConsole = await stage.profile('ko-KR');
  const users = new URL('/admin/users', demo.authority).href;
  for (const page of [console_, koreanConsole]) {
    await page.goto(users);
    await submitSignIn(page, admin);
    await page.goto(users);
    await stage.picture(page, 'admin-users');
    await page.goto(new URL('/admin/apps', demo.authority).href);
    await stage.picture(page, 'admin-apps');
    await openPersonPage(page, users, alice);
    await stage.picture(page, 'admin-user');
    await advisedInConsole(page, { authority: demo.authority, app: office, person: bob, stage, holds });
    await openPersonPage(page, users, alice);
  }
  const aliceUrl = new URL(console_.url());

  say('sign out everywhere');
  const bystander = new Profile();
  for (const one of [office, dashboard]) await bystander.signIn(one.url, bob);
  await english.goto(office.url);
  await korean.goto(dashboard.url);
  await pressSignOutEverywhere(console_);
  for (const [page, one] of [[english, office], [korean, dashboard]]) {
    await page.bringToFront();
    await page.locator('#ended').waitFor({ state: 'visible', timeout: 5_000 });
    holds(`${page.language}: the open page of ${one.client_id} tells that the login has ended`, true);
    await stage.picture(page, `${one.client_id}-ended`);
  }
  const rows = await console_.locator('.cut tbody tr').allInnerTexts();
  const inTime = (one) => rows.some((row) => row.includes(one.client_id) && /\d\s*ms/.test(row));
  for (const one of [office, dashboard]) {
    holds(`the page shows the milliseconds of the guard of ${one.client_id}`, inTime(one), rows.join(' | '));
  }
  for (const row of rows) say(`      ${row.replaceAll(/\s+/g, ' ')}`);
  await stage.picture(console_, 'admin-user-ended');
  for (const page of [english, korean]) {
    for (const one of [office, dashboard]) {
      await page.goto(new URL('/', one.url).href).catch(ignoreAbort);
      holds(`${page.language}: ${one.client_id} refuses alice and asks her to sign in`, onSignIn(page), page.url());
    }
  }
  for (const one of [office, dashboard]) {
    const { status } = await bystander.ask('GET', new URL('/api/whoami', one.url).href);
    holds(`bob is still signed in at ${one.client_id}`, status === 200, status);
  }

  say('refused where a page asks in the background');
  await signInToBoth(english, [office, dashboard], alice);
  const tabs = [];
  for (const one of [office, dashboard]) {
    const tab = await english.context().newPage();
    await tab.goto(one.url);
    const before = await tab.evaluate(askWhoami);
    holds(`${one.client_id}: a background request is answered`, before === 200, before);
    tabs.push([one, tab]);
  }
  await openPersonPage(koreanConsole, users, alice);
  await pressSignOutEverywhere(koreanConsole);
  await stage.picture(koreanConsole, 'admin-user-ended');
  for (const [one, tab] of tabs) {
    const after = await tab.evaluate(askWhoami);
    holds(`${one.client_id}: the same request is refused with 401`, after === 401, after);
    await tab.close();
  }

  say('the shape changes and nobody has to sign in');
  for (const page of [english, korean]) await signInToBoth(page, [office, dashboard], alice);
  for (const [one, shapes] of [[dashboard, ['session', 'jwt']], [office, ['jwt', 'session']]]) {
    for (const shape of shapes) {
      await setShape(console_, one, shape);
      for (const page of [english, korean]) {
        page.visited.length = 0;
        const reloads = await reloadUntilShape(page, one, shape);
        await isIn(page, one, shape);
        holds(`${page.language}: no sign-in page on the way (${reloads} reload)`, !page.visited.some(isSignIn), page.visited.join(' '));
        if (shape !== one.shape) await stage.picture(page, `${one.client_id}-${shape}`);
      }
    }
  }

  say(`the stopwatch: ${ROUNDS} rounds, two browsers, two apps, from acknowledgement to refusal`);
  const cookie = (await console_.context().cookies(demo.authority)).find((one) => one.name === '__Host-symbolon');
  const end = () => endAllLogins(aliceUrl, cookie);
  // Their open pages keep asking; nobody should be asking but the stopwatch.
  for (const page of [english, korean]) await page.context().close();
  const { perApp, last } = await play(ROUNDS, { apps: [office, dashboard], person: alice, end });
  for (const [clientId, values] of perApp) say(`      ${clientId}: ${figures(values)}`);
  say(`      last of a round: ${figures(last)}`);
  holds(`every refusal of ${ROUNDS} rounds came and stayed`, last.length === ROUNDS);
}

/** A value that was in the jar before sign-in is replaced, and opens nothing afterwards. */
async function fixation(app, victim, attacker) {
  const planted = `sym_s_${'A'.repeat(91)}`;
  const url = demo.authority.replace('http:', 'https:');
  const preset = (name) => ({ name, value: planted, url, httpOnly: true, secure: true, sameSite: 'Lax' });
  const names = [`__Host-${app.client_id}`, '__Host-symbolon'];
  const page = await stage.profile('en-US', { cookies: names.map(preset) });
  await page.goto(app.url);
  await submitSignIn(page, victim);
  await isIn(page, app, app.shape);
  const kept = new Map((await page.context().cookies(app.url)).map((one) => [one.name, one.value]));
  for (const name of names) {
    holds(`${name} is new at sign-in`, kept.has(name) && kept.get(name) !== planted);
  }
  await page.context().close();

  // An attacker's own good session, planted before the victim signs in, does not become the victim's.
  const console_ = new URL('/account', demo.authority).href;
  const [theirs, planted_] = [new Profile(), new Profile()];
  await theirs.signIn(console_, attacker);
  const form = await new Profile().open(console_);
  planted_.plant('__Host-symbolon', theirs.cookie('__Host-symbolon'));
  await planted_.signIn(console_, victim, form);
  const me = new URL('/api/v1/me', demo.authority).href;
  const [before, after] = [theirs.cookie('__Host-symbolon'), planted_.cookie('__Host-symbolon')];
  holds('a planted session is replaced at sign-in', after && after !== before);
  const [old, fresh] = [await theirs.ask('GET', me), await planted_.ask('GET', me)];
  holds('the planted session is dead', old.status === 401, `${old.status} ${old.text}`);
  holds("the new one is the victim's", fresh.text.includes(`"${victim.identifier}"`), `${fresh.status} ${fresh.text}`);
}

function isSignIn(url) {
  const { origin, pathname } = new URL(url);
  return origin === new URL(demo.authority).origin && pathname === '/sign-in';
}

function onSignIn(page) {
  return isSignIn(page.url());
}

/** Cookies are kept beyond the browser only where "keep me signed in" was ticked. */
async function cookiesOutlive(page, app, remember) {
  const all = await page.context().cookies([app.url, demo.authority]);
  const names = [`__Host-${app.client_id}`, '__Host-symbolon'];
  const kept = all.filter(({ name }) => names.includes(name)).map(({ expires }) => expires !== -1);
  const held = kept.length === names.length && kept.every((one) => one === remember);
  holds(`${page.language}: cookies ${remember ? 'outlive' : 'go with'} the browser`, held, kept.join(' '));
}

async function submitSignIn(page, { identifier, password }, remember = false) {
  const form = page.locator('form:has(input[type=password])');
  await form.locator('input[autocomplete~=username]').fill(identifier);
  await form.locator('input[type=password]').fill(password);
  await form.locator('input[name=remember]').setChecked(remember);
  await Promise.all([page.waitForNavigation(), form.locator('[type=submit]').first().click()]);
  await page.waitForLoadState('load');
}

/** Signs in where a page asks for it; at most once, since the second app follows silently. */
async function signInToBoth(page, apps, person) {
  for (const one of apps) {
    await page.goto(one.url);
    if (onSignIn(page)) await submitSignIn(page, person);
    await isIn(page, one);
  }
}

/** The page is the app's own, for alice, in that shape. */
async function isIn(page, app, shape) {
  const text = (id) => page.getByTestId(id).first().innerText({ timeout: 10_000 });
  const at = new URL(page.url()).origin === new URL(app.url).origin;
  holds(`${page.language}: ${app.client_id} is open`, at, page.url());
  const username = await text('username');
  holds(`${page.language}: ${app.client_id} knows alice`, username.includes('alice'), username);
  if (shape) {
    const shown = await shapeOf(page);
    holds(`${page.language}: ${app.client_id} holds a ${shape}`, shown === shape, shown);
  }
}

async function shapeOf(page) {
  const element = page.getByTestId('shape').first();
  const value = (await element.getAttribute('data-shape')) ?? (await element.innerText());
  return /jwt/i.test(value) ? 'jwt' : 'session';
}

/** A guard hears of new settings by the feed: the reload after that shows them. */
async function reloadUntilShape(page, app, shape) {
  for (let reload = 1; reload <= 40; reload += 1) {
    await page.goto(app.url);
    if (onSignIn(page) || (await shapeOf(page)) === shape) return reload;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`${app.client_id} still shows its old shape after 40 reloads`);
}

async function openPersonPage(page, users, { identifier }) {
  await page.goto(users);
  await page.locator('a[href^="/admin/users/"]', { hasText: identifier }).first().click();
  await page.waitForURL(/\/admin\/users\/[0-9a-f-]{36}/);
}

async function pressSignOutEverywhere(page) {
  const button = page.locator('form[action$="/end-logins"] [type=submit]').first();
  await Promise.all([page.waitForNavigation(), button.click()]);
  await page.waitForLoadState('load');
}

/** Turns the first dial of an app, as the console's form does. */
async function setShape(page, app, shape) {
  await page.goto(new URL('/admin/apps', demo.authority).href);
  const form = page.locator(`form[action$="/admin/apps/${app.client_id}"]:has([name=shape][value=${shape}])`);
  await Promise.all([page.waitForNavigation(), form.locator('[type=submit]').click()]);
  await page.waitForLoadState('load');
}

async function endAllLogins(personUrl, { name, value }) {
  const id = personUrl.pathname.split('/').pop();
  const answer = await new Profile().ask('DELETE', new URL(`/api/v1/users/${id}/logins`, demo.authority).href, {
    headers: { cookie: `${name}=${value}`, origin: new URL(demo.authority).origin, 'sec-fetch-site': 'same-origin' },
  });
  if (answer.status !== 200) throw new Error(`ending alice's logins: ${answer.status} ${answer.text}`);
}

/** Runs in the page. */
async function askWhoami() {
  return (await fetch('/api/whoami')).status;
}

function ignoreAbort(error) {
  if (!String(error).includes('ERR_ABORTED')) throw error;
}
