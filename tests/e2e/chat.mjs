// What people do on the page, and how a story is told to its end.
import { PATIENCE, sleep } from './world.mjs';

export async function say(page, text) {
  const box = page.getByRole('textbox', { name: /^Message to/ });
  await box.fill(text);
  await box.press('Enter');
}

const texts = (page) => page.getByRole('log').locator('.bubble .message-text').allInnerTexts();

/** Waits until `holds` says so; `what` is told when it never does. */
export async function until(holds, what, patience = PATIENCE) {
  const deadline = Date.now() + patience;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`does not hold: ${typeof what === 'function' ? await what() : what}`);
    await sleep(100);
  }
}

/** Exactly these texts, in this order. */
export async function reads(page, who, expected) {
  const now = async () => JSON.stringify((await texts(page)).map((t) => t.trim()));
  const wanted = JSON.stringify(expected);
  await until(async () => (await now()) === wanted, async () => `${who} reads ${wanted}, but ${await now()}`);
}

const STEPS = [
  ['Waiting on this device'],
  ['Kept by the relay'],
  ['On a device of the recipient', 'On a device of everybody else'],
  ['Read', 'Read by everybody else'],
];

/** The mark at the last own bubble, at least as far as `step`. */
export async function mark(page, step) {
  const far = (words) => STEPS.findIndex((names) => names.includes(words));
  const now = () => page.locator('.row.own .ticks').last().getAttribute('aria-label');
  await until(async () => far(await now()) >= far(step), async () => `the last own message is "${step}", not "${await now()}"`);
}

/** The bubble that says `text`. */
export function bubble(page, text) {
  const says = page.locator(`.message-text:text-is(${JSON.stringify(text)})`);
  return page.getByRole('log').locator('.row').filter({ has: says });
}

/** Chooses from a message's menu. */
export async function deed(page, text, name) {
  await bubble(page, text).hover();
  await bubble(page, text).getByRole('button', { name: 'Message actions' }).click();
  await page.getByRole('menuitem', { name, exact: true }).click();
}

/** Chooses from the chat's menu. */
export async function option(page, role, name) {
  await page.getByRole('button', { name: 'Chat options' }).click();
  await page.getByRole(role, { name, exact: true }).click();
}

/** Starts a chat by a name. */
export async function writeTo(page, username) {
  await page.getByRole('button', { name: 'New chat' }).click();
  await page.getByRole('dialog').getByLabel('Username').fill(username);
  await page.getByRole('button', { name: 'Start chat' }).click();
  await page.getByRole('textbox', { name: `Message to ${username}` }).waitFor();
}

/** Takes a request on, once it is there. */
export async function accept(page) {
  const request = page.getByRole('region', { name: 'Message request' });
  await request.getByRole('button', { name: 'Accept' }).click();
  await request.waitFor({ state: 'detached' });
}

/** A notice in the chat that is open. */
export const happened = (page, what) => page.getByRole('log').locator('.notice').filter({ hasText: what }).first().waitFor();

/** Chooses from the page's menu. */
export async function menu(page, name) {
  await page.getByRole('button', { name: 'Menu' }).click();
  await page.getByRole('menuitem', { name }).click();
}

export async function shot(page, name) {
  if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/${name}.png` });
}

/** Tells a story, and ends the program: well only if it came to its end without a complaint. */
export async function tell(world, story) {
  let failure;
  try {
    await story();
  } catch (error) {
    failure = error;
    for (const { name, page } of world.people) {
      console.error(`--- ${name} sees at ${page.url()}:\n${await page.locator('body').innerText().catch(() => '?')}`);
    }
  }
  await world.close();
  if (world.complaints.length > 0) failure ??= new Error('complaints');
  for (const complaint of world.complaints) console.error(complaint);
  if (failure) {
    console.error(failure);
    process.exit(1);
  }
  console.log('no CSP violation, no foreign request, nothing for axe');
}
