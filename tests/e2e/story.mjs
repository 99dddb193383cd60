// Two people, two browsers, an outside authenticator: sign-up, messages both ways, one away while three are sent, the
// relay killed, everything once and in order; no CSP violation, no foreign request, axe content (A1–A5, A7–A10, B16,
// B19, B20).
import { mark, reads, say, shot, tell } from './chat.mjs';
import { check, code, World } from './world.mjs';

const world = await World.make();

async function signUp(name, page) {
  await page.getByRole('heading', { name: 'Create your account' }).waitFor();
  await world.axe(name, page, 'sign-up');
  await page.getByLabel('Username').fill(name);
  await page.getByText(`“${name}” is free.`).waitFor();
  await page.getByRole('button', { name: 'Generate QR code' }).click();
  const qr = page.getByAltText('QR code for your authenticator app');
  await qr.waitFor();
  check((await qr.evaluate((image) => image.naturalWidth)) > 0, 'the QR code is drawn');
  await page.getByRole('button', { name: 'Show the setup key instead' }).click();
  const key = (await page.locator('.setup-key code').innerText()).replaceAll(/\s/g, '');
  await world.axe(name, page, 'authenticator');
  await shot(page, `${name}-authenticator`);

  // A wrong code first: a clear label, the field empty and ready again (A3).
  const field = page.getByLabel('Then type the six digits it shows');
  const right = code(key);
  const wrong = right.replace(/.$/, (d) => String((Number(d) + 5) % 10));
  await field.fill(wrong);
  await page.getByRole('alert').first().waitFor();
  check((await field.inputValue()) === '', 'after a wrong code the field is empty');
  await field.fill(code(key)); // The sixth digit submits.
  await page.getByRole('heading', { name: 'Save your recovery codes' }).waitFor();
  check((await page.getByLabel('Recovery codes').getByRole('listitem').count()) === 10, 'ten recovery codes');
  await world.axe(name, page, 'recovery codes');
  await page.getByRole('button', { name: 'I saved them' }).click();

  // The recovery phrase, shown once, checked by two of its words.
  await page.getByRole('heading', { name: 'Write down your recovery phrase' }).waitFor();
  const words = await page.getByLabel('Recovery phrase').getByRole('listitem').allInnerTexts();
  check(words.length === 24, 'twenty-four words');
  await world.axe(name, page, 'recovery phrase');
  await page.getByRole('button', { name: 'I wrote them down' }).click();
  for (const field of await page.getByLabel(/^Word \d+$/).all()) {
    const label = await field.evaluate((input) => input.labels[0].textContent);
    await field.fill(words[Number(label.replace('Word ', '')) - 1]);
  }
  await page.getByRole('button', { name: 'Check' }).click();
  await page.getByRole('button', { name: 'New chat' }).waitFor();
  return key;
}

async function story() {
  const relay = await world.relay();
  const [aliceNode, bobNode] = [await world.node('alice', relay), await world.node('bob', relay)];
  const alice = await world.browser('alice', aliceNode, { viewport: { width: 1100, height: 800 } });
  const bob = await world.browser('bob', bobNode, { viewport: { width: 390, height: 800 }, colorScheme: 'dark' });
  const aliceKey = await signUp('alice', alice);
  await signUp('bob', bob);
  console.log('both signed up with codes from oathtool');

  // An unknown name says so; then the right one.
  await alice.getByRole('button', { name: 'New chat' }).click();
  await alice.getByRole('dialog').getByLabel('Username').fill('nobody-here');
  await alice.getByRole('button', { name: 'Start chat' }).click();
  await alice.getByText('Nobody at this relay is called “nobody-here”.').waitFor();
  await world.axe('alice', alice, 'new chat');
  await alice.getByRole('dialog').getByLabel('Username').fill('bob');
  await alice.getByRole('button', { name: 'Start chat' }).click();
  await say(alice, 'hello bob');
  await bob.getByRole('link', { name: /alice/ }).click();
  await reads(bob, 'bob', ['hello bob']);
  await say(bob, 'hello alice, <b>not bold</b> <script>alert(1)</script>');
  const sofar = ['hello bob', 'hello alice, <b>not bold</b> <script>alert(1)</script>'];
  await reads(alice, 'alice', sofar);
  check((await alice.locator('.row.own').count()) === 1, 'own bubbles are own');
  check((await alice.locator('.row.other .author').innerText()) === 'bob', "others' bubbles have their name");
  await mark(bob, 'On a device of the recipient');
  await mark(alice, 'On a device of the recipient');
  await alice.getByText(/\d online/).waitFor();
  console.log('messages both ways, delivery marks, live count');

  // The emoji picker, without a foreign request.
  await alice.getByRole('button', { name: 'Emoji' }).click();
  await alice.getByLabel('Search emoji').fill('rocket');
  await alice.getByRole('gridcell', { name: /^rocket$/i }).click();
  await alice.getByRole('textbox', { name: /^Message to/ }).press('Enter');
  sofar.push('🚀');
  await reads(bob, 'bob', sofar);
  await world.axe('alice', alice, 'chat');
  await world.axe('bob', bob, 'chat on a phone, dark');
  await shot(alice, 'alice-chat');
  await shot(bob, 'bob-chat');

  // Bob's node is away while three are sent; the relay is killed meanwhile and comes back.
  await bobNode.kill();
  await bob.getByText("The node on this computer isn't answering").waitFor();
  for (const text of ['one', 'two', 'three']) {
    await say(alice, text);
    sofar.push(text);
  }
  await mark(alice, 'Kept by the relay');
  await relay.kill();
  await alice.getByText(/^Offline:/).waitFor();
  await world.axe('alice', alice, 'offline');
  await shot(alice, 'alice-offline');
  await say(alice, 'four, while the relay is dead');
  sofar.push('four, while the relay is dead');
  await relay.start();
  await bobNode.start();
  await bob.bringToFront();
  await reads(bob, 'bob', sofar);
  await reads(alice, 'alice', sofar);
  await mark(alice, 'On a device of the recipient');
  console.log('three while away, one while the relay was dead: all there, once, in order');

  // A reload shows the same; the session outlives it.
  await alice.reload();
  await reads(alice, 'alice', sofar);

  // Log out, the guard, the code again (A4, A5): the log-out locked the device, too.
  await alice.getByRole('button', { name: 'Menu' }).click();
  await alice.getByRole('menuitem', { name: 'Log out' }).click();
  await alice.getByRole('alertdialog').getByRole('button', { name: 'Log out' }).click();
  await alice.getByRole('heading', { name: 'This device is locked' }).waitFor();
  check(new URL(alice.url()).pathname === '/login', 'logged out means /login');
  await world.axe('alice', alice, 'log-in');
  await alice.getByLabel('Code from your authenticator app').fill(code(aliceKey, 1));
  await alice.getByRole('link', { name: /bob/ }).click();
  await reads(alice, 'alice', sofar);
  console.log('logged out and in again with a fresh code');
}

await tell(world, story);
