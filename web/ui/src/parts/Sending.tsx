import { useMemo } from "react";
import { usePart } from "../state/hooks";
import { amount } from "../text/files";
import { FileIcon } from "./icons";
import { Progress } from "./Progress";

/** Files of this chat that aren't messages yet. */
export function Sending({ conversation }: { conversation: string }) {
  const transfers = usePart((s) => s.transfers);
  const handing = usePart((s) => s.handing[conversation] ?? 0);
  const here = useMemo(
    () => Object.values(transfers).filter((t) => t.up && t.conversation === conversation),
    [transfers, conversation],
  );
  if (here.length === 0 && handing === 0) return null;
  return (
    <ul className="sending" aria-label="Files being sent">
      {handing > 0 && <li>Handing over {handing === 1 ? "a file" : `${handing} files`} to the node…</li>}
      {here.map((transfer) => (
        <li key={transfer.message}>
          <div className="file-line">
            <FileIcon />
            <p>
              <bdi className="file-name">{transfer.name}</bdi>
              <span className="file-size">{amount(transfer.size)}</span>
            </p>
          </div>
          <Progress transfer={transfer} label={`Sending ${transfer.name}`} />
        </li>
      ))}
    </ul>
  );
}
