// What people do, without the page's help: through the API's socket, from inside the page that has the session.
import { code } from './world.mjs';

/** Asks the page's node; rejects with the node's words. Events since the first call wait in `globalThis.heard`. */
export function ask(page, request) {
  return page.evaluate(async (asked) => {
    globalThis.line ??= new Promise((opened, failed) => {
      const socket = new WebSocket(`ws://${location.host}/api/socket`);
      const line = { socket, waiting: new Map(), last: 0 };
      globalThis.heard = [];
      socket.onopen = () => opened(line);
      socket.onclose = () => failed(new Error('the node closed the socket'));
      socket.onmessage = ({ data }) => {
        const frame = JSON.parse(data);
        if (frame.event) globalThis.heard.push(frame.event);
        else line.waiting.get(frame.id)?.(frame);
      };
    });
    const line = await globalThis.line;
    const id = ++line.last;
    const frame = await new Promise((answered) => {
      line.waiting.set(id, answered);
      line.socket.send(JSON.stringify({ id, request: asked }));
    });
    if (frame.error) throw new Error(`${asked.type}: ${frame.error.code}: ${frame.error.message}`);
    return frame.ok;
  }, request);
}

/** An account for the page's node; the page goes on to the chats. */
export async function settle(page, username) {
  await page.getByRole('heading', { name: 'Create your account' }).waitFor(); // The session is there.
  const { setup_key } = await ask(page, { type: 'sign_up', username });
  await ask(page, { type: 'confirm_sign_up', code: code(setup_key) });
  await page.getByRole('button', { name: 'New chat' }).waitFor();
  return setup_key;
}
