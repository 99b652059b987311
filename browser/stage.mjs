// The browser: profiles, what their pages complain about, and pictures in both widths.

import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const WIDTHS = { phone: { width: 390, height: 844 }, desktop: { width: 1440, height: 900 } };

const QUIET = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];

/** One Chromium for the whole play. `complaints` fills up with what no page should cause. */
export class Stage {
  complaints = [];
  #browser;
  #pictures;
  #log;

  static async open({ executablePath, pictures, log }) {
    const stage = new Stage();
    rmSync(pictures, { recursive: true, force: true });
    mkdirSync(pictures, { recursive: true });
    stage.#pictures = pictures;
    stage.#log = log;
    stage.#browser = await chromium.launch({ executablePath, headless: true, args: QUIET });
    return stage;
  }

  /** A new browser profile with one open page. Navigations are kept in `page.visited`. */
  async profile(locale, { cookies = [] } = {}) {
    const context = await this.#browser.newContext({ locale, viewport: WIDTHS.desktop });
    context.setDefaultTimeout(10_000);
    if (cookies.length > 0) await context.addCookies(cookies);
    context.on('console', (message) => this.#hear(message));
    context.on('weberror', (one) => this.complaints.push(`${one.page()?.url()}: ${one.error().message}`));
    context.on('response', (response) => {
      const request = response.request();
      if (request.isNavigationRequest() || response.status() >= 400) {
        this.#log.write(`${response.status()} ${request.method()} ${response.url().split('?')[0]}\n`);
      }
    });
    const page = await context.newPage();
    page.language = locale.slice(0, 2);
    page.visited = [];
    page.on('request', (request) => {
      if (request.isNavigationRequest()) page.visited.push(request.url());
    });
    return page;
  }

  /** Pictures of what a page shows, phone and desktop; a page wider than a phone is a complaint. */
  async picture(page, name) {
    for (const [width, viewport] of Object.entries(WIDTHS)) {
      await page.setViewportSize(viewport);
      const overhang = await page.evaluate(() => document.scrollingElement.scrollWidth - window.innerWidth);
      if (overhang > 0) this.complaints.push(`${name}.${page.language}: ${overhang} px wider than the ${width}`);
      const path = join(this.#pictures, `${name}.${page.language}.${width}.png`);
      await page.screenshot({ path, fullPage: true, animations: 'disabled' });
    }
  }

  /** The same in the other colour scheme. */
  async pictureInTheDark(page, name) {
    await page.emulateMedia({ colorScheme: 'dark' });
    await this.picture(page, `${name}-dark`);
    await page.emulateMedia({ colorScheme: null });
  }

  /** Pictures of whatever is open, for whoever has to find out what went wrong. */
  async lastLook() {
    const pages = this.#browser.contexts().flatMap((context) => context.pages());
    for (const [at, page] of pages.entries()) {
      const path = join(this.#pictures, `failure-${at + 1}.png`);
      await page.screenshot({ path }).catch((error) => this.#log.write(`${path}: ${error.message}\n`));
    }
  }

  async close() {
    await this.#browser.close();
  }

  #hear(message) {
    const url = message.location().url || message.page()?.url() || '';
    this.#log.write(`[${message.type()}] ${url}: ${message.text()}\n`);
    // Chromium calls a refusal an error; these two are what the play asks for.
    const refusal = /\/(api\/whoami|sign-in)$/.test(url) && message.text().includes('status of 401');
    if (message.type() === 'error' && !refusal) this.complaints.push(`${url}: ${message.text()}`);
  }
}
