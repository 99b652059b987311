// The adviser in the browser: it answers as the answers change, without a script by its form, in the visitor's
// language, and the address alone brings the same page back.

import { Profile } from './http.mjs';

/** Plays it on this page; `holds` is told what has to hold. */
export async function adviser(page, { authority, stage, holds }) {
  const say = (en, ko) => (page.language === 'ko' ? ko : en);
  const verdict = () => page.locator('#advice .dial').innerText();
  const told = (text) => page.locator('#advice .dial', { hasText: text }).waitFor({ timeout: 5_000 });

  await page.goto(new URL('/adviser', authority).href);
  holds(`${page.language}: the adviser speaks the language`, (await page.locator('h1').innerText()) === say('Session or JWT?', '세션인가, JWT인가?'));
  await page.locator('[name=platform]').selectOption('spa');
  await told(say('a JWT', 'JWT'));
  await page.locator('[name=sensitive]').selectOption('yes');
  await told(say('a session', '세션'));
  await told(say('within 1 s', '1초 안에'));
  const address = page.url();
  holds(`${page.language}: the address keeps the answers`, address.endsWith('/adviser?platform=spa&sensitive=yes'), address);
  const before = await verdict();
  await page.reload();
  holds(`${page.language}: the address brings the same advice back`, (await verdict()) === before);
  const drawn = await page.locator('img.chart').evaluate((image) => image.complete && image.naturalWidth > 0);
  holds(`${page.language}: the chart is drawn`, drawn);
  const [marks, rows] = await Promise.all([
    page.locator('img.chart').evaluate(async (image) => (await (await fetch(image.src)).text()).split('font-weight').length - 1),
    page.locator('#advice tbody tr').count(),
  ]);
  holds(`${page.language}: the table has what the chart has`, marks === rows && rows === 8, `${marks} ${rows}`);
  const desk = page.viewportSize();
  await page.setViewportSize({ width: 390, height: 844 });
  await page.waitForFunction(() => document.querySelector('img.chart').currentSrc.includes('narrow'));
  const smallest = await page.locator('img.chart').evaluate(async (image) => {
    await image.decode();
    const drawn = await (await fetch(image.currentSrc)).text();
    const sizes = [...drawn.matchAll(/font-size="(\d+)"/g)].map(([, size]) => Number(size));
    return (Math.min(...sizes) * image.clientWidth) / image.naturalWidth;
  });
  holds(`${page.language}: on a phone no letter of the chart is smaller than 11 px`, smallest >= 11, smallest);
  await page.setViewportSize(desk);
  await stage.picture(page, 'adviser');
  await stage.pictureInTheDark(page, 'adviser');

  // Without a script.
  const context = page.context();
  const plain = await context.browser().newContext({ javaScriptEnabled: false, locale: say('en-US', 'ko-KR') });
  const form = await plain.newPage();
  await form.goto(new URL('/adviser', authority).href);
  await form.locator('[name=platform]').selectOption('mobile');
  await form.locator('[name=people]').fill('5000000');
  await form.locator('#facts button[type=submit]').click();
  await form.locator('#advice .dial', { hasText: say('a JWT in the Authorization header', 'JWT, Authorization 헤더') }).waitFor({ timeout: 5_000 });
  holds(`${page.language}: its form works without a script`, true);
  await plain.close();
}

/** What the console, open on this page, says of an app while somebody uses it. */
export async function advisedInConsole(page, { authority, app, person, stage, holds }) {
  const say = (en, ko) => (page.language === 'ko' ? ko : en);
  const browser = new Profile();
  await browser.signIn(app.url, person);
  const until = Date.now() + 2_500;
  while (Date.now() < until) {
    await browser.ask('GET', new URL('/api/whoami', app.url).href);
    await new Promise((done) => setTimeout(done, 20));
  }
  await page.goto(new URL('/admin/apps', authority).href);
  const link = page.locator(`#app-${app.client_id} a[href$="/advice"]`);
  await Promise.all([page.waitForNavigation(), link.click()]);
  const traffic = await page.locator('#traffic').innerText();
  const [, told] = traffic.match(say(/^([\d.,]+) requests with a credential a second.* [12] of [12] guards/, /초당 ([\d.,]+)건.*가드 [12]개/)) ?? [];
  holds(`${page.language}: the console knows the traffic of ${app.client_id}`, Number(told) > 1, traffic);
  const [dials, prices] = await Promise.all(['#dials tbody tr', '#price tbody tr'].map((rows) => page.locator(rows).count()));
  holds(`${page.language}: each dial and both prices are shown`, dials === 5 && prices === 7, `${dials} ${prices}`);
  await stage.picture(page, 'admin-app-advice');
  await stage.pictureInTheDark(page, 'admin-app-advice');
  await Promise.all([page.waitForNavigation(), page.locator('#to-adviser').click()]);
  const filled = await page.locator('[name=requests_per_second]').inputValue();
  holds(`${page.language}: the adviser has it filled in`, Number(filled) >= 1 && new URL(page.url()).pathname === '/adviser', page.url());
  const existing = await page.locator('[name=existing]').inputValue();
  holds(`${page.language}: and what the app uses`, existing === app.shape, existing);
}
