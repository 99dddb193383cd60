// Two people, two browsers: a request taken on, an answer, a change with its history, a reaction, a withdrawal, messages
// that disappear, a block. axe on each panel, no CSP violation.
import { accept, bubble, deed, mark, option, reads, say, shot, tell, writeTo } from './chat.mjs';
import { settle } from './people.mjs';
import { check, World } from './world.mjs';

const world = await World.make();

async function story() {
  const relay = await world.relay();
  const alice = await world.browser('alice', await world.node('alice', relay), { viewport: { width: 1100, height: 850 } });
  const bob = await world.browser('bob', await world.node('bob', relay), { viewport: { width: 360, height: 740 }, colorScheme: 'dark' });
  await settle(alice, 'alice');
  await settle(bob, 'bob');

  // A stranger's message is a request: the stranger learns nothing before it is accepted.
  await writeTo(alice, 'bob');
  await say(alice, 'hello bob');
  await bob.getByRole('link', { name: /alice/ }).click();
  await reads(bob, 'bob', ['hello bob']);
  await bob.getByRole('region', { name: 'Message request' }).waitFor();
  await world.axe('bob', bob, 'request');
  await shot(bob, 'bob-request');
  await mark(alice, 'Kept by the relay');
  check((await alice.getByRole('img', { name: /^(On a device|Read)/ }).count()) === 0, 'nothing goes back before it is accepted');
  await accept(bob);
  await mark(alice, 'On a device of the recipient');
  console.log('a request, accepted');

  // An answer with what it answers.
  await deed(bob, 'hello bob', 'Reply');
  await bob.getByText('Reply to alice').waitFor();
  await world.axe('bob', bob, 'an answer');
  await say(bob, 'hello yourself');
  await bubble(alice, 'hello yourself').locator('blockquote').getByText('hello bob').waitFor();
  await shot(alice, 'alice-answered');

  // A change, with its history on the other side.
  await deed(alice, 'hello bob', 'Edit');
  await say(alice, 'hello dear bob');
  await bubble(bob, 'hello dear bob').getByText('edited').waitFor();
  await reads(bob, 'bob', ['hello dear bob', 'hello yourself']);
  await bubble(bob, 'hello dear bob').getByRole('button', { name: 'Message actions' }).click();
  await bob.getByRole('menuitem', { name: 'Earlier versions…' }).click();
  const versions = bob.getByRole('list', { name: /^Versions/ });
  await versions.getByText('hello dear bob').waitFor();
  check((await versions.getByRole('listitem').count()) === 2, 'two versions');
  await world.axe('bob', bob, 'versions');
  await bob.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
  console.log('answered and changed');

  // A reaction, by both.
  await deed(bob, 'hello dear bob', '🎉');
  const party = alice.getByRole('button', { name: '🎉 by bob' });
  await party.waitFor();
  await party.click();
  await bob.getByRole('button', { name: /^🎉 2 by/ }).waitFor();
  await world.axe('alice', alice, 'reactions');
  await shot(alice, 'alice-reactions');

  // Withdrawn for everyone.
  await deed(bob, 'hello yourself', 'Delete…');
  await world.axe('bob', bob, 'delete');
  await bob.getByRole('button', { name: 'Delete for everyone' }).click();
  await reads(alice, 'alice', ['hello dear bob', 'This message was deleted.']);
  console.log('a reaction, and a withdrawal');

  // Messages that disappear.
  await option(alice, 'menuitemradio', '5 minutes');
  await bob.getByText('alice let messages disappear after 5 minutes.').waitFor();
  await bob.getByText('End-to-end encrypted · messages disappear after 5 minutes').waitFor();
  await say(alice, 'psst');
  await bubble(bob, 'psst').getByRole('img', { name: /^Disappears/ }).waitFor();
  await world.axe('bob', bob, 'a timer');
  await shot(bob, 'bob-timer');

  // Blocked: nothing comes, nothing goes; and back.
  await option(bob, 'menuitem', 'Block');
  const blocked = bob.getByRole('region', { name: 'Blocked' });
  await blocked.waitFor();
  check((await bob.getByRole('textbox', { name: /^Message to/ }).count()) === 0, 'nothing can be written to who is blocked');
  await world.axe('bob', bob, 'blocked');
  await shot(bob, 'bob-blocked');
  await say(alice, 'are you there?');
  await mark(alice, 'Kept by the relay');
  await alice.waitForTimeout(3_000);
  check((await bob.getByText('are you there?').count()) === 0, 'a blocked message is not shown');
  await blocked.getByRole('button', { name: 'Unblock' }).click();
  await say(bob, 'back again');
  await alice.getByText('back again').first().waitFor();
  console.log('a timer, a block and its end');
}

await tell(world, story);
