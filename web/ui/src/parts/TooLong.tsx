/** Says by how much a text is longer than the wire takes it; nothing while it fits. */
export function TooLong({ id, by }: { id?: string; by: number }) {
  return (
    <p id={id} className={by > 0 ? "field-note bad" : "visually-hidden"} aria-live="polite">
      {by > 0 && `Too long by ${by} ${by === 1 ? "byte" : "bytes"}.`}
    </p>
  );
}
