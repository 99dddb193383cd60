import { useEffect, useRef, useState } from "react";
import type { Group, GroupMember, Request, Role } from "../api";
import { useClient } from "../state/hooks";
import { useSubmit } from "../state/submit";
import { closed, count, mayLead, ROLES, underway } from "../text/groups";
import { Avatar } from "./Avatar";
import { Sheet } from "./Dialogs";
import { Complaint } from "./Entry";
import { GroupForm } from "./GroupForm";
import { GroupLinks } from "./GroupLinks";
import { LeaveGroup, RemoveMember } from "./GroupSteps";
import { MemberMenu } from "./MemberMenu";

type Page =
  | { name: "members"; back: boolean }
  | { name: "invite" }
  | { name: "links" }
  | { name: "title" }
  | { name: "remove"; member: GroupMember }
  | { name: "leave" };

interface Props {
  group: Group;
  open: boolean;
  onOpenChange: (open: boolean) => void;
}

/** Who is in a group and what may be done about it. Only what one's own role allows is offered. */
export function GroupSheet({ group, open, onOpenChange }: Props) {
  return (
    <Sheet title="Group" open={open} onOpenChange={onOpenChange}>
      <Pages group={group} close={() => onOpenChange(false)} />
    </Sheet>
  );
}

function Pages({ group, close }: { group: Group; close: () => void }) {
  const [page, setPage] = useState<Page>({ name: "members", back: false });
  const back = () => setPage({ name: "members", back: true });
  const conversation = group.conversation;
  switch (page.name) {
    case "members":
      return <Members group={group} fromPage={page.back} go={setPage} close={close} />;
    case "invite":
      return (
        <GroupForm
          label="Username"
          action="Invite"
          request={(username) => ({ type: "invite", conversation, username })}
          back={back}
        >
          Whoever comes in reads what is written from then on, not what was written before.
        </GroupForm>
      );
    case "links":
      return <GroupLinks group={group} back={back} />;
    case "title":
      return (
        <GroupForm
          label="Title"
          action="Change the title"
          initial={group.title}
          free
          request={(title) => ({ type: "set_title", conversation, title })}
          back={back}
        >
          Everybody in the group sees the new title, and who changed it.
        </GroupForm>
      );
    case "remove":
      return <RemoveMember group={group} member={page.member} back={back} />;
    case "leave":
      return <LeaveGroup group={group} back={back} done={close} />;
  }
}

interface MembersProps {
  group: Group;
  /** Whether another page was open before: then the focus is without a place. */
  fromPage: boolean;
  go: (page: Page) => void;
  close: () => void;
}

function Members({ group, fromPage, go, close }: MembersProps) {
  const client = useClient();
  const { problem, submit } = useSubmit();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (fromPage) heading.current?.focus();
  }, [fromPage]);
  const does = (request: Request) => void submit(() => client.ask(request));
  const conversation = group.conversation;

  return (
    <>
      <p className="group-title" dir="auto">
        {group.title}
      </p>
      {group.open && <p>This is the lobby: everybody of your relay may come in and read from then on.</p>}
      {problem && <Complaint {...problem} />}
      <section aria-label="Members">
        <p role="status" className="underway">
          {underway(group)}
        </p>
        <h3 ref={heading} tabIndex={-1}>
          {count(group)}
        </h3>
        <ul className="members">
          {group.members.map((member) => (
            <li key={member.account}>
              <Avatar name={member.username} seed={member.account} />
              <span className="member-name">
                <bdi>{member.username}</bdi>
                {member.own && " (you)"}
                <small>{ROLES[member.role]}</small>
              </span>
              <MemberMenu
                group={group}
                member={member}
                setRole={(role: Role) =>
                  does({ type: "set_role", conversation, account: member.account, role })
                }
                remove={() => go({ name: "remove", member })}
              />
            </li>
          ))}
        </ul>
      </section>
      <p className="field-note">
        Owners give roles. Owners and admins invite, remove and choose the title. Every member's device checks
        that.
      </p>
      <details className="compare">
        <summary>Compare the group</summary>
        <p>These digits are the same for everybody who sees the same group, until it changes next.</p>
        <code>{inGroups(group.authenticator)}</code>
      </details>
      <div className="stack">
        {mayLead(group) && (
          <>
            <button type="button" className="button" onClick={() => go({ name: "invite" })}>
              Invite somebody
            </button>
            <button type="button" className="button" onClick={() => go({ name: "links" })}>
              Links into the group
            </button>
            <button type="button" className="button" onClick={() => go({ name: "title" })}>
              Change the title
            </button>
          </>
        )}
        {!closed(group) && (
          <button type="button" className="button danger" onClick={() => go({ name: "leave" })}>
            Leave the group
          </button>
        )}
      </div>
      <div className="sheet-actions">
        <button type="button" className="button primary" onClick={close}>
          Done
        </button>
      </div>
    </>
  );
}

function inGroups(digits: string): string {
  return digits.match(/.{1,4}/g)?.join(" ") ?? digits;
}
