// A file that goes from one device to the other because both of their owners want it, and a username that changes.
import { createHash, randomBytes } from 'node:crypto';
import { accept, happened, menu, reads, say, tell, until, writeTo } from './chat.mjs';
import { ask, settle } from './people.mjs';
import { check, code, World } from './world.mjs';

const world = await World.make();

const file = (page, name) => page.locator('.bubble', { has: page.locator('.file-name', { hasText: name }) });

async function consent(page) {
  await menu(page, 'Files…');
  const sheet = page.getByRole('dialog', { name: 'Files' });
  const choice = sheet.getByRole('checkbox', { name: 'Send and fetch files directly' });
  await sheet.getByText("Either of you sees the other's network address").waitFor();
  check(!(await choice.isChecked()), 'nobody is asked to show an address: it is off until one wants it');
  await choose(choice, true);
  await world.axe('somebody', page, 'files directly');
  await sheet.getByRole('button', { name: 'Close' }).click();
  await sheet.waitFor({ state: 'detached' });
}

/** The node has it before the page shows it. */
async function choose(box, on) {
  await box.click();
  await until(async () => (await box.isChecked()) === on, `the choice is ${on}`);
}

async function send(page, chosen) {
  await page.getByLabel('Files to send').setInputFiles(chosen);
  await page.getByRole('region', { name: 'Files to be sent' }).getByRole('button', { name: /^Send / }).click();
}

/** Notes everything that the page says about the way of a file. */
const listen = (page) => page.evaluate(() => {
  globalThis.ways = [];
  new MutationObserver(() => {
    const words = [...document.querySelectorAll('.bubble .progress-words')].map((w) => w.textContent);
    globalThis.ways.push(...words.filter((w) => / (directly|by the relay)$/.test(w)));
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
});

const sha256 = (page, url) => page.evaluate(async (from) => {
  const bytes = await (await fetch(from)).arrayBuffer();
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return [...hash].map((b) => b.toString(16).padStart(2, '0')).join('');
}, url);

const stored = async (page) => (await ask(page, { type: 'file_space' })).used;

async function story() {
  const relay = await world.relay();
  const nodes = { alice: await world.node('alice', relay), bob: await world.node('bob', relay) };
  const alice = await world.browser('alice', nodes.alice, { viewport: { width: 1100, height: 850 } });
  const bob = await world.browser('bob', nodes.bob, { viewport: { width: 900, height: 740 }, colorScheme: 'dark' });
  const keyOfAlice = await settle(alice, 'alice');
  await settle(bob, 'bob');
  await writeTo(alice, 'bob');
  await say(alice, 'look');
  await bob.getByRole('link', { name: /alice/ }).click();
  await reads(bob, 'bob', ['look']);
  await accept(bob);

  // Both want it.
  await consent(alice);
  await consent(bob);
  await listen(bob);
  const large = randomBytes(24 * 1024 * 1024);
  await send(alice, { name: 'film.bin', mimeType: '', buffer: large });
  const offered = file(bob, 'film.bin').getByRole('button', { name: 'Download' });
  await offered.waitFor();
  check((await offered.getAttribute('title')) === 'It is offered directly, from device to device', 'it is offered');
  check((await stored(alice)) === 0, 'it is a message before the relay has anything of it');
  await offered.click();
  const save = file(bob, 'film.bin').getByRole('link', { name: 'Save' });
  await save.waitFor();
  const sum = createHash('sha256').update(large).digest('hex');
  check((await sha256(bob, await save.getAttribute('href'))) === sum, 'the bytes agree');
  const ways = await bob.evaluate(() => globalThis.ways);
  check(ways.some((w) => w.endsWith(' directly')), `the page says that it went directly: ${ways}`);
  check(ways.filter((w) => w !== '0 % by the relay').every((w) => w.endsWith(' directly')), `and no other way: ${ways}`);
  await alice.getByRole('list', { name: 'Files being sent' }).waitFor({ state: 'detached' });
  check((await stored(alice)) === 0 && (await stored(bob)) === 0, 'the relay got nothing');
  console.log('a file from device to device');

  // Control: the same by the relay, once one of them doesn't want it any more.
  await menu(bob, 'Files…');
  await choose(bob.getByRole('checkbox', { name: 'Send and fetch files directly' }), false);
  await bob.getByRole('button', { name: 'Close' }).click();
  await menu(alice, 'Files…');
  await choose(alice.getByRole('checkbox', { name: 'Send and fetch files directly' }), false);
  await alice.getByRole('button', { name: 'Close' }).click();
  await send(alice, { name: 'later.bin', mimeType: '', buffer: large.subarray(0, 300_000) });
  await file(bob, 'later.bin').getByRole('button', { name: 'Download' }).click();
  await file(bob, 'later.bin').getByRole('link', { name: 'Save' }).waitFor();
  check((await stored(alice)) > 300_000, 'the relay has the other one');

  // Alice takes another name; bob sees it, what was verified or said stays, and the old name leads nobody to her.
  await menu(alice, 'Account…');
  await alice.getByRole('button', { name: 'Change username' }).click();
  const form = alice.getByRole('dialog');
  await form.getByLabel('New username').fill('alicia');
  await form.getByLabel('A code, or a recovery code').fill('000000');
  await form.getByRole('button', { name: 'Change it' }).click();
  await form.getByRole('alert').waitFor();
  await world.axe('alice', alice, 'a refused rename');
  await form.getByLabel('A code, or a recovery code').fill(code(keyOfAlice, 1));
  await form.getByRole('button', { name: 'Change it' }).click();
  await form.getByText('That is your name now. Your contacts see it soon.').waitFor();
  await alice.keyboard.press('Escape');
  await happened(bob, 'alicia');
  await bob.getByRole('textbox', { name: 'Message to alicia' }).waitFor();
  await say(bob, 'so you are alicia');
  await until(async () => (await alice.getByRole('log').innerText()).includes('so you are alicia'), 'bob still reaches her');
  console.log('another name');
}

await tell(world, story);
