// Sign-ins that do not end with a person, and messages that were touched on the way.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';

import { newPerson, openBrowser } from './harness/browser.mjs';
import { asa, employers, Federation, lotta } from './harness/federation.mjs';
import { signInAtProvider } from './harness/simplesamlphp.mjs';
import { answerNotice, chooseEmployer, signIn } from './harness/steps.mjs';

describe('sign-in that ends otherwise', { timeout: 300_000 }, () => {
  let federation;
  let browser;
  let party;
  let person;
  let page;

  before(async () => {
    federation = await Federation.start('refuse');
    browser = await openBrowser();
    party = await federation.relyingParty('hamnregister', 'client_secret_basic');
  });
  after(async () => {
    await browser?.close();
    await federation?.stop();
  });
  beforeEach(async () => {
    await person?.close();
    person = await newPerson(browser);
    page = await person.newPage();
  });

  /** Rewrites each form that the browser posts to the broker's assertion consumer service. */
  const rewriteAnswers = (rewrite) =>
    page.route('**/saml/acs', (route) => {
      const form = new URLSearchParams(route.request().postData() ?? '');
      rewrite(form);
      return route.continue({ postData: form.toString() });
    });

  test('cancel at the notice: access_denied, and nothing about the person', async () => {
    await chooseEmployer(page, party, employers.granvik);
    await signInAtProvider(page, asa.username, asa.password);
    await answerNotice(page, party, 'decline');
    const { error, answer } = party.last();
    assert.equal(error, 'access_denied');
    assert.deepEqual(Object.keys(answer).filter((name) => !['error', 'error_description', 'iss', 'state'].includes(name)), []);
    assert.equal(answer.iss, federation.broker.issuer);
  });

  test('the provider refuses: access_denied', async () => {
    await chooseEmployer(page, party, employers.granvik);
    await signInAtProvider(page, lotta.username, lotta.password);
    await page.waitForURL(`${party.redirectUri}?**`);
    assert.equal(party.last().error, 'access_denied');
    assert.ok(!JSON.stringify(party.last()).includes('locked'), "the provider's own words stay with us");
  });

  test('the notice is due at each sign-in and nothing may be shown: interaction_required', async () => {
    await page.goto(party.start({ prompt: 'none', 'https://id.oidc.se/param/authnProvider': federation.granvik.entityId }));
    await page.waitForURL(`${party.redirectUri}?**`);
    assert.equal(party.last().error, 'interaction_required');
  });

  test('the provider drops RelayState: the sign-in works all the same', async () => {
    let dropped = 0;
    await rewriteAnswers((form) => {
      dropped += Number(form.has('RelayState'));
      form.delete('RelayState');
    });
    const outcome = await signIn(page, party, employers.granvik, asa);
    assert.equal(dropped, 1, 'there was one to drop');
    assert.equal(outcome.userinfo?.name, asa.displayName, JSON.stringify(outcome));
  });

  test('a name changed on the way: a page, and nobody signed in', async () => {
    const before = party.outcomes.length;
    await rewriteAnswers((form) => {
      const xml = Buffer.from(form.get('SAMLResponse'), 'base64').toString();
      assert.ok(xml.includes(asa.givenName));
      form.set('SAMLResponse', Buffer.from(xml.replaceAll(asa.givenName, 'Eva')).toString('base64'));
    });
    await chooseEmployer(page, party, employers.granvik);
    await signInAtProvider(page, asa.username, asa.password);
    await page.waitForURL(`${federation.broker.issuer}/**`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    assert.equal(party.outcomes.length, before);
    assert.equal(await page.locator('button[name=decision]').count(), 0, 'no notice is shown');
  });

  test('an answer posted twice signs in once, and the second time gets a page', async () => {
    let posted;
    await rewriteAnswers((form) => {
      posted = [...form];
    });
    await signIn(page, party, employers.granvik, asa);
    const before = party.outcomes.length;
    await postFromPage(page, `${federation.broker.issuer}/saml/acs`, posted);
    await page.waitForURL(`${federation.broker.issuer}/**`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    assert.equal(await page.locator('button[name=decision]').count(), 0, 'no second notice');
    assert.equal(party.outcomes.length, before);
  });

  test('SimpleSAMLphp verifies our signature on the request: one that was touched is refused', async () => {
    const asked = [];
    page.on('request', (request) => {
      if (request.url().startsWith(`${federation.granvik.origin}/saml2/idp/SSOService.php`)) asked.push(request.url());
    });
    await chooseEmployer(page, party, employers.granvik);
    const genuine = new URL(asked[0]);
    const signature = genuine.searchParams.get('Signature');
    assert.ok(signature, 'the request is signed');
    const touched = new URL(genuine);
    touched.searchParams.set('Signature', Buffer.from(signature, 'base64').reverse().toString('base64'));
    for (const [address, passwords] of [[genuine, 1], [touched, 0]]) {
      await page.goto(address.href);
      assert.equal(await page.locator('input[name=password]').count(), passwords, address.href);
    }
  });
});

/** Posts a form from the page that is shown, as a provider's page does. */
async function postFromPage(page, action, fields) {
  await page.evaluate(
    ([action, fields]) => {
      const form = Object.assign(document.createElement('form'), { method: 'post', action });
      for (const [name, value] of fields) {
        form.append(Object.assign(document.createElement('input'), { type: 'hidden', name, value }));
      }
      document.body.append(form);
      form.submit();
    },
    [action, fields],
  );
}
