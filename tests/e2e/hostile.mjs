// Another site's pages in a browser with a session, against the node's own pages (P17): DNS rebinding, forms, fetches,
// sockets, frames, inclusions, windows. Only what our own page asks is served. The controls: the same requests from
// our own page succeed, and with a server in front that hides Host, Origin and Sec-Fetch-Site from the gate, and the
// headers of the answers from the browser, the very same attacks get through.
import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import { ask, settle } from './people.mjs';
import { check, sleep, World } from './world.mjs';

/** Where the browser finds the node: an address of this computer that the node itself doesn't listen on. */
const HOME = '127.0.0.4';
/** What the attacks must get while the defence is off. */
const LOOT = [
  /^WebSocket.*it says.*status/, /^frame \/$/, /^window and message$/, /^script/, /^stylesheet/, /^image$/,
  /^link$/, /^form get \/ /, /^POST \/api\/session was answered/, /^GET \/api\/session was answered 204/,
];

const world = await World.make();
const servers = [];

async function listen(server, port, address = '0.0.0.0') {
  server.listen(port, address);
  await once(server, 'listening');
  servers.push(server);
  return server.address().port;
}

/** The attacker's site: an empty page for every path, but `/to?…`, which sends the browser on. */
function evilSite() {
  return createServer((request, answer) => {
    const { pathname, search } = new URL(request.url, 'http://x');
    if (pathname === '/to') answer.writeHead(307, { location: decodeURIComponent(search.slice(1)) }).end();
    else answer.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>evil</title>');
  });
}

/**
 * What stands between browser and node, and writes down how each request was answered. It changes nothing, unless
 * `disguise` switches the defence off: then the gate sees requests of our own page, and the browser answers without
 * protection. While `evil` holds, everything gets the attacker's page: a name that isn't rebound yet.
 */
function front(nodePort, { disguise = false } = {}) {
  const own = `127.0.0.1:${nodePort}`;
  const seen = [];
  const asOurs = (raw) => {
    if (!disguise) return raw;
    const kept = pairs(raw).filter(([name]) => !/^(host|origin|sec-fetch-\w+)$/i.test(name));
    return [['Host', own], ['Origin', `http://${own}`], ...kept].flat();
  };
  const asNobodys = (raw) => {
    if (!disguise) return raw;
    const protections = /^(x-frame-options|x-content-type-options|cross-origin-\S+|content-security-policy|origin-agent-cluster)$/i;
    return pairs(raw).filter(([name]) => !protections.test(name)).flat();
  };
  const forward = (request, then) => {
    const { method, url: path, rawHeaders } = request;
    const asked = passOn(nodePort, method, path, asOurs(rawHeaders));
    const note = (answer) => seen.push({ method, path, status: answer.statusCode });
    asked.on('response', (answer) => (note(answer), then.answer(answer)));
    asked.on('upgrade', (answer, socket, head) => (note(answer), then.upgrade(answer, socket, head)));
    asked.on('error', () => then.gone());
    return asked;
  };
  const server = createServer((request, answer) => {
    if (server.evil) {
      answer.writeHead(200, { 'content-type': 'text/html', connection: 'close' }).end('<!doctype html><title>evil</title>');
      return;
    }
    const gone = () => answer.destroy();
    request.pipe(forward(request, {
      answer: (from) => from.pipe(answer.writeHead(from.statusCode, asNobodys(from.rawHeaders))),
      upgrade: gone,
      gone,
    }));
  });
  server.on('upgrade', (request, socket) => {
    const head = (from) => {
      const lines = pairs(asNobodys(from.rawHeaders)).map(([name, value]) => `${name}: ${value}\r\n`);
      return `HTTP/1.1 ${from.statusCode} ${from.statusMessage}\r\n${lines.join('')}\r\n`;
    };
    socket.on('error', () => {});
    forward(request, {
      answer: (from) => (socket.write(head(from)), from.pipe(socket)),
      upgrade: (from, node, first) => {
        socket.write(head(from));
        socket.write(first);
        node.on('error', () => socket.destroy());
        node.pipe(socket).pipe(node);
      },
      gone: () => socket.destroy(),
    }).end();
  });
  return Object.assign(server, { seen, evil: false });
}

const pairs = (raw) => raw.flatMap((name, i) => (i % 2 === 0 ? [[name, raw[i + 1]]] : []));

function passOn(port, method, path, headers) {
  return httpRequest({ host: '127.0.0.1', port, method, path, headers, setHost: false, agent: false });
}

/** Everything a page can try on another origin without the user's help. Runs in the attacker's page. */
async function fromAPage({ target, assets, token, here }) {
  const served = [];
  const tries = [];
  const attempt = (name, work) => tries.push([name, work]);
  const late = (ms) => new Promise((done) => setTimeout(() => done(false), ms));

  const bodies = { 'text/plain': JSON.stringify({ token }), 'application/json': JSON.stringify({ token }) };
  for (const path of ['/', '/login', '/api/session', '/api/socket', ...assets]) {
    for (const mode of ['cors', 'no-cors']) {
      attempt(`fetch ${mode} GET ${path}`, async () => (await fetch(target + path, { mode, credentials: 'include' })).ok);
    }
  }
  for (const [kind, body] of Object.entries(bodies)) {
    for (const [mode, method] of [['cors', 'POST'], ['no-cors', 'POST'], ['cors', 'PUT'], ['cors', 'DELETE']]) {
      attempt(`fetch ${mode} ${method} ${kind}`, async () => {
        const headers = { 'content-type': kind };
        return (await fetch(`${target}/api/session`, { method, mode, body, headers, credentials: 'include' })).ok;
      });
    }
  }
  if (here) {
    attempt('fetch by way of a redirect', async () => {
      const url = `${here}/to?${encodeURIComponent(`${target}/api/session`)}`;
      return (await fetch(url, { credentials: 'include', mode: 'cors' })).ok;
    });
    attempt('image by way of a redirect', () => load('img', { src: `${here}/to?${encodeURIComponent(`${target}/icon.svg`)}` }));
  }
  attempt('XMLHttpRequest', () => new Promise((done) => {
    const asked = new XMLHttpRequest();
    asked.open('GET', `${target}/api/session`);
    asked.withCredentials = true;
    asked.onload = () => done(asked.status < 400);
    asked.onerror = () => done(false);
    asked.send();
  }));
  attempt('EventSource', () => new Promise((done) => {
    const source = new EventSource(`${target}/api/session`, { withCredentials: true });
    source.onopen = () => done(true);
    source.onerror = () => (source.close(), done(false));
  }));
  for (const protocols of [[], ['chat']]) {
    attempt(`WebSocket ${protocols}`, () => new Promise((done) => {
      const socket = new WebSocket(`${target.replace('http', 'ws')}/api/socket`, protocols);
      socket.onopen = () => socket.send('{"id":1,"request":{"type":"status"}}');
      socket.onmessage = ({ data }) => (socket.close(), done(`it says ${data.slice(0, 60)}`));
      socket.onclose = () => done(false);
    }));
  }
  function load(tag, attributes) {
    return new Promise((done) => {
      const element = Object.assign(document.createElement(tag), attributes);
      element.onload = () => done(true);
      element.onloadedmetadata = () => done(true);
      element.onerror = () => done(false);
      document.body.append(element);
    });
  }
  for (const src of assets) {
    if (src.endsWith('.js')) {
      attempt(`script ${src}`, () => load('script', { src: target + src }));
      attempt(`module ${src}`, () => load('script', { src: target + src, type: 'module' }));
    }
    if (src.endsWith('.css')) attempt(`stylesheet ${src}`, () => load('link', { rel: 'stylesheet', href: target + src }));
  }
  attempt('image', () => load('img', { src: `${target}/icon.svg` }));
  attempt('image with credentials', () => load('img', { src: `${target}/icon.svg`, crossOrigin: 'use-credentials' }));
  attempt('object', () => Promise.race([load('object', { data: `${target}/icon.svg` }), late(3000)]));
  attempt('the page as a script', () => load('script', { src: `${target}/` }));
  navigator.sendBeacon?.(`${target}/api/session`, JSON.stringify({ token }));

  await Promise.all(tries.map(async ([name, work]) => {
    try {
      const got = await Promise.race([work(), late(10_000)]);
      if (got) served.push(`${name}${got === true ? '' : `: ${got}`}`);
    } catch {
      // Refused by the browser or by the node: which of them shows in the statuses.
    }
  }));
  return { served, tried: tries.length + 1 };
}

/** Runs everything from one attacker against one target, which `door` leads to. */
async function attack(context, attacker, target, door, assets, token) {
  const served = [];
  const before = door.seen.length;
  let tried = 0;
  const went = async (name, work) => {
    tried += 1;
    const got = await work().catch(() => false);
    if (got) served.push(name);
  };

  const start = attacker.origin;
  /** A page of the attacker; a rebound name turns to the node once it is there. */
  const lair = async (page) => {
    door.evil = attacker.rebinds ?? false;
    // A form's error page may still be on its way.
    for (let tries = 1; ; tries += 1) {
      const there = await page.goto(`${start}/`).then(() => true, (error) => error);
      if (there === true) break;
      if (tries === 10) throw there;
      await sleep(100);
    }
    door.evil = false;
  };
  const page = await context.newPage();
  await lair(page);
  let frame = page.mainFrame();
  if (attacker.sandboxed) {
    // An origin that calls itself null.
    await page.evaluate(() => {
      const inner = document.createElement('iframe');
      inner.sandbox = 'allow-scripts allow-forms allow-popups';
      inner.srcdoc = '<!doctype html><title>inner</title><body>';
      const there = new Promise((loaded) => (inner.onload = loaded));
      document.body.append(inner);
      return there;
    });
    frame = page.frames().at(-1);
  }
  const first = await frame.evaluate(fromAPage, { target, assets, token, here: attacker.rebinds ? null : start });
  served.push(...first.served);
  tried += first.tried;

  // A frame: with content, it would have a box of our page in it.
  for (const path of ['/', '/login', '/icon.svg']) {
    await went(`frame ${path}`, async () => {
      const frames = page.frames().length;
      await frame.evaluate((src) => {
        const inner = Object.assign(document.createElement('iframe'), { src });
        const there = new Promise((loaded) => (inner.onload = loaded));
        document.body.append(inner);
        return Promise.race([there, new Promise((done) => setTimeout(done, 3000))]);
      }, target + path);
      const inner = page.frames().slice(frames).at(-1);
      return inner ? (await inner.locator('#root, svg').count()) > 0 : false;
    });
  }

  // A window, then words to it.
  await went('window and message', async () => {
    const opened = context.waitForEvent('page', { timeout: 30_000 });
    await frame.evaluate((url) => {
      globalThis.other = globalThis.open(url, 'victim');
    }, `${target}/`);
    const popup = await opened;
    await popup.waitForLoadState();
    await frame.evaluate(() => globalThis.other?.postMessage({ id: 1, request: { type: 'status' } }, '*'));
    const shown = (await popup.locator('#root').count()) > 0;
    await popup.close();
    return shown;
  });

  // Forms leave the page.
  const other = await context.newPage();
  for (const enctype of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
    for (const [method, path] of [['post', '/api/session'], ['post', '/'], ['get', '/'], ['get', '/api/session']]) {
      await lair(other);
      await went(`form ${method} ${path} ${enctype}`, async () => {
        const answered = other.waitForResponse((r) => r.url().startsWith(target), { timeout: 30_000 });
        await other.evaluate((f) => {
          const form = Object.assign(document.createElement('form'), { method: f.method, action: f.action });
          form.enctype = f.enctype;
          const input = Object.assign(document.createElement('input'), { name: `{"token":"${f.token}`, value: '"}' });
          form.append(input);
          document.body.append(form);
          form.submit();
        }, { method, enctype, token, action: target + path });
        return (await answered).ok();
      });
    }
  }
  // A link that somebody clicks.
  await went('link', async () => {
    const answered = page.waitForResponse((r) => r.url().startsWith(target), { timeout: 30_000 });
    await frame.evaluate((url) => {
      const link = Object.assign(document.createElement('a'), { href: url, target: '_top' });
      document.body.append(link);
      link.click();
    }, `${target}/`);
    return (await answered).ok();
  });
  await sleep(200);
  const answers = door.seen.slice(before);
  for (const { method, path, status } of answers) {
    if (status !== 403 && status !== 421) served.push(`${method} ${path} was answered ${status}`);
  }
  return { served, tried, reached: answers.length };
}

async function story() {
  const relay = await world.relay();
  // The browser comes through a front that writes down all answers: at the same port of another loopback address.
  const node = await world.node('alice', relay, ['--host', HOME]);
  const own = new URL(node.ready.link).origin;
  const port = Number(new URL(own).port);
  const door = front(port);
  await listen(door, port, HOME);
  const alice = await world.browser('alice', node, {
    // The browser's own new wall around the local network is not what is tested here.
    args: [
      `--host-resolver-rules=MAP rebound.example ${HOME}, MAP *.example 127.0.0.1`,
      '--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests,HttpsUpgrades',
    ],
  });
  await settle(alice, 'alice');
  const context = alice.context();
  const assets = await alice.evaluate(() =>
    [...document.querySelectorAll('script[src], link[rel=stylesheet]')].map((e) => new URL(e.src || e.href).pathname),
  );
  check(assets.some((a) => a.endsWith('.js')) && assets.some((a) => a.endsWith('.css')), `files: ${assets}`);

  // The legal class.
  const legal = await alice.evaluate(async (files) => {
    const got = [];
    for (const path of ['/', '/login', '/api/session', ...files]) got.push((await fetch(path)).status);
    return got;
  }, assets);
  check(legal.every((s) => s === 200 || s === 204), `our own page is served: ${legal}`);
  const { account } = await ask(alice, { type: 'status' });
  check(account.state === 'active', 'our own socket is served');

  const evilPort = await listen(evilSite(), 0);
  const open = front(port, { disguise: true });
  const openPort = await listen(open, 0, HOME);
  const token = '0'.repeat(64);
  const attackers = {
    'another site': { origin: `http://evil.example:${evilPort}` },
    // Cookies know no ports: with this one's requests goes the session.
    'another port of this computer': { origin: `http://${HOME}:${evilPort}` },
    'a frame without an origin': { origin: `http://${HOME}:${evilPort}`, sandboxed: true },
    'a rebound name': { origin: `http://rebound.example:${port}`, rebinds: true },
  };
  let [tried, reached] = [0, 0];
  const through = [];
  for (const [name, attacker] of Object.entries(attackers)) {
    const target = attacker.rebinds ? attacker.origin : own;
    const result = await attack(context, attacker, target, door, assets, token);
    console.log(`${name}: ${result.tried} tried, ${result.reached} reached the node`);
    check(result.reached > 25, `${name}: the attacks reach the node`);
    tried += result.tried;
    reached += result.reached;
    through.push(...result.served.map((s) => `${name}: ${s}`));
  }
  check(through.length === 0, `only our own page is served:\n${through.join('\n')}`);
  console.log(`${tried} attacks, ${reached} requests, none served`);

  // What the same attacks get when nobody looks.
  const neighbour = attackers['another port of this computer'];
  const control = await attack(context, neighbour, `http://${HOME}:${openPort}`, open, assets, token);
  for (const kind of LOOT) check(control.served.some((s) => kind.test(s)), `control: ${kind} gets through`);
  console.log(`control, the gate off: ${control.served.length} get through`);

  const after = await ask(alice, { type: 'status' });
  check(JSON.stringify(after.account) === JSON.stringify(account), 'the account is as it was');
  check((await alice.evaluate(async () => (await fetch('/api/session')).status)) === 204, 'the session is as it was');
}

let failure;
try {
  await story();
} catch (error) {
  failure = error;
}
await world.close();
for (const server of servers) server.close().closeAllConnections?.();
for (const complaint of world.complaints) console.error(complaint);
if (world.complaints.length > 0) failure ??= new Error('complaints');
if (failure) console.error(failure);
process.exit(failure ? 1 : 0);
