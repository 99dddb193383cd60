import { type FormEvent, useId, useState } from "react";
import type { Restored } from "../api";
import { giveBack, newSecret, sealed } from "../state/backup";
import { useSubmit } from "../state/submit";
import { CopyButton } from "./CopyButton";
import { Sheet } from "./Dialogs";
import { Complaint } from "./Entry";

/** A sealed copy of history, contacts and settings; and giving one back. */
export function Backup({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  return (
    <Sheet title="Backup" open={open} onOpenChange={onOpenChange}>
      <Save />
      <GiveBack />
    </Sheet>
  );
}

function Save() {
  const [secret] = useState(newSecret);
  const [saved, setSaved] = useState(false);
  const { busy, problem, submit } = useSubmit();

  async function save(event: FormEvent) {
    event.preventDefault();
    setSaved(await submit(async () => download(await sealed(secret))));
  }

  return (
    <form onSubmit={(event) => void save(event)}>
      <p>
        History, contacts and settings in one sealed file. Keys are in no backup, so an old one is merely an
        old history. Files, and messages that disappear, are left out.
      </p>
      <p>Only this opens it again, and it is kept nowhere. Write it down:</p>
      <p className="backup-secret">
        <code>{secret}</code> <CopyButton text={secret} what="it" />
      </p>
      {problem && <Complaint {...problem} />}
      <p role="status">{saved && "The backup is saved."}</p>
      <div className="sheet-actions">
        <button type="submit" className="button primary" disabled={busy}>
          {busy ? "Sealing…" : "Save a backup"}
        </button>
      </div>
    </form>
  );
}

function GiveBack() {
  const [file, setFile] = useState<File | null>(null);
  const [secret, setSecret] = useState("");
  const [done, setDone] = useState<Restored | null>(null);
  const { busy, problem, submit } = useSubmit();
  const id = useId();

  async function restore(event: FormEvent) {
    event.preventDefault();
    if (!file) return;
    await submit(async () => setDone(await giveBack(file, secret)));
  }

  return (
    <form onSubmit={(event) => void restore(event)}>
      <h3>Give one back</h3>
      <div className="field">
        <label htmlFor={`${id}-file`}>The file</label>
        <input id={`${id}-file`} type="file" onChange={(event) => setFile(event.target.files?.[0] ?? null)} />
      </div>
      <div className="field">
        <label htmlFor={`${id}-secret`}>What opens it</label>
        <input
          id={`${id}-secret`}
          className="text-input"
          value={secret}
          onChange={(event) => setSecret(event.target.value)}
          autoComplete="off"
          spellCheck={false}
        />
      </div>
      {problem && <Complaint {...problem} />}
      <p role="status">
        {done && (
          <>
            {done.messages} messages in {done.conversations} chats are back.{" "}
            {done.left > 0 &&
              `${done.left} chats stay as they were: something was said in them here already. `}
            To write to somebody again, add them by name.
          </>
        )}
      </p>
      <div className="sheet-actions">
        <button type="submit" className="button" disabled={busy || !file || !secret.trim()}>
          {busy ? "Opening…" : "Give it back"}
        </button>
      </div>
    </form>
  );
}

/** Hands a file to the browser as if it had been fetched by a link. */
function download(file: Blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = `livechat-${new Date().toISOString().slice(0, 10)}.backup`;
  link.click();
  // The browser has begun to save it by the next turn; the memory is given back a little later.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
