// A device that is locked and opened: by the menu, by a code, by recovery phrase and passphrase while the relay is away,
// and by itself after a while without use. No chat is on the page meanwhile, in no tab. axe on each panel.
import { accept, menu, reads, say, shot, tell, until, writeTo } from './chat.mjs';
import { ask, settle } from './people.mjs';
import { check, code, World } from './world.mjs';

const world = await World.make();
const locked = (page) => page.getByRole('heading', { name: 'This device is locked' }).waitFor();
const open = (page) => page.getByRole('button', { name: 'New chat' }).waitFor();

async function story() {
  const relay = await world.relay();
  const [aliceNode, bobNode] = [await world.node('alice', relay), await world.node('bob', relay)];
  const alice = await world.browser('alice', aliceNode, { viewport: { width: 1100, height: 800 } });
  const bob = await world.browser('bob', bobNode);
  const key = await settle(alice, 'alice');
  await settle(bob, 'bob');
  const { words } = await ask(alice, { type: 'phrase' });
  await writeTo(alice, 'bob');
  await say(alice, 'hello bob');
  await bob.getByRole('link', { name: /alice/ }).click();
  await reads(bob, 'bob', ['hello bob']);
  await accept(bob);

  // A passphrase, by the menu.
  await menu(alice, 'Account…');
  await alice.getByRole('button', { name: 'How this device is locked' }).click();
  await alice.getByLabel('A passphrase as a further way in').fill('short');
  await alice.getByRole('button', { name: 'Set it' }).click();
  await alice.getByRole('alert').first().waitFor();
  await world.axe('alice', alice, 'vault');
  await shot(alice, 'vault');
  await alice.getByLabel('A passphrase as a further way in').fill('correct horse battery');
  await alice.getByRole('button', { name: 'Set it' }).click();
  await alice.getByText('The passphrase opens this device now, too.').waitFor();
  await alice.getByRole('button', { name: 'Done' }).click();

  // Locked by the menu: in the other tab, too, and nothing of what was said is left on either.
  const tab = await alice.context().newPage();
  await tab.goto(new URL('/', alice.url()).href);
  await open(tab);
  await menu(alice, 'Lock now');
  await locked(alice);
  await locked(tab);
  for (const page of [alice, tab]) {
    check(!(await page.content()).includes('hello bob'), 'a locked page shows nothing of what was said');
  }
  await tab.close();
  await world.axe('alice', alice, 'locked');
  await shot(alice, 'locked');
  await say(bob, 'while you were locked');

  // A wrong code says so, and the field is empty and ready again; the right one opens.
  const field = alice.getByLabel('Code from your authenticator app');
  await field.fill(code(key, 1).replace(/.$/, (d) => String((Number(d) + 5) % 10)));
  await alice.getByRole('alert').filter({ hasText: 'wrong' }).waitFor();
  check((await field.inputValue()) === '', 'after a wrong code the field is empty');
  await shot(alice, 'locked-wrong-code');
  await field.fill(code(key, 1));
  await open(alice);
  await alice.getByRole('link', { name: /bob/ }).click();
  await reads(alice, 'alice', ['hello bob', 'while you were locked']);
  console.log('locked in both tabs, opened by a code, what came meanwhile is there');

  // The relay is away: a code can't help and says what does.
  await menu(alice, 'Lock now');
  await locked(alice);
  await relay.kill();
  // The line of before ends with the lock; what was typed into its last moment is typed again.
  const away = alice.getByRole('alert').filter({ hasText: 'recovery phrase or the passphrase' });
  await until(async () => {
    if ((await away.count()) > 0) return true;
    if (await field.isEnabled()) await field.fill(code(key, 2));
    return false;
  }, async () => `the alert says what helps, not ${await alice.getByRole('alert').allInnerTexts()}`, 60_000);
  await world.axe('alice', alice, 'locked, the relay away');
  await shot(alice, 'locked-relay-away');
  await alice.getByRole('button', { name: 'Use the recovery phrase' }).click();
  await alice.getByLabel('Recovery phrase').fill(words.join(' '));
  await alice.getByRole('button', { name: 'Unlock' }).click();
  await open(alice);
  await menu(alice, 'Lock now');
  await locked(alice);
  await alice.getByRole('button', { name: 'Use the passphrase' }).click();
  await alice.getByLabel('Passphrase').fill('correct horse battery');
  await alice.getByRole('button', { name: 'Unlock' }).click();
  await alice.getByRole('link', { name: /bob/ }).click();
  await reads(alice, 'alice', ['hello bob', 'while you were locked']);
  console.log('phrase and passphrase opened it without the relay');

  // Without use it locks by itself; an open page is no use.
  await relay.start();
  await alice.reload(); // The line of before went with the lock.
  await open(alice);
  await ask(alice, { type: 'set_vault', stay_unlocked: true, lock_after: 2 });
  await until(async () => (await alice.getByRole('heading', { name: 'This device is locked' }).count()) === 1, 'it locks by itself');
  console.log('locked by itself after two seconds without use');
}

await tell(world, story);
