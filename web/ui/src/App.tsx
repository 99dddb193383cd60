import { useEffect } from "react";
import { LineBanner } from "./parts/Banner";
import { Entry } from "./parts/Entry";
import { LinkDevice } from "./screens/LinkDevice";
import { LogIn } from "./screens/LogIn";
import { Main } from "./screens/Main";
import { NoSession } from "./screens/NoSession";
import { SignUp } from "./screens/SignUp";
import { Unlock } from "./screens/Unlock";
import { useClient, usePart } from "./state/hooks";
import { guard, navigate, parseRoute, pathOf, usePath } from "./state/route";

/** Chooses the screen: by the line to the node first, then by the account, then by the address. */
export function App() {
  const line = usePart((s) => s.line);
  const status = usePart((s) => s.status);
  const codesShown = usePart((s) => s.signedUp !== null);
  const path = usePath();
  const wanted = parseRoute(path);
  const route = status ? guard(wanted, status.account, codesShown) : wanted;
  const allowed = pathOf(route);

  useEffect(() => {
    if (status && path !== allowed) navigate(parseRoute(allowed), "replace");
  }, [status, path, allowed]);

  if (line.state === "refused") return <NoSession />;
  if (!status) return <Starting />;
  return (
    <>
      <LineBanner />
      {route.name === "signup" && <SignUp />}
      {route.name === "link" && <LinkDevice />}
      {route.name === "login" &&
        (status.account.state === "locked" ? <Unlock {...status.account} /> : <LogIn />)}
      {route.name === "home" && <Main conversation={null} />}
      {route.name === "chat" && <Main conversation={route.conversation} />}
    </>
  );
}

function Starting() {
  const client = useClient();
  const waiting = usePart((s) => s.line.state === "waiting");
  return (
    <Entry title={waiting ? "The node isn't answering" : "One moment…"}>
      {waiting ? (
        <>
          <p>This page talks to the program livechat-node on this computer. Is it still running?</p>
          <button type="button" className="button primary wide" onClick={() => client.retryNow()}>
            Try again now
          </button>
        </>
      ) : (
        <p aria-live="polite">Connecting to your node on this computer.</p>
      )}
    </Entry>
  );
}
