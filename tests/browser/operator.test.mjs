// The door for operators, as somebody at a small municipality meets it: from the link in a letter to a change that waits for another person. With
// and without JavaScript, by keyboard alone, light and dark, 320 and 1280 px, each page held against axe-core. Pictures go to target/screenshots.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { newPerson, openBrowser, picture } from '../interop/harness/browser.mjs';
import { freshFolder } from '../interop/harness/places.mjs';
import { run, until } from '../interop/harness/processes.mjs';
import { Sparvidd } from '../interop/harness/sparvidd.mjs';
import { assertSound, watch } from './page_checks.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const phone = { viewport: { width: 320, height: 640 } };
const desk = { viewport: { width: 1280, height: 900 } };
const ways = [
  { name: 'sv', locale: 'sv-SE', ...desk },
  { name: 'en-dark', locale: 'en-GB', colorScheme: 'dark', ...desk },
  { name: 'sv-phone', locale: 'sv-SE', ...phone },
  { name: 'en-phone-dark', locale: 'en-GB', colorScheme: 'dark', ...phone },
  { name: 'sv-forced-colours', locale: 'sv-SE', forcedColors: 'active', ...desk },
  { name: 'sv-without-javascript', locale: 'sv-SE', javaScriptEnabled: false, ...desk },
];

const record = `number = "2120009903"
name = { sv = "Granviks kommun", en = "Granvik municipality" }
domains = ["granvik.localhost"]
scopes = ["granvik.localhost"]
ceiling = ["http://id.elegnamnden.se/loa/1.0/loa3"]
support = { email = "support@granvik.localhost" }
`;

/** A provider's metadata with these certificates. */
const metadata = (certificates, { location = 'https://idp.granvik.localhost/sso', name = 'Granviks kommun' } = {}) => `<?xml version="1.0" encoding="UTF-8"?>
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.granvik.localhost/saml">
  <md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <md:Extensions>
      <mdui:UIInfo xmlns:mdui="urn:oasis:names:tc:SAML:metadata:ui">
        <mdui:DisplayName xml:lang="sv">${name}</mdui:DisplayName>
      </mdui:UIInfo>
    </md:Extensions>
${certificates.map((certificate) => `    <md:KeyDescriptor use="signing">
      <ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>${certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>
    </md:KeyDescriptor>`).join('\n')}
    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="${location}"/>
  </md:IDPSSODescriptor>
</md:EntityDescriptor>
`;

describe('the door for operators', { timeout: 900_000 }, () => {
  let broker;
  let browser;
  let folder;
  const keys = [];

  before(async () => {
    folder = await freshFolder('operator');
    broker = await Sparvidd.start(folder, { store: 'embedded:registry.redb' });
    await broker.addOrganisation('granvik', record);
    for (const number of [1, 2]) {
      const file = join(folder, `key${number}.pem`);
      await run('openssl', ['req', '-x509', '-newkey', 'rsa:3072', '-nodes', '-days', String(20 * number * number), '-subj', '/CN=idp', '-keyout', join(folder, 'unused.pem'), '-out', file]);
      keys.push(readFileSync(file, 'utf8').replace(/-----[^-]*-----|\s/g, ''));
    }
    const first = join(folder, 'first.xml');
    await writeFile(first, metadata([keys[0]]));
    await broker.addMetadata(first, '--subject-source', 'subject_id');
    browser = await openBrowser();
  });
  after(async () => {
    await browser?.close();
    await broker?.stop();
  });

  const invited = async (holder, right = 'propose') =>
    JSON.parse((await broker.command('invite', '--organisation', '2120009903', '--holder', holder, '--right', right, '--json')).stdout);

  /** Runs `story` with a new person and a page of theirs, and looks that nothing was stopped or fetched from elsewhere. */
  const withSomebody = async (settings, story) => {
    const person = await newPerson(browser, settings);
    try {
      const page = await person.newPage();
      const watched = watch(page);
      await story(page, person);
      watched.assertQuiet();
    } finally {
      await person.close();
    }
  };

  /** No violation of WCAG 2.1 AA or of the best practices that axe knows, and what holds for every page. */
  const assertAccessible = async (page, language, name, scripts) => {
    await picture(page, name);
    await assertSound(page, language);
    if (!scripts) return;
    // Through the debugger, not the page: its content policy stays as it is.
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] }));
    assert.deepEqual(violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(' | ')}`), [], `${name} ${page.url()}`);
  };

  const give = async (page, name, text) => {
    await page.goto(`${broker.issuer}/operator/submit`);
    await page.locator('#file').setInputFiles({ name, mimeType: 'text/xml', buffer: Buffer.from(text) });
    await page.locator('form.give button').click();
    await page.locator('h1').waitFor();
  };

  for (const { name, ...settings } of ways) {
    test(`from a letter to a change that waits, ${name}`, async () => {
      const language = settings.locale.slice(0, 2);
      const scripts = settings.javaScriptEnabled !== false;
      await withSomebody(settings, async (page) => {
        const look = (what) => assertAccessible(page, language, `operator-${name}-${what}`, scripts);
        const { link } = await invited(`Britta (${name})`);
        await page.goto(link);
        await look('01-invitation');
        await page.locator('main button.first').click();
        await page.waitForURL(`${broker.issuer}/operator`);
        await look('02-place');
        await page.locator('main a.first').click();
        await look('03-submit');
        await page.locator('summary').click();
        await page.locator('#url').fill('https://10.0.0.1/metadata');
        await page.locator('form.give button').click();
        await page.locator('.problem').waitFor();
        if (scripts) assert.equal(await page.evaluate(() => document.activeElement.className), 'problem');
        assert.equal(await page.locator('#url').inputValue(), 'https://10.0.0.1/metadata', 'nothing is lost');
        await look('04-problem');
        await give(page, 'trasig.xml', metadata(['not base64', keys[1]], { location: 'http://idp.elsewhere.example/sso', name: '<script>alert(1)</script>'.replaceAll('<', '&lt;') }));
        assert.ok((await page.locator('.told .finding').count()) > 0, 'a finding stands beside its line');
        await look('05-refused');
        const target = await page.locator('.findings a').first().getAttribute('href');
        assert.equal(await page.locator(target).count(), 1, 'the list leads to the line');
        await page.locator('.as-text summary').click();
        await look('06-as-text');
        await page.reload();
        await page.locator('h1').waitFor();
        await give(page, 'byte.xml', metadata([keys[1]], { name: `Granviks kommun ${name}` }));
        await look('07-good');
        await page.locator('#note').fill('Ny nyckel');
        await page.locator('button[value=submit]').click();
        await page.waitForURL(`${broker.issuer}/operator/proposal/**`);
        await look('08-receipt');
        await page.goto(`${broker.issuer}/operator`);
        await look('09-place-with-change');
        await page.locator('section[aria-labelledby=providers] a.second').click();
        await page.waitForURL('**/operator/try');
        await look('09a-try');
        await page.goto(`${broker.issuer}/operator`);
        await page.locator('.proposals a').first().click();
        await page.locator('section[aria-labelledby=try] a').click();
        await page.waitForURL('**/operator/try?proposal=*');
        await look('09b-try-proposal');
        await page.goBack();
        await page.locator('button[value=withdraw]').click();
        await page.locator('.lead').waitFor();
        await look('10-withdrawn');
        await page.goto(`${broker.issuer}/operator`);
        await page.locator('form[action="/operator/leave"] button').click();
        await look('11-left');
        await page.goto(link);
        await look('12-used');
      });
    });
  }

  test('by keyboard alone', async () => {
    await withSomebody({ locale: 'sv-SE', ...desk }, async (page) => {
      const { link } = await invited('Tage Tangent');
      /** Goes on with Tab until something is focused. */
      const tabTo = async (selector) => {
        for (let step = 0; step < 60; step += 1) {
          await page.keyboard.press('Tab');
          if (await page.evaluate((selector) => document.activeElement.matches(selector), selector)) return;
        }
        assert.fail(`${selector} is not reached on ${page.url()}`);
      };
      await page.goto(link);
      await tabTo('button.first');
      await page.keyboard.press('Enter');
      await page.waitForURL(`${broker.issuer}/operator`);
      await tabTo('a.first');
      await page.keyboard.press('Enter');
      await page.waitForURL('**/operator/submit');
      await tabTo('summary');
      await page.keyboard.press('Enter');
      await tabTo('#text');
      await page.keyboard.insertText(metadata([keys[0], keys[1]]));
      await tabTo('form.give button');
      await page.keyboard.press('Enter');
      await page.waitForURL('**/operator/file/**');
      await tabTo('button[value=submit]');
      await page.keyboard.press('Enter');
      await page.waitForURL('**/operator/proposal/**');
      await tabTo('button[value=withdraw]');
      await page.keyboard.press('Enter');
      await until('it is taken back', async () => (await page.locator('button[value=withdraw]').count()) === 0);
    });
  });

  test('a file is dropped, and a colleague approves and publishes', async () => {
    const text = metadata([keys[0], keys[1]], { name: 'Granviks kommun' });
    await withSomebody({ locale: 'sv-SE', ...desk }, async (page) => {
      await page.goto((await invited('Britta Bodin')).link);
      await page.locator('main button.first').click();
      await page.goto(`${broker.issuer}/operator/submit`);
      await page.evaluate((text) => {
        const data = new DataTransfer();
        data.items.add(new File([text], 'dragen.xml', { type: 'text/xml' }));
        document.querySelector('[data-drop]').dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
      }, text);
      await page.locator('form.give button').click();
      await page.locator('button[value=submit]').click();
      await page.waitForURL('**/operator/proposal/**');
      const address = page.url().split('?')[0];
      await withSomebody({ locale: 'sv-SE', ...desk }, async (other) => {
        await other.goto((await invited('Bo Berg', 'publish')).link);
        await other.locator('main button.first').click();
        await other.goto(address);
        await assertAccessible(other, 'sv', 'operator-sv-13-decide', true);
        await other.locator('button[value=decline]').click();
        await other.locator('.problem').waitFor();
        await assertAccessible(other, 'sv', 'operator-sv-14-no-reason', true);
        await other.locator('button[value=approve]').click();
        await other.locator('button[value=publish]').waitFor();
        await assertAccessible(other, 'sv', 'operator-sv-15-approved', true);
        await other.locator('button[value=publish]').click();
        await until('it is live', async () => (await other.locator('button[value=publish]').count()) === 0);
        await assertAccessible(other, 'sv', 'operator-sv-16-published', true);
      });
    });
  });
});
