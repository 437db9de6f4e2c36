// A small federation of peers that nobody here wrote: two SimpleSAMLphp identity providers and relying parties on openid-client,
// joined as their operators would join them: files out, files in. Who the people are, and what their employers say of them.

import { freshFolder } from './places.mjs';
import { Undo } from './processes.mjs';
import { startRedis } from './redis.mjs';
import { RelyingParty } from './relying_party.mjs';
import { SimpleSamlPhp } from './simplesamlphp.mjs';
import { Sparvidd } from './sparvidd.mjs';

/** Attribute names as Sweden Connect's attribute specification gives them. */
const named = {
  displayName: 'urn:oid:2.16.840.1.113730.3.1.241',
  surname: 'urn:oid:2.5.4.4',
  givenName: 'urn:oid:2.5.4.42',
  mail: 'urn:oid:0.9.2342.19200300.100.1.3',
  organisationName: 'urn:oid:2.5.4.10',
  orgAffiliation: 'urn:oid:1.2.752.201.3.1',
  personalIdentityNumber: 'urn:oid:1.2.752.29.4.13',
  employeeHsaId: 'urn:oid:1.2.752.29.6.2.1',
  subjectId: 'urn:oasis:names:tc:SAML:attribute:subject-id',
};

const said = (attributes) => Object.fromEntries(Object.entries(attributes).map(([key, value]) => [named[key], [value]]));

/** What is said of Åsa; the signs of XML, HTML and JSON are in her name on purpose. The number is of nobody: a test number. */
export const asa = {
  username: 'asa',
  password: 'å&<lösen>"ord',
  displayName: 'Åsa "Ö" <Berg> & dotter',
  surname: 'Öberg',
  givenName: 'Åsa',
  mail: 'asa.oberg@granvik.localhost',
  orgAffiliation: 'asaobe@2120009903',
  personalIdentityNumber: '199001012385',
  subjectId: 'asaobe@granvik.localhost',
};

/** Locked by her employer: the provider says no. */
export const lotta = { ...asa, username: 'lotta', subjectId: 'lotlin@granvik.localhost', orgAffiliation: 'lotlin@2120009903' };

/** A nurse of the region, known by a persistent NameID, with an HSA-id. */
export const omar = {
  username: 'omar',
  password: 'syrsa',
  displayName: 'Omar Lind',
  surname: 'Lind',
  givenName: 'Omar',
  mail: 'omar.lind@fjorden.localhost',
  orgAffiliation: 'omli@2321009900',
  employeeHsaId: 'SE2321009900-O3K7',
};

/** What the organisations are called, as the provider choice shows it. */
export const employers = { granvik: 'Granviks kommun', fjorden: 'Region Fjorden' };

const record = ({ number, sv, en, domain, more = '' }) => `
number = "${number}"
name = { sv = "${sv}", en = "${en}" }
domains = ["${domain}"]
scopes = ["${domain}"]
ceiling = ["http://id.elegnamnden.se/loa/1.0/loa3"]
support = { email = "support@${domain}" }
${more}
`;

const organisations = {
  granvik: record({
    number: '2120009903',
    sv: employers.granvik,
    en: 'Granvik municipality',
    domain: 'granvik.localhost',
    more: 'may_assert = ["personal_identity_number"]',
  }),
  fjorden: record({
    number: '2321009900',
    sv: employers.fjorden,
    en: 'Fjorden region',
    domain: 'fjorden.localhost',
    more: 'hsa_prefixes = ["SE2321009900-"]',
  }),
  hamnverket: record({
    number: '2021009903',
    sv: 'Hamnverket',
    en: 'The ports agency',
    domain: 'hamnverket.localhost',
    more: `entitled = ["display_name", "surname", "given_name", "mail", "org_affiliation", "organisation_name",
      "organisation_number", "employee_hsa_id"]`,
  }),
};

const uri = 'urn:oasis:names:tc:SAML:2.0:attrname-format:uri';
const loa3 = 'http://id.elegnamnden.se/loa/1.0/loa3';

/** What an operator in Sweden writes into saml20-idp-hosted beside the defaults. */
const swedish = (sv, en, scopes) => ({
  scope: scopes,
  UIInfo: { DisplayName: { sv, en }, Description: { sv: `Inloggning för ${sv}`, en: `Sign-in for ${en}` } },
  OrganizationName: { sv, en },
  OrganizationDisplayName: { sv, en },
  OrganizationURL: { sv: `http://www.${scopes[0]}`, en: `http://www.${scopes[0]}` },
  contacts: [{ contactType: 'technical', givenName: 'IT-enheten', emailAddress: `it@${scopes[0]}` }],
  EntityAttributes: { [`{${uri}}urn:oasis:names:tc:SAML:attribute:assurance-certification`]: [loa3] },
});

/** People at a level, and one whom the provider turns away after the password. */
const steps = {
  20: { class: 'saml:AuthnContextClassRef', AuthnContextClassRef: loa3 },
  30: {
    class: 'core:PHP',
    code: `if (in_array('${lotta.subjectId}', $attributes['${named.subjectId}'] ?? [], true)) {
      \\SimpleSAML\\Auth\\State::throwException($state, new \\SimpleSAML\\Module\\saml\\Error(
        \\SAML2\\Constants::STATUS_RESPONDER, \\SAML2\\Constants::STATUS_REQUEST_DENIED, 'locked'
      ));
    }`,
  },
};

const account = ({ username: _, password, ...attributes }) => ({ password, attributes: said(attributes) });

/** The two identity providers, each the other way of everything that the standard leaves open. */
export const providers = {
  granvik: {
    number: '2120009903',
    subjectSource: 'subject_id',
    host: 'idp.granvik.localhost',
    people: Object.fromEntries([asa, lotta].map((person) => [person.username, account(person)])),
    hosted: {
      ...swedish(employers.granvik, 'Granvik municipality', ['granvik.localhost', '2120009903']),
      authproc: steps,
    },
  },
  // POST instead of Redirect, a persistent NameID, only the assertion signed.
  fjorden: {
    number: '2321009900',
    subjectSource: 'persistent_name_id',
    host: 'inloggning.fjorden.localhost',
    people: { [omar.username]: account(omar) },
    hosted: {
      ...swedish(employers.fjorden, 'Fjorden region', ['fjorden.localhost', '2321009900']),
      SingleSignOnServiceBinding: ['urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST'],
      NameIDFormat: ['urn:oasis:names:tc:SAML:2.0:nameid-format:persistent'],
      'saml20.sign.response': false,
      authproc: { 10: { class: 'saml:PersistentNameID', attribute: named.orgAffiliation }, ...steps },
    },
    remote: { 'saml20.sign.assertion': true },
  },
};

/** The scope of the service identity, and of the standard claims. */
export const scope = 'openid profile email https://id.oidc.se/scope/naturalPersonOrgId';

/** A federation that runs, on a Redis server of its own. */
export class Federation {
  #undo = new Undo();

  /** `suite` names its folder under target/interop. `hosted`: what to add to a provider's own metadata, by its name
   * here. `more`: further lines of the broker's configuration. */
  static async start(suite, hosted = {}, { more } = {}) {
    const federation = new Federation();
    try {
      await federation.#start(suite, hosted, more);
    } catch (error) {
      await federation.stop();
      throw error;
    }
    return federation;
  }

  async #start(suite, hosted, more) {
    this.folder = await freshFolder(suite);
    this.redis = this.#undo.later(await startRedis(this.folder));
    this.broker = this.#undo.later(await Sparvidd.start(this.folder, { store: this.redis.url, more }));
    for (const [name, text] of Object.entries(organisations)) await this.broker.addOrganisation(name, text);
    const publishedBy = [await this.broker.publish()];
    const extended = (name) => ({ ...providers[name], hosted: { ...providers[name].hosted, ...hosted[name] } });
    this.granvik = await this.#provider(extended('granvik'), publishedBy);
    this.fjorden = await this.#provider(extended('fjorden'), publishedBy);
  }

  async #provider({ number, subjectSource, ...settings }, publishedBy) {
    const provider = this.#undo.later(await SimpleSamlPhp.start(this.folder, { ...settings, publishedBy }));
    const file = await provider.publish();
    await this.broker.addMetadata(file, '--organisation', number, '--subject-source', subjectSource);
    return provider;
  }

  /** A relying party of Hamnverket, registered and live. `attributes`: what the operator lets it have, if not what its scopes hold. */
  async relyingParty(clientId, authentication, { attributes = [], ...registration } = {}) {
    const host = `${clientId}.hamnverket.localhost`;
    const settings = { issuer: this.broker.issuer, clientId, host, authentication, scope, registration };
    const party = this.#undo.later(await RelyingParty.start(settings));
    const allowed = attributes.flatMap((name) => ['--attribute', name]);
    await this.broker.addMetadata(await party.publish(this.folder), '--organisation', '2021009903', ...allowed);
    await this.broker.knows(clientId, party.redirectUri);
    return party.connect();
  }

  stop() {
    return this.#undo.all();
  }
}
