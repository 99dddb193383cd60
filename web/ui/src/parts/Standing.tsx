import { Fragment, useState } from "react";
import type { Conversation, Group } from "../api";
import { useClient, usePart } from "../state/hooks";
import { count } from "../text/groups";
import { Close, Warning } from "./icons";
import { SafetyNumber } from "./SafetyNumber";

/** Somebody new asks to talk: nothing goes back to them before they are accepted. */
export function RequestBanner({ chat, group }: { chat: Conversation; group: Group | null }) {
  const client = useClient();
  return (
    <section className="standing" aria-label="Message request">
      {group ? (
        <p>
          Somebody you don't know added you to the group <bdi className="name">{chat.title}</bdi>,{" "}
          {count(group)}: <Names group={group} />. They don't learn whether you have read this, or that you
          are here, until you accept.
        </p>
      ) : (
        <p>
          <bdi className="name">{chat.title}</bdi> wants to write to you. They don't learn whether you have
          read this, or that you are here, until you accept.
        </p>
      )}
      <div className="sheet-actions">
        <BlockButton chat={chat} blocked />
        <button
          type="button"
          className="button primary"
          onClick={() => void client.does({ type: "accept", conversation: chat.id })}
        >
          Accept
        </button>
      </div>
    </section>
  );
}

/** A name that leads to another account than before: nothing is written until somebody has looked into it. */
export function NewKeysBanner({ chat }: { chat: Conversation }) {
  const client = useClient();
  const contact = usePart((s) => s.contacts.find((c) => c.conversation === chat.id));
  const [comparing, setComparing] = useState(false);
  return (
    <section className="standing" aria-label="Another account than before">
      <p role="alert">
        <strong>
          <bdi className="name">{chat.title}</bdi> is another account than the one you knew by that name.
        </strong>{" "}
        They signed up anew, or somebody else is there. Nothing is sent until you have looked into it: compare
        the safety number in person or on a call.
      </p>
      <div className="sheet-actions">
        <BlockButton chat={chat} blocked />
        <button
          type="button"
          className="button"
          onClick={() => void client.does({ type: "accept", conversation: chat.id })}
        >
          Go on without
        </button>
        {contact && (
          <button type="button" className="button primary" onClick={() => setComparing(true)}>
            Verify
          </button>
        )}
      </div>
      {contact && <SafetyNumber contact={contact} open={comparing} onOpenChange={setComparing} />}
    </section>
  );
}

/** So many names say what kind of a group it is. */
const NAMES = 8;

function Names({ group }: { group: Group }) {
  const others = group.members.filter((m) => !m.own);
  return (
    <>
      {others.slice(0, NAMES).map((member, i) => (
        <Fragment key={member.account}>
          {i > 0 && ", "}
          <bdi className="name">{member.username}</bdi>
        </Fragment>
      ))}
      {others.length > NAMES && ` and ${others.length - NAMES} more`}
    </>
  );
}

/** Nothing comes from here, and nothing goes. */
export function BlockedBanner({ chat, group }: { chat: Conversation; group: Group | null }) {
  return (
    <section className="standing" aria-label="Blocked">
      <p>
        You have blocked {group && "the group "}
        <bdi className="name">{chat.title}</bdi>. {group ? "Its members" : "They"} aren't told.
      </p>
      <div className="sheet-actions">
        <BlockButton chat={chat} blocked={false} />
      </div>
    </section>
  );
}

function BlockButton({ chat, blocked }: { chat: Conversation; blocked: boolean }) {
  const client = useClient();
  return (
    <button
      type="button"
      className="button"
      onClick={() => void client.does({ type: "block", conversation: chat.id, blocked })}
    >
      {blocked ? "Block" : "Unblock"}
    </button>
  );
}

/** What somebody asked for and didn't get. */
export function Refusal() {
  const client = useClient();
  const refusal = usePart((s) => s.refusal);
  if (!refusal) return null;
  return (
    <section className="banner bad" aria-label="Not done">
      <Warning />
      <p role="alert">
        {refusal.message} {refusal.hint}
      </p>
      <button
        type="button"
        className="button round quiet"
        aria-label="Close"
        onClick={() => client.forgetRefusal()}
      >
        <Close />
      </button>
    </section>
  );
}
