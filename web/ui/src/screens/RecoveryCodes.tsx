import type { SignedUp } from "../api";
import { Entry } from "../parts/Entry";
import { RecoveryList } from "../parts/RecoveryList";

/** Shown once, kept nowhere: the way in when the phone is lost. */
export function RecoveryCodes({ signedUp, saved }: { signedUp: SignedUp; saved: () => void }) {
  return (
    <Entry title="Save your recovery codes">
      <p>
        If you lose your phone, each of these lets you log in once in place of the six digits. They are shown{" "}
        <strong>only now</strong>: keep them where your phone isn't.
      </p>
      <RecoveryList username={signedUp.username} codes={signedUp.recovery_codes} />
      <button type="button" className="button primary wide" onClick={saved}>
        I saved them
      </button>
    </Entry>
  );
}
