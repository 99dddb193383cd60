// Somebody who has neither a device nor the phrase any more starts anew under the same name: whoever knew them is stopped
// before a word goes there, is told what to do, verifies, and goes on. Somebody else takes them on their word.
import { accept, reads, say, shot, tell, until, writeTo } from './chat.mjs';
import { ask, settle } from './people.mjs';
import { check, code, World } from './world.mjs';

const world = await World.make();
const composer = (page) => page.getByRole('textbox', { name: /^Message to/ });

async function story() {
  const relay = await world.relay();
  const alice = await world.browser('alice', await world.node('alice', relay), { viewport: { width: 1280, height: 800 } });
  const carol = await world.browser('carol', await world.node('carol', relay), { viewport: { width: 390, height: 844 } });
  const bob = await world.browser('bob', await world.node('bob', relay));
  const own = await settle(alice, 'alice');
  check(own.length > 0, 'alice is there');
  await settle(carol, 'carol');
  const key = await settle(bob, 'bob');
  for (const [page, name] of [[alice, 'alice'], [carol, 'carol']]) {
    await writeTo(page, 'bob');
    await say(page, `hello, this is ${name}`);
    await bob.getByRole('link', { name: new RegExp(name) }).click();
    await accept(bob);
    await say(bob, `hello ${name}`);
    await reads(page, name, [`hello, this is ${name}`, `hello ${name}`]);
  }

  // Everything is gone but the authenticator: the old account ends, another begins under its name.
  await ask(bob, { type: 'delete_account', code: code(key, 1) });
  await bob.close();
  const anew = await world.browser('bob-anew', await world.node('bob-anew', relay));
  await settle(anew, 'bob');
  for (const name of ['alice', 'carol']) {
    await writeTo(anew, name);
    await say(anew, `it is me, ${name}`);
  }

  // Nothing can be written before it was looked into, and it is said what that means and what to do.
  for (const [page, name] of [[alice, 'alice'], [carol, 'carol']]) {
    if (name === 'carol') await page.getByRole('button', { name: 'Back to the list' }).click();
    let changed;
    await until(async () => {
      changed = (await ask(page, { type: 'conversations' })).conversations.find((c) => c.new_keys);
      return changed !== undefined;
    }, `${name} has a chat with new keys`);
    await page.locator(`a[href$="${changed.id}"]`).click();
    const stop = page.getByRole('region', { name: 'Another account than before' });
    await stop.getByRole('alert').getByText('is another account than the one you knew by that name.').waitFor();
    await stop.getByText(/compare the safety number in person or on a call/).waitFor();
    check((await composer(page).count()) === 0, `${name} has nowhere to write`);
    await world.axe(name, page, 'another account than before');
    await shot(page, `${name}-another-account`);
  }
  console.log('both were stopped before a word went to the new account');

  // Alice compares the code that Bob shows; Carol takes him on his word.
  const { contacts } = await ask(anew, { type: 'contacts' });
  const shown = await ask(anew, { type: 'safety_code', account: contacts.find((c) => c.username === 'alice').account });
  const stop = alice.getByRole('region', { name: 'Another account than before' });
  await stop.getByRole('button', { name: 'Verify' }).click();
  const sheet = alice.getByRole('dialog', { name: 'Verify' });
  await sheet.getByLabel(/What they sent you in another way/).fill(shown.code);
  await sheet.getByRole('button', { name: 'Compare' }).click();
  await alice.getByText("✓ That is bob's code, and it is about you.").waitFor();
  await alice.getByRole('button', { name: 'Close' }).click();
  await composer(alice).waitFor();
  await say(alice, 'good to have you back');
  await carol.getByRole('button', { name: 'Go on without' }).click();
  await composer(carol).waitFor();
  await say(carol, 'who are you');
  for (const [name, text] of [['alice', 'good to have you back'], ['carol', 'who are you']]) {
    await anew.getByRole('link', { name: new RegExp(name) }).click();
    await reads(anew, 'bob', [`it is me, ${name}`, text]);
  }
  check((await alice.getByRole('img', { name: 'Verified' }).count()) > 0, 'alice sees that he is verified');
  check((await carol.getByRole('img', { name: 'Verified' }).count()) === 0, 'carol compared nothing');
  console.log('verified by his code, or taken on his word, it goes on');
}

await tell(world, story);
