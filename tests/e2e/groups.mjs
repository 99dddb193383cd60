// Three people, three browsers, one group: made, joined, talked in, renamed, a role given, a change that waits for the
// relay, somebody removed who sees it and can't write, somebody who leaves. axe on each panel, no CSP violation, nothing
// wider than a phone of 360 pixels.
import { accept, bubble, deed, happened, mark, option, reads, say, shot, tell, until, writeTo } from './chat.mjs';
import { settle } from './people.mjs';
import { check, World } from './world.mjs';

const world = await World.make();
const members = async (page) => {
  await page.getByRole('button', { name: 'Members' }).click();
  return page.getByRole('dialog', { name: 'Group' });
};
const done = (sheet) => sheet.getByRole('button', { name: 'Done' }).click();
const headed = (page, title) => page.getByRole('heading', { name: title, exact: true, level: 2 }).waitFor();

async function fits(page, where) {
  const [needs, has] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  check(needs <= has, `${where} fits: ${needs} of ${has} pixels`);
}

async function story() {
  const relay = await world.relay();
  const looks = [
    ['alice', { viewport: { width: 1100, height: 850 } }],
    ['bob', { viewport: { width: 390, height: 800 }, colorScheme: 'dark' }],
    ['carol', { viewport: { width: 360, height: 740 } }],
  ];
  const people = [];
  for (const [name, look] of looks) {
    const page = await world.browser(name, await world.node(name, relay), look);
    await settle(page, name);
    people.push(page);
  }
  const [alice, bob, carol] = people;

  // Alice and Bob know each other; Carol knows nobody.
  await writeTo(alice, 'bob');
  await say(alice, 'hi bob');
  await bob.getByRole('link', { name: /alice/ }).click();
  await accept(bob);
  await say(bob, 'hi alice');
  await reads(alice, 'alice', ['hi bob', 'hi alice']);

  // A group, by keyboard.
  await alice.getByRole('button', { name: 'New group' }).click();
  const sheet = alice.getByRole('dialog', { name: 'New group' });
  await sheet.getByLabel('Title').fill('hikers');
  await sheet.getByRole('checkbox', { name: 'bob' }).press('Space');
  await sheet.getByLabel("Somebody else's username").fill('carol');
  await sheet.getByLabel("Somebody else's username").press('Enter');
  check(await sheet.getByRole('checkbox', { name: 'carol' }).isChecked(), 'who was typed is chosen');
  await world.axe('alice', alice, 'new group');
  await shot(alice, 'new-group');
  await sheet.getByRole('button', { name: 'Make the group' }).click();
  await headed(alice, 'hikers');
  await alice.getByText(/^3 members/).waitFor();
  await happened(alice, 'You made the group hikers.');
  // In the order of their accounts, which are made anew in each run.
  await happened(alice, /You added (bob and carol|carol and bob)\./);
  await bob.getByRole('button', { name: 'Back to the list' }).click();
  await fits(bob, 'the list');
  await bob.getByRole('link', { name: /hikers/ }).click();
  await happened(bob, 'alice added you to the group hikers.');
  check((await bob.getByRole('region', { name: 'Message request' }).count()) === 0, 'of somebody known it is no request');
  await carol.getByRole('link', { name: /hikers/ }).click();
  await carol.getByText(/3 members: alice, bob\./).waitFor();
  await world.axe('carol', carol, "a stranger's group");
  await fits(carol, 'the request');
  await shot(carol, 'carol-request');
  await accept(carol);
  console.log('a group of three; of a stranger it is a request');

  await say(alice, 'hello both');
  await reads(bob, 'bob', ['hello both']);
  await reads(carol, 'carol', ['hello both']);
  await say(bob, 'hello from bob');
  await reads(carol, 'carol', ['hello both', 'hello from bob']);
  await say(carol, 'hello from carol, <b>not bold</b>');
  const said = ['hello both', 'hello from bob', 'hello from carol, <b>not bold</b>'];
  for (const [i, [name]] of looks.entries()) await reads(people[i], name, said);
  const authors = await alice.locator('.row.other .author').allInnerTexts();
  check(JSON.stringify(authors) === '["bob","carol"]', `bubbles have their senders' names: ${authors}`);
  // Accounts are made anew in each run, so two of them may have nearly one colour; but each has its own on all pages.
  const colour = (page) =>
    page.locator('.row.other .author', { hasText: 'bob' }).first().evaluate((a) => getComputedStyle(a).color);
  const ordinary = await alice.locator('.row.other .message-text').first().evaluate((a) => getComputedStyle(a).color);
  const ofBob = await colour(alice);
  check(ofBob !== ordinary, 'names have a colour');
  check(ofBob === (await colour(carol)), 'a name has the same colour for everybody');
  await mark(alice, 'On a device of everybody else');
  for (const [i, [name]] of looks.entries()) {
    await world.axe(name, people[i], 'the group');
    await fits(people[i], `${name}'s group`);
    await shot(people[i], `${name}-group`);
  }
  console.log('everybody reads everybody, and whose it is');

  // A new title; a role; what each may do.
  let panel = await members(alice);
  await world.axe('alice', alice, 'members');
  await shot(alice, 'members');
  await panel.getByRole('button', { name: 'Change the title' }).click();
  await panel.getByLabel('Title').fill('climbers');
  await world.axe('alice', alice, 'change the title');
  await panel.getByLabel('Title').press('Enter');
  await panel.getByRole('button', { name: 'Options for bob' }).click();
  await alice.getByRole('menuitem', { name: 'Make an admin' }).click();
  await panel.getByText('Admin', { exact: true }).waitFor();
  await done(panel);
  for (const page of people) await headed(page, 'climbers');
  await happened(bob, 'alice changed the title to climbers.');
  await happened(carol, 'alice made bob an admin.');
  panel = await members(carol);
  check((await panel.getByRole('button', { name: /^(Options|Invite|Change)/ }).count()) === 0, 'a member is offered none of it');
  await world.axe('carol', carol, 'members on a phone');
  await fits(carol, 'the panel');
  await shot(carol, 'carol-members');
  await done(panel);
  console.log('renamed, and bob an admin');

  // A timer is a change of the group too; a message can be answered and taken back.
  await option(alice, 'menuitemradio', '1 day');
  await happened(carol, 'alice let messages disappear after 1 day.');
  await deed(bob, said[0], 'Reply');
  await say(bob, 'fleeting');
  await bubble(carol, 'fleeting').locator('blockquote').getByText(said[0]).waitFor();
  await deed(bob, 'fleeting', 'Delete…');
  await bob.getByRole('button', { name: 'Delete for everyone' }).click();
  said.push('This message was deleted.');
  await reads(carol, 'carol', said);
  await deed(carol, said[0], '👍');
  await alice.getByRole('button', { name: '👍 by carol' }).waitFor();
  console.log('a timer, an answer, a withdrawal, a reaction');

  // While the relay is dead a change waits, in sight, and writing goes on.
  await relay.kill();
  await alice.getByText(/^Offline:/).waitFor();
  panel = await members(alice);
  await panel.getByRole('button', { name: 'Change the title' }).click();
  await panel.getByLabel('Title').fill('walkers');
  await panel.getByLabel('Title').press('Enter');
  await panel.getByText(/A change waits for the relay/).waitFor();
  await done(panel);
  await alice.getByText(/A change waits for the relay/).waitFor();
  await world.axe('alice', alice, 'a change waits');
  await shot(alice, 'alice-waits');
  await relay.start();
  for (const page of people) await headed(page, 'walkers');
  await alice.getByText(/waits for the relay/).waitFor({ state: 'detached' });
  console.log('a change waited for the relay');

  // Bob removes Carol: she sees it, can't write, and hears no more.
  panel = await members(bob);
  check((await panel.getByRole('button', { name: 'Options for alice' }).count()) === 0, 'an admin can do nothing about an owner');
  await panel.getByRole('button', { name: 'Options for carol' }).click();
  await bob.getByRole('menuitem', { name: 'Remove from the group…' }).click();
  await panel.getByRole('button', { name: 'Keep them' }).waitFor();
  await world.axe('bob', bob, 'remove');
  await panel.getByRole('button', { name: 'Remove', exact: true }).click();
  await panel.getByRole('heading', { name: '2 members' }).waitFor();
  await done(panel);
  await carol.getByText('You were removed from this group.').waitFor();
  await happened(carol, 'bob removed you.');
  check((await carol.getByRole('textbox', { name: /^Message to/ }).count()) === 0, 'who was removed has nowhere to write');
  await world.axe('carol', carol, 'removed');
  await shot(carol, 'carol-removed');
  await say(alice, 'without carol');
  await reads(bob, 'bob', [...said, 'without carol']);
  await reads(carol, 'carol', said);
  console.log('carol is removed, sees it, and reads nothing more');

  // Bob leaves; Alice is alone, and may go too.
  panel = await members(bob);
  await panel.getByRole('button', { name: 'Leave the group' }).click();
  await panel.getByRole('button', { name: 'Leave', exact: true }).click();
  await bob.getByText('You left this group.').waitFor();
  await happened(alice, 'bob left.');
  await until(async () => (await alice.getByText(/^1 member ·/).count()) > 0, 'alice is alone');
  console.log('bob left');
}

await tell(world, story);
