// What a service may ask for beside a plain sign-in, by openid-client and SimpleSAMLphp, where the employers show the notice.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';

import { newPerson, openBrowser } from './harness/browser.mjs';
import { asa, Federation } from './harness/federation.mjs';
import { signInAtProvider } from './harness/simplesamlphp.mjs';

describe('what a service may ask for', { timeout: 300_000 }, () => {
  let federation;
  let browser;
  let party;
  let person;
  let page;

  before(async () => {
    federation = await Federation.start('asked', {}, { more: '[federation]\nnotice = "by_provider"' });
    browser = await openBrowser();
    party = await federation.relyingParty('hamnkalender', 'client_secret_basic');
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

  /** Goes to the service and ends there, without a person's help. */
  const unseen = async (parameters) => {
    await page.goto(party.start(parameters));
    await page.waitForURL(`${party.redirectUri}?**`);
    return party.last();
  };

  const named = () => ({ 'https://id.oidc.se/param/authnProvider': federation.granvik.entityId });

  test('silence: nobody is signed in at the provider: login_required', async () => {
    assert.equal((await unseen({ prompt: 'none', ...named() })).error, 'login_required');
  });

  test('silence: the choice would have to be shown: interaction_required', async () => {
    assert.equal((await unseen({ prompt: 'none' })).error, 'interaction_required');
  });

  test('a hint leads past the choice; then in silence, for the one who is expected and for nobody else', async () => {
    await page.goto(party.start({ login_hint: asa.mail }));
    await signInAtProvider(page, asa.username, asa.password);
    await page.waitForURL(`${party.redirectUri}?**`);
    const { claims } = party.last();
    assert.ok(claims?.sub, JSON.stringify(party.last()));
    const expecting = (sub) => ({ prompt: 'none', ...named(), claims: JSON.stringify({ id_token: { sub: { value: sub } } }) });
    assert.equal((await unseen(expecting(claims.sub))).claims?.sub, claims.sub, 'the session at the provider is enough');
    assert.equal((await unseen(expecting('somebody-else'))).error, 'login_required');
    assert.ok(!federation.broker.log().includes(asa.mail), 'the hint is not logged');
  });

  test("the service's words stand on the choice", async () => {
    const words = Buffer.from('Du ska signera ärende 7.').toString('base64');
    await page.goto(party.start({ ui_locales: 'sv', 'https://id.oidc.se/param/userMessage': JSON.stringify({ message: words }) }));
    assert.equal(await page.locator('figure.message blockquote').innerText(), 'Du ska signera ärende 7.');
  });
});
