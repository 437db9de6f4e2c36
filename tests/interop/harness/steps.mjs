// What a person does on the way to a service, one step a function. Page texts are not read here beyond names: the steps hold
// for every language.

import { signInAtProvider } from './simplesamlphp.mjs';

/** Goes to the service and chooses the employer. */
export async function chooseEmployer(page, party, employer, parameters = {}) {
  await page.goto(party.start(parameters));
  await page.getByRole('link', { name: employer }).click();
  await page.locator('input[name=username]').waitFor();
}

/** Answers the notice: `accept` or `decline`. Ends at the relying party. */
export async function answerNotice(page, party, decision = 'accept') {
  await page.locator(`button[name=decision][value=${decision}]`).click();
  await page.waitForURL(`${party.redirectUri}?**`);
}

/** The whole way, from the service and back; gives what the relying party received. */
export async function signIn(page, party, employer, person, parameters = {}) {
  await chooseEmployer(page, party, employer, parameters);
  await signInAtProvider(page, person.username, person.password);
  await answerNotice(page, party);
  return party.last();
}
