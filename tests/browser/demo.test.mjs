// The demo federation, as a person meets it: with and without JavaScript, in Swedish and English, on a phone, with two tabs, with the
// reload and back buttons. Pictures of every page go to target/screenshots.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { newPerson, openBrowser, picture } from '../interop/harness/browser.mjs';
import { Demo } from './demo.mjs';
import { assertSound, watch } from './page_checks.mjs';
import * as steps from './steps.mjs';

const phone = { viewport: { width: 320, height: 640 } };
const desk = { viewport: { width: 1280, height: 900 } };
const ways = [
  { name: 'sv', locale: 'sv-SE', ...desk },
  { name: 'en', locale: 'en-GB', ...desk },
  { name: 'sv-phone', locale: 'sv-SE', ...phone },
  { name: 'sv-dark', locale: 'sv-SE', colorScheme: 'dark', ...desk },
  { name: 'sv-without-javascript', locale: 'sv-SE', javaScriptEnabled: false, ...desk },
  { name: 'en-phone-without-javascript', locale: 'en-GB', javaScriptEnabled: false, ...phone },
];

describe('sparvidd demo', { timeout: 600_000 }, () => {
  let demo;
  let browser;

  before(async () => {
    demo = await Demo.start('demo');
    browser = await openBrowser();
  });
  after(async () => {
    await browser?.close();
    await demo?.stop();
  });

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

  for (const { name, ...settings } of ways) {
    test(`two organisations sign in, ${name}`, async () => {
      const language = settings.locale.slice(0, 2);
      for (const [at, short] of [[0, 'first'], [1, 'second']]) {
        await withSomebody(settings, async (page) => {
          const look = async (what) => {
            await picture(page, `${name}-${short}-${what}`);
            await assertSound(page, language);
          };
          await page.goto(demo.service);
          await look('1-service');
          await steps.begin(page);
          await look('2-choice');
          await steps.choose(page, at);
          await steps.untilProvider(page, demo);
          await look('3-provider');
          await steps.signInAsFirst(page);
          await steps.untilNotice(page);
          await look('4-notice');
          await steps.accept(page, demo);
          await look('5-signed-in');
          assert.ok(steps.isSignedIn(page, demo), page.url());
        });
      }
    });
  }

  test('the search finds an organisation by a part of its name, with and without JavaScript', async () => {
    for (const javaScriptEnabled of [true, false]) {
      await withSomebody({ ...desk, javaScriptEnabled }, async (page) => {
        await page.goto(demo.service);
        await steps.begin(page);
        const all = await steps.choices(page).count();
        await page.locator('input[name=q]').fill('granv');
        await page.locator('input[name=q]').press('Enter');
        await page.waitForFunction((all) => document.querySelectorAll('#choices a').length < all, all);
        assert.match(await steps.choices(page).first().textContent(), /Granvik/);
        await steps.choices(page).first().click();
        await steps.untilProvider(page, demo);
      });
    }
  });

  test('cancel at the notice leads back to the service, which can begin again', async () => {
    await withSomebody(desk, async (page) => {
      await steps.toNotice(page, demo, 0);
      await page.locator('button[name=decision][value=decline]').click();
      await steps.untilService(page, demo);
      await picture(page, 'sv-declined');
      await page.goto(demo.service);
      await steps.begin(page);
      assert.ok((await steps.choices(page).count()) > 1);
    });
  });

  test('two tabs at once, each with its own organisation, end each with its own', async () => {
    await withSomebody(desk, async (one, person) => {
      const other = await person.newPage();
      await steps.toNotice(one, demo, 0);
      await steps.toNotice(other, demo, 1);
      await steps.accept(one, demo);
      await steps.accept(other, demo);
      assert.ok(steps.isSignedIn(one, demo) && steps.isSignedIn(other, demo));
      assert.notEqual(await one.locator('main').innerText(), await other.locator('main').innerText());
    });
  });

  test('each page survives a reload', async () => {
    await withSomebody(desk, async (page) => {
      await page.goto(demo.service);
      await steps.begin(page);
      await page.reload();
      await steps.choose(page, 0);
      await steps.untilProvider(page, demo);
      await page.reload();
      await steps.signInAsFirst(page);
      await steps.untilNotice(page);
      await page.reload();
      await steps.untilNotice(page);
      await steps.accept(page, demo);
      await page.reload();
      assert.ok(page.url().startsWith(demo.service));
      assert.equal(await page.locator('h1').count(), 1);
    });
  });

  test('back after a sign-in never ends: each page on the way goes on', async () => {
    await withSomebody(desk, async (page) => {
      await steps.toNotice(page, demo, 0);
      await steps.accept(page, demo);
      for (let step = 0; step < 3; step += 1) {
        // A page that answered a form is not shown again without being asked for: then the browser's own page stands here.
        await page.goBack().catch((error) => assert.fail(`back, step ${step + 1}: ${error.message.split('\n')[0]}`));
        await page.locator('h1').waitFor();
        await picture(page, `sv-back-${step + 1}`);
        assert.ok((await page.locator('main a, main button').count()) > 0, `${page.url()} leads nowhere`);
      }
      // From a page of the broker, the first way on leads back to the service or to a choice that works.
      await page.goto(demo.service);
      await steps.begin(page);
      assert.ok((await steps.choices(page).count()) > 1);
    });
  });

  test('an answer that is sent again gets a page that goes on', async () => {
    await withSomebody(desk, async (page) => {
      let posted;
      await page.route('**/saml/acs', (route) => {
        posted = route.request().postData();
        return route.continue();
      });
      await steps.toNotice(page, demo, 0);
      await steps.accept(page, demo);
      // From another site, as the provider's own form comes.
      const fields = [...new URLSearchParams(posted)].map(([name, value]) => `<input name="${name}" value="${value}">`);
      const form = `<form method="post" action="${demo.broker}/saml/acs">${fields.join('')}<button>`;
      await page.route('http://elsewhere.localhost/', (route) => route.fulfill({ contentType: 'text/html', body: form }));
      await page.goto('http://elsewhere.localhost/');
      await page.locator('button').click();
      await page.waitForURL(`${demo.broker}/**`);
      await picture(page, 'sv-sent-again');
      await page.locator('main .actions .first').click();
      // To the service, or by way of it to a new choice.
      await steps.choices(page).first().or(page.locator('main a[href="/sign-in"]')).first().waitFor();
    });
  });

  for (const locale of ['sv-SE', 'en-GB']) {
    test(`the error page has a reference that survives a reload and is in the log, ${locale}`, async () => {
      await withSomebody({ locale, ...desk }, async (page) => {
        await page.goto(`${demo.broker}/oidc/authorize?client_id=nobody&response_type=code&scope=openid&redirect_uri=http%3A%2F%2Fnobody.localhost%2F`);
        await picture(page, `${locale.slice(0, 2)}-error`);
        await assertSound(page, locale.slice(0, 2));
        const reference = await page.locator('.details code').first().innerText();
        assert.match(reference, /^\S{6,}$/);
        await page.reload();
        assert.equal(await page.locator('.details code').first().innerText(), reference);
        assert.ok(demo.log().includes(reference), 'the reference is in the log');
      });
    });
  }
});
