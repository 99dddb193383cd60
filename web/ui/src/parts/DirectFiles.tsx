import { useEffect, useState } from "react";
import { explain } from "../state/explain";
import { useClient } from "../state/hooks";
import type { Problem } from "../state/pending";
import { Sheet } from "./Dialogs";
import { Complaint } from "./Entry";

/** Whether files go straight from one device to the other: a matter of consent, since addresses are seen. */
export function DirectFiles({
  open,
  onOpenChange,
}: {
  open: boolean;
  onOpenChange: (open: boolean) => void;
}) {
  return (
    <Sheet title="Files" open={open} onOpenChange={onOpenChange}>
      <Choice />
      <div className="sheet-actions">
        <button type="button" className="button" onClick={() => onOpenChange(false)}>
          Close
        </button>
      </div>
    </Sheet>
  );
}

function Choice() {
  const client = useClient();
  const [on, setOn] = useState<boolean | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);

  useEffect(() => {
    client.files.goesDirectly().then(setOn, (error) => setProblem(explain(error)));
  }, [client]);

  async function choose(next: boolean) {
    setProblem(null);
    try {
      await client.files.goDirectly(next);
      setOn(next);
    } catch (error) {
      setProblem(explain(error));
    }
  }

  return (
    <>
      <label>
        <input
          type="checkbox"
          checked={on ?? false}
          disabled={on === null}
          onChange={(event) => void choose(event.target.checked)}
        />{" "}
        Send and fetch files directly
      </label>
      <p>
        In chats with one person who wants it too, files then go straight from device to device, past the
        relay. <strong>Either of you sees the other's network address</strong>, which tells about where you
        are. What can't go that way goes by the relay.
      </p>
      {problem && <Complaint {...problem} />}
    </>
  );
}
