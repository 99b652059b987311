// A browser's half of HTTP without the browser: cookies and redirects. For what has to be quick or raw.

import http from 'node:http';

const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });

/** The cookies of one browser profile. Ports share them, as in a browser. */
export class Profile {
  #cookies = new Map();

  /** One request, no redirect followed: status, headers, text. */
  async ask(method, url, { headers = {}, form, cookies = this.#cookies } = {}) {
    const body = form && new URLSearchParams(form).toString();
    const answer = await exchange(method, url, body, {
      ...(cookies.size > 0 && { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') }),
      ...(body !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
      ...headers,
    });
    for (const line of answer.headers['set-cookie'] ?? []) this.#keep(line);
    return answer;
  }

  /** Opens a page as a browser does, through up to ten redirects: the last answer and its URL. */
  async open(url, { method = 'GET', form, site = 'none' } = {}) {
    for (let hop = 0; hop < 10; hop += 1) {
      const headers = {
        accept: 'text/html',
        'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
        'accept-language': 'en',
        'sec-fetch-mode': 'navigate',
        'sec-fetch-dest': 'document',
        'sec-fetch-site': site,
        ...(method === 'POST' && { origin: new URL(url).origin }),
      };
      const answer = await this.ask(method, url, { headers, form });
      if (![302, 303, 307].includes(answer.status)) return { ...answer, url };
      url = new URL(answer.headers.location, url).href;
      [method, form, site] = ['GET', undefined, 'same-site'];
    }
    throw new Error(`more than ten redirects, the last to ${url}`);
  }

  /** Signs somebody in at the page that an app sends to, or that `page` is, and goes where that leads. */
  async signIn(appUrl, { identifier, password }, page) {
    page ??= await this.open(appUrl);
    if (!page.text.includes('type="password"')) return page;
    const form = { ...hiddenFields(page.text), identifier, password };
    const action = new URL(formAction(page.text), page.url).href;
    return this.open(action, { method: 'POST', form, site: 'same-origin' });
  }

  /** The value of a cookie. */
  cookie(name) {
    return this.#cookies.get(name);
  }

  /** Puts a cookie into the jar, as somebody with a hand in the browser could. */
  plant(name, value) {
    this.#cookies.set(name, value);
  }

  #keep(line) {
    const [pair, ...attributes] = line.split(';').map((part) => part.trim());
    const at = pair.indexOf('=');
    const name = pair.slice(0, at);
    if (attributes.some((attribute) => /^max-age=0$/i.test(attribute))) this.#cookies.delete(name);
    else this.#cookies.set(name, pair.slice(at + 1));
  }
}

function exchange(method, url, body, headers) {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, agent, headers, timeout: 10_000 }, (response) => {
      response.setEncoding('utf8');
      let text = '';
      response.on('data', (chunk) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, text }));
      response.on('error', reject);
    });
    request.on('timeout', () => request.destroy(new Error(`${method} ${url}: no answer in 10 s`)));
    request.on('error', reject);
    request.end(body);
  });
}

function hiddenFields(html) {
  const fields = {};
  for (const [tag] of signInForm(html).matchAll(/<input[^>]*>/g)) {
    if (attribute(tag, 'type') === 'hidden') fields[attribute(tag, 'name')] = attribute(tag, 'value') ?? '';
  }
  return fields;
}

function formAction(html) {
  return attribute(signInForm(html).match(/<form[^>]*>/)[0], 'action') ?? '';
}

/** The form with the password in it. */
function signInForm(html) {
  const form = [...html.matchAll(/<form[\s\S]*?<\/form>/g)].map(([text]) => text);
  const found = form.find((text) => text.includes('type="password"'));
  if (!found) throw new Error('a page with a password field but no form around it');
  return found;
}

function attribute(tag, name) {
  const value = tag.match(new RegExp(`\\s${name}="([^"]*)"`))?.[1];
  return value?.replaceAll('&amp;', '&').replaceAll('&#38;', '&').replaceAll('&quot;', '"').replaceAll('&#34;', '"');
}

/** Closes what is kept alive. */
export function hangUp() {
  agent.destroy();
}
