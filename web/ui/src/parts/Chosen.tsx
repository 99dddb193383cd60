import { useState } from "react";
import { useClient, usePart } from "../state/hooks";
import { wholeDay } from "../text/dates";
import { amount } from "../text/files";
import { Close, FileIcon } from "./icons";

const PICTURE = /^image\/(jpeg|png|webp)$/;

/** Files that were chosen and go nowhere yet: what they need of the relay, and until when it keeps them. */
export function Chosen({ conversation }: { conversation: string }) {
  const client = useClient();
  const files = usePart((s) => s.chosen[conversation]);
  const space = usePart((s) => s.space);
  const [asIs, setAsIs] = useState(false);
  if (!files) return null;
  const all = files.reduce((sum, file) => sum + file.size, 0);
  const tooLarge = space && files.find((file) => file.size > space.largest);
  const left = space ? Math.max(0, space.quota - space.used) : Number.POSITIVE_INFINITY;
  const refusal = tooLarge
    ? `${tooLarge.name} is too large: a file has at most ${amount(space.largest)}.`
    : all > left
      ? `Too much: of your ${amount(space?.quota ?? 0)} at the relay ${amount(left)} are free. Older files make room when they expire, or when you delete them for everyone.`
      : null;
  return (
    <section className="chosen" aria-label="Files to be sent">
      <ul>
        {files.map((file, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: two files may be called the same
          <li key={index} className="file-line">
            <FileIcon />
            <p>
              <bdi className="file-name">{file.name || "file"}</bdi>
              <span className="file-size">{amount(file.size)}</span>
            </p>
            <button
              type="button"
              className="button round quiet"
              aria-label={`Leave out ${file.name || "file"}`}
              onClick={() => client.files.leaveOut(conversation, file)}
            >
              <Close />
            </button>
          </li>
        ))}
      </ul>
      {files.some((file) => PICTURE.test(file.type)) && (
        <label>
          <input type="checkbox" checked={asIs} onChange={(event) => setAsIs(event.target.checked)} />
          Leave pictures as they are, with place and time of the shot
        </label>
      )}
      {refusal ? (
        <p role="alert" className="composer-note bad">
          {refusal}
        </p>
      ) : (
        <p className="file-size" role="status">
          {space
            ? `Sealed here, then kept by the relay until ${wholeDay(Date.now() + space.kept_seconds * 1000)}. ${amount(left)} of your ${amount(space.quota)} there are free.`
            : "How much room there is, and for how long, the relay hasn't said yet. Files are sealed now and leave when it is there."}
        </p>
      )}
      <div className="chosen-deeds">
        <button type="button" className="button" onClick={() => client.files.choose(conversation, [])}>
          Cancel
        </button>
        <button
          type="button"
          className="button primary"
          disabled={refusal !== null}
          onClick={() => {
            client.files.choose(conversation, []);
            void client.files.send(conversation, files, asIs);
          }}
        >
          {files.length === 1 ? "Send the file" : `Send ${files.length} files`}
        </button>
      </div>
    </section>
  );
}
