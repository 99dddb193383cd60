import type { Contact } from "../api";
import { Sheet } from "./Dialogs";

interface Props {
  contact: Contact;
  open: boolean;
  onOpenChange: (open: boolean) => void;
}

/** Sixty digits that are the same on both sides exactly when nobody sits in between. */
export function SafetyNumber({ contact, open, onOpenChange }: Props) {
  const groups = contact.safety_number.match(/\d{5}/g) ?? [];
  return (
    <Sheet title="Safety number" open={open} onOpenChange={onOpenChange}>
      <p>
        Compare these digits with <bdi className="name">{contact.username}</bdi>, in person or on a call. If
        they are the same on both screens, nobody sits between you.
      </p>
      <ol className="safety" aria-label={`Safety number with ${contact.username}`}>
        {groups.map((group, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: twelve places that never move
          <li key={i}>{group}</li>
        ))}
      </ol>
      <div className="sheet-actions">
        <button type="button" className="button primary" onClick={() => onOpenChange(false)}>
          Close
        </button>
      </div>
    </Sheet>
  );
}
