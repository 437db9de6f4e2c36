// An employee signs in: SimpleSAMLphp, the broker, openid-client, and Chromium between them.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';

import { newPerson, openBrowser, picture } from './harness/browser.mjs';
import { asa, employers, Federation, omar } from './harness/federation.mjs';
import { signInAtProvider } from './harness/simplesamlphp.mjs';
import { answerNotice, chooseEmployer, signIn } from './harness/steps.mjs';

const claim = (name) => `https://id.oidc.se/claim/${name}`;
/** loa3 as a broker says it whose assertion function has not been reviewed. */
const leavingLevel = 'http://id.swedenconnect.se/loa/1.0/uncertified-loa3';

describe('sign-in by SimpleSAMLphp to openid-client', { timeout: 300_000 }, () => {
  let federation;
  let browser;
  let person;
  let page;

  before(async () => {
    // Granvik encrypts as SimpleSAMLphp does: AES-128-CBC in a signed Response, the key from the broker's metadata. Fjorden does not.
    federation = await Federation.start('sign_in', { granvik: { 'assertion.encryption': true } });
    browser = await openBrowser();
  });
  after(async () => {
    await browser?.close();
    await federation?.stop();
  });

  afterEach(async (context) => {
    if (context.passed === false && page) await picture(page, `failed ${context.name}`.replaceAll(/[^a-z]+/gi, '-')).catch(() => null);
  });

  /** A new person for each test. */
  const asSomebodyNew = async (settings) => {
    await person?.close();
    person = await newPerson(browser, settings);
    page = await person.newPage();
  };

  for (const authentication of ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'private_key_jwt RS256']) {
    test(`with ${authentication}, the claims are what the employer said and no more`, async () => {
      await asSomebodyNew();
      const party = await federation.relyingParty(authentication.replaceAll(/[_ ]/g, '-').toLowerCase(), authentication);
      const began = Math.floor(Date.now() / 1000);
      const outcome = await signIn(page, party, employers.granvik, asa);
      assert.equal(outcome.error, undefined, JSON.stringify(outcome));

      const { claims, userinfo } = outcome;
      assert.deepEqual(outcome.secondLook, claims, 'openid-client and jose read the same ID token');
      assert.equal(outcome.header.alg, 'RS256');
      assert.equal(claims.acr, leavingLevel);
      assert.equal(claims[claim('orgAffiliation')], asa.orgAffiliation);
      assert.ok(claims.exp - claims.iat <= 300, 'an ID token lives at most five minutes');
      assert.ok(claims.auth_time >= began - 1 && claims.auth_time <= claims.iat, 'auth_time is when the password was given');
      assert.deepEqual(userinfo, {
        sub: claims.sub,
        name: asa.displayName,
        family_name: asa.surname,
        given_name: asa.givenName,
        email: asa.mail,
        [claim('orgName')]: employers.granvik,
        [claim('orgNumber')]: '2120009903',
        [claim('orgAffiliation')]: asa.orgAffiliation,
      });
      assert.ok(!JSON.stringify(outcome).includes(asa.personalIdentityNumber), 'nobody asked for the personal number');
      assert.notEqual(claims.sub, asa.subjectId);
    });
  }

  test('what Granvik says is encrypted to the key of our metadata: nothing of it is in the form that the browser carries', async () => {
    await asSomebodyNew();
    const party = await federation.relyingParty('sluten', 'client_secret_basic');
    const posted = [];
    page.on('request', (request) => {
      if (request.method() === 'POST' && request.url().endsWith('/saml/acs')) posted.push(new URLSearchParams(request.postData()));
    });
    const outcome = await signIn(page, party, employers.granvik, asa);
    assert.equal(outcome.userinfo.name, asa.displayName, JSON.stringify(outcome));
    const [xml] = posted.map((form) => Buffer.from(form.get('SAMLResponse'), 'base64').toString());
    assert.match(xml, /<saml:EncryptedAssertion[ >]/);
    assert.match(xml, /xmlenc#aes128-cbc/);
    assert.match(xml, /xmlenc#rsa-oaep-mgf1p/);
    assert.ok(!xml.includes(asa.surname) && !xml.includes(asa.subjectId));
  });

  const hsaIdWanted = { claims: JSON.stringify({ userinfo: { employeeHsaId: { essential: true } } }) };

  test('by POST, a persistent NameID and a signed assertion alone; the HSA-id to whom the operator lets have it', async () => {
    await asSomebodyNew();
    const attributes = ['display_name', 'org_affiliation', 'organisation_name', 'employee_hsa_id'];
    const party = await federation.relyingParty('journal', 'client_secret_basic', { attributes });
    const outcome = await signIn(page, party, employers.fjorden, omar, hsaIdWanted);
    assert.equal(outcome.error, undefined, JSON.stringify(outcome));
    assert.deepEqual(outcome.userinfo, {
      sub: outcome.claims.sub,
      name: omar.displayName,
      employeeHsaId: omar.employeeHsaId,
      [claim('orgName')]: employers.fjorden,
      [claim('orgAffiliation')]: omar.orgAffiliation,
    });
  });

  test('the HSA-id is not sent to a service that may not have it, however it asks', async () => {
    await asSomebodyNew();
    const party = await federation.relyingParty('kran', 'client_secret_basic');
    const outcome = await signIn(page, party, employers.fjorden, omar, hsaIdWanted);
    assert.equal(outcome.userinfo.name, omar.displayName, JSON.stringify(outcome));
    assert.ok(!JSON.stringify(outcome).includes(omar.employeeHsaId));
  });

  test('with an ES256 ID token and signed userinfo where the client asks for them', async () => {
    await asSomebodyNew();
    const party = await federation.relyingParty('kurva', 'private_key_jwt', {
      id_token_signed_response_alg: 'ES256',
      userinfo_signed_response_alg: 'ES256',
    });
    const outcome = await signIn(page, party, employers.granvik, asa);
    assert.equal(outcome.error, undefined, JSON.stringify(outcome));
    assert.equal(outcome.header.alg, 'ES256');
    assert.equal(outcome.userinfo.name, asa.displayName);
  });

  test('one person is the same to one service each time, and another to another', async () => {
    const [one, other] = [
      await federation.relyingParty('kaj', 'client_secret_basic'),
      await federation.relyingParty('fyr', 'client_secret_basic'),
    ];
    const subjects = [];
    for (const party of [one, one, other]) {
      await asSomebodyNew();
      subjects.push((await signIn(page, party, employers.fjorden, omar)).claims.sub);
    }
    assert.equal(subjects[0], subjects[1]);
    assert.notEqual(subjects[0], subjects[2]);
  });

  test('after a wrong password, with the right one', async () => {
    await asSomebodyNew();
    const party = await federation.relyingParty('pir', 'client_secret_basic');
    await chooseEmployer(page, party, employers.granvik);
    await signInAtProvider(page, asa.username, 'fel');
    await signInAtProvider(page, asa.username, asa.password);
    await answerNotice(page, party);
    assert.equal(party.last().userinfo.name, asa.displayName);
  });

  test('when the provider is named by the service, no choice is shown', async () => {
    await asSomebodyNew();
    const party = await federation.relyingParty('lots', 'client_secret_basic');
    await page.goto(party.start({ 'https://id.oidc.se/param/authnProvider': federation.granvik.entityId }));
    await signInAtProvider(page, asa.username, asa.password);
    await answerNotice(page, party);
    assert.equal(party.last().userinfo.name, asa.displayName);
  });

  test('without JavaScript in the browser', async () => {
    await asSomebodyNew({ javaScriptEnabled: false });
    const party = await federation.relyingParty('boj', 'client_secret_basic');
    // Every self-posting form has a button for this: the broker's towards Fjorden, and SimpleSAMLphp's back.
    await page.goto(party.start());
    await page.getByRole('link', { name: employers.fjorden }).click();
    await page.locator('button[type=submit], input[type=submit]').first().click();
    // SimpleSAMLphp 1.19 hides the button of its own form by this style sheet; without it the button is there.
    await page.route('**/resources/post.css', (route) => route.abort());
    await signInAtProvider(page, omar.username, omar.password);
    await page.locator('button[type=submit], input[type=submit]').first().click();
    await answerNotice(page, party);
    assert.equal(party.last().userinfo.name, omar.displayName);
  });

  test('nothing that was said of anybody is in the log', () => {
    const log = federation.broker.log();
    for (const { username: _, ...attributes } of [asa, omar]) {
      for (const value of Object.values(attributes)) assert.ok(!log.includes(value), `the log says ${value}`);
    }
  });
});
