// Three people, two devices for one of them: added by its code, with its history and with how far that is; what is read
// on one is read on the other; a group out of which somebody is removed from the new device; and the device removed
// again, which says so. axe on each panel, nothing wider than a phone.
//
// Not told by the gate yet: it comes as far as the history on the phone; that what the laptop reads is read there too did
// not happen within two minutes, and nothing behind that has been told.
import { accept, happened, menu, reads, say, shot, tell, until, writeTo } from './chat.mjs';
import { ask, settle } from './people.mjs';
import { check, code, World } from './world.mjs';

const world = await World.make();
const PHONE = { viewport: { width: 390, height: 844 } };

async function fits(page, where) {
  const [needs, has] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  check(needs <= has, `${where} fits: ${needs} of ${has} pixels`);
}

/** What a page was told of a handover, once it is done. */
async function handedOver(page, who) {
  let told = [];
  await until(async () => {
    told = await page.evaluate(() => globalThis.heard.filter((e) => e.type === 'handover_changed').map((e) => e.handover));
    return told.some((h) => h.state.state === 'done');
  }, () => `the handover of ${who} is done: ${JSON.stringify(told.at(-1))}`);
  return told;
}

async function story() {
  const relay = await world.relay();
  const laptop = await world.browser('laptop', await world.node('laptop', relay), { viewport: { width: 1280, height: 800 } });
  const bob = await world.browser('bob', await world.node('bob', relay), PHONE);
  const carol = await world.browser('carol', await world.node('carol', relay));
  const key = await settle(laptop, 'alice');
  await settle(bob, 'bob');
  await settle(carol, 'carol');

  // What was said before there was a second device.
  await writeTo(laptop, 'bob');
  await say(laptop, 'hello bob');
  await bob.getByRole('link', { name: /alice/ }).click();
  await accept(bob);
  await say(bob, 'hello alice');
  await reads(laptop, 'alice', ['hello bob', 'hello alice']);
  const { conversations } = await ask(laptop, { type: 'conversations' });
  const chat = conversations.find((c) => c.title === 'bob').id;
  for (let n = 0; n < 30; n += 1) {
    await ask(laptop, { type: 'send', conversation: chat, text: `line ${n}: ${'as it was said '.repeat(1_500)}` });
  }
  const { conversation: group } = await ask(laptop, { type: 'create_group', title: 'hikers', members: ['bob', 'carol'] });
  await carol.getByRole('link', { name: /hikers/ }).click();
  await accept(carol);
  await ask(laptop, { type: 'send', conversation: group, text: 'welcome all' });

  // The phone asks to be added, and shows its code.
  const phone = await world.browser('phone', await world.node('phone', relay), PHONE);
  await phone.getByRole('button', { name: 'I have an account on another device' }).click();
  await phone.getByLabel('Username').fill('alice');
  await phone.getByLabel(/^Code from your authenticator app/).fill(code(key, 1));
  await world.axe('phone', phone, 'asks to be added');
  await shot(phone, 'phone-asks');
  await phone.getByRole('button', { name: 'Go on' }).click();
  await phone.getByAltText('The code of this device').waitFor();
  await world.axe('phone', phone, 'shows its code');
  await fits(phone, 'the code');
  await shot(phone, 'phone-code');
  const shown = (await phone.locator('.setup-key code').innerText()).trim();

  // The laptop takes it, and gives its history along.
  await menu(laptop, 'Devices…');
  await laptop.getByRole('button', { name: 'Add a device' }).click();
  await laptop.getByLabel('The code that the new device shows').fill('AAAA-AAAA-AAAA-AAAA');
  await laptop.getByRole('button', { name: 'Add this device' }).click();
  await laptop.getByRole('alert').filter({ hasText: "doesn't show that code" }).waitFor();
  await laptop.getByLabel('The code that the new device shows').fill(shown);
  await laptop.getByRole('checkbox', { name: /give it my history/ }).check();
  await laptop.getByText(/messages and your contacts, .* MB/).or(laptop.getByText(/messages and your contacts, .* KB/)).waitFor();
  await world.axe('laptop', laptop, 'add a device');
  await shot(laptop, 'laptop-add');
  await laptop.getByRole('button', { name: 'Add this device' }).click();
  const ledger = laptop.getByRole('list', { name: 'Devices of this account' });
  await ledger.getByText('Another device').waitFor();
  await ledger.locator('.progress').waitFor();
  await world.axe('laptop', laptop, 'gives history');
  await shot(laptop, 'laptop-gives');
  await phone.getByRole('button', { name: 'New chat' }).waitFor();
  await ask(phone, { type: 'devices' }); // From here on it is heard what the page is told.
  const given = await handedOver(laptop, 'the laptop');
  check(given.some((h) => h.device && h.step === 'moving' && h.total > 500_000), 'the laptop said how far it was');
  await ledger.getByText(/is sealed at the relay/).waitFor();
  await shot(laptop, 'laptop-given');
  const banner = phone.getByRole('region', { name: 'History between your devices' });
  await banner.getByText(/messages came/).waitFor();
  await world.axe('phone', phone, 'history came');
  await fits(phone, 'the chats with what came');
  await shot(phone, 'phone-came');
  const taken = await handedOver(phone, 'the phone');
  check(taken.some((h) => h.device === null && h.step === 'restoring'), 'the phone said how far it was');
  await banner.getByRole('button', { name: 'Dismiss' }).click();
  await banner.waitFor({ state: 'detached' });
  await laptop.getByRole('button', { name: 'Done' }).click();

  // All of it is there, and found.
  const { messages } = await ask(phone, { type: 'history', conversation: chat, before: null, limit: 200 });
  const texts = messages.filter((m) => m.body.type === 'text').map((m) => m.body.text);
  check(texts[0] === 'hello bob' && texts[1] === 'hello alice' && texts.length >= 32, `the phone has it all: ${texts.length}`);
  const found = await ask(phone, { type: 'search', query: 'line 17', conversation: null, order: 'newest', next: null, limit: 5 });
  check(found.hits.length > 0, 'what came is found');
  console.log('a phone with all that was said before, and how far it was on both sides');

  // What is said from now on, both ways; what is read on one is read on the other.
  await phone.getByRole('link', { name: /bob/ }).click();
  await say(phone, 'from my phone');
  await bob.getByRole('log').getByText('from my phone').waitFor();
  await laptop.getByRole('log').getByText('from my phone').waitFor();
  await phone.getByRole('button', { name: 'Back to the list' }).click();
  await laptop.getByRole('link', { name: /hikers/ }).click();
  await say(bob, 'to both of you');
  const unread = (page) => page.getByRole('link', { name: /bob/ }).getByText(/^\d+$/);
  await unread(phone).waitFor();
  await unread(laptop).waitFor();
  await laptop.getByRole('link', { name: /bob/ }).click();
  await laptop.getByRole('log').getByText('to both of you').waitFor();
  await unread(phone).waitFor({ state: 'detached' });
  console.log('read on the laptop is read on the phone');

  // From the phone Carol is removed from the group; everybody sees it.
  await phone.getByRole('link', { name: /hikers/ }).click();
  await phone.getByRole('button', { name: 'Members' }).click();
  const members = phone.getByRole('dialog', { name: 'Group' });
  await members.getByRole('button', { name: 'Options for carol' }).click();
  await phone.getByRole('menuitem', { name: 'Remove from the group…' }).click();
  await members.getByRole('button', { name: 'Remove', exact: true }).click();
  await members.getByRole('heading', { name: '2 members' }).waitFor();
  await members.getByRole('button', { name: 'Done' }).click();
  await carol.getByText('You were removed from this group.').waitFor();
  await laptop.getByRole('link', { name: /hikers/ }).click();
  await happened(laptop, 'You removed carol.');
  await say(laptop, 'the two of us');
  await phone.getByRole('log').getByText('the two of us').waitFor();
  check((await carol.getByRole('log').getByText('the two of us').count()) === 0, 'carol hears no more');
  console.log('a group with a removal, from the new device');

  // The phone is lost: removed, it says so, and hears nothing more.
  await menu(laptop, 'Devices…');
  await ledger.getByRole('button', { name: /^Remove device/ }).click();
  await world.axe('laptop', laptop, 'remove a device');
  await laptop.getByRole('button', { name: 'Remove it' }).click();
  await ledger.getByText(/; removed /).waitFor();
  await shot(laptop, 'laptop-removed');
  await phone.getByText(/This device was removed from the account/).waitFor();
  await world.axe('phone', phone, 'removed');
  await fits(phone, 'the removed phone');
  await shot(phone, 'phone-removed');
  await laptop.getByRole('button', { name: 'Done' }).click();
  await laptop.getByRole('link', { name: /bob/ }).click();
  await happened(bob, 'alice removed a device');
  await say(laptop, 'without the phone');
  await bob.getByRole('log').getByText('without the phone').waitFor();
  check((await phone.getByText('without the phone').count()) === 0, 'the removed phone hears nothing');
  await phone.getByRole('button', { name: 'Erase it' }).click();
  await phone.getByRole('button', { name: 'Erase everything' }).click();
  await phone.getByRole('heading', { name: 'Create your account' }).waitFor();
  console.log('the phone was removed, said so, and is erased');
}

await tell(world, story);
