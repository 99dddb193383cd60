import { readCode } from "../state/qr";

/** Takes a picture of a QR code, for those who can't scan; `take` is given what reads it. */
export function CodePicture({
  label,
  disabled,
  take,
}: {
  label: string;
  disabled: boolean;
  take: (read: () => Promise<string>) => void;
}) {
  return (
    <input
      type="file"
      accept="image/*"
      aria-label={label}
      disabled={disabled}
      onChange={(event) => {
        const file = event.target.files?.[0];
        // The same picture may be chosen again, after another try at taking it.
        event.target.value = "";
        if (file) take(() => readCode(file));
      }}
    />
  );
}
