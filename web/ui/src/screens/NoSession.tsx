import { useEffect } from "react";
import { Entry } from "../parts/Entry";
import { useClient } from "../state/hooks";

/** This browser has no session with the node: only its owner can hand out a link. */
export function NoSession() {
  const client = useClient();
  useEffect(() => {
    const look = () => void client.tryAgain();
    window.addEventListener("focus", look);
    return () => window.removeEventListener("focus", look);
  }, [client]);
  return (
    <Entry title="Open LiveChat with its link">
      <p>
        Your node only talks to browsers that came with its one-time link. This one didn't, or the link was
        used already or is more than ten minutes old.
      </p>
      <p>In the terminal, ask your node for a new one and open it here:</p>
      <pre className="command">livechat-node link</pre>
    </Entry>
  );
}
