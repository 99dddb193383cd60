import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/entry.css";
import "./styles/frame.css";
import "./styles/chat.css";
import "./styles/files.css";
import "./styles/deeds.css";
import "./styles/groups.css";
import "./styles/mentions.css";
import "./styles/overlay.css";
import "./styles/search.css";
import "./styles/reach.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { browser } from "./net/connection";
import { checkSession, swapToken, takeLinkToken } from "./net/session";
import { Client } from "./state/client";
import { ClientContext } from "./state/hooks";
import { applyTheme } from "./state/theme";

applyTheme();
const client = new Client(browser(checkSession));

/** With a fresh link the token is swapped first; an old link is no harm while the session still holds. */
async function begin(): Promise<void> {
  const token = takeLinkToken(window.location, window.history);
  const admission = token ? await swapToken(token) : "refused";
  if (admission === "admitted" || (await checkSession()) !== "refused") client.start();
  else client.refused();
}

window.addEventListener("hashchange", () => void begin());
// Messages that only this page knows would be gone with it.
window.addEventListener("beforeunload", (event) => {
  const { pending, signedUp } = client.store.getState();
  if (signedUp || Object.keys(pending).length > 0) event.preventDefault();
});

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <ClientContext value={client}>
        <App />
      </ClientContext>
    </StrictMode>,
  );
  void begin();
}
