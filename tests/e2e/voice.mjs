// A voice note between two browsers: recorded (Chromium's own tone stands in for a voice), heard before it is sent, heard
// and sought in at the other end; what only says that it is one is not played, and who has no microphone is told so.
import { accept, reads, say, shot, tell, until, writeTo } from './chat.mjs';
import { settle } from './people.mjs';
import { check, World } from './world.mjs';

const world = await World.make();

const playing = (page) => page.evaluate(() => {
  const audio = [...document.querySelectorAll('audio')].find((a) => !a.paused);
  return audio ? audio.currentTime : -1;
});

async function story() {
  const relay = await world.relay();
  const nodes = { alice: await world.node('alice', relay), bob: await world.node('bob', relay) };
  const tone = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];
  const alice = await world.browser('alice', nodes.alice, { viewport: { width: 360, height: 740 }, args: tone });
  const bob = await world.browser('bob', nodes.bob, { viewport: { width: 1100, height: 850 }, colorScheme: 'dark' });
  await settle(alice, 'alice');
  await settle(bob, 'bob');
  await writeTo(alice, 'bob');
  await say(alice, 'listen');
  await bob.getByRole('link', { name: /alice/ }).click();
  await reads(bob, 'bob', ['listen']);
  await accept(bob);

  // Nobody is asked anything before somebody wants to speak; then one may listen, and think better of it.
  await alice.getByRole('button', { name: 'Record a voice note' }).click();
  await alice.getByRole('timer').filter({ hasText: '0:02' }).waitFor();
  await world.axe('alice', alice, 'recording');
  await shot(alice, 'alice-recording');
  await alice.getByRole('button', { name: 'Discard the voice note' }).click();
  await alice.getByRole('button', { name: 'Record a voice note' }).click();
  await alice.getByRole('timer').filter({ hasText: '0:03' }).waitFor();
  await alice.getByRole('button', { name: 'Stop recording' }).click();
  await alice.getByRole('button', { name: 'Play your voice note' }).click();
  await until(async () => (await playing(alice)) > 0.3, 'alice hears herself');
  await world.axe('alice', alice, 'listening before sending');
  await alice.getByRole('button', { name: 'Send the voice note' }).click();
  await alice.locator('.bubble', { hasText: 'Voice note' }).waitFor();
  console.log('recorded');

  // At the other end: by keyboard alone, from the middle, although nothing of it is there yet.
  const position = bob.getByRole('slider', { name: 'Position in voice note of alice' });
  await position.waitFor();
  check(/^0:00 of 0:0[3-9]$/.test(await position.getAttribute('aria-valuetext')), 'its duration before it is fetched');
  const levels = await bob.locator('.voice-bars path').nth(1).getAttribute('d');
  check((levels.match(/z/g) ?? []).length > 20, `bars: ${levels}`);
  await bob.getByRole('button', { name: 'Play voice note of alice' }).focus();
  await bob.keyboard.press('Enter');
  await until(async () => (await playing(bob)) > 0.3, 'bob hears alice');
  await bob.getByRole('button', { name: 'Pause voice note of alice' }).press('Enter');
  await position.focus();
  await bob.keyboard.press('Home');
  for (let n = 0; n < 20; n += 1) await bob.keyboard.press('ArrowRight');
  const text = await position.getAttribute('aria-valuetext');
  check(text.startsWith('0:02 of'), text);
  await bob.getByRole('button', { name: 'Play voice note of alice' }).press('Enter');
  await until(async () => (await playing(bob)) > 2, 'bob hears the end');
  await until(async () => (await playing(bob)) === -1, 'it ends');
  const heard = await bob.locator('audio').evaluate((a) => a.error?.message ?? 'whole');
  check(heard === 'whole', heard);
  await world.axe('bob', bob, 'a voice note');
  await shot(bob, 'bob-voice');
  console.log('heard');

  // What only calls itself a voice note: its own node refuses it, and nothing of it goes anywhere.
  const refused = await alice.evaluate(async () => {
    const chat = location.pathname.split('/').pop();
    const post = (about, body) => fetch(`/api/files/${chat}?name=x.webm&${about}`, { method: 'POST', body });
    const page = new Blob(['<script>globalThis.owned = true</script>'], { type: 'audio/webm' });
    const answers = [];
    for (const about of ['millis=1000&levels=00ff', 'millis=0&levels=00', 'millis=1000&levels=zz']) {
      answers.push((await post(about, page)).status);
    }
    return answers;
  });
  check(JSON.stringify(refused) === '[422,422,400]', JSON.stringify(refused));

  // A browser that says no.
  await bob.getByRole('button', { name: 'Record a voice note' }).click();
  await bob.getByRole('alert').filter({ hasText: /microphone/ }).waitFor();
  await world.axe('bob', bob, 'no microphone');
  await bob.getByRole('button', { name: 'Discard the voice note' }).click();
  await say(bob, 'nice');
  await reads(alice, 'alice', ['listen', 'nice']);
}

await tell(world, story);
