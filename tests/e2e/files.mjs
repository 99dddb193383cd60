// Files between two browsers: a picture that is cleaned and shown, a document that could run and doesn't, and a large one
// that arrives although both nodes and the relay are killed on its way.
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { accept, reads, say, shot, tell, writeTo } from './chat.mjs';
import { settle } from './people.mjs';
import { check, World } from './world.mjs';

const world = await World.make();

const file = (page, name) => page.locator('.bubble', { has: page.locator('.file-name', { hasText: name }) });
async function choose(page, ...files) {
  await page.getByLabel('Files to send').setInputFiles(files);
  const chosen = page.getByRole('region', { name: 'Files to be sent' });
  // What it takes is said before anything leaves.
  await chosen.getByText(/^Sealed here, then kept by the relay until .* are free\.$/).waitFor();
  await chosen.getByRole('button', { name: /^Send / }).click();
}

const sha256 = (page, url) => page.evaluate(async (from) => {
  const bytes = await (await fetch(from)).arrayBuffer();
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return [...hash].map((b) => b.toString(16).padStart(2, '0')).join('');
}, url);

async function story() {
  const relay = await world.relay();
  const nodes = { alice: await world.node('alice', relay), bob: await world.node('bob', relay) };
  const alice = await world.browser('alice', nodes.alice, { viewport: { width: 1100, height: 850 } });
  const bob = await world.browser('bob', nodes.bob, { viewport: { width: 360, height: 740 }, colorScheme: 'dark' });
  await settle(alice, 'alice');
  await settle(bob, 'bob');
  await writeTo(alice, 'bob');
  await say(alice, 'look');
  await bob.getByRole('link', { name: /alice/ }).click();
  await reads(bob, 'bob', ['look']);
  await accept(bob);

  // A picture.
  const drawn = await alice.evaluate(() => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 480 });
    const pen = canvas.getContext('2d');
    for (let x = 0; x < 640; x += 16) {
      pen.fillStyle = `hsl(${x} 80% 50%)`;
      pen.fillRect(x, x % 200, 16, 300);
    }
    return canvas.toDataURL('image/png').split(',')[1];
  });
  await choose(alice, { name: 'sunset.png', mimeType: 'image/png', buffer: Buffer.from(drawn, 'base64') });
  await file(alice, 'sunset.png').waitFor();
  const picture = file(bob, 'sunset.png').getByRole('img', { name: 'sunset.png' });
  await picture.waitFor();
  const width = () => picture.evaluate((img) => img.decode().then(() => img.naturalWidth));
  check((await width()) === 320, 'a preview before anything is fetched');
  await world.axe('bob', bob, 'a file');
  await shot(bob, 'bob-picture');
  await file(bob, 'sunset.png').getByRole('button', { name: 'Download' }).click();
  await file(bob, 'sunset.png').getByRole('link', { name: 'Save' }).waitFor();
  await bob.waitForFunction(
    () => document.querySelector('img.file-picture[src*="show"]')?.naturalWidth === 640,
  );
  console.log('a picture');

  // What would run as a page of ours, if it were ever shown as one.
  const script = '<script>globalThis.owned = true; fetch("/api/session")</script>';
  const evil = `<svg xmlns="http://www.w3.org/2000/svg" onload="globalThis.owned = true">${script}</svg>`;
  await choose(
    alice,
    { name: '<img src=x onerror=owned=1>.svg', mimeType: 'image/svg+xml', buffer: Buffer.from(evil) },
    { name: 'page.html', mimeType: 'text/html', buffer: Buffer.from(script) },
  );
  for (const name of ['.svg', 'page.html']) {
    await file(bob, name).getByRole('button', { name: 'Download' }).click();
    const save = file(bob, name).getByRole('link', { name: 'Save' });
    await save.waitFor();
    const href = await save.getAttribute('href');
    for (const address of [href, `${href}?show=true`]) {
      const about = await bob.evaluate(async (url) => {
        const answer = await fetch(url);
        return { ...Object.fromEntries(answer.headers), text: await answer.text() };
      }, address);
      check(about['content-type'] === 'application/octet-stream', `${name}: ${about['content-type']}`);
      check(about['content-disposition'].startsWith('attachment;'), `${name} is an attachment`);
      check(about['content-security-policy'].startsWith('sandbox;'), `${name} is sandboxed`);
      check(about['x-content-type-options'] === 'nosniff', `${name} is not sniffed`);
      check(about.text.includes('owned'), `${name} is what was sent`);
    }
    const [download] = await Promise.all([bob.waitForEvent('download'), save.click()]);
    check(!download.suggestedFilename().includes('/'), download.suggestedFilename());
    await download.cancel();
  }
  for (const page of [alice, bob]) check(!(await page.evaluate(() => globalThis.owned)), 'nothing ran');

  // A readable copy with what is here, under names that lead nowhere.
  await bob.getByRole('button', { name: 'Chat options' }).click();
  const [copy] = await Promise.all([
    bob.waitForEvent('download'),
    bob.getByRole('menuitem', { name: 'Export with files' }).click(),
  ]);
  check(/^livechat-alice-.*\.zip$/.test(copy.suggestedFilename()), copy.suggestedFilename());
  const archive = readFileSync(await copy.path());
  for (const part of ['/chat.md', '/files/sunset.png', '/files/page.html', '/files/_img src_x onerror_owned_1_.svg', evil]) {
    check(archive.includes(part), `the archive has ${part}`);
  }
  check(archive.includes('](files/page.html)'), 'the text leads to the files');
  check(archive.subarray(-22, -18).toString() === 'PK\u0005\u0006', 'the archive is whole');
  console.log('documents that could run');

  // A large one, while the sender's node and the relay die on its way up, and the recipient's node on its way down.
  const large = randomBytes(24 * 1024 * 1024);
  await choose(alice, { name: 'large.bin', mimeType: '', buffer: large });
  const sending = alice.getByRole('list', { name: 'Files being sent' });
  await alice.waitForFunction(() => {
    const bar = document.querySelector('.sending progress');
    return bar?.value > 0 && bar.value < bar.max;
  }, null, { polling: 20 });
  await relay.kill();
  await sending.getByText(/^Waiting\. /).waitFor();
  await world.axe('alice', alice, 'sending');
  await shot(alice, 'alice-sending');
  const before = await sending.getByRole('progressbar').evaluate((bar) => bar.value);
  await nodes.alice.kill();
  await nodes.alice.start();
  await relay.start();
  await file(alice, 'large.bin').waitFor();
  check(before > 0 && before < large.length, `killed on its way: ${before}`);
  await file(bob, 'large.bin').getByRole('button', { name: 'Download' }).click();
  // From here on the node knows; a click that it never heard of is said to be lost.
  await file(bob, 'large.bin').getByRole('progressbar').or(file(bob, 'large.bin').getByRole('link', { name: 'Save' })).waitFor();
  await nodes.bob.kill();
  await nodes.bob.start();
  const save = file(bob, 'large.bin').getByRole('link', { name: 'Save' });
  await save.waitFor();
  const sum = createHash('sha256').update(large).digest('hex');
  check((await sha256(bob, await save.getAttribute('href'))) === sum, 'the bytes agree');
  console.log('a large file');

  // Taken back.
  await file(alice, 'large.bin').hover();
  await file(alice, 'large.bin').locator('..').getByRole('button', { name: 'Message actions' }).click();
  await alice.getByRole('menuitem', { name: 'Delete…' }).click();
  await alice.getByRole('button', { name: 'Delete for everyone' }).click();
  await file(bob, 'large.bin').waitFor({ state: 'detached' });
}

await tell(world, story);
