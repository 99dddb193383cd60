import { type ReactNode, useEffect, useRef } from "react";
import type { Group, GroupMember, Request } from "../api";
import { useClient } from "../state/hooks";
import { useSubmit } from "../state/submit";
import { heldBack } from "../text/groups";
import { Complaint } from "./Entry";

interface RemoveProps {
  group: Group;
  member: GroupMember;
  back: () => void;
}

export function RemoveMember({ group, member, back }: RemoveProps) {
  const { account, username } = member;
  const request = { type: "remove_member", conversation: group.conversation, account } as const;
  return (
    <Step action="Remove" stay="Keep them" request={request} back={back} done={back}>
      <p>
        Remove <bdi className="name">{username}</bdi> from the group? They keep what they have read, and can't
        read or write anything new.
      </p>
    </Step>
  );
}

interface LeaveProps {
  group: Group;
  back: () => void;
  done: () => void;
}

export function LeaveGroup({ group, back, done }: LeaveProps) {
  const held = heldBack(group);
  const request = held ? null : ({ type: "leave_group", conversation: group.conversation } as const);
  return (
    <Step action="Leave" stay={held ? "Back" : "Stay"} request={request} back={back} done={done}>
      {held ? (
        <p>You are the group's only owner. Make somebody else an owner first; then you can leave.</p>
      ) : (
        <p>
          Leave the group? What you have read stays on this device. To come back you have to be invited again.
        </p>
      )}
    </Step>
  );
}

interface StepProps {
  action: string;
  stay: string;
  /** Null where it can't be done. */
  request: Request | null;
  back: () => void;
  done: () => void;
  children: ReactNode;
}

/** Something that wants a second look: the focus is on what changes nothing. */
function Step({ action, stay, request, back, done, children }: StepProps) {
  const client = useClient();
  const { busy, problem, submit } = useSubmit();
  const safe = useRef<HTMLButtonElement>(null);
  useEffect(() => safe.current?.focus(), []);

  async function onAction(asked: Request) {
    if (await submit(() => client.ask(asked))) done();
  }

  return (
    <>
      {children}
      {problem && <Complaint {...problem} />}
      <div className="sheet-actions">
        <button ref={safe} type="button" className="button" onClick={back}>
          {stay}
        </button>
        {request && (
          <button
            type="button"
            className="button danger"
            disabled={busy}
            onClick={() => void onAction(request)}
          >
            {action}
          </button>
        )}
      </div>
    </>
  );
}
