// Chromium as Debian packages it, driven by playwright-core. Each person is a context of their own: cookies are never shared.

import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { chromium } from 'playwright-core';

import { target } from './places.mjs';

const quiet = [
  '--no-sandbox', // the container's root may not use the sandbox; every page here is our own or a test's peer
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A headless browser; `close()` it. */
export async function openBrowser() {
  const places = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/google-chrome'].filter(Boolean);
  const executablePath = places.find((path) => existsSync(path));
  if (executablePath === undefined) throw new Error(`no Chromium at ${places.join(', ')}: tests/run installs it`);
  return chromium.launch({ executablePath, headless: true, args: quiet });
}

/** A person: an empty browser of their own. Every wait of theirs ends after fifteen seconds. */
export async function newPerson(browser, settings = {}) {
  const context = await browser.newContext({ locale: 'sv-SE', ...settings });
  context.setDefaultTimeout(15_000);
  context.setDefaultNavigationTimeout(15_000);
  return context;
}

/** A picture of the whole page in `target/screenshots`. */
export async function picture(page, name) {
  const folder = join(target, 'screenshots');
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}
