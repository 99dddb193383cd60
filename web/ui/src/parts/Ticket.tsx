import type { SignUpTicket } from "../api";
import { CopyButton } from "./CopyButton";

interface Props {
  ticket: SignUpTicket;
  byHand: boolean;
  onByHand: (byHand: boolean) => void;
}

/** What an authenticator app takes: a code to scan, or a key to type. */
export function Ticket({ ticket, byHand, onByHand }: Props) {
  return (
    <>
      {byHand ? (
        <div className="setup-key">
          <code>{inGroups(ticket.setup_key)}</code>
          <CopyButton text={ticket.setup_key} what="key" />
        </div>
      ) : (
        // As an image a drawing can't act, whatever it holds.
        <img
          className="qr"
          src={`data:image/svg+xml;charset=utf-8,${encodeURIComponent(ticket.qr_svg)}`}
          alt="QR code for your authenticator app"
        />
      )}
      <div className="entry-actions centred">
        <button type="button" className="link" onClick={() => onByHand(!byHand)} aria-pressed={byHand}>
          {byHand ? "Show the QR code" : "Show the setup key instead"}
        </button>
        {ticket.otpauth_uri.startsWith("otpauth://") && (
          <a className="link phone-only" href={ticket.otpauth_uri}>
            Open the app on this phone
          </a>
        )}
      </div>
    </>
  );
}

function inGroups(key: string): string {
  return key.match(/.{1,4}/g)?.join(" ") ?? key;
}
