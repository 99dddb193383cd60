import { type FormEvent, useCallback, useEffect, useId, useRef, useState } from "react";
import type { Group, GroupLink } from "../api";
import { explain } from "../state/explain";
import { useClient } from "../state/hooks";
import type { Problem } from "../state/pending";
import { useSubmit } from "../state/submit";
import { EXPIRIES, linkState } from "../text/links";
import { CopyButton } from "./CopyButton";
import { Complaint } from "./Entry";

interface Props {
  group: Group;
  back: () => void;
}

/** The links into a group: making, showing, revoking. */
export function GroupLinks({ group, back }: Props) {
  const client = useClient();
  const [links, setLinks] = useState<readonly GroupLink[] | null>(null);
  const [shown, setShown] = useState<GroupLink | null>(null);
  const [failure, setFailure] = useState<Problem | null>(null);
  const { problem, submit } = useSubmit();
  const heading = useRef<HTMLHeadingElement>(null);
  const conversation = group.conversation;
  const fetch = useCallback(async () => {
    const answer = await client.ask({ type: "links", conversation });
    setLinks(answer.links);
  }, [client, conversation]);
  // What changes in the group may be a link.
  const { epoch, pending } = group;
  useEffect(() => {
    void [epoch, pending];
    fetch().then(
      () => setFailure(null),
      (error: unknown) => setFailure(explain(error)),
    );
  }, [fetch, epoch, pending]);
  useEffect(() => heading.current?.focus(), []);

  const shownNow = shown && (links?.find((l) => l.door === shown.door) ?? shown);
  if (shownNow) return <ShownLink link={shownNow} back={() => setShown(null)} />;
  async function revoke({ door }: GroupLink) {
    // The button that was pressed goes with its link.
    if (await submit(() => client.ask({ type: "revoke_link", conversation, door }).then(fetch)))
      heading.current?.focus();
  }
  return (
    <>
      <h3 ref={heading} tabIndex={-1}>
        Links into the group
      </h3>
      <p>Whoever has a link comes in without being asked, while an owner or admin is online.</p>
      {problem && <Complaint {...problem} />}
      {failure && <Complaint {...failure} />}
      {links?.length === 0 && <p>There is none yet.</p>}
      {links && links.length > 0 && (
        <ul className="links">
          {links.map((link) => (
            <li key={link.door}>
              <span>
                {linkState(link)}
                <small>
                  by <bdi>{link.made_by}</bdi>
                </small>
              </span>
              {link.link && (
                <button type="button" className="button" onClick={() => setShown(link)}>
                  Show
                </button>
              )}
              <button type="button" className="button danger" onClick={() => void revoke(link)}>
                Revoke
              </button>
            </li>
          ))}
        </ul>
      )}
      <NewLink
        conversation={conversation}
        made={(link) => {
          setLinks([...(links ?? []), link]);
          setShown(link);
        }}
      />
      <div className="sheet-actions">
        <button type="button" className="button" onClick={back}>
          Back
        </button>
      </div>
    </>
  );
}

function NewLink({ conversation, made }: { conversation: string; made: (link: GroupLink) => void }) {
  const client = useClient();
  const { busy, problem, submit } = useSubmit();
  const [expires, setExpires] = useState("0");
  const [uses, setUses] = useState("");
  const id = useId();
  const number = uses.trim() === "" ? null : Number(uses);
  const ready = number === null || (Number.isInteger(number) && number >= 1 && number <= 256);

  async function onSubmit(event: FormEvent) {
    event.preventDefault();
    if (!ready) return;
    const expires_in = expires === "0" ? null : Number(expires);
    await submit(async () => {
      const { type: _, ...link } = await client.ask({
        type: "make_link",
        conversation,
        expires_in,
        uses: number,
      });
      made(link);
    });
  }

  return (
    <form onSubmit={(event) => void onSubmit(event)}>
      <div className="field-row">
        <div className="field">
          <label htmlFor={`${id}-expires`}>Open</label>
          <select
            id={`${id}-expires`}
            className="text-input"
            value={expires}
            onChange={(event) => setExpires(event.target.value)}
          >
            {EXPIRIES.map(({ seconds, words }) => (
              <option key={seconds} value={seconds}>
                {words}
              </option>
            ))}
          </select>
        </div>
        <div className="field">
          <label htmlFor={`${id}-uses`}>For how many people</label>
          <input
            id={`${id}-uses`}
            className="text-input"
            inputMode="numeric"
            placeholder="any number"
            value={uses}
            onChange={(event) => setUses(event.target.value)}
            autoComplete="off"
            maxLength={3}
            aria-invalid={!ready}
            aria-describedby={`${id}-uses-note`}
          />
          <p
            id={`${id}-uses-note`}
            className={ready ? "visually-hidden" : "field-note bad"}
            aria-live="polite"
          >
            {!ready && "A number from 1 to 256, or nothing."}
          </p>
        </div>
      </div>
      {problem && <Complaint {...problem} />}
      <button type="submit" className="button primary" disabled={busy || !ready}>
        {busy ? "One moment…" : "Make a link"}
      </button>
    </form>
  );
}

/** A link to copy or to photograph. */
function ShownLink({ link, back }: { link: GroupLink; back: () => void }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <>
      <h3 ref={heading} tabIndex={-1}>
        Link into the group
      </h3>
      <p role="status">{linkState(link)}</p>
      {link.qr_svg && (
        // As an image a drawing can't act, whatever it holds.
        <img
          className="qr"
          src={`data:image/svg+xml;charset=utf-8,${encodeURIComponent(link.qr_svg)}`}
          alt="QR code of the link"
        />
      )}
      <div className="setup-key">
        <code className="link-text">{link.link}</code>
        <CopyButton text={link.link ?? ""} what="link" />
      </div>
      <div className="sheet-actions">
        <button type="button" className="button" onClick={back}>
          Back
        </button>
      </div>
    </>
  );
}
